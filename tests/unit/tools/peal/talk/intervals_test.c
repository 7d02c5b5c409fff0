/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/peal/talk/intervals.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static struct intervals intervals;

static int set_up(void **state)
{
    (void)state;
    intervals = (struct intervals){0};
    return 0;
}

/* The interval that ends with this message, or -1. */
static int64_t add(uint64_t publisher, uint64_t number, uint64_t timestamp_ns, uint64_t arrival_ns)
{
    const struct peal_message message = {
        .publisher = publisher, .number = number, .timestamp_ns = timestamp_ns};
    uint64_t interval_ns;
    return intervals_add(&intervals, &message, arrival_ns, &interval_ns) ? (int64_t)interval_ns
                                                                         : -1;
}

static void an_interval_is_between_two_of_one_publisher(void **state)
{
    (void)state;
    assert_int_equal(add(7, 4, 100, 1), -1);
    assert_int_equal(add(8, 0, 105, 2), -1);
    assert_int_equal(add(7, 5, 110, 3), 10);
    assert_int_equal(add(8, 1, 125, 4), 20);
    assert_int_equal(add(8, 2, 125, 4), 0);
}

static void without_stamps_arrivals_count(void **state)
{
    (void)state;
    assert_int_equal(add(7, 0, 0, 1000), -1);
    assert_int_equal(add(7, 1, 0, 1300), 300);
    assert_int_equal(add(7, 2, 1200, 1400), -1); /* a stamp and an arrival do not compare */
    assert_int_equal(add(7, 3, 1350, 1500), 150);
}

static void a_gap_is_no_interval(void **state)
{
    (void)state;
    struct peal_message after_loss = {.publisher = 7, .number = 3, .timestamp_ns = 130, .lost = 1};
    uint64_t interval_ns;
    assert_int_equal(add(7, 0, 100, 1), -1);
    assert_int_equal(add(7, 2, 120, 2), -1);
    assert_false(intervals_add(&intervals, &after_loss, 3, &interval_ns));
    assert_int_equal(add(7, 4, 140, 4), 10);
}

static void stamps_that_go_backwards_are_no_interval(void **state)
{
    (void)state;
    assert_int_equal(add(7, 0, 100, 1), -1);
    assert_int_equal(add(7, 1, 90, 2), -1);
    assert_int_equal(add(7, 2, 95, 3), 5);
    assert_int_equal(add(7, 3, UINT64_MAX / 2, 4), (int64_t)(UINT64_MAX / 2) - 95);
    assert_int_equal(add(7, 4, 1, 5), -1);
}

static void of_too_many_publishers_the_oldest_is_forgotten(void **state)
{
    (void)state;
    for (uint64_t publisher = 1; publisher <= INTERVALS_PUBLISHERS + 1; publisher++)
        assert_int_equal(add(publisher, 0, 100, 1), -1);
    assert_int_equal(add(2, 1, 107, 2), 7);
    assert_int_equal(add(1, 1, 107, 2), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(an_interval_is_between_two_of_one_publisher, set_up),
        cmocka_unit_test_setup(without_stamps_arrivals_count, set_up),
        cmocka_unit_test_setup(a_gap_is_no_interval, set_up),
        cmocka_unit_test_setup(stamps_that_go_backwards_are_no_interval, set_up),
        cmocka_unit_test_setup(of_too_many_publishers_the_oldest_is_forgotten, set_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
