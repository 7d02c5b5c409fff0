/* SPDX-License-Identifier: Apache-2.0 */
#include "transport/transport.h"

#include <peal/status.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void backends_are_found_by_their_scheme(void **state)
{
    (void)state;
    static const char *const schemes[] = {"posix", "local", "vdev"};
    for (size_t i = 0; i < 3; i++) {
        const struct peal_transport_ops *ops = peal_transport_find(schemes[i]);
        assert_non_null(ops);
        assert_string_equal(ops->scheme, schemes[i]);
    }
    assert_null(peal_transport_find("POSIX"));
    assert_null(peal_transport_find(""));
    assert_null(peal_transport_find(NULL));
}

static void a_name_of_every_byte_is_allowed_or_refused_as_the_rule_says(void **state)
{
    (void)state;
    for (int c = 1; c < 256; c++) {
        const char name[] = {'x', (char)c, '\0'};
        const bool allowed = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
                             (c >= 'a' && c <= 'z') || c == '.' || c == '_' || c == '-';
        assert_int_equal(peal_transport_check_name(name), allowed ? PEAL_OK : PEAL_EINVAL);
    }
    assert_int_equal(peal_transport_check_name(NULL), PEAL_EINVAL);
}

static void the_longest_name_has_31_characters(void **state)
{
    (void)state;
    char name[PEAL_TRANSPORT_NAME_MAX + 2];
    memset(name, 'n', sizeof(name));
    name[PEAL_TRANSPORT_NAME_MAX] = '\0';
    assert_int_equal(peal_transport_check_name(name), PEAL_OK);
    name[PEAL_TRANSPORT_NAME_MAX] = 'n';
    name[PEAL_TRANSPORT_NAME_MAX + 1] = '\0';
    assert_int_equal(peal_transport_check_name(name), PEAL_EINVAL);
}

/* What a program was compiled with that is newer than the library. */
struct newer_options {
    struct peal_transport_options known;
    uint64_t added;
};

static void options_of_older_and_newer_callers_are_understood(void **state)
{
    (void)state;
    struct peal_transport *t = NULL;
    struct peal_transport_options older;
    memset(&older, 0xff, sizeof(older)); /* the rest would ask for everything */
    older.struct_bytes = offsetof(struct peal_transport_options, mode);
    older.size_bytes = 8192;
    assert_int_equal(peal_transport_open("local", "older", &older, &t), PEAL_OK);
    assert_int_equal(t->size_bytes, 8192);
    t->ops->close(t);

    struct newer_options newer;
    memset(&newer, 0, sizeof(newer));
    newer.known.struct_bytes = sizeof(newer);
    newer.known.size_bytes = 8192;
    assert_int_equal(peal_transport_open("local", "newer", &newer.known, &t), PEAL_OK);
    t->ops->close(t);
    newer.added = 1;
    assert_int_equal(peal_transport_open("local", "newer", &newer.known, &t), PEAL_ENOTSUP);
    assert_null(t);
    assert_non_null(strstr(peal_error_message(), "update the library"));
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(backends_are_found_by_their_scheme),
        cmocka_unit_test(a_name_of_every_byte_is_allowed_or_refused_as_the_rule_says),
        cmocka_unit_test(the_longest_name_has_31_characters),
        cmocka_unit_test(options_of_older_and_newer_callers_are_understood),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
