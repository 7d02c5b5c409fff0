/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/peal/list/people.h"

#include "tools/peal/kit/memory.h"
#include "tools/peal/look/rates.h"

#include <stdlib.h>
#include <string.h>

static int by_name(const void *left, const void *right)
{
    const struct snapshot_topic *one = *(const struct snapshot_topic *const *)left;
    const struct snapshot_topic *other = *(const struct snapshot_topic *const *)right;
    const int order = strcmp(one->name, other->name);
    return order != 0
               ? order
               : (one->seen.index > other->seen.index) - (one->seen.index < other->seen.index);
}

const struct snapshot_topic **topics_meant(const struct snapshot *snapshot,
                                           const struct patterns *patterns, size_t *count)
{
    const struct snapshot_topic **topics =
        memory_zeroed(snapshot->topic_count, sizeof(const struct snapshot_topic *));
    *count = 0;
    for (size_t i = 0; i < snapshot->topic_count; i++)
        if (patterns_match(patterns, snapshot->topics[i].name))
            topics[(*count)++] = &snapshot->topics[i];
    qsort(topics, *count, sizeof(const struct snapshot_topic *), by_name);
    return topics;
}

uint64_t lane_depth(const struct snapshot_topic *topic, uint32_t lane)
{
    for (size_t i = 0; i < topic->publisher_count; i++)
        if (topic->publishers[i].seen.lane == lane)
            return topic->publishers[i].seen.depth;
    return 0;
}

/* Figures may be any: a sum stays at the end of the scale. */
static void add(uint64_t *sum, uint64_t more)
{
    if (__builtin_add_overflow(*sum, more, sum))
        *sum = UINT64_MAX;
}

bool taker_next(const struct looks *looks, const struct snapshot_topic *topic, size_t *at,
                struct taker *taker)
{
    if (*at >= topic->subscriber_count)
        return false;
    *taker = (struct taker){.lines = &topic->subscribers[*at]};
    for (; *at < topic->subscriber_count; (*at)++) {
        const struct snapshot_subscriber *line = &topic->subscribers[*at];
        if (line->seen.entry != taker->lines->seen.entry)
            break;
        taker->line_count++;
        add(&taker->taken, line->seen.taken);
        add(&taker->lost, line->seen.lost);
        add(&taker->held, line->seen.held);
        taker->taken_hz += subscriber_rate_hz(looks->before, &looks->now, topic, line);
        if (taker->lag_depth == 0 || line->seen.lag > taker->lag_max) {
            taker->lag_max = line->seen.lag;
            taker->lag_depth = lane_depth(topic, line->seen.lane);
        }
    }
    return true;
}

size_t topic_spoilt_lanes(const struct snapshot_topic *topic)
{
    size_t count = 0;
    for (size_t i = 0; i < topic->publisher_count; i++)
        count += topic->publishers[i].seen.is_spoilt;
    return count;
}

/* ---- colours ---- */

enum paint paint_life(enum peal_audit_life life)
{
    return life == PEAL_AUDIT_DEAD ? PAINT_DIM : PAINT_NONE;
}

enum paint paint_topic(const struct snapshot_topic *topic)
{
    if (topic->publisher_count + topic->subscriber_count == 0)
        return PAINT_NONE;
    for (size_t i = 0; i < topic->publisher_count; i++)
        if (topic->publishers[i].seen.life != PEAL_AUDIT_DEAD)
            return PAINT_NONE;
    for (size_t i = 0; i < topic->subscriber_count; i++)
        if (topic->subscribers[i].seen.life != PEAL_AUDIT_DEAD)
            return PAINT_NONE;
    return PAINT_DIM;
}

enum paint paint_losses(enum paint row, uint64_t lost)
{
    return row == PAINT_NONE && lost > 0 ? PAINT_RED : row;
}

enum paint paint_lag(enum paint row, uint64_t lag, uint64_t depth)
{
    return row == PAINT_NONE && lag_is_near(lag, depth) ? PAINT_YELLOW : row;
}
