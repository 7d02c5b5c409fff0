/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/topic_fixture.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#define SAFETY_NET_NS (UINT64_C(20) * 1000000000u)

/* A bus whose sleepers are only ever woken by bells. */
static struct peal_bus *open_bus(void)
{
    struct peal_bus_options options = PEAL_BUS_OPTIONS_INIT;
    struct peal_bus *bus = NULL;
    options.size_bytes = UINT64_C(8) << 20;
    options.topics_max = 16;
    options.spin_ns = 1;
    options.safety_net_ns = SAFETY_NET_NS;
    assert_int_equal(peal_bus_open(&bus, "local:publish", &options), PEAL_OK);
    return bus;
}

static void assert_only_bells(struct peal_bus *bus)
{
    struct peal_bus_stats stats = {.struct_bytes = sizeof(stats)};
    assert_int_equal(peal_bus_stats(bus, &stats), PEAL_OK);
    assert_true(stats.safety_net_finds == 0);
}

struct taker {
    struct peal_bus *bus;
    struct peal_subscriber *subscriber;
    uint64_t wanted;
    uint64_t taken;
    uint64_t wrong;
};

static void *take_all(void *context)
{
    struct taker *taker = context;
    static _Thread_local unsigned char buffer[4096];
    while (taker->taken < taker->wanted) {
        struct peal_message message;
        enum peal_status status =
            peal_subscriber_take_copy(taker->subscriber, buffer, sizeof(buffer), &message);
        if (status == PEAL_EMPTY) {
            if (peal_subscriber_wait(taker->subscriber, SAFETY_NET_NS / 2) != PEAL_OK)
                break;
            continue;
        }
        if (status != PEAL_OK)
            break;
        taker->wrong += message.number != taker->taken || message.lost != 0 ||
                        !content_is(buffer, message.size_bytes, 0, message.number);
        taker->taken++;
    }
    return NULL;
}

/* Publishes `count` messages of size_bytes as batches of up to `batch` to a subscriber that sleeps as
 * often as it can, through a lane that holds less than a batch. */
static void publish_to_a_sleeper(uint32_t depth, uint64_t payload_bytes, size_t size_bytes,
                                 size_t batch, uint64_t count)
{
    struct peal_bus *here = open_bus();
    struct peal_bus *there = open_bus();
    struct peal_publisher_options options = topic_publisher_options(depth, PEAL_FULL_WAIT);
    options.message_bytes_max = (uint32_t)size_bytes;
    options.payload_bytes = payload_bytes;
    options.full_timeout_ns = SAFETY_NET_NS / 2;
    struct peal_publisher *publisher = topic_publish(here, "t", &options);
    struct taker taker = {.bus = there, .wanted = count};
    taker.subscriber = topic_subscribe(there, "t", PEAL_RELIABLE);
    assert_non_null(publisher);
    assert_non_null(taker.subscriber);
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, take_all, &taker), 0);

    unsigned char *bytes = calloc(batch, size_bytes);
    struct peal_slice *slices = calloc(batch, sizeof(*slices));
    assert_non_null(bytes);
    assert_non_null(slices);
    enum peal_status status = PEAL_OK;
    for (uint64_t number = 0; number < count && status == PEAL_OK; number += batch) {
        for (size_t i = 0; i < batch; i++) {
            content_fill(bytes + i * size_bytes, size_bytes, 0, number + i);
            slices[i] = (struct peal_slice){bytes + i * size_bytes, size_bytes};
        }
        status = peal_publisher_publish_batch(publisher, slices, batch, NULL);
    }
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(status, PEAL_OK);
    assert_true(taker.taken == count);
    assert_true(taker.wrong == 0);
    assert_only_bells(here);
    assert_only_bells(there);
    free(slices);
    free(bytes);
    peal_publisher_close(publisher);
    peal_subscriber_close(taker.subscriber);
    peal_bus_close(here);
    peal_bus_close(there);
}

static void a_batch_longer_than_the_lane_rings_before_it_waits(void **state)
{
    (void)state;
    publish_to_a_sleeper(8, 0, 40, 32, 320);
}

static void a_batch_beyond_the_payload_ring_rings_before_it_waits(void **state)
{
    (void)state;
    publish_to_a_sleeper(64, 4096, 1000, 32, 320);
}

static void single_messages_wait_for_a_sleeper_too(void **state)
{
    (void)state;
    publish_to_a_sleeper(2, 0, 40, 1, 200);
}

