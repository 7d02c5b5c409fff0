/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/peal/top/state.h"

#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define ROWS 4 /* on the screen */

struct desk {
    struct top_state state;
    struct top_grid grid;
    struct top_layout layout;
};

static void arrange(struct desk *desk)
{
    const struct top_choice *choice = top_state_choice(&desk->state);
    top_grid_arrange(&desk->grid, choice->filter, choice->sort, choice->descending);
    top_choice_follow(top_state_choice(&desk->state), &desk->grid, ROWS);
    desk->layout = top_grid_layout(&desk->grid, 60, choice->sort);
}

/* Ten topics, a to j. */
static struct desk desk_of_ten(void)
{
    struct desk desk = {0};
    top_state_begin(&desk.state, TOP_LIST_TOPICS, UINT64_C(1000000000));
    top_grid_begin(&desk.grid, top_topics_columns.columns, top_topics_columns.count);
    for (unsigned i = 0; i < 10; i++) {
        const char name[] = {(char)('a' + i), '\0'};
        struct top_row *row = top_grid_add(&desk.grid, 100 + i);
        top_value_text(&row->values[0], name);
    }
    arrange(&desk);
    return desk;
}

static void press(struct desk *desk, uint32_t key)
{
    (void)top_state_key(&desk->state, key, &desk->grid, ROWS, &desk->layout);
    arrange(desk);
}

static void type(struct desk *desk, const char *keys)
{
    for (; *keys != '\0'; keys++)
        press(desk, (unsigned char)*keys);
}

static const char *marked(const struct desk *desk)
{
    const struct top_choice *choice = &desk->state.choices[desk->state.view];
    return choice->at < (int)desk->grid.shown_count ? desk->grid.rows[choice->at].values[0].text
                                                    : "";
}

static void the_mark_moves_and_stays_within_the_list(void **state)
{
    (void)state;
    struct desk desk = desk_of_ten();
    struct top_choice *choice = top_state_choice(&desk.state);
    assert_string_equal(marked(&desk), "a");
    press(&desk, TOP_KEY_UP);
    assert_string_equal(marked(&desk), "a");
    type(&desk, "jj");
    assert_string_equal(marked(&desk), "c");
    press(&desk, TOP_KEY_PAGE_DOWN);
    assert_string_equal(marked(&desk), "f");
    assert_int_equal(choice->first, 2); /* just so far that it is seen */
    press(&desk, TOP_KEY_END);
    press(&desk, TOP_KEY_DOWN);
    assert_string_equal(marked(&desk), "j");
    assert_int_equal(choice->first, 6);
    press(&desk, TOP_KEY_HOME);
    assert_string_equal(marked(&desk), "a");
    assert_int_equal(choice->first, 0);
    top_grid_free(&desk.grid);
}

static void the_mark_follows_its_row_wherever_it_goes(void **state)
{
    (void)state;
    struct desk desk = desk_of_ten();
    type(&desk, "jS"); /* the other way round */
    assert_string_equal(marked(&desk), "b");
    assert_int_equal(top_state_choice(&desk.state)->at, 8);
    press(&desk, TOP_KEY_HOME); /* from now on it is the place */
    type(&desk, "S");
    assert_string_equal(marked(&desk), "a");
    top_grid_free(&desk.grid);
}

static void a_filter_is_typed_and_cleared(void **state)
{
    (void)state;
    struct desk desk = desk_of_ten();
    const struct top_choice *choice = top_state_choice(&desk.state);
    type(&desk, "/q"); /* not "quit" while it is typed */
    assert_false(desk.state.quit);
    assert_int_equal(desk.grid.shown_count, 0);
    press(&desk, TOP_KEY_ENTER); /* nothing to enter: it ends the typing */
    assert_false(desk.state.editing);
    type(&desk, "/");
    press(&desk, TOP_KEY_BACKSPACE);
    press(&desk, 0xe4); /* ä: two bytes, and gone at once */
    assert_string_equal(choice->filter, "ä");
    press(&desk, TOP_KEY_BACKSPACE);
    assert_string_equal(choice->filter, "");
    press(&desk, TOP_KEY_BACKSPACE);
    type(&desk, "c");
    assert_string_equal(marked(&desk), "c");
    press(&desk, TOP_KEY_ESCAPE);
    assert_false(desk.state.editing);
    assert_int_equal(desk.grid.shown_count, 10);
    top_grid_free(&desk.grid);
}

