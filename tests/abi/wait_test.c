/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who sleeps is rung by a program of the other width. The safety net is spanned far below: whoever
 * falls into it shows in a counter.
 */
#include "tests/abi/pair.h"

#define TOPIC 2
#define MESSAGE 40
#define DEPTH 4
#define ROUNDS 10

/* `a` publishes to `b`. */
static void open_and_connect(struct pair *pair, bool always_fence)
{
    peer_open(&pair->a, SAFETY_NET_NS, always_fence);
    peer_open(&pair->b, SAFETY_NET_NS, always_fence);
    (void)ASK(&pair->b, ABI_SUBSCRIBER_CREATE, 0, TOPIC, PEAL_RELIABLE);
    (void)ASK(&pair->a, ABI_PUBLISHER_CREATE, 0, TOPIC, MESSAGE, DEPTH);
}

static void publish(struct pair *pair, uint64_t from, uint64_t end)
{
    (void)ASK(&pair->a, ABI_PUBLISH, 0, ABI_PUBLISH_COPY, from, end, MESSAGE, MESSAGE);
}

static void take(struct pair *pair, uint64_t count)
{
    const struct abi_answer taken =
        ASK(&pair->b, ABI_TAKE, 0, ABI_TAKE_COPY, count, MESSAGE, MESSAGE);
    assert_int_equal(taken.value[ABI_DELIVERED], count);
    assert_int_equal(taken.value[ABI_LOST], 0);
}

/* `sleeper` was woken so many times more, each time by a bell, some of them by `ringer`. */
static void assert_rung(struct peer *sleeper, uint64_t wakes_before, uint64_t wakes,
                        struct peer *ringer)
{
    assert_in_range(peer_bus_value(sleeper, ABI_WAKES), wakes_before + wakes, UINT32_MAX);
    assert_int_equal(peer_bus_value(sleeper, ABI_SAFETY_NET_FINDS), 0);
    assert_in_range(peer_bus_value(ringer, ABI_BELLS_RUNG), wakes, UINT32_MAX);
}

static void ring_sleeping_subscriber(struct pair *pair, bool always_fence)
{
    open_and_connect(pair, always_fence);
    const uint64_t wakes = peer_bus_value(&pair->b, ABI_WAKES);
    for (uint64_t round = 0; round < ROUNDS; round++) {
        TELL(&pair->b, ABI_SUBSCRIBER_WAIT, 0);
        peer_await_sleep(&pair->b, &pair->a);
        const uint64_t begin_ns = test_now_ns();
        publish(pair, round, round + 1);
        (void)peer_hear_value(&pair->b);
        assert_in_range(test_now_ns() - begin_ns, 0, SAFETY_NET_NS / 2);
        take(pair, 1);
    }
    assert_rung(&pair->b, wakes, ROUNDS, &pair->a);
}

static void a_sleeping_subscriber_is_rung_by_a_publisher_that_fences(void **state)
{
    ring_sleeping_subscriber(*state, true);
}

static void a_sleeping_subscriber_pays_for_the_fence_of_the_other_width(void **state)
{
    ring_sleeping_subscriber(*state, false);
}

static void the_descriptor_becomes_readable_when_the_other_width_publishes(void **state)
{
    struct pair *pair = *state;
    open_and_connect(pair, false);
    /* Makes the descriptor, and forgets the rings of those who came. */
    publish(pair, 0, 1);
    (void)ASK(&pair->b, ABI_POLL, 0);
    take(pair, 1);
    for (uint64_t round = 1; round <= ROUNDS; round++) {
        TELL(&pair->b, ABI_POLL, 0);
        peer_await_sleep(&pair->b, &pair->a);
        publish(pair, round, round + 1);
        (void)peer_hear_value(&pair->b);
        take(pair, 1);
    }
    assert_in_range(peer_bus_value(&pair->a, ABI_BELLS_RUNG), ROUNDS, UINT32_MAX);
}

