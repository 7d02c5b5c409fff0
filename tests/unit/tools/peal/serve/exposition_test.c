/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/peal/serve/exposition.h"

#include "tools/peal/serve/bus_json.h"
#include "tools/peal/serve/metric.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* A bus that was looked at, made by hand: two topics and a queue, with figures that only a liar has. */
struct fixture {
    struct snapshot_client clients[1];
    struct snapshot_publisher publishers[3];
    struct snapshot_subscriber subscribers[3];
    struct snapshot_topic topics[3];
    struct scene_bus bus;
    struct scene_bus *buses[1];
    struct scene scene;
    char *text;
    size_t text_bytes;
};

static void set_topic(struct snapshot_topic *topic, uint32_t index, const char *name)
{
    topic->seen.index = index;
    topic->seen.name = topic->name;
    topic->seen.type_name = topic->type_name;
    (void)strcpy(topic->name, name);
}

static void fill(struct fixture *f)
{
    set_topic(&f->topics[0], 0, "a\"b\\c");
    f->topics[0].publishers = &f->publishers[0];
    f->topics[0].publisher_count = 1;
    f->topics[0].subscribers = f->subscribers;
    f->topics[0].subscriber_count = 3;
    f->publishers[0].seen.published = UINT64_MAX;
    f->publishers[0].seen.newest_ns = UINT64_MAX;
    f->publishers[0].seen.lane = 4;
    (void)strcpy(f->publishers[0].name, "p");
    /* One reads two lanes, of which one has gone; the other none. */
    f->subscribers[0].seen = (struct peal_observer_subscriber){
        .entry = 1, .lane = 4, .cursor_known = true, .lag = 7, .taken = 3};
    f->subscribers[1].seen = (struct peal_observer_subscriber){.entry = 1, .lane = 5, .lost = 9};
    f->subscribers[2].seen = (struct peal_observer_subscriber){.entry = 2, .lane = UINT32_MAX};
    set_topic(&f->topics[1], 1, "jobs");
    f->topics[1].seen.is_queue = true;
    f->topics[1].seen.ended_pushed = 100;
    f->topics[1].seen.ended_dropped_oldest = UINT64_MAX;
    f->topics[1].publishers = &f->publishers[1];
    f->topics[1].publisher_count = 2;
    f->publishers[1].seen = (struct peal_observer_publisher){
        .published = 11, .dropped_oldest = 5, .pending = 2, .life = PEAL_AUDIT_ALIVE};
    f->publishers[2].seen = (struct peal_observer_publisher){.lane = 1, .is_spoilt = true};
    set_topic(&f->topics[2], 2, "jobs"); /* no honest directory has a name twice */
    (void)strcpy(f->clients[0].name, "c");
    f->clients[0].seen = (struct peal_observer_client){
        .index = 3, .life = PEAL_AUDIT_ALIVE, .heartbeat_ns = UINT64_MAX, .wakes = 12};
}

static int set_up(void **state)
{
    static struct fixture fixture;
    struct fixture *f = &fixture;
    free(f->text);
    *f = (struct fixture){0};
    fill(f);
    f->bus.url = (char *)(uintptr_t) "posix:x";
    f->bus.now.region.members_known = true;
    f->bus.now.region.armed = 8;
    f->bus.now.region.members = 9;
    f->bus.now.clients = f->clients;
    f->bus.now.client_count = 1;
    f->bus.now.topics = f->topics;
    f->bus.now.topic_count = 3;
    f->buses[0] = &f->bus;
    f->scene = (struct scene){.url = "posix:x", .buses = f->buses, .count = 1};
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    free(f->text);
    f->text = NULL;
    return 0;
}

static void write_all(struct fixture *f)
{
    FILE *to = open_memstream(&f->text, &f->text_bytes);
    assert_non_null(to);
    exposition_write(to, &f->scene);
    assert_int_equal(fclose(to), 0);
}

