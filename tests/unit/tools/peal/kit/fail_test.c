/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/peal/kit/fail.h"

#include "tests/unit/tools/peal/capture.h"

#include <errno.h>
#include <peal/observer.h>
#include <string.h>

#undef fail /* cmocka has one, too */

static void a_failure_is_one_line_and_an_exit_code(void **state)
{
    (void)state;
    fail_name("peal test");
    capture_begin(STDERR_FILENO);
    assert_int_equal(fail(EXIT_NOT_FOUND, "there is no '%s'", "wheel"), EXIT_NOT_FOUND);
    note("going on with %d", 3);
    assert_string_equal(capture_end(),
                        "peal test: there is no 'wheel'\npeal test: going on with 3\n");
}

static void whatever_the_words_hold_it_stays_one_line(void **state)
{
    static char text[3000];
    (void)state;
    fail_name("peal");
    capture_begin(STDERR_FILENO);
    (void)fail(EXIT_USAGE, "'%s'", "a\nb\033[2Jc\x7f");
    assert_string_equal(capture_end(), "peal: 'a?b?[2Jc?'\n");
    memset(text, 'x', sizeof(text) - 1);
    capture_begin(STDERR_FILENO);
    (void)fail(EXIT_USAGE, "%s", text);
    const char *said = capture_end();
    assert_true(strlen(said) < 1100);
    assert_ptr_equal(strchr(said, '\n'), said + strlen(said) - 1);
}

static void what_peal_said_is_not_said_twice(void **state)
{
    (void)state;
    capture_begin(STDERR_FILENO);
    assert_int_equal(fail_reason(PEAL_ENOENT, "no region", "cannot look at %s", "a"),
                     EXIT_NOT_FOUND);
    assert_int_equal(
        fail_reason(PEAL_ENOENT, "cannot look at a: no region", "cannot look at %s", "a"),
        EXIT_NOT_FOUND);
    assert_int_equal(fail_reason(PEAL_EPERM, "", "cannot look"), EXIT_DENIED);
    (void)fail_reason(PEAL_ENOENT, "bad\nname", "cannot look");
    const char *said = capture_end();
    assert_int_equal(strncmp(said,
                             "peal: cannot look at a: no region\n"
                             "peal: cannot look at a: no region\n"
                             "peal: cannot look: ",
                             34 * 2 + 19),
                     0);
    assert_non_null(strstr(said, "\npeal: cannot look: bad?name\n"));
}

static void a_set_up_call_of_peal_tells_why(void **state)
{
    struct peal_observer *observer;
    (void)state;
    const enum peal_status status = peal_observer_open(&observer, "nonsense", NULL);
    capture_begin(STDERR_FILENO);
    assert_int_equal(fail_peal(status, "cannot look at nonsense"), EXIT_USAGE);
    const char *said = capture_end();
    assert_int_equal(strncmp(said, "peal: cannot look at nonsense: ", 31), 0);
    assert_null(strstr(said + 31, "cannot look at nonsense"));
    assert_true(strlen(said) > 40);
}

static void every_status_has_a_code(void **state)
{
    static const struct {
        enum peal_status status;
        enum exit_code code;
    } rows[] = {
        {PEAL_OK, EXIT_DONE},
        {PEAL_EINVAL, EXIT_USAGE},
        {PEAL_ENOTSUP, EXIT_USAGE},
        {PEAL_ENOENT, EXIT_NOT_FOUND},
        {PEAL_EPERM, EXIT_DENIED},
        {PEAL_EFORMAT, EXIT_SPOILT},
        {PEAL_ECORRUPT, EXIT_SPOILT},
        {PEAL_EMISMATCH, EXIT_SPOILT},
        {PEAL_TIMEDOUT, EXIT_TIMED_OUT},
        {PEAL_ENOSPC, EXIT_NO_ROOM},
        {PEAL_ELIMIT, EXIT_NO_ROOM},
        {PEAL_EMSGSIZE, EXIT_NO_ROOM},
        {PEAL_ENOMEM, EXIT_FAILED},
        {PEAL_ESYSTEM, EXIT_FAILED},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        assert_int_equal(fail_status_code(rows[i].status), rows[i].code);
    capture_begin(STDERR_FILENO);
    assert_int_equal(fail_status(PEAL_TIMEDOUT, "waiting"), EXIT_TIMED_OUT);
    assert_int_equal(strncmp(capture_end(), "peal: waiting: ", 15), 0);
}

static void errno_has_codes_too(void **state)
{
    (void)state;
    assert_int_equal(fail_errno_code(ENOENT), EXIT_NOT_FOUND);
    assert_int_equal(fail_errno_code(ENOTDIR), EXIT_NOT_FOUND);
    assert_int_equal(fail_errno_code(EACCES), EXIT_DENIED);
    assert_int_equal(fail_errno_code(EROFS), EXIT_DENIED);
    assert_int_equal(fail_errno_code(ENOSPC), EXIT_FAILED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_failure_is_one_line_and_an_exit_code),
        cmocka_unit_test(whatever_the_words_hold_it_stays_one_line),
        cmocka_unit_test(what_peal_said_is_not_said_twice),
        cmocka_unit_test(a_set_up_call_of_peal_tells_why),
        cmocka_unit_test(every_status_has_a_code),
        cmocka_unit_test(errno_has_codes_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
