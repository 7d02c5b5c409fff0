/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an observer sees of a region, in the words of peal/observer.h. core/observe.c walks over region,
 * clients and topics, core/observe_lane.c reads lanes.
 *
 * It only reads. Each thing is read under its owner word: the word, the thing, the word again. If it has
 * moved the thing is read anew, PEAL_OBSERVE_LOOKS times at most, and then left out. The page looks bound
 * what overlapping lanes of a hostile peer can cost; honest ones do not overlap.
 */
#ifndef PEAL_CORE_OBSERVE_H
#define PEAL_CORE_OBSERVE_H

#include "core/lane_geometry.h"
#include "core/queue_geometry.h"
#include "core/region.h"

#include <peal/observer.h>

#define PEAL_OBSERVE_LOOKS 4u
#define PEAL_OBSERVE_NO_LANE UINT32_MAX

/* What stands in a lane about the subscriber of an entry, read before the messages were counted. */
struct peal_observe_line {
    bool is_joined; /* the line is his */
    uint64_t cursor;
    uint64_t taken;
    uint64_t lost;
    uint64_t redelivered;
    uint32_t held;
};

/* A lane as it was seen. */
struct peal_observe_lane {
    bool is_seen; /* there is one, and it held still */
    struct peal_observer_publisher publisher;
    char name[32 + 1];
    struct peal_observe_line lines[PEAL_TOPIC_SUBSCRIBERS_MAX];
};

struct peal_observe_walk {
    struct peal_region region;
    const struct peal_authority *authority; /* NULL: who lives is not known */
    uint64_t members;                       /* as of the beginning */
    const struct peal_observer_visitor *visitor;
    uint64_t page_looks_left;
    struct peal_observe_lane lanes[PEAL_TOPIC_LANES_MAX]; /* of the topic at hand */
};

/* OK, EFORMAT, EINVAL. `authority` may be NULL. */
enum peal_status peal_observe_region(const void *memory, uint64_t size_bytes,
                                     const struct peal_observer_visitor *visitor,
                                     const struct peal_authority *authority);

/* peal_observer_peek(). */
enum peal_status peal_observe_message(const void *memory, uint64_t size_bytes, uint32_t topic,
                                      uint32_t lane, uint64_t number, void *buffer,
                                      size_t capacity_bytes, struct peal_message *message);

/* ---- the parts ---- */

/* Does the owner that `word` names live? `word` was read before. */
enum peal_audit_life peal_observe_life(struct peal_observe_walk *walk, uint64_t word);

/* Reads walk->lanes[lane] of a topic. */
void peal_observe_lane(struct peal_observe_walk *walk, uint32_t topic, uint32_t lane);

#endif
