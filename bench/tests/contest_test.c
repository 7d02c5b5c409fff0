/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The contest finds what contenders do wrong, ends whatever they do, and counts from when messages were due.
 * No speed is judged here.
 */
#include "bench/contest/arena.h"
#include "bench/contest/contest.h"
#include "bench/contest/floor_slots.h"
#include "bench/contest/ours.h"
#include "bench/contest/reasons.h"
#include "bench/cpus.h"
#include "bench/tests/wrong.h"

#include <math.h>
#include <peal/bus.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

bool bench_one_core;

static char url[64];
static int cpus[2] = {-1, -1};
static struct bench_outcome outcome;

/* One that says how deep a channel it was given, and does not begin. */
static uint32_t depth_told;

static bool tell_depth(struct bench_channel *channel)
{
    depth_told = channel->depth;
    return false;
}

static const struct bench_contender tells_depth = {.name = "tells its depth",
                                                   .is_peal = true,
                                                   .patterns = BENCH_PATTERN_QUEUE,
                                                   .begin = tell_depth};

/* What main() and the peers have in the program. */
static const struct bench_contender *const *chosen;
const struct bench_contender *const bench_contenders[] = {&bench_peal_topic_loan,
                                                          &bench_peal_queue_copy,
                                                          &bench_wrong_drops,
                                                          &bench_wrong_begins,
                                                          &bench_wrong_hangs,
                                                          &tells_depth,
                                                          NULL};

int bench_interrupted(void)
{
    return 0;
}

const char *bench_scenario_title(const struct bench_scenario *scenario)
{
    return strchr(scenario->name, '/') + 1;
}

bool bench_run_wants(const struct bench_run *run, const struct bench_scenario *scenario,
                     const char *contender)
{
    (void)run;
    (void)scenario;
    for (size_t i = 0; chosen != NULL && chosen[i] != NULL; i++) {
        if (strcmp(chosen[i]->name, contender) == 0)
            return true;
    }
    return false;
}

/* ---- one trial ---- */

static struct bench_trial trial_of(const struct bench_contender *contender, enum bench_mode mode)
{
    return (struct bench_trial){.contender = contender,
                                .url = url,
                                .cpus = {cpus[0], cpus[1]},
                                .mode = mode,
                                .pattern = BENCH_PATTERN_PAIR,
                                .senders = 1,
                                .receivers = 1,
                                .batch = 1,
                                .size_bytes = 64,
                                .depth = 1024,
                                .warm_ns = 2 * BENCH_MILLISECOND,
                                .measure_ns = 50 * BENCH_MILLISECOND};
}

static void run(const struct bench_trial *trial)
{
    bench_trial_run(trial, &outcome);
    if (outcome.reason[0] != '\0')
        print_message("%s: %s\n", trial->contender->name, outcome.reason);
}

static void finds(const struct bench_contender *contender, uint32_t batch, const char *reason)
{
    struct bench_trial trial = trial_of(contender, BENCH_STREAM);

    trial.batch = batch;
    run(&trial);
    assert_int_equal(outcome.finding, BENCH_WRONG);
    assert_non_null(strstr(outcome.reason, reason));
}

static void a_lost_message_is_found(void **state)
{
    (void)state;
    finds(&bench_wrong_drops, 1, "some are lost");
}

static void what_may_be_lost_is_told(void **state)
{
    struct bench_trial trial = trial_of(&bench_wrong_lossy, BENCH_STREAM);

    (void)state;
    run(&trial);
    assert_int_equal(outcome.finding, BENCH_RIGHT);
    assert_true(outcome.lost > 0);
}

static void a_repeated_message_is_found(void **state)
{
    (void)state;
    finds(&bench_wrong_repeats, 1, "out of order");
}

static void reordered_messages_are_found(void **state)
{
    (void)state;
    finds(&bench_wrong_reorders, 8, "out of order");
}

static void wrong_content_is_found_in_the_last_byte(void **state)
{
    (void)state;
    finds(&bench_wrong_spoils, 1, "wrong content");
}

static void a_shortened_message_is_found(void **state)
{
    (void)state;
    finds(&bench_wrong_shortens, 1, "56 bytes");
}

