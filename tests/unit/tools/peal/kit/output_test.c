/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/peal/kit/output.h"

#include "tests/support/child.h"
#include "tests/unit/tools/peal/capture.h"
#include "tools/peal/kit/exit_code.h"

#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

static void json_is_whole_numbers_ids_and_reals_that_are_numbers(void **state)
{
    (void)state;
    capture_begin(STDOUT_FILENO);
    print_json_line(json_pack("[o, o, o, o, o, o, o]", json_u64(0), json_u64(INT64_MAX),
                              json_u64(UINT64_MAX), json_id(0xbeef), json_finite(0.5),
                              json_finite((double)NAN), json_finite((double)INFINITY)));
    assert_string_equal(capture_end(), "[0,9223372036854775807,1.84467440737e19,"
                                       "\"0x000000000000beef\",0.5,null,null]\n");
}

static void a_listing_is_over_lines_and_a_stream_a_line_each_in_the_order_set(void **state)
{
    (void)state;
    capture_begin(STDOUT_FILENO);
    print_json(json_pack("{s:i, s:i}", "z", 1, "a", 2));
    print_json_line(json_pack("{s:i, s:i}", "z", 1, "a", 2));
    assert_string_equal(capture_end(), "{\n  \"z\": 1,\n  \"a\": 2\n}\n{\"z\":1,\"a\":2}\n");
}

static void colour_is_for_those_who_want_it(void **state)
{
    (void)state;
    output_color(COLOR_ALWAYS);
    assert_string_equal(paint(PAINT_RED), "\033[31m");
    output_color(COLOR_NEVER);
    assert_string_equal(paint(PAINT_RED), "");
    capture_begin(STDOUT_FILENO); /* a file is no terminal */
    output_color(COLOR_AUTO);
    const char *sequence = paint(PAINT_RED);
    const bool is_terminal = output_is_terminal();
    (void)capture_end();
    assert_string_equal(sequence, "");
    assert_false(is_terminal);
}

/* On a terminal: unless it is dumb, or its user wants none. */
static int color_on_a_terminal(struct child_link *link, void *context)
{
    (void)link;
    (void)context;
    const int master = posix_openpt(O_RDWR | O_NOCTTY);
    if (master < 0 || grantpt(master) != 0 || unlockpt(master) != 0)
        return 77;
    const int terminal = open(ptsname(master), O_RDWR | O_NOCTTY);
    if (terminal < 0 || dup2(terminal, STDOUT_FILENO) < 0)
        return 77;
    static const struct {
        const char *term, *no_color;
        bool colored;
    } rows[] = {{"xterm", NULL, true},
                {"xterm", "", true},
                {"xterm", "1", false},
                {"dumb", NULL, false},
                {NULL, NULL, false}};
    for (int i = 0; i < 5; i++) {
        (void)unsetenv("TERM");
        (void)unsetenv("NO_COLOR");
        if (rows[i].term)
            (void)setenv("TERM", rows[i].term, 1);
        if (rows[i].no_color)
            (void)setenv("NO_COLOR", rows[i].no_color, 1);
        output_color(COLOR_AUTO);
        if ((paint(PAINT_BOLD)[0] != '\0') != rows[i].colored)
            return 1 + i;
    }
    return 0;
}

static void colour_is_on_a_terminal_unless_it_is_dumb_or_its_user_wants_none(void **state)
{
    struct child child;
    (void)state;
    assert_true(child_start(&child, color_on_a_terminal, NULL));
    const int code = child_reap(&child);
    if (code == 77)
        skip();
    assert_int_equal(code, 0);
}

/* ---- what does not arrive ---- */

/* stderr goes to the descriptor too, so that the line can be seen. */
struct where {
    const char *path; /* NULL: a pipe that nobody reads */
    int told;
};

static int print_there(struct child_link *link, void *context)
{
    const struct where *where = context;
    int ends[2] = {-1, -1};
    (void)link;
    (void)signal(SIGPIPE, SIG_IGN);
    if (where->path)
        ends[1] = open(where->path, O_WRONLY | O_CLOEXEC);
    else if (pipe(ends) == 0)
        (void)close(ends[0]);
    if (dup2(ends[1], STDOUT_FILENO) < 0 || dup2(where->told, STDERR_FILENO) < 0)
        return 99;
    print("a line\n");
    const int first = output_flush();
    print("another\n");
    return output_flush() == first ? first : 98;
}

static void assert_told_once(const char *path, int code, const char *what)
{
    char text[256] = "";
    struct child child;
    struct where where = {.path = path, .told = memfd_create("told", MFD_CLOEXEC)};
    assert_true(where.told >= 0);
    assert_true(child_start(&child, print_there, &where));
    assert_int_equal(child_reap(&child), code);
    assert_true(pread(where.told, text, sizeof(text) - 1, 0) >= 0);
    (void)close(where.told);
    if (!what) {
        assert_string_equal(text, "");
        return;
    }
    assert_non_null(strstr(text, what));
    assert_ptr_equal(strchr(text, '\n'), text + strlen(text) - 1);
}

static void what_does_not_arrive_is_told_once(void **state)
{
    (void)state;
    assert_told_once("/dev/full", EXIT_FAILED, "No space left");
    assert_told_once(NULL, EXIT_FAILED, "");
    assert_told_once("/dev/null", EXIT_DONE, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(json_is_whole_numbers_ids_and_reals_that_are_numbers),
        cmocka_unit_test(a_listing_is_over_lines_and_a_stream_a_line_each_in_the_order_set),
        cmocka_unit_test(colour_is_for_those_who_want_it),
        cmocka_unit_test(colour_is_on_a_terminal_unless_it_is_dumb_or_its_user_wants_none),
        cmocka_unit_test(what_does_not_arrive_is_told_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
