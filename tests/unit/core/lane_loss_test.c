/* SPDX-License-Identifier: Apache-2.0 */
/* What a reader is told when messages are lost: published = delivered + lost, always. */
#include "tests/support/lane_fixture.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define OPEN(fixture, ...) assert_int_equal(lane_fixture_open(fixture, __VA_ARGS__), PEAL_OK)
#define JOIN(fixture, reader, entry, wish)                                                         \
    assert_int_equal(lane_fixture_join(fixture, reader, entry, wish), PEAL_OK)
#define PUT(fixture, size) assert_int_equal(lane_fixture_put(fixture, size), PEAL_OK)

static enum peal_status take_copy(struct peal_lane_reader *reader, struct peal_message *message)
{
    static unsigned char buffer[8192];
    return peal_lane_take_copy(reader, buffer, sizeof(buffer), message);
}

static void put_many(struct lane_fixture *fixture, uint64_t count)
{
    for (uint64_t i = 0; i < count; i++)
        PUT(fixture, 8);
}

/* Takes all that is there. `from`: the first message that has not been accounted for yet. */
static uint64_t drain(struct peal_lane_reader *reader, uint64_t from)
{
    struct peal_message message;
    uint64_t taken = 0;
    while (take_copy(reader, &message) == PEAL_OK) {
        assert_true(message.number == from + message.lost);
        assert_true(content_is(message.data, message.size_bytes, 0, message.number));
        from = message.number + 1;
        taken++;
    }
    return taken;
}

static void loss_by_lapping_is_exact_at_every_depth_and_distance(void **state)
{
    (void)state;
    for (uint32_t depth = 2; depth <= 1024; depth *= 2) {
        uint64_t step = depth <= 64 ? 1 : depth / 32 - 1;
        for (uint64_t distance = 0; distance <= 3ull * depth + 2; distance += step) {
            for (uint64_t begun = 0; begun < 3; begun++) {
                struct lane_fixture fixture;
                struct peal_lane_reader reader;
                OPEN(&fixture, depth, 8, 0, 0);
                JOIN(&fixture, &reader, 0, LANE_BEST_EFFORT);
                put_many(&fixture, begun);
                assert_true(drain(&reader, 0) == begun);
                put_many(&fixture, distance);
                uint64_t taken = drain(&reader, begun);
                assert_true(taken + reader.lost == distance);
                if (distance <= depth)
                    assert_true(taken == distance);
                else /* an eighth of the ring may be given up as a margin */
                    assert_true(taken >= depth - 1 - depth / 8);
                assert_true(reader.lost_pending == 0);
                assert_true(peal_lane_reader_lost(&reader) == reader.lost);
                lane_fixture_close(&fixture);
            }
        }
    }
}

static void a_reader_is_ready_when_there_is_a_loss_to_find_out(void **state)
{
    (void)state;
    struct lane_fixture fixture;
    struct peal_lane_reader reader;
    OPEN(&fixture, 4, 8, 0, 0);
    JOIN(&fixture, &reader, 0, LANE_BEST_EFFORT);
    for (unsigned i = 1; i < 20; i++) {
        PUT(&fixture, 8);
        assert_true(peal_lane_reader_ready(&reader));
    }
    lane_fixture_close(&fixture);
}

