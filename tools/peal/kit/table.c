/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/peal/kit/table.h"

#include "tools/peal/kit/memory.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

struct cell {
    char *text;
    enum paint paint;
};

struct table {
    const struct table_column *columns;
    size_t column_count;
    struct cell *cells;
    size_t cell_count;
    size_t capacity;
};

int table_text_width(const char *text)
{
    mbstate_t state = {0};
    int width = 0;
    while (*text != '\0') {
        wchar_t wide;
        const size_t length = mbrtowc(&wide, text, strlen(text), &state);
        if (length == 0 ||
            length > strlen(text)) { /* no character of the locale: a byte, a column */
            memset(&state, 0, sizeof(state));
            width++;
            text++;
            continue;
        }
        const int columns = wcwidth(wide);
        width += columns > 0 ? columns : 0;
        text += length;
    }
    return width;
}

struct table *table_new(const struct table_column *columns, size_t count)
{
    struct table *table = memory_zeroed(1, sizeof(*table));
    table->columns = columns;
    table->column_count = count;
    return table;
}

void table_cell(struct table *table, enum paint paint, const char *format, ...)
{
    char text[512];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    table->cells =
        memory_room(table->cells, table->cell_count, &table->capacity, sizeof(*table->cells));
    table->cells[table->cell_count++] = (struct cell){memory_text("%s", text), paint};
}

static int column_width(const struct table *table, size_t column)
{
    int width = table_text_width(table->columns[column].title);
    for (size_t i = column; i < table->cell_count; i += table->column_count) {
        const int cell = table_text_width(table->cells[i].text);
        width = cell > width ? cell : width;
    }
    return width;
}

static void print_cell(const struct table *table, size_t column, int width, enum paint color,
                       const char *text)
{
    const int blanks = width - table_text_width(text);
    const bool last = column + 1 == table->column_count;
    if (table->columns[column].align == TABLE_RIGHT)
        print("%*s", blanks, "");
    if (color != PAINT_NONE)
        print("%s%s%s", paint(color), text, paint(PAINT_NONE));
    else
        print("%s", text);
    if (table->columns[column].align == TABLE_LEFT && !last)
        print("%*s", blanks, "");
    print("%s", last ? "\n" : "  ");
}

void table_print_indented(struct table *table, int indent)
{
    int *widths = memory_zeroed(table->column_count, sizeof(*widths));
    for (size_t column = 0; column < table->column_count; column++)
        widths[column] = column_width(table, column);
    print("%*s", indent, "");
    for (size_t column = 0; column < table->column_count; column++)
        print_cell(table, column, widths[column], PAINT_BOLD, table->columns[column].title);
    for (size_t i = 0; i < table->cell_count; i++) {
        const size_t column = i % table->column_count;
        if (column == 0)
            print("%*s", indent, "");
        print_cell(table, column, widths[column], table->cells[i].paint, table->cells[i].text);
        free(table->cells[i].text);
    }
    free(widths);
    free(table->cells);
    free(table);
}

void table_print(struct table *table)
{
    table_print_indented(table, 0);
}
