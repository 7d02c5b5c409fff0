/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/peal/kit/units.h"

#include "tools/peal/kit/stop.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

static void counts_have_three_digits_that_count(void **state)
{
    struct units_text text;
    (void)state;
    assert_string_equal(units_count(&text, 0), "0");
    assert_string_equal(units_count(&text, 9999), "9999");
    assert_string_equal(units_count(&text, 10000), "10.0k");
    assert_string_equal(units_count(&text, 12345), "12.3k");
    assert_string_equal(units_count(&text, 999499), "999k");
    assert_string_equal(units_count(&text, 999500), "1.00M");
    assert_string_equal(units_count(&text, 4560000), "4.56M");
    assert_string_equal(units_count(&text, UINT64_MAX), "18.4E");
}

static void bytes_come_in_powers_of_1024(void **state)
{
    struct units_text text;
    (void)state;
    assert_string_equal(units_bytes(&text, 0), "0 B");
    assert_string_equal(units_bytes(&text, 1023), "1023 B");
    assert_string_equal(units_bytes(&text, 1536), "1.50 KiB");
    assert_string_equal(units_bytes(&text, UINT64_C(64) << 20), "64.0 MiB");
    assert_string_equal(units_bytes(&text, (UINT64_C(1) << 20) - 1), "1.00 MiB");
    assert_string_equal(units_bytes(&text, UINT64_MAX), "16.0 EiB");
}

static void rates_are_per_second_and_nothing_is_0(void **state)
{
    struct units_text text;
    (void)state;
    assert_string_equal(units_rate(&text, 0), "0");
    assert_string_equal(units_rate(&text, -1), "0");
    assert_string_equal(units_rate(&text, 0.5), "0.50/s");
    assert_string_equal(units_rate(&text, 100), "100/s");
    assert_string_equal(units_rate(&text, 99.96), "100/s");
    assert_string_equal(units_rate(&text, 12345), "12.3k/s");
    assert_string_equal(units_bandwidth(&text, 0), "0");
    assert_string_equal(units_bandwidth(&text, 1572864), "1.50 MiB/s");
}

static void durations_grow_from_nanoseconds_to_days(void **state)
{
    struct units_text text;
    (void)state;
    assert_string_equal(units_duration(&text, 0), "0 ns");
    assert_string_equal(units_duration(&text, 120), "120 ns");
    assert_string_equal(units_duration(&text, 1500), "1.50 us");
    assert_string_equal(units_duration(&text, 1500000), "1.50 ms");
    assert_string_equal(units_duration(&text, 99 * NS_PER_S), "99.0 s");
    assert_string_equal(units_duration(&text, 100 * NS_PER_S), "1 min 40 s");
    assert_string_equal(units_duration(&text, 12000 * NS_PER_S), "3 h 20 min");
    assert_string_equal(units_duration(&text, 180000 * NS_PER_S), "2 d 2 h");
    assert_string_equal(units_duration(&text, UINT64_MAX), "213503 d 23 h");
}

static void times_are_dates(void **state)
{
    struct units_text text;
    (void)state;
    assert_int_equal(setenv("TZ", "UTC", 1), 0);
    tzset();
    assert_string_equal(units_time(&text, UINT64_C(1769860800) * NS_PER_S), "2026-01-31 12:00:00");
    assert_int_equal(strlen(units_time(&text, UINT64_MAX)), 19);
}

/* Whatever the figure: short enough for a column, and whole. */
static void every_figure_fits(void **state)
{
    struct units_text text;
    (void)state;
    for (unsigned shift = 0; shift < 64; shift++)
        for (int around = -2; around <= 2; around++) {
            const uint64_t figure = (UINT64_C(1) << shift) + (uint64_t)(int64_t)around;
            assert_true(strlen(units_count(&text, figure)) <= 5);
            assert_true(strlen(units_bytes(&text, figure)) <= 8);
            assert_true(strlen(units_rate(&text, (double)figure)) <= 7);
            assert_true(strlen(units_bandwidth(&text, (double)figure)) <= 10);
            assert_true(strlen(units_duration(&text, figure)) <= 13);
        }
}

