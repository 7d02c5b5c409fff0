/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Recovery: what dead clients left is cleared away by whoever lives.
 *
 * By compare-and-swap only, idempotent, by any number of clients at once; a recoverer may die too.
 * Nothing is taken from a client that the authority calls a member. Steps, in this order: lanes of
 * dead publishers CLAIMED -> FREE, OPENING and ACTIVE -> ORPHAN; subscriber entries of the dead freed;
 * orphans nobody reads reclaimed, RECLAIMING by the dead taken over; topics nobody uses removed
 * (CLAIMED, OFFERED and CLOSING by the dead too); pages whose owner is dead and which no lane refers
 * to freed; client entries of the dead cleared. Words with impossible values count as nobody's.
 *
 * The armed bits of the dead stay until the next holder of the index registers.
 */
#ifndef PEAL_CORE_RECOVER_H
#define PEAL_CORE_RECOVER_H

#include "core/region.h"

/* One pass over the whole region. Returns the number of dead clients whose entries were cleared. */
uint32_t peal_recover(struct peal_region *region);

#endif