static void a_loan_bars_other_publishing_until_it_is_settled(void **state)
{
    (void)state;
    struct peal_bus *bus = open_bus();
    struct peal_publisher *publisher = topic_publish(bus, "t", NULL);
    void *data;
    void *more[2];
    size_t loaned;
    const struct peal_slice slice = {"x", 1};
    assert_int_equal(peal_publisher_commit(publisher, 1), PEAL_EINVAL);
    assert_int_equal(peal_publisher_loan(publisher, 8, &data), PEAL_OK);
    assert_int_equal(peal_publisher_publish(publisher, "x", 1), PEAL_EINVAL);
    assert_int_equal(peal_publisher_publish_batch(publisher, &slice, 1, NULL), PEAL_EINVAL);
    assert_int_equal(peal_publisher_loan_batch(publisher, 8, 2, more, &loaned), PEAL_EINVAL);
    assert_int_equal(peal_publisher_commit(publisher, 9), PEAL_EINVAL);
    assert_int_equal(peal_publisher_commit_batch(publisher, 2), PEAL_EINVAL);
    assert_int_equal(peal_publisher_discard(publisher), PEAL_OK);
    assert_int_equal(peal_publisher_discard(publisher), PEAL_OK);
    assert_int_equal(peal_publisher_publish(publisher, "x", 1), PEAL_OK);
    assert_true(topic_published(publisher).published == 1);
    assert_int_equal(peal_publisher_loan(publisher, 49, &data), PEAL_EMSGSIZE);
    assert_int_equal(peal_publisher_publish(publisher, bus, 49), PEAL_EMSGSIZE);
    peal_publisher_close(publisher);
    peal_bus_close(bus);
}

static void a_closed_publisher_leaves_its_messages_to_those_who_were_there(void **state)
{
    (void)state;
    struct peal_bus *bus = open_bus();
    struct peal_subscriber *early = topic_subscribe(bus, "t", PEAL_RELIABLE);
    struct peal_publisher *publisher = topic_publish(bus, "t", NULL);
    for (uint64_t number = 0; number < 5; number++)
        assert_int_equal(topic_put(publisher, number), PEAL_OK);
    peal_publisher_close(publisher);
    struct peal_subscriber *late = topic_subscribe(bus, "t", PEAL_RELIABLE);
    struct peal_message message;
    for (uint64_t number = 0; number < 5; number++) {
        assert_int_equal(topic_take(early, &message), PEAL_OK);
        assert_true(message.number == number && message.lost == 0);
    }
    assert_int_equal(topic_take(early, &message), PEAL_EMPTY);
    assert_int_equal(topic_take(late, &message), PEAL_EMPTY);
    assert_true(topic_taken(early).publishers == 0);
    peal_subscriber_close(early);
    peal_subscriber_close(late);
    peal_bus_close(bus);
}

/* One of two publishers of the same name ends and comes back: told once, with the last number seen. */
static void a_restart_is_told_once_and_only_for_the_one_that_restarted(void **state)
{
    (void)state;
    struct peal_bus *bus = open_bus();
    struct peal_subscriber *subscriber = topic_subscribe(bus, "t", PEAL_RELIABLE);
    struct peal_publisher_options options = topic_publisher_options(8, PEAL_FULL_REFUSE);
    options.name = "sensor";
    struct peal_publisher *first = topic_publish(bus, "t", &options);
    struct peal_message message;
    for (uint64_t number = 0; number < 3; number++)
        assert_int_equal(topic_put(first, number), PEAL_OK);
    peal_publisher_close(first);
    struct peal_publisher *again = topic_publish(bus, "t", &options);
    assert_int_equal(topic_put(again, 0), PEAL_OK);
    for (uint64_t number = 0; number < 3; number++) {
        assert_int_equal(topic_take(subscriber, &message), PEAL_OK);
        assert_true(message.number == number && message.flags == 0);
    }
    assert_int_equal(topic_take(subscriber, &message), PEAL_OK);
    assert_true(message.number == 0 && message.flags == PEAL_MESSAGE_RESTARTED);
    assert_true(message.previous_number == 2);
    assert_int_equal(topic_put(again, 1), PEAL_OK);
    assert_int_equal(topic_take(subscriber, &message), PEAL_OK);
    assert_true(message.number == 1 && message.flags == 0);

    struct peal_publisher *beside = topic_publish(bus, "t", &options);
    assert_int_equal(topic_put(beside, 0), PEAL_OK);
    assert_int_equal(topic_take(subscriber, &message), PEAL_OK);
    assert_true(message.number == 0 && message.flags == 0);
    assert_true(topic_taken(subscriber).restarts == 1);
    peal_publisher_close(again);
    peal_publisher_close(beside);
    peal_subscriber_close(subscriber);
    peal_bus_close(bus);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_batch_longer_than_the_lane_rings_before_it_waits),
        cmocka_unit_test(a_batch_beyond_the_payload_ring_rings_before_it_waits),
        cmocka_unit_test(single_messages_wait_for_a_sleeper_too),
        cmocka_unit_test(a_loan_bars_other_publishing_until_it_is_settled),
        cmocka_unit_test(a_closed_publisher_leaves_its_messages_to_those_who_were_there),
        cmocka_unit_test(a_restart_is_told_once_and_only_for_the_one_that_restarted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
