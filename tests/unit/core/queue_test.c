/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Queues as their participants see them, in one thread: order, fullness, what the dead leave, who may
 * take part.
 */
#include "core/queue_consumer.h"

#include "core/audit.h"
#include "core/recover.h"
#include "tests/support/region_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static const struct peal_queue_wish plain = {.kind = PEAL_TOPIC_IS_QUEUE, .message_bytes_max = 16};
static const struct peal_queue_wish dropping = {
    .kind = PEAL_TOPIC_IS_QUEUE, .options = PEAL_QUEUE_DROPS_HELD, .message_bytes_max = 16};
static const struct peal_queue_wish in_order = {
    .kind = PEAL_TOPIC_IS_QUEUE, .options = PEAL_QUEUE_STRICT, .message_bytes_max = 16};
static const struct peal_topic_type ordered_jobs = {.queue = &in_order};
static const struct peal_topic_type jobs = {.queue = &plain};
static const struct peal_topic_type disposable_jobs = {.queue = &dropping};

static struct region_rig rig;
static struct peal_region regions[4];

static int set_up(void **state)
{
    (void)state;
    rig_open(&rig, 256, 4, 1);
    for (uint32_t i = 0; i < 4; i++)
        rig_join(&rig, i, &regions[i]);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    rig_close(&rig);
    return 0;
}

struct producer {
    struct peal_queue_producer end;
    struct peal_lane_place place;
};

static void produce(struct producer *producer, uint32_t client, const struct peal_topic_type *type,
                    uint32_t depth, enum peal_queue_full_action action)
{
    assert_int_equal(peal_queue_producer_open(&producer->end, &producer->place, &regions[client],
                                              "jobs", type, depth, action),
                     PEAL_OK);
}

static void consume(struct peal_queue_consumer *consumer, uint32_t client,
                    const struct peal_topic_type *type)
{
    assert_int_equal(peal_queue_consumer_open(consumer, &regions[client], "jobs", type), PEAL_OK);
}

static enum peal_status push(struct producer *producer, uint64_t number)
{
    return peal_queue_producer_push(&producer->end, &number, sizeof(number));
}

static uint64_t number_of(const struct peal_queue_batch *batch, uint32_t i)
{
    const void *data = NULL;
    size_t size_bytes = 0;
    uint64_t number;
    assert_true(peal_queue_batch_message(batch, i, &data, &size_bytes));
    assert_int_equal(size_bytes, sizeof(number));
    memcpy(&number, data, sizeof(number));
    return number;
}

/* Takes one message and is done with it. */
static uint64_t pop(struct peal_queue_consumer *consumer)
{
    struct peal_queue_batch batch;
    assert_int_equal(peal_queue_consumer_take(consumer, 1, &batch), PEAL_OK);
    assert_int_equal(batch.range.count, 1);
    uint64_t number = number_of(&batch, 0);
    peal_queue_consumer_finish(consumer, &batch);
    return number;
}

static void assert_empty(struct peal_queue_consumer *consumer)
{
    struct peal_queue_batch batch;
    /* Twice: with the first look it finds that a lane has ended, with the second that it is empty. */
    assert_int_equal(peal_queue_consumer_take(consumer, 8, &batch), PEAL_EMPTY);
    assert_int_equal(peal_queue_consumer_take(consumer, 8, &batch), PEAL_EMPTY);
}

static void assert_nothing_is_left(void)
{
    rig_assert_empty(&regions[0], 4);
}

static void messages_come_out_in_order_and_once(void **state)
{
    (void)state;
    struct producer producer;
    struct peal_queue_consumer consumers[2];
    consume(&consumers[0], 1, &jobs);
    produce(&producer, 0, &jobs, 8, PEAL_QUEUE_REFUSE);
    consume(&consumers[1], 2, &jobs);
    uint64_t pushed = 0;
    uint64_t popped = 0;
    for (unsigned round = 0; round < 100; round++) {
        for (unsigned i = 0; i < 1 + round % 8; i++)
            assert_int_equal(push(&producer, pushed++), PEAL_OK);
        while (popped < pushed) {
            assert_int_equal(pop(&consumers[popped % 3 % 2]), popped);
            popped++;
        }
        assert_empty(&consumers[0]);
        assert_empty(&consumers[1]);
    }
    peal_queue_producer_close(&regions[0], &producer.place);
    peal_queue_consumer_close(&consumers[0]);
    peal_queue_consumer_close(&consumers[1]);
    assert_nothing_is_left();
}

