/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How messages of a queue change hands, so that at each instruction everybody can tell whose they are.
 *
 *      producer                            consumer c
 *      --------                            ----------
 *      cells, lengths                      look at cursor = (from, b) and `published`
 *      published = n        (release)      if b's claim says CLAIMING up to `from`: make it CLAIMED
 *                                          claim[c] = CLAIMING(from, count)
 *                                          cursor: (from, b) -CAS-> (from + count, c)
 *                                          copy the cells out
 *                                          claim[c] = IDLE      (release)
 *
 * One compare-and-swap moves any number of messages, and it names the one who won them: the cursor
 * holds its last claimant. Who moves the cursor on wipes that name out, and therefore first turns the
 * claim of the one before it into CLAIMED. So at each moment a claim is won if it says CLAIMED, or if it
 * says CLAIMING and the cursor is exactly what its compare-and-swap would have made of it; any other
 * CLAIMING whose place the cursor has passed has lost, and can never win (positions only grow).
 *
 * Hence after a death there is no doubt: a claim that was won is redelivered or counted, one that was
 * not is forgotten. Nothing has to be written after the compare-and-swap for this.
 *
 * The producer may write cells that are below the cursor and in no claim that is won. It looks at the
 * cursor first and at the claims second: a claim that moved the cursor there was written before. A
 * stopped consumer withholds what it has won, one that lost withholds nothing.
 */
#ifndef PEAL_CORE_QUEUE_CLAIM_H
#define PEAL_CORE_QUEUE_CLAIM_H

#include "core/fault.h"
#include "core/queue_shared.h"

#define PEAL_QUEUE_POSITION_MASK ((UINT64_C(1) << PEAL_QUEUE_POSITION_BITS) - 1)

/* ---- claims ---- */

static inline uint64_t peal_queue_claim_pack(uint32_t state, uint64_t from, uint32_t count)
{
    return (uint64_t)state << 62 | (uint64_t)count << PEAL_QUEUE_POSITION_BITS |
           (from & PEAL_QUEUE_POSITION_MASK);
}

static inline uint32_t peal_queue_claim_state(uint64_t claim)
{
    return (uint32_t)(claim >> 62);
}

static inline uint32_t peal_queue_claim_count(uint64_t claim)
{
    return (uint32_t)(claim >> PEAL_QUEUE_POSITION_BITS) & PEAL_QUEUE_COUNT_MAX;
}

static inline uint64_t peal_queue_claim_from(uint64_t claim)
{
    return claim & PEAL_QUEUE_POSITION_MASK;
}

/* ---- the cursor ---- */

static inline uint64_t peal_queue_cursor_pack(uint64_t position, uint32_t claimant)
{
    return (position & PEAL_QUEUE_POSITION_MASK) | (uint64_t)claimant << PEAL_QUEUE_POSITION_BITS;
}

static inline uint64_t peal_queue_cursor_position(uint64_t cursor)
{
    return cursor & PEAL_QUEUE_POSITION_MASK;
}

static inline uint32_t peal_queue_cursor_claimant(uint64_t cursor)
{
    return (uint32_t)(cursor >> PEAL_QUEUE_POSITION_BITS) & 255u;
}

/* How far `to` lies beyond `from`, both counted modulo 2^48; huge if it lies before it. */
static inline uint64_t peal_queue_distance(uint64_t from, uint64_t to)
{
    return (to - from) & PEAL_QUEUE_POSITION_MASK;
}

/* ---- both ---- */

/* The cursor that the claim's compare-and-swap makes. */
static inline uint64_t peal_queue_cursor_after(uint64_t claim, uint32_t claimant)
{
    return peal_queue_cursor_pack(peal_queue_claim_from(claim) + peal_queue_claim_count(claim),
                                  claimant);
}

