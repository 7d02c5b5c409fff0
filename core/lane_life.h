/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The life of a lane: claimed, laid out, open, orphaned, reclaimed. The messages in it are
 * core/lane_writer.h's and core/lane_reader.h's business.
 *
 *      CLAIMED(publisher) -> OPENING -> ACTIVE -> ORPHAN -CAS-> RECLAIMING(anybody) -> FREE
 *
 * The pages of an ended lane are given back when no live subscriber reads it. A subscriber reads a
 * lane when the lane's acknowledgement line of its entry carries the subscriber's owner word ("tag").
 * The tag lies in the pages themselves, so a subscriber may write it only while they can't be given
 * back. It first pins the lane: sets the lane's bit in its own flags word in the directory, full
 * fence, looks at the lane's state. The reclaimer makes the state RECLAIMING, full fence, looks at the
 * pins and then at the tags, and puts ORPHAN back if somebody reads; then it looks again, for a
 * leaver that met RECLAIMING relied on it. One of the two always sees the other.
 *
 * Every subscriber that exists when a lane opens is owed the lane from its first message, even if it
 * looks at it only after the publisher has gone: the publisher invites it by writing its tag, and notes
 * whom it invited. The lane is OPENING meanwhile, and no message is sent before it is ACTIVE. A
 * subscriber becomes ACTIVE, full fence, looks at all lanes; the publisher makes its lane OPENING, full
 * fence, looks at all subscribers. So a subscriber that meets CLAIMED will be invited. One that meets
 * OPENING sets its tag itself; if the lane is OPENING still after that, or the publisher has noted it,
 * it has all messages too. One that meets ACTIVE and no invitation came later, and starts where its
 * history option says. This holds if the subscriber looks at all lanes once before its creation is
 * reported as done.
 *
 * Of one subscriber, one thread at a time joins and leaves lanes.
 */
#ifndef PEAL_CORE_LANE_LIFE_H
#define PEAL_CORE_LANE_LIFE_H

#include "core/lane_shared.h"
#include "core/region.h"

/* A cursor that holds nobody back: its subscriber is just joining. */
#define PEAL_LANE_NOT_GATING UINT64_MAX

struct peal_lane_place {
    uint32_t topic;
    uint32_t lane;
    uint64_t word; /* the lane entry's owner word as we know it */
};

/*
 * Takes pages for a claimed lane and notes them in the entry. *memory: page-aligned, its head (struct
 * peal_lane_shared) zeroed, the rest as others left it.
 * ENOSPC with message (how much was wanted, how much is free).
 */
enum peal_status peal_lane_allocate(struct peal_region *region, struct peal_lane_place *place,
                                    uint64_t size_bytes, uint64_t name_hash,
                                    struct peal_lane_shared **memory);

/* Gives a claimed entry back, with its pages if it has any. */
void peal_lane_abandon(struct peal_region *region, struct peal_lane_place *place);

/*
 * CLAIMED -> OPENING -> ACTIVE, after the lane's memory was laid out. In OPENING, invites every ACTIVE
 * subscriber by setting its tag (compare-and-swap from 0) where it has not done so itself; moves
 * lane_epoch. Subscribers that become ACTIVE after that find the lane themselves.
 * ECORRUPT with message: the entry is not ours any more; abandon it.
 */
enum peal_status peal_lane_open(struct peal_region *region, struct peal_lane_place *place);

/* ACTIVE -> ORPHAN by its publisher; moves lane_epoch; reclaims at once if nobody reads. */
void peal_lane_close(struct peal_region *region, struct peal_lane_place *place);

/* What a subscriber finds when it looks at lane entry `lane`. */
struct peal_lane_found {
    struct peal_lane_shared *memory; /* validated to lie in whole pages of the region */
    uint64_t size_bytes;
    uint64_t name_hash;
    uint64_t
        word; /* owner word, for peal_lane_is_live(): that of ACTIVE even if OPENING was seen */
    uint64_t page_word;
    bool invited; /* the publisher had set our tag: read from message 0 */
    bool orphan;
};

/*
 * Joins the lane for subscriber entry `entry` with owner word `tag`: sets the tag and makes sure that
 * the lane is still there. If found->invited, the cursor in our line is 0; else it is
 * PEAL_LANE_NOT_GATING until the caller stores its own.
 * EMPTY: no lane there to join (free, being made, or an orphan that we were not invited to);
 * ECORRUPT: the entry describes pages outside the region or not its own; AGAIN: it is changing, look
 * again (lane_epoch moves).
 */
enum peal_status peal_lane_join(struct peal_region *region, uint32_t topic, uint32_t lane,
                                uint32_t entry, uint64_t tag, struct peal_lane_found *found);

/* Clears our tag; reclaims the lane if it is an orphan that nobody reads any more. */
void peal_lane_leave(struct peal_region *region, uint32_t topic, uint32_t lane, uint32_t entry,
                     uint64_t tag, struct peal_lane_shared *memory);

/* The state of the lane that `word` identified: still the same publisher's and ACTIVE? An ACTIVE lane
 * whose publisher is dead (asks the authority) is made an ORPHAN on the way. */
bool peal_lane_is_live(struct peal_region *region, uint32_t topic, uint32_t lane, uint64_t word);

/* Gives an orphan's pages back if no live subscriber reads it. Anybody may try at any time. True if
 * the entry is FREE afterwards. */
bool peal_lane_reclaim(struct peal_region *region, uint32_t topic, uint32_t lane);

#endif
