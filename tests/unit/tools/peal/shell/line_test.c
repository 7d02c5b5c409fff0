/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/peal/shell/line.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define READ(...)                                                                                  \
    read_words((char *[]){__VA_ARGS__}, sizeof((char *[]){__VA_ARGS__}) / sizeof(char *))

static struct line read_words(char **words, size_t count)
{
    struct line line;
    line_read(&line, words, count);
    return line;
}

static void the_first_word_is_a_command(void **state)
{
    (void)state;
    assert_int_equal(READ("").wants, LINE_WANTS_COMMAND);
    assert_int_equal(READ("--bus", "posix:a", "").wants, LINE_WANTS_COMMAND);
    const struct line line = READ("ls", "");
    assert_int_equal(line.wants, LINE_WANTS_OPERAND);
    assert_ptr_equal(line.command, command_find("ls"));
    assert_int_equal(READ("frobnicate", "").wants, LINE_WANTS_NOTHING);
}

static void a_value_is_wanted_behind_its_option(void **state)
{
    (void)state;
    struct line line = READ("ls", "--color", "al");
    assert_int_equal(line.wants, LINE_WANTS_VALUE);
    assert_string_equal(line.option->name, "color");
    assert_string_equal(line.word, "al");
    assert_int_equal(line.ahead_bytes, 0);
    line = READ("ls", "--color=al");
    assert_int_equal(line.wants, LINE_WANTS_VALUE);
    assert_string_equal(line.word, "al");
    assert_int_equal(line.ahead_bytes, strlen("--color="));
    line = READ("ls", "-jbposix:a");
    assert_int_equal(line.wants, LINE_WANTS_VALUE);
    assert_string_equal(line.word, "posix:a");
    assert_int_equal(line.ahead_bytes, strlen("-jb"));
}

static void a_value_is_no_operand_and_no_option(void **state)
{
    (void)state;
    assert_int_equal(READ("top", "--interval", "5s", "").operands, 0);
    assert_int_equal(READ("top", "--interval", "--", "--j").wants, LINE_WANTS_OPTION);
    assert_int_equal(READ("top", "-i5s", "a", "").operands, 1);
    assert_int_equal(READ("top", "-j", "a", "").operands, 1);
}

static void who_names_the_bus_is_heard_wherever_it_stands(void **state)
{
    (void)state;
    assert_string_equal(READ("--bus", "posix:a", "ls", "").bus, "posix:a");
    assert_string_equal(READ("ls", "--bus=posix:b", "").bus, "posix:b");
    assert_string_equal(READ("ls", "-bposix:c", "x", "").bus, "posix:c");
    assert_string_equal(READ("ls", "-jb", "posix:d", "").bus, "posix:d");
    assert_null(READ("ls", "--", "--bus=posix:b", "").bus);
    assert_null(READ("ls", "--bus").bus);
}

static void options_end_and_so_do_operands(void **state)
{
    (void)state;
    assert_int_equal(READ("ls", "--").wants, LINE_WANTS_OPTION);
    assert_int_equal(READ("ls", "--", "--js").wants, LINE_WANTS_OPERAND);
    assert_int_equal(READ("top", "a", "").wants, LINE_WANTS_NOTHING);
    assert_int_equal(READ("top", "a", "-").wants, LINE_WANTS_OPTION);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_word_is_a_command),
        cmocka_unit_test(a_value_is_wanted_behind_its_option),
        cmocka_unit_test(a_value_is_no_operand_and_no_option),
        cmocka_unit_test(who_names_the_bus_is_heard_wherever_it_stands),
        cmocka_unit_test(options_end_and_so_do_operands),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
