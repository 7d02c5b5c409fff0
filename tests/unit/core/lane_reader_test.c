/* SPDX-License-Identifier: Apache-2.0 */
/* The subscriber's end while nothing is lost: contents, holding in place, acknowledging, checksums. */
#include "tests/support/lane_fixture.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define OPEN(fixture, ...) assert_int_equal(lane_fixture_open(fixture, __VA_ARGS__), PEAL_OK)
#define JOIN(fixture, reader, entry, wish)                                                         \
    assert_int_equal(lane_fixture_join(fixture, reader, entry, wish), PEAL_OK)
#define PUT(fixture, size) assert_int_equal(lane_fixture_put(fixture, size), PEAL_OK)

static void acknowledge(struct peal_lane_reader *reader)
{
    (void)peal_lane_acknowledge(reader, true);
}

static enum peal_status take_copy(struct peal_lane_reader *reader, struct peal_message *message)
{
    static unsigned char buffer[8192];
    memset(message, 0xee, sizeof(*message));
    return peal_lane_take_copy(reader, buffer, sizeof(buffer), message);
}

static void assert_message(const struct peal_message *message, uint64_t number, size_t size_bytes,
                           uint32_t options)
{
    assert_true(message->number == number);
    assert_int_equal(message->size_bytes, size_bytes);
    assert_true(message->lost == 0);
    assert_true(message->publisher == LANE_FIXTURE_INCARNATION);
    assert_true(message->timestamp_ns == (options & PEAL_LANE_TIMESTAMP ? number * 10 + 1 : 0));
    assert_true(content_is(message->data, size_bytes, 0, number));
}

static void every_size_comes_through_with_all_options_both_ways(void **state)
{
    (void)state;
    static const uint32_t longest[] = {0, 1, 13, 48, 100, 777, 4064};
    for (uint32_t options = 0; options < 4; options++) {
        for (size_t i = 0; i < sizeof(longest) / sizeof(longest[0]); i++) {
            struct lane_fixture fixture;
            struct peal_lane_reader copying, in_place;
            OPEN(&fixture, 4, longest[i], 0, options);
            JOIN(&fixture, &copying, 0, LANE_RELIABLE);
            JOIN(&fixture, &in_place, 1, LANE_RELIABLE);
            for (uint32_t size = 0; size <= fixture.geometry.message_bytes_max; size++) {
                PUT(&fixture, size);
                struct peal_message message;
                assert_int_equal(take_copy(&copying, &message), PEAL_OK);
                assert_message(&message, size, size, options);
                assert_int_equal(peal_lane_take(&in_place, &message), PEAL_OK);
                assert_message(&message, size, size, options);
                assert_int_equal(peal_lane_release(&in_place, message.token >> 1, false), PEAL_OK);
                acknowledge(&copying);
                acknowledge(&in_place);
                assert_int_equal(take_copy(&copying, &message), PEAL_EMPTY);
                assert_int_equal(peal_lane_take(&in_place, &message), PEAL_EMPTY);
            }
            assert_true(copying.lost == 0 && in_place.lost == 0);
            assert_true(copying.delivered == fixture.writer.next);
            assert_true(in_place.delivered == fixture.writer.next);
            lane_fixture_close(&fixture);
        }
    }
}

static void a_ring_goes_round_many_times(void **state)
{
    (void)state;
    for (uint32_t depth = 2; depth <= 64; depth *= 2) {
        struct lane_fixture fixture;
        struct peal_lane_reader reader;
        OPEN(&fixture, depth, 48, 0, 0);
        JOIN(&fixture, &reader, 0, LANE_RELIABLE);
        uint64_t seed = random_seed() + depth;
        for (unsigned round = 0; round < 500; round++) {
            unsigned count = 1 + random_below(&seed, depth);
            uint64_t first = fixture.writer.next;
            for (unsigned i = 0; i < count; i++)
                PUT(&fixture, (size_t)(first + i) % 49);
            struct peal_message message;
            for (unsigned i = 0; i < count; i++) {
                assert_int_equal(take_copy(&reader, &message), PEAL_OK);
                assert_message(&message, first + i, (size_t)(first + i) % 49, 0);
            }
            assert_int_equal(take_copy(&reader, &message), PEAL_EMPTY);
            acknowledge(&reader);
        }
        lane_fixture_close(&fixture);
    }
}

