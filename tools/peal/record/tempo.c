/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/peal/record/tempo.h"

#include "tools/peal/kit/units.h"

#include <stdio.h>
#include <string.h>

const char *tempo_read(const char *text, void *to)
{
    static const char valid[] = "a factor as 2x or 0.5x, or max";
    char number[32];
    double *rate = to;
    if (strcmp(text, "max") == 0) {
        *rate = 0;
        return NULL;
    }
    const size_t length = strlen(text);
    if (length == 0 || length >= sizeof(number))
        return valid;
    (void)snprintf(number, sizeof(number), "%s", text);
    if (number[length - 1] == 'x')
        number[length - 1] = '\0';
    return units_read_real(number, rate) && *rate >= 1e-6 && *rate <= 1e6 ? NULL : valid;
}

uint64_t tempo_due_ns(const struct tempo *tempo, uint64_t log_ns)
{
    if (tempo->rate <= 0 || log_ns <= tempo->first_ns)
        return tempo->begin_ns;
    const double after_ns = (double)(log_ns - tempo->first_ns) / tempo->rate;
    /* Times of a foreign file may be anything; this is far enough. */
    return after_ns < 9e18 ? tempo->begin_ns + (uint64_t)after_ns : UINT64_MAX;
}
