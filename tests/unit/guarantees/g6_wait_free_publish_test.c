/* SPDX-License-Identifier: Apache-2.0 */
/*
 * G6: publishing to subscribers that keep up or are lossy takes a bounded number of steps, and no more
 * for many subscribers that are awake than for one. Time: tests/stress/g6_stopped_subscriber_test.c
 * and the benchmark of publish cost.
 */
#include "bus/publisher_internal.h"
#include "tests/support/topic_fixture.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define MESSAGES 20000u
#define DEPTH 256u

struct cost {
    uint64_t scans; /* looks at the subscribers' lines */
    uint64_t rung;
    uint64_t waits;
};

static struct cost cost_with(unsigned count, enum peal_reliability reliability, bool reads)
{
    struct cost cost = {0};
    struct peal_bus *bus = topic_bus("local:g6");
    struct peal_publisher_options options = topic_publisher_options(DEPTH, PEAL_FULL_WAIT);
    struct peal_subscriber *subscribers[PEAL_TOPIC_SUBSCRIBERS_MAX];
    for (unsigned i = 0; i < count; i++)
        assert_non_null(subscribers[i] = topic_subscribe(bus, "t", reliability));
    struct peal_publisher *publisher = topic_publish(bus, "t", &options);
    assert_non_null(publisher);
    for (uint64_t number = 0; number < MESSAGES; number++) {
        uint64_t limit = publisher->writer.limit;
        assert_int_equal(topic_put(publisher, number), PEAL_OK);
        cost.scans += publisher->writer.limit != limit;
        struct peal_message message;
        for (unsigned i = 0; reads && i < count; i++)
            assert_int_equal(topic_take(subscribers[i], &message), PEAL_OK);
    }
    struct peal_bus_stats stats = {.struct_bytes = sizeof(stats)};
    assert_int_equal(peal_bus_stats(bus, &stats), PEAL_OK);
    cost.rung = stats.bells_rung;
    cost.waits = topic_published(publisher).waits;
    peal_publisher_close(publisher);
    for (unsigned i = 0; i < count; i++)
        peal_subscriber_close(subscribers[i]);
    peal_bus_close(bus);
    return cost;
}

static void nothing_is_done_for_a_subscriber_but_once_in_a_ring_of_messages(void **state)
{
    (void)state;
    struct cost one = cost_with(1, PEAL_RELIABLE, true);
    struct cost many = cost_with(16, PEAL_RELIABLE, true);
    assert_in_range(one.scans, MESSAGES / DEPTH, 2 * MESSAGES / DEPTH);
    assert_true(many.scans == one.scans);
    assert_true(one.rung == 0 && many.rung == 0);
    assert_true(one.waits == 0 && many.waits == 0);
}

static void lossy_subscribers_cost_no_more_than_none(void **state)
{
    (void)state;
    struct cost none = cost_with(0, PEAL_RELIABLE, false);
    struct cost awake = cost_with(16, PEAL_BEST_EFFORT, true);
    struct cost asleep = cost_with(16, PEAL_BEST_EFFORT, false); /* they never look */
    assert_true(awake.scans == none.scans && asleep.scans == none.scans);
    assert_true(awake.rung == 0 && asleep.rung == 0);
    assert_true(awake.waits == 0 && asleep.waits == 0);
}

/* The short way reads none of the subscribers' lines: they may hold anything. */
static void a_publish_does_not_read_what_subscribers_write(void **state)
{
    (void)state;
    struct peal_bus *bus = topic_bus("local:g6");
    struct peal_publisher_options options = topic_publisher_options(DEPTH, PEAL_FULL_REFUSE);
    struct peal_subscriber *subscriber = topic_subscribe(bus, "t", PEAL_RELIABLE);
    struct peal_publisher *publisher = topic_publish(bus, "t", &options);
    assert_true(publisher && subscriber);
    assert_int_equal(topic_put(publisher, 0), PEAL_OK);
    uint64_t limit = publisher->writer.limit;
    for (unsigned i = 0; i < PEAL_TOPIC_SUBSCRIBERS_MAX; i++) {
        struct peal_lane_reader_shared *line = &publisher->writer.shared->readers[i];
        peal_u64_store_relaxed(&line->cursor, 0);
    }
    for (uint64_t number = 1; number < limit; number++)
        assert_int_equal(topic_put(publisher, number), PEAL_OK);
    assert_true(publisher->writer.limit == limit);
    assert_int_equal(topic_put(publisher, limit), PEAL_FULL);
    peal_publisher_close(publisher);
    peal_subscriber_close(subscriber);
    peal_bus_close(bus);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_done_for_a_subscriber_but_once_in_a_ring_of_messages),
        cmocka_unit_test(lossy_subscribers_cost_no_more_than_none),
        cmocka_unit_test(a_publish_does_not_read_what_subscribers_write),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
