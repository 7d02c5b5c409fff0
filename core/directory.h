/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The directory: topics by name, and who takes part in them.
 *
 * A topic's life (owner word of its entry):
 *
 *      FREE -CAS-> CLAIMED(maker) -> OFFERED(maker) -CAS-> READY -CAS-> CLOSING -CAS-> FREE
 *                                                            ^------------' taken back by a user
 *
 * Joining is Dekker's handshake with closing: the joiner claims its subscriber or lane entry, full
 * fence, looks at the topic's word again; the closer makes it CLOSING, full fence, looks at all
 * entries. One of them sees the other. A joiner that meets CLOSING swaps it back to READY itself and
 * needs not wait for the closer. Who leaves clears its entry, full fence, tries to close; if it meets
 * another closer it relies on that one, which looks once more after it has put READY back.
 *
 * Two makers of one name: each writes the name, makes its entry OFFERED, full fence, and looks at all
 * other entries. A READY one of the name wins. Of two offers the lower entry wins and the other is
 * withdrawn, by its own maker or by the rival; to withdraw an offer takes nothing from anybody but
 * the race. (That the lower one wins is not enough by itself: the higher one may have looked before
 * the lower one appeared. Therefore the offer must be swapped away before the lower one is READY.)
 * A maker that meets a better offer whose maker does not go on withdraws that one in the end, so that
 * nobody waits for a stalled client.
 */
#ifndef PEAL_CORE_DIRECTORY_H
#define PEAL_CORE_DIRECTORY_H

#include "core/region.h"

/* What makes an entry a queue. */
struct peal_queue_wish {
    uint32_t kind;              /* enum peal_topic_kind */
    uint32_t options;           /* enum peal_queue_option */
    uint32_t message_bytes_max; /* 0: whatever the queue has, 64 if it is made here */
};

struct peal_topic_type {
    const char *name; /* NULL or "": untyped */
    uint64_t schema_hash;
    const struct peal_queue_wish *queue; /* NULL: a topic */
};

/* `name`: 1..63 characters, none below 0x21 but inner spaces; EINVAL with a message otherwise. */
enum peal_status peal_topic_check_name(const char *name);

/*
 * Finds the topic or makes it, checks the type, and claims a subscriber entry in it (states
 * CLAIMED then ACTIVE) in one go, so that the topic can't vanish in between. *topic: index in the
 * directory; *entry: 0..31; *word: our owner word in the entry, to be compared with lanes' tags.
 * subscriber_epoch has moved when it returns. Bounded; AGAIN if contended beyond the bound.
 * Errors with message: EINVAL, EMISMATCH, ELIMIT (topics, subscribers), AGAIN.
 */
enum peal_status peal_topic_subscribe(struct peal_region *region, const char *name,
                                      const struct peal_topic_type *type, uint32_t flags,
                                      uint32_t *topic, uint32_t *entry, uint64_t *word);

/* Frees the subscriber entry (only if it still holds `word`), moves the epoch, and removes the topic
 * if nobody uses it. */
void peal_topic_unsubscribe(struct peal_region *region, uint32_t topic, uint32_t entry,
                            uint64_t word);

/*
 * Likewise claims a lane entry (state CLAIMED). The caller then takes pages, lays the lane out and
 * calls peal_lane_open(), or gives the entry back with peal_lane_abandon(). ELIMIT when
 * PEAL_TOPIC_PUBLISHERS_MAX publishers live (of a queue: PEAL_TOPIC_LANES_MAX pushers), or when all
 * entries hold lanes that subscribers have not drained (the message names the clients). Orphans that
 * nobody reads are reclaimed on the way.
 */
enum peal_status peal_topic_claim_lane(struct peal_region *region, const char *name,
                                       const struct peal_topic_type *type, uint32_t *topic,
                                       uint32_t *lane, uint64_t *word);

/* Reads a topic's names for observers; false if it is not READY. Buffers of PEAL_TOPIC_NAME_BYTES. */
bool peal_topic_names(const struct peal_region *region, uint32_t topic, char *name,
                      char *type_name);

/* Removes the topic if it has no lane and no subscriber. Anybody may try at any time. */
void peal_topic_remove_if_unused(struct peal_region *region, uint32_t topic);

#endif