static void a_message_that_two_receivers_of_a_queue_get_is_found(void **state)
{
    struct bench_trial trial = trial_of(&bench_wrong_copies, BENCH_STREAM);

    (void)state;
    trial.pattern = BENCH_PATTERN_QUEUE;
    trial.receivers = 2;
    run(&trial);
    assert_int_equal(outcome.finding, BENCH_WRONG);
    assert_non_null(strstr(outcome.reason, "came twice"));
}

static void a_message_that_one_of_two_subscribers_misses_is_found(void **state)
{
    struct bench_trial trial = trial_of(&bench_wrong_misses, BENCH_STREAM);

    (void)state;
    trial.pattern = BENCH_PATTERN_FAN_OUT;
    trial.receivers = 2;
    run(&trial);
    assert_int_equal(outcome.finding, BENCH_WRONG);
    assert_non_null(strstr(outcome.reason, "to a receiver"));
}

static void who_hangs_is_killed_and_counted(void **state)
{
    struct bench_trial trial = trial_of(&bench_wrong_hangs, BENCH_STREAM);

    (void)state;
    run(&trial);
    assert_int_equal(outcome.finding, BENCH_CUT);
    assert_true(outcome.missing > 0);
}

static void who_dies_has_failed_and_says_why(void **state)
{
    (void)state;
    finds(&bench_wrong_dies, 1, "a call has failed");
}

static void who_cannot_begin_is_absent(void **state)
{
    struct bench_trial trial = trial_of(&bench_wrong_opens, BENCH_PING_PONG);

    (void)state;
    run(&trial);
    assert_int_equal(outcome.finding, BENCH_ABSENT);
    assert_string_equal(outcome.reason, "no end is to be had");
    trial.contender = &bench_wrong_begins;
    run(&trial);
    assert_int_equal(outcome.finding, BENCH_ABSENT);
}

/* ---- what is right stays right ---- */

/* On a machine that has much else to do a worker may sleep through its whole turn. */
static void goes_well(const struct bench_trial *trial)
{
    for (unsigned turn = 0; turn < 50; turn++) {
        run(trial);
        assert_int_equal(outcome.finding, BENCH_RIGHT);
        if (outcome.operations > 0)
            break;
    }
    assert_true(outcome.operations > 0);
    assert_true(outcome.cpu_ns > 0);
}

static void every_mode_goes_well_over_the_bare_slots(void **state)
{
    static const enum bench_mode modes[] = {BENCH_STREAM, BENCH_PING_PONG, BENCH_PACED, BENCH_ECHO};

    (void)state;
    for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++) {
        for (unsigned threads = 0; threads < 2; threads++) {
            struct bench_trial trial = trial_of(&bench_floor_slots, modes[i]);
            trial.period_ns = 10000;
            trial.threads = threads;
            goes_well(&trial);
            assert_int_equal(outcome.latency.total > 0, modes[i] != BENCH_STREAM);
        }
    }
}

static void every_size_goes_well(void **state)
{
    static const uint32_t sizes[] = {8, 16, 72, 512, 4096, 65536, 1u << 20};

    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        struct bench_trial trial = trial_of(&bench_floor_copy, BENCH_STREAM);
        trial.size_bytes = sizes[i];
        trial.depth = bench_contest_depth(sizes[i]);
        trial.batch = i % 2 == 0 ? 1 : 8;
        goes_well(&trial);
    }
}

static void every_way_of_waiting_goes_well(void **state)
{
    static const struct {
        const struct bench_contender *contender;
        enum bench_waiting waiting;
    } ways[] = {
        {&bench_floor_slots, BENCH_SPIN},           {&bench_floor_futex, BENCH_SPIN_SLEEP},
        {&bench_floor_futex, BENCH_BLOCK},          {&bench_floor_eventfd, BENCH_EPOLL},
        {&bench_peal_topic_copy, BENCH_BLOCK},      {&bench_peal_topic_loan, BENCH_EPOLL},
        {&bench_peal_queue_copy, BENCH_SPIN_SLEEP}, {&bench_peal_queue_take, BENCH_EPOLL},
    };

    (void)state;
    for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
        struct bench_trial trial = trial_of(ways[i].contender, BENCH_PACED);
        trial.waiting = ways[i].waiting;
        trial.period_ns = 200000;
        trial.is_busy = true;
        goes_well(&trial);
    }
}

