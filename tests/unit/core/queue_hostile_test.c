/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A peer writes what it likes into a queue: whatever it is, nobody leaves the lane's bounds, every call
 * ends, and other queues are not touched. Best run with AddressSanitizer.
 */
#include "core/queue_consumer.h"

#include "core/recover.h"
#include "tests/support/random.h"
#include "tests/support/region_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

enum { DEPTH = 8, BYTES = 16 };

static const struct peal_queue_wish wish = {.kind = PEAL_TOPIC_IS_QUEUE,
                                            .message_bytes_max = BYTES};
static const struct peal_topic_type jobs = {.queue = &wish};

static struct region_rig rig;
static struct peal_region regions[3];
static struct peal_queue_producer producer;
static struct peal_lane_place place;
static struct peal_queue_consumer consumer;
static struct peal_queue_lane_shared *lane;

static void open_queue(uint64_t seed)
{
    rig_open(&rig, 64, 2, seed);
    for (uint32_t i = 0; i < 3; i++)
        rig_join(&rig, i, &regions[i]);
    assert_int_equal(peal_queue_consumer_open(&consumer, &regions[1], "jobs", &jobs), PEAL_OK);
    assert_int_equal(peal_queue_producer_open(&producer, &place, &regions[0], "jobs", &jobs, DEPTH,
                                              PEAL_QUEUE_REFUSE),
                     PEAL_OK);
    lane = producer.lane;
}

static int set_up(void **state)
{
    (void)state;
    open_queue(1);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    rig_close(&rig);
    return 0;
}

static void push(unsigned count)
{
    for (uint64_t i = 0; i < count; i++)
        assert_int_equal(peal_queue_producer_push(&producer, &i, sizeof(i)), PEAL_OK);
}

/* What was handed out lies in the lane. Returns how many messages were sound. */
static uint32_t look_through(const struct peal_queue_batch *batch, uint32_t wanted)
{
    uint32_t sound = 0;
    const unsigned char *begin = batch->source->cells;
    const unsigned char *end = begin + DEPTH * BYTES;
    assert_in_range(batch->range.count, 1, wanted);
    for (uint32_t i = 0; i < batch->range.count; i++) {
        const void *data = NULL;
        size_t size_bytes = 0;
        if (!peal_queue_batch_message(batch, i, &data, &size_bytes))
            continue;
        const unsigned char *bytes = data;
        assert_true(bytes >= begin && bytes < end && size_bytes <= (size_t)(end - bytes));
        assert_true(size_bytes <= BYTES);
        sound++;
    }
    return sound;
}

static void a_message_longer_than_its_cell_is_not_handed_out(void **state)
{
    (void)state;
    struct peal_queue_batch batch;
    push(3);
    peal_u32_store_relaxed(&producer.lengths[1], BYTES + 1);
    assert_int_equal(peal_queue_consumer_take(&consumer, 3, &batch), PEAL_OK);
    assert_int_equal(look_through(&batch, 3), 2);
    peal_u32_store_relaxed(&producer.lengths[1], UINT32_MAX);
    assert_int_equal(look_through(&batch, 3), 2);
    peal_u32_store_relaxed(&producer.lengths[1], BYTES);
    assert_int_equal(look_through(&batch, 3), 3);
}

static void a_producer_that_is_ahead_by_more_than_the_ring_is_given_up(void **state)
{
    (void)state;
    struct peal_queue_batch batch;
    static const uint64_t lies[] = {DEPTH + 1, UINT64_C(1) << 47, (UINT64_C(1) << 48) - 1,
                                    UINT64_MAX};
    for (size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
        peal_u64_store_relaxed(&lane->producer.published, lies[i]);
        assert_int_equal(peal_queue_consumer_take(&consumer, 3, &batch), PEAL_ECORRUPT);
        assert_int_equal(consumer.joined_count, 0);
        peal_queue_consumer_close(&consumer);
        assert_int_equal(peal_queue_consumer_open(&consumer, &regions[1], "jobs", &jobs), PEAL_OK);
    }
    peal_u64_store_relaxed(&lane->producer.published, DEPTH);
    assert_int_equal(peal_queue_consumer_take(&consumer, 3, &batch), PEAL_OK);
}

