/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The stamp of a slot: which message is in it, and whether all of it is.
 *
 *   2t+1   message t is being written
 *   2t+2   message t is complete
 *
 *   publisher, for message t               reader, for message c
 *   ------------------------               ---------------------
 *   stamp := 2t+1   relaxed                stamp         acquire   LANE-A1
 *   release fence   LANE-F1                  < 2c+2   not there yet
 *   length, kind, message                    = 2c+2   this is it
 *   stamp := 2t+2   release   LANE-R1        > 2c+2   overrun: how many are lost is exact
 *                                          length, kind, message
 *                                          acquire fence           LANE-F2
 *                                          stamp again, relaxed: unchanged?
 *
 * LANE-R1 with LANE-A1: who sees the stamp sees the message. LANE-F1 with LANE-F2: who has read a byte
 * of the new message sees, when it looks again, a stamp that is no longer the old one. Neither fence can be
 * spared on a weakly ordered machine: without the first the publisher's bytes may come before its odd
 * stamp, without the second the reader's second look may come before its copy.
 */
#ifndef PEAL_CORE_LANE_STAMP_H
#define PEAL_CORE_LANE_STAMP_H

#include "core/fault.h"
#include "core/lane_shared.h"

static inline uint64_t peal_stamp_writing(uint64_t number)
{
    return 2 * number + 1;
}

static inline uint64_t peal_stamp_complete(uint64_t number)
{
    return 2 * number + 2;
}

/* Publisher: marks the slot as being written. peal_stamp_fence() must follow. */
static inline void peal_stamp_begin(struct peal_slot_shared *slot, uint64_t number)
{
    /* relaxed: LANE-F1 orders it before the message's words. no fault point: the fence's */
    peal_u64_store_relaxed(&slot->stamp, peal_stamp_writing(number));
}

/* Publisher: between what tells that bytes will be overwritten (stamp or `oldest`) and the bytes. */
static inline void peal_stamp_fence(void)
{
    peal_fence_release(); /* LANE-F1: pairs with LANE-F2 in peal_stamp_is_still() */
    PEAL_FAULT("lane.writing");
}

/* Publisher: this store publishes the message. */
static inline void peal_stamp_publish(struct peal_slot_shared *slot, uint64_t number)
{
    PEAL_FAULT("lane.written");
    /* LANE-R1: pairs with LANE-A1 in peal_stamp_look() */
    peal_u64_store_release(&slot->stamp, peal_stamp_complete(number));
    PEAL_FAULT("lane.published");
}

/* Reader: the first look. */
static inline uint64_t peal_stamp_look(const struct peal_slot_shared *slot)
{
    /* LANE-A1: pairs with LANE-R1 in peal_stamp_publish() */
    return peal_u64_load_acquire(&slot->stamp);
}

/* Reader: the second look, after the copy. */
static inline bool peal_stamp_is_still(const struct peal_slot_shared *slot, uint64_t number)
{
    peal_fence_acquire(); /* LANE-F2: pairs with LANE-F1 in peal_stamp_fence() */
    /* relaxed: the fence orders it after the copy */
    return peal_u64_load_relaxed(&slot->stamp) == peal_stamp_complete(number);
}

#endif
