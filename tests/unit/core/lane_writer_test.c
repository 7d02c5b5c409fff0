/* SPDX-License-Identifier: Apache-2.0 */
/* The publisher's end: stamps, loans and the gate. Payload ring: lane_payload_test.c. */
#include "tests/support/lane_fixture.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define OPEN(fixture, ...) assert_int_equal(lane_fixture_open(fixture, __VA_ARGS__), PEAL_OK)

/* Says for entry `entry` that every message below `cursor` is done with. */
static void acknowledge(struct lane_fixture *fixture, uint32_t entry, uint64_t cursor)
{
    peal_u64_store_release(&fixture->lane->readers[entry].cursor, cursor);
}

/* Publishes until the gate is shut; how many were published. */
static unsigned put_until_full(struct lane_fixture *fixture, unsigned most)
{
    unsigned count = 0;
    while (count < most && lane_fixture_put(fixture, 8) == PEAL_OK)
        count++;
    return count;
}

static void a_message_ends_with_an_even_stamp(void **state)
{
    (void)state;
    struct lane_fixture fixture;
    OPEN(&fixture, 4, 48, 0, 0);
    for (uint64_t number = 0; number < 100; number++) {
        assert_int_equal(lane_fixture_put(&fixture, (size_t)number % 49), PEAL_OK);
        assert_true(fixture.writer.next == number + 1);
        struct peal_slot_shared *slot = lane_fixture_slot(&fixture, number);
        assert_true(lane_fixture_stamp(&fixture, number) == 2 * number + 2);
        assert_int_equal(peal_u32_load_relaxed(&slot->length), number % 49);
        assert_int_equal(peal_u32_load_relaxed(&slot->kind), PEAL_SLOT_INLINE);
        assert_true(content_is((const unsigned char *)slot->body, (size_t)number % 49, 0, number));
    }
    lane_fixture_close(&fixture);
}

static void a_message_longer_than_the_lanes_is_refused(void **state)
{
    (void)state;
    struct lane_fixture fixture;
    OPEN(&fixture, 4, 20, 0, 0);
    assert_int_equal(lane_fixture_put(&fixture, 20), PEAL_OK);
    assert_int_equal(lane_fixture_put(&fixture, 21), PEAL_EMSGSIZE);
    assert_int_equal(lane_fixture_put(&fixture, 48), PEAL_EMSGSIZE);
    void *data;
    assert_int_equal(peal_lane_reserve(&fixture.writer, SIZE_MAX, &data), PEAL_EMSGSIZE);
    assert_true(fixture.writer.next == 1);
    assert_true(lane_fixture_stamp(&fixture, 1) == 0);
    lane_fixture_close(&fixture);
}

static void a_loan_is_invisible_until_it_is_committed(void **state)
{
    (void)state;
    struct lane_fixture fixture;
    OPEN(&fixture, 4, 48, 0, 0);
    for (uint64_t number = 0; number < 20; number++) {
        void *data = NULL;
        assert_int_equal(peal_lane_reserve(&fixture.writer, 48, &data), PEAL_OK);
        assert_int_equal((uintptr_t)data % 8, 0);
        assert_true(lane_fixture_stamp(&fixture, number) == 2 * number + 1);
        assert_true(fixture.writer.next == number);
        content_fill(data, 30, 0, number);
        peal_lane_commit(&fixture.writer, 30, 0);
        assert_true(lane_fixture_stamp(&fixture, number) == 2 * number + 2);
        struct peal_slot_shared *slot = lane_fixture_slot(&fixture, number);
        assert_int_equal(peal_u32_load_relaxed(&slot->length), 30);
        assert_true(content_is((const unsigned char *)slot->body, 30, 0, number));
    }
    lane_fixture_close(&fixture);
}

