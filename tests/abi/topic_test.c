/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Messages from programs of one width to those of the other: contents, numbers, losses.
 */
#include "tests/abi/pair.h"

#include <inttypes.h>

#define TOPIC 1
#define SCHEMA 77

/* A stream of messages from `a` to `b`. */
struct stream {
    uint64_t message_bytes_max;
    uint64_t depth;
    uint64_t payload_bytes;
    uint64_t options;
    uint64_t messages;
    uint64_t least;
    uint64_t most;
};

static void create_publisher(struct peer *peer, const struct stream *stream, uint64_t policy)
{
    (void)ASK(peer, ABI_PUBLISHER_CREATE, 0, TOPIC, stream->message_bytes_max, stream->depth,
              stream->options, policy, SCHEMA, stream->payload_bytes);
}

static void create_subscriber(struct peer *peer, enum peal_reliability reliability)
{
    (void)ASK(peer, ABI_SUBSCRIBER_CREATE, 0, TOPIC, reliability, 0, SCHEMA);
}

static void tell_publish(struct peer *peer, const struct stream *stream, enum abi_publish_way way,
                         uint64_t from, uint64_t end)
{
    TELL(peer, ABI_PUBLISH, 0, way, from, end, stream->least, stream->most);
}

static void tell_take(struct peer *peer, const struct stream *stream, enum abi_take_way way,
                      uint64_t total)
{
    TELL(peer, ABI_TAKE, 0, way, total, stream->least, stream->most, stream->options);
}

/* Reliable, and both at work at once: every message arrives, the first and the last as well. */
static void run_stream(struct pair *pair, const struct stream *stream, enum abi_publish_way publish,
                       enum abi_take_way take)
{
    create_subscriber(&pair->b, PEAL_RELIABLE);
    create_publisher(&pair->a, stream, PEAL_FULL_WAIT);
    tell_take(&pair->b, stream, take, stream->messages);
    tell_publish(&pair->a, stream, publish, 0, stream->messages);
    (void)peer_hear_value(&pair->a);
    const struct abi_answer taken = peer_hear_value(&pair->b);
    assert_int_equal(taken.value[ABI_DELIVERED], stream->messages);
    assert_int_equal(taken.value[ABI_LOST], 0);
    const struct abi_answer published = ASK(&pair->a, ABI_PUBLISHER_STATS, 0);
    assert_int_equal(published.value[0], stream->messages);
    assert_int_equal(published.value[3], 1);
    const struct abi_answer stats = ASK(&pair->b, ABI_SUBSCRIBER_STATS, 0);
    assert_int_equal(stats.value[0], stream->messages);
    assert_int_equal(stats.value[1], 0);
    assert_int_equal(stats.value[2], 0);
    (void)ASK(&pair->a, ABI_PUBLISHER_CLOSE, 0);
    (void)ASK(&pair->b, ABI_SUBSCRIBER_CLOSE, 0);
}

static void run_all_ways(struct pair *pair, const struct stream *stream)
{
    pair_open(pair);
    const uint64_t free_bytes = peer_bus_value(&pair->b, ABI_FREE_BYTES);
    for (unsigned publish = 0; publish < ABI_PUBLISH_WAYS; publish++) {
        struct stream varied = *stream;
        if (publish == ABI_PUBLISH_LOAN_BATCH)
            varied.least = varied.most;
        for (unsigned take = 0; take < ABI_TAKE_WAYS; take++)
            run_stream(pair, &varied, (enum abi_publish_way)publish, (enum abi_take_way)take);
    }
    assert_int_equal(peer_bus_value(&pair->b, ABI_FREE_BYTES), free_bytes);
    assert_int_equal(peer_bus_value(&pair->a, ABI_SAFETY_NET_FINDS), 0);
    assert_int_equal(peer_bus_value(&pair->b, ABI_SAFETY_NET_FINDS), 0);
}

static void small_messages_arrive_whole_in_every_way_of_publishing_and_taking(void **state)
{
    run_all_ways(*state, &(struct stream){.depth = 64, .messages = 5000, .least = 48, .most = 48});
}

static void messages_of_0_to_200_bytes_arrive_with_their_sizes(void **state)
{
    run_all_ways(
        *state,
        &(struct stream){
            .message_bytes_max = 200, .depth = 32, .messages = 2010, .least = 0, .most = 200});
}

static void messages_arrive_with_their_time_and_checksum(void **state)
{
    run_all_ways(*state, &(struct stream){.message_bytes_max = 200,
                                          .depth = 32,
                                          .options = ABI_TIMESTAMP | ABI_CRC32C,
                                          .messages = 1005,
                                          .least = 0,
                                          .most = 200});
}

