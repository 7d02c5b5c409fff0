/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Holes that other queues in shared memory had, each as a test of its own: a peer that does this must get nothing out of
 * it. What is true of all of the region is in known_holes_test.c.
 */
#include "core/queue_consumer.h"

#include "bus/queue_internal.h"
#include "core/audit.h"
#include "core/recover.h"
#include "tests/support/region_rig.h"
#include "tests/support/topic_fixture.h"
#include "tests/support/word_change.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum { DEPTH = 8, BYTES = 16 };

static struct region_rig rig;
static struct peal_region regions[4];
static struct peal_queue_producer producer;
static struct peal_lane_place place;
static struct peal_queue_consumer consumer;
static struct peal_queue_lane_shared *lane;

static void open_queue(uint32_t options)
{
    const struct peal_queue_wish wish = {
        .kind = PEAL_TOPIC_IS_QUEUE, .options = options, .message_bytes_max = BYTES};
    const struct peal_topic_type jobs = {.queue = &wish};
    rig_open(&rig, 64, 2, 1);
    for (uint32_t i = 0; i < 4; i++)
        rig_join(&rig, i, &regions[i]);
    assert_int_equal(peal_queue_consumer_open(&consumer, &regions[1], "jobs", &jobs), PEAL_OK);
    assert_int_equal(peal_queue_producer_open(&producer, &place, &regions[0], "jobs", &jobs, DEPTH,
                                              PEAL_QUEUE_REFUSE),
                     PEAL_OK);
    lane = producer.lane;
}

static enum peal_status open_another(struct peal_queue_consumer *other, uint32_t options,
                                     uint32_t bytes)
{
    const struct peal_queue_wish wish = {
        .kind = PEAL_TOPIC_IS_QUEUE, .options = options, .message_bytes_max = bytes};
    const struct peal_topic_type jobs = {.queue = &wish};
    return peal_queue_consumer_open(other, &regions[2], "jobs", &jobs);
}

static enum peal_status push(uint64_t number)
{
    return peal_queue_producer_push(&producer, &number, sizeof(number));
}

static void push_some(uint64_t first, uint64_t count)
{
    for (uint64_t i = 0; i < count; i++)
        assert_int_equal(push(first + i), PEAL_OK);
}

/* Takes up to `wanted` and looks that all of it lies in the lane. Returns how many were sound, or -1. */
static int take(uint32_t wanted, enum peal_status *status)
{
    struct peal_queue_batch batch;
    const unsigned char *cells = (const unsigned char *)producer.cells;
    int sound = 0;
    *status = peal_queue_consumer_take(&consumer, wanted, &batch);
    if (*status != PEAL_OK)
        return -1;
    assert_in_range(batch.range.count, 1, wanted);
    for (uint32_t i = 0; i < batch.range.count; i++) {
        const void *data = NULL;
        size_t size_bytes = 0;
        if (!peal_queue_batch_message(&batch, i, &data, &size_bytes))
            continue;
        const unsigned char *bytes = data;
        assert_true(bytes >= cells && size_bytes <= BYTES && bytes <= cells + (DEPTH - 1) * BYTES);
        sound++;
    }
    peal_queue_consumer_finish(&consumer, &batch);
    return sound;
}

/* ---- positions ---- */

static void a_cursor_that_goes_backwards_overwrites_nothing_that_is_held(void **state)
{
    (void)state;
    struct peal_queue_batch batch;
    enum peal_status status;
    open_queue(0);
    push_some(0, DEPTH);
    assert_int_equal(peal_queue_consumer_take(&consumer, 4, &batch), PEAL_OK);
    /* Back to where it began: the gate must not open, whatever the consumer's claim says. */
    peal_u64_store_relaxed(&lane->consumers.cursor, peal_queue_cursor_pack(0, PEAL_QUEUE_NOBODY));
    assert_int_equal(push(DEPTH), PEAL_FULL);
    /* Before the beginning: no producer of ours was ever there. */
    peal_u64_store_relaxed(&lane->consumers.cursor,
                           peal_queue_cursor_pack(PEAL_QUEUE_POSITION_MASK, PEAL_QUEUE_NOBODY));
    assert_int_equal(push(DEPTH), PEAL_ECORRUPT);
    assert_int_equal(producer.limit, DEPTH);
    peal_queue_consumer_finish(&consumer, &batch);
    /* A consumer meets a distance that is larger than the ring. */
    assert_int_equal(take(4, &status), -1);
    assert_int_equal(status, PEAL_ECORRUPT);
    rig_close(&rig);
}