static void every_pattern_of_peal_goes_well(void **state)
{
    static const struct {
        const struct bench_contender *contender;
        enum bench_pattern pattern;
        uint32_t senders, receivers;
    } ways[] = {
        {&bench_peal_spsc, BENCH_PATTERN_PAIR, 1, 1},
        {&bench_peal_spsc_copy, BENCH_PATTERN_PAIR, 1, 1},
        {&bench_peal_topic_copy, BENCH_PATTERN_FAN_OUT, 1, 3},
        {&bench_peal_topic_loan, BENCH_PATTERN_FAN_IN, 3, 1},
        {&bench_peal_topic_copy, BENCH_PATTERN_MESH, 2, 2},
        {&bench_peal_topic_latest, BENCH_PATTERN_LATEST, 1, 1},
        {&bench_peal_queue_copy, BENCH_PATTERN_QUEUE, 2, 2},
        {&bench_peal_queue_take, BENCH_PATTERN_QUEUE, 2, 2},
        {&bench_peal_queue_strict, BENCH_PATTERN_QUEUE, 2, 2},
    };

    (void)state;
    for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
        struct bench_trial trial = trial_of(ways[i].contender, BENCH_STREAM);
        trial.pattern = ways[i].pattern;
        trial.senders = ways[i].senders;
        trial.receivers = ways[i].receivers;
        trial.batch = i % 2 == 0 ? 1 : 32;
        goes_well(&trial);
    }
}

static void a_queue_goes_well_while_its_users_are_stopped_in_turn(void **state)
{
    struct bench_trial trial = trial_of(&bench_peal_queue_copy, BENCH_PACED);

    (void)state;
    trial.pattern = BENCH_PATTERN_QUEUE;
    trial.senders = 2;
    trial.receivers = 2;
    trial.period_ns = 20000;
    trial.victim = BENCH_ANYBODY;
    trial.lead_ns = 5 * BENCH_MILLISECOND;
    trial.stop_ns = 5 * BENCH_MILLISECOND;
    trial.measure_ns = 200 * BENCH_MILLISECOND;
    goes_well(&trial);
    assert_true(outcome.latency.total > 0);
}

/* ---- what is measured ---- */

/* How many of all took at least so long. */
static uint64_t of_them_at_least(const struct bench_histogram *histogram, uint64_t value_ns)
{
    uint64_t count = 0;

    for (unsigned i = bench_histogram_bucket(value_ns); i < BENCH_HISTOGRAM_BUCKETS; i++)
        count += histogram->counts[i];
    return count;
}

static uint64_t at_least(uint64_t value_ns)
{
    return of_them_at_least(&outcome.latency, value_ns);
}

/* At 10 000 a second 200 messages are due within 20 ms; half of them are late by 10 ms and more. Were
 * the time taken from when they were sent, it would be one. */
static void a_stall_counts_for_all_that_were_due_in_it(void **state)
{
    static const enum bench_mode modes[] = {BENCH_PACED, BENCH_ECHO};
    const uint64_t half_ns = BENCH_WRONG_STALL_MS * BENCH_MILLISECOND / 2;

    (void)state;
    for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++) {
        struct bench_trial trial = trial_of(&bench_slow_once, modes[i]);
        trial.period_ns = 100000;
        trial.is_busy = true;
        trial.measure_ns = 200 * BENCH_MILLISECOND;
        run(&trial);
        assert_int_equal(outcome.finding, BENCH_RIGHT);
        assert_in_range(outcome.latency.total, 1990, 4000); /* more: it was stopped late */
        assert_true(at_least(half_ns) >= 95);
        assert_true(bench_histogram_quantile(&outcome.latency, 0.999) >= 1.9 * (double)half_ns);
    }
}

/* Of one that stalls once, at 10 000 messages a second: how many were late by half of the stall when due,
 * and how many of these in the queue. */
struct stalled {
    uint64_t late;
    uint64_t in_queue;
};

static struct stalled stall(const struct bench_contender *contender)
{
    const uint64_t half_ns = BENCH_WRONG_STALL_MS * BENCH_MILLISECOND / 2;
    struct bench_trial trial = trial_of(contender, BENCH_PACED);

