/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/peal/talk/pacer.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define S UINT64_C(1000000000)

static void times_are_reckoned_from_the_beginning(void **state)
{
    (void)state;
    struct pacer pacer;
    uint64_t due_ns = 0;
    pacer_begin(&pacer, 3, 5 * S);
    assert_int_equal(pacer_next_ns(&pacer, 5 * S), 5 * S);
    /* However late each is, after 300 more it is 100 s later. */
    for (uint64_t i = 1; i <= 300; i++)
        due_ns = pacer_next_ns(&pacer, 5 * S + i * S / 3 + 400);
    assert_int_equal(due_ns, 105 * S);
    assert_int_equal(pacer.behind, 0);
}

static void a_rate_that_cannot_be_expressed_in_ns_has_no_drift(void **state)
{
    (void)state;
    struct pacer pacer;
    uint64_t due_ns = 0;
    pacer_begin(&pacer, 7e6, 0);
    for (uint64_t i = 0; i <= 7000000; i++)
        due_ns = pacer_next_ns(&pacer, due_ns);
    assert_in_range(due_ns, S - 1, S + 1);
}

static void who_fell_far_behind_does_not_make_up_for_it(void **state)
{
    (void)state;
    struct pacer pacer;
    pacer_begin(&pacer, 10, S);
    (void)pacer_next_ns(&pacer, S);
    /* Half a second late: makes up for it. */
    assert_int_equal(pacer_next_ns(&pacer, S + S / 2), S + S / 10);
    /* Ten seconds late: begins anew. */
    assert_int_equal(pacer_next_ns(&pacer, 11 * S), 11 * S);
    assert_int_equal(pacer.behind, 1);
    assert_int_equal(pacer_next_ns(&pacer, 11 * S), 11 * S + S / 10);
}

static void the_infinite_rate_never_waits(void **state)
{
    (void)state;
    struct pacer pacer;
    pacer_begin(&pacer, HUGE_VAL, S);
    for (uint64_t now_ns = S; now_ns < 10 * S; now_ns += S)
        assert_int_equal(pacer_next_ns(&pacer, now_ns), now_ns);
    assert_int_equal(pacer.behind, 0);
}

static void the_slowest_rate_is_in_the_far_future(void **state)
{
    (void)state;
    struct pacer pacer;
    pacer_begin(&pacer, 1e-300, 7);
    assert_int_equal(pacer_next_ns(&pacer, 7), 7);
    const uint64_t due_ns = pacer_next_ns(&pacer, 8);
    assert_true(due_ns > UINT64_MAX / 5 && due_ns < UINT64_MAX / 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(times_are_reckoned_from_the_beginning),
        cmocka_unit_test(a_rate_that_cannot_be_expressed_in_ns_has_no_drift),
        cmocka_unit_test(who_fell_far_behind_does_not_make_up_for_it),
        cmocka_unit_test(the_infinite_rate_never_waits),
        cmocka_unit_test(the_slowest_rate_is_in_the_far_future),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
