/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/results/histogram.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static int close_to(double value, double wanted)
{
    return value > wanted - 1e-9 && value < wanted + 1e-9;
}

static void buckets_follow_each_other_without_a_gap(void **state)
{
    (void)state;
    for (unsigned i = 0; i < BENCH_HISTOGRAM_BUCKETS; i++) {
        assert_int_equal(bench_histogram_bucket(bench_histogram_value(i)), i);
        assert_int_equal(bench_histogram_bucket(bench_histogram_upper(i)), i);
        if (i + 1 < BENCH_HISTOGRAM_BUCKETS)
            assert_true(bench_histogram_upper(i) + 1 == bench_histogram_value(i + 1));
    }
    assert_true(bench_histogram_upper(BENCH_HISTOGRAM_BUCKETS - 1) == UINT64_MAX);
}

static void buckets_are_finer_than_one_percent(void **state)
{
    (void)state;
    for (unsigned i = 1; i < BENCH_HISTOGRAM_BUCKETS; i++) {
        double lower = (double)bench_histogram_value(i);
        assert_true(((double)bench_histogram_upper(i) - lower) / lower < 0.01);
    }
}

static void quantiles_are_never_too_good_nor_above_the_maximum(void **state)
{
    static struct bench_histogram histogram;

    (void)state;
    assert_true(close_to(bench_histogram_quantile(&histogram, 0.5), 0));
    for (uint64_t i = 1; i <= 100; i++)
        bench_histogram_add(&histogram, i, 10);
    assert_true(close_to(bench_histogram_quantile(&histogram, 0.5), 50));
    assert_true(close_to(bench_histogram_quantile(&histogram, 0.99), 99));
    bench_histogram_add(&histogram, 100001, 1);
    bench_histogram_add(&histogram, 99999999, 0); /* no time at all */
    assert_true(close_to(bench_histogram_quantile(&histogram, 1), 100001));
    assert_true(close_to(bench_histogram_quantile(&histogram, 0.999), 100));
    bench_histogram_add(&histogram, 1000000, 3);
    double late = bench_histogram_quantile(&histogram, 0.997); /* the 1001st of 1004 */
    assert_true(late >= 100001 && late < 100001 * 1.01);
}

static void a_merged_one_has_all(void **state)
{
    static struct bench_histogram one, other;

    (void)state;
    bench_histogram_add(&one, 10, 1);
    bench_histogram_add(&other, 1000, 2);
    bench_histogram_add(&other, 12345, 1);
    bench_histogram_merge(&one, &other);
    assert_true(one.total == 4);
    assert_true(one.max == 12345);
    assert_true(close_to(bench_histogram_quantile(&one, 0.25), 10));
    assert_true(bench_histogram_quantile(&one, 0.5) >= 1000);
    double mean = bench_histogram_mean(&one);
    assert_true(mean > 3570 && mean < 3600);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(buckets_follow_each_other_without_a_gap),
        cmocka_unit_test(buckets_are_finer_than_one_percent),
        cmocka_unit_test(quantiles_are_never_too_good_nor_above_the_maximum),
        cmocka_unit_test(a_merged_one_has_all),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