    trial.period_ns = 100000;
    trial.is_busy = true;
    trial.tells_in_queue = true;
    trial.measure_ns = 200 * BENCH_MILLISECOND;
    run(&trial);
    assert_int_equal(outcome.finding, BENCH_RIGHT);
    struct stalled stalled = {at_least(half_ns), of_them_at_least(&outcome.in_queue, half_ns)};
    assert_true(stalled.in_queue <= stalled.late);
    return stalled;
}

/* On a machine that has much else to do both sides are held up by others, too: hence some turns. */
enum { TURNS = 20, STALLED_MESSAGES = 90 };

static void a_stall_in_a_send_is_time_in_the_queue(void **state)
{
    struct stalled stalled = {0, 0};

    (void)state;
    for (unsigned turn = 0; turn < TURNS && stalled.in_queue < STALLED_MESSAGES; turn++)
        stalled = stall(&bench_slow_once);
    assert_true(stalled.in_queue >= STALLED_MESSAGES);
}

static void what_a_sender_loses_between_its_sends_is_no_time_in_the_queue(void **state)
{
    uint64_t between = 0;

    (void)state;
    for (unsigned turn = 0; turn < TURNS && between < STALLED_MESSAGES; turn++) {
        struct stalled stalled = stall(&bench_slow_between);
        between = stalled.late - stalled.in_queue;
    }
    assert_true(between >= STALLED_MESSAGES);
}

/* A full channel is the contender's doing, whoever has to wait for it. */
static void waiting_for_room_is_time_in_the_queue(void **state)
{
    struct bench_trial trial = trial_of(&bench_floor_slots, BENCH_PACED);

    (void)state;
    trial.depth = 16;
    trial.period_ns = 100000;
    trial.tells_in_queue = true;
    trial.victim = BENCH_A_RECEIVER;
    trial.lead_ns = 20 * BENCH_MILLISECOND;
    trial.stop_ns = 60 * BENCH_MILLISECOND;
    run(&trial);
    assert_int_equal(outcome.finding, BENCH_RIGHT);
    /* 600 were due while the receiver was stopped, 16 of which found room; the first half waited longer. */
    assert_true(of_them_at_least(&outcome.in_queue, 30 * BENCH_MILLISECOND) >= 280);
}

static void a_begin_that_was_overwritten_counts_from_when_it_was_due(void **state)
{
    struct bench_arena *arena = calloc(1, sizeof *arena);

    (void)state;
    assert_non_null(arena);
    arena->begin_ns = 1000;
    bench_begun_note(arena, 3, 7, 1500);
    assert_int_equal(bench_begun_ns(arena, 3, 7, 1200), 1500);
    bench_begun_note(arena, 3, 7 + BENCH_BEGUN_MAX, 9000);
    assert_int_equal(bench_begun_ns(arena, 3, 7, 1200), 1200);
    assert_int_equal(bench_begun_ns(arena, 3, 7 + BENCH_BEGUN_MAX, 1200), 9000);
    free(arena);
}

static void what_was_due_and_never_sent_counts(void **state)
{
    struct bench_trial trial = trial_of(&bench_wrong_silent, BENCH_PACED);

    (void)state;
    trial.period_ns = 100000;
    run(&trial);
    assert_true(outcome.latency.total >= 499); /* all of 50 ms */
    assert_true(at_least(25 * BENCH_MILLISECOND) >= 249);
}

static void a_delay_that_is_planted_is_seen(void **state)
{
    struct bench_trial trial = trial_of(&bench_floor_slots, BENCH_PING_PONG);

    (void)state;
    trial.delay_ns = 20000;
    goes_well(&trial);
    assert_true(bench_histogram_quantile(&outcome.latency, 0) >= 40000); /* there, and back */
}

static void a_stopped_receiver_is_seen(void **state)
{
    struct bench_trial trial = trial_of(&bench_floor_slots, BENCH_STREAM);

    (void)state;
    trial.victim = BENCH_A_RECEIVER;
    trial.lead_ns = 20 * BENCH_MILLISECOND;
    trial.stop_ns = 60 * BENCH_MILLISECOND;
    run(&trial);
    assert_int_equal(outcome.finding, BENCH_RIGHT);
    assert_true(outcome.quiet_stopped_ns >= 0.9 * 60e6);
}

/* ---- rounds ---- */

static void no_progress(struct bench_run *run_of, double part)
{
    (void)run_of;
    assert_true(part > 0 && part <= 1);
}

