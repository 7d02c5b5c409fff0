/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/peal/kit/near.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void a_slip_of_any_kind_counts_one(void **state)
{
    (void)state;
    assert_int_equal(near_distance("record", "record"), 0);
    assert_int_equal(near_distance("recrd", "record"), 1);
    assert_int_equal(near_distance("reccord", "record"), 1);
    assert_int_equal(near_distance("rekord", "record"), 1);
    assert_int_equal(near_distance("recrod", "record"), 1);
}

static void slips_add_up(void **state)
{
    (void)state;
    assert_int_equal(near_distance("", "ls"), 2);
    assert_int_equal(near_distance("ls", ""), 2);
    assert_int_equal(near_distance("erplya", "replay"), 2);
    assert_int_equal(near_distance("kitten", "sitting"), 3);
    assert_int_equal(near_distance("abc", "xyz"), 3);
}

static void a_word_that_nobody_mistypes_is_near_to_none(void **state)
{
    (void)state;
    static const char longer[] = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"; /* 32 */
    assert_true(near_distance(longer, "a") == SIZE_MAX);
    assert_true(near_distance("a", longer) == SIZE_MAX);
    assert_int_equal(near_distance(longer + 1, longer + 1), 0);
}

static const char *meant(const char *typed)
{
    static const char *const known[] = {"ls", "pub", "echo", "record", "recover", "hz"};
    struct near_word near = {.typed = typed};
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        near_offer(&near, known[i]);
    return near.word;
}

static void the_nearest_is_what_was_meant(void **state)
{
    (void)state;
    assert_string_equal(meant("recoder"), "recover");
    assert_string_equal(meant("recrod"), "record");
    assert_string_equal(meant("ehco"), "echo");
    assert_string_equal(meant("pubs"), "pub");
    assert_string_equal(meant("zh"), "hz");
}

static void what_is_too_far_from_all_is_not_guessed(void **state)
{
    (void)state;
    assert_null(meant("frobnicate"));
    assert_null(meant("ehoc1"));
    assert_null(meant(""));
    assert_null(meant("xy"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_slip_of_any_kind_counts_one),
        cmocka_unit_test(slips_add_up),
        cmocka_unit_test(a_word_that_nobody_mistypes_is_near_to_none),
        cmocka_unit_test(the_nearest_is_what_was_meant),
        cmocka_unit_test(what_is_too_far_from_all_is_not_guessed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
