/* SPDX-License-Identifier: Apache-2.0 */
#include "core/error.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void no_failure_leaves_an_empty_message(void **state)
{
    (void)state;
    assert_string_equal(peal_error_message(), "");
}

static void a_failure_gives_its_status_and_leaves_its_message(void **state)
{
    (void)state;
    assert_int_equal(peal_fail(PEAL_EINVAL, "depth %d; round it up to %s", 3, "four"), PEAL_EINVAL);
    assert_string_equal(peal_error_message(), "depth 3; round it up to four");
    assert_int_equal(peal_fail(PEAL_ENOSPC, "second"), PEAL_ENOSPC);
    assert_string_equal(peal_error_message(), "second");
}

static void context_goes_before_the_message(void **state)
{
    (void)state;
    (void)peal_fail(PEAL_EPERM, "permission denied");
    assert_int_equal(peal_fail_context(PEAL_EPERM, "opening %s", "x"), PEAL_EPERM);
    assert_string_equal(peal_error_message(), "opening x: permission denied");
    assert_int_equal(peal_fail_context(PEAL_ESYSTEM, "bus"), PEAL_ESYSTEM);
    assert_string_equal(peal_error_message(), "bus: opening x: permission denied");
}

static void the_message_itself_may_be_an_argument(void **state)
{
    (void)state;
    (void)peal_fail(PEAL_EINVAL, "inner");
    (void)peal_fail(PEAL_EINVAL, "outer (%s)", peal_error_message());
    assert_string_equal(peal_error_message(), "outer (inner)");
}

static void long_messages_are_cut_at_511_characters(void **state)
{
    (void)state;
    char text[700];
    memset(text, 'a', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    (void)peal_fail(PEAL_EINVAL, "%s", text);
    assert_int_equal(strlen(peal_error_message()), 511);
    (void)peal_fail_context(PEAL_EINVAL, "front");
    assert_int_equal(strlen(peal_error_message()), 511);
    assert_memory_equal(peal_error_message(), "front: aaa", 10);
    (void)peal_fail_context(PEAL_EINVAL, "%s", text);
    assert_int_equal(strlen(peal_error_message()), 511);
    assert_null(strchr(peal_error_message(), ':'));
}

static void *fail_elsewhere(void *result)
{
    bool *separate = result;
    *separate = strcmp(peal_error_message(), "") == 0;
    (void)peal_fail(PEAL_EINVAL, "elsewhere");
    return NULL;
}

static void each_thread_has_a_message_of_its_own(void **state)
{
    (void)state;
    (void)peal_fail(PEAL_EINVAL, "here");
    pthread_t thread;
    bool separate = false;
    assert_int_equal(pthread_create(&thread, NULL, fail_elsewhere, &separate), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_true(separate);
    assert_string_equal(peal_error_message(), "here");
}

static void every_status_has_a_name_and_a_text(void **state)
{
    (void)state;
    assert_string_equal(peal_status_name(PEAL_OK), "PEAL_OK");
    assert_string_equal(peal_status_name(PEAL_ESYSTEM), "PEAL_ESYSTEM");
    for (int status = PEAL_OK; status <= PEAL_ESYSTEM; status++) {
        const char *name = peal_status_name((enum peal_status)status);
        const char *text = peal_status_text((enum peal_status)status);
        assert_memory_equal(name, "PEAL_", 5);
        assert_string_not_equal(name, "PEAL_?");
        assert_string_not_equal(text, "unknown status");
        assert_true(strlen(text) > 4);
        for (int other = PEAL_OK; other < status; other++)
            assert_string_not_equal(text, peal_status_text((enum peal_status)other));
    }
}

static void a_value_that_is_no_status_is_called_unknown(void **state)
{
    (void)state;
    assert_string_equal(peal_status_text((enum peal_status)(PEAL_ESYSTEM + 1)), "unknown status");
    assert_string_equal(peal_status_name((enum peal_status)(PEAL_ESYSTEM + 1)), "PEAL_?");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_failure_leaves_an_empty_message), /* first: nothing has failed yet */
        cmocka_unit_test(a_failure_gives_its_status_and_leaves_its_message),
        cmocka_unit_test(context_goes_before_the_message),
        cmocka_unit_test(the_message_itself_may_be_an_argument),
        cmocka_unit_test(long_messages_are_cut_at_511_characters),
        cmocka_unit_test(each_thread_has_a_message_of_its_own),
        cmocka_unit_test(every_status_has_a_name_and_a_text),
        cmocka_unit_test(a_value_that_is_no_status_is_called_unknown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
