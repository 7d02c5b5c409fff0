/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/peal/kit/table.h"

#include "tests/unit/tools/peal/capture.h"

#include <locale.h>
#include <string.h>

static const struct table_column columns[] = {
    {"NAME", TABLE_LEFT}, {"RATE", TABLE_RIGHT}, {"STATE", TABLE_LEFT}};

static void row(struct table *table, const char *name, const char *rate, const char *text)
{
    table_cell(table, PAINT_NONE, "%s", name);
    table_cell(table, PAINT_RED, "%s", rate);
    table_cell(table, PAINT_NONE, "%s", text);
}

static void columns_are_as_wide_as_their_cells(void **state)
{
    struct table *table = table_new(columns, 3);
    (void)state;
    row(table, "wheel_speed", "5", "ok");
    row(table, "a", "12345", "gone");
    capture_begin(STDOUT_FILENO);
    table_print(table);
    assert_string_equal(capture_end(), "NAME          RATE  STATE\n"
                                       "wheel_speed      5  ok\n"
                                       "a            12345  gone\n");
}

static void an_empty_table_is_its_heading(void **state)
{
    (void)state;
    capture_begin(STDOUT_FILENO);
    table_print_indented(table_new(columns, 3), 2);
    assert_string_equal(capture_end(), "  NAME  RATE  STATE\n");
}

static void colour_takes_no_room(void **state)
{
    struct table *table = table_new(columns, 3);
    (void)state;
    row(table, "a", "5", "ok");
    output_color(COLOR_ALWAYS);
    capture_begin(STDOUT_FILENO);
    table_print(table);
    output_color(COLOR_NEVER);
    assert_string_equal(capture_end(),
                        "\033[1mNAME\033[0m  \033[1mRATE\033[0m  \033[1mSTATE\033[0m\n"
                        "a        \033[31m5\033[0m  ok\n");
}

static void width_is_what_the_terminal_shows(void **state)
{
    (void)state;
    assert_int_equal(table_text_width(""), 0);
    assert_int_equal(table_text_width("abc"), 3);
    if (!setlocale(LC_ALL, "C.UTF-8"))
        skip();
    assert_int_equal(table_text_width("r\u00e4der"), 5);
    assert_int_equal(table_text_width("\u6e29\u5ea6"), 4); /* two columns each */
    assert_int_equal(table_text_width("e\u0301"), 1);      /* an accent of its own */
    assert_int_equal(table_text_width("a\xff"
                                      "b"),
                     3);                            /* no UTF-8 */
    assert_int_equal(table_text_width("a\xe6"), 2); /* cut off */
}

static void long_cells_are_cut(void **state)
{
    static char text[2000];
    static const struct table_column one[] = {{"T", TABLE_LEFT}};
    struct table *table = table_new(one, 1);
    (void)state;
    memset(text, 'x', sizeof(text) - 1);
    table_cell(table, PAINT_NONE, "%s", text);
    capture_begin(STDOUT_FILENO);
    table_print(table);
    assert_true(strlen(capture_end()) < 600);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(columns_are_as_wide_as_their_cells),
        cmocka_unit_test(an_empty_table_is_its_heading),
        cmocka_unit_test(colour_takes_no_room),
        cmocka_unit_test(width_is_what_the_terminal_shows),
        cmocka_unit_test(long_cells_are_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
