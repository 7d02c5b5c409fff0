/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/report/compare.h"

/* The benchmarks are a program and no library: what is tested comes along. */
#include "bench/report/archive.c"
#include "bench/report/compare.c"
#include "bench/report/significance.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static int close_to(double value, double wanted)
{
    return fabs(value - wanted) < 1e-12 + 1e-9 * fabs(wanted);
}

#define P(left, right)                                                                             \
    bench_mann_whitney(left, sizeof(left) / sizeof(left[0]), right,                                \
                       sizeof(right) / sizeof(right[0]))

/* The wanted values are those of SciPy 1.10.1: stats.mannwhitneyu(left, right, alternative='two-sided',
 * method='exact'). */
static void p_is_exact_without_ties(void **state)
{
    static const double a[] = {19, 22, 16, 29, 24}, b[] = {20, 11, 17, 12};
    static const double c[] = {1.1, 2.2, 3.3, 4.4, 5.5}, d[] = {6.6, 7.7, 8.8, 9.9, 10.1};
    static const double e[] = {1, 2, 3}, f[] = {4, 5, 6};
    static const double g[] = {0.873, 1.62, 0.96, 2.11, 1.35, 0.77, 1.9, 1.28};
    static const double h[] = {1.31, 2.4, 1.77, 2.9, 1.05, 2.2, 3.1};
    double i[20], j[20];

    (void)state;
    for (unsigned k = 0; k < 20; k++) {
        i[k] = k + 1;
        j[k] = (k + 1) * 1.1 + 2.05;
    }
    assert_true(close_to(P(a, b), 0.1111111111111111));
    assert_true(close_to(P(b, a), 0.1111111111111111));
    assert_true(close_to(P(c, d), 0.007936507936507936));
    assert_true(close_to(P(e, f), 0.1));
    assert_true(close_to(P(g, h), 0.054079254079254076));
    assert_true(close_to(P(i, j), 0.14170503074115778));
}

/* The same with method='asymptotic'. */
static void p_is_corrected_for_ties(void **state)
{
    static const double a[] = {1, 2, 2, 3, 4, 4, 4, 5}, b[] = {2, 4, 5, 5, 6, 7, 7, 8};
    static const double c[] = {10, 10, 10, 11}, d[] = {10, 10, 12, 13};
    static const double same[] = {5, 5, 5};
    double e[60], f[60];

    (void)state;
    for (unsigned k = 0; k < 60; k++) {
        e[k] = k + 1;
        f[k] = k + 8.5;
    }
    assert_true(close_to(P(a, b), 0.019107182241013466));
    assert_true(close_to(P(c, d), 0.4083519693259383));
    assert_true(close_to(P(e, f), 0.02694585619564296)); /* no ties, but many */
    assert_true(close_to(P(same, same), 1));
    assert_true(close_to(bench_mann_whitney(same, 3, same, 0), 1));
}

static void few_rounds_cannot_be_significant(void **state)
{
    (void)state;
    assert_true(close_to(bench_mann_whitney_least(3, 3), 0.1));
    assert_true(close_to(bench_mann_whitney_least(5, 5), 0.007936507936507936));
    assert_true(close_to(bench_mann_whitney_least(0, 5), 1));
    assert_true(bench_mann_whitney_least(31, 31) < 1e-16);
}

/* By hand: p(i) * m / i, then from the greatest down never more than what follows. */
static void many_comparisons_raise_each_p(void **state)
{
    double p[] = {0.216, 0.001, 0.039, 0.008, 0.041, 0.042, 0.06, 0.212, 0.205, 0.074};
    static const double wanted[] = {0.216, 0.01, 0.084, 0.04,  0.084,
                                    0.084, 0.1,  0.216, 0.216, 0.74 / 7};

    (void)state;
    bench_false_discovery(p, 10);
    for (unsigned i = 0; i < 10; i++)
        assert_true(close_to(p[i], wanted[i]));
}

/* ---- records ---- */

enum { ROUNDS = 15 };

struct fixture {
    double values[2][ROUNDS], ratios[2][ROUNDS];
    struct bench_loaded records[2];
    struct bench_archive archives[2];
};

/* Rounds around `value`, no two alike, within 1 % of it; with a floor of 100. */
static void fill(struct fixture *fixture, unsigned side, double value, bool small_is_good,
                 unsigned rounds)
{
    struct bench_loaded *record = &fixture->records[side];

    for (unsigned i = 0; i < ROUNDS; i++) {
        fixture->values[side][i] = value * (1 + 0.001 * ((i * 7) % ROUNDS - 7.0)) + 1e-6 * side;
        fixture->ratios[side][i] = fixture->values[side][i] / 100;
    }
    *record = (struct bench_loaded){.name = (char *)(uintptr_t) "latency/64/peal",
                                    .unit = (char *)(uintptr_t) "ns",
                                    .is_peal = true,
                                    .small_is_good = small_is_good,
                                    .rounds = rounds,
                                    .values = fixture->values[side],
                                    .ratios = fixture->ratios[side]};
    fixture->archives[side] = (struct bench_archive){.records = record, .count = 1};
}

static struct bench_compared compared(const struct fixture *fixture)
{
    static const struct bench_criteria criteria = {.alpha = 0.01, .effect = 0.05};
    struct bench_compared result;

    assert_int_equal(bench_compare(&fixture->archives[0], &fixture->archives[1], criteria, &result),
                     1);
    return result;
}

