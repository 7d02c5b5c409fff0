/* SPDX-License-Identifier: Apache-2.0 */
/* Whole screens, of scenes that are made up: sound ones, and such as a hostile peer would make. */
#include "tools/peal/top/face.h"

#include "tools/peal/kit/units.h"
#include "tools/peal/top/text.h"

#include "tests/support/random.h"

#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define TOPICS 12
#define CLIENTS 3

/* Two looks, one second apart. */
struct stage {
    struct top_scene scene;
    struct top_state state;
    struct top_messages messages;
    struct top_face face;
    struct snapshot_topic topics[2][TOPICS];
    struct snapshot_publisher publishers[2][TOPICS];
    struct snapshot_subscriber subscribers[2][TOPICS][2];
    struct snapshot_client clients[2][CLIENTS];
};

static void fill_topic(struct stage *stage, unsigned look, unsigned at)
{
    struct snapshot_topic *topic = &stage->topics[look][at];
    struct snapshot_publisher *publisher = &stage->publishers[look][at];
    struct snapshot_subscriber *subscribers = stage->subscribers[look][at];
    (void)snprintf(topic->name, sizeof(topic->name), "topic.%c", 'a' + (int)at);
    (void)snprintf(topic->type_name, sizeof(topic->type_name), "type_%c", 'a' + (int)at);
    topic->seen.index = at;
    topic->publishers = publisher;
    topic->publisher_count = 1;
    topic->subscribers = subscribers;
    topic->subscriber_count = 2;
    (void)snprintf(publisher->name, sizeof(publisher->name), "source");
    publisher->seen.incarnation = 77;
    publisher->seen.published = 1000 + look * (10 + at);
    publisher->seen.depth = 64;
    publisher->seen.bytes_per_message = 1024;
    publisher->seen.message_bytes_max = 2048;
    for (unsigned i = 0; i < 2; i++) {
        (void)snprintf(subscribers[i].name, sizeof(subscribers[i].name), "sink%u", i);
        subscribers[i].seen.entry = i;
        subscribers[i].seen.lane = 0;
        subscribers[i].seen.cursor_known = true;
        subscribers[i].seen.reliable = i == 0;
        subscribers[i].seen.lag = i * 32;
        subscribers[i].seen.taken = 900 + look * 10;
        subscribers[i].seen.lost = i * 3;
    }
}

static void fill_look(struct stage *stage, unsigned look)
{
    struct snapshot *snapshot = &stage->scene.snapshots[look];
    snapshot->taken_ns = UINT64_C(1000000000) * (look + 100);
    snapshot->region.generation = 5;
    snapshot->region.region_bytes = 64 << 20;
    snapshot->region.pages = 16000;
    snapshot->region.pages_free = 8192;
    snapshot->region.members_known = true;
    snapshot->topics = stage->topics[look];
    snapshot->topic_count = TOPICS;
    snapshot->clients = stage->clients[look];
    snapshot->client_count = CLIENTS;
    for (unsigned i = 0; i < TOPICS; i++)
        fill_topic(stage, look, i);
    for (unsigned i = 0; i < CLIENTS; i++) {
        struct snapshot_client *client = &stage->clients[look][i];
        (void)snprintf(client->name, sizeof(client->name), "process%u", i);
        client->seen.index = i;
        client->seen.life = i == 1 ? PEAL_AUDIT_DEAD : PEAL_AUDIT_ALIVE;
        client->seen.incarnation = UINT64_C(0x123456789) + i;
        client->seen.attached_ns = UINT64_C(1000000000);
        client->seen.heartbeat_ns = UINT64_C(100500000000);
        client->seen.bells_rung = 100 + look * 50;
        client->seen.safety_net_finds = i;
    }
}