static const struct bench_contest pings = {.mode = BENCH_PING_PONG,
                                           .pattern = BENCH_PATTERN_PAIR,
                                           .size_bytes = 8,
                                           .measure_ms = 30,
                                           .quantile = 0.5,
                                           .floors = {&bench_floor_line, &bench_floor_slots}};
static const struct bench_scenario pings_scenario = {
    .name = "latency/8", .group = BENCH_GROUP_LATENCY, .parameters = &pings};
static const struct bench_contest streams = {.mode = BENCH_STREAM,
                                             .pattern = BENCH_PATTERN_PAIR,
                                             .size_bytes = 64,
                                             .measure_ms = 30,
                                             .floors = {&bench_floor_slots}};
static const struct bench_scenario streams_scenario = {
    .name = "throughput/64", .group = BENCH_GROUP_THROUGHPUT, .parameters = &streams};

static struct bench_run run_of(const struct bench_contender *const *contenders)
{
    chosen = contenders;
    return (struct bench_run){
        .url = url, .cpus = {cpus[0], cpus[1]}, .rounds = 3, .scale = 1, .progress = no_progress};
}

static void a_contest_has_all_its_rounds_beside_the_floor(void **state)
{
    static const struct bench_contender *const peal[] = {&bench_peal_topic_loan, NULL};
    struct bench_run contest_run = run_of(peal);

    (void)state;
    bench_contest_run(&contest_run, &pings_scenario);
    assert_false(contest_run.has_failed);
    assert_int_equal(contest_run.results.count, 3);
    const struct bench_record *record =
        bench_results_find(&contest_run.results, "latency/8/peal topic, loan");
    assert_non_null(record);
    assert_int_equal(record->rounds, 3);
    assert_true(record->values[0] > 0 && record->floors[2] > 0);
    assert_string_equal(record->floor, "raw cache line");
    assert_true(record->latency->total > 0 && record->cpu_ns > 0);
    assert_non_null(bench_results_find(&contest_run.results, "latency/8/raw cache line"));
    bench_results_free(&contest_run.results);
}

static void one_that_fails_fails_the_run_and_the_others_go_on(void **state)
{
    static const struct bench_contender *const three[] = {
        &bench_peal_topic_loan, &bench_wrong_drops, &bench_wrong_begins, NULL};
    struct bench_run contest_run = run_of(three);

    (void)state;
    bench_contest_run(&contest_run, &streams_scenario);
    assert_true(contest_run.has_failed);
    const struct bench_record *bad =
        bench_results_find(&contest_run.results, "throughput/64/drops");
    const struct bench_record *good =
        bench_results_find(&contest_run.results, "throughput/64/peal topic, loan");
    const struct bench_record *absent =
        bench_results_find(&contest_run.results, "throughput/64/begins");
    assert_true(bad->rounds == 0 && strstr(bad->note, "FAILED") != NULL);
    assert_int_equal(good->rounds, 3);
    assert_true(absent->rounds == 0 && strstr(absent->note, "left out") != NULL);
    bench_results_free(&contest_run.results);
}

static const struct bench_contest queues = {.mode = BENCH_STREAM,
                                            .pattern = BENCH_PATTERN_QUEUE,
                                            .size_bytes = 64,
                                            .senders = 2,
                                            .receivers = 2,
                                            .batch = 32,
                                            .measure_ms = 30};
static const struct bench_scenario queue_scenario = {
    .name = "patterns/queue/2:2", .group = BENCH_GROUP_PATTERNS, .parameters = &queues};

static void a_planted_fault_fails_the_run(void **state)
{
    static const struct bench_contender *const topic[] = {&bench_peal_topic_loan, NULL};
    static const struct bench_contender *const queue[] = {&bench_peal_queue_copy, NULL};
    const struct bench_scenario *scenarios[] = {&pings_scenario, &streams_scenario,
                                                &queue_scenario};

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct bench_run contest_run = run_of(i < 2 ? topic : queue);
        contest_run.plants_fault = true;
        bench_contest_run(&contest_run, scenarios[i]);
        assert_true(contest_run.has_failed);
        assert_non_null(strstr(contest_run.results.records[0]->note, "wrong content"));
        bench_results_free(&contest_run.results);
    }
}

