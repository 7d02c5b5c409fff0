/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/peal/look/rates.h"

#include <string.h>

/* Hostile figures may be as large as they like; a sum stays where it is rather than start again. */
static void add(uint64_t *sum, uint64_t more)
{
    if (__builtin_add_overflow(*sum, more, sum))
        *sum = UINT64_MAX;
}

static void add_publishers(struct topic_sums *sums, const struct snapshot_topic *topic)
{
    double bytes = 0, weight = 0;
    for (size_t i = 0; i < topic->publisher_count; i++) {
        const struct peal_observer_publisher *seen = &topic->publishers[i].seen;
        if (!seen->has_ended)
            sums->publishers++;
        add(&sums->published, seen->published);
        add(&sums->dropped, seen->dropped);
        add(&sums->dropped, seen->dropped_oldest);
        add(&sums->pending, seen->pending);
        add(&sums->lane_bytes, seen->lane_bytes);
        add(&sums->depth, seen->depth);
        if (seen->depth > sums->lag_depth)
            sums->lag_depth = seen->depth;
        if (topic->seen.is_queue)
            add(&sums->lost, seen->lost);
        if (seen->newest_ns > sums->newest_ns)
            sums->newest_ns = seen->newest_ns;
        if (seen->bytes_per_message > 0) {
            bytes += seen->bytes_per_message * (double)seen->published;
            weight += (double)seen->published;
        }
    }
    sums->bytes_per_message = weight > 0 ? bytes / weight : 0;
}

static uint64_t depth_of_lane(const struct snapshot_topic *topic, uint32_t lane)
{
    for (size_t i = 0; i < topic->publisher_count; i++)
        if (topic->publishers[i].seen.lane == lane)
            return topic->publishers[i].seen.depth;
    return 0;
}

static void add_subscribers(struct topic_sums *sums, const struct snapshot_topic *topic)
{
    for (size_t i = 0; i < topic->subscriber_count; i++) {
        const struct peal_observer_subscriber *seen = &topic->subscribers[i].seen;
        const bool counted = i > 0 && topic->subscribers[i - 1].seen.entry == seen->entry;
        if (!counted && !seen->is_remains)
            sums->subscribers++;
        add(&sums->taken, seen->taken);
        add(&sums->redelivered, seen->redelivered);
        if (!topic->seen.is_queue)
            add(&sums->lost, seen->lost);
        if (seen->lag > sums->lag_max) {
            sums->lag_max = seen->lag;
            sums->lag_depth = depth_of_lane(topic, seen->lane);
        }
    }
}

bool lag_is_near(uint64_t lag, uint64_t depth)
{
    return depth > 0 && lag >= depth - depth / 4;
}

struct topic_sums topic_sums(const struct snapshot_topic *topic)
{
    struct topic_sums sums = {0};
    add_publishers(&sums, topic);
    add_subscribers(&sums, topic);
    add(&sums.published, topic->seen.ended_pushed);
    add(&sums.dropped, topic->seen.ended_dropped_oldest);
    add(&sums.dropped, topic->seen.ended_dropped_newest);
    add(&sums.lost, topic->seen.ended_lost);
    if (topic->seen.is_queue) {
        sums.lag_max = sums.pending;
        sums.lag_depth = sums.depth;
    }
    return sums;
}

/* ---- the same one in the snapshot before ---- */

static const struct snapshot_topic *topic_before(const struct snapshot *before,
                                                 const struct snapshot_topic *topic)
{
    for (size_t i = 0; before && i < before->topic_count; i++)
        if (before->topics[i].seen.index == topic->seen.index &&
            before->topics[i].seen.is_queue == topic->seen.is_queue &&
            strcmp(before->topics[i].name, topic->name) == 0)
            return &before->topics[i];
    return NULL;
}

static const struct peal_observer_publisher *
publisher_before(const struct snapshot_topic *before, const struct peal_observer_publisher *seen)
{
    for (size_t i = 0; before && i < before->publisher_count; i++)
        if (before->publishers[i].seen.lane == seen->lane &&
            before->publishers[i].seen.incarnation == seen->incarnation)
            return &before->publishers[i].seen;
    return NULL;
}

static const struct peal_observer_subscriber *
subscriber_before(const struct snapshot_topic *before, const struct peal_observer_subscriber *seen)
{
    for (size_t i = 0; before && i < before->subscriber_count; i++)
        if (before->subscribers[i].seen.entry == seen->entry &&
            before->subscribers[i].seen.lane == seen->lane &&
            before->subscribers[i].seen.client == seen->client)
            return &before->subscribers[i].seen;
    return NULL;
}

/* ---- differences ---- */

static double seconds(const struct snapshot *before, const struct snapshot *now)
{
    if (!before || before->taken_ns == 0 || now->taken_ns <= before->taken_ns ||
        before->region.generation != now->region.generation)
        return 0;
    return (double)(now->taken_ns - before->taken_ns) / 1e9;
}

static double gained(uint64_t from, uint64_t to)
{
    return to > from ? (double)(to - from) : 0;
}

struct topic_rates topic_rates(const struct snapshot *before, const struct snapshot *now,
                               const struct snapshot_topic *topic)
{
    static const struct peal_observer_publisher no_publisher;
    static const struct peal_observer_subscriber no_subscriber;
    struct topic_rates rates = {0};
    const double span_s = seconds(before, now);
    const struct snapshot_topic *was = topic_before(before, topic);
    if (!(span_s > 0))
        return rates;
    for (size_t i = 0; i < topic->publisher_count; i++) {
        const struct peal_observer_publisher *to = &topic->publishers[i].seen;
        const struct peal_observer_publisher *from = publisher_before(was, to);
        if (from && from->is_spoilt) /* its figures were none */
            continue;
        from = from ? from : &no_publisher;
        const double published = gained(from->published, to->published);
        rates.published_hz += published / span_s;
        rates.bytes_per_s += published * to->bytes_per_message / span_s;
        rates.dropped_hz += (gained(from->dropped, to->dropped) +
                             gained(from->dropped_oldest, to->dropped_oldest)) /
                            span_s;
        if (topic->seen.is_queue)
            rates.lost_hz += gained(from->lost, to->lost) / span_s;
    }
    for (size_t i = 0; i < topic->subscriber_count; i++) {
        const struct peal_observer_subscriber *to = &topic->subscribers[i].seen;
        const struct peal_observer_subscriber *from = subscriber_before(was, to);
        from = from ? from : &no_subscriber;
        rates.taken_hz += gained(from->taken, to->taken) / span_s;
        if (!topic->seen.is_queue)
            rates.lost_hz += gained(from->lost, to->lost) / span_s;
    }
    return rates;
}

double publisher_rate_hz(const struct snapshot *before, const struct snapshot *now,
                         const struct snapshot_topic *topic,
                         const struct snapshot_publisher *publisher)
{
    const struct peal_observer_publisher *from =
        publisher_before(topic_before(before, topic), &publisher->seen);
    const double span_s = seconds(before, now);
    if (from && from->is_spoilt)
        return 0;
    return span_s > 0 ? gained(from ? from->published : 0, publisher->seen.published) / span_s : 0;
}

double subscriber_rate_hz(const struct snapshot *before, const struct snapshot *now,
                          const struct snapshot_topic *topic,
                          const struct snapshot_subscriber *subscriber)
{
    const struct peal_observer_subscriber *from =
        subscriber_before(topic_before(before, topic), &subscriber->seen);
    const double span_s = seconds(before, now);
    return span_s > 0 ? gained(from ? from->taken : 0, subscriber->seen.taken) / span_s : 0;
}
