/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/peal/talk/histogram.h"

#include "tests/support/random.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct histogram *empty(void)
{
    static struct histogram histogram;
    memset(&histogram, 0, sizeof(histogram));
    return &histogram;
}

static void an_empty_one_has_no_times(void **state)
{
    (void)state;
    struct histogram *histogram = empty();
    assert_int_equal(histogram_percentile(histogram, 50), 0);
    assert_true(histogram_deviation(histogram) == 0);
}

static void small_values_are_exact(void **state)
{
    (void)state;
    struct histogram *histogram = empty();
    for (uint64_t value = 1; value <= 100; value++)
        histogram_add(histogram, value);
    assert_int_equal(histogram_percentile(histogram, 0), 1);
    assert_int_equal(histogram_percentile(histogram, 1), 1);
    assert_int_equal(histogram_percentile(histogram, 50), 50);
    assert_int_equal(histogram_percentile(histogram, 99), 99);
    assert_int_equal(histogram_percentile(histogram, 99.9), 100);
    assert_int_equal(histogram_percentile(histogram, 100), 100);
    assert_int_equal(histogram->min, 1);
    assert_int_equal(histogram->max, 100);
    assert_true(fabs(histogram->mean - 50.5) < 1e-9);
    assert_true(fabs(histogram_deviation(histogram) - sqrt((100.0 * 100 - 1) / 12)) < 1e-9);
}

static void a_percentile_is_not_rounded_up_to_the_next(void **state)
{
    (void)state;
    struct histogram *histogram = empty();
    for (uint64_t value = 1; value <= 1000; value++)
        histogram_add(histogram, value <= 999 ? 1 : 100);
    assert_int_equal(histogram_percentile(histogram, 99.9), 1);
    assert_int_equal(histogram_percentile(histogram, 99.95), 100);
}

static int compare(const void *a, const void *b)
{
    const uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;
    return left < right ? -1 : left > right;
}

static void percentiles_are_at_most_one_part_in_128_too_high(void **state)
{
    (void)state;
    static uint64_t values[5000];
    const size_t count = sizeof(values) / sizeof(values[0]);
    struct histogram *histogram = empty();
    uint64_t seed = random_seed();
    for (size_t i = 0; i < count; i++) {
        const uint32_t bits = random_below(&seed, 64);
        values[i] = random_next(&seed) >> bits;
        histogram_add(histogram, values[i]);
    }
    qsort(values, count, sizeof(values[0]), compare);
    for (unsigned percent = 1; percent <= 100; percent++) {
        const uint64_t exact = values[(percent * count + 99) / 100 - 1];
        const uint64_t told = histogram_percentile(histogram, percent);
        assert_true(told >= exact);
        assert_true(told - exact <= exact / 128);
    }
}

static void the_greatest_of_all_has_a_place(void **state)
{
    (void)state;
    struct histogram *histogram = empty();
    histogram_add(histogram, UINT64_MAX);
    histogram_add(histogram, 0);
    assert_true(histogram_percentile(histogram, 100) == UINT64_MAX);
    assert_int_equal(histogram_percentile(histogram, 50), 0);
    assert_int_equal(histogram_octave(histogram, 63), 1);
    assert_int_equal(histogram_octave(histogram, 0), 1);
}

static void octaves_hold_all_once(void **state)
{
    (void)state;
    struct histogram *histogram = empty();
    uint64_t sum = 0;
    for (uint64_t value = 0; value < 70000; value += 7)
        histogram_add(histogram, value);
    for (unsigned power = 0; power < 64; power++)
        sum += histogram_octave(histogram, power);
    assert_int_equal(sum, histogram->count);
    assert_int_equal(histogram_octave(histogram, 10), (2047 / 7) - (1023 / 7));
    assert_int_equal(histogram_octave(histogram, 17), 0);
}

static void merged_is_as_if_all_had_been_added_to_one(void **state)
{
    (void)state;
    static struct histogram parts[3], all;
    memset(parts, 0, sizeof(parts));
    memset(&all, 0, sizeof(all));
    for (uint64_t value = 3; value < 3000; value++) {
        histogram_add(&parts[value % 2], value * value);
        histogram_add(&all, value * value);
    }
    histogram_merge(&parts[0], &parts[1]);
    histogram_merge(&parts[0], &parts[2]); /* which is empty */
    assert_int_equal(parts[0].count, all.count);
    assert_int_equal(parts[0].min, 9);
    assert_int_equal(parts[0].max, all.max);
    assert_true(fabs(parts[0].mean / all.mean - 1) < 1e-12);
    assert_true(fabs(histogram_deviation(&parts[0]) / histogram_deviation(&all) - 1) < 1e-12);
    assert_memory_equal(parts[0].buckets, all.buckets, sizeof(all.buckets));
    histogram_merge(&parts[2], &parts[0]);
    assert_int_equal(parts[2].min, 9);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_one_has_no_times),
        cmocka_unit_test(small_values_are_exact),
        cmocka_unit_test(a_percentile_is_not_rounded_up_to_the_next),
        cmocka_unit_test(percentiles_are_at_most_one_part_in_128_too_high),
        cmocka_unit_test(the_greatest_of_all_has_a_place),
        cmocka_unit_test(octaves_hold_all_once),
        cmocka_unit_test(merged_is_as_if_all_had_been_added_to_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