static void a_batch_goes_round_the_end_of_the_ring(void **state)
{
    (void)state;
    struct producer producer;
    struct peal_queue_consumer consumer;
    consume(&consumer, 1, &jobs);
    produce(&producer, 0, &jobs, 8, PEAL_QUEUE_REFUSE);
    uint64_t next = 0;
    for (unsigned round = 0; round < 50; round++) {
        uint64_t numbers[5][2];
        for (unsigned i = 0; i < 5; i++)
            numbers[i][0] = numbers[i][1] = next + i;
        size_t pushed;
        size_t size = round % 2 ? 16 : 8; /* of the whole cell, and less than that */
        if (size == 8) {
            for (unsigned i = 0; i < 5; i++)
                ((uint64_t *)numbers)[i] = next + i;
        }
        assert_int_equal(peal_queue_producer_push_batch(&producer.end, numbers, size, 5, &pushed),
                         PEAL_OK);
        assert_int_equal(pushed, 5);
        for (uint32_t taken = 0; taken < 5;) {
            struct peal_queue_batch batch;
            assert_int_equal(peal_queue_consumer_take(&consumer, 3, &batch), PEAL_OK);
            for (uint32_t i = 0; i < batch.range.count; i++) {
                const void *data = NULL;
                size_t size_bytes = 0;
                uint64_t number;
                assert_true(peal_queue_batch_message(&batch, i, &data, &size_bytes));
                assert_int_equal(size_bytes, size);
                memcpy(&number, (const unsigned char *)data + size - 8, 8);
                assert_int_equal(number, next + taken + i);
            }
            taken += batch.range.count;
            peal_queue_consumer_finish(&consumer, &batch);
        }
        next += 5;
    }
    peal_queue_consumer_close(&consumer);
    peal_queue_producer_close(&regions[0], &producer.place);
    assert_nothing_is_left();
}

static void a_full_lane_refuses_until_a_message_is_done_with(void **state)
{
    (void)state;
    struct producer producer;
    struct peal_queue_consumer consumer;
    struct peal_queue_batch batch;
    produce(&producer, 0, &jobs, 4, PEAL_QUEUE_REFUSE);
    consume(&consumer, 1, &jobs);
    for (uint64_t i = 0; i < 4; i++)
        assert_int_equal(push(&producer, i), PEAL_OK);
    assert_int_equal(push(&producer, 4), PEAL_FULL);
    assert_int_equal(peal_queue_consumer_take(&consumer, 2, &batch), PEAL_OK);
    assert_int_equal(push(&producer, 4), PEAL_FULL);
    assert_int_equal(number_of(&batch, 0), 0);
    peal_queue_consumer_finish(&consumer, &batch);
    assert_int_equal(push(&producer, 4), PEAL_OK);
    assert_int_equal(push(&producer, 5), PEAL_OK);
    assert_int_equal(push(&producer, 6), PEAL_FULL);
    for (uint64_t i = 2; i < 6; i++)
        assert_int_equal(pop(&consumer), i);
    peal_queue_consumer_close(&consumer);
    peal_queue_producer_close(&regions[0], &producer.place);
    assert_nothing_is_left();
}

/* Which word makes the lane full changes: the one's claim, the other's claim, the cursor. */
static void a_refused_push_finds_room_whoever_made_it(void **state)
{
    (void)state;
    struct producer producer;
    struct peal_queue_consumer consumers[2];
    struct peal_queue_batch batches[2];
    produce(&producer, 0, &jobs, 4, PEAL_QUEUE_REFUSE);
    for (uint32_t i = 0; i < 2; i++)
        consume(&consumers[i], 1 + i, &jobs);
    uint64_t pushed = 0;
    for (; pushed < 4; pushed++)
        assert_int_equal(push(&producer, pushed), PEAL_OK);
    for (uint32_t oldest = 0; oldest < 2; oldest++) {
        uint32_t newer = 1 - oldest;
        assert_int_equal(push(&producer, pushed), PEAL_FULL);
        assert_int_equal(peal_queue_consumer_take(&consumers[oldest], 1, &batches[oldest]),
                         PEAL_OK);
        assert_int_equal(push(&producer, pushed), PEAL_FULL);
        assert_int_equal(peal_queue_consumer_take(&consumers[newer], 1, &batches[newer]), PEAL_OK);
        assert_int_equal(push(&producer, pushed), PEAL_FULL);
        peal_queue_consumer_finish(&consumers[newer], &batches[newer]); /* makes no room yet */
        assert_int_equal(push(&producer, pushed), PEAL_FULL);
        assert_int_equal(push(&producer, pushed), PEAL_FULL);
        peal_queue_consumer_finish(&consumers[oldest], &batches[oldest]); /* makes room for both */
        assert_int_equal(push(&producer, pushed++), PEAL_OK);
        assert_int_equal(push(&producer, pushed++), PEAL_OK);
    }
    assert_int_equal(push(&producer, pushed), PEAL_FULL);
    assert_int_equal(pop(&consumers[0]), pushed - 4);
    assert_int_equal(push(&producer, pushed), PEAL_OK);
    for (uint64_t i = pushed - 3; i <= pushed; i++)
        assert_int_equal(pop(&consumers[i % 2]), i);
    for (uint32_t i = 0; i < 2; i++)
        peal_queue_consumer_close(&consumers[i]);
    peal_queue_producer_close(&regions[0], &producer.place);
    assert_nothing_is_left();
}

