/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The terminal, by ncurses: pages go out, keys come in. However the program ends, the terminal is as it was before.
 */
#ifndef PEAL_TOOLS_PEAL_TOP_SCREEN_H
#define PEAL_TOOLS_PEAL_TOP_SCREEN_H

#include "tools/peal/top/page.h"

#include <stdint.h>

/* Takes the terminal. EXIT_DONE, or the exit code, why having been told. */
int screen_begin(void);

/* Gives it back. Without effect where nothing was taken. */
void screen_end(void);

void screen_size(int *width, int *height);
void screen_show(const struct top_page *page);

/* The next key that was pressed (enum top_key), or TOP_KEY_NONE. Does not wait. */
uint32_t screen_key(void);

/* Waits for a key, a new size, or to be stopped; at most until `deadline_ns` (clock_now_ns()). */
void screen_wait(uint64_t deadline_ns);

#endif