/* Messages whose slots are on loan are lost, those that are not yet published are not. */
static void open_loans_lose_no_more_than_the_slots_they_took(void **state)
{
    (void)state;
    for (uint32_t depth = 2; depth <= 64; depth *= 2) {
        for (uint32_t loans = 1; loans <= depth; loans++) {
            for (uint64_t behind = 0; behind <= depth; behind++) {
                struct lane_fixture fixture;
                struct peal_lane_reader reader;
                OPEN(&fixture, depth, 8, 0, 0);
                JOIN(&fixture, &reader, 0, LANE_BEST_EFFORT);
                put_many(&fixture, depth);
                assert_true(drain(&reader, 0) == depth);
                put_many(&fixture, behind);
                void *data;
                for (uint32_t i = 0; i < loans; i++)
                    assert_int_equal(peal_lane_reserve(&fixture.writer, 8, &data), PEAL_OK);
                /* Losses are stepped over in bounded portions: EMPTY is not the end yet. */
                uint64_t from = depth, taken = 0;
                for (uint32_t portions = 0; portions <= depth; portions++) {
                    struct peal_message message;
                    if (take_copy(&reader, &message) != PEAL_OK)
                        continue;
                    assert_true(message.number == from + message.lost);
                    from = message.number + 1;
                    taken++;
                }
                assert_true(taken + reader.lost == behind);
                uint64_t overrun = behind + loans > depth ? behind + loans - depth : 0;
                assert_true(taken + overrun + depth / 8 >= behind);
                /* Nothing of what comes now is lost. */
                peal_lane_discard(&fixture.writer);
                put_many(&fixture, depth);
                assert_true(drain(&reader, from) + taken == depth + taken);
                assert_true(reader.delivered + reader.lost == fixture.writer.next);
                lane_fixture_close(&fixture);
            }
        }
    }
}

static void a_late_reader_misses_nothing_published_after_it_came(void **state)
{
    (void)state;
    for (uint32_t depth = 2; depth <= 64; depth *= 2) {
        for (uint64_t before = 0; before <= 2ull * depth + 1; before++) {
            for (uint32_t loans = 0; loans <= depth; loans++) {
                struct lane_fixture fixture;
                struct peal_lane_reader reader;
                OPEN(&fixture, depth, 8, 0, 0);
                put_many(&fixture, before);
                void *data;
                for (uint32_t i = 0; i < loans; i++)
                    assert_int_equal(peal_lane_reserve(&fixture.writer, 8, &data), PEAL_OK);
                JOIN(&fixture, &reader, 0, ((struct peal_lane_reader_wish){0}));
                peal_lane_discard(&fixture.writer);
                put_many(&fixture, depth);
                assert_true(drain(&reader, before) == depth);
                assert_true(reader.lost == 0);
                lane_fixture_close(&fixture);
            }
        }
    }
}

static void a_late_reliable_reader_gates_from_where_it_came(void **state)
{
    (void)state;
    for (uint64_t before = 0; before <= 40; before++) {
        struct lane_fixture fixture;
        struct peal_lane_reader reader;
        OPEN(&fixture, 16, 8, 0, 0);
        put_many(&fixture, before);
        JOIN(&fixture, &reader, 0, ((struct peal_lane_reader_wish){.reliable = true}));
        put_many(&fixture, 16);
        assert_int_equal(lane_fixture_put(&fixture, 8), PEAL_FULL);
        assert_true(drain(&reader, before) == 16);
        (void)peal_lane_acknowledge(&reader, true);
        put_many(&fixture, 16);
        assert_int_equal(lane_fixture_put(&fixture, 8), PEAL_FULL);
        assert_true(drain(&reader, before + 16) == 16);
        lane_fixture_close(&fixture);
    }
}

static void history_begins_as_far_back_as_wished_or_kept(void **state)
{
    (void)state;
    for (uint32_t depth = 2; depth <= 64; depth *= 2) {
        for (uint64_t before = 0; before <= 2ull * depth + 1; before++) {
            for (uint32_t history = 0; history <= depth + 2; history++) {
                struct lane_fixture fixture;
                struct peal_lane_reader reader;
                OPEN(&fixture, depth, 8, 0, 0);
                put_many(&fixture, before);
                JOIN(&fixture, &reader, 0, ((struct peal_lane_reader_wish){.history = history}));
                uint64_t kept = depth - 1 - depth / 8;
                uint64_t back = history < before ? history : before;
                back = back < kept ? back : kept;
                assert_true(drain(&reader, before - back) == back);
                assert_true(reader.lost == 0);
                lane_fixture_close(&fixture);
            }
        }
    }
    /* No history is too long. */
    struct lane_fixture fixture;
    struct peal_lane_reader reader;
    OPEN(&fixture, 8, 8, 0, 0);
    put_many(&fixture, 5);
    JOIN(&fixture, &reader, 0, ((struct peal_lane_reader_wish){.history = UINT32_MAX}));
    assert_true(drain(&reader, 0) == 5);
    lane_fixture_close(&fixture);
}