static void
a_consumer_that_found_nothing_finds_what_comes_whoever_took_what_was_before(void **state)
{
    (void)state;
    struct producer producers[2];
    struct peal_queue_consumer consumers[2];
    for (uint32_t i = 0; i < 2; i++) {
        produce(&producers[i], i, &jobs, 4, PEAL_QUEUE_REFUSE);
        consume(&consumers[i], 2 + i, &jobs);
    }
    for (uint64_t round = 0; round < 20; round++) {
        for (uint32_t i = 0; i < 2; i++)
            assert_empty(&consumers[i]);
        for (uint32_t i = 0; i < 2; i++)
            assert_int_equal(push(&producers[i], round), PEAL_OK);
        uint32_t who = (uint32_t)round % 3 % 2;
        assert_int_equal(pop(&consumers[who]), round);
        assert_int_equal(pop(&consumers[1 - who]), round);
    }
    for (uint32_t i = 0; i < 2; i++) {
        peal_queue_consumer_close(&consumers[i]);
        peal_queue_producer_close(&regions[i], &producers[i].place);
    }
    assert_nothing_is_left();
}

static void the_newest_is_dropped_and_counted_where_wished(void **state)
{
    (void)state;
    struct producer producer;
    struct peal_queue_consumer consumer;
    produce(&producer, 0, &jobs, 4, PEAL_QUEUE_DROP_NEWEST);
    for (uint64_t i = 0; i < 7; i++)
        assert_int_equal(push(&producer, i), PEAL_OK);
    assert_int_equal(producer.end.dropped_newest, 3);
    consume(&consumer, 1, &jobs);
    for (uint64_t i = 0; i < 4; i++)
        assert_int_equal(pop(&consumer), i);
    assert_empty(&consumer);
    peal_queue_producer_close(&regions[0], &producer.place);
    const struct peal_topic_queue_shared *queue = &regions[0].topics[producer.place.topic].queue;
    assert_empty(&consumer);
    assert_int_equal(peal_u64_load_relaxed(&queue->dropped_newest), 3);
    assert_int_equal(peal_u64_load_relaxed(&queue->published), 4);
    peal_queue_consumer_close(&consumer);
    assert_nothing_is_left();
}

static void the_oldest_is_dropped_and_counted_where_wished(void **state)
{
    (void)state;
    struct producer producer;
    struct peal_queue_consumer consumer;
    struct peal_queue_batch batch;
    produce(&producer, 0, &jobs, 4, PEAL_QUEUE_DROP_OLDEST);
    consume(&consumer, 1, &jobs);
    for (uint64_t i = 0; i < 7; i++)
        assert_int_equal(push(&producer, i), PEAL_OK);
    assert_int_equal(producer.end.dropped_oldest, 3);
    assert_int_equal(peal_u64_load_relaxed(&producer.end.lane->drops.oldest), 3);
    /* What a consumer has is not dropped; then it is the newest that must go. */
    assert_int_equal(peal_queue_consumer_take(&consumer, 2, &batch), PEAL_OK);
    assert_int_equal(number_of(&batch, 0), 3);
    assert_int_equal(push(&producer, 7), PEAL_OK);
    assert_int_equal(producer.end.dropped_oldest, 3);
    assert_int_equal(producer.end.dropped_newest, 1);
    assert_int_equal(number_of(&batch, 1), 4);
    peal_queue_consumer_finish(&consumer, &batch);
    for (uint64_t i = 8; i < 11; i++)
        assert_int_equal(push(&producer, i), PEAL_OK);
    assert_int_equal(producer.end.dropped_oldest, 4);
    static const uint64_t kept[] = {6, 8, 9, 10};
    for (uint32_t i = 0; i < 4; i++)
        assert_int_equal(pop(&consumer), kept[i]);
    peal_queue_consumer_close(&consumer);
    peal_queue_producer_close(&regions[0], &producer.place);
    assert_nothing_is_left();
}

