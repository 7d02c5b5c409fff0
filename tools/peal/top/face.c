/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/peal/top/face.h"

#include "tools/peal/kit/units.h"
#include "tools/peal/top/help.h"
#include "tools/peal/top/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

void top_face_free(struct top_face *face)
{
    top_page_free(&face->page);
    top_grid_free(&face->grid);
}

bool top_face_fill(struct top_grid *grid, const struct top_state *state,
                   const struct top_scene *scene)
{
    const struct top_choice *choice = &state->choices[state->view];
    if (state->view == TOP_LIST_TOPICS) {
        top_topics_fill(grid, scene);
    } else if (state->view == TOP_LIST_CLIENTS) {
        top_clients_fill(grid, scene);
    } else {
        const int at = top_scene_find(scene, state->topic_id);
        top_grid_begin(grid, top_parts_columns.columns, top_parts_columns.count);
        if (at < 0)
            return false;
        top_parts_fill(grid, scene, (size_t)at);
    }
    top_grid_arrange(grid, choice->filter, choice->sort, choice->descending);
    return true;
}

/* ---- heading ---- */

static const char *plural(uint64_t count)
{
    return count == 1 ? "" : "s";
}

static void put_clock(struct top_page *page, const struct top_scene *scene, unsigned style)
{
    struct units_text text;
    const char *clock = units_time(&text, scene->now_ns);
    clock = strlen(clock) > 11 ? clock + 11 : "";
    const int column = page->width - (int)strlen(clock);
    if (page->lines[page->next].columns + 2 > column)
        return;
    top_page_tab(page, style, column);
    top_page_put(page, style, clock);
}

static void put_bus_line(struct top_page *page, const struct top_scene *scene)
{
    const unsigned style = TOP_REVERSE;
    const struct peal_observer_region *region = &scene->now->region;
    const struct top_totals *totals = &scene->totals;
    struct units_text free_text, all_text;
    top_page_print(page, style | TOP_STRONG, "peal top  %s", scene->watch.url);
    if (scene->status == PEAL_OK) {
        top_page_print(page, style, "  %zu topic%s", totals->topics, plural(totals->topics));
        if (totals->queues > 0)
            top_page_print(page, style, " %zu queue%s", totals->queues, plural(totals->queues));
        top_page_print(page, style, " %zu client%s", totals->clients, plural(totals->clients));
        const uint64_t free_bytes = (uint64_t)region->pages_free * SNAPSHOT_PAGE_BYTES;
        char memory[96];
        (void)snprintf(memory, sizeof(memory), "  free %s/%s", units_bytes(&free_text, free_bytes),
                       units_bytes(&all_text, region->region_bytes));
        if (page->lines[page->next].columns + (int)strlen(memory) <= page->width)
            top_page_put(page, style, memory);
    }
    put_clock(page, scene, style);
    top_page_end_line(page, style);
}

static void put_totals_line(struct top_page *page, struct top_state *state,
                            const struct top_scene *scene)
{
    const struct top_totals *totals = &scene->totals;
    const struct top_choice *choice = top_state_choice(state);
    struct units_text text;
    if (scene->status != PEAL_OK) {
        top_page_put(page, PAINT_RED | TOP_STRONG, top_scene_trouble(scene));
        top_page_end_line(page, 0);
        return;
    }
    if (state->paused)
        top_page_put(page, PAINT_YELLOW | TOP_STRONG, "PAUSED  ");
    top_page_print(page, PAINT_GREEN, "%s", units_rate(&text, totals->published_hz));
    top_page_print(page, 0, "  %s", units_bandwidth(&text, totals->bytes_per_s));
    top_page_print(page, totals->lost > 0 ? PAINT_YELLOW : 0, "  lost %s",
                   units_count(&text, totals->lost));
    top_page_print(page, totals->dropped > 0 ? PAINT_YELLOW : 0, "  dropped %s",
                   units_count(&text, totals->dropped));
    top_page_print(page, PAINT_DIM, "  every %s", units_duration(&text, state->interval_ns));
    if (choice->filter[0] != '\0')
        top_page_print(page, PAINT_YELLOW, "  filter: %s", choice->filter);
    top_page_end_line(page, 0);
}