static enum bench_change change(double before, double after, bool small_is_good)
{
    struct fixture fixture;

    fill(&fixture, 0, before, small_is_good, ROUNDS);
    fill(&fixture, 1, after, small_is_good, ROUNDS);
    return compared(&fixture).change;
}

static void a_change_has_its_direction(void **state)
{
    (void)state;
    assert_int_equal(change(300, 330, true), BENCH_CHANGE_WORSE);
    assert_int_equal(change(330, 300, true), BENCH_CHANGE_BETTER);
    assert_int_equal(change(300, 330, false), BENCH_CHANGE_BETTER);
    assert_int_equal(change(330, 300, false), BENCH_CHANGE_WORSE);
    assert_int_equal(change(300, 300, true), BENCH_CHANGE_NONE);
}

static void what_is_significant_may_be_too_small_to_matter(void **state)
{
    struct fixture fixture;

    (void)state;
    fill(&fixture, 0, 300, true, ROUNDS);
    fill(&fixture, 1, 312, true, ROUNDS); /* 4 % and no overlap */
    struct bench_compared result = compared(&fixture);
    assert_true(result.p < 1e-6);
    assert_true(result.is_apart);
    assert_true(close_to(result.worse, 0.04) || fabs(result.worse - 0.04) < 1e-6);
    assert_int_equal(result.change, BENCH_CHANGE_NONE);
}

static void without_a_floor_twice_the_effect_is_wanted(void **state)
{
    struct fixture fixture;

    (void)state;
    fill(&fixture, 0, 300, true, ROUNDS);
    fill(&fixture, 1, 324, true, ROUNDS);
    assert_int_equal(compared(&fixture).change, BENCH_CHANGE_WORSE);
    fixture.ratios[1][3] = NAN; /* one round without a floor, and none is used */
    struct bench_compared result = compared(&fixture);
    assert_false(result.by_floor);
    assert_int_equal(result.change, BENCH_CHANGE_NONE);
    fill(&fixture, 1, 340, true, ROUNDS);
    fixture.ratios[0][0] = NAN;
    assert_int_equal(compared(&fixture).change, BENCH_CHANGE_WORSE);
}

static void ratios_to_the_floor_forgive_a_slower_machine(void **state)
{
    struct fixture fixture;

    (void)state;
    fill(&fixture, 0, 300, true, ROUNDS);
    fill(&fixture, 1, 450, true, ROUNDS);
    for (unsigned i = 0; i < ROUNDS; i++)
        fixture.ratios[1][i] = fixture.values[1][i] / 150; /* the floor became slower, too */
    assert_int_equal(compared(&fixture).change, BENCH_CHANGE_NONE);
}

static void runs_that_lie_within_each_other_agree(void **state)
{
    struct fixture fixture;

    (void)state;
    /* Medians 10 % apart, but the rounds of the first go up to 1.3 of its median. */
    fill(&fixture, 0, 300, true, ROUNDS);
    fill(&fixture, 1, 330, true, ROUNDS);
    fixture.ratios[0][0] = 3.9;
    fixture.ratios[0][1] = 3.901;
    struct bench_compared result = compared(&fixture);
    assert_true(result.p < 0.01);
    assert_false(result.is_apart);
    assert_int_equal(result.change, BENCH_CHANGE_NONE);
}

static void one_odd_round_does_not_hide_a_change(void **state)
{
    struct fixture fixture;

    (void)state;
    fill(&fixture, 0, 300, true, ROUNDS);
    fill(&fixture, 1, 330, true, ROUNDS);
    fixture.ratios[0][0] = 3.9;
    assert_int_equal(compared(&fixture).change, BENCH_CHANGE_WORSE);
}

static void with_few_rounds_nothing_is_said(void **state)
{
    struct fixture fixture;

    (void)state;
    fill(&fixture, 0, 300, true, 3);
    fill(&fixture, 1, 900, true, 4);
    assert_int_equal(compared(&fixture).change, BENCH_CHANGE_UNKNOWN);
}

static void other_names_are_not_compared(void **state)
{
    static const struct bench_criteria criteria = {.alpha = 0.01, .effect = 0.05};
    struct fixture fixture;
    struct bench_compared result;

    (void)state;
    fill(&fixture, 0, 300, true, ROUNDS);
    fill(&fixture, 1, 300, true, ROUNDS);
    fixture.records[1].name = (char *)(uintptr_t) "latency/64/peer";
    assert_int_equal(bench_compare(&fixture.archives[0], &fixture.archives[1], criteria, &result),
                     0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(p_is_exact_without_ties),
        cmocka_unit_test(p_is_corrected_for_ties),
        cmocka_unit_test(few_rounds_cannot_be_significant),
        cmocka_unit_test(many_comparisons_raise_each_p),
        cmocka_unit_test(a_change_has_its_direction),
        cmocka_unit_test(what_is_significant_may_be_too_small_to_matter),
        cmocka_unit_test(without_a_floor_twice_the_effect_is_wanted),
        cmocka_unit_test(ratios_to_the_floor_forgive_a_slower_machine),
        cmocka_unit_test(runs_that_lie_within_each_other_agree),
        cmocka_unit_test(one_odd_round_does_not_hide_a_change),
        cmocka_unit_test(with_few_rounds_nothing_is_said),
        cmocka_unit_test(other_names_are_not_compared),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
