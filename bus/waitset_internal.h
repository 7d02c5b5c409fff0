/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PEAL_BUS_WAITSET_INTERNAL_H
#define PEAL_BUS_WAITSET_INTERNAL_H

#include "bus/rcu.h"
#include "bus/reference.h"

#include <peal/waitset.h>

struct peal_waitset {
    struct peal_bus *bus;             /* holds a reference of it */
    struct peal_reference references; /* the user's, and one per thread inside */
    peal_u32 closed;
    struct cds_lfht *members; /* struct peal_membership by the endpoint's id */

    /*
     * Interrupts asked for, and how many of them some thread has answered. A waiting thread leaves
     * when the first differs from what the second was when it came: so an interrupt brings out all
     * who wait then, and if nobody does, the next one who comes.
     */
    peal_u32 interrupts;
    peal_u32 answered;

    peal_u32 turn; /* member to begin with, after a wait() whose array was too short for all */
};

bool peal_waitset_is_closed(const struct peal_waitset *waitset);

#endif
