/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/peal/look/joined.h"

void joined_look(struct joined *joined)
{
    (void)watch_look(&joined->watch, &joined->now); /* an observer that could not be had is NULL */
}

/* NULL if it is not to be seen. */
static const struct snapshot_publisher *find(const struct snapshot_topic *topic,
                                             uint64_t incarnation)
{
    for (size_t i = 0; topic && i < topic->publisher_count; i++)
        if (topic->publishers[i].seen.incarnation == incarnation)
            return &topic->publishers[i];
    return NULL;
}

uint32_t joined_count(const struct joined *joined, const char *topic,
                      struct peal_publisher *publisher)
{
    struct peal_publisher_stats stats = {.struct_bytes = sizeof(stats)};
    uint32_t count = 0;
    if (peal_publisher_stats(publisher, &stats) != PEAL_OK)
        return 0;
    if (!joined->watch.observer)
        return stats.subscribers;
    const struct snapshot_topic *seen = snapshot_topic(&joined->now, topic);
    const struct snapshot_publisher *of = find(seen, stats.incarnation);
    for (size_t i = 0; of && i < seen->subscriber_count; i++)
        count += seen->subscribers[i].seen.lane == of->seen.lane &&
                 seen->subscribers[i].seen.cursor_known;
    return count;
}

void joined_end(struct joined *joined)
{
    snapshot_free(&joined->now);
    watch_close(&joined->watch);
}
