/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The protocols whose orders docs/memory-model.md explains, as programs of the machine: each holds as
 * it is written in the code, and each fails without any one of its orders.
 */
#include "tests/support/weak_machine.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define COUNT_OF(array) ((int)(sizeof(array) / sizeof((array)[0])))

static struct outcome run_two(const struct instruction *one, const struct instruction *other,
                              property holds)
{
    const struct instruction *programs[] = {one, other};
    struct outcome outcome = machine_explore(programs, COUNT_OF(programs), holds);
    assert_true(outcome.ends > 1);
    return outcome;
}

/* ---- a slot that is overwritten while it is copied (LANE-F1, LANE-R1, LANE-A1, LANE-F2) ---- */

enum { STAMP, WORD_0, WORD_1 };

/* Message 0 has the words 10, 10 and message 1 has 11, 11, in the same slot. */
#define PUT(number, writing, complete)                                                             \
    {STORE, RELAXED, STAMP, 0, 2 * (number) + 1, 0}, {FENCE, writing, 0, 0, 0, 0},                 \
        {STORE, RELAXED, WORD_0, 0, 10 + (number), 0},                                             \
        {STORE, RELAXED, WORD_1, 0, 10 + (number), 0},                                             \
    {                                                                                              \
        STORE, complete, STAMP, 0, 2 * (number) + 2, 0                                             \
    }

/* Registers: 0 the stamp, 1 and 2 the words, 3 the stamp again; 5 stays 0 where nothing was taken. */
static bool what_was_taken_is_one_message(const struct machine *end)
{
    const uint8_t *reg = end->threads[1].reg;
    if (reg[0] == 0 || reg[0] % 2 == 1 || reg[3] != reg[0])
        return true;
    uint8_t word = (uint8_t)(reg[0] / 2 - 1 + 10);
    return reg[1] == word && reg[2] == word;
}

static uint64_t torn_copies(enum order writing, enum order complete, enum order look,
                            enum order confirm)
{
    const struct instruction writer[] = {PUT(0, writing, complete), PUT(1, writing, complete), {0}};
    const struct instruction reader[] = {
        {LOAD, look, STAMP, 0, 0, 0},     {LOAD, RELAXED, WORD_0, 1, 0, 0},
        {LOAD, RELAXED, WORD_1, 2, 0, 0}, {FENCE, confirm, 0, 0, 0, 0},
        {LOAD, RELAXED, STAMP, 3, 0, 0},  {0},
    };
    return run_two(writer, reader, what_was_taken_is_one_message).violations;
}

static void a_copy_between_two_equal_stamps_is_one_message(void **state)
{
    (void)state;
    assert_int_equal(torn_copies(RELEASE, RELEASE, ACQUIRE, ACQUIRE), 0);
}

static void a_torn_copy_passes_without_any_one_of_the_slots_orders(void **state)
{
    (void)state;
    assert_true(torn_copies(RELAXED, RELEASE, ACQUIRE, ACQUIRE) > 0); /* LANE-F1 */
    assert_true(torn_copies(RELEASE, RELAXED, ACQUIRE, ACQUIRE) > 0); /* LANE-R1 */
    assert_true(torn_copies(RELEASE, RELEASE, RELAXED, ACQUIRE) > 0); /* LANE-A1 */
    assert_true(torn_copies(RELEASE, RELEASE, ACQUIRE, RELAXED) > 0); /* LANE-F2 */
}

/* ---- the payload ring is overwritten under a message whose slot stays ---- */

enum { RING_STAMP, OLDEST, PAYLOAD };

/* Message 0 lies in the ring; the message that overwrites its bytes uses another slot. */
static bool an_overwritten_payload_is_noticed(const struct machine *end)
{
    const uint8_t *reg = end->threads[1].reg;
    if (reg[0] != 2 || reg[2] != 0)
        return true; /* not there, or known to be gone */
    return reg[1] == 10;
}

static uint64_t unnoticed(enum order retire, enum order confirm)
{
    const struct instruction writer[] = {
        {STORE, RELAXED, PAYLOAD, 0, 10, 0}, {STORE, RELEASE, RING_STAMP, 0, 2, 0},
        {STORE, RELAXED, OLDEST, 0, 1, 0},   {FENCE, retire, 0, 0, 0, 0},
        {STORE, RELAXED, PAYLOAD, 0, 11, 0}, {0},
    };
    const struct instruction reader[] = {
        {LOAD, ACQUIRE, RING_STAMP, 0, 0, 0},
        {LOAD, RELAXED, PAYLOAD, 1, 0, 0},
        {FENCE, confirm, 0, 0, 0, 0},
        {LOAD, RELAXED, OLDEST, 2, 0, 0},
        {0},
    };
    return run_two(writer, reader, an_overwritten_payload_is_noticed).violations;
}

