/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One that takes part in a queue during a soak: it pushes by one of the policies, pops and takes, sometimes leaves with messages in
 * its hands, and writes all of it into the book. And the keeper of all queues, who lives on and settles the book.
 */
#ifndef PEAL_TESTS_SUPPORT_SOAK_QUEUE_H
#define PEAL_TESTS_SUPPORT_SOAK_QUEUE_H

#include "tests/support/soak_book.h"

#include <peal/peal.h>

enum soak_queue_call { SOAK_PUSH, SOAK_POP, SOAK_QUEUE_WAIT, SOAK_QUEUE_CALLS };

struct soak_queue {
    struct soak_book *book;
    struct soak_hand *hand;
    struct peal_queue *queue; /* NULL: it was refused */
    uint32_t kind;
    uint32_t uses;
    enum peal_queue_full_policy policy;
    uint32_t depth;
    struct soak_account *account; /* NULL: it pushes no more */
    uint32_t next;
    uint32_t latest_began; /* of what came in order, in a strict queue */
    uint16_t
        last[SOAK_ACCOUNTS]; /* of each account, the number after the one that came last; 0: none */
    uint64_t longest_ns[SOAK_QUEUE_CALLS];
};

/* A handle of a random queue with random options; *part is zeroed or has ended. */
void soak_queue_begin(struct soak_queue *part, struct peal_bus *bus, struct soak_book *book,
                      struct soak_hand *hand, uint64_t *seed);
void soak_queue_end(struct soak_queue *part);

/* A bit of work, then perhaps a sleep. False: it is time to leave. */
bool soak_queue_work(struct soak_queue *part, uint64_t *seed);

/* ---- the keeper ---- */

struct soak_keeper {
    struct soak_queue parts[SOAK_QUEUES];
    uint64_t lost[SOAK_QUEUES]; /* when the book was settled */
};

/* False: a queue was refused. */
bool soak_keeper_begin(struct soak_keeper *keeper, struct peal_bus *bus, struct soak_book *book,
                       struct soak_hand *hand);
void soak_keeper_end(struct soak_keeper *keeper);

/* Takes some of all queues, so that nobody is held up when the others are all dead. */
void soak_keeper_work(struct soak_keeper *keeper, uint64_t *seed);

/* Nobody else is there, and the dead are recovered: pops all that is left and settles the book. */
bool soak_keeper_settle(struct soak_keeper *keeper);

#endif
