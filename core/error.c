/* SPDX-License-Identifier: Apache-2.0 */
#include "core/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define MESSAGE_BYTES 512u

static _Thread_local char message[MESSAGE_BYTES];

enum peal_status peal_fail(enum peal_status status, const char *format, ...)
{
    /* Formatted aside first: an argument may be the present message itself. */
    char text[MESSAGE_BYTES];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    memcpy(message, text, sizeof(message));
    return status;
}

enum peal_status peal_fail_context(enum peal_status status, const char *format, ...)
{
    char text[MESSAGE_BYTES];
    va_list arguments;
    va_start(arguments, format);
    int written = vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    if (written < 0 || (size_t)written >= sizeof(text))
        written = (int)sizeof(text) - 1;
    /* A chain that is too long loses its end; looking at the result tells the compiler that this is meant. */
    if (snprintf(text + written, sizeof(text) - (size_t)written, ": %s", message) < 0)
        text[written] = '\0';
    memcpy(message, text, sizeof(message));
    return status;
}

const char *peal_error_message(void)
{
    return message;
}

const char *peal_status_text(enum peal_status status)
{
    switch (status) {
#define TEXT(name, value, text)                                                                    \
    case PEAL_##name:                                                                              \
        return text;
        PEAL_STATUS_MAP(TEXT)
#undef TEXT
    }
    return "unknown status";
}

const char *peal_status_name(enum peal_status status)
{
    switch (status) {
#define NAME(name, value, text)                                                                    \
    case PEAL_##name:                                                                              \
        return "PEAL_" #name;
        PEAL_STATUS_MAP(NAME)
#undef NAME
    }
    return "PEAL_?";
}