static void a_count_larger_than_the_lane_is_not_handed_out(void **state)
{
    (void)state;
    static const uint64_t lies[] = {DEPTH + 1, 2 * DEPTH, UINT64_C(1) << 32, UINT64_C(1) << 47,
                                    PEAL_QUEUE_POSITION_MASK};
    enum peal_status status;
    for (size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
        open_queue(i % 2 ? PEAL_QUEUE_STRICT : 0);
        peal_u64_store_relaxed(&lane->producer.published, lies[i]);
        assert_int_equal(take(PEAL_QUEUE_COUNT_MAX, &status), -1);
        assert_int_equal(status, PEAL_ECORRUPT);
        assert_int_equal(consumer.joined_count, 0);
        rig_close(&rig);
    }
}

/* The claim of a dead consumer, as a peer might have written it. */
static int redeliver(uint64_t claim, uint64_t cursor)
{
    struct peal_queue_consumer other;
    struct peal_queue_batch batch;
    enum peal_status status = PEAL_OK;
    int taken = 0;
    open_queue(0);
    push_some(0, DEPTH);
    assert_int_equal(open_another(&other, 0, 0), PEAL_OK);
    assert_int_equal(peal_queue_consumer_take(&other, 2, &batch), PEAL_OK);
    peal_u64_store_relaxed(&lane->readers[other.entry].claim, claim);
    peal_u64_store_relaxed(&lane->consumers.cursor, cursor);
    rig_kill(&rig, 2);
    (void)peal_recover(&regions[3]);
    for (uint32_t i = 0; i < 4 * DEPTH && status == PEAL_OK; i++) {
        int sound = take(1, &status);
        taken += sound > 0 ? sound : 0;
    }
    assert_int_not_equal(status, PEAL_OK);
    rig_close(&rig);
    return taken;
}

static void a_dead_consumers_claim_larger_than_the_lane_is_not_redelivered(void **state)
{
    (void)state;
    const uint64_t honest = peal_queue_cursor_pack(2, 1);
    const uint64_t claims[] = {
        peal_queue_claim_pack(PEAL_QUEUE_CLAIMED, 0, DEPTH + 1),
        peal_queue_claim_pack(PEAL_QUEUE_CLAIMED, 0, PEAL_QUEUE_COUNT_MAX),
        peal_queue_claim_pack(PEAL_QUEUE_CLAIMED, PEAL_QUEUE_POSITION_MASK, DEPTH + 1),
        peal_queue_claim_pack(3, 0, PEAL_QUEUE_COUNT_MAX),
    };
    assert_int_equal(redeliver(peal_queue_claim_pack(PEAL_QUEUE_CLAIMED, 0, 2), honest), DEPTH);
    for (size_t i = 0; i < sizeof(claims) / sizeof(claims[0]); i++)
        assert_int_equal(redeliver(claims[i], honest), DEPTH - 2);
}

static void claims_that_overlap_cost_doubles_and_nothing_else(void **state)
{
    (void)state;
    /* The dead one says that it has all; the living one takes what the cursor leaves. */
    assert_int_equal(redeliver(peal_queue_claim_pack(PEAL_QUEUE_CLAIMED, 0, DEPTH),
                               peal_queue_cursor_pack(2, 1)),
                     2 * DEPTH - 2);
    /* All consumers say that they hold the same: the producer waits for it, once. */
    open_queue(0);
    push_some(0, DEPTH);
    for (uint32_t i = 0; i < PEAL_TOPIC_SUBSCRIBERS_MAX; i++)
        peal_u64_store_relaxed(&lane->readers[i].claim,
                               peal_queue_claim_pack(PEAL_QUEUE_CLAIMED, 0, DEPTH));
    peal_u64_store_relaxed(&lane->consumers.cursor, peal_queue_cursor_pack(DEPTH, 3));
    assert_int_equal(push(0), PEAL_FULL);
    for (uint32_t i = 0; i < PEAL_TOPIC_SUBSCRIBERS_MAX; i++)
        peal_u64_store_relaxed(&lane->readers[i].claim, 0);
    push_some(0, DEPTH);
    rig_close(&rig);
}

