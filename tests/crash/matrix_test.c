/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kill matrix: every fault point that a role passes x killed there, or stopped there and continued after the
 * others have recovered. Real processes on posix:. A witness lives on beside them: its work is never refused, what
 * it heard agrees with the ledgers, and an audit finds nothing lost.
 *
 *      matrix_test                          every pass of every point
 *      PEAL_CAMPAIGN=long matrix_test       the same a hundred times, each time with other messes and bytes
 *      PEAL_CAMPAIGN=long PEAL_CAMPAIGN_SECONDS=N matrix_test     ... or as often as fits into N seconds a role
 *      matrix_test ROLE POINT PASS MODE     one case again, as a failing line names it
 *      matrix_test --points                 which points the roles pass, for tests/crash/points.pl
 */
#include "tests/crash/matrix_roles.h"
#include "tests/support/eventually.h"
#include "tests/support/random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define MESSES 24u
#define ROUNDS_LONG 100u
#define FAILURES_MAX 10u
#define TRIES 3u
#define HELD_UP_MAX_NS UINT64_C(2000000000)

static const struct matrix_role *const roles[] = {
    &matrix_publisher,
    &matrix_subscriber,
    &matrix_rivals,
    &matrix_recoverer,
    &matrix_formatter,
    &matrix_producer,
    &matrix_consumer,
    &matrix_queue_producer,
    &matrix_queue_producer_strict,
    &matrix_queue_consumer,
    &matrix_queue_consumer_strict,
    &matrix_queue_consumer_drops,
    &matrix_queue_rivals,
    &matrix_queue_rivals_strict,
    &matrix_queue_recoverer,
    &matrix_queue_recoverer_drops,
};
#define ROLES (sizeof(roles) / sizeof(roles[0]))

static uint64_t cases_run;

/* Of the role at hand. */
static struct fault_passes passed;
static uint64_t
    mess_of[FAULT_POINTS_MAX]; /* the seed of the mess in which each is passed most often */

static bool is_held_up(const struct matrix_times *times)
{
    for (int call = 0; call < WITNESS_CALLS; call++)
        if (times->bus.longest_ns[call] >= HELD_UP_MAX_NS)
            return true;
    for (int call = 0; call < QUEUE_CALLS; call++)
        if (times->queue.longest_ns[call] >= HELD_UP_MAX_NS)
            return true;
    return false;
}

/* True if the case went well. Whom the machine holds up it holds up once, whom another client does each time: then the times
 * stay, and the last test tells. */
static bool run(const struct matrix_case *one)
{
    char complaint[MATRIX_COMPLAINT_BYTES] = "";
    struct matrix_times *times = matrix_times_of(one);
    const struct matrix_times before = *times;
    for (uint32_t tries = 1; !complaint[0]; tries++) {
        one->role->run(one, complaint);
        if (!is_held_up(times) || is_held_up(&before) || tries == TRIES)
            break;
        *times = before;
    }
    cases_run++;
    if (!complaint[0])
        return true;
    print_error("FAILED: PEAL_TEST_SEED=%" PRIu64 " matrix_test %s %s %" PRIu32 " %s: %s\n",
                one->seed, one->role->name, one->point, one->pass,
                one->mode == FAULT_KILL ? "kill" : "stop", complaint);
    return false;
}

/* The passes of a role that goes to its natural end. A recoverer has many a mess to pass through. */
static bool count_passes(const struct matrix_role *role, uint64_t seed)
{
    const uint32_t rounds = role->has_mess ? MESSES : 1;
    bool is_well = true;
    memset(&passed, 0, sizeof(passed));
    memset(mess_of, 0, sizeof(mess_of));
    for (uint32_t round = 0; round < rounds && is_well; round++) {
        const struct fault_passes *passes = &matrix_memory()->passes;
        is_well = role->count(role, seed + round, &matrix_memory()->passes);
        for (size_t i = 0; i < FAULT_POINTS_MAX; i++)
            if (passes->passes[i] > passed.passes[i]) {
                passed.passes[i] = passes->passes[i];
                mess_of[i] = seed + round;
            }
    }
    return is_well;
}