static void counts_are_read_from_digits_alone(void **state)
{
    static const char *const wrong[] = {"",   "-1",  "+1",  " 1",  "1 ",
                                        "1k", "0x1", "1.5", "abc", "18446744073709551616"};
    uint64_t count = 0;
    (void)state;
    assert_true(units_read_count("0", &count) && count == 0);
    assert_true(units_read_count("007", &count) && count == 7);
    assert_true(units_read_count("18446744073709551615", &count) && count == UINT64_MAX);
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        assert_false(units_read_count(wrong[i], &count));
}

static void bytes_are_read_with_a_letter_for_1024s(void **state)
{
    static const char *const wrong[] = {
        "", "K", "-1K", "1KK", "1KiB", "1.5M", "1 K", "16777216T", "18446744073709551616"};
    uint64_t bytes = 0;
    (void)state;
    assert_true(units_read_bytes("64", &bytes) && bytes == 64);
    assert_true(units_read_bytes("64K", &bytes) && bytes == 65536);
    assert_true(units_read_bytes("2m", &bytes) && bytes == UINT64_C(2) << 20);
    assert_true(units_read_bytes("3G", &bytes) && bytes == UINT64_C(3) << 30);
    assert_true(units_read_bytes("16777215T", &bytes) && bytes == UINT64_C(16777215) << 40);
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        assert_false(units_read_bytes(wrong[i], &bytes));
}

static void durations_are_read_with_their_unit(void **state)
{
    static const char *const wrong[] = {"",    ".",   "s",    "-1s", "1 s",   "1.2.3s",       "1e3",
                                        "inf", "nan", "0x1s", "1d",  "1msec", "10000000000s", "1S"};
    uint64_t ns = 0;
    (void)state;
    assert_true(units_read_duration("2", &ns) && ns == 2 * NS_PER_S);
    assert_true(units_read_duration("2s", &ns) && ns == 2 * NS_PER_S);
    assert_true(units_read_duration("1.5ms", &ns) && ns == 1500000);
    assert_true(units_read_duration(".5us", &ns) && ns == 500);
    assert_true(units_read_duration("100ns", &ns) && ns == 100);
    assert_true(units_read_duration("3m", &ns) && ns == 180 * NS_PER_S);
    assert_true(units_read_duration("1h", &ns) && ns == 3600 * NS_PER_S);
    assert_true(units_read_duration("0", &ns) && ns == 0);
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        assert_false(units_read_duration(wrong[i], &ns));
}

static void reals_are_finite_and_not_negative(void **state)
{
    static const char *const wrong[] = {"", "-0.5", "inf", "nan", "1e3", "0x1", "1..2", "2x", " 1"};
    char huge[512];
    double real = 0;
    (void)state;
    assert_true(units_read_real("0.5", &real) && real > 0.49 && real < 0.51);
    assert_true(units_read_real("100", &real) && real > 99.9 && real < 100.1);
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        assert_false(units_read_real(wrong[i], &real));
    memset(huge, '9', sizeof(huge) - 1);
    huge[sizeof(huge) - 1] = '\0';
    assert_false(units_read_real(huge, &real));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_have_three_digits_that_count),
        cmocka_unit_test(bytes_come_in_powers_of_1024),
        cmocka_unit_test(rates_are_per_second_and_nothing_is_0),
        cmocka_unit_test(durations_grow_from_nanoseconds_to_days),
        cmocka_unit_test(times_are_dates),
        cmocka_unit_test(every_figure_fits),
        cmocka_unit_test(counts_are_read_from_digits_alone),
        cmocka_unit_test(bytes_are_read_with_a_letter_for_1024s),
        cmocka_unit_test(durations_are_read_with_their_unit),
        cmocka_unit_test(reals_are_finite_and_not_negative),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
