/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/peal/top/state.h"

#include <stdio.h>
#include <string.h>
#include <wchar.h>

void top_state_begin(struct top_state *state, enum top_list view, uint64_t interval_ns)
{
    memset(state, 0, sizeof(*state));
    state->view = view;
    state->interval_ns = interval_ns;
    top_choice_sort(&state->choices[TOP_LIST_TOPICS], top_topics_columns.columns, 0);
    state->choices[TOP_LIST_CLIENTS].sort = -1;
    state->choices[TOP_LIST_PARTS].sort = -1;
}

void top_state_open(struct top_state *state, uint64_t topic_id, const char *name)
{
    struct top_choice *choice = &state->choices[TOP_LIST_PARTS];
    state->view = TOP_LIST_PARTS;
    state->topic_id = topic_id;
    (void)snprintf(state->topic_name, sizeof(state->topic_name), "%s", name);
    state->scrolled = 0;
    choice->filter[0] = '\0';
    choice->chosen = false;
    choice->at = 0;
    choice->first = 0;
}

/* ---- order ---- */

void top_choice_sort(struct top_choice *choice, const struct top_column *columns, int sort)
{
    choice->sort = sort;
    choice->descending = sort >= 0 && !top_kind_is_text(columns[sort].kind);
}

static bool is_sortable(const struct top_grid *grid, const struct top_layout *layout, int column)
{
    return layout->widths[column] > 0 && top_kind_is_sorted(grid->columns[column].kind);
}

/* The next column to the right or left that is on the screen; past the last one the first. */
static void sort_step(struct top_choice *choice, const struct top_grid *grid,
                      const struct top_layout *layout, int step)
{
    const int count = (int)grid->column_count;
    int column = choice->sort < 0 && step < 0 ? 0 : choice->sort;
    for (int i = 0; i < count; i++) {
        column = (column + step + count) % count;
        if (is_sortable(grid, layout, column)) {
            top_choice_sort(choice, grid->columns, column);
            return;
        }
    }
}

/* ---- the mark ---- */

void top_choice_follow(struct top_choice *choice, const struct top_grid *grid, int rows)
{
    const int count = (int)grid->shown_count;
    const int found = choice->chosen ? top_grid_find(grid, choice->id) : -1;
    if (found >= 0)
        choice->at = found;
    if (choice->at >= count)
        choice->at = count - 1;
    if (choice->at < 0)
        choice->at = 0;
    if (rows < 1)
        rows = 1;
    if (choice->first > choice->at)
        choice->first = choice->at;
    if (choice->first < choice->at - rows + 1)
        choice->first = choice->at - rows + 1;
    if (choice->first > count - rows)
        choice->first = count - rows;
    if (choice->first < 0)
        choice->first = 0;
}

static void move(struct top_choice *choice, const struct top_grid *grid, int by)
{
    const int count = (int)grid->shown_count;
    if (count == 0)
        return;
    choice->at = by < -choice->at ? 0 : by > count - 1 - choice->at ? count - 1 : choice->at + by;
    choice->id = grid->rows[choice->at].id;
    choice->chosen = true;
}

static bool move_key(struct top_state *state, uint32_t key, const struct top_grid *grid, int rows)
{
    struct top_choice *choice = top_state_choice(state);
    const int page = rows > 1 ? rows - 1 : 1;
    switch (key) {
    case TOP_KEY_UP:
    case 'k':
        move(choice, grid, -1);
        return true;
    case TOP_KEY_DOWN:
    case 'j':
        move(choice, grid, 1);
        return true;
    case TOP_KEY_PAGE_UP:
        if (state->view == TOP_LIST_PARTS) /* there it is the messages that are many */
            state->scrolled = state->scrolled > 10 ? state->scrolled - 10 : 0;
        else
            move(choice, grid, -page);
        return true;
    case TOP_KEY_PAGE_DOWN:
        if (state->view == TOP_LIST_PARTS)
            state->scrolled += 10;
        else
            move(choice, grid, page);
        return true;
    case TOP_KEY_HOME:
    case 'g':
        choice->at = 0;
        choice->chosen = false;
        state->scrolled = 0;
        return true;
    case TOP_KEY_END:
    case 'G':
        move(choice, grid, (int)grid->shown_count);
        return true;
    default:
        return false;
    }
}

/* ---- the filter ---- */

static void filter_add(char *filter, uint32_t key)
{
    char bytes[16]; /* of one character: MB_LEN_MAX */
    mbstate_t state = {0};
    const size_t length = strlen(filter);
    const size_t more = wcrtomb(bytes, (wchar_t)key, &state);
    if (key < ' ' || key == 0x7f || key >= TOP_KEY_UP || more == (size_t)-1 ||
        length + more >= TOP_TEXT_BYTES)
        return;
    memcpy(filter + length, bytes, more);
    filter[length + more] = '\0';
}

