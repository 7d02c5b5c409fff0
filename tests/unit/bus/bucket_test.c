/* SPDX-License-Identifier: Apache-2.0 */
#include "bus/bucket.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define SECOND_NS UINT64_C(1000000000)

static uint32_t take_all(struct peal_bucket *bucket, uint64_t now_ns, uint64_t rate_hz,
                         uint32_t burst)
{
    uint32_t taken = 0;
    while (taken < 10000 && peal_bucket_take(bucket, now_ns, rate_hz, burst))
        taken++;
    return taken;
}

static void a_full_bucket_gives_a_burst_and_then_the_rate(void **state)
{
    (void)state;
    struct peal_bucket bucket = {0};
    uint64_t now_ns = 5 * SECOND_NS;
    assert_int_equal(take_all(&bucket, now_ns, 1000, 256), 256);
    now_ns += SECOND_NS / 1000 - 1;
    assert_int_equal(take_all(&bucket, now_ns, 1000, 256), 0);
    now_ns += 1;
    assert_int_equal(take_all(&bucket, now_ns, 1000, 256), 1);
    now_ns += SECOND_NS / 10;
    assert_int_equal(take_all(&bucket, now_ns, 1000, 256), 100);
}

static void a_pause_fills_it_to_the_burst_and_not_beyond(void **state)
{
    (void)state;
    struct peal_bucket bucket = {0};
    assert_int_equal(take_all(&bucket, SECOND_NS, 100000, 256), 256);
    assert_int_equal(take_all(&bucket, 100 * SECOND_NS, 100000, 256), 256);
    assert_int_equal(take_all(&bucket, 100 * SECOND_NS, 100000, 256), 0);
}

static void a_burst_of_one_is_a_strict_rate(void **state)
{
    (void)state;
    struct peal_bucket bucket = {0};
    assert_int_equal(take_all(&bucket, SECOND_NS, 10, 1), 1);
    assert_int_equal(take_all(&bucket, SECOND_NS + SECOND_NS / 10, 10, 1), 1);
}

static void a_rate_beyond_the_clock_is_no_limit(void **state)
{
    (void)state;
    struct peal_bucket bucket = {0};
    assert_int_equal(take_all(&bucket, SECOND_NS, UINT64_MAX, 4), 10000);
    assert_int_equal(take_all(&bucket, SECOND_NS, 0, 4), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_full_bucket_gives_a_burst_and_then_the_rate),
        cmocka_unit_test(a_pause_fills_it_to_the_burst_and_not_beyond),
        cmocka_unit_test(a_burst_of_one_is_a_strict_rate),
        cmocka_unit_test(a_rate_beyond_the_clock_is_no_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
