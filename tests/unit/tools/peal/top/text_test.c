/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/peal/top/text.h"

#include "tests/support/random.h"

#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void assert_fits(const char *text, int columns, const char *expected, int used)
{
    char to[64];
    assert_int_equal(top_text_fit(to, sizeof(to), text, columns), used);
    assert_string_equal(to, expected);
}

static void a_text_that_fits_stays_as_it_is(void **state)
{
    (void)state;
    assert_fits("wheel", 5, "wheel", 5);
    assert_fits("wheel", 9, "wheel", 5);
    assert_fits("", 3, "", 0);
    assert_fits("räder", 5, "räder", 5);
}

static void a_text_that_is_too_long_ends_in_a_tilde(void **state)
{
    (void)state;
    assert_fits("wheel", 4, "whe~", 4);
    assert_fits("wheel", 1, "~", 1);
    assert_fits("wheel", 0, "", 0);
    assert_fits("räder", 3, "rä~", 3);
}

static void wide_characters_take_two_columns(void **state)
{
    (void)state;
    assert_int_equal(top_text_columns("漢字"), 4);
    assert_fits("漢字", 4, "漢字", 4);
    assert_fits("漢字", 3, "漢~", 3);
    assert_fits("漢字", 2, "~", 1);
}

static void what_would_not_be_seen_is_a_question_mark(void **state)
{
    (void)state;
    assert_fits("a\033[2Jb", 9, "a?[2Jb", 6);
    assert_fits("a\xff\xfe"
                "b",
                9, "a??b", 4);
    assert_fits("a\u0301b", 9, "a?b", 3); /* combines with what is before it */
    assert_fits("a\u202eb", 9, "a?b", 3); /* turns the line around */
    assert_fits("a\tb\n", 9, "a?b?", 4);
}

static void a_filter_does_not_mind_capitals(void **state)
{
    (void)state;
    assert_true(top_text_has("Wheel.Speed", "speed"));
    assert_true(top_text_has("wheel", ""));
    assert_false(top_text_has("wheel", "speed"));
}

/* Whatever bytes they are: no more columns than told, no byte beyond the room, and all of it can be shown. */
static void any_bytes_fit_into_any_width(void **state)
{
    uint64_t seed = 11;
    (void)state;
    for (int round = 0; round < 20000; round++) {
        char text[24], to[64];
        const int columns = (int)random_below(&seed, 14);
        const size_t room = (size_t)random_below(&seed, 40) + 1;
        const size_t length = (size_t)random_below(&seed, sizeof(text));
        for (size_t i = 0; i < length; i++)
            text[i] = (char)(random_below(&seed, 4) == 0 ? 1 + random_below(&seed, 255)
                                                         : 0xe0 + random_below(&seed, 0x20));
        text[length] = '\0';
        memset(to, 0x5a, sizeof(to));
        const int used = top_text_fit(to, room, text, columns);
        assert_true(used >= 0 && used <= columns);
        assert_true(strlen(to) < room);
        assert_int_equal(to[room], 0x5a);
        assert_int_equal(top_text_columns(to), used);
        for (const char *at = to; *at != '\0'; at += top_glyph_at(at).bytes)
            assert_true(top_glyph_at(at).known);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_text_that_fits_stays_as_it_is),
        cmocka_unit_test(a_text_that_is_too_long_ends_in_a_tilde),
        cmocka_unit_test(wide_characters_take_two_columns),
        cmocka_unit_test(what_would_not_be_seen_is_a_question_mark),
        cmocka_unit_test(a_filter_does_not_mind_capitals),
        cmocka_unit_test(any_bytes_fit_into_any_width),
    };
    if (!setlocale(LC_ALL, "C.UTF-8"))
        return 77;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
