/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/peal/record/tempo.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void factors_are_read_with_and_without_an_x(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        double rate;
    } right[] = {{"2x", 2}, {"2", 2}, {"0.5x", 0.5}, {"1", 1}, {"max", 0}, {"1000000x", 1e6}};
    static const char *const wrong[] = {
        "",    "x",   "0",    "0x",  "-1",  "2xx",     "2 x",
        "inf", "1e3", "maxx", "nan", "2x ", "1000001", "00000000000000000000000000000000000001"};
    for (size_t i = 0; i < sizeof(right) / sizeof(right[0]); i++) {
        double rate = -1;
        assert_null(tempo_read(right[i].text, &rate));
        assert_true(rate == right[i].rate);
    }
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        double rate;
        if (!tempo_read(wrong[i], &rate))
            fail_msg("'%s' was taken for %g", wrong[i], rate);
    }
}

static void a_message_is_due_by_its_distance_from_the_first(void **state)
{
    (void)state;
    struct tempo tempo = {.rate = 2, .begin_ns = 1000, .first_ns = 500};
    assert_int_equal(tempo_due_ns(&tempo, 500), 1000);
    assert_int_equal(tempo_due_ns(&tempo, 700), 1100);
    assert_int_equal(tempo_due_ns(&tempo, 400), 1000); /* earlier than the first: at once */
    tempo.rate = 0.5;
    assert_int_equal(tempo_due_ns(&tempo, 700), 1400);
    tempo.rate = 1;
    /* A day later, still to the nanosecond. */
    assert_int_equal(tempo_due_ns(&tempo, 500 + UINT64_C(86400000000001)),
                     1000 + UINT64_C(86400000000001));
    tempo.rate = 0;
    assert_int_equal(tempo_due_ns(&tempo, 700), 1000);
}

static void times_that_never_come_do_not_come_early(void **state)
{
    (void)state;
    const struct tempo slow = {.rate = 1e-6, .begin_ns = 1000, .first_ns = 0};
    const struct tempo plain = {.rate = 1, .begin_ns = 1000, .first_ns = 0};
    assert_true(tempo_due_ns(&slow, UINT64_MAX) == UINT64_MAX);
    assert_true(tempo_due_ns(&plain, UINT64_MAX) == UINT64_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(factors_are_read_with_and_without_an_x),
        cmocka_unit_test(a_message_is_due_by_its_distance_from_the_first),
        cmocka_unit_test(times_that_never_come_do_not_come_early),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
