/* SPDX-License-Identifier: Apache-2.0 */
/* Who stands in a listing, in which order, in which colour; and that any figure is printed. */
#include "tools/peal/list/people.h"

#include "tests/support/random.h"
#include "tests/unit/tools/peal/capture.h"
#include "tools/peal/kit/stop.h"
#include "tools/peal/list/listing_json.h"
#include "tools/peal/list/region_details.h"
#include "tools/peal/list/topic_details.h"
#include "tools/peal/list/topic_table.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define PEOPLE_MAX 6

static struct looks looks;
static struct snapshot before;
static struct snapshot_topic topics[3];
static struct snapshot_publisher publishers[3][PEOPLE_MAX];
static struct snapshot_subscriber subscribers[3][PEOPLE_MAX];
static struct snapshot_client clients[PEOPLE_MAX];

/* Three topics of nobody: "b", "a" and again "b". */
static int set_up(void **state)
{
    static const char *const names[] = {"b", "a", "b"};
    (void)state;
    memset(topics, 0, sizeof(topics));
    looks = (struct looks){.watch = {.url = "posix:t"},
                           .now = {.taken_ns = 2 * NS_PER_S,
                                   .region = {.members_known = true, .members = 1},
                                   .topics = topics,
                                   .topic_count = 3}};
    for (uint32_t i = 0; i < 3; i++) {
        (void)snprintf(topics[i].name, sizeof(topics[i].name), "%s", names[i]);
        topics[i].seen.index = i;
        topics[i].publishers = publishers[i];
        topics[i].subscribers = subscribers[i];
    }
    return 0;
}

static struct peal_observer_publisher *publisher(struct snapshot_topic *topic, uint32_t lane)
{
    struct snapshot_publisher *to = &topic->publishers[topic->publisher_count++];
    memset(to, 0, sizeof(*to));
    to->seen =
        (struct peal_observer_publisher){.lane = lane, .depth = 16, .life = PEAL_AUDIT_ALIVE};
    return &to->seen;
}

static struct peal_observer_subscriber *line(struct snapshot_topic *topic, uint32_t entry,
                                             uint32_t lane)
{
    struct snapshot_subscriber *to = &topic->subscribers[topic->subscriber_count++];
    memset(to, 0, sizeof(*to));
    to->seen =
        (struct peal_observer_subscriber){.entry = entry, .lane = lane, .life = PEAL_AUDIT_ALIVE};
    return &to->seen;
}

static void topics_come_by_name_and_then_by_place(void **state)
{
    const struct patterns all = {0};
    size_t count;
    (void)state;
    const struct snapshot_topic **meant = topics_meant(&looks.now, &all, &count);
    assert_int_equal(count, 3);
    assert_ptr_equal(meant[0], &topics[1]);
    assert_ptr_equal(meant[1], &topics[0]);
    assert_ptr_equal(meant[2], &topics[2]);
    free(meant);
    char b[] = "b";
    char *const texts[] = {b};
    meant = topics_meant(&looks.now, &(struct patterns){.texts = texts, .count = 1}, &count);
    assert_int_equal(count, 2);
    assert_ptr_equal(meant[0], &topics[0]);
    free(meant);
}

static void a_subscriber_of_several_lanes_stands_once(void **state)
{
    struct taker taker;
    size_t at = 0;
    (void)state;
    publisher(&topics[0], 0);
    publisher(&topics[0], 1)->depth = 64;
    line(&topics[0], 0, 0)->taken = 10;
    line(&topics[0], 0, 1)->taken = 20;
    line(&topics[0], 3, 1)->lost = 5;
    subscribers[0][0].seen.lag = 2;
    subscribers[0][1].seen.lag = 7;
    assert_true(taker_next(&looks, &topics[0], &at, &taker));
    assert_ptr_equal(taker.lines, &subscribers[0][0]);
    assert_int_equal(taker.line_count, 2);
    assert_int_equal(taker.taken, 30);
    assert_int_equal(taker.lag_max, 7);
    assert_int_equal(taker.lag_depth, 64);
    assert_true(taker_next(&looks, &topics[0], &at, &taker));
    assert_int_equal(taker.lines->seen.entry, 3);
    assert_int_equal(taker.lost, 5);
    assert_false(taker_next(&looks, &topics[0], &at, &taker));
}

static void lanes_are_found_by_number(void **state)
{
    (void)state;
    publisher(&topics[0], 4)->depth = 32;
    publisher(&topics[0], 9)->is_spoilt = true;
    assert_int_equal(lane_depth(&topics[0], 4), 32);
    assert_int_equal(lane_depth(&topics[0], 0), 0);
    assert_int_equal(lane_depth(&topics[0], UINT32_MAX), 0);
    assert_int_equal(topic_spoilt_lanes(&topics[0]), 1);
}

static void a_topic_is_dim_when_all_have_died(void **state)
{
    (void)state;
    assert_int_equal(paint_topic(&topics[0]), PAINT_NONE);
    publisher(&topics[0], 0)->life = PEAL_AUDIT_DEAD;
    assert_int_equal(paint_topic(&topics[0]), PAINT_DIM);
    line(&topics[0], 0, 0)->life = PEAL_AUDIT_UNKNOWN;
    assert_int_equal(paint_topic(&topics[0]), PAINT_NONE);
    subscribers[0][0].seen.life = PEAL_AUDIT_DEAD;
    assert_int_equal(paint_topic(&topics[0]), PAINT_DIM);
    assert_int_equal(paint_life(PEAL_AUDIT_UNKNOWN), PAINT_NONE);
}