static void a_discarded_loan_uses_no_number(void **state)
{
    (void)state;
    struct lane_fixture fixture;
    OPEN(&fixture, 4, 48, 0, 0);
    assert_int_equal(lane_fixture_put(&fixture, 8), PEAL_OK);
    void *data;
    assert_int_equal(peal_lane_reserve(&fixture.writer, 8, &data), PEAL_OK);
    assert_int_equal(peal_lane_reserve(&fixture.writer, 8, &data), PEAL_OK);
    peal_lane_discard(&fixture.writer);
    assert_int_equal(fixture.writer.loaned, 0);
    assert_true(fixture.writer.next == 1);
    peal_lane_discard(&fixture.writer); /* nothing is open: nothing happens */
    assert_int_equal(lane_fixture_put(&fixture, 8), PEAL_OK);
    assert_true(lane_fixture_stamp(&fixture, 1) == 4);
    assert_true(lane_fixture_stamp(&fixture, 2) == 5);
    assert_int_equal(lane_fixture_put(&fixture, 8), PEAL_OK);
    assert_true(lane_fixture_stamp(&fixture, 2) == 6);
    lane_fixture_close(&fixture);
}

static void a_batch_of_loans_is_published_in_order_and_the_rest_given_back(void **state)
{
    (void)state;
    struct lane_fixture fixture;
    OPEN(&fixture, 8, 48, 0, 0);
    uint64_t number = 0;
    for (unsigned round = 0; round < 10; round++) {
        void *data[5];
        for (unsigned i = 0; i < 5; i++) {
            assert_int_equal(peal_lane_reserve(&fixture.writer, 16, &data[i]), PEAL_OK);
            content_fill(data[i], 16, 0, number + i);
        }
        for (unsigned i = 0; i < 3; i++)
            peal_lane_commit(&fixture.writer, 16, 0);
        peal_lane_discard(&fixture.writer);
        for (unsigned i = 0; i < 3; i++) {
            assert_true(lane_fixture_stamp(&fixture, number) == 2 * number + 2);
            assert_true(content_is((const unsigned char *)lane_fixture_slot(&fixture, number)->body,
                                   16, 0, number));
            number++;
        }
        assert_true(fixture.writer.next == number);
    }
    lane_fixture_close(&fixture);
}

static void loans_end_where_the_ring_or_the_gate_ends(void **state)
{
    (void)state;
    struct lane_fixture fixture;
    OPEN(&fixture, 8, 48, 0, 0);
    void *data;
    for (unsigned i = 0; i < 8; i++)
        assert_int_equal(peal_lane_reserve(&fixture.writer, 8, &data), PEAL_OK);
    assert_int_equal(peal_lane_reserve(&fixture.writer, 8, &data), PEAL_FULL);
    peal_lane_discard(&fixture.writer);
    lane_fixture_subscribe(&fixture, 3, true);
    lane_fixture_tag(&fixture, 3, 0);
    assert_int_equal(put_until_full(&fixture, 5), 5);
    acknowledge(&fixture, 3, 1);
    for (unsigned i = 0; i < 4; i++)
        assert_int_equal(peal_lane_reserve(&fixture.writer, 8, &data), PEAL_OK);
    assert_int_equal(peal_lane_reserve(&fixture.writer, 8, &data), PEAL_FULL);
    lane_fixture_close(&fixture);
}

static void without_reliable_subscribers_the_gate_never_shuts(void **state)
{
    (void)state;
    struct lane_fixture fixture;
    OPEN(&fixture, 4, 48, 0, 0);
    assert_int_equal(put_until_full(&fixture, 1000), 1000);
    lane_fixture_subscribe(&fixture, 0, false);
    lane_fixture_tag(&fixture, 0, 0);
    assert_int_equal(put_until_full(&fixture, 1000), 1000);
    assert_int_equal(fixture.writer.subscriber_count, 1);
    assert_int_equal(fixture.writer.reliable_count, 0);
    lane_fixture_close(&fixture);
}

static void the_gate_shuts_exactly_at_depth_and_opens_by_what_is_acknowledged(void **state)
{
    (void)state;
    for (uint32_t depth = 2; depth <= 256; depth *= 2) {
        struct lane_fixture fixture;
        OPEN(&fixture, depth, 48, 0, 0);
        lane_fixture_subscribe(&fixture, 31, true);
        lane_fixture_tag(&fixture, 31, 0);
        assert_int_equal(put_until_full(&fixture, 10000), depth);
        assert_true(lane_fixture_stamp(&fixture, 0) == 2); /* the oldest is as it was */
        assert_int_equal(lane_fixture_put(&fixture, 8), PEAL_FULL);
        uint64_t cursor = 0;
        for (uint64_t step = 1; step <= depth; step++) {
            cursor += step;
            acknowledge(&fixture, 31, cursor);
            assert_int_equal(put_until_full(&fixture, 10000), step);
        }
        lane_fixture_close(&fixture);
    }
}

