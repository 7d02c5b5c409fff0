/* SPDX-License-Identifier: Apache-2.0 */
/* Topics and who takes part in them, as listings show them: in order of their names, subscribers once, dead ones dim. */
#ifndef PEAL_TOOLS_PEAL_LIST_PEOPLE_H
#define PEAL_TOOLS_PEAL_LIST_PEOPLE_H

#include "tools/peal/kit/output.h"
#include "tools/peal/list/looks.h"
#include "tools/peal/look/pattern.h"

/* Those that are meant, by name. The caller frees the array; what it points to is the snapshot's. */
const struct snapshot_topic **topics_meant(const struct snapshot *snapshot,
                                           const struct patterns *patterns, size_t *count);

/* One subscriber of a topic, or one who pops: sums over the lanes that it reads. */
struct taker {
    const struct snapshot_subscriber *lines; /* the first of */
    size_t line_count;
    uint64_t lag_max;
    uint64_t lag_depth; /* of that lane */
    uint64_t taken;
    uint64_t lost;
    uint64_t held;
    double taken_hz;
};

/* The one whose lines begin at *at, which is 0 first; false: there are no more. */
bool taker_next(const struct looks *looks, const struct snapshot_topic *topic, size_t *at,
                struct taker *taker);

/* Slots of a lane of the topic; 0: it has none of that number. */
uint64_t lane_depth(const struct snapshot_topic *topic, uint32_t lane);

/* Lanes that make no sense. */
size_t topic_spoilt_lanes(const struct snapshot_topic *topic);

/* Dim if whoever it is has died; a topic: if all have. */
enum paint paint_life(enum peal_audit_life life);
enum paint paint_topic(const struct snapshot_topic *topic);

/* Dim stays dim; otherwise red if there are any, yellow if the lag is near the depth. */
enum paint paint_losses(enum paint row, uint64_t lost);
enum paint paint_lag(enum paint row, uint64_t lag, uint64_t depth);

#endif