static void run_role_once(const struct matrix_role *role, uint64_t seed)
{
    const char *const *names;
    size_t count = fault_points(&names);
    uint64_t before = cases_run;
    uint64_t reached_before = matrix_reached;
    uint32_t points = 0;
    uint32_t failures = 0;
    assert_true(count_passes(role, seed));
    for (size_t i = 0; i < count; i++) {
        points += passed.passes[i] != 0;
        for (uint32_t pass = 1; pass <= passed.passes[i] && failures < FAILURES_MAX; pass++) {
            struct matrix_case one = {
                .role = role, .point = names[i], .pass = pass, .seed = mess_of[i]};
            one.mode = FAULT_KILL;
            failures += !run(&one);
            one.mode = FAULT_STOP;
            failures += !run(&one);
        }
    }
    stage_clear(&matrix_stage);
    print_message("%s: %" PRIu32 " points, %" PRIu64 " cases, %" PRIu64 " of them reached\n",
                  role->name, points, cases_run - before, matrix_reached - reached_before);
    assert_int_equal(failures, 0);
    assert_true(points > 0);
}

static void run_role(const struct matrix_role *role)
{
    const char *campaign = getenv("PEAL_CAMPAIGN");
    const char *seconds = getenv("PEAL_CAMPAIGN_SECONDS");
    const uint32_t rounds = campaign && strcmp(campaign, "long") == 0 ? ROUNDS_LONG : 1;
    const uint64_t limit_ns =
        seconds ? strtoull(seconds, NULL, 10) * UINT64_C(1000000000) : UINT64_MAX;
    const uint64_t begin_ns = test_now_ns();
    for (uint32_t round = 0; round < rounds && test_now_ns() - begin_ns < limit_ns; round++)
        run_role_once(role, random_seed() + UINT64_C(1000) * round);
}

/* ---- the tests ---- */

static void a_publisher_may_die_or_stop_anywhere(void **state)
{
    (void)state;
    run_role(&matrix_publisher);
}

static void a_subscriber_may_die_or_stop_anywhere(void **state)
{
    (void)state;
    run_role(&matrix_subscriber);
}

static void two_clients_may_die_or_stop_wherever_they_meet(void **state)
{
    (void)state;
    run_role(&matrix_rivals);
}

static void a_recoverer_may_die_or_stop_anywhere(void **state)
{
    (void)state;
    run_role(&matrix_recoverer);
}

static void a_formatter_may_die_or_stop_anywhere(void **state)
{
    (void)state;
    run_role(&matrix_formatter);
}

static void both_sides_of_a_ring_may_die_or_stop_anywhere(void **state)
{
    (void)state;
    run_role(&matrix_producer);
    run_role(&matrix_consumer);
}

static void a_producer_of_a_queue_may_die_or_stop_anywhere(void **state)
{
    (void)state;
    run_role(&matrix_queue_producer);
    run_role(&matrix_queue_producer_strict);
}

static void a_consumer_of_a_queue_may_die_or_stop_anywhere(void **state)
{
    (void)state;
    run_role(&matrix_queue_consumer);
    run_role(&matrix_queue_consumer_strict);
    run_role(&matrix_queue_consumer_drops);
}

static void two_users_of_a_queue_may_die_or_stop_wherever_they_meet(void **state)
{
    (void)state;
    run_role(&matrix_queue_rivals);
    run_role(&matrix_queue_rivals_strict);
}

static void who_takes_over_from_a_dead_user_of_a_queue_may_die_or_stop_anywhere(void **state)
{
    (void)state;
    run_role(&matrix_queue_recoverer);
    run_role(&matrix_queue_recoverer_drops);
}