static void a_cursor_beyond_the_producer_does_not_open_the_gate(void **state)
{
    (void)state;
    push(DEPTH);
    static const uint64_t lies[] = {DEPTH + 1, 2 * DEPTH, UINT64_C(1) << 47};
    for (size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
        uint64_t word = 0;
        peal_u64_store_relaxed(&lane->consumers.cursor, peal_queue_cursor_pack(lies[i], 1));
        assert_int_equal(peal_queue_producer_push(&producer, &word, sizeof(word)), PEAL_ECORRUPT);
        assert_int_equal(producer.limit, DEPTH);
    }
}

static void a_claim_that_no_honest_consumer_makes_gates_nobody(void **state)
{
    (void)state;
    struct peal_queue_batch batch;
    push(DEPTH);
    assert_int_equal(peal_queue_consumer_take(&consumer, DEPTH, &batch), PEAL_OK);
    peal_queue_consumer_finish(&consumer, &batch);
    static const struct {
        uint64_t from;
        uint32_t count;
    } lies[] = {{0, 0}, {DEPTH, 1}, {DEPTH - 1, 2}, {0, DEPTH + 1}, {UINT64_C(1) << 47, 1}};
    for (size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
        uint64_t claim = peal_queue_claim_pack(PEAL_QUEUE_CLAIMED, lies[i].from, lies[i].count);
        peal_u64_store_relaxed(&lane->readers[9].claim, claim);
        assert_int_equal(peal_queue_producer_gate(&producer), PEAL_OK);
        assert_int_equal(producer.limit, 2 * DEPTH);
    }
}

static void a_cursor_that_names_nobody_is_helped_on(void **state)
{
    (void)state;
    struct peal_queue_batch batch;
    push(3);
    for (uint32_t claimant = PEAL_QUEUE_PRODUCER; claimant < 256; claimant += 17)
        peal_u64_store_relaxed(&lane->consumers.cursor, peal_queue_cursor_pack(0, claimant));
    assert_int_equal(peal_queue_consumer_take(&consumer, 3, &batch), PEAL_OK);
    assert_int_equal(look_through(&batch, 3), 3);
}

static void a_lane_whose_shape_does_not_fit_its_pages_is_not_joined(void **state)
{
    (void)state;
    struct peal_queue_consumer other;
    struct peal_queue_batch batch;
    assert_int_equal(peal_queue_consumer_take(&consumer, 1, &batch), PEAL_EMPTY);
    static const struct {
        uint32_t depth, cell_bytes, message_bytes_max;
    } lies[] = {{DEPTH * 1024, BYTES, BYTES},
                {DEPTH, 8, BYTES},
                {DEPTH, BYTES, 4096},
                {3, BYTES, BYTES},
                {0, BYTES, BYTES},
                {DEPTH, 0, 0},
                {UINT32_MAX, BYTES, BYTES},
                {DEPTH, BYTES, UINT32_MAX},
                {1u << 31, 8, 8}};
    for (size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
        peal_u32_store_relaxed(&lane->geometry.depth, lies[i].depth);
        peal_u32_store_relaxed(&lane->geometry.cell_bytes, lies[i].cell_bytes);
        peal_u32_store_relaxed(&lane->geometry.message_bytes_max, lies[i].message_bytes_max);
        assert_int_equal(peal_queue_consumer_open(&other, &regions[2], "jobs", &jobs), PEAL_OK);
        assert_int_equal(other.joined_count, 0);
        peal_queue_consumer_close(&other);
    }
    /* Who has joined before keeps the shape that it has seen. */
    push(3);
    assert_int_equal(peal_queue_consumer_take(&consumer, 3, &batch), PEAL_OK);
    assert_int_equal(look_through(&batch, 3), 3);
}

/* ---- anything, anywhere ---- */