static void a_payload_that_was_overwritten_is_noticed_only_with_both_fences(void **state)
{
    (void)state;
    assert_int_equal(unnoticed(RELEASE, ACQUIRE), 0);
    assert_true(unnoticed(RELAXED, ACQUIRE) > 0);
    assert_true(unnoticed(RELEASE, RELAXED) > 0);
}

/* ---- message passing: what comes before a release is seen after the acquire ---- */

enum { FLAG, DATA };

static bool the_data_is_there_with_the_flag(const struct machine *end)
{
    return end->threads[1].reg[0] == 0 || end->threads[1].reg[1] == 10;
}

static uint64_t unseen(enum operation announce, enum order release, enum order acquire)
{
    const struct instruction one[] = {
        {STORE, RELAXED, DATA, 0, 10, 0}, {announce, release, FLAG, 0, 1, 0}, {0}};
    const struct instruction other[] = {
        {LOAD, acquire, FLAG, 0, 0, 0}, {LOAD, RELAXED, DATA, 1, 0, 0}, {0}};
    return run_two(one, other, the_data_is_there_with_the_flag).violations;
}

static void what_comes_before_a_release_is_seen_after_the_acquire(void **state)
{
    (void)state;
    assert_int_equal(unseen(STORE, RELEASE, ACQUIRE), 0);
    assert_int_equal(unseen(OR, ACQ_REL, ACQUIRE), 0);
    assert_true(unseen(STORE, RELAXED, ACQUIRE) > 0);
    assert_true(unseen(STORE, RELEASE, RELAXED) > 0);
    assert_true(unseen(OR, ACQUIRE, ACQUIRE) > 0);
}

/* ---- Dekker's handshake: store, full fence, load on both sides ---- */

enum { MESSAGE, ARMED };

static bool one_of_the_two_sees_the_other(const struct machine *end)
{
    return end->threads[0].reg[0] != 0 || end->threads[1].reg[0] != 0;
}

static const struct instruction rings[] = {{STORE, RELEASE, MESSAGE, 0, 1, 0},
                                           {FENCE, SEQ_CST, 0, 0, 0, 0},
                                           {LOAD, ACQUIRE, ARMED, 0, 0, 0},
                                           {0}};
static const struct instruction rings_unfenced[] = {
    {STORE, RELEASE, MESSAGE, 0, 1, 0}, {LOAD, ACQUIRE, ARMED, 0, 0, 0}, {0}};
static const struct instruction sleeps[] = {{OR, SEQ_CST, ARMED, 1, 1, 0},
                                            {FENCE, SEQ_CST, 0, 0, 0, 0},
                                            {LOAD, ACQUIRE, MESSAGE, 0, 0, 0},
                                            {0}};
static const struct instruction sleeps_unfenced[] = {
    {OR, ACQ_REL, ARMED, 1, 1, 0}, {LOAD, ACQUIRE, MESSAGE, 0, 0, 0}, {0}};
static const struct instruction sleeps_with_membarrier[] = {{OR, ACQ_REL, ARMED, 1, 1, 0},
                                                            {MEMBARRIER, RELAXED, 0, 0, 0, 0},
                                                            {LOAD, ACQUIRE, MESSAGE, 0, 0, 0},
                                                            {0}};

static void with_a_full_fence_on_both_sides_no_wake_up_is_lost(void **state)
{
    (void)state;
    assert_int_equal(run_two(rings, sleeps, one_of_the_two_sees_the_other).violations, 0);
}

static void a_wake_up_is_lost_without_either_fence(void **state)
{
    (void)state;
    assert_true(run_two(rings_unfenced, sleeps, one_of_the_two_sees_the_other).violations > 0);
    assert_true(run_two(rings, sleeps_unfenced, one_of_the_two_sees_the_other).violations > 0);
}

static void the_sleepers_membarrier_stands_for_both_fences(void **state)
{
    (void)state;
    assert_int_equal(
        run_two(rings_unfenced, sleeps_with_membarrier, one_of_the_two_sees_the_other).violations,
        0);
    assert_int_equal(
        run_two(rings, sleeps_with_membarrier, one_of_the_two_sees_the_other).violations, 0);
}

/* ---- the pin of a subscriber that joins an ended lane (LIFE-*) ---- */

enum { PIN, TAG, STATE };

/*
 * Joiner: pin, fence, is the state still good? then the tag, then the pin goes (here: bit 1 says so,
 * for this machine's read-modify-write only sets bits). Reclaimer: state, fence, the pin, then the tag.
 * Bad: the joiner has the lane, and the reclaimer saw neither pin nor tag.
 */
static bool a_lane_that_was_joined_is_not_reclaimed(const struct machine *end)
{
    const uint8_t *reg = end->threads[1].reg;
    bool joined = end->threads[0].reg[0] == 0;
    bool pinned = reg[0] == 1;
    return !joined || pinned || reg[1] != 0;
}

