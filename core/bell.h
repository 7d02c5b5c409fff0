/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The sleep and wake handshake. Truth lies in the rings; a bell only says "look again".
 *
 *      publisher                          sleeper
 *      ---------                          -------
 *      publish (stamp, release)           set own bit in `armed`
 *      full fence             <- F ->     full fence
 *      look at `armed`                    look at every ring
 *      ring who is armed                  sleep, with a deadline
 *
 * It is Dekker's: store, full fence, load on both sides, so at least one sees the other: the sleeper
 * sees the message, or the publisher sees the bit. Acquire and release do not order a store before a
 * later load, and a read-modify-write on the flag does not either as C11 goes; both sides need the
 * fence.
 *
 * Where all clients run on one kernel the sleeper pays for both fences: it calls membarrier(2), which
 * makes every CPU that runs a registered process pass a full fence, and the publisher keeps only the
 * compiler from moving its load up. A publisher whose process could not register fences itself; a
 * sleeper that cannot call membarrier does not rely on `armed` but looks again every millisecond.
 */
#ifndef PEAL_CORE_BELL_H
#define PEAL_CORE_BELL_H

#include "core/atomic.h"
#include "core/fault.h"
#include "core/topic_shared.h"

/* Publisher's side: everything published before is visible to whoever is not in the answer. */
static inline uint64_t peal_bell_armed(const peal_u64 *armed, bool fences)
{
    if (fences)
        peal_fence_seq_cst(); /* BELL-F1: pairs with BELL-F2 in peal_bell_arm() */
    else
        peal_fence_compiler(); /* BELL-F3: pairs with the sleeper's membarrier, BELL-F2 */
    /* BELL-A1: pairs with BELL-R1 and BELL-R2 */
    return peal_u64_load_acquire(armed);
}

/* Sleeper's side. The caller follows with membarrier where publishers do not fence. */
static inline void peal_bell_arm(peal_u64 *armed, uint32_t client)
{
    /* BELL-R1: pairs with BELL-A1 and BELLS-R1: who sees the bit sees our subscriptions as well */
    (void)peal_u64_or_seq_cst(armed, 1ull << client);
    PEAL_FAULT("bell.armed");
    /* BELL-F2: pairs with BELL-F1, BELL-F3 and ENDPOINT-F1 */
    peal_fence_seq_cst();
}

static inline void peal_bell_disarm(peal_u64 *armed, uint32_t client)
{
    /* BELL-R2: pairs with BELL-A1; only fewer rings depend on it */
    (void)peal_u64_and_acq_rel(armed, ~(1ull << client));
    PEAL_FAULT("bell.disarmed");
}

#endif
