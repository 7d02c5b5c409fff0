/* SPDX-License-Identifier: Apache-2.0 */
#include "bus/url.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static struct peal_url url;
static struct peal_bus_options options;

static enum peal_status parse(const char *text)
{
    options = (struct peal_bus_options)PEAL_BUS_OPTIONS_INIT;
    return peal_url_parse(&url, &options, text);
}

static void a_url_is_a_scheme_and_a_name(void **state)
{
    (void)state;
    assert_int_equal(parse("posix:vehicle"), PEAL_OK);
    assert_string_equal(url.scheme, "posix");
    assert_string_equal(url.name, "vehicle");
    assert_int_equal(parse("auto:a"), PEAL_OK);
    assert_string_equal(url.scheme, "auto");
    assert_string_equal(url.name, "a");
    assert_int_equal(parse("local:_0123456789.ABCDEFxyz-0123456"), PEAL_OK);
    assert_string_equal(url.name, "_0123456789.ABCDEFxyz-0123456");
}

static void a_name_has_31_characters_at_most(void **state)
{
    (void)state;
    assert_int_equal(parse("posix:0123456789012345678901234567890"), PEAL_OK);
    assert_string_equal(url.name, "0123456789012345678901234567890");
    assert_int_equal(parse("posix:01234567890123456789012345678901"), PEAL_EINVAL);
    assert_non_null(strstr(peal_error_message(), "too long"));
    assert_int_equal(parse("posix:0123456789012345678901234567890?size=1M"), PEAL_OK);
    assert_int_equal(options.size_bytes, 1 << 20);
}

static void every_key_sets_its_option(void **state)
{
    (void)state;
    assert_int_equal(parse("posix:v?size=64M&topics=300&mode=0660&group=users&prefault=1&mlock=1&"
                           "huge=1&exist=1&device=/dev/guest_shm1"),
                     PEAL_OK);
    assert_int_equal(options.size_bytes, UINT64_C(64) << 20);
    assert_int_equal(options.topics_max, 300);
    assert_int_equal(options.mode, 0660);
    assert_string_equal(options.group, "users");
    assert_true(options.prefault);
    assert_true(options.lock_memory);
    assert_true(options.huge_pages);
    assert_true(options.must_exist);
    assert_string_equal(options.device, "/dev/guest_shm1");
}

static void keys_override_options_and_leave_the_others(void **state)
{
    (void)state;
    options = (struct peal_bus_options)PEAL_BUS_OPTIONS_INIT;
    options.prefault = true;
    options.lock_memory = true;
    options.topics_max = 7;
    options.group = "wheel";
    assert_int_equal(peal_url_parse(&url, &options, "posix:v?prefault=0&size=1G"), PEAL_OK);
    assert_false(options.prefault);
    assert_true(options.lock_memory);
    assert_int_equal(options.topics_max, 7);
    assert_int_equal(options.size_bytes, UINT64_C(1) << 30);
    assert_string_equal(options.group, "wheel");
    assert_int_equal(peal_url_parse(&url, &options, "posix:v?group=5"), PEAL_OK);
    assert_string_equal(options.group, "5");
}

static void sizes_take_the_suffixes_k_m_g(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint64_t bytes;
    } sizes[] = {
        {"posix:v?size=1", 1},
        {"posix:v?size=65536", 65536},
        {"posix:v?size=3K", 3072},
        {"posix:v?size=16M", UINT64_C(16) << 20},
        {"posix:v?size=5G", UINT64_C(5) << 30},
        {"posix:v?size=17179869183G", UINT64_C(17179869183) << 30},
        {"posix:v?size=18446744073709551615", UINT64_MAX},
    };
    for (size_t i = 0; i < COUNT(sizes); i++) {
        assert_int_equal(parse(sizes[i].text), PEAL_OK);
        assert_true(options.size_bytes == sizes[i].bytes);
    }
}

static void every_bad_url_is_refused_with_a_hint(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *hint;
    } bad[] = {
        {NULL, "posix:vehicle"},
        {"", "posix:vehicle"},
        {"vehicle", "which transport"},
        {"vehicle?size=1:2", "which transport"},
        {":vehicle", "not a transport"},
        {"Posix:vehicle", "not a transport"},
        {"po six:vehicle", "not a transport"},
        {"abcdefghijklmnop:vehicle", "not a transport"},
        {"posix:", "empty"},
        {"posix:?size=1M", "empty"},
        {"posix:.hidden", "begins with '.'"},
        {"posix:-v", "begins with '-'"},
        {"posix:a/b", "'/'"},
        {"posix:a b", "' '"},
        {"posix:a\nb", "0x0a"},
        {"posix:v?", "KEY=VALUE"},
        {"posix:v?size", "KEY=VALUE"},
        {"posix:v?size=1M&", "KEY=VALUE"},
        {"posix:v?&size=1M", "KEY=VALUE"},
        {"posix:v?sice=1M", "known are: size topics mode"},
        {"posix:v?=1M", "unknown key ''"},
        {"posix:v?size=1M&size=2M", "twice"},
        {"posix:v?size=", "64M"},
        {"posix:v?size=M", "64M"},
        {"posix:v?size=0", "64M"},
        {"posix:v?size=-1", "64M"},
        {"posix:v?size=1m", "64M"},
        {"posix:v?size=1MB", "64M"},
        {"posix:v?size=0x10", "64M"},
        {"posix:v?size=17179869184G", "64M"},
        {"posix:v?size=18446744073709551616", "64M"},
        {"posix:v?topics=0", "number of topics"},
        {"posix:v?topics=4294967296", "number of topics"},
        {"posix:v?mode=0888", "octal"},
        {"posix:v?mode=1000", "octal"},
        {"posix:v?mode=0", "octal"},
        {"posix:v?group=", "group"},
        {"posix:v?device=", "path"},
        {"posix:v?prefault=2", "0 or 1"},
        {"posix:v?mlock=yes", "0 or 1"},
        {"posix:v?huge=", "0 or 1"},
        {"posix:v?exist=01", "0 or 1"},
    };
    for (size_t i = 0; i < COUNT(bad); i++) {
        if (parse(bad[i].text) != PEAL_EINVAL)
            fail_msg("accepted: %s", bad[i].text);
        if (strstr(peal_error_message(), bad[i].hint) == NULL)
            fail_msg("%s: no hint '%s' in: %s", bad[i].text, bad[i].hint, peal_error_message());
    }
}

static void values_that_are_too_long_are_refused(void **state)
{
    (void)state;
    char text[2048];
    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    assert_int_equal(parse(text), PEAL_EINVAL);
    memcpy(text, "posix:v?device=", 15);
    assert_int_equal(parse(text), PEAL_EINVAL);
    memcpy(text, "posix:v?group=x", 15);
    assert_int_equal(parse(text), PEAL_EINVAL);
    memcpy(text, "posix:v?group=x", 15);
    text[14 + 63] = '\0';
    assert_int_equal(parse(text), PEAL_OK);
    assert_int_equal(strlen(options.group), 63);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_url_is_a_scheme_and_a_name),
        cmocka_unit_test(a_name_has_31_characters_at_most),
        cmocka_unit_test(every_key_sets_its_option),
        cmocka_unit_test(keys_override_options_and_leave_the_others),
        cmocka_unit_test(sizes_take_the_suffixes_k_m_g),
        cmocka_unit_test(every_bad_url_is_refused_with_a_hint),
        cmocka_unit_test(values_that_are_too_long_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
