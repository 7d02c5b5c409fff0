/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/peal/care/host.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static char root[] = "/tmp/peal-host-XXXXXX";
static const struct host host = {.root = root};

static void put(const char *path, const void *text, size_t bytes)
{
    char real[HOST_PATH_BYTES];
    FILE *file = fopen(host_path(&host, real, "%s", path), "w");
    assert_non_null(file);
    assert_int_equal(fwrite(text, 1, bytes, file), bytes);
    (void)fclose(file);
}

static void put_text(const char *path, const char *text)
{
    put(path, text, strlen(text));
}

static int make_root(void **state)
{
    (void)state;
    char path[HOST_PATH_BYTES];
    if (!mkdtemp(root))
        return 1;
    return mkdir(host_path(&host, path, "/proc"), 0700) |
           mkdir(host_path(&host, path, "/proc/self"), 0700) |
           mkdir(host_path(&host, path, "/etc"), 0700);
}

static int remove_root(void **state)
{
    (void)state;
    static const char *const paths[] = {"/proc/self/status", "/proc/self", "/proc", "/etc/passwd",
                                        "/etc/long",         "/etc/zeros", "/etc",  ""};
    char path[HOST_PATH_BYTES];
    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
        (void)remove(host_path(&host, path, "%s", paths[i]));
    return 0;
}

static void files_are_read_below_the_root_whatever_is_in_them(void **state)
{
    (void)state;
    static char much[2 * HOST_TEXT_BYTES];
    memset(much, 'x', sizeof(much));
    put("/etc/long", much, sizeof(much));
    put("/etc/zeros", "qnx,hypervisor\0qvm\0\n", 20);
    assert_int_equal(strlen(host_read(&host, "/etc/long")), HOST_TEXT_BYTES - 1);
    assert_string_equal(host_read(&host, "/etc/%s", "zeros"), "qnx,hypervisor qvm");
    assert_null(host_read(&host, "/etc/none"));
    assert_null(host_read(&host, "/etc"));
    assert_true(host_exists(&host, "/etc/%s", "long"));
    assert_false(host_exists(&host, "/etc/none"));
}

static void fields_are_found_by_their_whole_key(void **state)
{
    (void)state;
    static const char text[] =
        "Name:\tpeal\nUid:\t1\t2\nUidx:\t9\nSYS_UID_MAX   500\nEmpty:\nLast: x";
    char value[16];
    assert_true(host_field(text, "Name", value, sizeof(value)));
    assert_string_equal(value, "peal");
    assert_true(host_field(text, "SYS_UID_MAX", value, sizeof(value)));
    assert_string_equal(value, "500");
    assert_true(host_field(text, "Empty", value, sizeof(value)));
    assert_string_equal(value, "");
    assert_true(host_field(text, "Last", value, sizeof(value)));
    assert_string_equal(value, "x");
    assert_false(host_field(text, "Ui", value, sizeof(value)));
    assert_false(host_field(text, "Name", value, 4)); /* no room for it */
    assert_false(host_field("", "Name", value, sizeof(value)));
}

static void who_asks_is_told_by_the_effective_ids(void **state)
{
    (void)state;
    put_text("/proc/self/status", "Uid:\t1\t1000\t3\t4\nGid:\t5\t1001\t7\t8\nGroups:\t27 990 \n");
    put_text("/etc/passwd", "root:x:0:0::/root:/bin/sh\nbroken\nada:x:1000:1000:,,,:/:/bin/sh\n");
    const struct host_user user = host_user(&host);
    assert_int_equal(user.id, 1000);
    assert_int_equal(user.group, 1001);
    assert_string_equal(user.name, "ada");
    assert_true(host_in_group(&host, 1001));
    assert_true(host_in_group(&host, 27));
    assert_true(host_in_group(&host, 990));
    assert_false(host_in_group(&host, 99));
    assert_false(host_in_group(&host, 5));
}

static void rights_are_those_of_owner_or_group_or_all_whichever_applies_first(void **state)
{
    (void)state;
    static const struct {
        uint32_t owner, group;
        mode_t mode;
        bool may;
    } cases[] = {
        {1000, 0, 0600, true}, {1000, 0, 0066, false}, {1000, 0, 0400, false}, {0, 990, 0060, true},
        {0, 990, 0606, false}, {0, 5, 0006, true},     {0, 5, 0660, false},    {0, 5, 0004, false},
    };
    put_text("/proc/self/status",
             "Uid: 1000 1000 1000 1000\nGid: 1001 1001 1001 1001\nGroups: 990\n");
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct stat file = {
            .st_uid = cases[i].owner, .st_gid = cases[i].group, .st_mode = cases[i].mode};
        assert_int_equal(host_may_use(&host, &file), cases[i].may);
    }
    put_text("/proc/self/status", "Uid: 0 0 0 0\n");
    const struct stat file = {.st_uid = 7, .st_mode = 0};
    assert_true(host_may_use(&host, &file));
}

static void lists_of_cpus_are_counted(void **state)
{
    (void)state;
    assert_int_equal(host_cpus("0"), 1);
    assert_int_equal(host_cpus("0-3"), 4);
    assert_int_equal(host_cpus("0-1,4,6-7"), 5);
    assert_int_equal(host_cpus(""), 0);
    assert_int_equal(host_cpus("none"), 0);
    assert_int_equal(host_cpus("3-1"), 0);
    assert_int_equal(host_cpus("0-99999999999"), 0);
    assert_true(host_has_cpu("0-1,4,6-7", 7));
    assert_true(host_has_cpu("0-1,4,6-7", 4));
    assert_false(host_has_cpu("0-1,4,6-7", 5));
}

int main(void)
{
    static const struct CMUnitTest cases[] = {
        cmocka_unit_test(files_are_read_below_the_root_whatever_is_in_them),
        cmocka_unit_test(fields_are_found_by_their_whole_key),
        cmocka_unit_test(who_asks_is_told_by_the_effective_ids),
        cmocka_unit_test(rights_are_those_of_owner_or_group_or_all_whichever_applies_first),
        cmocka_unit_test(lists_of_cpus_are_counted),
    };
    return cmocka_run_group_tests(cases, make_root, remove_root);
}
