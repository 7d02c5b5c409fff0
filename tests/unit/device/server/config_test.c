/* SPDX-License-Identifier: Apache-2.0 */
#include "device/server/config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static struct vdev_config config;
static char error[VDEV_CONFIG_ERROR_BYTES];

static int setup(void **state)
{
    (void)state;
    vdev_config_init(&config);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    vdev_config_end(&config);
    return 0;
}

static void set(const char *word, const char *argument)
{
    if (!vdev_config_set(&config, word, argument, error, sizeof(error)))
        fail_msg("%s", error);
}

/* It is refused, and the message has these two words. */
static void refuse(const char *word, const char *argument, const char *said)
{
    if (vdev_config_set(&config, word, argument, error, sizeof(error)))
        fail_msg("'%s %s' is taken", word, argument ? argument : "");
    if (strncmp(error, word, strlen(word)) != 0 || !strstr(error, said))
        fail_msg("there is no '%s' in: %s", said, error);
}

/* Loads a file of this text. */
static bool load(const char *text)
{
    char path[] = "/tmp/peal-vdev-config-XXXXXX";
    const int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    assert_int_equal(close(fd), 0);
    const bool done = vdev_config_load(&config, path, error, sizeof(error));
    if (!done && strncmp(error, path, strlen(path)) == 0)
        memmove(error, error + strlen(path), strlen(error + strlen(path)) + 1);
    assert_int_equal(unlink(path), 0);
    return done;
}

static void what_is_not_said_has_a_default(void **state)
{
    (void)state;
    assert_int_equal(config.window_bytes, 128u << 20);
    assert_int_equal(config.windows, 16);
    assert_int_equal(config.mode, 0600);
    assert_int_equal(config.log, VDEV_LOG_INFO);
    assert_int_equal(config.vector, VDEV_VECTOR_PER_DEVICE);
    assert_int_equal(config.memory, VDEV_MEMORY_ZEROED);
    assert_false(config.intx || config.without_find);
    assert_int_equal(config.limit_bytes, 0);
}

static void each_word_sets_what_it_says(void **state)
{
    (void)state;
    set("window", "256K");
    set("windows", "64");
    set("vector", "per-region");
    set("memory", "stale");
    set("find", "no");
    set("limit", "3m");
    set("connections", "5");
    set("intx", "on");
    set("mode", "0660");
    set("log", "debug");
    assert_int_equal(config.window_bytes, 256u << 10);
    assert_int_equal(config.windows, 64);
    assert_int_equal(config.vector, VDEV_VECTOR_PER_REGION);
    assert_int_equal(config.memory, VDEV_MEMORY_STALE);
    assert_true(config.intx && config.without_find);
    assert_int_equal(config.limit_bytes, 3u << 20);
    assert_int_equal(config.connections, 5);
    assert_int_equal(config.mode, 0660);
    assert_int_equal(config.log, VDEV_LOG_DEBUG);
    set("vector", "per-device");
    set("memory", "zeroed");
    set("find", "yes");
    set("intx", "off");
    assert_int_equal(config.vector, VDEV_VECTOR_PER_DEVICE);
    assert_int_equal(config.memory, VDEV_MEMORY_ZEROED);
    assert_false(config.intx || config.without_find);
}

static void a_wrong_argument_is_refused_with_a_remedy(void **state)
{
    (void)state;
    refuse("window", "100M", "power of two");
    refuse("window", "64K", "128K");
    refuse("window", "2048G", "power of two");
    refuse("window", "128MB", "128M");
    refuse("window", "-1", "128M");
    refuse("window", "99999999999999999999999999", "128M");
    refuse("window", "", "no argument");
    refuse("windows", NULL, "no argument");
    refuse("windows", "0", "1 to 64");
    refuse("windows", "3", "1 to 64");
    refuse("windows", "128", "1 to 64");
    refuse("windows", "16x", "1 to 64");
    refuse("vector", "none", "per-region");
    refuse("memory", "dirty", "stale");
    refuse("find", "maybe", "yes no");
    refuse("limit", "1K", "4K");
    refuse("connections", "0", "1 to 256");
    refuse("connections", "257", "1 to 256");
    refuse("mode", "0999", "0660");
    refuse("mode", "1777", "0660");
    refuse("log", "loud", "quiet info debug");
    refuse("sched", "10", "no such word");
    refuse("allow", "x", "before the first 'guest");
    assert_int_equal(config.window_bytes, 128u << 20);
    assert_int_equal(config.windows, 16);
}