/* ---- indexes ---- */

static void a_claimant_equal_to_the_number_of_consumers_is_nobodys_index(void **state)
{
    (void)state;
    static const uint32_t claimants[] = {31, 32, 33, 64, 127, 254, 255};
    for (size_t i = 0; i < sizeof(claimants) / sizeof(claimants[0]); i++) {
        enum peal_status status;
        open_queue(i % 2 ? PEAL_QUEUE_STRICT : 0);
        push_some(0, DEPTH);
        uint64_t before[PEAL_TOPIC_SUBSCRIBERS_MAX];
        for (uint32_t j = 0; j < PEAL_TOPIC_SUBSCRIBERS_MAX; j++)
            before[j] = peal_u64_load_relaxed(&lane->readers[j].claim);
        /* What lies behind the last line would be turned from CLAIMING into CLAIMED. */
        peal_u64 *behind = (peal_u64 *)(void *)((unsigned char *)lane + PEAL_QUEUE_LENGTHS_OFFSET);
        uint64_t bait = peal_queue_claim_pack(PEAL_QUEUE_CLAIMING, DEPTH - 3, 3);
        uint64_t words[4];
        for (uint32_t j = 0; j < 4; j++) {
            words[j] = peal_u64_load_relaxed(&behind[j]);
            peal_u64_store_relaxed(&behind[j], claimants[i] >= 33 ? bait : words[j]);
        }
        peal_u64_store_relaxed(&lane->consumers.cursor, peal_queue_cursor_pack(0, claimants[i]));
        (void)take(1, &status);
        for (uint32_t j = 0; j < 4; j++)
            assert_int_equal(peal_u64_load_relaxed(&behind[j]),
                             claimants[i] >= 33 ? bait : words[j]);
        for (uint32_t j = 0; j < PEAL_TOPIC_SUBSCRIBERS_MAX; j++)
            if (j != consumer.entry)
                assert_int_equal(peal_u64_load_relaxed(&lane->readers[j].claim), before[j]);
        struct peal_audit audit = {.struct_bytes = sizeof(audit)};
        const struct peal_audit_options options = PEAL_AUDIT_OPTIONS_INIT;
        struct peal_authority authority = rig_authority(&rig);
        assert_int_equal(
            peal_audit_walk_region(rig.base, rig.size_bytes, &options, &authority, &audit),
            PEAL_OK);
        rig_close(&rig);
    }
    for (uint32_t claimant = PEAL_QUEUE_PRODUCER + 1; claimant < 256; claimant++)
        assert_null(peal_queue_claim_word(lane, claimant));
    struct peal_lane_found found;
    open_queue(0);
    assert_int_equal(peal_queue_join(&regions[1], regions[1].topics_max, 0, 0, 1, &found),
                     PEAL_EMPTY);
    assert_int_equal(peal_queue_join(&regions[1], 0, PEAL_TOPIC_LANES_MAX, 0, 1, &found),
                     PEAL_EMPTY);
    assert_int_equal(peal_queue_join(&regions[1], 0, 0, PEAL_TOPIC_SUBSCRIBERS_MAX, 1, &found),
                     PEAL_EMPTY);
    rig_close(&rig);
}

/* ---- tickets ---- */