static const struct bench_contest tails = {.mode = BENCH_PACED,
                                           .pattern = BENCH_PATTERN_QUEUE,
                                           .size_bytes = 64,
                                           .senders = 2,
                                           .receivers = 2,
                                           .rate_hz = 50000,
                                           .measure_ms = 30,
                                           .quantile = 0.999,
                                           .aim = BENCH_AIM_WEDGEABLE,
                                           .note = "when due",
                                           .note_in_queue = "in the queue"};
static const struct bench_scenario tails_scenario = {.name = "patterns/tail/2:2",
                                                     .also = "patterns/tail_in_queue/2:2",
                                                     .group = BENCH_GROUP_PATTERNS,
                                                     .parameters = &tails};

static void one_turn_gives_latency_when_due_and_in_the_queue(void **state)
{
    static const struct bench_contender *const queue[] = {&bench_peal_queue_copy, NULL};
    struct bench_run contest_run = run_of(queue);

    (void)state;
    bench_contest_run(&contest_run, &tails_scenario);
    assert_false(contest_run.has_failed);
    assert_int_equal(contest_run.results.count, 2);
    const struct bench_record *due =
        bench_results_find(&contest_run.results, "patterns/tail/2:2/peal queue");
    const struct bench_record *in_queue =
        bench_results_find(&contest_run.results, "patterns/tail_in_queue/2:2/peal queue");
    assert_true(due->rounds == 3 && in_queue->rounds == 3);
    for (unsigned i = 0; i < 3; i++)
        assert_true(in_queue->values[i] > 0 && in_queue->values[i] <= due->values[i]);
    assert_true(in_queue->latency->total > 0 && in_queue->latency->total <= due->latency->total);
    assert_true(due->aim == BENCH_AIM_NONE && in_queue->aim == BENCH_AIM_WEDGEABLE);
    assert_true(strcmp(due->note, "when due") == 0 && strcmp(in_queue->note, "in the queue") == 0);
    bench_results_free(&contest_run.results);
}

static void who_is_wedged_is_cut_and_counted_in_each_round(void **state)
{
    static const struct bench_contender *const hangs[] = {&bench_wrong_hangs, NULL};
    struct bench_run contest_run = run_of(hangs);

    (void)state;
    bench_contest_run(&contest_run, &streams_scenario);
    assert_false(contest_run.has_failed);
    const struct bench_record *record =
        bench_results_find(&contest_run.results, "throughput/64/hangs");
    assert_true(record->rounds == 3 && record->cut == 3);
    assert_true((record->remarks & BENCH_REMARK_CUT) != 0);
    assert_non_null(strstr(record->note, "3 rounds did not come to an end"));
    bench_results_free(&contest_run.results);
}

static const struct bench_contest stops = {.mode = BENCH_STREAM,
                                           .pattern = BENCH_PATTERN_PAIR,
                                           .size_bytes = 64,
                                           .victim = BENCH_A_RECEIVER,
                                           .stop_ms = 60,
                                           .lead_ms = 10,
                                           .floors = {&bench_floor_slots}};
static const struct bench_scenario stops_scenario = {
    .name = "patterns/stopped/consumer", .group = BENCH_GROUP_PATTERNS, .parameters = &stops};

/* With one receiver nobody gets anything while it is stopped. */
static void rounds_in_which_all_were_held_up_are_wedged(void **state)
{
    static const struct bench_contender *const peal[] = {&bench_peal_topic_loan, NULL};
    struct bench_run contest_run = run_of(peal);

    (void)state;
    bench_contest_run(&contest_run, &stops_scenario);
    const struct bench_record *record =
        bench_results_find(&contest_run.results, "patterns/stopped/consumer/peal topic, loan");
    assert_true(record->wedged_ns >= 29e6 && record->wedged_ns <= 31e6);
    assert_int_equal(bench_record_wedged(record), 3);
    assert_non_null(strstr(record->note, "wedged in 3 of 3 rounds"));
    bench_results_free(&contest_run.results);
    contest_run = run_of(peal);
    contest_run.scale = 0.1; /* a stop must stand out from what a scheduler does */
    bench_contest_run(&contest_run, &stops_scenario);
    assert_true(contest_run.results.records[0]->wedged_ns >= 24e6);
    bench_results_free(&contest_run.results);
}

