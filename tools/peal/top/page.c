/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/peal/top/page.h"

#include "tools/peal/kit/memory.h"
#include "tools/peal/top/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static size_t line_room_bytes(int width)
{
    return 4 * (size_t)width + 1; /* a character of UTF-8 has 4 bytes at most */
}

static void make_room(struct top_page *page, int width, int height)
{
    if (width <= page->width_room && height <= page->line_room)
        return;
    top_page_free(page);
    page->lines = memory_zeroed((size_t)height, sizeof(*page->lines));
    page->line_room = height;
    page->width_room = width;
    for (int i = 0; i < height; i++)
        page->lines[i].text = memory_zeroed(1, line_room_bytes(width));
}

void top_page_begin(struct top_page *page, int width, int height)
{
    width = width > 1 ? width : 1;
    height = height > 1 ? height : 1;
    make_room(page, width, height);
    page->width = width;
    page->height = height;
    page->next = 0;
    for (int i = 0; i < height; i++) {
        struct top_line *line = &page->lines[i];
        line->text[0] = '\0';
        line->bytes = 0;
        line->columns = 0;
        line->style = 0;
        line->piece_count = 0;
    }
}

void top_page_free(struct top_page *page)
{
    for (int i = 0; i < page->line_room; i++)
        free(page->lines[i].text);
    free(page->lines);
    memset(page, 0, sizeof(*page));
}

void top_page_put(struct top_page *page, unsigned style, const char *text)
{
    if (page->next >= page->height)
        return;
    struct top_line *line = &page->lines[page->next];
    if (line->columns >= page->width || line->piece_count >= TOP_PIECES_MAX)
        return;
    char *to = line->text + line->bytes;
    line->columns += top_text_fit(to, line_room_bytes(page->width_room) - line->bytes, text,
                                  page->width - line->columns);
    const size_t bytes = strlen(to);
    if (bytes == 0)
        return;
    line->pieces[line->piece_count++] = (struct top_piece){line->bytes, bytes, style};
    line->bytes += bytes;
}

void top_page_print(struct top_page *page, unsigned style, const char *format, ...)
{
    char text[1024];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    top_page_put(page, style, text);
}

void top_page_tab(struct top_page *page, unsigned style, int column)
{
    if (page->next >= page->height)
        return;
    const int blanks = column - page->lines[page->next].columns;
    if (blanks > 0)
        top_page_print(page, style, "%*s", blanks, "");
}

void top_page_end_line(struct top_page *page, unsigned style)
{
    if (page->next >= page->height)
        return;
    page->lines[page->next].style = style;
    page->next++;
}

int top_page_left(const struct top_page *page)
{
    return page->height - page->next;
}
