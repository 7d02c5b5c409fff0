/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/peal/kit/content.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static bool is_text(const char *data)
{
    return content_is_text(data, strlen(data));
}

static void text_is_utf8_without_what_moves_a_cursor(void **state)
{
    (void)state;
    assert_true(content_is_text(NULL, 0));
    assert_true(is_text("plain\r\n\tand gr\303\274n \342\202\254 \360\237\224\224"));
    assert_true(content_is_text("as C sends it", sizeof("as C sends it")));
    assert_false(content_is_text("two\0", 5));
    assert_false(content_is_text("a\0b", 3));
    assert_false(is_text("\033[31m"));
    assert_false(is_text("\177"));
    assert_false(is_text("\302\233"));     /* CSI as one character */
    assert_false(is_text("\342\200\256")); /* turns what follows around */
    assert_false(is_text("\342\201\247"));
}

static void what_is_no_utf8_is_no_text(void **state)
{
    (void)state;
    assert_false(is_text("\200"));
    assert_false(is_text("\303"));             /* cut off */
    assert_false(is_text("\303("));            /* no tail */
    assert_false(is_text("\300\257"));         /* too long for what it is */
    assert_false(is_text("\340\200\257"));     /* 〃 */
    assert_false(is_text("\355\240\200"));     /* half of a pair */
    assert_false(is_text("\364\220\200\200")); /* beyond the last */
    assert_false(is_text("\377"));
    assert_true(is_text("\364\217\277\277"));
}

static const char *escaped(const void *data, size_t size_bytes, enum content_lines lines)
{
    static char text[256];
    size_t used;
    const size_t length = content_escape(text, sizeof(text), data, size_bytes, lines, &used);
    assert_int_equal(used, size_bytes);
    assert_int_equal(length, strlen(text));
    return text;
}

static void bytes_are_escaped_each_in_its_way(void **state)
{
    (void)state;
    assert_string_equal(escaped("a\0\t\n\r\033\177", 7, CONTENT_ONE_LINE),
                        "a\\0\\t\\n\\r\\x1b\\x7f");
    assert_string_equal(escaped("\t\n\r", 3, CONTENT_KEEP_LINES), "\t\n\\r");
    assert_string_equal(escaped("\302\233\342\200\250\377\303", 7, CONTENT_KEEP_LINES),
                        "\\u{9b}\\u{2028}\\xff\\xc3");
    assert_string_equal(escaped("gr\303\274n\\", 6, CONTENT_ONE_LINE), "gr\303\274n\\");
    assert_string_equal(escaped("", 0, CONTENT_ONE_LINE), "");
}

static void what_does_not_fit_is_left_for_the_next_call(void **state)
{
    (void)state;
    const char *from = "\302\233abc\303\274\377\033 and what follows";
    const size_t size_bytes = strlen(from);
    char whole[256], part[CONTENT_ROOM_MIN + 3], all[256] = "";
    size_t used;
    (void)content_escape(whole, sizeof(whole), from, size_bytes, CONTENT_ONE_LINE, &used);
    for (size_t done = 0; done < size_bytes; done += used) {
        const size_t length = content_escape(part, sizeof(part), from + done, size_bytes - done,
                                             CONTENT_ONE_LINE, &used);
        assert_in_range(used, 1, size_bytes);
        assert_in_range(length, 1, sizeof(part) - 1);
        (void)strcat(all, part);
    }
    assert_string_equal(all, whole);
}

static void hex_lines_are_those_of_hexdump(void **state)
{
    (void)state;
    char line[CONTENT_HEX_LINE_BYTES];
    content_hex_line(line, "0123456789abcdef", 16, 0x10);
    assert_string_equal(line, "00000010  30 31 32 33 34 35 36 37  38 39 61 62 63 64 65 66  "
                              "|0123456789abcdef|");
    content_hex_line(line, "\377\n", 2, UINT64_MAX);
    assert_string_equal(line,
                        "ffffffffffffffff  ff 0a                                             |."
                        ".|");
    assert_in_range(strlen(line), 1, sizeof(line) - 1);
}

static void base64_is_that_of_the_rfc(void **state)
{
    (void)state;
    static const char *const pairs[][2] = {
        {"", ""},
        {"f", "Zg=="},
        {"fo", "Zm8="},
        {"foo", "Zm9v"},
        {"foob", "Zm9vYg=="},
        {"fooba", "Zm9vYmE="},
        {"foobar", "Zm9vYmFy"},
        {"\377\357", "/+8="},
    };
    for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
        char *text = content_base64(pairs[i][0], strlen(pairs[i][0]));
        assert_string_equal(text, pairs[i][1]);
        free(text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_is_utf8_without_what_moves_a_cursor),
        cmocka_unit_test(what_is_no_utf8_is_no_text),
        cmocka_unit_test(bytes_are_escaped_each_in_its_way),
        cmocka_unit_test(what_does_not_fit_is_left_for_the_next_call),
        cmocka_unit_test(hex_lines_are_those_of_hexdump),
        cmocka_unit_test(base64_is_that_of_the_rfc),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