static uint64_t reclaimed_under_a_reader(enum order join, enum order reclaim, enum order unpin,
                                         enum order look)
{
    const struct instruction joiner[] = {
        {OR, RELAXED, PIN, 5, 1, 0},
        {FENCE, join, 0, 0, 0, 0},
        {LOAD, ACQUIRE, STATE, 0, 0, 0},
        {SKIP_IF, RELAXED, 0, 0, 1, 1},
        {STORE, RELAXED, TAG, 0, 1, 0},
        {OR, unpin, PIN, 5, 2, 0},
        {0},
    };
    const struct instruction reclaimer[] = {
        {STORE, RELEASE, STATE, 0, 1, 0},
        {FENCE, reclaim, 0, 0, 0, 0},
        {LOAD, look, PIN, 0, 0, 0},
        {LOAD, RELAXED, TAG, 1, 0, 0},
        {0},
    };
    return run_two(joiner, reclaimer, a_lane_that_was_joined_is_not_reclaimed).violations;
}

static void a_lane_is_not_reclaimed_under_who_joins_it(void **state)
{
    (void)state;
    assert_int_equal(reclaimed_under_a_reader(SEQ_CST, SEQ_CST, ACQ_REL, ACQUIRE), 0);
}

static void a_lane_is_reclaimed_under_who_joins_it_without_any_one_of_the_orders(void **state)
{
    (void)state;
    assert_true(reclaimed_under_a_reader(RELAXED, SEQ_CST, ACQ_REL, ACQUIRE) > 0); /* LIFE-F3 */
    assert_true(reclaimed_under_a_reader(SEQ_CST, RELAXED, ACQ_REL, ACQUIRE) > 0); /* LIFE-F2 */
    assert_true(reclaimed_under_a_reader(SEQ_CST, SEQ_CST, RELAXED, ACQUIRE) > 0); /* LIFE-R3 */
    assert_true(reclaimed_under_a_reader(SEQ_CST, SEQ_CST, ACQ_REL, RELAXED) > 0); /* LIFE-A1 */
}

/* ---- the machine itself ---- */

enum { X, Y };

static bool a_location_does_not_go_back(const struct machine *end)
{
    const uint8_t *reg = end->threads[1].reg;
    return reg[0] <= reg[1] && reg[1] <= reg[2];
}

static void the_machine_keeps_each_location_in_order(void **state)
{
    (void)state;
    const struct instruction one[] = {
        {STORE, RELAXED, X, 0, 1, 0}, {STORE, RELAXED, X, 0, 2, 0}, {0}};
    const struct instruction other[] = {
        {LOAD, RELAXED, X, 0, 0, 0}, {LOAD, RELAXED, X, 1, 0, 0}, {LOAD, RELAXED, X, 2, 0, 0}, {0}};
    struct outcome outcome = run_two(one, other, a_location_does_not_go_back);
    assert_int_equal(outcome.violations, 0);
    assert_true(outcome.ends >= 10); /* 0 <= a <= b <= c <= 2 */
}

static bool what_the_first_stored_is_seen_by_the_third(const struct machine *end)
{
    return end->threads[2].reg[0] != 3 || end->threads[2].reg[1] == 10;
}

static void the_machine_carries_a_release_through_the_operations_of_others(void **state)
{
    (void)state;
    const struct instruction first[] = {
        {STORE, RELAXED, Y, 0, 10, 0}, {OR, RELEASE, X, 0, 1, 0}, {0}};
    const struct instruction second[] = {{OR, RELAXED, X, 0, 2, 0}, {0}};
    const struct instruction third[] = {
        {LOAD, ACQUIRE, X, 0, 0, 0}, {LOAD, RELAXED, Y, 1, 0, 0}, {0}};
    const struct instruction *programs[] = {first, second, third};
    struct outcome outcome =
        machine_explore(programs, COUNT_OF(programs), what_the_first_stored_is_seen_by_the_third);
    assert_int_equal(outcome.violations, 0);
    assert_true(outcome.ends > 6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_machine_keeps_each_location_in_order),
        cmocka_unit_test(the_machine_carries_a_release_through_the_operations_of_others),
        cmocka_unit_test(a_copy_between_two_equal_stamps_is_one_message),
        cmocka_unit_test(a_torn_copy_passes_without_any_one_of_the_slots_orders),
        cmocka_unit_test(a_payload_that_was_overwritten_is_noticed_only_with_both_fences),
        cmocka_unit_test(what_comes_before_a_release_is_seen_after_the_acquire),
        cmocka_unit_test(with_a_full_fence_on_both_sides_no_wake_up_is_lost),
        cmocka_unit_test(a_wake_up_is_lost_without_either_fence),
        cmocka_unit_test(the_sleepers_membarrier_stands_for_both_fences),
        cmocka_unit_test(a_lane_is_not_reclaimed_under_who_joins_it),
        cmocka_unit_test(a_lane_is_reclaimed_under_who_joins_it_without_any_one_of_the_orders),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
