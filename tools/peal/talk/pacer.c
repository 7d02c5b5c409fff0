/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/peal/talk/pacer.h"

#include "tools/peal/kit/stop.h"

#include <math.h>

#define LATEST_NS ((double)(UINT64_MAX / 4)) /* far enough: 146 years */

void pacer_begin(struct pacer *pacer, double rate_hz, uint64_t now_ns)
{
    *pacer = (struct pacer){.begin_ns = now_ns};
    if (!isinf(rate_hz))
        pacer->interval_ns = fmin((double)NS_PER_S / rate_hz, LATEST_NS);
}

uint64_t pacer_next_ns(struct pacer *pacer, uint64_t now_ns)
{
    const double passed_ns = fmin((double)pacer->count++ * pacer->interval_ns, LATEST_NS);
    if (!(pacer->interval_ns > 0))
        return now_ns;
    const uint64_t due_ns = pacer->begin_ns + (uint64_t)passed_ns;
    if (due_ns + NS_PER_S >= now_ns)
        return due_ns;
    pacer->begin_ns = now_ns;
    pacer->count = 1;
    pacer->behind++;
    return now_ns;
}