static void print_and_bound(const char *beside, const char *call, uint64_t longest_ns,
                            uint64_t calls)
{
    print_message("longest beside the %s: %-18s %8.1f us of %" PRIu64 " calls\n", beside, call,
                  (double)longest_ns / 1e3, calls);
    assert_true(calls > 0);
    assert_true(longest_ns < HELD_UP_MAX_NS);
}

static void print_and_bound_all(const char *beside, const struct matrix_times *times)
{
    for (int call = 0; call < WITNESS_CALLS; call++)
        print_and_bound(beside, witness_call_text((enum witness_call)call),
                        times->bus.longest_ns[call], times->bus.calls[call]);
    for (int call = 0; call < QUEUE_CALLS; call++)
        print_and_bound(beside, queue_call_text((enum queue_call)call),
                        times->queue.longest_ns[call], times->queue.calls[call]);
}

/* A generous bound: the machine may be busy. The figures are what docs/reliability.md is made of. */
static void no_survivor_was_held_up_for_long(void **state)
{
    (void)state;
    print_and_bound_all("dead", &matrix_beside_dead);
    print_and_bound_all("stopped", &matrix_beside_stopped);
}

/* ---- by command ---- */

static int print_points(void)
{
    const char *const *names;
    size_t count = fault_points(&names);
    uint32_t most[FAULT_POINTS_MAX] = {0};
    for (size_t role = 0; role < ROLES; role++) {
        if (!count_passes(roles[role], random_seed()))
            return 1;
        for (size_t i = 0; i < count; i++)
            most[i] = passed.passes[i] > most[i] ? passed.passes[i] : most[i];
    }
    for (size_t i = 0; i < count; i++)
        if (most[i])
            printf("point %s %" PRIu32 "\n", names[i], most[i]);
    return 0;
}

static int run_one(char **arguments)
{
    struct matrix_case one = {.point = arguments[2],
                              .pass = (uint32_t)strtoul(arguments[3], NULL, 10),
                              .mode = strcmp(arguments[4], "kill") == 0 ? FAULT_KILL : FAULT_STOP,
                              .seed = random_seed()};
    for (size_t role = 0; role < ROLES; role++)
        if (strcmp(roles[role]->name, arguments[1]) == 0)
            one.role = roles[role];
    return one.role && run(&one) ? 0 : 1;
}

static int open_stage(void **state)
{
    (void)state;
    return stage_open(&matrix_stage, "matrix", sizeof(struct matrix_memory)) ? 0 : 1;
}

static int close_stage(void **state)
{
    (void)state;
    stage_close(&matrix_stage);
    return 0;
}

int main(int count, char **arguments)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_publisher_may_die_or_stop_anywhere),
        cmocka_unit_test(a_subscriber_may_die_or_stop_anywhere),
        cmocka_unit_test(two_clients_may_die_or_stop_wherever_they_meet),
        cmocka_unit_test(a_recoverer_may_die_or_stop_anywhere),
        cmocka_unit_test(a_formatter_may_die_or_stop_anywhere),
        cmocka_unit_test(both_sides_of_a_ring_may_die_or_stop_anywhere),
        cmocka_unit_test(a_producer_of_a_queue_may_die_or_stop_anywhere),
        cmocka_unit_test(a_consumer_of_a_queue_may_die_or_stop_anywhere),
        cmocka_unit_test(two_users_of_a_queue_may_die_or_stop_wherever_they_meet),
        cmocka_unit_test(who_takes_over_from_a_dead_user_of_a_queue_may_die_or_stop_anywhere),
        cmocka_unit_test(no_survivor_was_held_up_for_long),
    };
    if (count == 1)
        return cmocka_run_group_tests(tests, open_stage, close_stage);
    if (open_stage(NULL) != 0)
        return 1;
    int code = 2;
    if (count == 2 && strcmp(arguments[1], "--points") == 0)
        code = print_points();
    else if (count == 5)
        code = run_one(arguments);
    else
        fprintf(stderr, "usage: matrix_test [--points | ROLE POINT PASS kill|stop]\n");
    (void)close_stage(NULL);
    return code;
}
