/* SPDX-License-Identifier: Apache-2.0 */
#include "bus/options.h"

#include <peal/status.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

struct older {
    size_t struct_bytes;
    uint64_t one;
};

struct known {
    size_t struct_bytes;
    uint64_t one;
    uint64_t two;
};

struct newer {
    size_t struct_bytes;
    uint64_t one;
    uint64_t two;
    uint64_t three;
};

static enum peal_status read(struct known *known, const void *given)
{
    memset(known, 0xff, sizeof(*known));
    return peal_options_read(known, sizeof(*known), given, "known");
}

static void no_options_mean_all_zero(void **state)
{
    (void)state;
    struct known known;
    assert_int_equal(read(&known, NULL), PEAL_OK);
    assert_int_equal(known.one, 0);
    assert_int_equal(known.two, 0);
}

static void an_older_caller_gets_defaults_for_what_he_does_not_know(void **state)
{
    (void)state;
    struct known known;
    const struct older older = {sizeof(older), 5};
    assert_int_equal(read(&known, &older), PEAL_OK);
    assert_int_equal(known.one, 5);
    assert_int_equal(known.two, 0);
}

static void a_newer_caller_is_refused_only_what_we_do_not_know(void **state)
{
    (void)state;
    struct known known;
    struct newer newer = {sizeof(newer), 5, 6, 0};
    assert_int_equal(read(&known, &newer), PEAL_OK);
    assert_int_equal(known.two, 6);
    newer.three = UINT64_C(1) << 56;
    assert_int_equal(read(&known, &newer), PEAL_ENOTSUP);
    assert_non_null(strstr(peal_error_message(), "struct known"));
}

static void a_size_that_was_not_set_is_refused(void **state)
{
    (void)state;
    struct known known;
    struct known given = {0, 1, 2};
    assert_int_equal(read(&known, &given), PEAL_EINVAL);
    assert_non_null(strstr(peal_error_message(), "sizeof(struct known)"));
    given.struct_bytes = (size_t)1 << 20;
    assert_int_equal(read(&known, &given), PEAL_EINVAL);
}

static void statistics_go_as_far_as_the_callers_struct(void **state)
{
    (void)state;
    const struct known now = {0, 7, 8};
    struct newer newer = {sizeof(newer), 1, 1, 1};
    assert_int_equal(peal_stats_write(&newer, &now, sizeof(now), "known"), PEAL_OK);
    assert_int_equal(newer.struct_bytes, sizeof(newer));
    assert_int_equal(newer.one, 7);
    assert_int_equal(newer.two, 8);
    assert_int_equal(newer.three, 0);
    struct {
        struct older older;
        uint64_t guard;
    } old = {{sizeof(old.older), 1}, 99};
    assert_int_equal(peal_stats_write(&old.older, &now, sizeof(now), "known"), PEAL_OK);
    assert_int_equal(old.older.struct_bytes, sizeof(old.older));
    assert_int_equal(old.older.one, 7);
    assert_int_equal(old.guard, 99);
    newer.struct_bytes = 1;
    assert_int_equal(peal_stats_write(&newer, &now, sizeof(now), "known"), PEAL_EINVAL);
    assert_int_equal(peal_stats_write(NULL, &now, sizeof(now), "known"), PEAL_EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_options_mean_all_zero),
        cmocka_unit_test(an_older_caller_gets_defaults_for_what_he_does_not_know),
        cmocka_unit_test(a_newer_caller_is_refused_only_what_we_do_not_know),
        cmocka_unit_test(a_size_that_was_not_set_is_refused),
        cmocka_unit_test(statistics_go_as_far_as_the_callers_struct),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
