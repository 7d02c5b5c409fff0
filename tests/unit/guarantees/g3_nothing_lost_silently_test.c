/* SPDX-License-Identifier: Apache-2.0 */
/*
 * G3: nothing is lost silently. Per publisher: published (and dropped) = delivered + reported lost, for
 * every subscriber, whatever loses messages. Under load: tests/stress/topic_test.c; by death:
 * tests/stress/g3_killed_publisher_test.c.
 */
#include "bus/publisher_internal.h"
#include "tests/support/topic_fixture.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define MESSAGES 1000u

/* Takes all there is; the sum of what the messages say was lost. */
static uint64_t drain(struct peal_subscriber *subscriber, uint64_t *delivered)
{
    struct peal_message message;
    uint64_t lost = 0;
    enum peal_status status;
    while ((status = topic_take(subscriber, &message)) == PEAL_OK) {
        (*delivered)++;
        lost += message.lost;
    }
    assert_int_equal(status, PEAL_EMPTY);
    return lost;
}

static void assert_settled(struct peal_publisher *publisher, struct peal_subscriber *subscriber)
{
    struct peal_publisher_stats published = topic_published(publisher);
    struct peal_subscriber_stats taken = topic_taken(subscriber);
    assert_true(published.published + published.dropped == taken.delivered + taken.lost);
}

struct topic {
    struct peal_bus *bus;
    struct peal_publisher *publisher;
    struct peal_subscriber *reliable;
    struct peal_subscriber *lossy;
};

static struct topic topic_open(struct peal_publisher_options options)
{
    struct topic topic = {.bus = topic_bus("local:g3")};
    assert_non_null(topic.bus);
    topic.reliable = topic_subscribe(topic.bus, "t", PEAL_RELIABLE);
    topic.lossy = topic_subscribe(topic.bus, "t", PEAL_BEST_EFFORT);
    topic.publisher = topic_publish(topic.bus, "t", &options);
    assert_true(topic.publisher && topic.reliable && topic.lossy);
    return topic;
}

static void topic_close(struct topic *topic)
{
    peal_publisher_close(topic->publisher);
    peal_subscriber_close(topic->reliable);
    peal_subscriber_close(topic->lossy);
    peal_bus_close(topic->bus);
}

static void when_full_and_refused_nothing_was_published(void **state)
{
    (void)state;
    struct topic topic = topic_open(topic_publisher_options(8, PEAL_FULL_REFUSE));
    uint64_t number = 0, refused = 0, reliable = 0, lossy = 0;
    for (unsigned i = 0; i < MESSAGES; i++) {
        enum peal_status status = topic_put(topic.publisher, number);
        assert_true(status == PEAL_OK || status == PEAL_FULL);
        number += status == PEAL_OK;
        refused += status == PEAL_FULL;
        if (i % 16 == 15)
            assert_true(drain(topic.reliable, &reliable) == 0);
    }
    assert_true(refused > 0 && topic_published(topic.publisher).refused == refused);
    assert_true(drain(topic.reliable, &reliable) == 0 && reliable == number);
    assert_true(drain(topic.lossy, &lossy) + lossy == number && lossy >= 6);
    assert_settled(topic.publisher, topic.reliable);
    assert_settled(topic.publisher, topic.lossy);
    topic_close(&topic);
}

static void when_full_and_waited_in_vain_nothing_was_published(void **state)
{
    (void)state;
    struct peal_publisher_options options = topic_publisher_options(8, PEAL_FULL_WAIT);
    options.full_timeout_ns = 1000000;
    struct topic topic = topic_open(options);
    for (uint64_t number = 0; number < 8; number++)
        assert_int_equal(topic_put(topic.publisher, number), PEAL_OK);
    assert_int_equal(topic_put(topic.publisher, 8), PEAL_FULL);
    uint64_t reliable = 0;
    assert_true(drain(topic.reliable, &reliable) == 0 && reliable == 8);
    assert_int_equal(topic_put(topic.publisher, 8), PEAL_OK);
    assert_true(drain(topic.reliable, &reliable) == 0 && reliable == 9);
    assert_true(topic_published(topic.publisher).waits >= 1);
    assert_settled(topic.publisher, topic.reliable);
    topic_close(&topic);
}

