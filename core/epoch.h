/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An epoch: a shared count that moves after something about a topic has changed, so that those who
 * care need to look at one word only. It says "look again" and nothing else; any client may move it,
 * at any time, for no reason.
 */
#ifndef PEAL_CORE_EPOCH_H
#define PEAL_CORE_EPOCH_H

#include "core/atomic.h"

/* Reads the epoch; what was changed before it moved can be seen after this. Read it first, look
 * second: a change that the look misses moves the epoch again. */
static inline uint64_t peal_epoch_read(const peal_u64 *epoch)
{
    /* EPOCH-A1: pairs with EPOCH-R1 in peal_epoch_move() */
    return peal_u64_load_acquire(epoch);
}

static inline void peal_epoch_move(peal_u64 *epoch)
{
    /* EPOCH-R1: pairs with EPOCH-A1 in peal_epoch_read() */
    (void)peal_u64_add_seq_cst(epoch, 1);
}

#endif