/* ---- the list ---- */

static void put_titles(struct top_face *face, const struct top_choice *choice)
{
    struct top_page *page = &face->page;
    char text[4 * 512 + 1];
    bool first = true;
    for (size_t i = 0; i < face->grid.column_count; i++) {
        const int width = face->layout.widths[i] < 512 ? face->layout.widths[i] : 512;
        if (width <= 0)
            continue;
        top_page_put(page, TOP_REVERSE | TOP_STRONG, first ? "" : " ");
        top_title_write(text, sizeof(text), &face->grid.columns[i], width);
        const bool sorted = (int)i == choice->sort;
        top_page_put(page, TOP_REVERSE | (sorted ? TOP_STRONG | PAINT_YELLOW : PAINT_NONE), text);
        first = false;
    }
    top_page_end_line(page, TOP_REVERSE);
}

static void put_row(struct top_face *face, const struct top_row *row, bool marked)
{
    struct top_page *page = &face->page;
    const unsigned mark = marked ? TOP_REVERSE : 0;
    char text[4 * 512 + 1];
    bool first = true;
    for (size_t i = 0; i < face->grid.column_count; i++) {
        const int width = face->layout.widths[i] < 512 ? face->layout.widths[i] : 512;
        if (width <= 0)
            continue;
        top_page_put(page, mark, first ? "" : " ");
        top_cell_write(text, sizeof(text), &face->grid.columns[i], &row->values[i], width);
        top_page_put(page, mark | (unsigned)row->values[i].paint, text);
        first = false;
    }
    top_page_end_line(page, mark);
}

static void put_list(struct top_face *face, struct top_state *state, int rows)
{
    struct top_choice *choice = top_state_choice(state);
    const int count = (int)face->grid.shown_count;
    face->rows = rows;
    top_choice_follow(choice, &face->grid, rows);
    for (int i = choice->first; i < count && i < choice->first + rows; i++)
        put_row(face, &face->grid.rows[i], i == choice->at);
}

static const char *empty_text(const struct top_state *state, const struct top_grid *grid)
{
    if (grid->row_count > 0)
        return "the filter leaves nothing: Esc clears it";
    if (state->view == TOP_LIST_TOPICS)
        return "there are no topics yet";
    return state->view == TOP_LIST_CLIENTS ? "there are no clients" : "nobody takes part";
}

static void put_empty(struct top_face *face, const struct top_state *state)
{
    if (face->grid.shown_count > 0)
        return;
    top_page_put(&face->page, PAINT_DIM, empty_text(state, &face->grid));
    top_page_end_line(&face->page, 0);
}

/* ---- one topic ---- */

static void put_topic_line(struct top_page *page, const struct top_state *state,
                           const struct snapshot_topic *topic)
{
    top_page_print(page, TOP_STRONG, "%s %s", topic && topic->seen.is_queue ? "queue" : "topic",
                   state->topic_name);
    if (topic && topic->type_name[0] != '\0')
        top_page_print(page, 0, "  type %s", topic->type_name);
    if (topic && topic->seen.is_queue)
        top_page_print(page, 0, "  %s%s", topic->seen.strict ? "strict order" : "a lane each",
                       topic->seen.drops_held ? ", drops what dead ones held" : "");
    top_page_end_line(page, 0);
}

static void put_messages(struct top_page *page, struct top_state *state,
                         const struct snapshot_topic *topic, const struct top_messages *messages)
{
    static const char *const dumps[] = {"text or hex", "text", "hex"};
    struct units_text text;
    top_page_put(page, TOP_REVERSE, "MESSAGES, the newest first");
    if (messages->passed_by > 0)
        top_page_print(page, TOP_REVERSE, "  (%s passed by too fast to be shown)",
                       units_count(&text, messages->passed_by));
    top_page_print(page, TOP_REVERSE, "  x: %s", dumps[state->dump]);
    top_page_end_line(page, TOP_REVERSE);
    if (topic->seen.is_queue)
        top_page_put(page, PAINT_DIM,
                     "Messages of a queue are for one reader only: they cannot be looked at.");
    else if (messages->count == 0 || messages->topic_id != state->topic_id)
        top_page_put(page, PAINT_DIM, "there are none yet");
    else
        top_messages_draw(page, messages, state->dump, &state->scrolled);
    top_page_end_line(page, 0);
}