static void a_message_being_written_is_not_there_yet(void **state)
{
    (void)state;
    struct lane_fixture fixture;
    struct peal_lane_reader reader;
    OPEN(&fixture, 4, 48, 0, 0);
    JOIN(&fixture, &reader, 0, LANE_BEST_EFFORT);
    struct peal_message message;
    for (unsigned i = 0; i < 12; i++) {
        void *data;
        assert_int_equal(take_copy(&reader, &message), PEAL_EMPTY);
        assert_false(peal_lane_reader_ready(&reader));
        assert_int_equal(peal_lane_reserve(&fixture.writer, 8, &data), PEAL_OK);
        assert_int_equal(take_copy(&reader, &message), PEAL_EMPTY);
        assert_int_equal(peal_lane_take(&reader, &message), PEAL_EMPTY);
        assert_false(peal_lane_reader_ready(&reader));
        content_fill(data, 8, 0, i);
        peal_lane_commit(&fixture.writer, 8, 0);
        assert_true(peal_lane_reader_ready(&reader));
        assert_int_equal(take_copy(&reader, &message), PEAL_OK);
        assert_message(&message, i, 8, 0);
    }
    lane_fixture_close(&fixture);
}

static void a_buffer_that_is_too_small_consumes_nothing(void **state)
{
    (void)state;
    struct lane_fixture fixture;
    struct peal_lane_reader reader;
    OPEN(&fixture, 4, 48, 0, 0);
    JOIN(&fixture, &reader, 0, LANE_RELIABLE);
    PUT(&fixture, 40);
    struct peal_message message = {0};
    unsigned char *buffer = malloc(40);
    assert_non_null(buffer);
    for (size_t size = 0; size < 40; size++) {
        assert_int_equal(peal_lane_take_copy(&reader, buffer, size, &message), PEAL_ETRUNC);
        assert_int_equal(message.size_bytes, 40);
        assert_true(reader.delivered == 0 && reader.done == 0);
    }
    assert_int_equal(peal_lane_take_copy(&reader, buffer, 40, &message), PEAL_OK);
    assert_message(&message, 0, 40, 0);
    free(buffer);
    /* An empty message needs no buffer. */
    PUT(&fixture, 0);
    assert_int_equal(peal_lane_take_copy(&reader, NULL, 0, &message), PEAL_OK);
    lane_fixture_close(&fixture);
}

static void messages_are_held_in_place_up_to_64(void **state)
{
    (void)state;
    struct lane_fixture fixture;
    struct peal_lane_reader reader;
    OPEN(&fixture, 128, 48, 0, 0);
    JOIN(&fixture, &reader, 0, LANE_RELIABLE);
    for (unsigned i = 0; i < 100; i++)
        PUT(&fixture, 48);
    struct peal_message held[64], message;
    for (unsigned i = 0; i < 64; i++)
        assert_int_equal(peal_lane_take(&reader, &held[i]), PEAL_OK);
    assert_int_equal(peal_lane_take(&reader, &message), PEAL_ELIMIT);
    assert_int_equal(take_copy(&reader, &message), PEAL_ELIMIT);
    for (unsigned i = 0; i < 64; i++)
        assert_message(&held[i], i, 48, 0);
    assert_true(reader.done == 0);
    /* Not the first: nothing can move up. */
    assert_int_equal(peal_lane_release(&reader, 63, false), PEAL_OK);
    assert_int_equal(peal_lane_take(&reader, &message), PEAL_ELIMIT);
    assert_int_equal(peal_lane_release(&reader, 0, false), PEAL_OK);
    assert_int_equal(peal_lane_take(&reader, &message), PEAL_OK);
    assert_message(&message, 64, 48, 0);
    lane_fixture_close(&fixture);
}

static void releases_in_any_order_acknowledge_what_is_finished_in_a_row(void **state)
{
    (void)state;
    uint64_t seed = random_seed();
    for (unsigned round = 0; round < 200; round++) {
        struct lane_fixture fixture;
        struct peal_lane_reader reader;
        OPEN(&fixture, 64, 48, 0, 0);
        JOIN(&fixture, &reader, 0, LANE_RELIABLE);
        bool released[64] = {false};
        struct peal_message message;
        for (unsigned i = 0; i < 64; i++) {
            PUT(&fixture, 8);
            assert_int_equal(peal_lane_take(&reader, &message), PEAL_OK);
        }
        for (unsigned left = 64; left; left--) {
            unsigned pick = random_below(&seed, 64);
            while (released[pick])
                pick = (pick + 1) % 64;
            released[pick] = true;
            assert_int_equal(peal_lane_release(&reader, pick, false), PEAL_OK);
            unsigned row = 0;
            while (row < 64 && released[row])
                row++;
            assert_true(reader.done == row);
            acknowledge(&reader);
            assert_true(peal_u64_load_relaxed(&fixture.lane->readers[0].cursor) == row);
        }
        assert_true(reader.early == 0);
        lane_fixture_close(&fixture);
    }
}