static void a_queue_can_be_as_deep_for_all_senders_together(void **state)
{
    static const struct bench_contender *const tells[] = {&tells_depth, NULL};
    struct bench_run contest_run = run_of(tells);

    (void)state;
    bench_contest_run(&contest_run, &tails_scenario);
    assert_int_equal(depth_told, 1024);
    bench_results_free(&contest_run.results);
    contest_run = run_of(tells);
    contest_run.shares_depth = true;
    bench_contest_run(&contest_run, &tails_scenario);
    assert_int_equal(depth_told, 512);
    bench_results_free(&contest_run.results);
}

static void what_is_known_of_a_peer_is_its_reason(void **state)
{
    char text[800];

    (void)state;
    assert_true(bench_reasons_of("throughput/1048576/single", "iceoryx", text, sizeof text));
    assert_non_null(strstr(text, "freed last"));
    assert_false(bench_reasons_of("throughput/64/single", "iceoryx", text, sizeof text));
    assert_string_equal(text, "");
    assert_true(bench_reasons_of("patterns/queue/1:1/single", "Vyukov's queue", text, sizeof text));
    assert_false(bench_reasons_of("throughput/64/single", "pipe", text, sizeof text));
    assert_false(bench_reasons_of("throughput/64/single", "peal queue", text, sizeof text));
}

static int begin_bus(void **state)
{
    (void)state;
    snprintf(url, sizeof url, "posix:bench-contest-%d", (int)getpid());
    bench_cpus_choose(cpus);
    bench_one_core = cpus[0] == cpus[1];
    return 0;
}

static int end_bus(void **state)
{
    (void)state;
    (void)peal_unlink(url);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_lost_message_is_found),
        cmocka_unit_test(what_may_be_lost_is_told),
        cmocka_unit_test(a_repeated_message_is_found),
        cmocka_unit_test(reordered_messages_are_found),
        cmocka_unit_test(wrong_content_is_found_in_the_last_byte),
        cmocka_unit_test(a_shortened_message_is_found),
        cmocka_unit_test(a_message_that_two_receivers_of_a_queue_get_is_found),
        cmocka_unit_test(a_message_that_one_of_two_subscribers_misses_is_found),
        cmocka_unit_test(who_hangs_is_killed_and_counted),
        cmocka_unit_test(who_dies_has_failed_and_says_why),
        cmocka_unit_test(who_cannot_begin_is_absent),
        cmocka_unit_test(every_mode_goes_well_over_the_bare_slots),
        cmocka_unit_test(every_size_goes_well),
        cmocka_unit_test(every_way_of_waiting_goes_well),
        cmocka_unit_test(every_pattern_of_peal_goes_well),
        cmocka_unit_test(a_queue_goes_well_while_its_users_are_stopped_in_turn),
        cmocka_unit_test(a_stall_counts_for_all_that_were_due_in_it),
        cmocka_unit_test(a_stall_in_a_send_is_time_in_the_queue),
        cmocka_unit_test(what_a_sender_loses_between_its_sends_is_no_time_in_the_queue),
        cmocka_unit_test(waiting_for_room_is_time_in_the_queue),
        cmocka_unit_test(a_begin_that_was_overwritten_counts_from_when_it_was_due),
        cmocka_unit_test(what_was_due_and_never_sent_counts),
        cmocka_unit_test(a_delay_that_is_planted_is_seen),
        cmocka_unit_test(a_stopped_receiver_is_seen),
        cmocka_unit_test(a_contest_has_all_its_rounds_beside_the_floor),
        cmocka_unit_test(one_that_fails_fails_the_run_and_the_others_go_on),
        cmocka_unit_test(a_planted_fault_fails_the_run),
        cmocka_unit_test(one_turn_gives_latency_when_due_and_in_the_queue),
        cmocka_unit_test(who_is_wedged_is_cut_and_counted_in_each_round),
        cmocka_unit_test(rounds_in_which_all_were_held_up_are_wedged),
        cmocka_unit_test(a_queue_can_be_as_deep_for_all_senders_together),
        cmocka_unit_test(what_is_known_of_a_peer_is_its_reason),
    };

    return cmocka_run_group_tests_name("bench.contest", tests, begin_bus, end_bus);
}
