/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/peal/care/leftovers.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static void names_of_objects_and_of_fifos_lead_to_their_region(void **state)
{
    (void)state;
    static const struct {
        const char *file;
        const char *region; /* NULL: none */
    } cases[] = {
        {"peal.vehicle", "vehicle"},
        {"peal.a", "a"},
        {"peal.A-b_c.9", "A-b_c.9"},
        {"peal.vehicle~0123456789abcdef", "vehicle"},
        {"peal.abcdefghijklmnopqrstuvwxyz01234", "abcdefghijklmnopqrstuvwxyz01234"},
        {"peal.abcdefghijklmnopqrstuvwxyz012345", NULL},
        {"peal.", NULL},
        {"peal", NULL},
        {"pealx", NULL},
        {"other", NULL},
        {"", NULL},
        {"peal..hidden", NULL},
        {"peal.-option", NULL},
        {"peal.with space", NULL},
        {"peal.with/slash", NULL},
        {"peal.\xc3\xa4", NULL},
        {"peal.~0123456789abcdef", NULL},
        {"peal.x~", NULL},
        {"peal.x~0123456789abcde", NULL},
        {"peal.x~0123456789abcdef0", NULL},
        {"peal.x~0123456789abcdeF", NULL},
        {"peal.x~0123456789abcde~", NULL},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char name[32] = "unchanged";
        assert_int_equal(leftovers_region_of(cases[i].file, name), cases[i].region != NULL);
        assert_string_equal(name, cases[i].region ? cases[i].region : "unchanged");
    }
}

static void make(const char *folder, const char *file)
{
    char path[128];
    (void)snprintf(path, sizeof(path), "%s/%s", folder, file);
    FILE *made = fopen(path, "w");
    assert_non_null(made);
    (void)fclose(made);
}

static void each_region_is_listed_once_and_strange_files_are_counted(void **state)
{
    (void)state;
    static const char *const files[] = {
        "peal.b~0123456789abcdef",    "peal.b", "peal.a",    "peal.b~fedcba9876543210",
        "peal.gone~0000000000000000", "other",  "peal.-odd", "peal.two words"};
    char folder[] = "/tmp/peal-leftovers-XXXXXX", path[128];
    struct leftovers leftovers = {0};
    assert_non_null(mkdtemp(folder));
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
        make(folder, files[i]);
    assert_true(leftovers_list(&leftovers, folder));
    assert_int_equal(leftovers.count, 3);
    assert_string_equal(leftovers.urls[0], "posix:a");
    assert_string_equal(leftovers.urls[1], "posix:b");
    assert_string_equal(leftovers.urls[2], "posix:gone");
    assert_int_equal(leftovers.strange, 2);
    assert_true(strcmp(leftovers.first_strange, "peal.-odd") == 0 ||
                strcmp(leftovers.first_strange, "peal.two words") == 0);
    leftovers_free(&leftovers);
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        (void)snprintf(path, sizeof(path), "%s/%s", folder, files[i]);
        assert_int_equal(unlink(path), 0);
    }
    assert_true(leftovers_list(&leftovers, folder));
    assert_int_equal(leftovers.count, 0);
    leftovers_free(&leftovers);
    assert_int_equal(rmdir(folder), 0);
    assert_false(leftovers_list(&leftovers, folder));
}

int main(void)
{
    static const struct CMUnitTest cases[] = {
        cmocka_unit_test(names_of_objects_and_of_fifos_lead_to_their_region),
        cmocka_unit_test(each_region_is_listed_once_and_strange_files_are_counted),
    };
    return cmocka_run_group_tests(cases, NULL, NULL);
}
