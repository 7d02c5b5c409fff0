/* SPDX-License-Identifier: Apache-2.0 */
#include "device/server/options.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(array) ((int)(sizeof(array) / sizeof((array)[0])))

static struct vdev_config config;
static char error[VDEV_CONFIG_ERROR_BYTES + 64];

static enum vdev_options_result read_options(int count, const char *const *arguments)
{
    vdev_config_end(&config);
    vdev_config_init(&config);
    return vdev_options_read(&config, count, (char *const *)(uintptr_t)arguments, error,
                             sizeof(error));
}

static int end(void **state)
{
    (void)state;
    vdev_config_end(&config);
    return 0;
}

static void options_are_the_words_of_the_file(void **state)
{
    (void)state;
    const char *arguments[] = {"--guest", "/tmp/a", "--allow=vehicle*", "--intx",
                               "--guest", "/tmp/b", "--window",         "1M"};
    assert_int_equal(read_options(COUNT(arguments), arguments), VDEV_OPTIONS_RUN);
    assert_int_equal(config.guest_count, 2);
    assert_int_equal(config.guests[0].rules.count, 1);
    assert_int_equal(config.guests[1].rules.count, 0);
    assert_true(config.intx);
    assert_int_equal(config.window_bytes, 1u << 20);
}

static void help_and_version_need_nothing_else(void **state)
{
    (void)state;
    const char *help[] = {"--help"};
    const char *version[] = {"--guest", "/tmp/a", "--version"};
    assert_int_equal(read_options(1, help), VDEV_OPTIONS_HELP);
    assert_int_equal(read_options(3, version), VDEV_OPTIONS_VERSION);
}

static void what_is_wrong_is_named(void **state)
{
    (void)state;
    const struct {
        const char *arguments[2];
        int count;
        const char *said;
    } cases[] = {{{"guest", "/tmp/a"}, 2, "'guest' is not an option"},
                 {{"--", "x"}, 2, "'--' is not an option"},
                 {{"--guest", NULL}, 1, "--guest: there is no argument"},
                 {{"--config", NULL}, 1, "--config: there is no argument"},
                 {{"--config", "/nowhere"}, 2, "/nowhere: cannot open it"},
                 {{"--color", "red"}, 2, "--color: there is no such word"},
                 {{"--allow", "x"}, 2, "--allow: it stands before the first"},
                 {{NULL, NULL}, 0, "there is no guest"}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_int_equal(read_options(cases[i].count, cases[i].arguments), VDEV_OPTIONS_WRONG);
        if (strncmp(error, cases[i].said, strlen(cases[i].said)) != 0)
            fail_msg("not '%s' but '%s'", cases[i].said, error);
    }
}

static void the_help_has_every_word(void **state)
{
    (void)state;
    const char *words[] = {"--config", "--guest",  "--allow",       "--deny", "--create",
                           "--subst",  "--window", "--windows",     "--find", "--vector",
                           "--memory", "--limit",  "--connections", "--intx", "--mode",
                           "--log",    "--help",   "--version"};
    for (int i = 0; i < COUNT(words); i++)
        assert_non_null(strstr(vdev_options_help, words[i]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(options_are_the_words_of_the_file),
        cmocka_unit_test(help_and_version_need_nothing_else),
        cmocka_unit_test(what_is_wrong_is_named),
        cmocka_unit_test(the_help_has_every_word),
    };
    return cmocka_run_group_tests(tests, NULL, end);
}
