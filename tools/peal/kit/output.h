/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Standard output. Whatever is printed here is known to have arrived, or the program says in one line that it has not (the
 * disk is full, who read it has gone) and ends with EXIT_FAILED. SIGPIPE is ignored, so that EPIPE is told.
 */
#ifndef PEAL_TOOLS_PEAL_KIT_OUTPUT_H
#define PEAL_TOOLS_PEAL_KIT_OUTPUT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum color_when { COLOR_AUTO = 0, COLOR_ALWAYS = 1, COLOR_NEVER = 2 };

enum paint {
    PAINT_NONE = 0,
    PAINT_BOLD,
    PAINT_DIM,
    PAINT_RED,
    PAINT_GREEN,
    PAINT_YELLOW,
    PAINT_CYAN
};

/* COLOR_AUTO: on a terminal that is not "dumb", unless NO_COLOR is set (https://no-color.org). */
void output_color(enum color_when when);

bool output_is_terminal(void);

/* The escape sequence, or "" without colour. PAINT_NONE ends a colour. */
const char *paint(enum paint paint);

void print(const char *format, ...) __attribute__((format(printf, 1, 2)));
void print_bytes(const void *data, size_t size_bytes);

/* Take the reference. Members in the order in which they were set. A listing is one value over several lines; a stream is a
 * line a value. */
void print_json(json_t *value);
void print_json_line(json_t *value);

/* Values for it. A figure beyond what JSON's integers hold here becomes a real; an id is text, for readers whose numbers are
 * doubles; what is no number is null. */
json_t *json_u64(uint64_t figure);
json_t *json_id(uint64_t id); /* "0x00000000deadbeef" */
json_t *json_finite(double real);

/* Everything is out: EXIT_DONE. Otherwise EXIT_FAILED, told once. Streams call it after each portion, and end if it fails;
 * main() calls it at the end. */
int output_flush(void);

#endif
