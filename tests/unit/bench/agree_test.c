/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/report/agree.h"

/* The benchmarks are a program and no library: what is tested comes along. */
#include "bench/report/agree.c"
#include "bench/report/agree_print.c"
#include "bench/report/archive.c"
#include "bench/report/significance.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

enum { ROUNDS = 11, RECORDS = 40 };

/* A run: records "latency/<number>/peal" and their rounds. */
struct run {
    char names[RECORDS][32];
    double values[RECORDS][ROUNDS], ratios[RECORDS][ROUNDS];
    unsigned numbers[ROUNDS];
    struct bench_loaded records[RECORDS];
    struct bench_archive archive;
};

/* Ratios evenly over `least` .. `least` + 10 %, no two alike, in an order of their own; the floor is 100. */
static void set_ratios(struct run *run, unsigned record, double least)
{
    for (unsigned i = 0; i < ROUNDS; i++) {
        run->ratios[record][i] = least * (1 + 0.01 * ((i * 7 + record) % ROUNDS));
        run->values[record][i] = 100 * run->ratios[record][i];
    }
}

static void make(struct run *run, unsigned count)
{
    for (unsigned i = 0; i < ROUNDS; i++)
        run->numbers[i] = i;
    for (unsigned i = 0; i < count; i++) {
        set_ratios(run, i, 1.2);
        snprintf(run->names[i], sizeof run->names[i], "latency/%u/peal", i);
        run->records[i] = (struct bench_loaded){.name = run->names[i],
                                                .unit = (char *)(uintptr_t) "ns",
                                                .is_peal = true,
                                                .small_is_good = true,
                                                .rounds = ROUNDS,
                                                .values = run->values[i],
                                                .ratios = run->ratios[i],
                                                .numbers = run->numbers};
    }
    run->archive = (struct bench_archive){.records = run->records, .count = count};
}

static struct run a, b;
static struct bench_agreed agreed[2 * RECORDS + 1];

static int close_to(double value, double wanted)
{
    return fabs(value - wanted) < 1e-9 * (1 + fabs(wanted));
}

static int verdict(void)
{
    return bench_agree_print(&a.archive, &b.archive, 0.01, true);
}

static void two_runs_that_agree_are_said_to(void **state)
{
    (void)state;
    make(&a, RECORDS);
    make(&b, RECORDS);
    for (unsigned i = 0; i < RECORDS; i++)
        set_ratios(&b, i, 1.2 * (i % 2 == 0 ? 1.04 : 0.96)); /* less than half of the spread */
    assert_int_equal(bench_agree(&a.archive, &b.archive, agreed), RECORDS);
    struct bench_concord concord = bench_agree_sum_up(agreed, RECORDS);
    assert_int_equal(concord.outside, 0);
    assert_true(close_to(concord.p_outside, 1));
    assert_true(close_to(agreed[0].before.median, 1.2 * 1.05));
    assert_true(close_to(agreed[0].before.min, 1.2));
    assert_true(close_to(agreed[0].before.max, 1.2 * 1.1));
    assert_true(close_to(agreed[0].floor, 0) || fabs(agreed[0].floor) < 1e-9);
    assert_int_equal(verdict(), 0);
}

static void one_ratio_that_is_apart_is_found_among_many(void **state)
{
    (void)state;
    make(&a, RECORDS);
    make(&b, RECORDS);
    set_ratios(&b, 7, 1.2 * 1.11);
    assert_int_equal(bench_agree(&a.archive, &b.archive, agreed), RECORDS);
    assert_int_equal(agreed[7].agreement, BENCH_APART);
    assert_int_equal(agreed[6].agreement, BENCH_AGREE);
    assert_int_equal(bench_agree_sum_up(agreed, RECORDS).apart, 1);
    assert_int_equal(verdict(), 1);
    /* The other way round, too. */
    set_ratios(&b, 7, 1.2 / 1.11);
    assert_int_equal(verdict(), 1);
}

