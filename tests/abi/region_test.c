/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A region laid out by a program of one width is attached, kept and cleared by those of the other.
 */
#include "tests/abi/pair.h"

#define TOPIC 3
#define SCHEMA UINT64_C(0xabcdef0123456789)
#define MESSAGE 40

static void create_publisher(struct peer *peer)
{
    (void)ASK(peer, ABI_PUBLISHER_CREATE, 0, TOPIC, MESSAGE, 128, 0, 0, SCHEMA);
}

static void create_subscriber(struct peer *peer)
{
    (void)ASK(peer, ABI_SUBSCRIBER_CREATE, 0, TOPIC, PEAL_RELIABLE, 0, SCHEMA);
}

static void publish(struct peer *peer, uint64_t from, uint64_t end)
{
    (void)ASK(peer, ABI_PUBLISH, 0, ABI_PUBLISH_COPY, from, end, MESSAGE, MESSAGE);
}

static struct abi_answer take(struct peer *peer, uint64_t count)
{
    const struct abi_answer taken = ASK(peer, ABI_TAKE, 0, ABI_TAKE_COPY, count, MESSAGE, MESSAGE);
    assert_int_equal(taken.value[ABI_DELIVERED], count);
    assert_int_equal(taken.value[ABI_LOST], 0);
    return taken;
}

/* Another process of the same width in place of one that has gone. */
static void start_again(struct peer *peer, const struct pair *pair)
{
    peer_start(peer, peer->width, pair->url);
    peer_open(peer, SAFETY_NET_NS, false);
}

static void assert_same_region(struct pair *pair)
{
    assert_int_equal(pair->a.opened[ABI_GENERATION], pair->b.opened[ABI_GENERATION]);
    assert_int_equal(pair->a.opened[ABI_TOPICS_MAX], pair->b.opened[ABI_TOPICS_MAX]);
    const struct abi_answer a = ASK(&pair->a, ABI_BUS_STATS);
    const struct abi_answer b = ASK(&pair->b, ABI_BUS_STATS);
    assert_int_equal(a.value[ABI_REGION_BYTES], REGION_BYTES);
    assert_int_equal(b.value[ABI_REGION_BYTES], REGION_BYTES);
    assert_int_equal(a.value[ABI_FREE_BYTES], b.value[ABI_FREE_BYTES]);
    assert_int_equal(a.value[ABI_MEMBERS], 2);
    assert_int_equal(b.value[ABI_MEMBERS], 2);
}

static void what_one_width_lays_out_the_other_attaches(void **state)
{
    struct pair *pair = *state;
    peer_open(&pair->a, SAFETY_NET_NS, false);
    const struct abi_answer b = ASK(&pair->b, ABI_OPEN, 0, 0, SAFETY_NET_NS, 0);
    memcpy(pair->b.opened, b.value, sizeof(pair->b.opened));
    assert_same_region(pair);
    assert_int_equal(pair->a.opened[ABI_TOPICS_MAX], TOPICS_MAX);
    assert_int_equal(pair->a.opened[ABI_INDEX], 0);
    assert_int_equal(pair->b.opened[ABI_INDEX], 1);
}

static void a_region_outlives_those_who_laid_it_out(void **state)
{
    struct pair *pair = *state;
    pair_open(pair);
    const uint64_t generation = pair->b.opened[ABI_GENERATION];
    create_subscriber(&pair->b);
    peer_end(&pair->a);
    assert_int_equal(peer_bus_value(&pair->b, ABI_MEMBERS), 1);
    start_again(&pair->a, pair);
    assert_same_region(pair);
    assert_int_equal(pair->a.opened[ABI_GENERATION], generation);
    create_publisher(&pair->a);
    publish(&pair->a, 0, 100);
    (void)take(&pair->b, 100);
}

static void a_region_of_dead_processes_is_taken_over_by_the_other_width(void **state)
{
    struct pair *pair = *state;
    peer_open(&pair->a, SAFETY_NET_NS, false);
    const uint64_t free_bytes = peer_bus_value(&pair->a, ABI_FREE_BYTES);
    create_publisher(&pair->a);
    create_subscriber(&pair->a);
    publish(&pair->a, 0, 10);
    peer_kill(&pair->a);
    peer_open(&pair->b, SAFETY_NET_NS, false);
    assert_int_equal(pair->b.opened[ABI_INDEX], 0);
    (void)ASK(&pair->b, ABI_RECOVER);
    assert_int_equal(peer_bus_value(&pair->b, ABI_FREE_BYTES), free_bytes);
    start_again(&pair->a, pair);
    assert_same_region(pair);
    create_subscriber(&pair->b);
    create_publisher(&pair->a);
    publish(&pair->a, 0, 100);
    (void)take(&pair->b, 100);
}