static void filter_cut(char *filter)
{
    size_t length = strlen(filter);
    while (length > 0 && ((unsigned char)filter[length - 1] & 0xc0) == 0x80)
        length--;
    filter[length > 0 ? length - 1 : 0] = '\0';
}

static bool edit_key(struct top_state *state, uint32_t key, const struct top_grid *grid, int rows)
{
    struct top_choice *choice = top_state_choice(state);
    switch (key) {
    case TOP_KEY_ESCAPE:
        choice->filter[0] = '\0';
        state->editing = false;
        break;
    case TOP_KEY_ENTER:
        state->editing = false;
        break;
    case TOP_KEY_BACKSPACE:
        filter_cut(choice->filter);
        break;
    case TOP_KEY_UP:
    case TOP_KEY_DOWN:
    case TOP_KEY_PAGE_UP:
    case TOP_KEY_PAGE_DOWN:
        return move_key(state, key, grid, rows);
    default:
        filter_add(choice->filter, key);
    }
    return true;
}

/* ---- all keys ---- */

static uint64_t interval_step(uint64_t interval_ns, bool longer)
{
    static const uint64_t steps_ms[] = {1,    10,   20,   50,    100,   200,  500,
                                        1000, 2000, 5000, 10000, 30000, 60000};
    const size_t count = sizeof(steps_ms) / sizeof(steps_ms[0]);
    if (longer) {
        for (size_t i = 0; i < count; i++)
            if (steps_ms[i] * 1000000 > interval_ns)
                return steps_ms[i] * 1000000;
    } else {
        for (size_t i = count; i-- > 0;)
            if (steps_ms[i] * 1000000 < interval_ns)
                return steps_ms[i] * 1000000;
    }
    return interval_ns;
}

static void open_marked(struct top_state *state, const struct top_grid *grid)
{
    const struct top_choice *choice = top_state_choice(state);
    if (state->view == TOP_LIST_TOPICS && choice->at < (int)grid->shown_count)
        top_state_open(state, grid->rows[choice->at].id, grid->rows[choice->at].values[0].text);
}

/* One step back: to the whole list, and out of a topic. */
static void back(struct top_state *state)
{
    struct top_choice *choice = top_state_choice(state);
    if (choice->filter[0] != '\0')
        choice->filter[0] = '\0';
    else
        state->view = TOP_LIST_TOPICS;
}

static bool view_key(struct top_state *state, uint32_t key, const struct top_grid *grid)
{
    switch (key) {
    case TOP_KEY_TAB:
    case 'c':
        state->view = state->view == TOP_LIST_CLIENTS ? TOP_LIST_TOPICS : TOP_LIST_CLIENTS;
        return true;
    case 't':
        state->view = TOP_LIST_TOPICS;
        return true;
    case TOP_KEY_ENTER:
    case TOP_KEY_RIGHT:
        open_marked(state, grid);
        return true;
    case TOP_KEY_ESCAPE:
    case TOP_KEY_LEFT:
    case TOP_KEY_BACKSPACE:
        back(state);
        return true;
    case '?':
    case 'h':
        state->help = true;
        return true;
    case 'q':
        state->quit = true;
        return true;
    default:
        return false;
    }
}

static bool choice_key(struct top_state *state, uint32_t key, const struct top_grid *grid,
                       const struct top_layout *layout)
{
    struct top_choice *choice = top_state_choice(state);
    switch (key) {
    case 's':
    case '>':
        sort_step(choice, grid, layout, 1);
        return true;
    case '<':
        sort_step(choice, grid, layout, -1);
        return true;
    case 'S':
    case 'r':
        choice->descending = !choice->descending;
        return true;
    case '/':
        state->editing = true;
        return true;
    case 'p':
    case ' ':
        state->paused = !state->paused;
        return true;
    case '+':
    case '=':
        state->interval_ns = interval_step(state->interval_ns, true);
        return true;
    case '-':
        state->interval_ns = interval_step(state->interval_ns, false);
        return true;
    case 'x':
        state->dump = state->dump == TOP_DUMP_HEX ? TOP_DUMP_AUTO : state->dump + 1;
        return true;
    default:
        return false;
    }
}

bool top_state_key(struct top_state *state, uint32_t key, const struct top_grid *grid, int rows,
                   const struct top_layout *layout)
{
    if (key == TOP_KEY_RESIZE)
        return true;
    if (key == TOP_KEY_GONE) {
        state->quit = true;
        return true;
    }
    if (state->help) { /* any key ends it */
        state->help = false;
        return true;
    }
    if (state->editing)
        return edit_key(state, key, grid, rows);
    return move_key(state, key, grid, rows) || view_key(state, key, grid) ||
           choice_key(state, key, grid, layout);
}