static void a_median_outside_is_told_either_way(void **state)
{
    (void)state;
    make(&a, 4);
    make(&b, 4);
    set_ratios(&b, 0, 1.2 * 1.07); /* both medians outside, spreads overlap */
    set_ratios(&b, 1, 1.2 / 1.07);
    b.ratios[2][0] = 9; /* one high round: no more than a wider spread */
    for (unsigned i = 0; i < ROUNDS; i++)
        b.ratios[3][i] = 1.2 * (1.101 + 0.02 * i); /* its spread is wide, and all above ... */
    b.ratios[3][2] = 1.21;                         /* ... but one, so A's median is inside */
    bench_agree(&a.archive, &b.archive, agreed);
    assert_int_equal(agreed[0].agreement, BENCH_OUTSIDE);
    assert_int_equal(agreed[1].agreement, BENCH_OUTSIDE);
    assert_int_equal(agreed[2].agreement, BENCH_AGREE);
    assert_int_equal(agreed[3].agreement, BENCH_OUTSIDE);
}

static void some_outside_are_chance_and_many_are_not(void **state)
{
    (void)state;
    make(&a, RECORDS);
    make(&b, RECORDS);
    set_ratios(&b, 3, 1.2 * 1.07);
    bench_agree(&a.archive, &b.archive, agreed);
    struct bench_concord concord = bench_agree_sum_up(agreed, RECORDS);
    assert_int_equal(concord.outside, 1);
    assert_int_equal(concord.apart, 0);
    assert_true(close_to(concord.p_outside, 1 - pow(1 - agreed[0].outside_by_chance, RECORDS)));
    assert_int_equal(verdict(), 0);
    for (unsigned i = 0; i < 6; i++)
        set_ratios(&b, i, 1.2 * 1.07);
    assert_int_equal(verdict(), 1);
}

static void what_one_run_lacks_is_not_judged(void **state)
{
    (void)state;
    make(&a, 6);
    make(&b, 6);
    snprintf(b.names[2], sizeof b.names[2], "latency/other/peal");
    for (unsigned i = 0; i < ROUNDS; i++) {
        a.ratios[4][i] = NAN; /* no floor in one of them */
        b.ratios[5][i] = i == 3 ? NAN : b.ratios[5][i];
    }
    assert_int_equal(bench_agree(&a.archive, &b.archive, agreed), 4);
    assert_ptr_equal(agreed[2].record, &a.records[3]);
    assert_int_equal(agreed[3].after.rounds, ROUNDS - 1);
    b.archive.count = 0;
    assert_int_equal(bench_agree(&a.archive, &b.archive, agreed), 0);
    assert_int_equal(verdict(), 2);
}

/* Two of Peal's ways, and a peer whose name has a slash. */
static void make_contest(struct run *run)
{
    make(run, 3);
    snprintf(run->names[0], sizeof run->names[0], "latency/64/peal slow");
    snprintf(run->names[1], sizeof run->names[1], "latency/64/peal quick");
    snprintf(run->names[2], sizeof run->names[2], "latency/64/some pub/sub");
    run->records[2].is_peal = false;
    run->records[2].is_peer = true;
    for (unsigned i = 0; i < ROUNDS; i++) {
        run->values[0][i] = 300 + i;
        run->values[1][i] = 100 + i;
        run->values[2][i] = 2 * (100 + i);
        run->ratios[0][i] = run->ratios[1][i] = run->ratios[2][i] = NAN;
    }
}

static void the_best_of_peal_is_set_against_each_peer(void **state)
{
    (void)state;
    make_contest(&a);
    make_contest(&b);
    assert_int_equal(bench_agree(&a.archive, &b.archive, agreed), 1);
    assert_ptr_equal(agreed[0].record, &a.records[1]);
    assert_ptr_equal(agreed[0].peer, &a.records[2]);
    assert_true(close_to(agreed[0].before.median, 2));
    /* Of a rate the larger one is better, and the quotient the other way round. */
    for (unsigned i = 0; i < 3; i++)
        a.records[i].small_is_good = b.records[i].small_is_good = false;
    assert_int_equal(bench_agree(&a.archive, &b.archive, agreed), 1);
    assert_ptr_equal(agreed[0].record, &a.records[0]);
    assert_true(agreed[0].before.median > 1.3 && agreed[0].before.median < 1.6);
    /* Of another unit there is no quotient. */
    a.records[2].unit = (char *)(uintptr_t) "B/s";
    assert_int_equal(bench_agree(&a.archive, &b.archive, agreed), 0);
}