static void rules_belong_to_the_guest_above(void **state)
{
    (void)state;
    set("guest", "/tmp/a");
    set("allow", "vehicle*");
    set("guest", "/tmp/b");
    set("deny", "secret");
    set("create", "vehicle,64K");
    assert_int_equal(config.guest_count, 2);
    assert_string_equal(config.guests[0].path, "/tmp/a");
    assert_int_equal(config.guests[0].rules.count, 1);
    assert_int_equal(config.guests[1].rules.count, 2);
    assert_false(vdev_rules_permit(&config.guests[0].rules, "secret"));
    assert_true(vdev_rules_permit(&config.guests[0].rules, "vehicle1"));
    assert_false(vdev_rules_permit(&config.guests[1].rules, "secret"));
    refuse("create", "vehicle", "create");
    assert_int_equal(config.guests[1].rules.count, 2);
}

static void two_guests_have_two_sockets(void **state)
{
    (void)state;
    char path[200];
    memset(path, 'x', sizeof(path));
    path[sizeof(path) - 1] = '\0';
    set("guest", "/tmp/a");
    refuse("guest", "/tmp/a", "another guest");
    refuse("guest", path, "107");
    for (unsigned int i = 1; i < VDEV_CONFIG_GUESTS_MAX; i++) {
        (void)snprintf(path, sizeof(path), "/tmp/%u", i);
        set("guest", path);
    }
    refuse("guest", "/tmp/one-more", "64");
}

static void a_file_has_one_word_a_line(void **state)
{
    (void)state;
    assert_true(load("# the car\n\n  guest   /tmp/a b  \n\tallow vehicle*\r\n   # more\n"
                     "window 1M\nguest /tmp/b"));
    assert_int_equal(config.guest_count, 2);
    assert_string_equal(config.guests[0].path, "/tmp/a b");
    assert_string_equal(config.guests[1].path, "/tmp/b");
    assert_int_equal(config.window_bytes, 1u << 20);
    assert_true(vdev_rules_permit(&config.guests[0].rules, "vehicle"));
}

static void an_error_names_file_and_line(void **state)
{
    (void)state;
    char text[1200];
    assert_false(load("guest /tmp/a\n\nwindow 3\n"));
    assert_int_equal(strncmp(error, ":3: window: '3'", 15), 0);
    assert_false(load("windows\n"));
    assert_int_equal(strncmp(error, ":1: windows: there is no argument", 33), 0);
    memset(text, 'x', sizeof(text));
    memcpy(text, "\nguest ", 7);
    text[sizeof(text) - 1] = '\0';
    assert_false(load(text));
    assert_int_equal(strncmp(error, ":2: the line is longer", 22), 0);
    assert_false(vdev_config_load(&config, "/nowhere/at/all", error, sizeof(error)));
    assert_string_equal(error, "/nowhere/at/all: cannot open it: No such file or directory");
}

static void the_whole_must_fit_together(void **state)
{
    (void)state;
    assert_false(vdev_config_check(&config, error, sizeof(error)));
    assert_non_null(strstr(error, "--guest PATH"));
    set("guest", "/tmp/a");
    assert_true(vdev_config_check(&config, error, sizeof(error)));
    set("window", "1024G");
    assert_false(vdev_config_check(&config, error, sizeof(error)));
    assert_non_null(strstr(error, "fewer or smaller"));
    set("windows", "1");
    assert_true(vdev_config_check(&config, error, sizeof(error)));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_is_not_said_has_a_default),
        TEST(each_word_sets_what_it_says),
        TEST(a_wrong_argument_is_refused_with_a_remedy),
        TEST(rules_belong_to_the_guest_above),
        TEST(two_guests_have_two_sockets),
        TEST(a_file_has_one_word_a_line),
        TEST(an_error_names_file_and_line),
        TEST(the_whole_must_fit_together),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
