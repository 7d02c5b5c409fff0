/* SPDX-License-Identifier: Apache-2.0 */
/* Which bus is meant. Without a name that depends on the machine: that is tested where it has a /dev/shm of its own, by ls. */
#include "tools/peal/kit/common.h"

#include "tests/unit/tools/peal/capture.h"
#include "tools/peal/kit/exit_code.h"

#include <peal/bus.h>
#include <stdlib.h>
#include <string.h>

static char url[64];

static int set_up(void **state)
{
    (void)state;
    (void)snprintf(url, sizeof(url), "posix:tool-common-%d", (int)getpid());
    (void)peal_unlink(url);
    (void)unsetenv("PEAL_BUS");
    common.bus = NULL;
    return 0;
}

static int tear_down(void **state)
{
    (void)peal_unlink(url);
    return set_up(state);
}

static void the_option_goes_before_the_environment(void **state)
{
    const char *found;
    (void)state;
    assert_false(common_bus_is_named());
    (void)setenv("PEAL_BUS", "", 1); /* as good as none */
    assert_false(common_bus_is_named());
    (void)setenv("PEAL_BUS", "posix:env", 1);
    assert_true(common_bus_is_named());
    assert_int_equal(common_url(&found), EXIT_DONE);
    assert_string_equal(found, "posix:env");
    common.bus = "posix:option";
    assert_int_equal(common_url(&found), EXIT_DONE);
    assert_string_equal(found, "posix:option");
}

static void a_region_is_made_only_when_that_is_wanted(void **state)
{
    struct peal_bus *bus, *again;
    (void)state;
    common.bus = url;
    capture_begin(STDERR_FILENO);
    assert_int_equal(common_open(&bus, false), EXIT_NOT_FOUND);
    assert_null(bus);
    assert_non_null(strstr(capture_end(), "there is no region"));
    capture_begin(STDERR_FILENO);
    const int code = common_open(&bus, true);
    const char *said = capture_end();
    assert_int_equal(code, EXIT_DONE);
    assert_non_null(bus);
    assert_non_null(strstr(said, "made it"));
    capture_begin(STDERR_FILENO);
    assert_int_equal(common_open(&again, true), EXIT_DONE);
    assert_string_equal(capture_end(), "");
    peal_bus_close(again);
    peal_bus_close(bus);
}

static void looking_makes_nothing_and_takes_no_part(void **state)
{
    struct peal_observer *observer;
    struct peal_bus *bus;
    (void)state;
    common.bus = url;
    capture_begin(STDERR_FILENO);
    assert_int_equal(common_observe(&observer), EXIT_NOT_FOUND);
    assert_null(observer);
    assert_int_equal(common_open(&bus, true), EXIT_DONE);
    (void)capture_end();
    assert_int_equal(common_observe(&observer), EXIT_DONE);
    assert_non_null(observer);
    peal_observer_close(observer);
    peal_bus_close(bus);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_option_goes_before_the_environment, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_region_is_made_only_when_that_is_wanted, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(looking_makes_nothing_and_takes_no_part, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
