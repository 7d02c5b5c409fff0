/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/peal/top/grid.h"

#include "tools/peal/kit/memory.h"
#include "tools/peal/top/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* ---- rows ---- */

void top_grid_begin(struct top_grid *grid, const struct top_column *columns, size_t column_count)
{
    grid->columns = columns;
    grid->column_count = column_count;
    grid->row_count = 0;
    grid->shown_count = 0;
}

void top_grid_free(struct top_grid *grid)
{
    free(grid->rows);
    memset(grid, 0, sizeof(*grid));
}

struct top_row *top_grid_add(struct top_grid *grid, uint64_t id)
{
    grid->rows = memory_room(grid->rows, grid->row_count, &grid->row_room, sizeof(*grid->rows));
    struct top_row *row = &grid->rows[grid->row_count++];
    row->id = id;
    row->hidden = false;
    for (size_t i = 0; i < grid->column_count; i++) {
        row->values[i].known = false;
        row->values[i].paint = PAINT_NONE;
        row->values[i].text[0] = '\0';
    }
    grid->shown_count = grid->row_count;
    return row;
}

void top_value_text(struct top_value *value, const char *text)
{
    value->known = true;
    (void)snprintf(value->text, sizeof(value->text), "%s", text);
}

void top_value_count(struct top_value *value, uint64_t count)
{
    value->known = true;
    value->count = count;
}

void top_value_real(struct top_value *value, double real)
{
    value->known = true;
    value->real = real;
}

/* ---- order ---- */

int top_grid_column(const struct top_column *columns, size_t column_count, const char *key)
{
    for (size_t i = 0; i < column_count; i++)
        if (strcasecmp(columns[i].key, key) == 0)
            return (int)i;
    return -1;
}

static bool passes(const struct top_grid *grid, const struct top_row *row, const char *filter)
{
    for (size_t i = 0; i < grid->column_count; i++)
        if (grid->columns[i].kind == TOP_TEXT && top_text_has(row->values[i].text, filter))
            return true;
    return filter[0] == '\0';
}

static int compare_values(enum top_kind kind, const struct top_value *a, const struct top_value *b)
{
    if (top_kind_is_text(kind)) {
        const int order = strcasecmp(a->text, b->text);
        return order != 0 ? order : strcmp(a->text, b->text);
    }
    if (kind == TOP_COUNT || kind == TOP_DURATION)
        return (a->count > b->count) - (a->count < b->count);
    return (a->real > b->real) - (a->real < b->real);
}

struct order {
    const struct top_grid *grid;
    int sort;
    bool descending;
};

static int compare_rows(const struct order *order, const struct top_row *a, const struct top_row *b)
{
    if (a->hidden != b->hidden)
        return a->hidden ? 1 : -1;
    if (order->sort >= 0) {
        const struct top_value *left = &a->values[order->sort], *right = &b->values[order->sort];
        if (left->known != right->known)
            return left->known ? -1 : 1;
        const int difference =
            left->known ? compare_values(order->grid->columns[order->sort].kind, left, right) : 0;
        if (difference != 0)
            return order->descending ? -difference : difference;
    }
    return (a->id > b->id) - (a->id < b->id);
}

static int compare_for_qsort(const void *a, const void *b, void *order)
{
    return compare_rows(order, a, b);
}

void top_grid_arrange(struct top_grid *grid, const char *filter, int sort, bool descending)
{
    struct order order = {grid, sort, descending};
    grid->shown_count = 0;
    for (size_t i = 0; i < grid->row_count; i++) {
        grid->rows[i].hidden = !passes(grid, &grid->rows[i], filter);
        grid->shown_count += !grid->rows[i].hidden;
    }
    if (grid->row_count > 1)
        qsort_r(grid->rows, grid->row_count, sizeof(*grid->rows), compare_for_qsort, &order);
}

int top_grid_find(const struct top_grid *grid, uint64_t id)
{
    for (size_t i = 0; i < grid->shown_count; i++)
        if (grid->rows[i].id == id)
            return (int)i;
    return -1;
}

/* ---- widths ---- */

static int longest_text(const struct top_grid *grid, size_t column)
{
    int longest = 0;
    for (size_t i = 0; i < grid->shown_count; i++) {
        const int width = top_text_columns(grid->rows[i].values[column].text);
        longest = width > longest ? width : longest;
    }
    return longest;
}

/* What every column takes at least. The first texts of a row are what people look for: they get twice of that if they need it
 * and all that must be shown has room. */
static void least_widths(const struct top_grid *grid, int width, int sort, int *least)
{
    int must = -TOP_GAP;
    for (size_t i = 0; i < grid->column_count; i++) {
        const struct top_column *column = &grid->columns[i];
        least[i] = column->width;
        if (column->kind == TOP_TEXT && column->rank == 0) {
            const int longest = longest_text(grid, i);
            least[i] = longest > 2 * column->width ? 2 * column->width
                       : longest > column->width   ? longest
                                                   : column->width;
        }
        if (column->rank == 0 || (int)i == sort)
            must += least[i] + TOP_GAP;
    }
    for (size_t i = 0; must > width && i < grid->column_count; i++)
        least[i] = grid->columns[i].width;
}

static int width_with_rank(const struct top_grid *grid, const int *least, unsigned rank, int sort)
{
    int width = -TOP_GAP;
    for (size_t i = 0; i < grid->column_count; i++)
        if (grid->columns[i].rank <= rank || (int)i == sort)
            width += least[i] + TOP_GAP;
    return width;
}

/* Texts get what is left, the first as much as it can use before the next gets any. */
static void widen_texts(const struct top_grid *grid, struct top_layout *layout, int left)
{
    for (size_t i = 0; i < grid->column_count && left > 0; i++) {
        if (layout->widths[i] == 0 || grid->columns[i].kind != TOP_TEXT)
            continue;
        int more = longest_text(grid, i) - layout->widths[i];
        more = more < left ? more : left;
        if (more > 0) {
            layout->widths[i] += more;
            left -= more;
        }
    }
}

struct top_layout top_grid_layout(const struct top_grid *grid, int width, int sort)
{
    struct top_layout layout = {{0}};
    int least[TOP_COLUMNS_MAX];
    unsigned rank = 0;
    least_widths(grid, width, sort, least);
    /* Ranks are small numbers. */
    while (rank < TOP_COLUMNS_MAX && width_with_rank(grid, least, rank + 1, sort) <= width)
        rank++;
    int used = 0;
    for (size_t i = 0; i < grid->column_count; i++) {
        if (grid->columns[i].rank > rank && (int)i != sort)
            continue;
        const int room = width - used;
        layout.widths[i] = least[i] < room ? least[i] : room > 0 ? room : 0;
        used += layout.widths[i] + TOP_GAP;
    }
    widen_texts(grid, &layout, width - (used - TOP_GAP));
    return layout;
}
