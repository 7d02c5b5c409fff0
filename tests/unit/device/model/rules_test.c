/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/device/model/rig.h"

static struct vdev_rules rules;

static void no_rules(void)
{
    memset(&rules, 0, sizeof(rules));
}

static void without_rules_everything_is_permitted_under_its_own_name(void **state)
{
    (void)state;
    no_rules();
    char host_name[GUEST_SHM_MAX_NAME];
    assert_true(vdev_rules_permit(&rules, "anything"));
    assert_true(vdev_rules_name(&rules, "anything", host_name));
    assert_string_equal(host_name, "anything");
}

static void the_wildcards_are_those_of_the_shell(void **state)
{
    (void)state;
    static const struct {
        const char *pattern;
        const char *name;
        bool matches;
    } cases[] = {{"*", "r", true},        {"*", ".hidden", true},   {"a*c", "abbc", true},
                 {"a*c", "abcd", false},  {"?", "r", true},         {"?", "rr", false},
                 {"r?", "r", false},      {"[a-c]x", "bx", true},   {"[a-c]x", "dx", false},
                 {"[!a-c]x", "dx", true}, {"R", "r", false},        {"\\*", "*", true},
                 {"\\*", "x", false},     {"plain", "plain", true}, {"plain", "plai", false}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        no_rules();
        rig_rule(&rules, "allow", cases[i].pattern);
        assert_int_equal(vdev_rules_permit(&rules, cases[i].name), cases[i].matches);
        no_rules();
        rig_rule(&rules, "deny", cases[i].pattern);
        assert_int_equal(vdev_rules_permit(&rules, cases[i].name), !cases[i].matches);
    }
}

static void an_allow_list_denies_the_rest_and_a_deny_list_allows_it(void **state)
{
    (void)state;
    no_rules();
    rig_rule(&rules, "allow", "test*");
    rig_rule(&rules, "allow", "pluto");
    assert_true(vdev_rules_permit(&rules, "test1"));
    assert_true(vdev_rules_permit(&rules, "pluto"));
    assert_false(vdev_rules_permit(&rules, "mars"));
    no_rules();
    rig_rule(&rules, "deny", "live*");
    rig_rule(&rules, "deny", "pluto");
    assert_false(vdev_rules_permit(&rules, "live1"));
    assert_false(vdev_rules_permit(&rules, "pluto"));
    assert_true(vdev_rules_permit(&rules, "mars"));
}

static void deny_wins_over_allow_in_any_order(void **state)
{
    (void)state;
    for (int order = 0; order < 2; order++) {
        no_rules();
        rig_rule(&rules, order ? "allow" : "deny", order ? "pluto*" : "pluto");
        rig_rule(&rules, order ? "deny" : "allow", order ? "pluto" : "pluto*");
        assert_false(vdev_rules_permit(&rules, "pluto"));
        assert_true(vdev_rules_permit(&rules, "plutoplanet"));
        assert_false(vdev_rules_permit(&rules, "mars"));
    }
}

static void expect_name(const char *name, const char *wanted)
{
    char host_name[GUEST_SHM_MAX_NAME];
    assert_true(vdev_rules_name(&rules, name, host_name));
    assert_string_equal(host_name, wanted);
}

static void subst_without_match_puts_the_prefix_before_every_name(void **state)
{
    (void)state;
    no_rules();
    rig_rule(&rules, "subst", ",left-");
    expect_name("r", "left-r");
    expect_name("left-r", "left-left-r");
}

static void subst_with_match_puts_the_prefix_in_its_place(void **state)
{
    (void)state;
    no_rules();
    rig_rule(&rules, "subst", "my-,left-");
    expect_name("my-r", "left-r");
    expect_name("r", "r");
    expect_name("not-my-r", "not-my-r");
    rules.subst_keeps_match = true;
    expect_name("my-r", "left-my-r");
    expect_name("r", "r");
}

static void the_first_subst_that_fits_counts_once(void **state)
{
    (void)state;
    no_rules();
    rig_rule(&rules, "subst", "a,b");
    rig_rule(&rules, "subst", "b,c");
    rig_rule(&rules, "subst", ",all-");
    expect_name("ax", "bx");
    expect_name("bx", "cx");
    expect_name("x", "all-x");
}

static void a_name_that_does_not_fit_is_told(void **state)
{
    (void)state;
    no_rules();
    rig_rule(&rules, "subst", ",12345678");
    char host_name[GUEST_SHM_MAX_NAME];
    assert_true(vdev_rules_name(&rules, "12345678901234567890123", host_name));
    assert_int_equal(strlen(host_name), 31);
    assert_false(vdev_rules_name(&rules, "123456789012345678901234", host_name));
}