static void put_topic(struct top_face *face, struct top_state *state, const struct top_scene *scene,
                      const struct top_messages *messages, int height)
{
    const int at = top_scene_find(scene, state->topic_id);
    const struct snapshot_topic *topic = at < 0 ? NULL : &scene->now->topics[at];
    struct top_page *page = &face->page;
    if (height > 6)
        put_topic_line(page, state, topic);
    if (!topic) {
        top_page_put(page, PAINT_YELLOW, "it is not there now; Esc goes back to the topics");
        top_page_end_line(page, 0);
        return;
    }
    put_titles(face, top_state_choice(state));
    /* What is left is shared by two; the messages get what the list does not need. */
    const int half = top_page_left(page) / 2;
    const int count = (int)face->grid.shown_count;
    put_list(face, state, count < half ? (count > 0 ? count : 1) : half > 0 ? half : 1);
    put_empty(face, state);
    put_messages(page, state, topic, messages);
}

/* ---- foot ---- */

/* What the keys do: the first ones that have room. */
static void put_hints(struct top_page *page, enum top_list view)
{
    static const char *const hints[TOP_LISTS][12] = {
        {"q quit", "? help", "Enter watch", "c clients", "s sort", "S reverse", "/ filter",
         "p pause", "+ - interval", NULL},
        {"q quit", "? help", "t topics", "s sort", "S reverse", "/ filter", "p pause",
         "+ - interval", NULL},
        {"q quit", "? help", "Esc back", "x text/hex", "PgUp PgDn messages", "p pause", "s sort",
         "/ filter", NULL},
    };
    int used = 0;
    for (size_t i = 0; hints[view][i]; i++) {
        used += (int)strlen(hints[view][i]) + (i > 0 ? 2 : 0);
        if (used > page->width)
            break;
        top_page_print(page, PAINT_DIM, "%s%s", i > 0 ? "  " : "", hints[view][i]);
    }
}

static void put_foot(struct top_page *page, struct top_state *state)
{
    if (state->editing) {
        top_page_print(page, TOP_STRONG, "filter: %s", top_state_choice(state)->filter);
        top_page_put(page, TOP_REVERSE, " ");
        top_page_put(page, PAINT_DIM, "  Enter keeps it, Esc clears it");
    } else if (state->help) {
        top_page_put(page, PAINT_DIM, "Any key leaves this page.");
    } else {
        put_hints(page, state->view);
    }
    top_page_end_line(page, 0);
}

void top_face_compose(struct top_face *face, struct top_state *state, const struct top_scene *scene,
                      const struct top_messages *messages, int width, int height)
{
    struct top_page *page = &face->page;
    const int sort = top_state_choice(state)->sort;
    top_page_begin(page, width, height);
    (void)top_face_fill(&face->grid, state, scene);
    face->layout = top_grid_layout(&face->grid, page->width, sort);
    const bool has_foot = page->height >= 5 || state->editing;
    page->height -= has_foot && page->height > 1 ? 1 : 0;
    if (page->height >= 2)
        put_bus_line(page, scene);
    if (page->height >= 4 || scene->status != PEAL_OK)
        put_totals_line(page, state, scene);
    if (state->help) {
        top_help_draw(page);
    } else if (state->view == TOP_LIST_PARTS) {
        put_topic(face, state, scene, messages, height);
    } else {
        if (page->height >= 3)
            put_titles(face, top_state_choice(state));
        put_list(face, state, top_page_left(page));
        put_empty(face, state);
    }
    if (has_foot && height > 1) {
        page->height = height;
        page->next = height - 1;
        put_foot(page, state);
    }
}