static void messages_of_64_kib_arrive_through_the_payload_ring(void **state)
{
    run_all_ways(*state, &(struct stream){.message_bytes_max = 65536,
                                          .depth = 16,
                                          .options = ABI_TIMESTAMP | ABI_CRC32C,
                                          .messages = 100,
                                          .least = 65536,
                                          .most = 65536});
}

static void messages_of_all_sizes_to_64_kib_share_slots_and_payload_ring(void **state)
{
    run_all_ways(*state, &(struct stream){.message_bytes_max = 65536,
                                          .depth = 16,
                                          .payload_bytes = 3 * 65536,
                                          .messages = 150,
                                          .least = 0,
                                          .most = 65536});
}

static void both_widths_publish_to_subscribers_of_both_on_one_topic(void **state)
{
    static const struct stream stream = {.message_bytes_max = 200,
                                         .depth = 32,
                                         .options = ABI_CRC32C,
                                         .messages = 4000,
                                         .least = 0,
                                         .most = 200};
    struct pair *pair = *state;
    struct peer extra = {.width = 0};
    struct peer *takers[] = {&pair->b, &extra};
    peer_start(&extra, pair->a.width, pair->url);
    pair_open(pair);
    peer_open(&extra, SAFETY_NET_NS, false);
    create_subscriber(&pair->b, PEAL_RELIABLE);
    create_subscriber(&extra, PEAL_RELIABLE);
    create_publisher(&pair->a, &stream, PEAL_FULL_WAIT);
    struct peer second = {.width = 0};
    peer_start(&second, pair->b.width, pair->url);
    peer_open(&second, SAFETY_NET_NS, false);
    create_publisher(&second, &stream, PEAL_FULL_WAIT);
    tell_take(takers[0], &stream, ABI_TAKE_COPY, 2 * stream.messages);
    tell_take(takers[1], &stream, ABI_TAKE_BATCH, 2 * stream.messages);
    tell_publish(&pair->a, &stream, ABI_PUBLISH_COPY, 0, stream.messages);
    tell_publish(&second, &stream, ABI_PUBLISH_BATCH, 0, stream.messages);
    (void)peer_hear_value(&pair->a);
    (void)peer_hear_value(&second);
    for (size_t i = 0; i < COUNT(takers); i++) {
        const struct abi_answer taken = peer_hear_value(takers[i]);
        assert_int_equal(taken.value[ABI_DELIVERED], 2 * stream.messages);
        assert_int_equal(taken.value[ABI_LOST], 0);
    }
    peer_end(&extra);
    peer_end(&second);
}

/* What was published is what the subscriber counts, when all is done. */
static void assert_nothing_is_lost_silently(struct pair *pair, uint64_t published,
                                            const struct abi_answer *taken)
{
    const struct abi_answer stats = ASK(&pair->b, ABI_SUBSCRIBER_STATS, 0);
    const struct abi_answer sent = ASK(&pair->a, ABI_PUBLISHER_STATS, 0);
    assert_int_equal(sent.value[0], published);
    assert_int_equal(stats.value[0] + stats.value[1], published);
    assert_int_equal(stats.value[2], 0);
    assert_int_equal(taken->value[ABI_DELIVERED] + taken->value[ABI_LOST] +
                         taken->value[ABI_ELAPSED],
                     published);
    assert_int_equal(stats.value[0], taken->value[ABI_DELIVERED]);
}

static void a_best_effort_subscriber_is_told_exactly_what_it_missed(void **state)
{
    static const struct stream streams[] = {
        {.depth = 16, .least = 48, .most = 48},
        {.message_bytes_max = 200, .depth = 16, .options = ABI_TIMESTAMP, .most = 200},
        {.message_bytes_max = 65536, .depth = 8, .payload_bytes = 4 * 65536, .most = 65536},
    };
    struct pair *pair = *state;
    pair_open(pair);
    for (size_t i = 0; i < COUNT(streams); i++) {
        create_subscriber(&pair->b, PEAL_BEST_EFFORT);
        create_publisher(&pair->a, &streams[i], PEAL_FULL_WAIT);
        tell_publish(&pair->a, &streams[i], ABI_PUBLISH_COPY, 0, 100);
        (void)peer_hear_value(&pair->a);
        tell_take(&pair->b, &streams[i], ABI_TAKE_COPY, 100);
        const struct abi_answer taken = peer_hear_value(&pair->b);
        assert_in_range(taken.value[ABI_DELIVERED], 1, streams[i].depth);
        assert_nothing_is_lost_silently(pair, 100, &taken);
        (void)ASK(&pair->a, ABI_PUBLISHER_CLOSE, 0);
        (void)ASK(&pair->b, ABI_SUBSCRIBER_CLOSE, 0);
    }
}