static void the_slowest_of_all_reliable_subscribers_counts(void **state)
{
    (void)state;
    struct lane_fixture fixture;
    OPEN(&fixture, 64, 48, 0, 0);
    for (uint32_t entry = 0; entry < 32; entry++) {
        lane_fixture_subscribe(&fixture, entry, true);
        lane_fixture_tag(&fixture, entry, 0);
    }
    assert_int_equal(put_until_full(&fixture, 10000), 64);
    assert_int_equal(fixture.writer.reliable_count, 32);
    for (uint32_t slowest = 0; slowest < 32; slowest++) {
        uint64_t next = fixture.writer.next;
        for (uint32_t entry = 0; entry < 32; entry++)
            acknowledge(&fixture, entry, entry == slowest ? next - 63 : next - entry % 2);
        assert_int_equal(put_until_full(&fixture, 10000), 1);
        for (uint32_t entry = 0; entry < 32; entry++)
            acknowledge(&fixture, entry, fixture.writer.next);
        assert_int_equal(put_until_full(&fixture, 10000), 64);
    }
    lane_fixture_close(&fixture);
}

static void a_subscriber_that_comes_is_noticed_before_its_first_message_is_lost(void **state)
{
    (void)state;
    struct lane_fixture fixture;
    OPEN(&fixture, 8, 48, 0, 0);
    assert_int_equal(put_until_full(&fixture, 13), 13);
    lane_fixture_subscribe(&fixture, 2, true);
    lane_fixture_tag(&fixture, 2, 13);
    assert_int_equal(put_until_full(&fixture, 100), 8);
    lane_fixture_leave(&fixture, 2);
    assert_int_equal(put_until_full(&fixture, 100), 100);
    lane_fixture_close(&fixture);
}

static void an_epoch_that_moves_for_nothing_changes_nothing(void **state)
{
    (void)state;
    struct lane_fixture fixture;
    OPEN(&fixture, 8, 48, 0, 0);
    lane_fixture_subscribe(&fixture, 2, true);
    lane_fixture_tag(&fixture, 2, 0);
    unsigned count = 0;
    do {
        lane_fixture_move_epoch(&fixture);
        count++;
    } while (lane_fixture_put(&fixture, 8) == PEAL_OK);
    assert_int_equal(count, 9);
    peal_u64_store_relaxed(&fixture.topic->subscriber_epoch, 0); /* backwards, too */
    assert_int_equal(lane_fixture_put(&fixture, 8), PEAL_FULL);
    lane_fixture_close(&fixture);
}

/* A reader whose tag is not the owner word of its entry is dead, or reads another life of the lane. */
static void a_tag_of_somebody_else_gates_nobody(void **state)
{
    (void)state;
    struct lane_fixture fixture;
    OPEN(&fixture, 8, 48, 0, 0);
    lane_fixture_subscribe(&fixture, 2, true);
    static const uint64_t tags[] = {0, 1, UINT64_MAX};
    for (size_t i = 0; i < sizeof(tags) / sizeof(tags[0]); i++) {
        peal_u64_store_relaxed(&fixture.lane->readers[2].tag, tags[i]);
        assert_int_equal(put_until_full(&fixture, 50), 50);
    }
    peal_u64_store_relaxed(&fixture.lane->readers[2].tag,
                           lane_fixture_word(3, PEAL_SUBSCRIBER_ACTIVE));
    assert_int_equal(put_until_full(&fixture, 50), 50);
    /* Tagged, but the entry is no longer (or not yet) ACTIVE. */
    lane_fixture_tag(&fixture, 2, fixture.writer.next);
    static const uint32_t states[] = {PEAL_SUBSCRIBER_FREE, PEAL_SUBSCRIBER_CLAIMED, 3, 15};
    for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
        peal_u64_store_relaxed(&fixture.topic->subscribers[2], lane_fixture_word(2, states[i]));
        lane_fixture_move_epoch(&fixture);
        assert_int_equal(put_until_full(&fixture, 50), 50);
    }
    lane_fixture_close(&fixture);
}