static void messages_outlive_their_producer_and_wait_for_a_consumer(void **state)
{
    (void)state;
    struct producer producer;
    struct peal_queue_consumer consumer;
    produce(&producer, 0, &jobs, 8, PEAL_QUEUE_REFUSE);
    for (uint64_t i = 0; i < 3; i++)
        assert_int_equal(push(&producer, i), PEAL_OK);
    peal_queue_producer_close(&regions[0], &producer.place);
    consume(&consumer, 1, &jobs);
    for (uint64_t i = 0; i < 3; i++)
        assert_int_equal(pop(&consumer), i);
    assert_empty(&consumer);
    assert_int_equal(rig_count(&regions[0]).lanes, 0);
    peal_queue_consumer_close(&consumer);
    assert_nothing_is_left();
}

/* The region's own account finds nothing that does not fit. */
static void assert_audit_is_clean(void)
{
    struct peal_audit_options options = PEAL_AUDIT_OPTIONS_INIT;
    struct peal_audit audit = {.struct_bytes = sizeof(audit)};
    struct peal_authority authority = rig_authority(&rig);
    assert_int_equal(peal_audit_walk_region(rig.base, rig.size_bytes, &options, &authority, &audit),
                     PEAL_OK);
    for (int i = 0; i < PEAL_AUDIT_SEVERITIES; i++) {
        if (audit.findings[i])
            fail_msg("%s", audit.first);
    }
}

static void messages_outlive_a_producer_that_died(void **state)
{
    (void)state;
    struct producer producer;
    struct peal_queue_consumer consumer;
    produce(&producer, 3, &jobs, 8, PEAL_QUEUE_REFUSE);
    assert_int_equal(push(&producer, 11), PEAL_OK);
    assert_audit_is_clean();
    rig_kill(&rig, 3);
    (void)peal_recover(&regions[0]);
    assert_audit_is_clean();
    consume(&consumer, 1, &jobs);
    assert_int_equal(pop(&consumer), 11);
    assert_empty(&consumer);
    peal_queue_consumer_close(&consumer);
    rig_assert_empty(&regions[0], 3);
}

static void what_a_dead_consumer_held_is_redelivered_with_a_flag(void **state)
{
    (void)state;
    struct producer producer;
    struct peal_queue_consumer mortal;
    struct peal_queue_consumer heir;
    struct peal_queue_batch batch;
    produce(&producer, 0, &jobs, 8, PEAL_QUEUE_REFUSE);
    consume(&mortal, 3, &jobs);
    consume(&heir, 1, &jobs);
    for (uint64_t i = 0; i < 8; i++)
        assert_int_equal(push(&producer, i), PEAL_OK);
    assert_int_equal(peal_queue_consumer_take(&mortal, 3, &batch), PEAL_OK);
    assert_int_equal(pop(&heir), 3);
    assert_int_equal(push(&producer, 8), PEAL_FULL);
    rig_kill(&rig, 3);
    (void)peal_recover(&regions[2]);
    /* In parts, if less is wanted than was held. */
    assert_int_equal(peal_queue_consumer_take(&heir, 2, &batch), PEAL_OK);
    assert_true(batch.is_redelivered);
    assert_int_equal(batch.range.count, 2);
    assert_int_equal(number_of(&batch, 0), 0);
    assert_int_equal(number_of(&batch, 1), 1);
    peal_queue_consumer_finish(&heir, &batch);
    assert_int_equal(push(&producer, 8), PEAL_OK);
    assert_int_equal(peal_queue_consumer_take(&heir, 2, &batch), PEAL_OK);
    assert_true(batch.is_redelivered);
    assert_int_equal(batch.range.count, 1);
    assert_int_equal(number_of(&batch, 0), 2);
    peal_queue_consumer_finish(&heir, &batch);
    for (uint64_t i = 4; i < 9; i++)
        assert_int_equal(pop(&heir), i);
    assert_empty(&heir);
    assert_int_equal(rig_count(&regions[0]).subscribers, 1);
    peal_queue_producer_close(&regions[0], &producer.place);
    peal_queue_consumer_close(&heir);
    rig_assert_empty(&regions[0], 3);
}

static void what_a_dead_consumer_held_is_dropped_and_counted_where_wished(void **state)
{
    (void)state;
    struct producer producer;
    struct peal_queue_consumer mortal;
    struct peal_queue_consumer heir;
    struct peal_queue_batch batch;
    produce(&producer, 0, &disposable_jobs, 8, PEAL_QUEUE_REFUSE);
    consume(&mortal, 3, &disposable_jobs);
    consume(&heir, 1, &disposable_jobs);
    for (uint64_t i = 0; i < 8; i++)
        assert_int_equal(push(&producer, i), PEAL_OK);
    assert_int_equal(peal_queue_consumer_take(&mortal, 3, &batch), PEAL_OK);
    rig_kill(&rig, 3);
    (void)peal_recover(&regions[2]);
    for (uint64_t i = 3; i < 8; i++)
        assert_int_equal(pop(&heir), i);
    assert_empty(&heir);
    peal_queue_producer_close(&regions[0], &producer.place);
    assert_empty(&heir);
    const struct peal_topic_queue_shared *queue = &regions[0].topics[producer.place.topic].queue;
    assert_int_equal(peal_u64_load_relaxed(&queue->lost), 3);
    peal_queue_consumer_close(&heir);
    rig_assert_empty(&regions[0], 3);
}

