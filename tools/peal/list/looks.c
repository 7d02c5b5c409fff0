/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/peal/list/looks.h"

#include "tools/peal/kit/fail.h"
#include "tools/peal/kit/stop.h"
#include "tools/peal/kit/units.h"

const char *looks_read_interval(const char *text, void *to)
{
    return units_read_duration(text, to) ? NULL : "a time as 2s, 500ms or 0";
}

/* Of a file, and of what nobody is attached to, one look tells all. */
static bool can_move(const struct snapshot *snapshot)
{
    return snapshot->region.members_known && snapshot->region.members != 0;
}

int looks_take(struct looks *looks, const char *url, const struct looks_span *span)
{
    looks->watch.url = url;
    enum peal_status status = watch_look(&looks->watch, &looks->now);
    if (status == PEAL_OK && span->interval_ns > 0 && !span->no_rates && can_move(&looks->now)) {
        looks->first = looks->now;
        looks->now = (struct snapshot){0};
        (void)stop_wait_until(looks->first.taken_ns + span->interval_ns);
        status = watch_look(&looks->watch, &looks->now);
        looks->before = &looks->first;
    }
    if (status == PEAL_OK)
        return EXIT_DONE;
    const int code = watch_fail(&looks->watch, status);
    looks_free(looks);
    return code;
}

void looks_free(struct looks *looks)
{
    snapshot_free(&looks->first);
    snapshot_free(&looks->now);
    watch_close(&looks->watch);
    looks->before = NULL;
}
