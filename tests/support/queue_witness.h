/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who lives on beside the mortal users of a queue (tests/support/queue_lives.h): pushes to them and gets what they push, goes
 * on while they are dead or stopped, and holds the ledger against what the queue has counted.
 */
#ifndef PEAL_TESTS_SUPPORT_QUEUE_WITNESS_H
#define PEAL_TESTS_SUPPORT_QUEUE_WITNESS_H

#include "tests/support/queue_lives.h"
#include "tests/support/witness.h"

struct queue_witness {
    struct witness base; /* its bus, its complaint; it has no topics */
    const struct queue_life *life;
    struct queue_hand hands[2]; /* that push, and the second pops too */
    struct queue_call_times *times;
};

/* `life` says of what queue, and who we are in its ledger. */
bool queue_witness_begin(struct queue_witness *witness, const struct queue_life *life,
                         struct witness_times *times, struct queue_call_times *queue_times);

/* Everything that a survivor does; and nothing that it pushes is withheld from it. */
void queue_witness_work(struct queue_witness *witness, enum witness_company company);

/* After all mortals have ended and were recovered: gets what is left, and compares. */
void queue_witness_compare(struct queue_witness *witness);

/* Closes all; asserts by audit that nothing but the own client entry is left. Then witness->base.complaint is what was wrong. */
void queue_witness_end(struct queue_witness *witness);

#endif
