/* SPDX-License-Identifier: Apache-2.0 */
/* A snapshot keeps what an observer saw of a live region, with everybody's name. */
#include "tools/peal/look/snapshot.h"

#include "tests/unit/tools/peal/look/region_fixture.h"

static struct snapshot snapshot;
static struct peal_observer *observer;
static struct peal_bus *engine;
static struct peal_bus *gauge;

static int set_up(void **state)
{
    (void)region_set_up(state);
    engine = region_open(2 * MIB, "engine");
    gauge = region_open(2 * MIB, "gauge");
    assert_int_equal(peal_observer_open(&observer, region_url, NULL), PEAL_OK);
    return 0;
}

static int tear_down(void **state)
{
    snapshot_free(&snapshot);
    peal_observer_close(observer);
    peal_bus_close(engine);
    peal_bus_close(gauge);
    return region_tear_down(state);
}

static struct peal_publisher *publish(const char *topic, const char *publisher_name)
{
    struct peal_publisher_options options = topic_publisher_options(16, PEAL_FULL_REFUSE);
    options.name = publisher_name;
    options.type_name = "rpm";
    struct peal_publisher *publisher = topic_publish(engine, topic, &options);
    assert_non_null(publisher);
    return publisher;
}

static struct peal_queue *queue(struct peal_bus *bus, uint32_t use)
{
    struct peal_queue_options options = PEAL_QUEUE_OPTIONS_INIT;
    struct peal_queue *made = NULL;
    options.uses = use;
    assert_int_equal(peal_queue_create(bus, "jobs", &options, &made), PEAL_OK);
    return made;
}

static void look(void)
{
    assert_int_equal(snapshot_take(&snapshot, observer), PEAL_OK);
}

static void topics_have_their_people_and_these_their_names(void **state)
{
    (void)state;
    struct peal_publisher *left = publish("wheel", "left");
    struct peal_subscriber *subscriber = topic_subscribe(gauge, "wheel", PEAL_RELIABLE);
    struct peal_queue *pusher = queue(engine, PEAL_QUEUE_PUSH);
    struct peal_queue *popper = queue(gauge, PEAL_QUEUE_POP);
    assert_int_equal(peal_queue_push(pusher, "job", 4), PEAL_OK);
    look();
    assert_true(snapshot.taken_ns > 0);
    assert_int_equal(snapshot.client_count, 2);
    assert_int_equal(snapshot.topic_count, 2);
    const struct snapshot_topic *wheel = snapshot_topic(&snapshot, "wheel");
    assert_non_null(wheel);
    assert_string_equal(wheel->type_name, "rpm");
    assert_int_equal(wheel->publisher_count, 1);
    assert_string_equal(wheel->publishers[0].name, "left");
    assert_int_equal(wheel->subscriber_count, 1);
    assert_string_equal(wheel->subscribers[0].name, "gauge");
    const struct snapshot_topic *jobs = snapshot_topic(&snapshot, "jobs");
    assert_true(jobs && jobs->seen.is_queue);
    assert_int_equal(jobs->publisher_count, 1);
    assert_string_equal(jobs->publishers[0].name, "engine"); /* a queue's have none of their own */
    assert_string_equal(jobs->subscribers[0].name, "gauge");
    assert_null(snapshot_topic(&snapshot, "brake"));
    peal_queue_close(popper);
    peal_queue_close(pusher);
    peal_subscriber_close(subscriber);
    peal_publisher_close(left);
}

static void what_points_into_it_points_into_itself(void **state)
{
    (void)state;
    struct peal_publisher *left = publish("wheel", "left");
    look();
    const struct snapshot_topic *wheel = &snapshot.topics[0];
    assert_ptr_equal(snapshot.clients[1].seen.name, snapshot.clients[1].name);
    assert_ptr_equal(wheel->seen.name, wheel->name);
    assert_ptr_equal(wheel->seen.type_name, wheel->type_name);
    assert_ptr_equal(wheel->publishers[0].seen.name, wheel->publishers[0].name);
    peal_publisher_close(left);
}

static void the_next_look_shows_what_is_there_then(void **state)
{
    struct peal_publisher *publishers[12];
    char name[32];
    (void)state;
    for (int i = 0; i < 12; i++) {
        (void)snprintf(name, sizeof(name), "topic%d", i);
        publishers[i] = publish(name, "left");
    }
    look();
    assert_int_equal(snapshot.topic_count, 12);
    for (int i = 1; i < 12; i++)
        peal_publisher_close(publishers[i]);
    peal_bus_close(gauge);
    look();
    assert_int_equal(snapshot.client_count, 1);
    assert_int_equal(snapshot.topic_count, 1);
    assert_string_equal(snapshot.topics[0].name, "topic0");
    assert_int_equal(snapshot.topics[0].publisher_count, 1);
    gauge = region_open(2 * MIB, "gauge");
    peal_publisher_close(publishers[0]);
}

static void clients_are_found_by_index(void **state)
{
    (void)state;
    look();
    assert_string_equal(snapshot_client(&snapshot, 0)->name, "engine");
    assert_string_equal(snapshot_client(&snapshot, 1)->name, "gauge");
    assert_null(snapshot_client(&snapshot, 2));
    assert_null(snapshot_client(&snapshot, UINT32_MAX));
}

static void a_look_that_fails_leaves_it_empty(void **state)
{
    (void)state;
    look();
    file_cut(region_path, 100);
    assert_int_not_equal(snapshot_take(&snapshot, observer), PEAL_OK);
    assert_int_equal(snapshot.client_count + snapshot.topic_count, 0);
    assert_int_equal(snapshot.region.region_bytes, 0);
}

/* Its clients have gone before: they would read what is cut away. */
static int set_up_alone(void **state)
{
    (void)set_up(state);
    peal_bus_close(engine);
    peal_bus_close(gauge);
    engine = NULL;
    gauge = NULL;
    return 0;
}

static void lives_have_words(void **state)
{
    (void)state;
    assert_string_equal(snapshot_life_text(PEAL_AUDIT_NOBODY), "nobody");
    assert_string_equal(snapshot_life_text(PEAL_AUDIT_ALIVE), "alive");
    assert_string_equal(snapshot_life_text(PEAL_AUDIT_DEAD), "dead");
    assert_string_equal(snapshot_life_text(PEAL_AUDIT_UNKNOWN), "unknown");
    assert_string_equal(snapshot_life_text((enum peal_audit_life)77), "unknown");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        TEST(topics_have_their_people_and_these_their_names),
        TEST(what_points_into_it_points_into_itself),
        TEST(the_next_look_shows_what_is_there_then),
        TEST(clients_are_found_by_index),
        cmocka_unit_test_setup_teardown(a_look_that_fails_leaves_it_empty, set_up_alone, tear_down),
        cmocka_unit_test(lives_have_words),
#undef TEST
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