static void a_cursor_that_has_not_begun_gates_nobody(void **state)
{
    (void)state;
    struct lane_fixture fixture;
    OPEN(&fixture, 8, 48, 0, 0);
    lane_fixture_subscribe(&fixture, 2, true);
    lane_fixture_tag(&fixture, 2, UINT64_MAX);
    assert_int_equal(put_until_full(&fixture, 100), 100);
    acknowledge(&fixture, 2, 99);
    assert_true(put_until_full(&fixture, 100) <= 8);
    assert_int_equal(lane_fixture_put(&fixture, 8), PEAL_FULL);
    lane_fixture_close(&fixture);
}

static void a_cursor_that_lies_does_no_more_than_shut_or_open_the_gate(void **state)
{
    (void)state;
    struct lane_fixture fixture;
    OPEN(&fixture, 8, 48, 0, 0);
    assert_int_equal(put_until_full(&fixture, 100), 100);
    lane_fixture_subscribe(&fixture, 2, true);
    static const uint64_t behind[] = {0, 1, 50, 91};
    for (size_t i = 0; i < sizeof(behind) / sizeof(behind[0]); i++) {
        lane_fixture_tag(&fixture, 2, behind[i]);
        lane_fixture_move_epoch(&fixture);
        assert_int_equal(lane_fixture_put(&fixture, 8), PEAL_FULL);
        assert_true(fixture.writer.limit == 100);
    }
    static const uint64_t ahead[] = {101, 1000, UINT64_MAX / 2, UINT64_MAX - 1};
    for (size_t i = 0; i < sizeof(ahead) / sizeof(ahead[0]); i++) {
        uint64_t next = fixture.writer.next;
        lane_fixture_tag(&fixture, 2, next + ahead[i] < next ? UINT64_MAX : next + ahead[i]);
        assert_int_equal(put_until_full(&fixture, 8), 8);
        assert_true(fixture.writer.limit <= fixture.writer.next + 8);
    }
    /* The truth again. */
    lane_fixture_tag(&fixture, 2, fixture.writer.next);
    lane_fixture_move_epoch(&fixture);
    assert_int_equal(put_until_full(&fixture, 100), 8);
    lane_fixture_close(&fixture);
}

static void with_eviction_nobody_gates(void **state)
{
    (void)state;
    struct lane_fixture fixture;
    OPEN(&fixture, 8, 48, 0, PEAL_LANE_EVICT);
    lane_fixture_subscribe(&fixture, 2, true);
    lane_fixture_tag(&fixture, 2, 0);
    assert_int_equal(put_until_full(&fixture, 100), 100);
    assert_int_equal(fixture.writer.reliable_count, 1);
    lane_fixture_close(&fixture);
}

static void drops_are_counted_in_the_lane_and_in_the_next_message(void **state)
{
    (void)state;
    struct lane_fixture fixture;
    OPEN(&fixture, 8, 48, 0, 0);
    for (unsigned i = 0; i < 3; i++)
        peal_lane_drop(&fixture.writer);
    assert_true(peal_u64_load_relaxed(&fixture.lane->writer.dropped) == 3);
    assert_int_equal(lane_fixture_put(&fixture, 8), PEAL_OK);
    assert_int_equal(peal_u32_load_relaxed(&lane_fixture_slot(&fixture, 0)->kind), 3u << 8);
    fixture.writer.dropped = (1ull << 24) - 1;
    peal_lane_drop(&fixture.writer);
    peal_lane_drop(&fixture.writer);
    assert_true(peal_u64_load_relaxed(&fixture.lane->writer.dropped) == (1ull << 24) + 1);
    void *data;
    assert_int_equal(peal_lane_reserve(&fixture.writer, 8, &data), PEAL_OK);
    peal_lane_commit(&fixture.writer, 8, 0);
    assert_int_equal(peal_u32_load_relaxed(&lane_fixture_slot(&fixture, 1)->kind), 1u << 8);
    lane_fixture_close(&fixture);
}

