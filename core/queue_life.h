/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who takes part in a queue, and what becomes of their part.
 *
 * A queue is an entry of the directory like a topic: a producer has a lane, which lives as in
 * core/lane_life.h; a consumer has a subscriber entry and joins lanes by its tag. Three things are
 * different. An ORPHAN lane stays, readers or not, until its messages have been taken; consumers that
 * come later join it too. Messages are not everybody's but one's. And a consumer may die while
 * messages are its own:
 *
 *      ACTIVE(consumer) -dead-> ADOPTED(anybody) --> FREE                 it held nothing, or the
 *                                  |    ^ dead       ^                    queue drops what it held
 *                                  v    |            |
 *                               ORPHANED ---> ADOPTED(another consumer)   redelivers it
 *
 * Who adopts owns the entry and may change its claims. An adopter may die: its word names it, and the
 * entry is adopted again. Claims are settled by the rule of core/queue_claim.h. A claim that stands
 * keeps its lane.
 */
#ifndef PEAL_CORE_QUEUE_LIFE_H
#define PEAL_CORE_QUEUE_LIFE_H

#include "core/lane_life.h"
#include "core/queue_shared.h"

#define PEAL_QUEUE_ENTRY_NONE PEAL_TOPIC_SUBSCRIBERS_MAX

/* A lane with nothing left: all its messages were claimed, and those who claimed them are done. */
bool peal_queue_lane_is_done(const struct peal_topic_shared *topic,
                             struct peal_queue_lane_shared *lane);

/* Messages of the lane that nobody has claimed; at most its depth, 0 if it is spoilt. */
uint64_t peal_queue_lane_pending(const struct peal_queue_lane_shared *lane);

/* Messages of it that the dead held and that were dropped. */
uint64_t peal_queue_lane_lost(const struct peal_queue_lane_shared *lane);

/*
 * Is there anything to take or to adopt? Looks at the region only, so that any thread may ask; lanes
 * whose owner word stands in given_up[lane] do not count. It may be wrong about a lane that just ends.
 */
bool peal_queue_has_work(const struct peal_region *region, uint32_t topic,
                         const peal_u64 *given_up);

/* Adds the figures of a lane that ends to those of its queue. By who is reclaiming it. */
void peal_queue_lane_retire(struct peal_topic_shared *topic, struct peal_queue_lane_shared *lane);

/*
 * Takes the entry of a dead consumer over (asks the authority), or one that is ORPHANED, and settles
 * its claims: those that it lost are forgotten; those that it won are dropped and counted, or left for
 * a consumer to adopt. Anybody may do this at any time. True: the entry is FREE now.
 */
bool peal_queue_bury(struct peal_region *region, uint32_t topic, uint32_t entry);

/*
 * Settles the claim of an entry that we have adopted, in one lane: forgets it if it was lost, drops
 * what it holds if the queue does so, else makes it CLAIMED. True: that, and messages are left.
 */
bool peal_queue_settle(const struct peal_topic_shared *topic, struct peal_queue_lane_shared *lane,
                       uint32_t entry);

/* Adopts an ORPHANED entry of the queue for redelivery. *word: the entry's word, ours. False: none. */
bool peal_queue_adopt(struct peal_region *region, uint32_t topic, uint32_t *entry, uint64_t *word);

/* Gives an adopted entry back: FREE if nothing is left in it, else ORPHANED. */
void peal_queue_release(struct peal_region *region, uint32_t topic, uint32_t entry, uint64_t word,
                        bool is_left);

/*
 * Joins the lane for consumer entry `entry` with owner word `tag`, also as an orphan, and makes sure
 * that it is still there. EMPTY: no lane there; ECORRUPT; AGAIN: it is changing, lane_epoch moves.
 * peal_lane_leave() ends it.
 */
enum peal_status peal_queue_join(struct peal_region *region, uint32_t topic, uint32_t lane,
                                 uint32_t entry, uint64_t tag, struct peal_lane_found *found);

#endif