static void rounds_are_paired_by_their_numbers(void **state)
{
    static unsigned other[ROUNDS] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10};

    (void)state;
    make_contest(&a);
    make_contest(&b);
    a.records[2].numbers = other; /* its round 0 was cut: what follows moves up */
    a.records[2].rounds = ROUNDS - 1;
    for (unsigned i = 0; i < ROUNDS - 1; i++)
        a.values[2][i] = 2 * (100 + i + 1);
    assert_int_equal(bench_agree(&a.archive, &b.archive, agreed), 1);
    assert_int_equal(agreed[0].before.rounds, ROUNDS - 1);
    assert_true(close_to(agreed[0].before.min, 2));
    assert_true(close_to(agreed[0].before.max, 2));
}

/* All orders of so many rounds, judged like any run's: the part that is outside, and apart. */
static void count_orders(unsigned left, unsigned right, double *outside, double *apart)
{
    unsigned orders = 0, outsides = 0, aparts = 0;

    for (unsigned order = 0; order < 1u << (left + right); order++) {
        if ((unsigned)__builtin_popcount(order) != left)
            continue;
        make(&a, 1);
        make(&b, 1);
        a.records[0].rounds = b.records[0].rounds = 0;
        for (unsigned rank = 0; rank < left + right; rank++) {
            struct run *run = (order >> rank & 1) != 0 ? &a : &b;
            run->ratios[0][run->records[0].rounds++] = rank + 1;
        }
        bench_agree(&a.archive, &b.archive, agreed);
        orders++;
        outsides += agreed[0].agreement != BENCH_AGREE;
        aparts += agreed[0].agreement == BENCH_APART;
    }
    *outside = (double)outsides / orders;
    *apart = (double)aparts / orders;
}

static void the_part_outside_by_chance_is_that_of_all_orders(void **state)
{
    static const unsigned sizes[][2] = {{1, 1}, {3, 3}, {3, 5}, {7, 5}, {9, 9}, {1, 3}};
    double outside, apart;

    (void)state;
    for (unsigned i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        count_orders(sizes[i][0], sizes[i][1], &outside, &apart);
        assert_true(close_to(bench_agree_outside_by_chance(sizes[i][0], sizes[i][1]), outside));
        assert_true(close_to(bench_mann_whitney_least(sizes[i][0], sizes[i][1]), apart));
    }
    /* With a median between two rounds it may be more, by how far they are from each other. */
    count_orders(8, 8, &outside, &apart);
    assert_true(bench_agree_outside_by_chance(8, 8) < outside + 1e-9);
}

/* By hand: of 0.5, 0.5 and 0.2. */
static void at_least_so_many_sums_up_chances(void **state)
{
    static const double p[] = {0.5, 0.2, 0.5};

    (void)state;
    assert_true(close_to(bench_agree_at_least(p, 3, 0), 1));
    assert_true(close_to(bench_agree_at_least(p, 3, 1), 1 - 0.5 * 0.8 * 0.5));
    assert_true(close_to(bench_agree_at_least(p, 3, 2), 0.25 + 0.5 * 0.2));
    assert_true(close_to(bench_agree_at_least(p, 3, 3), 0.05));
    assert_true(close_to(bench_agree_at_least(p, 0, 1), 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_runs_that_agree_are_said_to),
        cmocka_unit_test(one_ratio_that_is_apart_is_found_among_many),
        cmocka_unit_test(a_median_outside_is_told_either_way),
        cmocka_unit_test(some_outside_are_chance_and_many_are_not),
        cmocka_unit_test(what_one_run_lacks_is_not_judged),
        cmocka_unit_test(the_best_of_peal_is_set_against_each_peer),
        cmocka_unit_test(rounds_are_paired_by_their_numbers),
        cmocka_unit_test(the_part_outside_by_chance_is_that_of_all_orders),
        cmocka_unit_test(at_least_so_many_sums_up_chances),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