static uint64_t lie(uint64_t *seed, uint64_t truth)
{
    switch (random_below(seed, 6)) {
    case 0:
        return random_next(seed);
    case 1:
        return truth + random_below(seed, 5) - 2;
    case 2:
        return truth ^ UINT64_C(1) << random_below(seed, 64);
    case 3:
        return peal_queue_claim_pack(random_below(seed, 4), random_below(seed, 40),
                                     random_below(seed, 12));
    case 4:
        return peal_queue_cursor_pack(random_below(seed, 40), random_below(seed, 40));
    default:
        return 0;
    }
}

/* The words that decide something. */
static void scribble(uint64_t *seed)
{
    struct peal_topic_shared *topic = &regions[0].topics[place.topic];
    peal_u64 *const targets[] = {
        &lane->producer.published,
        &lane->consumers.cursor,
        &lane->drops.claim,
        &lane->drops.oldest_after,
        &lane->readers[random_below(seed, PEAL_TOPIC_SUBSCRIBERS_MAX)].claim,
        &lane->readers[random_below(seed, 3)].claim,
        &lane->readers[random_below(seed, 3)].tag,
        &lane->readers[random_below(seed, 3)].lost_claim,
        (peal_u64 *)(void *)&lane->geometry + random_below(seed, 5),
        (peal_u64 *)(void *)(producer.lengths) + random_below(seed, DEPTH / 2),
        &topic->subscribers[random_below(seed, 3)],
        &topic->subscriber_flags[random_below(seed, 3)],
        &topic->lanes[random_below(seed, 3)].owner,
        &topic->lane_epoch,
        &topic->subscriber_epoch,
        (peal_u64 *)(void *)&topic->queue + random_below(seed, 3),
    };
    peal_u64 *target = targets[random_below(seed, sizeof(targets) / sizeof(targets[0]))];
    peal_u64_store_relaxed(target, lie(seed, peal_u64_load_relaxed(target)));
}

static void honest_step(uint64_t *seed)
{
    struct peal_queue_batch batch;
    uint64_t words[2 * 4] = {0};
    size_t pushed;
    uint32_t wanted = 1 + random_below(seed, 2 * DEPTH);
    switch (random_below(seed, 8)) {
    case 0:
    case 1:
        (void)peal_queue_producer_push(&producer, words, random_below(seed, BYTES + 1));
        break;
    case 2:
        (void)peal_queue_producer_push_batch(&producer, words, BYTES, 4, &pushed);
        assert_true(pushed <= 4);
        break;
    case 3:
        (void)peal_recover(&regions[2]);
        break;
    default:
        if (peal_queue_consumer_take(&consumer, wanted, &batch) == PEAL_OK) {
            (void)look_through(&batch, wanted);
            peal_queue_consumer_finish(&consumer, &batch);
        }
    }
}

static void whatever_a_peer_writes_nobody_leaves_the_lane(void **state)
{
    (void)state;
    uint64_t seed = random_seed();
    for (unsigned round = 0; round < 1500; round++) {
        open_queue(seed);
        producer.action = random_below(&seed, 3);
        for (unsigned step = 0; step < 60; step++) {
            if (random_below(&seed, 3) == 0)
                scribble(&seed);
            honest_step(&seed);
        }
        peal_queue_producer_close(&regions[0], &place);
        peal_queue_consumer_close(&consumer);
        rig_kill(&rig, 0);
        (void)peal_recover(&regions[2]);
        rig_close(&rig);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_message_longer_than_its_cell_is_not_handed_out),
        TEST(a_producer_that_is_ahead_by_more_than_the_ring_is_given_up),
        TEST(a_cursor_beyond_the_producer_does_not_open_the_gate),
        TEST(a_claim_that_no_honest_consumer_makes_gates_nobody),
        TEST(a_cursor_that_names_nobody_is_helped_on),
        TEST(a_lane_whose_shape_does_not_fit_its_pages_is_not_joined),
        cmocka_unit_test(whatever_a_peer_writes_nobody_leaves_the_lane),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
