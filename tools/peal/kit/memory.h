/* SPDX-License-Identifier: Apache-2.0 */
/* Memory, or the end of the program with one line: a tool that cannot have some kilobytes cannot go on. */
#ifndef PEAL_TOOLS_PEAL_KIT_MEMORY_H
#define PEAL_TOOLS_PEAL_KIT_MEMORY_H

#include <stddef.h>

void *memory_zeroed(size_t count, size_t each_bytes);

/* An array with room for one more than `count`: `array` itself, or moved to a place twice as large. */
void *memory_room(void *array, size_t count, size_t *capacity, size_t each_bytes);

char *memory_text(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
