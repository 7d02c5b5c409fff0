/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Views of the objects of posix: what happens to an object under who only looks. What is seen of
 * regions is tests/unit/bus/observer_test.c's, the vdev tests/conformance/observer_test.c's.
 */
#include "transport/view.h"

#include "transport/posix/posix_shared.h"

#include <peal/peal.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define MIB (UINT64_C(1) << 20)

static char name[32];
static char url[64];
static char path[96];
static struct peal_bus *bus;
static struct peal_view view;

static struct peal_bus *open_with(uint64_t size_bytes)
{
    struct peal_bus_options options = PEAL_BUS_OPTIONS_INIT;
    struct peal_bus *opened = NULL;
    options.size_bytes = size_bytes;
    assert_int_equal(peal_bus_open(&opened, url, &options), PEAL_OK);
    return opened;
}

static int set_up(void **state)
{
    (void)state;
    const struct peal_transport_options options = {.struct_bytes = sizeof(options)};
    (void)snprintf(name, sizeof(name), "view-%d", (int)getpid());
    (void)snprintf(url, sizeof(url), "posix:%s", name);
    (void)snprintf(path, sizeof(path), "/dev/shm/peal.%s", name);
    (void)peal_unlink(url);
    bus = open_with(2 * MIB);
    return peal_view_open(&view, "posix", name, &options) == PEAL_OK ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    peal_view_close(&view);
    peal_bus_close(bus);
    (void)peal_unlink(url);
    return 0;
}

static void the_region_is_all_of_it_and_nobody_is_added(void **state)
{
    (void)state;
    assert_int_equal(view.size_bytes, 2 * MIB);
    assert_true(view.members_known);
    assert_int_equal(peal_view_members(&view), 1);
    assert_int_equal(view.index, PEAL_TRANSPORT_CLIENTS_MAX);
    assert_int_equal(peal_view_check(&view), PEAL_OK);
}

/* Made anew in place, larger or smaller: the mapping shows another region, or memory that is gone. */
static void what_was_made_anew_is_not_what_was_mapped(void **state)
{
    (void)state;
    const uint64_t sizes[] = {4 * MIB, MIB};
    for (int i = 0; i < 2; i++) {
        const struct peal_transport_options options = {.struct_bytes = sizeof(options)};
        peal_bus_close(bus);
        assert_int_equal(peal_view_check(&view), PEAL_OK);
        assert_int_equal(peal_view_members(&view), 0);
        bus = open_with(sizes[i]);
        assert_int_equal(peal_view_check(&view), PEAL_EFORMAT);
        assert_non_null(strstr(peal_error_message(), "open it again"));
        peal_view_close(&view);
        assert_int_equal(peal_view_open(&view, "posix", name, &options), PEAL_OK);
        assert_int_equal(view.size_bytes, sizes[i]);
        assert_int_equal(peal_view_check(&view), PEAL_OK);
    }
}

static void what_was_cut_short_is_noticed(void **state)
{
    (void)state;
    assert_int_equal(truncate(path, PEAL_POSIX_CONTROL_BYTES + MIB), 0);
    assert_int_equal(peal_view_check(&view), PEAL_EFORMAT);
    assert_int_equal(truncate(path, PEAL_POSIX_CONTROL_BYTES + 2 * MIB), 0);
    assert_int_equal(peal_view_check(&view), PEAL_OK);
}

static void a_name_that_was_removed_takes_nothing_away(void **state)
{
    (void)state;
    assert_int_equal(peal_unlink(url), PEAL_OK);
    assert_int_equal(peal_view_check(&view), PEAL_OK);
    assert_int_equal(peal_view_members(&view), 1);
}

static void what_is_not_ours_is_not_mapped(void **state)
{
    (void)state;
    struct peal_view other;
    const struct peal_transport_options options = {.struct_bytes = sizeof(options)};
    peal_bus_close(bus); /* which would touch what goes now */
    bus = NULL;
    assert_int_equal(truncate(path, 4096), 0);
    assert_int_equal(peal_view_open(&other, "posix", name, &options), PEAL_ECORRUPT);
    assert_int_equal(truncate(path, 0), 0);
    assert_int_equal(peal_view_open(&other, "posix", name, &options), PEAL_EFORMAT);
    assert_int_equal(peal_view_open(&other, "posix", "a/b", &options), PEAL_EINVAL);
    assert_int_equal(peal_view_open(&other, "local", name, &options), PEAL_ENOTSUP);
    assert_int_equal(peal_view_open(&other, "smoke", name, &options), PEAL_EINVAL);
    assert_null(other.map);
}

static void permission_to_read_is_enough(void **state)
{
    (void)state;
    struct peal_view second;
    const struct peal_transport_options options = {.struct_bytes = sizeof(options)};
    assert_int_equal(chmod(path, 0400), 0);
    assert_int_equal(peal_view_open(&second, "posix", name, &options), PEAL_OK);
    assert_int_equal(peal_view_members(&second), 1);
    peal_view_close(&second);
}

static void note_if_ours(void *context, const char *found)
{
    *(unsigned *)context += strcmp(found, name) == 0;
}

static void objects_are_listed_and_nothing_else(void **state)
{
    (void)state;
    char stranger[128];
    unsigned count = 0;
    (void)snprintf(stranger, sizeof(stranger), "%s~0", path);
    FILE *file = fopen(stranger, "w");
    assert_non_null(file);
    (void)fclose(file);
    assert_int_equal(peal_view_list("posix", note_if_ours, &count), PEAL_OK);
    (void)unlink(stranger);
    assert_int_equal(count, 1);
    assert_int_equal(peal_view_list("vdev", note_if_ours, &count), PEAL_ENOTSUP);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
        TEST(the_region_is_all_of_it_and_nobody_is_added),
        TEST(what_was_made_anew_is_not_what_was_mapped),
        TEST(what_was_cut_short_is_noticed),
        TEST(a_name_that_was_removed_takes_nothing_away),
        TEST(what_is_not_ours_is_not_mapped),
        TEST(permission_to_read_is_enough),
        TEST(objects_are_listed_and_nothing_else),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