static void a_reliable_reader_with_history_gates_from_its_history(void **state)
{
    (void)state;
    struct lane_fixture fixture;
    struct peal_lane_reader reader;
    OPEN(&fixture, 16, 8, 0, 0);
    put_many(&fixture, 100);
    JOIN(&fixture, &reader, 0, ((struct peal_lane_reader_wish){.reliable = true, .history = 10}));
    put_many(&fixture, 6);
    assert_int_equal(lane_fixture_put(&fixture, 8), PEAL_FULL);
    assert_true(drain(&reader, 90) == 16);
    assert_true(reader.lost == 0);
    lane_fixture_close(&fixture);
}

static void latest_gives_the_newest_and_reports_the_rest(void **state)
{
    (void)state;
    for (uint32_t depth = 2; depth <= 64; depth *= 2) {
        for (uint64_t count = 1; count <= 5ull * depth; count++) {
            struct lane_fixture fixture;
            struct peal_lane_reader reader;
            struct peal_message message;
            OPEN(&fixture, depth, 8, 0, 0);
            JOIN(&fixture, &reader, 0,
                 ((struct peal_lane_reader_wish){.latest = true, .invited = true}));
            assert_int_equal(take_copy(&reader, &message), PEAL_EMPTY);
            put_many(&fixture, count);
            assert_int_equal(take_copy(&reader, &message), PEAL_OK);
            assert_true(message.number == count - 1);
            assert_true(message.lost == count - 1);
            assert_int_equal(take_copy(&reader, &message), PEAL_EMPTY);
            put_many(&fixture, count);
            assert_int_equal(peal_lane_take(&reader, &message), PEAL_OK);
            assert_true(message.number == 2 * count - 1);
            assert_true(message.lost == count - 1);
            assert_int_equal(peal_lane_release(&reader, message.number, false), PEAL_OK);
            assert_true(reader.delivered + reader.lost == 2 * count);
            lane_fixture_close(&fixture);
        }
    }
}

static void latest_passes_over_a_message_that_is_being_written(void **state)
{
    (void)state;
    struct lane_fixture fixture;
    struct peal_lane_reader reader;
    struct peal_message message;
    OPEN(&fixture, 4, 8, 0, 0);
    JOIN(&fixture, &reader, 0, ((struct peal_lane_reader_wish){.latest = true, .invited = true}));
    for (uint64_t count = 1; count < 20; count++) {
        put_many(&fixture, 3);
        void *data;
        assert_int_equal(peal_lane_reserve(&fixture.writer, 8, &data), PEAL_OK);
        assert_int_equal(take_copy(&reader, &message), PEAL_OK);
        assert_true(message.number == 3 * count - 1);
        assert_int_equal(take_copy(&reader, &message), PEAL_EMPTY);
        peal_lane_discard(&fixture.writer);
    }
    lane_fixture_close(&fixture);
}

static void a_message_overwritten_in_place_elapses_and_counts_as_lost(void **state)
{
    (void)state;
    for (uint64_t overwritten = 0; overwritten <= 8; overwritten++) {
        struct lane_fixture fixture;
        struct peal_lane_reader reader;
        struct peal_message held[8];
        OPEN(&fixture, 8, 8, 0, 0);
        JOIN(&fixture, &reader, 0, LANE_BEST_EFFORT);
        put_many(&fixture, 8);
        for (unsigned i = 0; i < 8; i++)
            assert_int_equal(peal_lane_take(&reader, &held[i]), PEAL_OK);
        put_many(&fixture, overwritten);
        for (unsigned i = 8; i-- > 0;)
            assert_int_equal(peal_lane_release(&reader, held[i].number, false),
                             i < overwritten ? PEAL_ELAPPED : PEAL_OK);
        assert_true(reader.delivered == 8 - overwritten);
        assert_true(reader.lost == overwritten);
        assert_true(drain(&reader, 8) == overwritten);
        assert_true(reader.delivered + reader.lost == fixture.writer.next);
        lane_fixture_close(&fixture);
    }
}

