/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PEAL_TOOLS_PEAL_TOP_TERMINAL_H
#define PEAL_TOOLS_PEAL_TOP_TERMINAL_H

#include <stdbool.h>

/* The terminal is of a kind that is known, and can put its cursor anywhere. (A file of its own: <term.h> makes macros of words
 * such as `columns` and `lines`.) */
bool terminal_can_draw(void);

#endif