static void when_the_newest_is_dropped_everybody_is_told(void **state)
{
    (void)state;
    struct topic topic = topic_open(topic_publisher_options(8, PEAL_FULL_DROP_NEWEST));
    uint64_t number = 0, dropped = 0, told = 0, reliable = 0, lossy = 0, lossy_told = 0;
    for (unsigned i = 0; i < MESSAGES; i++) {
        enum peal_status status = topic_put(topic.publisher, number);
        assert_true(status == PEAL_OK || status == PEAL_DROPPED);
        number += status == PEAL_OK;
        dropped += status == PEAL_DROPPED;
        if (i % 16 == 15)
            told += drain(topic.reliable, &reliable);
        if (i % 64 == 63)
            lossy_told += drain(topic.lossy, &lossy);
        if (i % 16 == 15)
            assert_settled(topic.publisher, topic.reliable);
    }
    assert_true(dropped > 0 && topic_published(topic.publisher).dropped == dropped);
    told += drain(topic.reliable, &reliable);
    assert_int_equal(topic_put(topic.publisher, number), PEAL_OK); /* tells the last drops */
    told += drain(topic.reliable, &reliable);
    lossy_told += drain(topic.lossy, &lossy);
    assert_true(reliable == number + 1 && told == dropped);
    assert_true(lossy + lossy_told == number + 1 + dropped);
    assert_settled(topic.publisher, topic.lossy);
    topic_close(&topic);
}

static void when_the_slowest_is_evicted_it_is_told(void **state)
{
    (void)state;
    struct topic topic = topic_open(topic_publisher_options(8, PEAL_FULL_EVICT));
    uint64_t told = 0, reliable = 0;
    for (uint64_t number = 0; number < MESSAGES; number++) {
        assert_int_equal(topic_put(topic.publisher, number), PEAL_OK);
        if (number % 100 == 99)
            told += drain(topic.reliable, &reliable);
    }
    assert_true(reliable + told == MESSAGES && told > 0);
    assert_settled(topic.publisher, topic.reliable);
    topic_close(&topic);
}

static void a_lossy_subscriber_is_told_how_often_it_was_lapped(void **state)
{
    (void)state;
    struct topic topic = topic_open(topic_publisher_options(16, PEAL_FULL_EVICT));
    uint64_t lossy = 0, told = 0, number = 0;
    for (unsigned burst = 0; burst < 100; burst++) {
        for (unsigned i = 0; i < burst; i++)
            assert_int_equal(topic_put(topic.publisher, number++), PEAL_OK);
        told += drain(topic.lossy, &lossy);
        assert_true(lossy + told == number);
    }
    assert_true(told > 0);
    topic_close(&topic);
}

static void a_message_overwritten_in_place_counts_as_lost(void **state)
{
    (void)state;
    struct topic topic = topic_open(topic_publisher_options(4, PEAL_FULL_EVICT));
    struct peal_message message;
    assert_int_equal(topic_put(topic.publisher, 0), PEAL_OK);
    assert_int_equal(peal_subscriber_take(topic.lossy, &message), PEAL_OK);
    for (uint64_t number = 1; number < 5; number++)
        assert_int_equal(topic_put(topic.publisher, number), PEAL_OK);
    assert_int_equal(peal_subscriber_release(topic.lossy, &message), PEAL_ELAPPED);
    uint64_t lossy = 0;
    (void)drain(topic.lossy, &lossy);
    assert_true(lossy == 4 && topic_taken(topic.lossy).lost == 1);
    assert_settled(topic.publisher, topic.lossy);
    topic_close(&topic);
}

