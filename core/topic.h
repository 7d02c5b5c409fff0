/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Topic entries seen from inside: what core/directory.c (the entries), core/topic_join.c (who takes
 * part), core/topic_type.c, core/lane_*.c and core/recover.c share. Nobody else includes this.
 */
#ifndef PEAL_CORE_TOPIC_H
#define PEAL_CORE_TOPIC_H

#include "core/directory.h"
#include "core/owner.h"

#define PEAL_TOPIC_NAME_WORDS (PEAL_TOPIC_NAME_BYTES / 8u)

/* How often the bounded loops of the directory start over before they say AGAIN. */
#define PEAL_TOPIC_ATTEMPTS 64u

struct peal_topic_name {
    uint64_t words[PEAL_TOPIC_NAME_WORDS];
    struct peal_queue_wish queue; /* what to make if there is none; kind 0: a topic */
};

/*
 * Finds the READY topic of that name or makes it. *word: its owner word as seen. Until the caller holds
 * an entry in it and peal_topic_hold() has agreed, it may vanish. `attempt` (below
 * PEAL_TOPIC_ATTEMPTS): how often the caller has tried; in later ones rivals are treated with less
 * patience. OK; AGAIN without message: contended; ELIMIT with message.
 */
enum peal_status peal_topic_find_or_make(struct peal_region *region,
                                         const struct peal_topic_name *name, uint32_t attempt,
                                         uint32_t *topic, uint64_t *word);

/* After the caller has claimed an entry in `topic`: is it that name's topic still? Takes it back
 * from a closer. If false, the caller gives its entry back. */
bool peal_topic_hold(struct peal_region *region, uint32_t topic, const struct peal_topic_name *name,
                     uint64_t word);

/* Does anybody take part? */
bool peal_topic_is_used(const struct peal_topic_shared *topic);

/*
 * Checks `type` against that of a topic in which the caller holds an entry, or sets it if the topic
 * is untyped as yet. OK; EMISMATCH, AGAIN with message.
 */
enum peal_status peal_topic_check_type(struct peal_region *region, uint32_t topic,
                                       const struct peal_topic_type *type);

/* After a participant's entry was given back: it may have been the last reader of orphans, even of some
 * that it was invited to and never saw, and the last user of the topic. */
void peal_topic_tidy(struct peal_region *region, uint32_t topic);

/* Is the state one of a participant's? Unknown states are nobody's. */
static inline bool peal_subscriber_is_held(uint64_t word)
{
    uint32_t state = peal_owner_state(word);
    return state >= PEAL_SUBSCRIBER_CLAIMED && state <= PEAL_SUBSCRIBER_ADOPTED;
}

/* Are the entry's lanes those of a queue? A topic's entries have no ORPHANED and no ADOPTED. */
static inline bool peal_topic_is_queue(const struct peal_topic_shared *topic)
{
    /* relaxed: published by the entry's owner word */
    return peal_u32_load_relaxed(&topic->queue.kind) == PEAL_TOPIC_IS_QUEUE;
}

static inline bool peal_lane_is_held(uint64_t word)
{
    uint32_t state = peal_owner_state(word);
    return state >= PEAL_LANE_CLAIMED && state <= PEAL_LANE_OPENING;
}

/* ... and of one whose publisher lives, as far as anybody has looked. */
static inline bool peal_lane_is_published(uint64_t word)
{
    uint32_t state = peal_owner_state(word);
    return state == PEAL_LANE_CLAIMED || state == PEAL_LANE_OPENING || state == PEAL_LANE_ACTIVE;
}

#endif
