/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/peal/look/pattern.h"

#include "tests/unit/tools/peal/capture.h"
#include "tools/peal/kit/exit_code.h"

#include <stdio.h>
#include <string.h>

static struct snapshot_topic topics[8];

/* Of a snapshot, all that patterns look at. */
static struct snapshot snapshot_of(const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++)
        (void)snprintf(topics[i].name, sizeof(topics[i].name), "%s", names[i]);
    return (struct snapshot){.topics = topics, .topic_count = count};
}

static void a_pattern_is_as_the_shells_over_the_whole_name(void **state)
{
    (void)state;
    assert_true(pattern_matches("wheel", "wheel"));
    assert_false(pattern_matches("wheel", "wheels"));
    assert_false(pattern_matches("heel", "wheel"));
    assert_true(pattern_matches("*", "left/wheel.rpm"));
    assert_true(pattern_matches("left*rpm", "left/wheel.rpm"));
    assert_true(pattern_matches("*.rpm", ".rpm"));
    assert_true(pattern_matches("w?eel", "wheel"));
    assert_false(pattern_matches("w?eel", "weel"));
    assert_true(pattern_matches("[lr]_wheel", "r_wheel"));
    assert_false(pattern_matches("[lr]_wheel", "m_wheel"));
    assert_false(pattern_matches("Wheel", "wheel"));
    assert_false(pattern_matches("", "wheel"));
}

static void a_name_that_is_also_a_pattern_means_itself_too(void **state)
{
    (void)state;
    assert_true(pattern_matches("lane[0]", "lane[0]"));
    assert_true(pattern_matches("lane[0]", "lane0"));
    assert_true(pattern_matches("a\\b", "a\\b"));
}

static void any_of_several_will_do_and_none_means_all(void **state)
{
    char wheel[] = "wheel*", brake[] = "brake";
    char *const texts[] = {wheel, brake};
    const struct patterns patterns = {.texts = texts, .count = 2};
    const struct patterns none = {0};
    (void)state;
    assert_true(patterns_match(&patterns, "wheel_left"));
    assert_true(patterns_match(&patterns, "brake"));
    assert_false(patterns_match(&patterns, "brakes"));
    assert_true(patterns_match(&none, "anything"));
}

static void what_matches_nothing_is_named_with_what_there_is(void **state)
{
    static const char *const names[] = {"wheel", "brake", "gear", "horn", "lamp", "door"};
    char wheel[] = "w*", ghost[] = "ghost", many[] = "gh*";
    char *const texts[] = {wheel, ghost};
    char *const stars[] = {many};
    const struct patterns patterns = {.texts = texts, .count = 2};
    const struct patterns starred = {.texts = stars, .count = 1};
    struct snapshot six = snapshot_of(names, 6);
    const struct snapshot empty = {0};
    (void)state;
    assert_string_equal(patterns_unmatched(&patterns, &six), "ghost");
    capture_begin(STDERR_FILENO);
    assert_int_equal(patterns_check(&patterns, &six, "posix:a"), EXIT_NOT_FOUND);
    assert_string_equal(capture_end(),
                        "peal: there is no topic or queue 'ghost' on posix:a; there are "
                        "wheel, brake, gear, horn, lamp, ...\n");
    six.topic_count = 1;
    capture_begin(STDERR_FILENO);
    assert_int_equal(patterns_check(&starred, &six, "posix:a"), EXIT_NOT_FOUND);
    assert_string_equal(capture_end(),
                        "peal: no topic or queue matches 'gh*' on posix:a; there are wheel\n");
    capture_begin(STDERR_FILENO);
    assert_int_equal(patterns_check(&starred, &empty, "posix:a"), EXIT_NOT_FOUND);
    assert_non_null(strstr(capture_end(), "there is none at all on posix:a"));
}

static void what_is_there_is_fine(void **state)
{
    static const char *const names[] = {"wheel", "brake"};
    char wheel[] = "w*";
    char *const texts[] = {wheel};
    const struct patterns patterns = {.texts = texts, .count = 1};
    const struct patterns none = {0};
    const struct snapshot two = snapshot_of(names, 2);
    const struct snapshot empty = {0};
    (void)state;
    assert_null(patterns_unmatched(&patterns, &two));
    assert_int_equal(patterns_check(&patterns, &two, "posix:a"), EXIT_DONE);
    assert_int_equal(patterns_check(&none, &empty, "posix:a"), EXIT_DONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_pattern_is_as_the_shells_over_the_whole_name),
        cmocka_unit_test(a_name_that_is_also_a_pattern_means_itself_too),
        cmocka_unit_test(any_of_several_will_do_and_none_means_all),
        cmocka_unit_test(what_matches_nothing_is_named_with_what_there_is),
        cmocka_unit_test(what_is_there_is_fine),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
