/* SPDX-License-Identifier: Apache-2.0 */
/* How values are written in a width. */
#include "tools/peal/kit/units.h"
#include "tools/peal/top/grid.h"
#include "tools/peal/top/text.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* "3 h 20 min" is "3h20min", and "1.50 KiB" "1.50KiB": a column has little room. */
static void squeeze(char *text)
{
    char *to = text;
    for (; *text != '\0'; text++)
        if (*text != ' ')
            *to++ = *text;
    *to = '\0';
}

static void number_text(struct units_text *text, const struct top_column *column,
                        const struct top_value *value)
{
    switch (column->kind) {
    case TOP_COUNT:
        units_count(text, value->count);
        break;
    case TOP_BYTES:
        units_bytes(text, value->real < 1.8e19 ? (uint64_t)value->real : UINT64_MAX);
        break;
    case TOP_RATE:
        units_rate(text, value->real);
        break;
    case TOP_BANDWIDTH:
        units_bandwidth(text, value->real);
        break;
    case TOP_DURATION:
        units_duration(text, value->count);
        break;
    default:
        (void)snprintf(text->text, sizeof(text->text), "%.0f%%", value->real * 100);
    }
    squeeze(text->text);
}

const char *top_cell_text(struct top_cell_text *text, const struct top_column *column,
                          const struct top_value *value)
{
    struct units_text number;
    if (!value->known) {
        (void)snprintf(text->text, sizeof(text->text), "-");
    } else if (top_kind_is_text(column->kind)) {
        (void)snprintf(text->text, sizeof(text->text), "%s", value->text);
    } else {
        number_text(&number, column, value);
        (void)snprintf(text->text, sizeof(text->text), "%s", number.text);
    }
    return text->text;
}

/* "[###-----]", or blocks of eighths. */
static void bar_write(char *to, size_t room_bytes, double part, int width)
{
    static const char *const eighths[] = {" ", "▏", "▎", "▍", "▌", "▋", "▊", "▉", "█"};
    const bool blocks = top_text_has_blocks();
    const double clipped = part > 1 ? 1 : part > 0 ? part : 0;
    int filled = (int)lround(clipped * width * 8);
    if (filled == 0 && clipped > 0) /* a little is not nothing */
        filled = 1;
    size_t length = 0;
    for (int i = 0; i < width; i++, filled -= 8) {
        const int part_8 = filled > 8 ? 8 : filled > 0 ? filled : 0;
        const char *glyph = blocks ? part_8 > 0 ? eighths[part_8] : "·" : part_8 > 0 ? "#" : ".";
        if (length + strlen(glyph) >= room_bytes)
            break;
        memcpy(to + length, glyph, strlen(glyph));
        length += strlen(glyph);
    }
    to[length] = '\0';
}

static void align(char *to, size_t room_bytes, const char *text, int width, bool right)
{
    const int blanks = width - top_text_columns(text);
    size_t at = 0;
    if (right && blanks > 0) {
        memset(to, ' ', (size_t)blanks);
        at = (size_t)blanks;
    }
    const int used = top_text_fit(to + at, room_bytes - at, text, width);
    at += strlen(to + at);
    if (!right && used < width && at + (size_t)(width - used) < room_bytes) {
        memset(to + at, ' ', (size_t)(width - used));
        to[at + (size_t)(width - used)] = '\0';
    }
}

static bool is_left(const struct top_column *column)
{
    return top_kind_is_text(column->kind) || column->kind == TOP_BAR;
}

void top_cell_write(char *to, size_t room_bytes, const struct top_column *column,
                    const struct top_value *value, int width)
{
    struct top_cell_text text;
    if (column->kind == TOP_BAR && value->known)
        bar_write(to, room_bytes, value->real, width);
    else
        align(to, room_bytes, top_cell_text(&text, column, value), width, !is_left(column));
}

void top_title_write(char *to, size_t room_bytes, const struct top_column *column, int width)
{
    align(to, room_bytes, column->title, width, !is_left(column));
}
