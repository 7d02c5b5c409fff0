/* SPDX-License-Identifier: Apache-2.0 */
/* peal top: what happens on a bus, on a screen that is always up to date. */
#include "tools/peal/command.h"
#include "tools/peal/kit/common.h"
#include "tools/peal/kit/fail.h"
#include "tools/peal/kit/stop.h"
#include "tools/peal/top/batch.h"
#include "tools/peal/top/face.h"
#include "tools/peal/top/screen.h"

#include <stdio.h>
#include <string.h>

static struct {
    uint64_t interval_ns;
    uint64_t count;
    const char *sort;
    const char *filter;
    unsigned view; /* enum top_list */
    bool reverse;
    bool batch;
    bool once;
} given = {.interval_ns = NS_PER_S};

/* The first rates are wanted soon; and who looks more often than people can read need not draw each time. */
#define FIRST_INTERVAL_NS (250 * NS_PER_MS)
#define DRAW_INTERVAL_NS (40 * NS_PER_MS)

/* ---- the loop ---- */

struct show {
    struct top_scene *scene;
    struct top_state *state;
    struct top_messages messages;
    struct top_face face;
    uint64_t next_look_ns;
    uint64_t drawn_ns;
    uint64_t looks;
    bool changed;
};

static void look(struct show *show)
{
    const struct top_scene *scene = show->scene;
    (void)top_scene_look(show->scene);
    const int at =
        show->state->view == TOP_LIST_PARTS ? top_scene_find(scene, show->state->topic_id) : -1;
    if (at >= 0)
        top_messages_look(&show->messages, show->scene, (size_t)at);
    show->looks++;
    show->changed = true;
}

/* From one look to the next; late ones do not pile up. */
static void look_if_due(struct show *show)
{
    const uint64_t now_ns = clock_now_ns();
    if (show->state->paused || now_ns < show->next_look_ns)
        return;
    look(show);
    const uint64_t interval_ns = show->state->interval_ns;
    const bool is_first = show->scene->looks == 1 && interval_ns > FIRST_INTERVAL_NS;
    show->next_look_ns += is_first ? FIRST_INTERVAL_NS : interval_ns;
    if (show->next_look_ns <= now_ns || show->next_look_ns > now_ns + interval_ns)
        show->next_look_ns = now_ns + (is_first ? FIRST_INTERVAL_NS : interval_ns);
}

static void draw(struct show *show)
{
    int width, height;
    screen_size(&width, &height);
    top_face_compose(&show->face, show->state, show->scene, &show->messages, width, height);
    screen_show(&show->face.page);
    show->drawn_ns = clock_now_ns();
    show->changed = false;
}

/* The next key may mean something on the page that this one makes only. */
static void read_keys(struct show *show)
{
    struct top_state *state = show->state;
    for (uint32_t key; !state->quit && (key = screen_key()) != TOP_KEY_NONE;) {
        const enum top_list view = state->view;
        const uint64_t interval_ns = state->interval_ns;
        const bool paused = state->paused;
        if (!top_state_key(state, key, &show->face.grid, show->face.rows, &show->face.layout))
            continue;
        if (state->view != view && state->view == TOP_LIST_PARTS && !paused)
            look(show);
        if (state->interval_ns != interval_ns || (paused && !state->paused))
            show->next_look_ns = clock_now_ns();
        draw(show);
    }
}

static uint64_t wait_until_ns(const struct show *show)
{
    const uint64_t look_ns = show->state->paused ? UINT64_MAX : show->next_look_ns;
    const uint64_t draw_ns = show->changed ? show->drawn_ns + DRAW_INTERVAL_NS : UINT64_MAX;
    const uint64_t until_ns = look_ns < draw_ns ? look_ns : draw_ns;
    return until_ns < UINT64_MAX ? until_ns : clock_now_ns() + TOP_INTERVAL_MAX_NS;
}

static int run_screen(struct top_scene *scene, struct top_state *state)
{
    struct show show = {.scene = scene, .state = state, .next_look_ns = clock_now_ns()};
    const int code = screen_begin();
    if (code != EXIT_DONE)
        return code;
    while (!stop_requested() && !state->quit) {
        look_if_due(&show);
        if (show.changed && clock_now_ns() >= show.drawn_ns + DRAW_INTERVAL_NS)
            draw(&show);
        if (given.count > 0 && show.looks > given.count)
            break;
        screen_wait(wait_until_ns(&show));
        read_keys(&show);
    }
    screen_end();
    top_face_free(&show.face);
    top_messages_free(&show.messages);
    return EXIT_DONE;
}

/* ---- the command line ---- */

static int no_such_column(const struct top_columns *columns)
{
    char known[256] = "";
    size_t length = 0;
    for (size_t i = 0; i < columns->count; i++)
        if (top_kind_is_sorted(columns->columns[i].kind))
            length += (size_t)snprintf(known + length, sizeof(known) - length, " %s",
                                       columns->columns[i].key);
    return fail(EXIT_USAGE, "there is no column '%s' here; there are%s", given.sort, known);
}

