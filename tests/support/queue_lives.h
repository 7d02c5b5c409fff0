/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a user of a queue does in its life, for campaigns that end it somewhere in the middle: as tests/support/lives.h, with
 * a ledger of the queue's messages.
 */
#ifndef PEAL_TESTS_SUPPORT_QUEUE_LIVES_H
#define PEAL_TESTS_SUPPORT_QUEUE_LIVES_H

#include "tests/support/queue_hand.h"

/* The lives are spent at QUEUE_LEDGER_NAME, where the witness pushes and pops, but for the rivals. */
#define QUEUE_LIFE_MEETING "meeting"

/* Each life is two actors of the ledger: it, and whom it meets. */
#define QUEUE_LIFE_ACTORS 2u

struct queue_life {
    const char *url;
    struct queue_ledger *ledger;
    struct queue_actor *actors;
    bool strict;
    bool drops_held;
};

/* 0, or 1 with ledger->failed_line. */
int queue_life_producer(struct queue_life *life);
int queue_life_consumer(struct queue_life *life);
int queue_life_rivals(struct queue_life *life); /* two clients that meet in the middle of things */
int queue_life_recoverer(struct queue_life *life);

/* As all lives of this kind make their handles. */
struct peal_queue_options queue_life_options(const struct queue_life *life, uint32_t uses,
                                             uint32_t depth, enum peal_queue_full_policy policy);

#endif