/* `b` is killed; `a` clears away what it left, and a new `b` gets its index. */
static void
a_killed_publisher_of_the_other_width_is_cleared_away_and_its_index_used_again(void **state)
{
    struct pair *pair = *state;
    pair_open(pair);
    const uint64_t free_bytes = peer_bus_value(&pair->a, ABI_FREE_BYTES);
    const uint64_t index = pair->b.opened[ABI_INDEX];
    const uint64_t incarnation = pair->b.opened[ABI_INCARNATION];
    create_subscriber(&pair->a);
    create_publisher(&pair->b);
    publish(&pair->b, 0, 100);
    (void)take(&pair->a, 40);
    peer_kill(&pair->b);
    assert_int_equal(ASK(&pair->a, ABI_RECOVER).value[0], 1);
    assert_int_equal(peer_bus_value(&pair->a, ABI_RECOVERED), 1);
    assert_int_equal(peer_bus_value(&pair->a, ABI_MEMBERS), 1);
    (void)take(&pair->a, 60);

    start_again(&pair->b, pair);
    assert_int_equal(pair->b.opened[ABI_INDEX], index);
    assert_int_not_equal(pair->b.opened[ABI_INCARNATION], incarnation);
    create_publisher(&pair->b);
    publish(&pair->b, 0, 10);
    const struct abi_answer taken = take(&pair->a, 10);
    assert_int_equal(taken.value[ABI_RESTARTED], 1);
    assert_int_equal(taken.value[ABI_PREVIOUS_NUMBER], 99);
    (void)ASK(&pair->b, ABI_PUBLISHER_CLOSE, 0);
    (void)ASK(&pair->a, ABI_SUBSCRIBER_CLOSE, 0);
    assert_int_equal(peer_bus_value(&pair->a, ABI_FREE_BYTES), free_bytes);
}

/* Nobody else would open the gate again; the short net is the look for the dead. */
static void a_publisher_does_not_wait_for_a_killed_subscriber_of_the_other_width(void **state)
{
    struct pair *pair = *state;
    peer_open(&pair->a, 100 * MS, false);
    peer_open(&pair->b, 100 * MS, false);
    create_subscriber(&pair->b);
    create_publisher(&pair->a);
    TELL(&pair->a, ABI_PUBLISH, 0, ABI_PUBLISH_COPY, 0, 1000, MESSAGE, MESSAGE);
    peer_await_sleep(&pair->a, &pair->b);
    peer_kill(&pair->b);
    (void)peer_hear_value(&pair->a);
    assert_int_equal(peer_bus_value(&pair->a, ABI_RECOVERED), 1);
    assert_int_equal(ASK(&pair->a, ABI_PUBLISHER_STATS, 0).value[3], 0);
}

/* 4 GiB and a little: cut to 32 bits that would be a small region, and everything in it wrong. */
static void a_region_beyond_32_bits_is_refused_to_a_32_bit_program_and_stays_whole(void **state)
{
    static const uint64_t size_bytes = (UINT64_C(4) << 30) + REGION_BYTES;
    struct pair *pair = *state;
    struct peer *wide = pair->a.width == 64 ? &pair->a : &pair->b;
    struct peer *narrow = pair->a.width == 32 ? &pair->a : &pair->b;
    struct abi_answer answer;
    peer_tell(narrow, REQUEST(ABI_OPEN, size_bytes, TOPICS_MAX, SAFETY_NET_NS, 0));
    peer_hear(narrow, &answer);
    assert_true(answer.status == PEAL_EINVAL || answer.status == PEAL_ENOMEM);
    assert_int_equal(peal_unlink(pair->url), PEAL_ENOENT);

    (void)ASK(wide, ABI_OPEN, size_bytes, TOPICS_MAX, SAFETY_NET_NS, 0);
    create_subscriber(wide);
    create_publisher(wide);
    peer_tell(narrow, REQUEST(ABI_OPEN, 0, 0, SAFETY_NET_NS, 0));
    peer_hear(narrow, &answer);
    assert_true(answer.status == PEAL_EINVAL || answer.status == PEAL_ENOMEM);
    assert_true(answer.text[0] != '\0');
    assert_int_equal(peer_bus_value(wide, ABI_REGION_BYTES), size_bytes);
    assert_int_equal(peer_bus_value(wide, ABI_MEMBERS), 1);
    publish(wide, 0, 100);
    (void)take(wide, 100);
}

static const struct CMUnitTest cases[] = {
    BOTH_WAYS(what_one_width_lays_out_the_other_attaches),
    BOTH_WAYS(a_region_outlives_those_who_laid_it_out),
    BOTH_WAYS(a_region_of_dead_processes_is_taken_over_by_the_other_width),
    BOTH_WAYS(a_killed_publisher_of_the_other_width_is_cleared_away_and_its_index_used_again),
    BOTH_WAYS(a_publisher_does_not_wait_for_a_killed_subscriber_of_the_other_width),
    BOTH_WAYS(a_region_beyond_32_bits_is_refused_to_a_32_bit_program_and_stays_whole),
};

ABI_MAIN(cases)
