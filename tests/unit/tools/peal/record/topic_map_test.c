/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/peal/record/topic_map.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static void expect(const struct topic_map *map, const char *topic, const char *wanted)
{
    char *found = topic_map_apply(map, topic);
    assert_string_equal(found, wanted);
    free(found);
}

static void the_first_rule_that_fits_counts(void **state)
{
    (void)state;
    struct topic_map map = {0};
    assert_null(topic_map_read("a=b", &map));
    assert_null(topic_map_read("a=c", &map));
    assert_null(topic_map_read("s.*=copy.*", &map));
    assert_null(topic_map_read("*.raw=raw", &map));
    assert_null(topic_map_read("x*y=*", &map));
    expect(&map, "a", "b");
    expect(&map, "aa", "aa");
    expect(&map, "s.one.raw", "copy.one.raw");
    expect(&map, "s.", "copy.");
    expect(&map, "s", "s");
    expect(&map, "t.raw", "raw");
    expect(&map, "x--y", "--");
    expect(&map, "xy", "");
    expect(&map, "x", "x"); /* the same letter is not both ends */
    topic_map_free(&map);
    expect(&map, "a", "a");
}

static void both_sides_of_a_rule_may_hold_more_equals_signs_on_the_right(void **state)
{
    (void)state;
    struct topic_map map = {0};
    assert_null(topic_map_read("a=b=c", &map));
    expect(&map, "a", "b=c");
    topic_map_free(&map);
}

static void a_rule_is_about_a_topic_or_not(void **state)
{
    (void)state;
    assert_true(topic_map_rule_fits("a*z=b", "a--z"));
    assert_true(topic_map_rule_fits("a*z=b", "az"));
    assert_false(topic_map_rule_fits("a*z=b", "a"));
    assert_false(topic_map_rule_fits("a*z=b", "a-z-"));
    assert_false(topic_map_rule_fits("aba*aba=b", "aba"));
    assert_true(topic_map_rule_fits("*=b", ""));
}

static void rules_that_cannot_be_are_refused(void **state)
{
    (void)state;
    static const char *const wrong[] = {"", "a", "=", "a=", "=b", "a=*", "a*b*=c", "a*=*b*"};
    struct topic_map map = {0};
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        if (!topic_map_read(wrong[i], &map))
            fail_msg("'%s' was taken", wrong[i]);
    assert_int_equal(map.count, 0);
    topic_map_free(&map);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_rule_that_fits_counts),
        cmocka_unit_test(both_sides_of_a_rule_may_hold_more_equals_signs_on_the_right),
        cmocka_unit_test(a_rule_is_about_a_topic_or_not),
        cmocka_unit_test(rules_that_cannot_be_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