static void a_loan_over_a_held_message_elapses_it(void **state)
{
    (void)state;
    struct lane_fixture fixture;
    struct peal_lane_reader reader;
    struct peal_message message;
    OPEN(&fixture, 4, 8, 0, 0);
    JOIN(&fixture, &reader, 0, LANE_BEST_EFFORT);
    put_many(&fixture, 4);
    assert_int_equal(peal_lane_take(&reader, &message), PEAL_OK);
    void *data;
    assert_int_equal(peal_lane_reserve(&fixture.writer, 8, &data), PEAL_OK);
    assert_int_equal(peal_lane_release(&reader, message.number, false), PEAL_ELAPPED);
    lane_fixture_close(&fixture);
}

static void messages_held_while_the_reader_is_overrun_are_settled_once(void **state)
{
    (void)state;
    struct lane_fixture fixture;
    struct peal_lane_reader reader;
    struct peal_message held[3];
    OPEN(&fixture, 4, 8, 0, 0);
    JOIN(&fixture, &reader, 0, LANE_BEST_EFFORT);
    put_many(&fixture, 3);
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(peal_lane_take(&reader, &held[i]), PEAL_OK);
    put_many(&fixture, 20);
    assert_true(drain(&reader, 3) == 3); /* jumps over the held ones */
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(peal_lane_release(&reader, held[i].number, false), PEAL_ELAPPED);
    assert_true(reader.delivered == 3);
    assert_true(reader.delivered + reader.lost == fixture.writer.next);
    put_many(&fixture, 1);
    assert_true(drain(&reader, 23) == 1);
    lane_fixture_close(&fixture);
}

static void an_evicted_reader_is_told_its_loss(void **state)
{
    (void)state;
    struct lane_fixture fixture;
    struct peal_lane_reader reader;
    OPEN(&fixture, 16, 8, 0, PEAL_LANE_EVICT);
    JOIN(&fixture, &reader, 0, LANE_RELIABLE);
    put_many(&fixture, 1000);
    uint64_t taken = drain(&reader, 0);
    assert_true(taken >= 13 && taken + reader.lost == 1000);
    assert_true(reader.safe_from == UINT64_MAX);
    lane_fixture_close(&fixture);
}

static void drops_are_told_with_the_next_message(void **state)
{
    (void)state;
    struct lane_fixture fixture;
    struct peal_lane_reader reader;
    struct peal_message message;
    OPEN(&fixture, 16, 8, 0, 0);
    JOIN(&fixture, &reader, 0, LANE_RELIABLE);
    uint64_t seed = random_seed(), dropped = 0;
    for (uint64_t round = 0; round < 1000; round++) {
        unsigned drops = random_below(&seed, 4);
        for (unsigned i = 0; i < drops; i++)
            peal_lane_drop(&fixture.writer);
        dropped += drops;
        assert_true(peal_lane_reader_lost(&reader) == dropped); /* known before it is told */
        PUT(&fixture, 8);
        assert_int_equal(take_copy(&reader, &message), PEAL_OK);
        assert_true(message.lost == drops && message.number == round);
        assert_true(reader.lost == dropped);
        (void)peal_lane_acknowledge(&reader, true);
    }
    lane_fixture_close(&fixture);
}