static struct stage *stage_begin(void)
{
    struct stage *stage = calloc(1, sizeof(*stage));
    assert_non_null(stage);
    fill_look(stage, 0);
    fill_look(stage, 1);
    stage->scene.watch.url = "posix:stage";
    stage->scene.before = &stage->scene.snapshots[0];
    stage->scene.now = &stage->scene.snapshots[1];
    stage->scene.status = PEAL_OK;
    stage->scene.now_ns = UINT64_C(3601000000000); /* an hour after they came */
    top_scene_reckon(&stage->scene);
    top_state_begin(&stage->state, TOP_LIST_TOPICS, UINT64_C(1000000000));
    return stage;
}

static void stage_end(struct stage *stage)
{
    top_face_free(&stage->face);
    top_messages_free(&stage->messages);
    top_history_free(&stage->scene.history);
    free(stage->scene.figures);
    free(stage);
}

static void compose(struct stage *stage, int width, int height)
{
    top_face_compose(&stage->face, &stage->state, &stage->scene, &stage->messages, width, height);
}

static const char *line(const struct stage *stage, int number)
{
    return stage->face.page.lines[number].text;
}

static bool has(const struct stage *stage, const char *text)
{
    for (int i = 0; i < stage->face.page.height; i++)
        if (strstr(line(stage, i), text))
            return true;
    return false;
}

static char *squeezed(const char *text)
{
    static char to[32];
    size_t length = 0;
    for (; *text != 0; text++)
        if (*text != ' ')
            to[length++] = *text;
    to[length] = 0;
    return to;
}

static void topics_are_on_the_screen_with_their_figures(void **state)
{
    (void)state;
    struct stage *stage = stage_begin();
    compose(stage, 80, 24);
    assert_non_null(strstr(line(stage, 0), "peal top  posix:stage  12 topics 3 clients"));
    assert_non_null(strstr(line(stage, 0), "free 32.0 MiB/64.0 MiB"));
    assert_non_null(strstr(line(stage, 1), "186/s  186 KiB/s  lost 36  dropped 0  every 1"));
    assert_string_equal(
        line(stage, 2),
        "TOPIC        KIND  PUB SUB    RATE   BYTES/S   LAG  LOST  DROP HISTORY   ");
    char row[128];
    struct units_text rate, bytes;
    units_rate(&rate, 11);
    (void)snprintf(row, sizeof(row),
                   "topic.b      topic   1   2 %7s %9s    32     3     0          \xe2\x96\x88",
                   rate.text, squeezed(units_bandwidth(&bytes, 11 * 1024)));
    assert_string_equal(line(stage, 4), row);
    assert_string_equal(line(stage, 15), "");
    assert_non_null(strstr(line(stage, 23), "q quit  ? help"));
    compose(stage, 120, 24);
    assert_true(has(stage, "LAG OF EACH"));
    assert_true(has(stage, " 0 32 "));
    stage_end(stage);
}

static void clients_are_on_the_screen_with_their_figures(void **state)
{
    (void)state;
    struct stage *stage = stage_begin();
    stage->state.view = TOP_LIST_CLIENTS;
    compose(stage, 80, 24);
    assert_string_equal(line(stage, 2),
                        " # CLIENT       LIFE         AGE    BEAT  RUNG SUPPR SLEEPS "
                        "FINDS RECOV   RINGS");
    assert_non_null(
        strstr(line(stage, 4),
               " 1 process1     dead      1h0min   500ms   150     0      0     1     0 "));
    stage_end(stage);
}

static void the_screen_scrolls_with_the_mark(void **state)
{
    (void)state;
    struct stage *stage = stage_begin();
    compose(stage, 60, 10);
    assert_string_equal(line(stage, 9) + 0,
                        "q quit  ? help  Enter watch  c clients  s sort  S reverse");
    assert_true(has(stage, "topic.f") && !has(stage, "topic.g"));
    (void)top_state_key(&stage->state, TOP_KEY_END, &stage->face.grid, stage->face.rows,
                        &stage->face.layout);
    compose(stage, 60, 10);
    assert_true(has(stage, "topic.l") && !has(stage, "topic.a"));
    assert_true(stage->face.page.lines[8].style & TOP_REVERSE);
    stage_end(stage);
}