static void a_filter_never_outgrows_its_place(void **state)
{
    (void)state;
    struct desk desk = desk_of_ten();
    type(&desk, "/");
    for (int i = 0; i < 200; i++)
        press(&desk, i % 2 ? 0x1f514 : 0x20ac); /* 4 and 3 bytes */
    assert_true(strlen(top_state_choice(&desk.state)->filter) < TOP_TEXT_BYTES);
    press(&desk, 0x07);
    press(&desk, TOP_KEY_LEFT);
    for (int i = 0; i < 200; i++)
        press(&desk, TOP_KEY_BACKSPACE);
    assert_string_equal(top_state_choice(&desk.state)->filter, "");
    top_grid_free(&desk.grid);
}

static void columns_on_the_screen_are_sorted_by_in_turn(void **state)
{
    (void)state;
    struct desk desk = desk_of_ten();
    const struct top_choice *choice = top_state_choice(&desk.state);
    assert_int_equal(choice->sort, 0);
    for (size_t i = 0; i < 40; i++) {
        type(&desk, "s");
        assert_true(choice->sort >= 0 && desk.layout.widths[choice->sort] > 0);
        assert_true(top_kind_is_sorted(desk.grid.columns[choice->sort].kind));
        /* Texts upwards, figures downwards. */
        assert_int_equal(choice->descending, desk.grid.columns[choice->sort].kind != TOP_TEXT);
    }
    const int sort = choice->sort;
    type(&desk, "><");
    assert_int_equal(choice->sort, sort);
    top_grid_free(&desk.grid);
}

static void views_open_and_lead_back(void **state)
{
    (void)state;
    struct desk desk = desk_of_ten();
    type(&desk, "j");
    press(&desk, TOP_KEY_ENTER);
    assert_int_equal(desk.state.view, TOP_LIST_PARTS);
    assert_int_equal(desk.state.topic_id, 101);
    assert_string_equal(desk.state.topic_name, "b");
    press(&desk, TOP_KEY_ESCAPE);
    assert_int_equal(desk.state.view, TOP_LIST_TOPICS);
    type(&desk, "c");
    assert_int_equal(desk.state.view, TOP_LIST_CLIENTS);
    press(&desk, TOP_KEY_TAB);
    assert_int_equal(desk.state.view, TOP_LIST_TOPICS);
    assert_string_equal(marked(&desk), "b"); /* where it was */
    type(&desk, "?q");                       /* help goes with any key, and the key with it */
    assert_false(desk.state.help || desk.state.quit);
    type(&desk, "q");
    assert_true(desk.state.quit);
    top_grid_free(&desk.grid);
}

static void the_interval_stays_within_bounds(void **state)
{
    (void)state;
    struct desk desk = desk_of_ten();
    type(&desk, "+");
    assert_int_equal(desk.state.interval_ns, UINT64_C(2000000000));
    type(&desk, "--");
    assert_int_equal(desk.state.interval_ns, 500000000);
    type(&desk, "------------------------");
    assert_int_equal(desk.state.interval_ns, TOP_INTERVAL_MIN_NS);
    type(&desk, "++++++++++++++++++++++++");
    assert_in_range(desk.state.interval_ns, UINT64_C(10000000000), TOP_INTERVAL_MAX_NS);
    type(&desk, "p");
    assert_true(desk.state.paused);
    type(&desk, " ");
    assert_false(desk.state.paused);
    top_grid_free(&desk.grid);
}

static void keys_on_an_empty_list_do_no_harm(void **state)
{
    (void)state;
    struct desk desk = {0};
    top_state_begin(&desk.state, TOP_LIST_TOPICS, 1000000);
    for (uint32_t key = 0; key < 128; key++)
        press(&desk, key);
    for (uint32_t key = TOP_KEY_UP; key <= TOP_KEY_GONE; key++)
        press(&desk, key);
    assert_true(desk.state.quit);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_mark_moves_and_stays_within_the_list),
        cmocka_unit_test(the_mark_follows_its_row_wherever_it_goes),
        cmocka_unit_test(a_filter_is_typed_and_cleared),
        cmocka_unit_test(a_filter_never_outgrows_its_place),
        cmocka_unit_test(columns_on_the_screen_are_sorted_by_in_turn),
        cmocka_unit_test(views_open_and_lead_back),
        cmocka_unit_test(the_interval_stays_within_bounds),
        cmocka_unit_test(keys_on_an_empty_list_do_no_harm),
    };
    if (!setlocale(LC_ALL, "C.UTF-8"))
        return 77;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
