/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/peal/top/grid.h"

#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const struct top_column columns[] = {
    {"NAME", "name", TOP_TEXT, 4, 0},
    {"RATE", "rate", TOP_RATE, 7, 1},
    {"LOST", "lost", TOP_COUNT, 5, 2},
    {"MORE", "more", TOP_PLAIN, 6, 3},
};

enum { NAME, RATE, LOST, MORE };

static struct top_grid grid_of_three(void)
{
    struct top_grid grid = {0};
    static const char *const names[] = {"wheel", "Engine", "door"};
    static const double rates[] = {10, 200, 10};
    top_grid_begin(&grid, columns, 4);
    for (uint64_t i = 0; i < 3; i++) {
        struct top_row *row = top_grid_add(&grid, i + 1);
        top_value_text(&row->values[NAME], names[i]);
        top_value_real(&row->values[RATE], rates[i]);
        if (i != 1)
            top_value_count(&row->values[LOST], UINT64_MAX - i);
        top_value_text(&row->values[MORE], "door");
    }
    return grid;
}

static void assert_order(const struct top_grid *grid, const char *expected)
{
    char order[16] = "";
    for (size_t i = 0; i < grid->shown_count; i++)
        (void)snprintf(order + i, sizeof(order) - i, "%d", (int)grid->rows[i].id);
    assert_string_equal(order, expected);
}

static void rows_are_sorted_by_any_column_both_ways(void **state)
{
    (void)state;
    struct top_grid grid = grid_of_three();
    top_grid_arrange(&grid, "", NAME, false); /* capitals do not matter */
    assert_order(&grid, "321");
    top_grid_arrange(&grid, "", NAME, true);
    assert_order(&grid, "123");
    top_grid_arrange(&grid, "", RATE, true);
    assert_order(&grid, "213"); /* what is equal stays in order */
    top_grid_arrange(&grid, "", -1, false);
    assert_order(&grid, "123");
    top_grid_free(&grid);
}

static void what_is_not_known_comes_last_either_way(void **state)
{
    (void)state;
    struct top_grid grid = grid_of_three();
    top_grid_arrange(&grid, "", LOST, false);
    assert_order(&grid, "312"); /* doubles would take the figures of 1 and 3 for the same */
    top_grid_arrange(&grid, "", LOST, true);
    assert_order(&grid, "132");
    top_grid_free(&grid);
}

static void a_filter_hides_rows_and_brings_them_back(void **state)
{
    (void)state;
    struct top_grid grid = grid_of_three();
    top_grid_arrange(&grid, "EN", NAME, false);
    assert_order(&grid, "2");
    assert_int_equal(top_grid_find(&grid, 2), 0);
    assert_int_equal(top_grid_find(&grid, 1), -1);
    top_grid_arrange(&grid, "door", NAME, false); /* nor are plain texts looked at */
    assert_order(&grid, "3");
    top_grid_arrange(&grid, "", NAME, false);
    assert_order(&grid, "321");
    top_grid_free(&grid);
}

static void assert_widths(int width, int sort, int name, int rate, int lost, int more)
{
    struct top_grid grid = grid_of_three();
    top_grid_arrange(&grid, "", -1, false);
    const struct top_layout layout = top_grid_layout(&grid, width, sort);
    const int expected[] = {name, rate, lost, more};
    for (int i = 0; i < 4; i++)
        assert_int_equal(layout.widths[i], expected[i]);
    top_grid_free(&grid);
}

static void columns_go_by_rank_where_there_is_no_room(void **state)
{
    (void)state;
    assert_widths(80, -1, 6, 7, 5, 6); /* "Engine" needs 6 */
    assert_widths(27, -1, 6, 7, 5, 6);
    assert_widths(26, -1, 6, 7, 5, 0);
    assert_widths(19, -1, 6, 7, 0, 0);
    assert_widths(13, -1, 6, 0, 0, 0);
    assert_widths(5, -1, 4 + 1, 0, 0, 0);
    assert_widths(3, -1, 3, 0, 0, 0);
}

static void the_column_that_is_sorted_by_is_always_there(void **state)
{
    (void)state;
    assert_widths(19, LOST, 6, 0, 5, 0);
    assert_widths(10, LOST, 4, 0, 5, 0);
    assert_widths(8, LOST, 4, 0, 3, 0);
}

static void columns_are_found_by_their_keys(void **state)
{
    (void)state;
    assert_int_equal(top_grid_column(columns, 4, "rate"), RATE);
    assert_int_equal(top_grid_column(columns, 4, "LOST"), LOST);
    assert_int_equal(top_grid_column(columns, 4, "weight"), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_are_sorted_by_any_column_both_ways),
        cmocka_unit_test(what_is_not_known_comes_last_either_way),
        cmocka_unit_test(a_filter_hides_rows_and_brings_them_back),
        cmocka_unit_test(columns_go_by_rank_where_there_is_no_room),
        cmocka_unit_test(the_column_that_is_sorted_by_is_always_there),
        cmocka_unit_test(columns_are_found_by_their_keys),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