static void one_topic_is_shown_with_who_takes_part(void **state)
{
    (void)state;
    struct stage *stage = stage_begin();
    top_state_open(&stage->state, stage->scene.figures[1].id, "topic.b");
    compose(stage, 80, 24);
    assert_string_equal(line(stage, 2), "topic topic.b  type type_b");
    assert_true(has(stage, "pub  source "));
    assert_true(has(stage, "sub  sink1 "));
    assert_non_null(strstr(line(stage, 4), "pub  source"));
    assert_non_null(strstr(line(stage, 4), "  32 ")); /* that of who is farthest behind */
    assert_true(has(stage, "best effort"));
    assert_true(has(stage, "there are none yet"));
    stage->topics[1][1].seen.is_queue = true;
    compose(stage, 80, 24);
    assert_true(has(stage, "for one reader only"));
    (void)snprintf(stage->topics[1][1].name, SNAPSHOT_NAME_BYTES, "another");
    top_scene_reckon(&stage->scene);
    compose(stage, 80, 24);
    assert_true(has(stage, "it is not there now"));
    stage_end(stage);
}

static void trouble_is_told_in_place_of_figures(void **state)
{
    (void)state;
    struct stage *stage = stage_begin();
    stage->scene.snapshots[1].topic_count = 0;
    stage->scene.snapshots[1].client_count = 0;
    stage->scene.status = PEAL_ENOENT;
    top_scene_reckon(&stage->scene);
    for (int height = 1; height < 24; height++) {
        compose(stage, 80, height);
        assert_true(has(stage, "there is no region"));
    }
    stage_end(stage);
}

static void messages_are_shown_as_text_or_hex(void **state)
{
    (void)state;
    struct stage *stage = stage_begin();
    const unsigned char bytes[] = {0, 1, 2, 0xff, 'A'};
    struct top_message *kept = calloc(TOP_MESSAGES_KEPT, sizeof(*kept));
    assert_non_null(kept);
    stage->messages.kept = kept;
    stage->messages.topic_id = stage->scene.figures[0].id;
    stage->messages.count = 2;
    (void)snprintf((char *)kept[0].kept, TOP_MESSAGE_KEPT_BYTES, "hello\tworld\033[2J");
    kept[0].kept_bytes = kept[0].size_bytes = 15;
    memcpy(kept[1].kept, bytes, sizeof(bytes));
    kept[1].kept_bytes = kept[1].size_bytes = sizeof(bytes);
    kept[1].number = 8;
    top_state_open(&stage->state, stage->scene.figures[0].id, "topic.a");
    compose(stage, 80, 24);
    assert_non_null(strstr(line(stage, 8), "#8 5 B"));
    assert_non_null(strstr(line(stage, 9), "  0000  00 01 02 ff 41 "));
    assert_non_null(strstr(line(stage, 9), "|....A|"));
    assert_true(has(stage, "|hello.world.[2J|"));
    stage->state.dump = TOP_DUMP_TEXT;
    compose(stage, 80, 24);
    assert_true(has(stage, "hello\\tworld\\"));
    assert_false(has(stage, "|hello"));
    kept[0].kept_bytes = kept[0].size_bytes = 5;
    stage->state.dump = TOP_DUMP_AUTO;
    compose(stage, 80, 24);
    assert_true(has(stage, "5 B hello"));
    stage->state.scrolled = 1000; /* farther than there is anything */
    compose(stage, 80, 24);
    compose(stage, 80, 24);
    assert_int_equal(stage->state.scrolled, 2);
    assert_true(has(stage, "5 B hello") && !has(stage, "#8 5 B"));
    stage_end(stage);
}

/* ---- whatever there is to be shown ---- */

static void spoil(uint64_t *seed, void *bytes, size_t size)
{
    static const uint64_t odd[] = {0, 1, UINT64_MAX, UINT64_C(1) << 63, UINT32_MAX, 1000000007};
    unsigned char *at = bytes;
    for (size_t i = 0; i + 8 <= size; i += 8) {
        const uint64_t word =
            random_below(seed, 2) ? random_next(seed) : odd[random_below(seed, 6)];
        memcpy(at + i, &word, 8);
    }
}