static void a_ticket_that_never_comes_is_waited_for_by_nobody(void **state)
{
    (void)state;
    enum peal_status status;
    open_queue(PEAL_QUEUE_STRICT);
    /* Drawn by somebody who dies with it, or draws for ever. */
    (void)peal_u64_add_acq_rel(producer.ticket, 1000);
    push_some(0, DEPTH);
    assert_int_equal(take(DEPTH, &status), DEPTH);
    /* The counter goes back: the order is spoilt, the messages are not. */
    peal_u64_store_relaxed(producer.ticket, 0);
    push_some(0, DEPTH);
    assert_int_equal(take(DEPTH, &status), DEPTH);
    rig_close(&rig);
}

static void tickets_twice_or_none_end(void **state)
{
    (void)state;
    static const uint64_t lies[] = {0, 7, UINT64_MAX, UINT64_MAX - 1, UINT64_C(1) << 63};
    for (size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
        struct peal_queue_producer second;
        struct peal_lane_place second_place;
        const struct peal_queue_wish wish = {
            .kind = PEAL_TOPIC_IS_QUEUE, .options = PEAL_QUEUE_STRICT, .message_bytes_max = BYTES};
        const struct peal_topic_type jobs = {.queue = &wish};
        enum peal_status status = PEAL_OK;
        int taken = 0;
        open_queue(PEAL_QUEUE_STRICT);
        assert_int_equal(peal_queue_producer_open(&second, &second_place, &regions[3], "jobs",
                                                  &jobs, DEPTH, PEAL_QUEUE_REFUSE),
                         PEAL_OK);
        for (uint64_t j = 0; j < DEPTH; j++) {
            assert_int_equal(push(j), PEAL_OK);
            assert_int_equal(peal_queue_producer_push(&second, &j, sizeof(j)), PEAL_OK);
        }
        for (uint32_t j = 0; j < DEPTH; j++) /* all of one lane, and half of the other */
            peal_u64_store_relaxed(&producer.tickets[j], lies[i]);
        for (uint32_t j = 0; j < DEPTH; j += 2)
            peal_u64_store_relaxed(&second.tickets[j], lies[i]);
        for (uint32_t j = 0; j < 4 * DEPTH && status == PEAL_OK; j++) {
            struct peal_queue_batch batch;
            status = peal_queue_consumer_take(&consumer, 3, &batch);
            if (status != PEAL_OK)
                continue;
            taken += (int)batch.range.count;
            peal_queue_consumer_finish(&consumer, &batch);
        }
        assert_int_equal(status, PEAL_EMPTY);
        /* UINT64_MAX says that there is none: such messages stay in the lane of who wrote that. */
        assert_in_range(taken, lies[i] == UINT64_MAX ? 0 : 2 * DEPTH, 2 * DEPTH);
        rig_close(&rig);
    }
}

/* ---- what was agreed ---- */

static void a_capacity_changed_after_the_attach_is_not_looked_at(void **state)
{
    (void)state;
    enum peal_status status;
    open_queue(0);
    push_some(0, 1);
    assert_int_equal(take(1, &status), 1);
    peal_u32_store_relaxed(&lane->geometry.depth, 1u << 20);
    peal_u32_store_relaxed(&lane->geometry.cell_bytes, 1u << 20);
    peal_u32_store_relaxed(&lane->geometry.message_bytes_max, UINT32_MAX);
    peal_u32_store_relaxed(&lane->geometry.options, PEAL_QUEUE_STRICT);
    peal_u64_store_relaxed(&lane->geometry.magic, 0);
    struct peal_topic_shared *topic = &regions[0].topics[place.topic];
    peal_u32_store_relaxed(&topic->queue.message_bytes_max, UINT32_MAX);
    peal_u32_store_relaxed(&topic->queue.options, UINT32_MAX);
    peal_u32_store_relaxed(&topic->lanes[place.lane].first_page, UINT32_MAX);
    for (uint64_t turn = 0; turn < 5 * DEPTH; turn++) {
        push_some(turn, 3);
        assert_int_equal(take(3, &status), 3);
    }
    assert_int_equal(peal_queue_producer_push(&producer, rig.base, BYTES + 1), PEAL_EMSGSIZE);
    rig_close(&rig);
}

/* How many lanes one who comes new joins. */
static uint32_t count_joined(void)
{
    struct peal_queue_consumer other;
    assert_int_equal(open_another(&other, 0, BYTES), PEAL_OK);
    uint32_t joined = other.joined_count;
    peal_queue_consumer_close(&other);
    return joined;
}