static void a_consumer_that_goes_with_a_batch_leaves_it_to_the_others(void **state)
{
    (void)state;
    struct producer producer;
    struct peal_queue_consumer consumer;
    struct peal_queue_batch batch;
    produce(&producer, 0, &jobs, 8, PEAL_QUEUE_REFUSE);
    consume(&consumer, 1, &jobs);
    for (uint64_t i = 0; i < 3; i++)
        assert_int_equal(push(&producer, i), PEAL_OK);
    assert_int_equal(peal_queue_consumer_take(&consumer, 2, &batch), PEAL_OK);
    peal_queue_consumer_close(&consumer);
    peal_queue_producer_close(&regions[0], &producer.place);
    assert_audit_is_clean();
    consume(&consumer, 2, &jobs);
    assert_int_equal(peal_queue_consumer_take(&consumer, 5, &batch), PEAL_OK);
    assert_true(batch.is_redelivered);
    assert_int_equal(batch.range.count, 2);
    assert_int_equal(number_of(&batch, 1), 1);
    peal_queue_consumer_finish(&consumer, &batch);
    assert_int_equal(pop(&consumer), 2);
    assert_empty(&consumer);
    peal_queue_consumer_close(&consumer);
    assert_nothing_is_left();
}

static void a_consumer_that_lost_its_claim_withholds_nothing(void **state)
{
    (void)state;
    struct producer producer;
    struct peal_queue_consumer stopped;
    struct peal_queue_consumer consumer;
    produce(&producer, 0, &jobs, 4, PEAL_QUEUE_REFUSE);
    consume(&stopped, 3, &jobs);
    consume(&consumer, 1, &jobs);
    assert_int_equal(push(&producer, 0), PEAL_OK);
    /* As if it had been stopped between its claim and the cursor, and another was faster. */
    peal_u64_store_relaxed(stopped.joined[0].source.claim,
                           peal_queue_claim_pack(PEAL_QUEUE_CLAIMING, 0, 1));
    assert_int_equal(pop(&consumer), 0);
    for (uint64_t i = 1; i < 20; i++) {
        assert_int_equal(push(&producer, i), PEAL_OK);
        assert_int_equal(pop(&consumer), i);
    }
    rig_kill(&rig, 3);
    (void)peal_recover(&regions[0]);
    assert_empty(&consumer);
    assert_int_equal(rig_count(&regions[0]).subscribers, 1);
    peal_queue_producer_close(&regions[0], &producer.place);
    peal_queue_consumer_close(&consumer);
    rig_assert_empty(&regions[0], 3);
}

static void the_short_way_takes_what_was_seen_and_leaves_no_claim_otherwise(void **state)
{
    (void)state;
    struct producer producer;
    struct peal_queue_consumer consumer, other;
    struct peal_queue_batch batch;
    produce(&producer, 0, &jobs, 8, PEAL_QUEUE_REFUSE);
    consume(&consumer, 1, &jobs);
    consume(&other, 3, &jobs);
    assert_false(peal_queue_consumer_take_next(&consumer, &batch)); /* nothing was seen so far */
    for (uint64_t i = 0; i < 5; i++)
        assert_int_equal(push(&producer, i), PEAL_OK);
    assert_false(peal_queue_consumer_take_next(&consumer, &batch));
    assert_int_equal(pop(&consumer), 0); /* the long way: it sees all five */
    const struct peal_queue_source *source = &consumer.joined[0].source;
    assert_true(peal_queue_consumer_take_next(&consumer, &batch));
    assert_int_equal(number_of(&batch, 0), 1);
    assert_true(consumer.is_busy && !batch.is_redelivered && batch.range.count == 1);
    assert_true(peal_queue_is_won(peal_queue_cursor_load(source->lane),
                                  peal_queue_claim_load(source->claim), source->entry));
    peal_queue_consumer_finish(&consumer, &batch);
    assert_true(!consumer.is_busy && peal_queue_claim_load(source->claim) == 0);
    /* Another has moved the cursor: its claim must be made certain first, the long way does. */
    assert_int_equal(pop(&other), 2);
    assert_false(peal_queue_consumer_take_next(&consumer, &batch));
    assert_true(peal_queue_claim_load(source->claim) == 0 && !consumer.is_busy);
    assert_int_equal(pop(&consumer), 3);
    assert_int_equal(pop(&consumer), 4);
    assert_false(peal_queue_consumer_take_next(&consumer, &batch)); /* all that was seen is gone */
    assert_empty(&consumer);
    peal_queue_producer_close(&regions[0], &producer.place);
    peal_queue_consumer_close(&other);
    peal_queue_consumer_close(&consumer);
    assert_nothing_is_left();
}