/* How often a line is there. */
static unsigned lines(const struct fixture *f, const char *line)
{
    unsigned found = 0;
    const size_t length = strlen(line);
    for (const char *at = f->text; at && *at != '\0'; at = strchr(at, '\n') + 1)
        found += strncmp(at, line, length) == 0 && at[length] == '\n';
    return found;
}

static unsigned begins(const struct fixture *f, const char *text)
{
    unsigned found = 0;
    for (const char *at = f->text; at && *at != '\0'; at = strchr(at, '\n') + 1)
        found += strncmp(at, text, strlen(text)) == 0;
    return found;
}

static void what_labels_may_not_hold_is_escaped(void **state)
{
    struct fixture *f = *state;
    FILE *to = open_memstream(&f->text, &f->text_bytes);
    exposition_write_escaped(to, "a\\b\"c\nd\xc3\xa9");
    assert_int_equal(fclose(to), 0);
    assert_string_equal(f->text, "a\\\\b\\\"c\\nd\xc3\xa9");
}

static void each_metric_is_described_once_and_has_a_name_by_the_rules(void **state)
{
    struct fixture *f = *state;
    write_all(f);
    for (size_t i = 0; i < metric_count; i++) {
        char line[128];
        const char *name = metric_table[i].name;
        const char *total = strstr(name, "_total");
        (void)snprintf(line, sizeof(line), "# TYPE %s %s", name,
                       metric_table[i].is_counter ? "counter" : "gauge");
        assert_int_equal(lines(f, line), 1);
        assert_int_equal(metric_table[i].is_counter, total != NULL && total[6] == '\0');
    }
}

static void liars_figures_are_told_as_they_are_and_sums_stay_at_the_top(void **state)
{
    struct fixture *f = *state;
    write_all(f);
    assert_int_equal(lines(f, "peal_topic_messages_total{bus=\"posix:x\",topic=\"a\\\"b\\\\c\"} "
                              "18446744073709551615"),
                     1);
    assert_int_equal(
        lines(f, "peal_queue_dropped_oldest_messages_total{bus=\"posix:x\",topic=\"jobs\"} "
                 "18446744073709551615"),
        1);
    /* What is yet to come has no age. */
    assert_int_equal(begins(f, "peal_client_heartbeat_age_seconds{"), 0);
    assert_int_equal(begins(f, "peal_publisher_newest_message_age_seconds{"), 0);
}

static void lanes_that_have_ended_are_in_the_sums_of_a_queue(void **state)
{
    struct fixture *f = *state;
    write_all(f);
    assert_int_equal(lines(f, "peal_topic_messages_total{bus=\"posix:x\",topic=\"jobs\"} 111"), 1);
    assert_int_equal(lines(f, "peal_queue_pending_messages{bus=\"posix:x\",topic=\"jobs\"} 2"), 1);
}

static void a_name_that_comes_twice_is_told_once(void **state)
{
    struct fixture *f = *state;
    write_all(f);
    assert_int_equal(begins(f, "peal_topic_info{bus=\"posix:x\",topic=\"jobs\","), 1);
    assert_int_equal(begins(f, "peal_topic_publishers{bus=\"posix:x\",topic=\"jobs\"}"), 1);
}

static void of_a_spoilt_lane_only_that_is_told(void **state)
{
    struct fixture *f = *state;
    const char *labels = "{bus=\"posix:x\",topic=\"jobs\",publisher=\"\",lane=\"1\"}";
    char line[160];
    write_all(f);
    (void)snprintf(line, sizeof(line), "peal_publisher_spoilt%s 1", labels);
    assert_int_equal(lines(f, line), 1);
    (void)snprintf(line, sizeof(line), "peal_publisher_messages_total%s", labels);
    assert_int_equal(begins(f, line), 0);
    (void)snprintf(line, sizeof(line), "peal_publisher_pending_messages%s", labels);
    assert_int_equal(begins(f, line), 0);
}