static void a_lane_that_is_larger_than_its_pages_or_its_queue_says_is_not_joined(void **state)
{
    (void)state;
    open_queue(0);
    assert_int_equal(count_joined(), 1);
    for (uint32_t depth = 64 * DEPTH; depth <= PEAL_QUEUE_DEPTH_MAX; depth *= 2) {
        peal_u32_store_relaxed(&lane->geometry.depth, depth);
        assert_int_equal(count_joined(), 0);
    }
    peal_u32_store_relaxed(&lane->geometry.depth, DEPTH);
    /* Sound in itself, but buffers are made for the queue's size. */
    for (uint32_t bytes = BYTES + 8; bytes <= 8 * BYTES; bytes *= 2) {
        peal_u32_store_relaxed(&lane->geometry.message_bytes_max, bytes);
        peal_u32_store_relaxed(&lane->geometry.cell_bytes, bytes);
        assert_int_equal(count_joined(), 0);
    }
    peal_u32_store_relaxed(&lane->geometry.message_bytes_max, BYTES);
    peal_u32_store_relaxed(&lane->geometry.cell_bytes, BYTES);
    assert_int_equal(count_joined(), 1);
    rig_close(&rig);
}

static void another_type_or_kind_is_refused(void **state)
{
    (void)state;
    struct peal_queue_consumer other;
    uint32_t topic, entry;
    uint64_t word;
    open_queue(0);
    assert_int_equal(open_another(&other, PEAL_QUEUE_STRICT, 0), PEAL_EMISMATCH);
    assert_int_equal(open_another(&other, PEAL_QUEUE_DROPS_HELD, 0), PEAL_EMISMATCH);
    assert_int_equal(open_another(&other, 0, BYTES + 8), PEAL_EMISMATCH);
    assert_int_equal(peal_topic_subscribe(&regions[2], "jobs", NULL, 0, &topic, &entry, &word),
                     PEAL_EMISMATCH);
    assert_int_equal(open_another(&other, 0, BYTES), PEAL_OK);
    peal_queue_consumer_close(&other);
    /* The lane says something else than its queue: each on its own. */
    peal_u32_store_relaxed(&lane->geometry.options, PEAL_QUEUE_STRICT);
    assert_int_equal(open_another(&other, 0, BYTES), PEAL_OK);
    assert_int_equal(other.joined_count, 0);
    peal_queue_consumer_close(&other);
    peal_u32_store_relaxed(&lane->geometry.options, 0);
    peal_u64_store_relaxed(&lane->geometry.magic, PEAL_QUEUE_MAGIC + 1);
    assert_int_equal(open_another(&other, 0, BYTES), PEAL_OK);
    assert_int_equal(other.joined_count, 0);
    peal_queue_consumer_close(&other);
    rig_close(&rig);
}

/* ---- a length that changes after its check ---- */

#define BUFFER_BYTES 8192u
#define CAPACITY_BYTES 16u

static struct peal_queue *queue;

/* In the child, between two signals. 0: what was said lies in the buffer, and nothing beyond it was written. */
static int pop_once(int how)
{
    static unsigned char bytes[BUFFER_BYTES];
    struct peal_queue_message messages[2] = {{0}};
    size_t count = 0;
    memset(bytes, 0xaa, sizeof(bytes));
    enum peal_status status;
    (void)raise(SIGUSR1);
    if (how == 0)
        status = peal_queue_pop(queue, bytes, CAPACITY_BYTES, &messages[0]);
    else if (how == 1)
        status = peal_queue_pop_batch(queue, bytes, CAPACITY_BYTES, messages, 2, &count);
    else
        status = peal_queue_take(queue, messages, 2, &count);
    (void)raise(SIGUSR2);
    for (size_t i = how == 1 ? 2 * CAPACITY_BYTES : CAPACITY_BYTES; i < sizeof(bytes); i++)
        if (bytes[i] != 0xaa)
            return 1;
    for (size_t i = 0; status == PEAL_OK && i < 2; i++)
        if (messages[i].size_bytes > CAPACITY_BYTES)
            return 2;
    return status == PEAL_OK || status == PEAL_ECORRUPT ? 0 : 4;
}