static void spoil_name(uint64_t *seed, char *name)
{
    static const char *const names[] = {"", "漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字",
                                        "a\u0301\u0301", "\xf0\x9f\x94\x94 bell",
                                        "very.long.name.of.a.topic.that.goes.on"};
    (void)snprintf(name, SNAPSHOT_NAME_BYTES, "%s", names[random_below(seed, 5)]);
}

/* Booleans and enumerations are what the observer made of the region: those it writes itself. */
static void spoil_stage(struct stage *stage, uint64_t *seed)
{
    struct snapshot *now = &stage->scene.snapshots[1];
    now->region.pages_free = (uint32_t)random_next(seed);
    spoil(seed, &now->region.region_bytes, 8);
    for (unsigned i = 0; i < TOPICS; i++) {
        struct peal_observer_publisher *publisher = &stage->publishers[1][i].seen;
        spoil(seed, &publisher->published, 24);
        spoil(seed, &publisher->newest_ns, 32);
        spoil(seed, &publisher->depth, 8);
        publisher->bytes_per_message = (double)random_next(seed);
        publisher->is_spoilt = random_below(seed, 4) == 0;
        stage->topics[1][i].seen.is_queue = random_below(seed, 2);
        spoil(seed, &stage->topics[1][i].seen.ended_pushed, 32);
        spoil_name(seed, stage->topics[1][i].name);
        for (unsigned j = 0; j < 2; j++)
            spoil(seed, &stage->subscribers[1][i][j].seen.cursor, 40);
    }
    for (unsigned i = 0; i < CLIENTS; i++) {
        spoil(seed, &stage->clients[1][i].seen.incarnation, 88);
        spoil_name(seed, stage->clients[1][i].name);
    }
}

static void assert_page_is_sound(const struct top_page *page, int width, int height)
{
    assert_int_equal(page->height, height);
    for (int i = 0; i < height; i++) {
        const struct top_line *of = &page->lines[i];
        assert_true(of->columns <= width);
        assert_int_equal(top_text_columns(of->text), of->columns);
        for (const char *at = of->text; *at != '\0'; at += top_glyph_at(at).bytes)
            assert_true(top_glyph_at(at).known);
    }
}

static void no_scene_and_no_size_and_no_key_spoils_the_screen(void **state)
{
    uint64_t seed = random_seed();
    (void)state;
    for (int round = 0; round < 60; round++) {
        struct stage *stage = stage_begin();
        spoil_stage(stage, &seed);
        top_scene_reckon(&stage->scene);
        for (int step = 0; step < 60; step++) {
            const int width = 1 + (int)random_below(&seed, random_below(&seed, 4) ? 100 : 700);
            const int height = 1 + (int)random_below(&seed, 50);
            const uint32_t key = random_below(&seed, 2) ? random_below(&seed, 128)
                                                        : TOP_KEY_UP + random_below(&seed, 12);
            compose(stage, width, height);
            assert_page_is_sound(&stage->face.page, width, height);
            (void)top_state_key(&stage->state, key, &stage->face.grid, stage->face.rows,
                                &stage->face.layout);
        }
        stage_end(stage);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(topics_are_on_the_screen_with_their_figures),
        cmocka_unit_test(clients_are_on_the_screen_with_their_figures),
        cmocka_unit_test(the_screen_scrolls_with_the_mark),
        cmocka_unit_test(one_topic_is_shown_with_who_takes_part),
        cmocka_unit_test(trouble_is_told_in_place_of_figures),
        cmocka_unit_test(messages_are_shown_as_text_or_hex),
        cmocka_unit_test(no_scene_and_no_size_and_no_key_spoils_the_screen),
    };
    if (!setlocale(LC_ALL, "C.UTF-8"))
        return 77;
    (void)setlocale(LC_NUMERIC, "C");
    return cmocka_run_group_tests(tests, NULL, NULL);
}