static void a_held_message_cannot_be_overwritten(void **state)
{
    (void)state;
    struct lane_fixture fixture;
    struct peal_lane_reader reader;
    OPEN(&fixture, 8, 48, 0, 0);
    JOIN(&fixture, &reader, 0, LANE_RELIABLE);
    struct peal_message first, message;
    PUT(&fixture, 48);
    assert_int_equal(peal_lane_take(&reader, &first), PEAL_OK);
    for (unsigned i = 1; i < 8; i++) {
        PUT(&fixture, 48);
        assert_int_equal(take_copy(&reader, &message), PEAL_OK);
        acknowledge(&reader);
    }
    assert_int_equal(lane_fixture_put(&fixture, 48), PEAL_FULL);
    assert_message(&first, 0, 48, 0);
    assert_int_equal(peal_lane_release(&reader, 0, false), PEAL_OK);
    assert_int_equal(lane_fixture_put(&fixture, 48), PEAL_FULL); /* not yet told */
    acknowledge(&reader);
    for (unsigned i = 0; i < 8; i++)
        PUT(&fixture, 48);
    assert_int_equal(lane_fixture_put(&fixture, 48), PEAL_FULL);
    lane_fixture_close(&fixture);
}

static void copying_goes_on_beside_held_messages(void **state)
{
    (void)state;
    struct lane_fixture fixture;
    struct peal_lane_reader reader;
    OPEN(&fixture, 16, 48, 0, 0);
    JOIN(&fixture, &reader, 0, LANE_RELIABLE);
    struct peal_message held, message;
    for (unsigned i = 0; i < 6; i++)
        PUT(&fixture, 8);
    assert_int_equal(peal_lane_take(&reader, &held), PEAL_OK);
    for (unsigned i = 1; i < 6; i++)
        assert_int_equal(take_copy(&reader, &message), PEAL_OK);
    assert_true(reader.done == 0);
    assert_int_equal(peal_lane_release(&reader, 0, false), PEAL_OK);
    assert_true(reader.done == 6);
    lane_fixture_close(&fixture);
}

static void acknowledgements_are_owed_once_in_an_eighth_of_the_ring(void **state)
{
    (void)state;
    static const uint32_t every[][2] = {{2, 1},  {4, 1},    {8, 1},     {16, 2},
                                        {64, 8}, {512, 64}, {1024, 64}, {4096, 64}};
    for (size_t i = 0; i < sizeof(every) / sizeof(every[0]); i++) {
        struct lane_fixture fixture;
        struct peal_lane_reader reader;
        OPEN(&fixture, every[i][0], 8, 0, 0);
        JOIN(&fixture, &reader, 0, LANE_RELIABLE);
        struct peal_message message;
        for (unsigned taken = 0; taken < 300; taken++) {
            assert_int_equal(peal_lane_owes(&reader, true), taken % every[i][1] != 0);
            PUT(&fixture, 8);
            assert_int_equal(take_copy(&reader, &message), PEAL_OK);
            assert_true(peal_lane_owes(&reader, true));
            assert_int_equal(peal_lane_owes(&reader, false), (taken + 1) % every[i][1] == 0);
            if (peal_lane_owes(&reader, false))
                acknowledge(&reader);
        }
        lane_fixture_close(&fixture);
    }
}

static void acknowledging_tells_whether_the_publisher_waits_for_it(void **state)
{
    (void)state;
    struct lane_fixture fixture;
    struct peal_lane_reader reader;
    OPEN(&fixture, 8, 8, 0, 0);
    JOIN(&fixture, &reader, 5, LANE_RELIABLE);
    assert_false(peal_lane_acknowledge(&reader, true));
    peal_u64_store_relaxed(&fixture.lane->writer.waiting, 1);
    assert_true(peal_lane_acknowledge(&reader, true));
    assert_true(peal_lane_acknowledge(&reader, false));
    peal_u64_store_relaxed(&fixture.lane->writer.waiting, UINT64_MAX);
    assert_true(peal_lane_acknowledge(&reader, false));
    peal_u64_store_relaxed(&fixture.lane->writer.waiting, 0);
    assert_false(peal_lane_acknowledge(&reader, false));
    lane_fixture_close(&fixture);
}

/* Flips one bit of message `number` in the lane. */
static void flip(struct lane_fixture *fixture, uint64_t number, size_t bit)
{
    peal_u64 *word = &lane_fixture_slot(fixture, number)->body[bit / 64];
    peal_u64_store_relaxed(word, peal_u64_load_relaxed(word) ^ 1ull << bit % 64);
}

