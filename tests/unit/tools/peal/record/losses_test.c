/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/peal/record/losses.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void ranges_that_go_on_are_one(void **state)
{
    (void)state;
    struct losses losses = {0};
    char text[LOSSES_TEXT_BYTES];
    losses_add(&losses, 3, 5);
    losses_add(&losses, 6, 7);
    losses_add(&losses, 12, 12);
    losses_add(&losses, UINT64_MAX - 1, UINT64_MAX);
    losses_pending_text(&losses, text);
    assert_string_equal(text, "3-7 12 18446744073709551614-18446744073709551615");
    assert_int_equal(losses.lost, 5 + 1 + 2);
    assert_int_equal(losses.range_count, 3);
    losses_text(&losses, text, sizeof(text));
    assert_string_equal(text, "3-7, 12, 18446744073709551614-18446744073709551615");
}

static void what_is_written_is_not_pending_and_a_range_may_go_on_behind_it(void **state)
{
    (void)state;
    struct losses losses = {0};
    char text[LOSSES_TEXT_BYTES];
    losses_add(&losses, 0, 9);
    assert_int_equal(losses.pending_lost, 10);
    losses_written(&losses);
    assert_int_equal(losses.pending_lost, 0);
    losses_pending_text(&losses, text);
    assert_string_equal(text, "");
    losses_add(&losses, 10, 11);
    losses_pending_text(&losses, text);
    assert_string_equal(text, "10-11"); /* what is in the file stays as it is */
    assert_int_equal(losses.pending_lost, 2);
    losses_text(&losses, text, sizeof(text));
    assert_string_equal(text, "0-11");
    assert_int_equal(losses.lost, 12);
}

static void the_numbers_before_a_message_are_those_between_it_and_the_last(void **state)
{
    (void)state;
    struct losses losses = {0};
    char text[LOSSES_TEXT_BYTES];
    losses_before(&losses, true, 5, 5, 0);
    assert_int_equal(losses.lost, 0);
    /* Two of the three had numbers; one was dropped before it got one. */
    losses_before(&losses, true, 6, 8, 3);
    losses_pending_text(&losses, text);
    assert_string_equal(text, "6-7");
    assert_int_equal(losses.unnumbered, 1);
    assert_int_equal(losses.lost, 3);
    /* Nothing is known of what should have come, and not so many numbers are there. */
    losses_written(&losses);
    losses_before(&losses, false, 0, 20, 4);
    losses_before(&losses, false, 0, 2, 10);
    losses_pending_text(&losses, text);
    assert_string_equal(text, "16-19 0-1");
    assert_int_equal(losses.pending_unnumbered, 8);
    /* Somebody who is late hears what he missed from the numbers alone. */
    losses_written(&losses);
    losses_before(&losses, true, 0, 100, 0);
    losses_pending_text(&losses, text);
    assert_string_equal(text, "0-99");
}

static void the_list_says_when_it_is_full_and_shows_the_first(void **state)
{
    (void)state;
    struct losses losses = {0};
    char text[LOSSES_TEXT_BYTES];
    for (uint64_t i = 0; i < LOSSES_PENDING_MAX; i++) {
        assert_false(losses_full(&losses));
        losses_add(&losses, UINT64_MAX - 400 + i * 3, UINT64_MAX - 400 + i * 3 + 1);
    }
    assert_true(losses_full(&losses));
    losses_pending_text(&losses, text); /* the longest that there is: the sanitizer looks on */
    assert_int_equal(strlen(text), LOSSES_PENDING_MAX * 42 - 1);
    losses_text(&losses, text, sizeof(text));
    assert_non_null(strstr(text, " and 60 ranges more"));
    losses_add_unnumbered(&losses, 7);
    losses_text(&losses, text, sizeof(text));
    assert_non_null(strstr(text, ", and 7 dropped without a number"));
    char small[16];
    losses_text(&losses, small, sizeof(small));
    assert_int_equal(strlen(small), sizeof(small) - 1);
}

static void only_unnumbered_ones_are_told_without_a_range(void **state)
{
    (void)state;
    struct losses losses = {0};
    char text[LOSSES_TEXT_BYTES];
    losses_add_unnumbered(&losses, 2);
    losses_text(&losses, text, sizeof(text));
    assert_string_equal(text, "2 dropped without a number");
    losses_pending_text(&losses, text);
    assert_string_equal(text, "");
    assert_int_equal(losses.pending_lost, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ranges_that_go_on_are_one),
        cmocka_unit_test(what_is_written_is_not_pending_and_a_range_may_go_on_behind_it),
        cmocka_unit_test(the_numbers_before_a_message_are_those_between_it_and_the_last),
        cmocka_unit_test(the_list_says_when_it_is_full_and_shows_the_first),
        cmocka_unit_test(only_unnumbered_ones_are_told_without_a_range),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
