/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/report/ranking.h"

/* The benchmarks are a program and no library: what is tested comes along. */
#include "bench/report/ranking.c"
#include "bench/results/results.c"

#include "bench/results/figures.c"
#include "bench/results/pairs.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* As many as decide a sign test, if they are of one mind. */
enum { ROUNDS = 6 };

static struct bench_record *add(struct bench_results *results, const char *scenario,
                                const char *contender, enum bench_party party, double value)
{
    struct bench_record *record =
        bench_results_add(results, BENCH_GROUP_THROUGHPUT, scenario, contender, party, BENCH_PER_S);

    for (unsigned i = 0; i < ROUNDS; i++)
        bench_record_round(record, value * (i + 1), 2 * value * (i + 1), false);
    return record;
}

static void the_best_comes_first_and_floors_last(void **state)
{
    struct bench_results results = {0};

    (void)state;
    add(&results, "a", "floor", BENCH_PARTY_FLOOR, 1000);
    add(&results, "a", "slow peer", BENCH_PARTY_PEER, 10);
    add(&results, "a", "no value", BENCH_PARTY_PEER, NAN);
    add(&results, "a", "peal", BENCH_PARTY_PEAL, 40);
    add(&results, "a", "peer", BENCH_PARTY_PEER, 50);
    add(&results, "a", "peal, slow", BENCH_PARTY_PEAL, 20);
    add(&results, "b", "peal", BENCH_PARTY_PEAL, 1);
    struct bench_ranking ranking = bench_ranking_of(&results, BENCH_GROUP_THROUGHPUT, "a");
    static const char *const order_wanted[] = {"peer",      "peal",     "peal, slow",
                                               "slow peer", "no value", "floor"};
    assert_int_equal(ranking.count, 6);
    assert_int_equal(ranking.floors, 1);
    for (unsigned i = 0; i < 6; i++)
        assert_string_equal(ranking.records[i]->contender, order_wanted[i]);
    assert_string_equal(ranking.best->contender, "peer");
    assert_string_equal(ranking.peal->contender, "peal");
    assert_true(fabs(ranking.ahead.median - 0.8) < 1e-9);
    assert_int_equal(bench_ranking_verdict(&ranking), BENCH_VERDICT_BEHIND);
    ranking = bench_ranking_of(&results, BENCH_GROUP_THROUGHPUT, "b");
    assert_int_equal(bench_ranking_verdict(&ranking), BENCH_VERDICT_ALONE);
    bench_results_free(&results);
}

static void two_percent_are_a_tie(void **state)
{
    static const double values[] = {97, 99, 101, 103};
    static const enum bench_verdict wanted[] = {BENCH_VERDICT_BEHIND, BENCH_VERDICT_EVEN,
                                                BENCH_VERDICT_EVEN, BENCH_VERDICT_AHEAD};

    (void)state;
    for (unsigned i = 0; i < 4; i++) {
        struct bench_results results = {0};
        add(&results, "a", "peer", BENCH_PARTY_PEER, 100);
        add(&results, "a", "peal", BENCH_PARTY_PEAL, values[i]);
        struct bench_ranking ranking = bench_ranking_of(&results, BENCH_GROUP_THROUGHPUT, "a");
        assert_int_equal(bench_ranking_verdict(&ranking), wanted[i]);
        bench_results_free(&results);
    }
}

static void targets_are_judged_by_what_is_good(void **state)
{
    struct bench_results results = {0};
    struct bench_record *rate = add(&results, "a", "rate", BENCH_PARTY_PEAL, 10);
    struct bench_record *time =
        bench_results_add(&results, BENCH_GROUP_LATENCY, "a", "time", BENCH_PARTY_PEAL, BENCH_NS);

    (void)state;
    bench_record_round(time, 120, 100, false);
    assert_int_equal(bench_record_target_met(rate), -1);
    bench_record_floor(rate, "floor", 0.4);
    assert_int_equal(bench_record_target_met(rate), 1);
    bench_record_floor(rate, "floor", 0.6);
    assert_int_equal(bench_record_target_met(rate), 0);
    bench_record_floor(time, "floor", 1.1);
    assert_int_equal(bench_record_target_met(time), 0);
    bench_record_floor(time, "floor", 1.3);
    assert_int_equal(bench_record_target_met(time), 1);
    bench_results_free(&results);
}

static void scenarios_come_in_their_order(void **state)
{
    struct bench_results results = {0};

    (void)state;
    add(&results, "b", "x", BENCH_PARTY_PEER, 1);
    add(&results, "a", "x", BENCH_PARTY_PEER, 1);
    add(&results, "b", "y", BENCH_PARTY_PEER, 1);
    assert_string_equal(bench_ranking_scenario(&results, BENCH_GROUP_THROUGHPUT, 0), "b");
    assert_string_equal(bench_ranking_scenario(&results, BENCH_GROUP_THROUGHPUT, 1), "a");
    assert_null(bench_ranking_scenario(&results, BENCH_GROUP_THROUGHPUT, 2));
    assert_null(bench_ranking_scenario(&results, BENCH_GROUP_LATENCY, 0));
    assert_true(bench_ranking_wants_one_table(&results, BENCH_GROUP_THROUGHPUT));
    add(&results, "b", "z", BENCH_PARTY_PEER, 1);
    add(&results, "a", "y", BENCH_PARTY_PEER, 1);
    add(&results, "a", "z", BENCH_PARTY_PEER, 1);
    assert_false(bench_ranking_wants_one_table(&results, BENCH_GROUP_THROUGHPUT));
    bench_results_free(&results);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_best_comes_first_and_floors_last),
        cmocka_unit_test(two_percent_are_a_tie),
        cmocka_unit_test(targets_are_judged_by_what_is_good),
        cmocka_unit_test(scenarios_come_in_their_order),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