static void options_lie_before_the_message(void **state)
{
    (void)state;
    for (uint32_t options = 0; options < 4; options++) {
        struct lane_fixture fixture;
        OPEN(&fixture, 4, 0, 0, options);
        assert_int_equal(lane_fixture_put(&fixture, 24), PEAL_OK);
        const peal_u64 *word = lane_fixture_slot(&fixture, 0)->body;
        unsigned char bytes[24];
        content_fill(bytes, 24, 0, 0);
        if (options & PEAL_LANE_TIMESTAMP)
            assert_true(peal_u64_load_relaxed(word++) == 1);
        if (options & PEAL_LANE_CRC32C) {
            uint64_t crc = peal_u64_load_relaxed(word++);
            /* Of 24 bytes made by content_fill(); bit by bit, not by the code under test. */
            uint32_t sum = ~0u;
            for (size_t i = 0; i < 24 * 8; i++) {
                uint32_t bit = (uint32_t)bytes[i / 8] >> i % 8 & 1u;
                sum = (sum >> 1) ^ ((sum ^ bit) & 1u ? 0x82f63b78u : 0u);
            }
            assert_true(crc == (uint32_t)~sum);
        }
        assert_memory_equal((const void *)word, bytes, 24);
        lane_fixture_close(&fixture);
    }
}

/* The cost of a publish: no look at any subscriber but once in `depth` messages. */
static void acknowledgement_lines_are_not_read_while_the_gate_is_open(void **state)
{
    (void)state;
    struct lane_fixture fixture;
    OPEN(&fixture, 1024, 48, 0, 0);
    for (uint32_t entry = 0; entry < 32; entry++) {
        lane_fixture_subscribe(&fixture, entry, true);
        lane_fixture_tag(&fixture, entry, 0);
    }
    unsigned scans = 0;
    for (unsigned i = 0; i < 64 * 1024; i++) {
        uint64_t limit = fixture.writer.limit;
        assert_int_equal(lane_fixture_put(&fixture, 48), PEAL_OK);
        scans += fixture.writer.limit != limit;
        if (i % 64 == 63) {
            for (uint32_t entry = 0; entry < 32; entry++)
                acknowledge(&fixture, entry, fixture.writer.next);
        }
    }
    assert_in_range(scans, 64, 70);
    lane_fixture_close(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_message_ends_with_an_even_stamp),
        cmocka_unit_test(a_message_longer_than_the_lanes_is_refused),
        cmocka_unit_test(a_loan_is_invisible_until_it_is_committed),
        cmocka_unit_test(a_discarded_loan_uses_no_number),
        cmocka_unit_test(a_batch_of_loans_is_published_in_order_and_the_rest_given_back),
        cmocka_unit_test(loans_end_where_the_ring_or_the_gate_ends),
        cmocka_unit_test(without_reliable_subscribers_the_gate_never_shuts),
        cmocka_unit_test(the_gate_shuts_exactly_at_depth_and_opens_by_what_is_acknowledged),
        cmocka_unit_test(the_slowest_of_all_reliable_subscribers_counts),
        cmocka_unit_test(a_subscriber_that_comes_is_noticed_before_its_first_message_is_lost),
        cmocka_unit_test(an_epoch_that_moves_for_nothing_changes_nothing),
        cmocka_unit_test(a_tag_of_somebody_else_gates_nobody),
        cmocka_unit_test(a_cursor_that_has_not_begun_gates_nobody),
        cmocka_unit_test(a_cursor_that_lies_does_no_more_than_shut_or_open_the_gate),
        cmocka_unit_test(with_eviction_nobody_gates),
        cmocka_unit_test(drops_are_counted_in_the_lane_and_in_the_next_message),
        cmocka_unit_test(options_lie_before_the_message),
        cmocka_unit_test(acknowledgement_lines_are_not_read_while_the_gate_is_open),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