static void drops_are_counted_over_the_wrap_of_their_24_bits(void **state)
{
    (void)state;
    struct lane_fixture fixture;
    struct peal_lane_reader reader;
    struct peal_message message;
    OPEN(&fixture, 16, 8, 0, 0);
    fixture.writer.dropped = (1ull << 24) - 3;
    peal_lane_drop(&fixture.writer);
    JOIN(&fixture, &reader, 0, ((struct peal_lane_reader_wish){0}));
    PUT(&fixture, 8);
    assert_int_equal(take_copy(&reader, &message), PEAL_OK);
    assert_true(message.lost == 0);
    for (unsigned i = 0; i < 5; i++)
        peal_lane_drop(&fixture.writer);
    assert_true(peal_lane_reader_lost(&reader) == 5);
    PUT(&fixture, 8);
    assert_int_equal(take_copy(&reader, &message), PEAL_OK);
    assert_true(message.lost == 5);
    assert_true(peal_lane_reader_lost(&reader) == 5);
    lane_fixture_close(&fixture);
}

/* Drops and messages of an unseen past, a join somewhere, and a future that is counted in full. */
static void drops_before_a_reader_came_are_not_its_losses_and_later_ones_are(void **state)
{
    (void)state;
    for (uint32_t history = 0; history <= 6; history++) {
        for (uint64_t after = 0; after <= 24; after++) {
            struct lane_fixture fixture;
            struct peal_lane_reader reader;
            OPEN(&fixture, 8, 8, 0, 0);
            fixture.writer.dropped = (1ull << 24) - 7; /* wraps on the way */
            for (unsigned i = 0; i < 10; i++) {
                peal_lane_drop(&fixture.writer);
                PUT(&fixture, 8);
            }
            peal_lane_drop(&fixture.writer);
            JOIN(&fixture, &reader, 0, ((struct peal_lane_reader_wish){.history = history}));
            for (uint64_t i = 0; i < after; i++) {
                peal_lane_drop(&fixture.writer);
                peal_lane_drop(&fixture.writer);
                PUT(&fixture, 8);
            }
            struct peal_message message;
            uint64_t told = 0, taken = 0;
            while (take_copy(&reader, &message) == PEAL_OK) {
                told += message.lost;
                taken++;
            }
            uint64_t messages = history + after;
            uint64_t back = history < 6 ? history : 6;
            messages = back + after;
            /* Between messages of its history lies one drop each; the one before the first and those
             * before the join are not its own, unless it has no history that tells. */
            uint64_t least = 2 * after;
            uint64_t most = least + back + 1;
            assert_true(told == reader.lost);
            assert_true(taken + told >= messages + least);
            assert_true(taken + told <= messages + most);
            assert_true(peal_lane_reader_lost(&reader) <= told + 1);
            lane_fixture_close(&fixture);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(loss_by_lapping_is_exact_at_every_depth_and_distance),
        cmocka_unit_test(a_reader_is_ready_when_there_is_a_loss_to_find_out),
        cmocka_unit_test(open_loans_lose_no_more_than_the_slots_they_took),
        cmocka_unit_test(a_late_reader_misses_nothing_published_after_it_came),
        cmocka_unit_test(a_late_reliable_reader_gates_from_where_it_came),
        cmocka_unit_test(history_begins_as_far_back_as_wished_or_kept),
        cmocka_unit_test(a_reliable_reader_with_history_gates_from_its_history),
        cmocka_unit_test(latest_gives_the_newest_and_reports_the_rest),
        cmocka_unit_test(latest_passes_over_a_message_that_is_being_written),
        cmocka_unit_test(a_message_overwritten_in_place_elapses_and_counts_as_lost),
        cmocka_unit_test(a_loan_over_a_held_message_elapses_it),
        cmocka_unit_test(messages_held_while_the_reader_is_overrun_are_settled_once),
        cmocka_unit_test(an_evicted_reader_is_told_its_loss),
        cmocka_unit_test(drops_are_told_with_the_next_message),
        cmocka_unit_test(drops_are_counted_over_the_wrap_of_their_24_bits),
        cmocka_unit_test(drops_before_a_reader_came_are_not_its_losses_and_later_ones_are),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