/* Who knows of more messages does not put off what the dead have left until they are gone. */
static void the_short_way_is_not_taken_past_what_the_dead_left(void **state)
{
    (void)state;
    struct producer producer;
    struct peal_queue_consumer mortal, heir;
    struct peal_queue_batch batch;
    produce(&producer, 0, &jobs, 8, PEAL_QUEUE_REFUSE);
    consume(&mortal, 3, &jobs);
    consume(&heir, 1, &jobs);
    for (uint64_t i = 0; i < 6; i++)
        assert_int_equal(push(&producer, i), PEAL_OK);
    assert_int_equal(peal_queue_consumer_take(&mortal, 1, &batch), PEAL_OK);
    assert_int_equal(pop(&heir), 1);
    rig_kill(&rig, 3);
    (void)peal_recover(&regions[2]);
    assert_false(peal_queue_consumer_take_next(&heir, &batch));
    assert_int_equal(peal_queue_consumer_take(&heir, 1, &batch), PEAL_OK);
    assert_true(batch.is_redelivered);
    assert_int_equal(number_of(&batch, 0), 0);
    peal_queue_consumer_finish(&heir, &batch);
    for (uint64_t i = 2; i < 6; i++)
        assert_int_equal(pop(&heir), i);
    peal_queue_producer_close(&regions[0], &producer.place);
    peal_queue_consumer_close(&heir);
    rig_assert_empty(&regions[0], 3);
}

/* Singles, too, go from lane to lane: one that is always full does not keep the others waiting. */
static void no_lane_is_stayed_at_for_ever_by_the_short_way(void **state)
{
    (void)state;
    struct producer producers[2];
    struct peal_queue_consumer consumer;
    produce(&producers[0], 0, &jobs, 256, PEAL_QUEUE_REFUSE);
    produce(&producers[1], 3, &jobs, 256, PEAL_QUEUE_REFUSE);
    consume(&consumer, 1, &jobs);
    for (uint64_t i = 0; i < 256; i++) {
        assert_int_equal(push(&producers[0], i), PEAL_OK);
        assert_int_equal(push(&producers[1], 1000 + i), PEAL_OK);
    }
    unsigned run = 0, longest = 0;
    bool before = false;
    for (unsigned i = 0; i < 512; i++) {
        bool is_second = pop(&consumer) >= 1000;
        run = i > 0 && is_second == before ? run + 1 : 1;
        longest = run > longest ? run : longest;
        before = is_second;
    }
    assert_in_range(longest, 1, PEAL_QUEUE_STAY);
    assert_empty(&consumer);
}

static void who_moves_the_cursor_on_makes_the_claim_before_certain(void **state)
{
    (void)state;
    struct producer producer;
    struct peal_queue_consumer mortal;
    struct peal_queue_consumer consumer;
    struct peal_queue_batch batch;
    produce(&producer, 0, &jobs, 4, PEAL_QUEUE_REFUSE);
    consume(&mortal, 3, &jobs);
    consume(&consumer, 1, &jobs);
    for (uint64_t i = 0; i < 4; i++)
        assert_int_equal(push(&producer, i), PEAL_OK);
    assert_int_equal(peal_queue_consumer_take(&mortal, 1, &batch), PEAL_OK);
    const peal_u64 *claim = mortal.joined[0].source.claim;
    assert_int_equal(peal_queue_claim_state(peal_u64_load_relaxed(claim)), PEAL_QUEUE_CLAIMING);
    assert_int_equal(pop(&consumer), 1);
    assert_int_equal(peal_queue_claim_state(peal_u64_load_relaxed(claim)), PEAL_QUEUE_CLAIMED);
    assert_int_equal(push(&producer, 4), PEAL_FULL);
    peal_queue_consumer_finish(&mortal, &batch);
    assert_int_equal(push(&producer, 4), PEAL_OK);
    assert_int_equal(push(&producer, 5), PEAL_OK);
    assert_int_equal(push(&producer, 6), PEAL_FULL);
}

