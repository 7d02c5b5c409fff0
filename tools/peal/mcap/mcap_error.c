/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/peal/mcap/mcap_error.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum mcap_status mcap_fail(struct mcap_error *error, enum mcap_status status, uint64_t offset,
                           const char *format, ...)
{
    int used = 0;
    error->status = status;
    error->system = 0;
    error->offset = offset;
    if (offset != MCAP_NOWHERE)
        used = snprintf(error->text, sizeof(error->text), "at byte %" PRIu64 ": ", offset);
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(error->text + used, sizeof(error->text) - (size_t)used, format, arguments);
    va_end(arguments);
    return status;
}

enum mcap_status mcap_fail_system(struct mcap_error *error, int number, uint64_t offset,
                                  const char *what)
{
    char words[128];
    enum mcap_status status = mcap_fail(error, MCAP_SYSTEM, offset, "%s: %s", what,
                                        strerror_r(number, words, sizeof(words)));
    error->system = number;
    return status;
}
