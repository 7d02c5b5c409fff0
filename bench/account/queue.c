/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Queues: one that pushes and one that pops, 64 bytes, one message (or batch) under way.
 */
#include "bench/account/account.h"

#include <stdlib.h>

enum { BYTES = 64 };

struct queue {
    struct peal_queue *producer;
    struct peal_queue *consumer;
    unsigned char from[BYTES * ACCOUNT_BATCH];
    unsigned char to[BYTES * ACCOUNT_BATCH];
    struct peal_slice slices[ACCOUNT_BATCH];
    struct peal_queue_message messages[ACCOUNT_BATCH];
};

static void *account_queue_open(struct peal_bus *bus, uint32_t is_strict)
{
    struct peal_queue_options options = PEAL_QUEUE_OPTIONS_INIT;
    struct queue *queue = account_allocate(sizeof(*queue));
    options.message_bytes_max = BYTES;
    options.depth = ACCOUNT_DEPTH;
    options.strict = is_strict;
    options.uses = PEAL_QUEUE_POP;
    account_must(peal_queue_create(bus, "account", &options, &queue->consumer), PEAL_OK,
                 "consumer");
    options.uses = PEAL_QUEUE_PUSH;
    account_must(peal_queue_create(bus, "account", &options, &queue->producer), PEAL_OK,
                 "producer");
    for (uint32_t i = 0; i < ACCOUNT_BATCH; i++)
        queue->slices[i] = (struct peal_slice){
            .data = queue->from + (size_t)BYTES * (ACCOUNT_BATCH - 1 - i), .size_bytes = BYTES};
    return queue;
}

static void account_queue_close(void *state)
{
    struct queue *queue = state;
    peal_queue_close(queue->producer);
    peal_queue_close(queue->consumer);
    free(queue);
}

static void account_queue_single(void *state)
{
    struct queue *queue = state;
    ACCOUNT_CALL(0, PEAL_OK, peal_queue_push(queue->producer, queue->from, BYTES));
    ACCOUNT_CALL(1, PEAL_OK, peal_queue_pop(queue->consumer, queue->to, BYTES, queue->messages));
}

static void account_queue_take_and_finish(struct queue *queue, size_t wanted)
{
    size_t count = 0;
    ACCOUNT_CALL(1, PEAL_OK, peal_queue_take(queue->consumer, queue->messages, wanted, &count));
    if (count != wanted)
        account_die("not all messages");
    ACCOUNT_CALL(2, PEAL_OK, peal_queue_done(queue->consumer));
}

static void account_queue_in_place(void *state)
{
    struct queue *queue = state;
    ACCOUNT_CALL(0, PEAL_OK, peal_queue_push(queue->producer, queue->from, BYTES));
    account_queue_take_and_finish(queue, 1);
}

static void account_queue_batch(void *state)
{
    struct queue *queue = state;
    size_t count = 0;
    ACCOUNT_CALL(0, PEAL_OK,
                 peal_queue_push_batch(queue->producer, queue->from, BYTES, ACCOUNT_BATCH, &count));
    ACCOUNT_CALL(1, PEAL_OK,
                 peal_queue_pop_batch(queue->consumer, queue->to, BYTES, queue->messages,
                                      ACCOUNT_BATCH, &count));
    if (count != ACCOUNT_BATCH)
        account_die("not all messages");
}

static void account_queue_slices(void *state)
{
    struct queue *queue = state;
    size_t count = 0;
    ACCOUNT_CALL(0, PEAL_OK,
                 peal_queue_push_slices(queue->producer, queue->slices, ACCOUNT_BATCH, &count));
    account_queue_take_and_finish(queue, ACCOUNT_BATCH);
}

static void account_queue_empty(void *state)
{
    struct queue *queue = state;
    ACCOUNT_CALL(0, PEAL_EMPTY, peal_queue_pop(queue->consumer, queue->to, BYTES, queue->messages));
}

#define QUEUE(name_, step_, messages_, value_, ...)                                                \
    {                                                                                              \
        .name = name_, .open = account_queue_open, .step = step_, .close = account_queue_close,    \
        .calls = {__VA_ARGS__}, .messages = messages_, .value = value_                             \
    }

const struct account_scenario account_queues[] = {
    QUEUE("queue/copy/64", account_queue_single, 1, 0, "push", "pop"),
    QUEUE("queue/in_place/64", account_queue_in_place, 1, 0, "push", "take", "done"),
    QUEUE("queue/batch32/64", account_queue_batch, ACCOUNT_BATCH, 0, "push_batch", "pop_batch"),
    QUEUE("queue/in_place_batch32/64", account_queue_slices, ACCOUNT_BATCH, 0, "push_slices",
          "take", "done"),
    QUEUE("queue/strict/64", account_queue_single, 1, 1, "push", "pop"),
    QUEUE("queue/empty", account_queue_empty, 1, 0, "pop"),
    {0},
};
