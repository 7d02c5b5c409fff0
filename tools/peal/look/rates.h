/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What happened between two looks, and sums over those who take part. Whoever is not in both counts from zero if it came in
 * between, and not at all if it went. A counter that steps back is a lie, or another's: no rate.
 */
#ifndef PEAL_TOOLS_PEAL_LOOK_RATES_H
#define PEAL_TOOLS_PEAL_LOOK_RATES_H

#include "tools/peal/look/snapshot.h"

/* Sums of one topic in one snapshot; of a queue: of those who push and pop. */
struct topic_sums {
    uint32_t publishers;  /* that have not ended */
    uint32_t subscribers; /* each once, however many lanes it reads */
    uint64_t published;   /* with those of queues' ended lanes */
    uint64_t dropped;     /* for want of room: newest; and by queues: oldest */
    uint64_t taken;
    uint64_t lost;    /* told to subscribers; of a queue: dropped for who had them died */
    uint64_t lag_max; /* of the subscriber that is farthest behind; a queue's: pending */
    uint64_t
        lag_depth;    /* slots of that subscriber's lane, else of the deepest; a queue's: `depth` */
    uint64_t pending; /* of a queue */
    uint64_t redelivered;
    uint64_t lane_bytes;
    uint64_t depth; /* slots of all lanes */
    uint64_t newest_ns;
    double bytes_per_message; /* mean over the lanes, weighed by what they published */
};

/* Three quarters of the room, or more: soon messages are lost, dropped or waited for. */
bool lag_is_near(uint64_t lag, uint64_t depth);

struct topic_sums topic_sums(const struct snapshot_topic *topic);

/* Per second, of one topic from `before` to `now`. */
struct topic_rates {
    double published_hz;
    double bytes_per_s;
    double taken_hz;
    double lost_hz;
    double dropped_hz;
};

struct topic_rates topic_rates(const struct snapshot *before, const struct snapshot *now,
                               const struct snapshot_topic *topic);

/* Likewise of one who takes part, for topics' details. `topic` is of `now`. */
double publisher_rate_hz(const struct snapshot *before, const struct snapshot *now,
                         const struct snapshot_topic *topic,
                         const struct snapshot_publisher *publisher);
double subscriber_rate_hz(const struct snapshot *before, const struct snapshot *now,
                          const struct snapshot_topic *topic,
                          const struct snapshot_subscriber *subscriber);

#endif