static void create_takes_sizes_in_bytes_and_rounds_up_to_pages(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint32_t pages;
    } cases[] = {{"n,1", 1},       {"n,4096", 1},
                 {"n,4097", 2},    {"n,0xf0000", 240},
                 {"n,010000", 1},  {"n,4K", 1},
                 {"n,5k", 2},      {"n,4M", 1024},
                 {"n,2G", 524288}, {"n,17592186040320", UINT32_MAX}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        no_rules();
        rig_rule(&rules, "create", cases[i].text);
        assert_int_equal(rules.count, 1);
        assert_int_equal(rules.rules[0].kind, VDEV_RULE_CREATE);
        assert_string_equal(rules.rules[0].pattern, "n");
        assert_int_equal(rules.rules[0].pages, cases[i].pages);
    }
}

static void expect_error(const char *word, const char *argument, const char *wanted)
{
    const size_t count = rules.count;
    char error[256] = "";
    assert_false(vdev_rules_add(&rules, word, argument, error, sizeof(error)));
    if (!strstr(error, wanted))
        fail_msg("%s %s: '%s' does not say '%s'", word, argument, error, wanted);
    assert_int_equal(rules.count, count);
    char tiny[4] = "xyz";
    assert_false(vdev_rules_add(&rules, word, argument, tiny, sizeof(tiny)));
    assert_int_equal(tiny[3], '\0');
    assert_false(vdev_rules_add(&rules, word, argument, NULL, 0));
    assert_int_equal(rules.count, count);
}

static void what_is_no_rule_gets_an_error_that_says_what_to_write(void **state)
{
    (void)state;
    no_rules();
    expect_error("permit", "x", "the rules are allow, deny, create and subst");
    expect_error("", "x", "the rules are");
    expect_error("allow", "", "allow vehicle*");
    expect_error("deny", "", "deny vehicle*");
    expect_error("allow", "12345678901234567890123456789012",
                 "has 32 characters; write at most 31");
    expect_error("deny", "a/b", "without '/'");
    expect_error("create", "name", "create NAME,BYTES");
    expect_error("create", ",4096", "create NAME,BYTES");
    expect_error("create", "name,", "write bytes");
    expect_error("create", "name,many", "write bytes");
    expect_error("create", "name,-1", "write bytes");
    expect_error("create", "name, 4096", "write bytes");
    expect_error("create", "name,4Q", "write bytes");
    expect_error("create", "name,4KB", "write bytes");
    expect_error("create", "name,0", "write 1 to");
    expect_error("create", "name,17592186040321", "write 1 to");
    expect_error("create", "name,17179869184G", "write 1 to");
    expect_error("create", "name,99999999999999999999999", "write 1 to");
    expect_error("create", "name,4096,0600", "mode and group");
    expect_error("create", "12345678901234567890123456789012,4096", "has 32 characters");
    expect_error("create", "a\tb,4096", "printable");
    expect_error("subst", "prefix", "subst ,PREFIX");
    expect_error("subst", "match,", "subst MATCH,PREFIX");
    expect_error("subst", "x,12345678901234567890123456789012", "has 32 characters");
    expect_error("subst", "12345678901234567890123456789012,x", "has 32 characters");
    expect_error("subst", "x,a/b", "without '/'");
}

static void a_created_region_too_long_with_its_prefix_is_refused_in_either_order(void **state)
{
    (void)state;
    no_rules();
    rig_rule(&rules, "subst", "long,a-longer-prefix-");
    expect_error("create", "long5678901234567890,4096", "shorten one of them");
    rig_rule(&rules, "create", "other678901234567890,4096"); /* has another prefix: none */
    no_rules();
    rig_rule(&rules, "create", "12345678901234567890,4096");
    expect_error("subst", ",a-longer-prefix-", "'12345678901234567890'");
    rig_rule(&rules, "subst", ",11-letters");
}

static void there_are_so_many_rules_of_each_kind_and_no_more(void **state)
{
    (void)state;
    static const char *const words[] = {"allow", "deny", "create", "subst"};
    static const char *const arguments[] = {"x", "x", "x,1", "x,x"};
    no_rules();
    for (int kind = 0; kind < 4; kind++) {
        for (uint32_t i = 0; i < VDEV_RULES_MAX; i++)
            rig_rule(&rules, words[kind], arguments[kind]);
        expect_error(words[kind], arguments[kind], "more than 64");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_rules_everything_is_permitted_under_its_own_name),
        cmocka_unit_test(the_wildcards_are_those_of_the_shell),
        cmocka_unit_test(an_allow_list_denies_the_rest_and_a_deny_list_allows_it),
        cmocka_unit_test(deny_wins_over_allow_in_any_order),
        cmocka_unit_test(subst_without_match_puts_the_prefix_before_every_name),
        cmocka_unit_test(subst_with_match_puts_the_prefix_in_its_place),
        cmocka_unit_test(the_first_subst_that_fits_counts_once),
        cmocka_unit_test(a_name_that_does_not_fit_is_told),
        cmocka_unit_test(create_takes_sizes_in_bytes_and_rounds_up_to_pages),
        cmocka_unit_test(what_is_no_rule_gets_an_error_that_says_what_to_write),
        cmocka_unit_test(a_created_region_too_long_with_its_prefix_is_refused_in_either_order),
        cmocka_unit_test(there_are_so_many_rules_of_each_kind_and_no_more),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