static void a_strict_queue_keeps_one_order_over_all_producers(void **state)
{
    (void)state;
    struct producer producers[3];
    struct peal_queue_consumer consumers[2];
    consume(&consumers[0], 3, &ordered_jobs);
    for (uint32_t i = 0; i < 2; i++)
        produce(&producers[i], i, &ordered_jobs, 16, PEAL_QUEUE_REFUSE);
    consume(&consumers[1], 2, &ordered_jobs);
    uint64_t random = 7;
    uint64_t pushed = 0;
    uint64_t popped = 0;
    for (unsigned round = 0; round < 300; round++) {
        /* The third comes while messages of the others wait. */
        if (round == 100)
            produce(&producers[2], 2, &ordered_jobs, 16, PEAL_QUEUE_REFUSE);
        for (uint64_t i = rig_random(&random) % 8; i > 0; i--) {
            uint64_t which = rig_random(&random) % (round < 100 ? 2 : 3);
            if (push(&producers[which], pushed) == PEAL_OK)
                pushed++;
        }
        uint32_t which = (uint32_t)rig_random(&random) % 2;
        struct peal_queue_batch batch;
        if (peal_queue_consumer_take(&consumers[which], 3, &batch) != PEAL_OK)
            continue;
        for (uint32_t i = 0; i < batch.range.count; i++)
            assert_int_equal(number_of(&batch, i), popped++);
        peal_queue_consumer_finish(&consumers[which], &batch);
    }
    peal_queue_producer_close(&regions[0], &producers[0].place);
    while (popped < pushed)
        assert_int_equal(pop(&consumers[0]), popped++);
    assert_empty(&consumers[0]);
    assert_empty(&consumers[1]);
    assert_int_equal(rig_count(&regions[0]).lanes, 2);
    for (uint32_t i = 1; i < 3; i++)
        peal_queue_producer_close(&regions[i], &producers[i].place);
    peal_queue_consumer_close(&consumers[0]);
    peal_queue_consumer_close(&consumers[1]);
    assert_nothing_is_left();
}

static void a_place_in_the_order_that_is_never_filled_is_waited_for_by_nobody(void **state)
{
    (void)state;
    struct producer producers[2];
    struct peal_queue_consumer consumer;
    consume(&consumer, 2, &ordered_jobs);
    for (uint32_t i = 0; i < 2; i++)
        produce(&producers[i], i, &ordered_jobs, 16, PEAL_QUEUE_REFUSE);
    assert_int_equal(push(&producers[0], 1), PEAL_OK);
    /* As if it had been stopped between its ticket and its message. */
    peal_queue_producer_order(&producers[0].end, 1, 1);
    assert_int_equal(push(&producers[1], 2), PEAL_OK);
    assert_int_equal(pop(&consumer), 1);
    assert_int_equal(pop(&consumer), 2);
    assert_empty(&consumer);
}

static void topics_and_queues_do_not_mix(void **state)
{
    (void)state;
    struct peal_queue_consumer consumer;
    struct peal_queue_consumer other;
    uint32_t topic;
    uint32_t entry;
    uint64_t word;
    static const struct peal_queue_wish large = {.kind = PEAL_TOPIC_IS_QUEUE,
                                                 .message_bytes_max = 17};
    static const struct peal_topic_type large_jobs = {.queue = &large};
    consume(&consumer, 1, &jobs);
    assert_int_equal(peal_topic_subscribe(&regions[2], "jobs", NULL, 0, &topic, &entry, &word),
                     PEAL_EMISMATCH);
    assert_int_equal(peal_queue_consumer_open(&other, &regions[2], "jobs", &large_jobs),
                     PEAL_EMISMATCH);
    assert_int_equal(peal_queue_consumer_open(&other, &regions[2], "jobs", &disposable_jobs),
                     PEAL_EMISMATCH);
    peal_queue_consumer_close(&consumer);
    assert_nothing_is_left();
    assert_int_equal(peal_topic_subscribe(&regions[2], "jobs", NULL, 0, &topic, &entry, &word),
                     PEAL_OK);
    assert_int_equal(peal_queue_consumer_open(&other, &regions[1], "jobs", &jobs), PEAL_EMISMATCH);
    peal_topic_unsubscribe(&regions[2], topic, entry, word);
    assert_nothing_is_left();
}