/* Has `claimant` won this claim? `cursor` must have been read before `claim`. */
static inline bool peal_queue_is_won(uint64_t cursor, uint64_t claim, uint32_t claimant)
{
    uint32_t state = peal_queue_claim_state(claim);
    return state == PEAL_QUEUE_CLAIMED ||
           (state == PEAL_QUEUE_CLAIMING && cursor == peal_queue_cursor_after(claim, claimant));
}

/* Where the claim of `claimant` stands; NULL for nobody, and for whom an honest cursor never names. */
static inline peal_u64 *peal_queue_claim_word(struct peal_queue_lane_shared *lane,
                                              uint32_t claimant)
{
    if (claimant < PEAL_QUEUE_PRODUCER)
        return &lane->readers[claimant].claim;
    return claimant == PEAL_QUEUE_PRODUCER ? &lane->drops.claim : NULL;
}

/* ---- access ---- */

static inline uint64_t peal_queue_cursor_load(const struct peal_queue_lane_shared *lane)
{
    /* QUEUE-A1: pairs with QUEUE-R1 below: the claims that moved it */
    return peal_u64_load_acquire(&lane->consumers.cursor);
}

/* Moves the cursor by the claim, which was written before. False: somebody else has moved it. */
static inline bool peal_queue_cursor_move(struct peal_queue_lane_shared *lane, uint64_t cursor,
                                          uint64_t claim, uint32_t claimant)
{
    /* no fault point: the caller has one.
     * QUEUE-R1: pairs with QUEUE-A1 above: the claim before the cursor */
    return peal_u64_cas_acq_rel(&lane->consumers.cursor, &cursor,
                                peal_queue_cursor_after(claim, claimant));
}

static inline uint64_t peal_queue_claim_load(const peal_u64 *word)
{
    /* QUEUE-A2: pairs with QUEUE-R2, QUEUE-R3 below: what an earlier claim held has been read, what
     * is noted beside the claim is there */
    return peal_u64_load_acquire(word);
}

/* By the owner of the claim: a new one, what is left of it, or 0. */
static inline void peal_queue_claim_store(peal_u64 *word, uint64_t claim)
{
    /* no fault point: the caller has one.
     * QUEUE-R2: pairs with QUEUE-A2 above */
    peal_u64_store_release(word, claim);
}

/* By a helper or an adopter. False: it has changed. */
static inline bool peal_queue_claim_swap(peal_u64 *word, uint64_t claim, uint64_t desired)
{
    /* no fault point: the caller has one.
     * QUEUE-R3: pairs with QUEUE-A2 above: passes on what the owner's claim gave */
    return peal_u64_cas_acq_rel(word, &claim, desired);
}

static inline uint64_t peal_queue_published_load(const struct peal_queue_lane_shared *lane)
{
    /* QUEUE-A3: pairs with QUEUE-R4 below */
    return peal_u64_load_acquire(&lane->producer.published);
}

static inline void peal_queue_published_store(peal_u64 *published, uint64_t count)
{
    /* no fault point: the caller has one.
     * QUEUE-R4: pairs with QUEUE-A3 above: cells and lengths before their count */
    peal_u64_store_release(published, count);
}

/* Makes it certain that who moved the cursor to `cursor` has won, before somebody moves it on. */
static inline void peal_queue_help(struct peal_queue_lane_shared *lane, uint64_t cursor)
{
    uint32_t claimant = peal_queue_cursor_claimant(cursor);
    peal_u64 *word = peal_queue_claim_word(lane, claimant);
    if (!word)
        return;
    /* relaxed: the claim came before the cursor, which the caller has acquired */
    uint64_t claim = peal_u64_load_relaxed(word);
    if (peal_queue_claim_state(claim) != PEAL_QUEUE_CLAIMING ||
        cursor != peal_queue_cursor_after(claim, claimant))
        return;
    uint64_t claimed = peal_queue_claim_pack(PEAL_QUEUE_CLAIMED, peal_queue_claim_from(claim),
                                             peal_queue_claim_count(claim));
    (void)peal_queue_claim_swap(word, claim, claimed);
    PEAL_FAULT("queue.helped");
}

#endif
