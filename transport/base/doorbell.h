/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The bell of one client, where all clients run on one kernel: a set of sources and an event count.
 *
 *      ringer                              owner
 *      pending |= own bit                  epoch = count
 *      count += 1                          ... looks at its rings ...
 *      wake, if count says "sleepers"      sleep until count != epoch
 *                                          sources = exchange(pending, 0)
 *
 * The count is Concurrency Kit's ck_ec32 (31 bits of count, the top bit says that somebody sleeps in
 * the kernel), used with several producers and with futex operations of our own: process-shared for
 * bells in a mapped object, private for bells in the heap. A ringer counts even if its bit was set
 * already: it may have been set by a thread or process that died or was preempted before it counted.
 * Coalescing comes from the sleepers' bit, which the first wake clears.
 *
 * A hostile peer may write anything into both words. The worst that comes of it: the owner wakes
 * without cause, or sleeps until its deadline. No function here loops longer than its deadline.
 *
 * Who may run beside whom: everything beside everything, any number of threads and processes.
 */
#ifndef PEAL_TRANSPORT_BASE_DOORBELL_H
#define PEAL_TRANSPORT_BASE_DOORBELL_H

#include "core/atomic.h"

#include <stddef.h>

/*
 *  0        8        12       16
 *  | pending | count | unused |
 */
struct peal_doorbell {
    peal_u64 pending; /* bit i: client i rang and the owner has not drained it yet */
    peal_u32 count;   /* a ck_ec32 */
    peal_u32 unused;
};

static_assert(sizeof(struct peal_doorbell) == 16, "part of posix's shared layout");
static_assert(offsetof(struct peal_doorbell, pending) == 0, "part of posix's shared layout");
static_assert(offsetof(struct peal_doorbell, count) == 8, "part of posix's shared layout");

/* Whether the futex is found by address in this process only, or by the page it lies in. */
enum peal_doorbell_scope {
    PEAL_DOORBELL_PRIVATE,
    PEAL_DOORBELL_SHARED,
};

/* For a new owner: forgets the rings. The count goes on, so that a former owner's sleepers wake. */
void peal_doorbell_reset(struct peal_doorbell *bell);

/* Rings for `source` (0..63). True if its bit was not pending before. */
bool peal_doorbell_ring(struct peal_doorbell *bell, enum peal_doorbell_scope scope,
                        uint32_t source);

/* Moves the epoch and wakes all sleepers, without a source. */
void peal_doorbell_bump(struct peal_doorbell *bell, enum peal_doorbell_scope scope);

/* The epoch: 31 bits. */
uint32_t peal_doorbell_epoch(const struct peal_doorbell *bell);

/*
 * Sleeps until the epoch differs or timeout_ns have passed (0: at once; UINT64_MAX: no limit).
 * True if it differs.
 */
bool peal_doorbell_sleep(struct peal_doorbell *bell, enum peal_doorbell_scope scope, uint32_t epoch,
                         uint64_t timeout_ns);

/* Takes all pending sources; what the ringers stored before ringing is visible afterwards. */
uint64_t peal_doorbell_drain(struct peal_doorbell *bell);

/* Whether a source is pending; takes nothing. */
bool peal_doorbell_is_pending(const struct peal_doorbell *bell);

#endif