static void as_many_push_as_the_queue_has_lanes(void **state)
{
    (void)state;
    enum { MOST = PEAL_TOPIC_LANES_MAX };
    static struct producer producers[MOST];
    struct producer another;
    struct peal_queue_consumer consumer;
    bool has_come[MOST + 1] = {false};
    consume(&consumer, 1, &jobs);
    for (uint32_t i = 0; i < MOST; i++) {
        produce(&producers[i], i % 4, &jobs, 4, PEAL_QUEUE_REFUSE);
        assert_int_equal(push(&producers[i], i), PEAL_OK);
    }
    assert_int_equal(peal_queue_producer_open(&another.end, &another.place, &regions[2], "jobs",
                                              &jobs, 4, PEAL_QUEUE_REFUSE),
                     PEAL_ELIMIT);
    /* An ended one's lane is needed until its message has been popped. */
    peal_queue_producer_close(&regions[5 % 4], &producers[5].place);
    assert_int_equal(peal_queue_producer_open(&another.end, &another.place, &regions[2], "jobs",
                                              &jobs, 4, PEAL_QUEUE_REFUSE),
                     PEAL_ELIMIT);
    for (uint32_t i = 0; i < MOST; i++) {
        uint64_t number = pop(&consumer);
        assert_in_range(number, 0, MOST - 1);
        assert_false(has_come[number]);
        has_come[number] = true;
    }
    assert_empty(&consumer);
    produce(&another, 2, &jobs, 4, PEAL_QUEUE_REFUSE);
    assert_int_equal(push(&another, MOST), PEAL_OK);
    assert_int_equal(pop(&consumer), MOST);
    peal_queue_producer_close(&regions[2], &another.place);
    for (uint32_t i = 0; i < MOST; i++) {
        if (i != 5)
            peal_queue_producer_close(&regions[i % 4], &producers[i].place);
    }
    peal_queue_consumer_close(&consumer);
    assert_nothing_is_left();
}

static void a_message_that_is_too_long_is_refused(void **state)
{
    (void)state;
    struct producer producer;
    unsigned char bytes[17 * 2] = {0};
    size_t pushed;
    produce(&producer, 0, &jobs, 4, PEAL_QUEUE_DROP_OLDEST);
    assert_int_equal(peal_queue_producer_push(&producer.end, bytes, 17), PEAL_EMSGSIZE);
    assert_int_equal(peal_queue_producer_push_batch(&producer.end, bytes, 17, 2, &pushed),
                     PEAL_EMSGSIZE);
    assert_int_equal(pushed, 0);
    assert_int_equal(peal_queue_producer_push(&producer.end, bytes, 16), PEAL_OK);
    assert_int_equal(peal_queue_producer_push(&producer.end, bytes, 0), PEAL_OK);
    peal_queue_producer_close(&regions[0], &producer.place);
}

static void shapes_that_make_no_sense_are_refused(void **state)
{
    (void)state;
    struct producer producer;
    static const uint32_t depths[] = {0, 1, 3, 6, PEAL_QUEUE_DEPTH_MAX * 2, UINT32_MAX};
    for (size_t i = 0; i < sizeof(depths) / sizeof(depths[0]); i++)
        assert_int_equal(peal_queue_producer_open(&producer.end, &producer.place, &regions[0],
                                                  "jobs", &jobs, depths[i], PEAL_QUEUE_REFUSE),
                         PEAL_EINVAL);
    assert_int_equal(peal_queue_producer_open(&producer.end, &producer.place, &regions[0], "jobs",
                                              &jobs, PEAL_QUEUE_DEPTH_MAX, PEAL_QUEUE_REFUSE),
                     PEAL_ENOSPC);
    assert_nothing_is_left();
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(messages_come_out_in_order_and_once),
        TEST(a_batch_goes_round_the_end_of_the_ring),
        TEST(a_full_lane_refuses_until_a_message_is_done_with),
        TEST(a_refused_push_finds_room_whoever_made_it),
        TEST(a_consumer_that_found_nothing_finds_what_comes_whoever_took_what_was_before),
        TEST(the_newest_is_dropped_and_counted_where_wished),
        TEST(the_oldest_is_dropped_and_counted_where_wished),
        TEST(messages_outlive_their_producer_and_wait_for_a_consumer),
        TEST(messages_outlive_a_producer_that_died),
        TEST(what_a_dead_consumer_held_is_redelivered_with_a_flag),
        TEST(what_a_dead_consumer_held_is_dropped_and_counted_where_wished),
        TEST(a_consumer_that_goes_with_a_batch_leaves_it_to_the_others),
        TEST(a_consumer_that_lost_its_claim_withholds_nothing),
        TEST(the_short_way_takes_what_was_seen_and_leaves_no_claim_otherwise),
        TEST(the_short_way_is_not_taken_past_what_the_dead_left),
        TEST(no_lane_is_stayed_at_for_ever_by_the_short_way),
        TEST(who_moves_the_cursor_on_makes_the_claim_before_certain),
        TEST(a_strict_queue_keeps_one_order_over_all_producers),
        TEST(a_place_in_the_order_that_is_never_filled_is_waited_for_by_nobody),
        TEST(topics_and_queues_do_not_mix),
        TEST(as_many_push_as_the_queue_has_lanes),
        TEST(a_message_that_is_too_long_is_refused),
        TEST(shapes_that_make_no_sense_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
