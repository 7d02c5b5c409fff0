/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/contest/verdict.h"

/* The benchmarks are a program and no library: the one file that is tested comes along. */
#include "bench/contest/verdict.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

bool bench_one_core;

static struct bench_arena *arena;
static struct bench_outcome outcome;
static const struct bench_contender strict = {.name = "strict"};
static const struct bench_contender lossy = {.name = "lossy", .loses = true};

static int new_arena(void **state)
{
    (void)state;
    arena = aligned_alloc(_Alignof(struct bench_arena), sizeof *arena);
    assert_non_null(arena);
    memset(arena, 0, sizeof *arena);
    memset(&outcome, 0, sizeof outcome);
    return 0;
}

static int free_arena(void **state)
{
    (void)state;
    free(arena);
    return 0;
}

static struct bench_trial trial_of(enum bench_pattern pattern, uint32_t senders, uint32_t receivers)
{
    return (struct bench_trial){
        .contender = &strict, .pattern = pattern, .senders = senders, .receivers = receivers};
}

static void send(uint32_t worker, uint64_t count)
{
    bench_word_write(&arena->workers[worker].sent.word, count);
}

static void receive(uint32_t worker, uint32_t sender, uint64_t from, uint64_t end, uint64_t step)
{
    for (uint64_t number = from; number < end; number += step) {
        (void)bench_tally_add(&arena->workers[worker].tallies[sender], number);
        bench_word_add(&arena->workers[worker].received.word, 1);
    }
}

static enum bench_finding judged(const struct bench_trial *trial)
{
    bench_verdict_give(trial, arena, &outcome);
    return outcome.finding;
}

static void a_queue_gives_each_message_to_somebody(void **state)
{
    struct bench_trial trial = trial_of(BENCH_PATTERN_QUEUE, 2, 2);

    (void)state;
    send(0, 100);
    send(1, 50);
    receive(2, 0, 0, 100, 2);
    receive(3, 0, 1, 100, 2);
    receive(3, 1, 0, 50, 1);
    assert_int_equal(bench_verdict_expected(&trial, arena), 150);
    assert_int_equal(judged(&trial), BENCH_RIGHT);
    receive(2, 1, 49, 50, 1); /* once more */
    assert_int_equal(judged(&trial), BENCH_WRONG);
}

static void one_lost_and_another_twice_is_wrong_though_the_count_is_right(void **state)
{
    struct bench_trial trial = trial_of(BENCH_PATTERN_QUEUE, 1, 2);

    (void)state;
    send(0, 10);
    receive(1, 0, 0, 9, 1);
    receive(2, 0, 3, 4, 1);
    assert_int_equal(judged(&trial), BENCH_WRONG);
}

static void fan_out_gives_each_message_to_everybody(void **state)
{
    struct bench_trial trial = trial_of(BENCH_PATTERN_FAN_OUT, 1, 2);

    (void)state;
    send(0, 10);
    receive(1, 0, 0, 10, 1);
    receive(2, 0, 0, 9, 1);
    assert_int_equal(bench_verdict_expected(&trial, arena), 20);
    assert_int_equal(judged(&trial), BENCH_WRONG);
    receive(2, 0, 9, 10, 1);
    assert_int_equal(judged(&trial), BENCH_RIGHT);
}

static void losses_are_counted_where_they_are_allowed(void **state)
{
    struct bench_trial trial = trial_of(BENCH_PATTERN_MESH, 1, 2);

    (void)state;
    trial.contender = &lossy;
    send(0, 10);
    receive(1, 0, 0, 10, 1);
    receive(2, 0, 0, 10, 2);
    assert_int_equal(judged(&trial), BENCH_RIGHT);
    assert_int_equal(outcome.lost, 5);
    receive(2, 0, 10, 11, 1); /* that was never sent */
    assert_int_equal(judged(&trial), BENCH_WRONG);
}

static void there_and_back_both_ways_count(void **state)
{
    struct bench_trial trial = trial_of(BENCH_PATTERN_PAIR, 1, 1);

    (void)state;
    trial.mode = BENCH_PING_PONG;
    send(0, 10);
    send(1, 10);
    receive(1, 0, 0, 10, 1);
    receive(0, 1, 0, 9, 1);
    assert_int_equal(judged(&trial), BENCH_WRONG);
    receive(0, 1, 9, 10, 1);
    assert_int_equal(judged(&trial), BENCH_RIGHT);
}

static void of_the_latest_value_any_may_be_missed_but_not_all(void **state)
{
    struct bench_trial trial = trial_of(BENCH_PATTERN_LATEST, 1, 2);

    (void)state;
    send(0, 10);
    receive(1, 0, 3, 10, 3);
    assert_int_equal(judged(&trial), BENCH_WRONG);
    receive(2, 0, 9, 10, 1);
    assert_int_equal(judged(&trial), BENCH_RIGHT);
    receive(2, 0, 10, 11, 1);
    assert_int_equal(judged(&trial), BENCH_WRONG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_queue_gives_each_message_to_somebody, new_arena,
                                        free_arena),
        cmocka_unit_test_setup_teardown(
            one_lost_and_another_twice_is_wrong_though_the_count_is_right, new_arena, free_arena),
        cmocka_unit_test_setup_teardown(fan_out_gives_each_message_to_everybody, new_arena,
                                        free_arena),
        cmocka_unit_test_setup_teardown(losses_are_counted_where_they_are_allowed, new_arena,
                                        free_arena),
        cmocka_unit_test_setup_teardown(there_and_back_both_ways_count, new_arena, free_arena),
        cmocka_unit_test_setup_teardown(of_the_latest_value_any_may_be_missed_but_not_all,
                                        new_arena, free_arena),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
