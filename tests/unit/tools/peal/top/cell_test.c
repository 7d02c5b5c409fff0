/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/peal/top/grid.h"
#include "tools/peal/top/text.h"

#include "tests/support/random.h"

#include <float.h>
#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void assert_cell(enum top_kind kind, uint64_t count, double real, int width,
                        const char *expected)
{
    const struct top_column column = {"TITLE", "key", kind, width, 0};
    struct top_value value = {.known = true, .count = count, .real = real, .text = "text"};
    char to[256];
    top_cell_write(to, sizeof(to), &column, &value, width);
    assert_string_equal(to, expected);
}

static void values_are_written_as_their_kind_has_it(void **state)
{
    (void)state;
    assert_cell(TOP_TEXT, 0, 0, 6, "text  ");
    assert_cell(TOP_COUNT, 1234, 0, 6, "  1234");
    assert_cell(TOP_COUNT, 12345, 0, 6, " 12.3k");
    assert_cell(TOP_RATE, 0, 1500, 8, " 1.50k/s");
    assert_cell(TOP_BANDWIDTH, 0, 2048, 9, "2.00KiB/s");
    assert_cell(TOP_DURATION, UINT64_C(12000000000) * 1000, 0, 8, " 3h20min");
    assert_cell(TOP_BYTES, 0, 48, 5, "  48B");
}

static void bars_show_parts_of_a_character(void **state)
{
    (void)state;
    assert_cell(TOP_BAR, 0, 0, 4, "····");
    assert_cell(TOP_BAR, 0, 1, 4, "████");
    assert_cell(TOP_BAR, 0, 0.5, 4, "██··");
    assert_cell(TOP_BAR, 0, 0.375, 4, "█▌··");
    assert_cell(TOP_BAR, 0, 0.0001, 4, "▏···");
    assert_cell(TOP_BAR, 0, 7, 4, "████");
    assert_cell(TOP_BAR, 0, DBL_MAX, 4, "████");
}

static void where_there_are_no_blocks_there_is_ascii(void **state)
{
    (void)state;
    assert_non_null(setlocale(LC_ALL, "C"));
    assert_cell(TOP_BAR, 0, 0.5, 4, "##..");
    assert_non_null(setlocale(LC_ALL, "C.UTF-8"));
}

static void what_is_not_known_is_a_dash(void **state)
{
    (void)state;
    const struct top_column column = {"T", "t", TOP_BAR, 4, 0};
    const struct top_value value = {.known = false};
    char to[32];
    top_cell_write(to, sizeof(to), &column, &value, 4);
    assert_string_equal(to, "-   ");
}

/* A hostile peer may write any figure; a column stays as wide as it is. */
static void no_figure_leaves_its_column(void **state)
{
    static const uint64_t counts[] = {
        0, 1, 9999, 10000, 999999, 1000000, UINT32_MAX, UINT64_C(1) << 63, UINT64_MAX};
    static const double reals[] = {0, 1e-9, 0.99999, 999.9, 999999.9, 1e18, 1e300, DBL_MAX};
    (void)state;
    for (int kind = TOP_TEXT; kind <= TOP_HISTORY; kind++)
        for (size_t i = 0; i < 9 * 8; i++)
            for (int width = 1; width < 20; width++) {
                const struct top_column column = {"LONG TITLE", "k", (enum top_kind)kind, width, 0};
                struct top_value value = {.known = true,
                                          .count = counts[i / 8],
                                          .real = reals[i % 8],
                                          .text = "漢字漢字"};
                char to[4 * 20 + 1];
                top_cell_write(to, sizeof(to), &column, &value, width);
                assert_true(top_text_columns(to) == width);
                top_title_write(to, sizeof(to), &column, width);
                assert_int_equal(top_text_columns(to), width);
            }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_are_written_as_their_kind_has_it),
        cmocka_unit_test(bars_show_parts_of_a_character),
        cmocka_unit_test(where_there_are_no_blocks_there_is_ascii),
        cmocka_unit_test(what_is_not_known_is_a_dash),
        cmocka_unit_test(no_figure_leaves_its_column),
    };
    if (!setlocale(LC_ALL, "C.UTF-8"))
        return 77;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
