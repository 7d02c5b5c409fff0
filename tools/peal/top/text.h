/* SPDX-License-Identifier: Apache-2.0 */
/* Texts of peers, made to fit so many columns of a terminal, whatever characters it can show. */
#ifndef PEAL_TOOLS_PEAL_TOP_TEXT_H
#define PEAL_TOOLS_PEAL_TOP_TEXT_H

#include <stdbool.h>
#include <stddef.h>

/* A character of the locale, and how many columns it takes. What the locale does not know, or what would not be seen or would
 * move the cursor, is '?'. */
struct top_glyph {
    size_t bytes; /* of the text; 0 at its end */
    int columns;  /* 1 or 2 */
    bool known;   /* false: show '?' in its place */
};

struct top_glyph top_glyph_at(const char *text);

/*
 * Copies as many characters as fit in `columns`, and ends the text. Answers how many columns it takes. One that does not fit
 * ends in '~'. room_bytes of 4 * columns + 1 are enough for any text.
 */
int top_text_fit(char *to, size_t room_bytes, const char *text, int columns);

int top_text_columns(const char *text);

/* Does the locale have characters beyond ASCII, such as bars and blocks? */
bool top_text_has_blocks(void);

/* `needle` is in `text`, capital letters or not. "" is in all. */
bool top_text_has(const char *text, const char *needle);

#endif
