/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A list as `top` shows it: columns that know how to write, sort and drop themselves where there is little room, and rows of
 * values. What is in it comes from elsewhere (topics.c, clients.c, parts.c); where it is drawn, too.
 */
#ifndef PEAL_TOOLS_PEAL_TOP_GRID_H
#define PEAL_TOOLS_PEAL_TOP_GRID_H

#include "tools/peal/kit/output.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum top_kind {
    TOP_TEXT = 0,
    TOP_COUNT,     /* count */
    TOP_BYTES,     /* real */
    TOP_RATE,      /* real: per second */
    TOP_BANDWIDTH, /* real: bytes per second */
    TOP_DURATION,  /* count: ns */
    TOP_BAR,       /* real: 0 to 1 */
    TOP_PLAIN,     /* text; neither sorted by nor filtered */
    TOP_HISTORY,   /* text of a width of its own; likewise, and on screens only */
};

static inline bool top_kind_is_text(enum top_kind kind)
{
    return kind == TOP_TEXT || kind == TOP_PLAIN || kind == TOP_HISTORY;
}

static inline bool top_kind_is_sorted(enum top_kind kind)
{
    return kind != TOP_PLAIN && kind != TOP_HISTORY;
}

struct top_column {
    const char *title;
    const char *key; /* of --sort */
    enum top_kind kind;
    int width;     /* at least */
    unsigned rank; /* where there is too little room, the columns with the highest rank go first */
};

#define TOP_TEXT_BYTES 64
#define TOP_COLUMNS_MAX 20

struct top_value {
    bool known; /* false: shown as "-", last in any order */
    enum paint paint;
    uint64_t count;
    double real;
    char text[TOP_TEXT_BYTES];
};

struct top_row {
    uint64_t id; /* by which it is found again in the next look */
    bool hidden; /* by the filter */
    struct top_value values[TOP_COLUMNS_MAX];
};

struct top_grid {
    const struct top_column *columns;
    size_t column_count;
    struct top_row *rows;
    size_t row_count;
    size_t row_room;
    size_t shown_count; /* rows[0..shown_count) are to be seen, the hidden ones follow */
};

/* Empties it, for rows with these columns. */
void top_grid_begin(struct top_grid *grid, const struct top_column *columns, size_t column_count);
void top_grid_free(struct top_grid *grid);

/* A row with all values unknown. */
struct top_row *top_grid_add(struct top_grid *grid, uint64_t id);

void top_value_text(struct top_value *value, const char *text);
void top_value_count(struct top_value *value, uint64_t count);
void top_value_real(struct top_value *value, double real);

/* The column of this key, or -1. */
int top_grid_column(const struct top_column *columns, size_t column_count, const char *key);

/* Hides what has no text with `filter` in it, and sorts the rest; -1: as they came. What is equal stays as it came. */
void top_grid_arrange(struct top_grid *grid, const char *filter, int sort, bool descending);

/* Where the row of this id is among those that are shown; -1: it is not. */
int top_grid_find(const struct top_grid *grid, uint64_t id);

/* Which columns are shown in a width, and how wide each is; 0: not shown. `sort` is always. */
struct top_layout {
    int widths[TOP_COLUMNS_MAX];
};

#define TOP_GAP 1 /* columns between columns */

struct top_layout top_grid_layout(const struct top_grid *grid, int width, int sort);

/* Exactly `width` columns of text. room_bytes: 4 * width + 1. */
void top_cell_write(char *to, size_t room_bytes, const struct top_column *column,
                    const struct top_value *value, int width);
void top_title_write(char *to, size_t room_bytes, const struct top_column *column, int width);

/* Without regard to a width. */
struct top_cell_text {
    char text[TOP_TEXT_BYTES];
};

const char *top_cell_text(struct top_cell_text *text, const struct top_column *column,
                          const struct top_value *value);

#endif
