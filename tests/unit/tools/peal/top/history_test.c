/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/peal/top/history.h"

#include <locale.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void look(struct top_history *history, uint64_t one, double rate)
{
    top_history_begin(history);
    top_history_add(history, one, rate);
}

static void the_newest_rate_is_on_the_right_and_the_highest_is_full(void **state)
{
    (void)state;
    struct top_history history = {0};
    char text[64];
    look(&history, 7, 800);
    look(&history, 7, 400);
    look(&history, 7, 0);
    look(&history, 7, 1);
    top_history_text(top_history_line(&history, 7), 6, text, sizeof(text));
    assert_string_equal(text, "  █▄ ▁");
    top_history_text(top_history_line(&history, 7), 3, text, sizeof(text));
    assert_string_equal(text, "█ ▁"); /* of those that are shown */
    top_history_free(&history);
}

static void what_does_not_come_again_is_forgotten(void **state)
{
    (void)state;
    struct top_history history = {0};
    look(&history, 1, 5);
    look(&history, 2, 5);
    top_history_begin(&history);
    assert_null(top_history_line(&history, 1));
    assert_non_null(top_history_line(&history, 2));
    top_history_clear(&history);
    assert_null(top_history_line(&history, 2));
    top_history_free(&history);
}

static void many_topics_in_any_order_keep_their_lines_apart(void **state)
{
    (void)state;
    struct top_history history = {0};
    for (unsigned round = 0; round < 30; round++) {
        top_history_begin(&history);
        for (uint64_t i = 0; i < 100; i++) {
            const uint64_t id = round % 2 ? i : 99 - i;
            top_history_add(&history, id, (double)(id * 1000 + round));
        }
    }
    for (uint64_t id = 0; id < 100; id++) {
        const struct top_history_line *line = top_history_line(&history, id);
        assert_int_equal(line->looks, TOP_HISTORY_LOOKS);
        for (unsigned i = 0; i < TOP_HISTORY_LOOKS; i++)
            assert_true(fabs(line->rates[i] - (double)(id * 1000 + 30 - TOP_HISTORY_LOOKS + i)) <
                        0.5);
    }
    top_history_free(&history);
}

static void a_short_room_is_not_left(void **state)
{
    (void)state;
    struct top_history history = {0};
    char text[8];
    memset(text, 0x5a, sizeof(text));
    look(&history, 1, 5);
    look(&history, 1, 5);
    top_history_text(top_history_line(&history, 1), 2, text, 6);
    assert_string_equal(text, "█");
    assert_int_equal(text[6], 0x5a);
    top_history_free(&history);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_newest_rate_is_on_the_right_and_the_highest_is_full),
        cmocka_unit_test(what_does_not_come_again_is_forgotten),
        cmocka_unit_test(many_topics_in_any_order_keep_their_lines_apart),
        cmocka_unit_test(a_short_room_is_not_left),
    };
    if (!setlocale(LC_ALL, "C.UTF-8"))
        return 77;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
