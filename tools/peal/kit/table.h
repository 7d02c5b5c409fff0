/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A table for people: columns as wide as their cells, as the terminal counts them.
 *
 *      static const struct table_column columns[] = {{"TOPIC", TABLE_LEFT}, {"RATE", TABLE_RIGHT}};
 *      struct table *table = table_new(columns, 2);
 *      table_cell(table, PAINT_NONE, "%s", name);
 *      table_cell(table, PAINT_GREEN, "%s", rate);       a row is full after as many cells as columns
 *      table_print(table);                               prints and frees
 */
#ifndef PEAL_TOOLS_PEAL_KIT_TABLE_H
#define PEAL_TOOLS_PEAL_KIT_TABLE_H

#include "tools/peal/kit/output.h"

#include <stddef.h>

enum table_align { TABLE_LEFT = 0, TABLE_RIGHT = 1 };

struct table_column {
    const char *title;
    enum table_align align;
};

struct table;

/* `columns` stays the caller's, and in place. */
struct table *table_new(const struct table_column *columns, size_t count);

void table_cell(struct table *table, enum paint paint, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Prints the heading and all rows, each after `indent` spaces, and frees the table. */
void table_print_indented(struct table *table, int indent);
void table_print(struct table *table);

/* How many columns a terminal needs for a text in UTF-8. */
int table_text_width(const char *text);

#endif