static void a_flipped_bit_loses_that_message_and_no_other(void **state)
{
    (void)state;
    for (unsigned in_place = 0; in_place < 2; in_place++) {
        struct lane_fixture fixture;
        struct peal_lane_reader reader;
        OPEN(&fixture, 4, 40, 0, PEAL_LANE_CRC32C);
        JOIN(&fixture, &reader, 0, LANE_RELIABLE);
        struct peal_message message;
        uint64_t lost = 0;
        for (size_t bit = 0; bit < 64 * 6; bit++) {
            PUT(&fixture, 40);
            flip(&fixture, fixture.writer.next - 1, bit);
            memset(&message, 0xee, sizeof(message));
            enum peal_status status =
                in_place ? peal_lane_take(&reader, &message) : take_copy(&reader, &message);
            assert_int_equal(status, PEAL_ECORRUPT);
            assert_true(message.number == fixture.writer.next - 1);
            assert_true(message.publisher == LANE_FIXTURE_INCARNATION);
            assert_true(reader.spoilt == ++lost && reader.lost == lost);
            assert_false(reader.corrupt);
            assert_true(reader.done == fixture.writer.next);
            PUT(&fixture, 40);
            assert_int_equal(in_place ? peal_lane_take(&reader, &message)
                                      : take_copy(&reader, &message),
                             PEAL_OK);
            assert_true(message.lost == 1);
            if (in_place)
                assert_int_equal(peal_lane_release(&reader, message.number, false), PEAL_OK);
            acknowledge(&reader);
        }
        assert_true(reader.delivered + reader.lost == fixture.writer.next);
        lane_fixture_close(&fixture);
    }
}

static void spoilt_messages_between_held_ones_do_not_hold_the_row_up(void **state)
{
    (void)state;
    struct lane_fixture fixture;
    struct peal_lane_reader reader;
    OPEN(&fixture, 8, 40, 0, PEAL_LANE_CRC32C);
    JOIN(&fixture, &reader, 0, LANE_RELIABLE);
    struct peal_message message;
    for (unsigned i = 0; i < 3; i++)
        PUT(&fixture, 40);
    flip(&fixture, 1, 100);
    assert_int_equal(peal_lane_take(&reader, &message), PEAL_OK);
    assert_int_equal(peal_lane_take(&reader, &message), PEAL_ECORRUPT);
    assert_int_equal(peal_lane_take(&reader, &message), PEAL_OK);
    assert_int_equal(peal_lane_release(&reader, 2, false), PEAL_OK);
    assert_true(reader.done == 0);
    assert_int_equal(peal_lane_release(&reader, 0, false), PEAL_OK);
    assert_true(reader.done == 3);
    lane_fixture_close(&fixture);
}

static void a_lane_with_impossible_geometry_is_not_begun(void **state)
{
    (void)state;
    struct lane_fixture fixture;
    struct peal_lane_reader reader;
    memset(&reader, 0x55, sizeof(reader));
    struct peal_lane_reader untouched = reader;
    OPEN(&fixture, 8, 40, 0, 0);
    peal_u32_store_relaxed(&fixture.lane->geometry.depth, 16);
    assert_int_equal(lane_fixture_join(&fixture, &reader, 0, LANE_RELIABLE), PEAL_ECORRUPT);
    assert_memory_equal(&reader, &untouched, sizeof(reader));
    lane_fixture_close(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_size_comes_through_with_all_options_both_ways),
        cmocka_unit_test(a_ring_goes_round_many_times),
        cmocka_unit_test(a_message_being_written_is_not_there_yet),
        cmocka_unit_test(a_buffer_that_is_too_small_consumes_nothing),
        cmocka_unit_test(messages_are_held_in_place_up_to_64),
        cmocka_unit_test(releases_in_any_order_acknowledge_what_is_finished_in_a_row),
        cmocka_unit_test(a_held_message_cannot_be_overwritten),
        cmocka_unit_test(copying_goes_on_beside_held_messages),
        cmocka_unit_test(acknowledgements_are_owed_once_in_an_eighth_of_the_ring),
        cmocka_unit_test(acknowledging_tells_whether_the_publisher_waits_for_it),
        cmocka_unit_test(a_flipped_bit_loses_that_message_and_no_other),
        cmocka_unit_test(spoilt_messages_between_held_ones_do_not_hold_the_row_up),
        cmocka_unit_test(a_lane_with_impossible_geometry_is_not_begun),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
