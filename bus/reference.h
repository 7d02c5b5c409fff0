/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A reference count. urcu_ref would do the same, but ThreadSanitizer cannot see its inline assembly
 * and would call every use after the last drop a race.
 */
#ifndef PEAL_BUS_REFERENCE_H
#define PEAL_BUS_REFERENCE_H

#include "core/atomic.h"

struct peal_reference {
    peal_u32 count;
};

/* One reference, the maker's. */
static inline void peal_reference_init(struct peal_reference *reference)
{
    /* relaxed: nobody else sees the object yet. */
    peal_u32_store_relaxed(&reference->count, 1);
}

/* Another reference, by somebody who has one. */
static inline void peal_reference_hold(struct peal_reference *reference)
{
    /* relaxed: whoever holds one has seen the object already. */
    (void)peal_u32_add_relaxed(&reference->count, 1);
}

/* Another reference, by somebody who only knows that the memory is still there; false if the last
 * one is gone. Loops only as often as other threads succeed. */
static inline bool peal_reference_try_hold(struct peal_reference *reference)
{
    /* relaxed: the swap below decides. */
    uint32_t count = peal_u32_load_relaxed(&reference->count);
    while (count != 0) {
        /* REFERENCE-A1: pairs with REFERENCE-R1: what earlier holders did is visible to this one */
        if (peal_u32_cas_acq_rel(&reference->count, &count, count + 1))
            return true;
    }
    return false;
}

/* True: that was the last one, and everything that other holders did before their drop is visible. */
static inline bool peal_reference_drop(struct peal_reference *reference)
{
    /* REFERENCE-R1: pairs with REFERENCE-A1 and REFERENCE-R1: the last drop acquires all others */
    return peal_u32_add_acq_rel(&reference->count, UINT32_MAX) == 1;
}

#endif