static int apply_options(struct top_state *state)
{
    static const struct top_columns *const all[TOP_LISTS] = {
        &top_topics_columns, &top_clients_columns, &top_parts_columns};
    const struct top_columns *columns = all[state->view];
    struct top_choice *choice = top_state_choice(state);
    if (given.sort) {
        const int column = top_grid_column(columns->columns, columns->count, given.sort);
        if (column < 0 || !top_kind_is_sorted(columns->columns[column].kind))
            return no_such_column(columns);
        top_choice_sort(choice, columns->columns, column);
    }
    if (given.reverse)
        choice->descending = !choice->descending;
    if (given.filter)
        (void)snprintf(choice->filter, sizeof(choice->filter), "%s", given.filter);
    return EXIT_DONE;
}

static int check_options(void)
{
    if (given.once && given.count > 1)
        return fail(EXIT_USAGE, "--once and --count %llu contradict each other",
                    (unsigned long long)given.count);
    if (given.interval_ns < TOP_INTERVAL_MIN_NS || given.interval_ns > TOP_INTERVAL_MAX_NS)
        return fail(EXIT_USAGE, "an interval is 1ms to 1h");
    if (given.once) {
        given.batch = true;
        given.count = 1;
    }
    if (common.json && !given.batch)
        return fail(EXIT_USAGE, "--json goes with --batch or --once");
    return EXIT_DONE;
}

static int open_topic(struct top_scene *scene, struct top_state *state, const char *name)
{
    for (size_t i = 0; i < scene->now->topic_count; i++)
        if (strcmp(scene->now->topics[i].name, name) == 0) {
            top_state_open(state, scene->figures[i].id, name);
            return EXIT_DONE;
        }
    return fail(EXIT_NOT_FOUND, "there is no topic '%s' on %s; peal ls shows those there are", name,
                scene->watch.url);
}

static int top_with(struct top_scene *scene, char **operands, size_t count)
{
    struct top_state state;
    top_state_begin(&state, (enum top_list)given.view, given.interval_ns);
    const enum peal_status status = top_scene_look(scene);
    if (status != PEAL_OK)
        return watch_fail(&scene->watch, status);
    int code = count > 0 ? open_topic(scene, &state, operands[0]) : EXIT_DONE;
    if (code == EXIT_DONE)
        code = apply_options(&state);
    if (code != EXIT_DONE)
        return code;
    if (given.batch)
        return top_batch(scene, &state, given.count, common.json);
    return run_screen(scene, &state);
}

static int top_run(char **operands, size_t count)
{
    struct top_scene scene;
    const char *url;
    int code = check_options();
    if (code == EXIT_DONE)
        code = common_url(&url);
    if (code != EXIT_DONE)
        return code;
    top_scene_begin(&scene, url);
    code = top_with(&scene, operands, count);
    top_scene_free(&scene);
    return code;
}

static const struct option_entry options[] = {
    {.name = "interval",
     .letter = 'i',
     .value = "TIME",
     .help = "from look to look; default 1s",
     .read = option_duration,
     .to = &given.interval_ns},
    {.name = "sort",
     .letter = 's',
     .value = "COLUMN",
     .help = "order by topic, rate, bandwidth, lag, lost, dropped...",
     .read = option_text,
     .to = &given.sort},
    {.name = "reverse",
     .letter = 'r',
     .help = "the other way round",
     .read = option_switch,
     .to = &given.reverse},
    {.name = "filter",
     .letter = 'f',
     .value = "TEXT",
     .help = "only what has this text in it",
     .read = option_text,
     .to = &given.filter},
    {.name = "view",
     .value = "VIEW",
     .help = "what to begin with",
     .to = &given.view,
     .choices = "topics clients"},
    {.name = "batch",
     .help = "print look after look, without a terminal",
     .read = option_switch,
     .to = &given.batch},
    {.name = "count",
     .letter = 'n',
     .value = "N",
     .help = "end after N looks",
     .read = option_count,
     .to = &given.count},
    {.name = "once", .help = "as --batch --count 1", .read = option_switch, .to = &given.once},
    {0},
};

const struct command command_top = {
    .name = "top",
    .operands = "[TOPIC]",
    .summary = "a live screen of what happens on a bus",
    .details =
        "Shows each topic and queue with its rate, bandwidth, lag and losses, and looks again "
        "every second.\n"
        "Enter watches the marked topic and its messages, c shows the clients, / leaves out what "
        "is of no\n"
        "interest, p holds everything, ? explains all keys and columns, q ends. Looking takes "
        "nothing from\n"
        "anybody: the region is mapped read-only, and no publisher waits for it.\n\n"
        "    peal top --bus posix:vehicle\n"
        "    peal top wheel_speed                   one topic, and its messages as they come\n"
        "    peal top --once --sort rate --json     for scripts",
    .options = options,
    .operands_max = 1,
    .completes = COMPLETES_TOPIC,
    .has_json = true,
    .run = top_run,
};
