/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/peal/kit/memory.h"

#include "tools/peal/kit/fail.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static void *or_end(void *memory)
{
    if (!memory)
        exit(fail(EXIT_FAILED, "there is not enough memory"));
    return memory;
}

void *memory_zeroed(size_t count, size_t each_bytes)
{
    return or_end(calloc(count > 0 ? count : 1, each_bytes));
}

void *memory_room(void *array, size_t count, size_t *capacity, size_t each_bytes)
{
    if (count < *capacity)
        return array;
    *capacity = *capacity > 0 ? *capacity * 2 : 16;
    return or_end(reallocarray(array, *capacity, each_bytes));
}

char *memory_text(const char *format, ...)
{
    char *text = NULL;
    va_list arguments;
    va_start(arguments, format);
    if (vasprintf(&text, format, arguments) < 0)
        text = NULL;
    va_end(arguments);
    return or_end(text);
}
