/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/sample.h"

#include "bench/payload.h"

/* The benchmarks are a program and no library: the one file that is tested comes along. */
#include "bench/sample.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static int close_to(double value, double wanted)
{
    return value > wanted - 1e-9 && value < wanted + 1e-9;
}

static void quantiles_are_nearest_ranks(void **state)
{
    double ns[100];

    (void)state;
    for (unsigned i = 0; i < 100; i++)
        ns[i] = (double)((i * 37) % 100 + 1); /* 1 to 100, shuffled: 37 and 100 share no factor */
    assert_true(close_to(bench_quantile(ns, 100, 0.5), 50));
    assert_true(close_to(bench_quantile(ns, 100, 0.99), 99));
    assert_true(close_to(bench_quantile(ns, 100, 0.999), 100));
    assert_true(close_to(bench_quantile(ns, 100, 1), 100));
    assert_true(close_to(bench_quantile(ns, 100, 0), 1));
}

static void quantiles_of_few_samples_stay_inside(void **state)
{
    double one[] = {7}, two[] = {9, 3};

    (void)state;
    assert_true(close_to(bench_quantile(one, 1, 0.5), 7));
    assert_true(close_to(bench_quantile(one, 1, 0.999), 7));
    assert_true(close_to(bench_quantile(two, 2, 0.5), 3));
    assert_true(close_to(bench_quantile(two, 2, 0.51), 9));
    assert_true(close_to(bench_quantile(NULL, 0, 0.5), 0));
}

static void middle_mean_leaves_both_ends_out(void **state)
{
    double ns[] = {9, 1000, 3, 5, 4, 6, 7, 8, 0, 2}, one[] = {7};

    (void)state;
    assert_true(close_to(bench_middle_mean(ns, 10, 0.8), 5.5));
    assert_true(close_to(bench_middle_mean(ns, 10, 1), 104.4));
    assert_true(close_to(bench_middle_mean(one, 1, 0.8), 7));
    assert_true(close_to(bench_middle_mean(NULL, 0, 0.8), 0));
}

static void mean_counts_every_operation_of_a_chunk(void **state)
{
    struct bench_sample sample = {.ns = NULL};

    (void)state;
    assert_true(bench_sample_reserve(&sample, 2));
    bench_sample_add(&sample, 1000, 10);
    bench_sample_add(&sample, 5000, 1);
    bench_sample_add(&sample, 77777, 1); /* no room: left out of everything */
    assert_int_equal(sample.count, 2);
    assert_true(close_to(sample.ns[0], 100));
    assert_true(close_to(bench_sample_mean_ns(&sample), 6000.0 / 11));
    bench_sample_free(&sample);
}

static void appended_samples_are_all_there(void **state)
{
    struct bench_sample pool = {.ns = NULL}, round = {.ns = NULL};

    (void)state;
    assert_true(bench_sample_reserve(&round, 3));
    for (unsigned i = 0; i < 3; i++) {
        bench_sample_clear(&round);
        for (unsigned k = 0; k < 3; k++)
            bench_sample_add(&round, i * 3 + k + 1, 1);
        assert_true(bench_sample_append(&pool, &round));
    }
    assert_int_equal(pool.count, 9);
    assert_int_equal(pool.operations, 9);
    assert_true(close_to(pool.total_ns, 45));
    assert_true(close_to(bench_quantile(pool.ns, pool.count, 1), 9));
    bench_sample_free(&pool);
    bench_sample_free(&round);
}

static void probes_agree_within_the_tolerance_either_way(void **state)
{
    (void)state;
    assert_true(bench_probes_agree(100, 119, 0.2));
    assert_true(bench_probes_agree(119, 100, 0.2));
    assert_false(bench_probes_agree(100, 121, 0.2));
    assert_false(bench_probes_agree(260, 70, 0.2));
    assert_false(bench_probes_agree(0, 0, 0.2));
}

static void payload_is_right_for_its_own_number_only(void **state)
{
    static const size_t sizes[] = {8, 16, 48, 64, 1024};
    uint64_t words[128], sent[128];

    (void)state;
    for (size_t s = 0; s < sizeof sizes / sizeof sizes[0]; s++) {
        size_t size_bytes = sizes[s];
        for (uint64_t number = 0; number < 200; number++) {
            bench_payload_write(words, size_bytes, number);
            bench_payload_refresh(sent, size_bytes, number);
            assert_memory_equal(words, sent, size_bytes);
            assert_true(bench_payload_right(words, size_bytes, number));
            assert_true(bench_payload_plausible(words, size_bytes, number));
            assert_false(bench_payload_right(words, size_bytes, number + 1));
            assert_false(bench_payload_plausible(words, size_bytes, number + 1));
        }
    }
}

static void every_spoilt_word_is_noticed(void **state)
{
    uint64_t words[128];

    (void)state;
    for (size_t i = 0; i < 128; i++) {
        bench_payload_write(words, sizeof words, 63);
        words[i] ^= 1u << 20;
        assert_false(bench_payload_right(words, sizeof words, 63));
        assert_false(
            bench_payload_plausible(words, sizeof words, 63)); /* one of 64 is looked at whole */
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(quantiles_are_nearest_ranks),
        cmocka_unit_test(quantiles_of_few_samples_stay_inside),
        cmocka_unit_test(middle_mean_leaves_both_ends_out),
        cmocka_unit_test(mean_counts_every_operation_of_a_chunk),
        cmocka_unit_test(appended_samples_are_all_there),
        cmocka_unit_test(probes_agree_within_the_tolerance_either_way),
        cmocka_unit_test(payload_is_right_for_its_own_number_only),
        cmocka_unit_test(every_spoilt_word_is_noticed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
