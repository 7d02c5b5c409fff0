/* SPDX-License-Identifier: Apache-2.0 */
/* A screen full of text, before it is on a screen: lines of pieces, each with its colour, none wider than there is room. */
#ifndef PEAL_TOOLS_PEAL_TOP_PAGE_H
#define PEAL_TOOLS_PEAL_TOP_PAGE_H

#include "tools/peal/kit/output.h"

#include <stddef.h>

/* An enum paint, with these. */
enum top_style { TOP_REVERSE = 0x100, TOP_STRONG = 0x200, TOP_PAINT_MASK = 0xff };

struct top_piece {
    size_t from; /* bytes of the line's text */
    size_t bytes;
    unsigned style;
};

#define TOP_PIECES_MAX 64

struct top_line {
    char *text;
    size_t bytes;
    int columns;    /* used */
    unsigned style; /* of what is right of it */
    size_t piece_count;
    struct top_piece pieces[TOP_PIECES_MAX];
};

struct top_page {
    int width;
    int height;
    int next; /* the line that is written next */
    struct top_line *lines;
    int line_room;
    int width_room;
};

/* Empties it, with this size; at least 1 by 1. */
void top_page_begin(struct top_page *page, int width, int height);
void top_page_free(struct top_page *page);

/* Adds to the line page->next, as far as there is room. Below the last line nothing is written. */
void top_page_put(struct top_page *page, unsigned style, const char *text);
void top_page_print(struct top_page *page, unsigned style, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Blanks up to this column. */
void top_page_tab(struct top_page *page, unsigned style, int column);

/* The line ends; what is right of it has this style. */
void top_page_end_line(struct top_page *page, unsigned style);

/* Lines that are left. */
int top_page_left(const struct top_page *page);

#endif