static void losses_are_red_and_lags_yellow_unless_dim(void **state)
{
    (void)state;
    assert_int_equal(paint_losses(PAINT_NONE, 0), PAINT_NONE);
    assert_int_equal(paint_losses(PAINT_NONE, 1), PAINT_RED);
    assert_int_equal(paint_losses(PAINT_DIM, 1), PAINT_DIM);
    assert_int_equal(paint_lag(PAINT_NONE, 11, 16), PAINT_NONE);
    assert_int_equal(paint_lag(PAINT_NONE, 12, 16), PAINT_YELLOW);
    assert_int_equal(paint_lag(PAINT_DIM, 12, 16), PAINT_DIM);
}

/* ---- any figure ---- */

static uint64_t any(uint64_t *seed)
{
    static const uint64_t edges[] = {0, 1, UINT32_MAX, UINT64_MAX, UINT64_MAX / 2 + 1};
    return random_below(seed, 2) ? edges[random_below(seed, 5)] : random_next(seed);
}

static enum peal_audit_life any_life(uint64_t *seed)
{
    return (enum peal_audit_life)random_below(seed, 4);
}

static void make_any_people(struct snapshot_topic *topic, uint64_t *seed)
{
    topic->publisher_count = 0;
    topic->subscriber_count = 0;
    topic->seen.is_queue = random_below(seed, 2);
    topic->seen.message_bytes_max = (uint32_t)any(seed);
    for (uint32_t i = 0; i < PEOPLE_MAX; i++) {
        *publisher(topic, i) =
            (struct peal_observer_publisher){.lane = i,
                                             .life = any_life(seed),
                                             .client = (uint32_t)any(seed),
                                             .has_ended = random_below(seed, 2),
                                             .is_spoilt = random_below(seed, 2),
                                             .published = any(seed),
                                             .dropped = any(seed),
                                             .dropped_oldest = any(seed),
                                             .lost = any(seed),
                                             .pending = any(seed),
                                             .newest_ns = any(seed),
                                             .lane_bytes = any(seed),
                                             .incarnation = any(seed),
                                             .depth = (uint32_t)any(seed),
                                             .bytes_per_message = random_below(seed, 1000)};
        *line(topic, i / 2, i) =
            (struct peal_observer_subscriber){.entry = i / 2,
                                              .lane = random_below(seed, 4) ? i : UINT32_MAX,
                                              .life = any_life(seed),
                                              .client = (uint32_t)any(seed),
                                              .cursor = any(seed),
                                              .lag = any(seed),
                                              .taken = any(seed),
                                              .lost = any(seed),
                                              .redelivered = any(seed),
                                              .held = (uint32_t)any(seed),
                                              .is_remains = random_below(seed, 2),
                                              .cursor_known = random_below(seed, 2)};
    }
}

static void make_any_clients(uint64_t *seed)
{
    looks.now.clients = clients;
    looks.now.client_count = PEOPLE_MAX;
    for (uint32_t i = 0; i < PEOPLE_MAX; i++)
        clients[i] = (struct snapshot_client){.seen = {.index = i,
                                                       .life = any_life(seed),
                                                       .attached_ns = any(seed),
                                                       .heartbeat_ns = any(seed),
                                                       .bells_rung = any(seed),
                                                       .bells_suppressed = any(seed),
                                                       .sleeps = any(seed),
                                                       .wakes = any(seed),
                                                       .spurious_wakes = any(seed),
                                                       .safety_net_finds = any(seed),
                                                       .recovered_clients = any(seed),
                                                       .corruptions = any(seed)}};
    looks.now.region.members = any(seed);
    looks.now.region.armed = any(seed);
    looks.now.region.pages = (uint32_t)any(seed);
    looks.now.region.pages_free = (uint32_t)any(seed);
    looks.now.region.region_bytes = any(seed);
    looks.now.region.members_known = random_below(seed, 2);
}

static void assert_no_nonsense(const char *said)
{
    assert_true(strlen(said) > 100);
    assert_null(strstr(said, "nan"));
    assert_null(strstr(said, "inf"));
}

static void whatever_the_figures_they_are_printed(void **state)
{
    const struct patterns all = {0};
    uint64_t seed = random_seed();
    json_error_t error;
    (void)state;
    before = looks.now;
    for (int round = 0; round < 300; round++) {
        for (int i = 0; i < 3; i++)
            make_any_people(&topics[i], &seed);
        make_any_clients(&seed);
        before.topic_count = random_below(&seed, 4);
        before.taken_ns = random_below(&seed, 2) ? NS_PER_S : any(&seed);
        looks.before = random_below(&seed, 2) ? &before : NULL;
        capture_begin(STDOUT_FILENO);
        topic_table_print(&looks, &all, true);
        topic_details_print(&looks, &topics[0]);
        region_details_print(&looks.now, "posix:t");
        assert_no_nonsense(capture_end());
        capture_begin(STDOUT_FILENO);
        print_json_line(json_pack("[o, o, o]", topics_json(&looks, &all, true),
                                  clients_json(&looks.now), region_json(&looks)));
        json_t *value = json_loads(capture_end(), 0, &error);
        assert_non_null(value);
        assert_int_equal(json_array_size(json_array_get(value, 0)), 3);
        json_decref(value);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup(name, set_up)
        TEST(topics_come_by_name_and_then_by_place),
        TEST(a_subscriber_of_several_lanes_stands_once),
        TEST(lanes_are_found_by_number),
        TEST(a_topic_is_dim_when_all_have_died),
        TEST(losses_are_red_and_lags_yellow_unless_dim),
        TEST(whatever_the_figures_they_are_printed),
#undef TEST
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
