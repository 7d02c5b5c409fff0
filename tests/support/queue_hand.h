/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A queue's handle that notes in a ledger what it does, and how long each call took.
 */
#ifndef PEAL_TESTS_SUPPORT_QUEUE_HAND_H
#define PEAL_TESTS_SUPPORT_QUEUE_HAND_H

#include "tests/support/queue_ledger.h"

#define QUEUE_HAND_BATCH_MAX 16u

/* The longest that one call took, of each kind. */
enum queue_call {
    QUEUE_CALL_CREATE,
    QUEUE_CALL_PUSH,
    QUEUE_CALL_POP,
    QUEUE_CALL_TAKE,
    QUEUE_CALL_DONE,
    QUEUE_CALL_WAIT,
    QUEUE_CALL_CLOSE,
    QUEUE_CALLS
};
struct queue_call_times {
    uint64_t longest_ns[QUEUE_CALLS];
    uint64_t calls[QUEUE_CALLS];
};
const char *queue_call_text(enum queue_call call);

struct queue_hand {
    struct peal_queue *queue;
    struct queue_ledger *ledger;
    struct queue_actor *actor;
    struct queue_call_times *times; /* NULL: nobody wants to know */
    uint32_t account;
    struct queue_entry *held[QUEUE_HAND_BATCH_MAX];
    size_t held_count;
};

/* Options of a queue that carries the ledger's messages. */
struct peal_queue_options queue_hand_options(uint32_t uses, uint32_t depth,
                                             enum peal_queue_full_policy policy);

/* What the hand is a hand of must be set; else as peal_queue_create(). */
enum peal_status queue_hand_open(struct queue_hand *hand, struct peal_bus *bus, const char *name,
                                 const struct peal_queue_options *options);

/* With what is taken and not done. NULL in hand->queue is allowed. */
void queue_hand_close(struct queue_hand *hand);

enum peal_status queue_hand_push(struct queue_hand *hand);

/* All of a batch have the size of its first; each slice has its own. */
enum peal_status queue_hand_push_batch(struct queue_hand *hand, size_t count, size_t *pushed);
enum peal_status queue_hand_push_slices(struct queue_hand *hand, size_t count, size_t *pushed);

enum peal_status queue_hand_pop(struct queue_hand *hand);
enum peal_status queue_hand_pop_batch(struct queue_hand *hand, size_t max);
enum peal_status queue_hand_take(struct queue_hand *hand, size_t max);
enum peal_status queue_hand_done(struct queue_hand *hand);
enum peal_status queue_hand_wait(struct queue_hand *hand, uint64_t timeout_ns);

#endif