static void a_subscriber_that_is_lapped_while_it_takes_misses_nothing_silently(void **state)
{
    static const struct stream streams[] = {
        {.depth = 4, .messages = 200000, .least = 48, .most = 48},
        {.message_bytes_max = 1000, .depth = 4, .messages = 50000, .most = 1000},
        {.message_bytes_max = 65536, .depth = 4, .messages = 2000, .most = 65536},
    };
    struct pair *pair = *state;
    pair_open(pair);
    for (size_t i = 0; i < COUNT(streams); i++) {
        for (unsigned way = 0; way < ABI_TAKE_WAYS; way++) {
            const uint64_t messages = streams[i].messages / ABI_TAKE_WAYS;
            create_subscriber(&pair->b, PEAL_BEST_EFFORT);
            create_publisher(&pair->a, &streams[i], PEAL_FULL_WAIT);
            tell_take(&pair->b, &streams[i], (enum abi_take_way)way, messages);
            tell_publish(&pair->a, &streams[i], ABI_PUBLISH_COPY, 0, messages);
            (void)peer_hear_value(&pair->a);
            const struct abi_answer taken = peer_hear_value(&pair->b);
            assert_nothing_is_lost_silently(pair, messages, &taken);
            (void)ASK(&pair->a, ABI_PUBLISHER_CLOSE, 0);
            (void)ASK(&pair->b, ABI_SUBSCRIBER_CLOSE, 0);
        }
    }
}

static void a_late_subscriber_gets_the_history_that_the_other_width_keeps(void **state)
{
    static const struct stream stream = {.depth = 16, .least = 8, .most = 40};
    struct pair *pair = *state;
    pair_open(pair);
    create_publisher(&pair->a, &stream, PEAL_FULL_WAIT);
    tell_publish(&pair->a, &stream, ABI_PUBLISH_COPY, 0, 100);
    (void)peer_hear_value(&pair->a);
    (void)ASK(&pair->b, ABI_SUBSCRIBER_CREATE, 0, TOPIC, PEAL_RELIABLE, 5, SCHEMA);
    tell_take(&pair->b, &stream, ABI_TAKE_COPY, 5);
    const struct abi_answer taken = peer_hear_value(&pair->b);
    assert_int_equal(taken.value[ABI_DELIVERED], 5);
    tell_publish(&pair->a, &stream, ABI_PUBLISH_COPY, 100, 101);
    (void)peer_hear_value(&pair->a);
    tell_take(&pair->b, &stream, ABI_TAKE_COPY, 1);
    assert_int_equal(peer_hear_value(&pair->b).value[ABI_DELIVERED], 1);
}

static void types_agree_and_disagree_across_widths(void **state)
{
    static const struct stream stream = {.depth = 16};
    struct pair *pair = *state;
    pair_open(pair);
    create_publisher(&pair->a, &stream, PEAL_FULL_WAIT);
    peer_expect(
        &pair->b, PEAL_EMISMATCH,
        REQUEST(ABI_SUBSCRIBER_CREATE, 0, TOPIC, PEAL_RELIABLE, 0, SCHEMA | UINT64_C(1) << 63));
    create_subscriber(&pair->b, PEAL_RELIABLE);
    assert_int_equal(ASK(&pair->a, ABI_PUBLISHER_STATS, 0).value[2], 1);
}

static const struct CMUnitTest cases[] = {
    BOTH_WAYS(small_messages_arrive_whole_in_every_way_of_publishing_and_taking),
    BOTH_WAYS(messages_of_0_to_200_bytes_arrive_with_their_sizes),
    BOTH_WAYS(messages_arrive_with_their_time_and_checksum),
    BOTH_WAYS(messages_of_64_kib_arrive_through_the_payload_ring),
    BOTH_WAYS(messages_of_all_sizes_to_64_kib_share_slots_and_payload_ring),
    BOTH_WAYS(both_widths_publish_to_subscribers_of_both_on_one_topic),
    BOTH_WAYS(a_best_effort_subscriber_is_told_exactly_what_it_missed),
    BOTH_WAYS(a_subscriber_that_is_lapped_while_it_takes_misses_nothing_silently),
    BOTH_WAYS(a_late_subscriber_gets_the_history_that_the_other_width_keeps),
    BOTH_WAYS(types_agree_and_disagree_across_widths),
};

ABI_MAIN(cases)
