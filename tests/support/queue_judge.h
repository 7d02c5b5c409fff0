/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who judges the acts of tests/support/queue_acts.h: pops what the dead process has left, and holds it against the book. Each
 * message must have been delivered, be delivered now, with the flag if the dead one had it, or be counted as dropped.
 */
#ifndef PEAL_TESTS_SUPPORT_QUEUE_JUDGE_H
#define PEAL_TESTS_SUPPORT_QUEUE_JUDGE_H

#include "tests/support/queue_acts.h"

/* How often a message came: without and with the flag. */
struct queue_judge_message {
    uint32_t plain;
    uint32_t flagged;
};

struct queue_judge {
    const struct queue_act *act;
    const struct queue_act_book *book;
    struct peal_bus *bus;
    struct peal_queue *queue;
    struct queue_judge_message messages[2][QUEUE_ACT_MORTALS]; /* the judge's, the process's */
    uint32_t next[2];    /* ... that may come next without the flag */
    char complaint[256]; /* the first thing that was wrong; "" as long as all is well */
};

/* Opens bus and queue, pushes its messages, and lets somebody leave if the act says so. */
bool queue_judge_begin(struct queue_judge *judge, const char *url, const struct queue_act *act,
                       const struct queue_act_book *book);

/* The process is dead: recovers, pops, compares, goes on pushing and popping; closes all and audits. */
void queue_judge_end(struct queue_judge *judge);

/* The same in a copy in which the judge is dead as well. NULL: all is well. */
const char *queue_judge_copy(const struct queue_act *act, const struct queue_act_book *book,
                             void *copy, uint64_t size_bytes);

#endif