/* Under AddressSanitizer most instructions are its own, and the steps, which grow with their square, would take minutes: there
 * each 16th is tried, of each way other ones. */
#ifdef __SANITIZE_ADDRESS__
#define STRIDE 16u
#else
#define STRIDE 1u
#endif

/* The region is private to each child, so that each begins from the same. */
static void a_length_that_changes_between_check_and_use_is_not_used(void **state)
{
    (void)state;
    static const uint32_t lies[] = {CAPACITY_BYTES + 1, 4096, UINT32_MAX};
    struct peal_queue_options options = PEAL_QUEUE_OPTIONS_INIT;
    struct peal_bus *bus = topic_bus("local:lengths");
    assert_non_null(bus);
    options.message_bytes_max = CAPACITY_BYTES;
    options.depth = DEPTH;
    assert_int_equal(peal_queue_create(bus, "jobs", &options, &queue), PEAL_OK);
    peal_u32 *lengths = queue->producer.lengths;
    peal_u64 *words = (peal_u64 *)(void *)lengths;
    for (size_t i = 0; i < 3; i++) {
        const uint64_t lie = (uint64_t)lies[i] << 32 | lies[i];
        uint64_t n = 5 * i % STRIDE;
        int code = 0;
        /* What a child takes in shared memory its successors find taken. */
        for (bool goes_on = true; goes_on; n += STRIDE) {
            struct peal_queue_message message;
            unsigned char bytes[CAPACITY_BYTES] = {0};
            while (peal_queue_pop(queue, bytes, sizeof(bytes), &message) == PEAL_OK)
                continue;
            assert_int_equal(peal_queue_push(queue, bytes, 8), PEAL_OK);
            /* An even place, so that both lengths stand in one word. */
            if ((queue->producer.next & 1) == 0) {
                assert_int_equal(peal_queue_pop(queue, bytes, sizeof(bytes), &message), PEAL_OK);
                assert_int_equal(peal_queue_push(queue, bytes, 8), PEAL_OK);
            }
            assert_int_equal(peal_queue_push(queue, bytes, 8), PEAL_OK);
            uint64_t place_of = (queue->producer.next - 2) % DEPTH;
            assert_int_equal(place_of % 2, 0);
            goes_on = word_change_after(pop_once, (int)i, n, &words[place_of / 2], lie, &code);
            if (code != 0)
                fail_msg("way %zu, changed to %" PRIu64 " after %" PRIu64 " instructions: %d", i,
                         lie, n, code);
            /* The child's handle was a copy of ours: its claim is ours, and nothing is out. */
            peal_u64_store_relaxed(&queue->producer.lane->readers[queue->consumer.entry].claim, 0);
            peal_u64_store_relaxed(&words[place_of / 2], 0);
        }
        assert_true(n > 20);
    }
    peal_queue_close(queue);
    peal_bus_close(bus);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_cursor_that_goes_backwards_overwrites_nothing_that_is_held),
        cmocka_unit_test(a_count_larger_than_the_lane_is_not_handed_out),
        cmocka_unit_test(a_dead_consumers_claim_larger_than_the_lane_is_not_redelivered),
        cmocka_unit_test(claims_that_overlap_cost_doubles_and_nothing_else),
        cmocka_unit_test(a_claimant_equal_to_the_number_of_consumers_is_nobodys_index),
        cmocka_unit_test(a_ticket_that_never_comes_is_waited_for_by_nobody),
        cmocka_unit_test(tickets_twice_or_none_end),
        cmocka_unit_test(a_capacity_changed_after_the_attach_is_not_looked_at),
        cmocka_unit_test(a_lane_that_is_larger_than_its_pages_or_its_queue_says_is_not_joined),
        cmocka_unit_test(another_type_or_kind_is_refused),
        cmocka_unit_test(a_length_that_changes_between_check_and_use_is_not_used),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