static void a_spoilt_message_is_reported_as_lost(void **state)
{
    (void)state;
    struct peal_publisher_options options = topic_publisher_options(16, PEAL_FULL_REFUSE);
    options.crc32c = true;
    struct topic topic = topic_open(options);
    for (uint64_t number = 0; number < 10; number++)
        assert_int_equal(topic_put(topic.publisher, number), PEAL_OK);
    /* A bit flips in message 4, in shared memory. */
    struct peal_lane_writer *writer = &topic.publisher->writer;
    struct peal_slot_shared *slot =
        peal_lane_slot(writer->slots, writer->mask, writer->stride_bytes, 4);
    peal_u64_store_relaxed(&slot->body[1], peal_u64_load_relaxed(&slot->body[1]) ^ 0x100);
    struct peal_message message;
    for (uint64_t number = 0; number < 4; number++)
        assert_int_equal(topic_take(topic.reliable, &message), PEAL_OK);
    assert_int_equal(topic_take(topic.reliable, &message), PEAL_ECORRUPT);
    assert_true(message.number == 4);
    assert_int_equal(topic_take(topic.reliable, &message), PEAL_OK);
    assert_true(message.number == 5 && message.lost == 1);
    uint64_t delivered = 5;
    assert_true(drain(topic.reliable, &delivered) == 0 && delivered == 9);
    struct peal_subscriber_stats stats = topic_taken(topic.reliable);
    assert_true(stats.lost == 1 && stats.corrupt == 1);
    assert_settled(topic.publisher, topic.reliable);
    topic_close(&topic);
}

static void what_a_closed_publisher_left_is_still_delivered(void **state)
{
    (void)state;
    struct topic topic = topic_open(topic_publisher_options(16, PEAL_FULL_DROP_NEWEST));
    for (uint64_t number = 0; number < 20; number++)
        (void)topic_put(topic.publisher, number);
    assert_true(topic_published(topic.publisher).dropped == 4);
    peal_publisher_close(topic.publisher);
    topic.publisher = NULL;
    uint64_t reliable = 0, lossy = 0;
    assert_true(drain(topic.reliable, &reliable) == 0 && reliable == 16);
    assert_true(topic_taken(topic.reliable).lost == 4); /* no message came after them */
    (void)drain(topic.lossy, &lossy);
    assert_true(lossy + topic_taken(topic.lossy).lost == 20);
    topic_close(&topic);
}

static void a_publisher_that_ends_before_it_is_looked_at_is_heard(void **state)
{
    (void)state;
    struct topic topic = topic_open(topic_publisher_options(16, PEAL_FULL_REFUSE));
    /* Lives that begin and end while nobody takes. */
    for (unsigned life = 0; life < 5; life++) {
        struct peal_publisher_options options = topic_publisher_options(16, PEAL_FULL_REFUSE);
        struct peal_publisher *publisher = topic_publish(topic.bus, "t", &options);
        assert_non_null(publisher);
        for (uint64_t number = 0; number < 10; number++)
            assert_int_equal(topic_put(publisher, number), PEAL_OK);
        peal_publisher_close(publisher);
    }
    uint64_t reliable = 0;
    assert_true(drain(topic.reliable, &reliable) == 0 && reliable == 50);
    /* Their lanes are left then, and not kept until something else happens. */
    assert_true(topic_taken(topic.reliable).publishers == 1);
    topic_close(&topic);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(when_full_and_refused_nothing_was_published),
        cmocka_unit_test(when_full_and_waited_in_vain_nothing_was_published),
        cmocka_unit_test(when_the_newest_is_dropped_everybody_is_told),
        cmocka_unit_test(when_the_slowest_is_evicted_it_is_told),
        cmocka_unit_test(a_lossy_subscriber_is_told_how_often_it_was_lapped),
        cmocka_unit_test(a_message_overwritten_in_place_counts_as_lost),
        cmocka_unit_test(a_spoilt_message_is_reported_as_lost),
        cmocka_unit_test(what_a_closed_publisher_left_is_still_delivered),
        cmocka_unit_test(a_publisher_that_ends_before_it_is_looked_at_is_heard),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