static void a_subscriber_is_told_once_and_its_figures_for_each_lane(void **state)
{
    struct fixture *f = *state;
    write_all(f);
    assert_int_equal(begins(f, "peal_subscriber_alive{"), 2);
    assert_int_equal(begins(f, "peal_subscriber_taken_messages_total{"), 2);
    assert_int_equal(lines(f, "peal_subscriber_lag_messages{bus=\"posix:x\",topic=\"a\\\"b\\\\c\","
                              "subscriber=\"\",entry=\"1\",publisher=\"p\",lane=\"4\"} 7"),
                     1);
    assert_int_equal(begins(f, "peal_subscriber_lag_messages{"), 1);  /* no cursor, no lag */
    assert_int_equal(begins(f, "peal_subscriber_held_messages{"), 0); /* of queues */
}

static void without_members_nobody_is_alive_and_nothing_has_an_age(void **state)
{
    struct fixture *f = *state;
    f->bus.now.region.members_known = false;
    f->clients[0].seen.life = PEAL_AUDIT_UNKNOWN;
    write_all(f);
    assert_int_equal(begins(f, "peal_client_alive{"), 0);
    assert_int_equal(begins(f, "peal_client_heartbeat_age_seconds{"), 0);
    assert_int_equal(begins(f, "peal_region_clients{"), 0);
    assert_int_equal(begins(f, "peal_client_wakes_total{"), 1);
}

static void a_bus_that_is_down_has_a_reason_and_nothing_else(void **state)
{
    struct fixture *f = *state;
    f->bus.status = PEAL_ECORRUPT;
    f->bus.now.client_count = 0;
    f->bus.now.topic_count = 0;
    write_all(f);
    assert_int_equal(lines(f, "peal_up{bus=\"posix:x\"} 0"), 1);
    assert_int_equal(begins(f, "peal_down_info{bus=\"posix:x\",reason=\"a peer has spoilt"), 1);
    unsigned samples = 0;
    for (const char *at = f->text; at && *at != '\0'; at = strchr(at, '\n') + 1)
        samples += *at != '#';
    assert_int_equal(samples, 3); /* with peal_build_info */
}

static void the_page_gets_the_same_in_numbers_that_json_has(void **state)
{
    struct fixture *f = *state;
    json_t *json = bus_json(&f->bus);
    assert_non_null(json);
    json_t *topic = json_array_get(json_object_get(json, "topics"), 0);
    assert_string_equal(json_string_value(json_object_get(topic, "name")), "a\"b\\c");
    assert_true(json_integer_value(json_object_get(topic, "published_messages")) == INT64_MAX);
    json_t *subscriber = json_array_get(json_object_get(topic, "subscribers"), 2);
    assert_true(json_is_null(json_object_get(subscriber, "lane")));
    json_t *client = json_array_get(json_object_get(json, "clients"), 0);
    assert_true(json_is_true(json_object_get(client, "asleep")));
    assert_true(json_is_null(json_object_get(client, "heartbeat_age_s")));
    json_decref(json);
    f->bus.status = PEAL_ENOENT;
    f->bus.now.topic_count = 0;
    f->bus.now.client_count = 0;
    json = bus_json(&f->bus);
    assert_true(json_is_false(json_object_get(json, "up")));
    assert_string_equal(json_string_value(json_object_get(json, "reason")), "no such object");
    assert_true(json_is_null(json_object_get(json, "region")));
    json_decref(json);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_labels_may_not_hold_is_escaped),
        TEST(each_metric_is_described_once_and_has_a_name_by_the_rules),
        TEST(liars_figures_are_told_as_they_are_and_sums_stay_at_the_top),
        TEST(lanes_that_have_ended_are_in_the_sums_of_a_queue),
        TEST(a_name_that_comes_twice_is_told_once),
        TEST(of_a_spoilt_lane_only_that_is_told),
        TEST(a_subscriber_is_told_once_and_its_figures_for_each_lane),
        TEST(without_members_nobody_is_alive_and_nothing_has_an_age),
        TEST(a_bus_that_is_down_has_a_reason_and_nothing_else),
        TEST(the_page_gets_the_same_in_numbers_that_json_has),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