/* The lane is full, the publisher sleeps; nobody but the subscriber of the other width wakes it. */
static void a_publisher_at_a_shut_gate_is_rung_by_the_acknowledgement(void **state)
{
    struct pair *pair = *state;
    open_and_connect(pair, false);
    const uint64_t wakes = peer_bus_value(&pair->a, ABI_WAKES);
    for (uint64_t round = 0; round < ROUNDS; round++) {
        const uint64_t from = round * (DEPTH + 1);
        publish(pair, from, from + DEPTH);
        TELL(&pair->a, ABI_PUBLISH, 0, ABI_PUBLISH_COPY, from + DEPTH, from + DEPTH + 1, MESSAGE,
             MESSAGE);
        peer_await_sleep(&pair->a, &pair->b);
        const uint64_t begin_ns = test_now_ns();
        take(pair, DEPTH);
        (void)peer_hear_value(&pair->a);
        assert_in_range(test_now_ns() - begin_ns, 0, SAFETY_NET_NS / 2);
        take(pair, 1);
    }
    assert_int_equal(ASK(&pair->a, ABI_PUBLISHER_STATS, 0).value[1], ROUNDS);
    assert_rung(&pair->a, wakes, ROUNDS, &pair->b);
}

/* A batch longer than the lane, by slots and by its payload ring: the subscriber sleeps, and nobody
 * but the batch's first half can wake it to make room for the second. */
static void a_batch_that_waits_for_room_rings_the_sleeper_first(void **state)
{
    static const struct {
        uint64_t message_bytes;
        uint64_t depth;
        uint64_t payload_bytes;
    } lanes[] = {{MESSAGE, DEPTH, 0}, {65536, 64, 3 * 65536}};
    struct pair *pair = *state;
    pair_open(pair);
    for (size_t i = 0; i < COUNT(lanes); i++) {
        const uint64_t size = lanes[i].message_bytes;
        (void)ASK(&pair->b, ABI_SUBSCRIBER_CREATE, 0, TOPIC, PEAL_RELIABLE);
        (void)ASK(&pair->a, ABI_PUBLISHER_CREATE, 0, TOPIC, size, lanes[i].depth, 0, PEAL_FULL_WAIT,
                  0, lanes[i].payload_bytes);
        TELL(&pair->b, ABI_TAKE, 0, ABI_TAKE_COPY, 8, size, size);
        peer_await_sleep(&pair->b, &pair->a);
        (void)ASK(&pair->a, ABI_PUBLISH, 0, ABI_PUBLISH_BATCH, 0, 8, size, size);
        assert_int_equal(peer_hear_value(&pair->b).value[ABI_DELIVERED], 8);
        assert_in_range(ASK(&pair->a, ABI_PUBLISHER_STATS, 0).value[1], 1, 8);
        (void)ASK(&pair->a, ABI_PUBLISHER_CLOSE, 0);
        (void)ASK(&pair->b, ABI_SUBSCRIBER_CLOSE, 0);
    }
    assert_int_equal(peer_bus_value(&pair->a, ABI_SAFETY_NET_FINDS), 0);
    assert_int_equal(peer_bus_value(&pair->b, ABI_SAFETY_NET_FINDS), 0);
}

static void a_gate_of_another_width_is_kept_by_policy_refuse(void **state)
{
    struct pair *pair = *state;
    pair_open(pair);
    (void)ASK(&pair->b, ABI_SUBSCRIBER_CREATE, 0, TOPIC, PEAL_RELIABLE);
    (void)ASK(&pair->a, ABI_PUBLISHER_CREATE, 0, TOPIC, MESSAGE, DEPTH, 0, PEAL_FULL_REFUSE);
    publish(pair, 0, DEPTH);
    for (uint64_t number = DEPTH; number < 40 * DEPTH; number++) {
        peer_expect(
            &pair->a, PEAL_FULL,
            REQUEST(ABI_PUBLISH, 0, ABI_PUBLISH_COPY, number, number + 1, MESSAGE, MESSAGE));
        take(pair, number % DEPTH == 0 ? DEPTH : 0);
        if (number % DEPTH == 0) {
            publish(pair, number, number + DEPTH);
            number += DEPTH - 1;
        }
    }
}

static const struct CMUnitTest cases[] = {
    BOTH_WAYS(a_sleeping_subscriber_is_rung_by_a_publisher_that_fences),
    BOTH_WAYS(a_sleeping_subscriber_pays_for_the_fence_of_the_other_width),
    BOTH_WAYS(the_descriptor_becomes_readable_when_the_other_width_publishes),
    BOTH_WAYS(a_publisher_at_a_shut_gate_is_rung_by_the_acknowledgement),
    BOTH_WAYS(a_batch_that_waits_for_room_rings_the_sleeper_first),
    BOTH_WAYS(a_gate_of_another_width_is_kept_by_policy_refuse),
};

ABI_MAIN(cases)
