/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/peal/serve/listen.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static struct listen_place place_of(const char *text)
{
    struct listen_place place = {0};
    if (!listen_parse(text, &place))
        fail_msg("'%s' is refused", text);
    return place;
}

static void without_an_address_it_is_the_loopback(void **state)
{
    (void)state;
    struct listen_text text;
    struct listen_place place = place_of("9464");
    assert_string_equal(listen_print(&place, &text), "127.0.0.1:9464");
    assert_false(listen_is_public(&place));
    place = place_of("0");
    assert_string_equal(listen_print(&place, &text), "127.0.0.1:0");
    place = place_of("localhost:65535");
    assert_string_equal(listen_print(&place, &text), "127.0.0.1:65535");
}

static void addresses_of_both_kinds_are_read(void **state)
{
    (void)state;
    struct listen_text text;
    struct listen_place place = place_of("[::1]:80");
    assert_string_equal(listen_print(&place, &text), "[::1]:80");
    assert_false(listen_is_public(&place));
    place = place_of("[fe80::1]:80");
    assert_true(listen_is_public(&place));
    place = place_of("127.3.2.1:80");
    assert_false(listen_is_public(&place));
    place = place_of("0.0.0.0:80");
    assert_true(listen_is_public(&place));
    place = place_of("10.0.0.1:80");
    assert_true(listen_is_public(&place));
}

static void what_is_no_place_is_refused(void **state)
{
    (void)state;
    static const char *const none[] = {
        "",
        "x",
        "65536",
        "-1",
        "+1",
        " 1",
        ":80",
        "127.0.0.1:",
        "1.2.3:80",
        "::1",
        "[::1]",
        "[::1]80",
        "[::1:80",
        "[]:80",
        "a:80",
        "1.2.3.4:80:80",
        "[1::x]:80",
        "80 ",
        "0x50",
        "[::1]:",
        "1.2.3.4",
        "[:80",
        "]:80",
        "1.2.3.4:65536",
        "99999999999999999999999999999999999999999999999999999999999999999999999999:80",
    };
    for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
        struct listen_place place = {0};
        if (listen_parse(none[i], &place))
            fail_msg("'%s' is taken", none[i]);
    }
}

static void expect_host(const struct listen_place *place, const char *host, bool is_ours)
{
    if (listen_host_is_ours(place, host) != is_ours)
        fail_msg("Host: %s is %s", host ? host : "(none)", is_ours ? "refused" : "taken");
}

static void on_the_loopback_only_its_names_are_ours(void **state)
{
    (void)state;
    struct listen_place place = place_of("9464");
    static const char *const ours[] = {"localhost",   "LocalHost:9464", "127.0.0.1",
                                       "127.9.9.9:1", "[::1]:9464",     "localhost.:9464"};
    static const char *const others[] = {"evil.example",
                                         "localhost.evil.example",
                                         "evil-localhost",
                                         "127.0.0.1.evil.example",
                                         "10.0.0.1",
                                         "0.0.0.0",
                                         "[::]",
                                         "",
                                         ":9464",
                                         "[::1",
                                         "[::1]x",
                                         "127.0.0.1@evil.example",
                                         "localhosts",
                                         "local",
                                         "."};
    for (size_t i = 0; i < sizeof(ours) / sizeof(ours[0]); i++)
        expect_host(&place, ours[i], true);
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
        expect_host(&place, others[i], false);
    expect_host(&place, NULL, false);
    char own[256] = "";
    assert_int_equal(gethostname(own, sizeof(own) - 1), 0);
    if (strcmp(own, "localhost") != 0)
        expect_host(&place, own, false);
}

static void elsewhere_its_address_and_the_machines_name_are_ours_too(void **state)
{
    (void)state;
    char own[300] = "";
    assert_int_equal(gethostname(own, 255), 0);
    struct listen_place place = place_of("10.1.2.3:80");
    expect_host(&place, "10.1.2.3:80", true);
    expect_host(&place, "10.1.2.4:80", false);
    expect_host(&place, own, true);
    expect_host(&place, "evil.example", false);
    place = place_of("[::]:80");
    expect_host(&place, "[2001:db8::1]:80", true);
    expect_host(&place, "10.1.2.4", true);
    expect_host(&place, "evil.example", false);
}

static void a_name_that_was_allowed_is_ours(void **state)
{
    (void)state;
    struct listen_place place = place_of("80");
    place.also_host = "bus.example";
    expect_host(&place, "bus.example", true);
    expect_host(&place, "BUS.example:443", true);
    expect_host(&place, "a.bus.example", false);
    expect_host(&place, "bus.exampl", false);
}

static void a_port_that_is_taken_is_not_given_again(void **state)
{
    (void)state;
    struct listen_text text;
    struct listen_place place = place_of("0");
    const int fd = listen_open(&place);
    assert_true(fd >= 0);
    assert_true(place.address.v4.sin_port != 0);
    struct listen_place again = place_of(strchr(listen_print(&place, &text), ':') + 1);
    assert_int_equal(listen_open(&again), -1);
    assert_int_equal(close(fd), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_an_address_it_is_the_loopback),
        cmocka_unit_test(addresses_of_both_kinds_are_read),
        cmocka_unit_test(what_is_no_place_is_refused),
        cmocka_unit_test(on_the_loopback_only_its_names_are_ours),
        cmocka_unit_test(elsewhere_its_address_and_the_machines_name_are_ours_too),
        cmocka_unit_test(a_name_that_was_allowed_is_ours),
        cmocka_unit_test(a_port_that_is_taken_is_not_given_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
