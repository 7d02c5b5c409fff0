/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The producer's end of a queue's lane. See core/queue_claim.h for the protocol.
 *
 * The gate: cells below `limit` may be written without looking at anybody. When it is reached the
 * producer looks at the cursor and the claims and computes a new one.
 *
 * Nothing here blocks, allocates or calls the operating system. One thread at a time.
 */
#ifndef PEAL_CORE_QUEUE_PRODUCER_H
#define PEAL_CORE_QUEUE_PRODUCER_H

#include "core/cpu.h"
#include "core/queue_claim.h"
#include "core/queue_geometry.h"

#include <string.h>

/* What a push does when the lane is full. Waiting is for the caller: it refuses here. */
enum peal_queue_full_action {
    PEAL_QUEUE_REFUSE = 0,
    PEAL_QUEUE_DROP_OLDEST = 1, /* of this lane, as far as no consumer has them */
    PEAL_QUEUE_DROP_NEWEST = 2,
};

/* Private: authoritative positions live here and are never read back from the lane. */
struct peal_queue_producer {
    unsigned char *cells;
    peal_u32 *lengths;
    peal_u64 *published;
    uint64_t next;  /* position of the next message; all 64 bits, which do not wrap */
    uint64_t limit; /* messages below it may be written; see "The gate" */
    uint32_t mask;
    uint32_t cell_bytes;
    uint32_t message_bytes_max;
    enum peal_queue_full_action action;
    struct peal_queue_lane_shared *lane;
    peal_u64 *tickets;       /* of our messages; NULL unless the queue is strict */
    peal_u64 *ticket;        /* the queue's next one */
    const peal_u64 *blocker; /* what made the limit: the cursor, or a claim; NULL: unknown */
    uint64_t blocker_seen;   /* while it says this the limit is what it is */
    bool is_tight;           /* the last look at a limit found next to no room */
    uint64_t dropped_oldest;
    uint64_t dropped_newest;
};

/* Begins writing a fresh lane (head zeroed, geometry stored). `ticket` counts in strict queues only. */
void peal_queue_producer_init(struct peal_queue_producer *producer,
                              const struct peal_queue_geometry *geometry,
                              struct peal_queue_lane_shared *lane, peal_u64 *ticket,
                              enum peal_queue_full_action action);

/* Looks at cursor and claims and computes the limit. ECORRUPT: the cursor is impossible. */
enum peal_status peal_queue_producer_gate(struct peal_queue_producer *producer);

/* Makes room for up to `wanted` messages, as the action says. OK: at least one may be written; FULL;
 * ECORRUPT. */
enum peal_status peal_queue_producer_room(struct peal_queue_producer *producer, uint32_t wanted);

/* A message to be pushed; it looks like a struct peal_slice, and may be one. */
struct peal_queue_piece {
    const void *data;
    size_t size_bytes;
} __attribute__((__may_alias__));

/* Messages to be pushed together: where each lies, or all of one size one after the other. */
struct peal_queue_cargo {
    const struct peal_queue_piece *pieces; /* NULL: data and size_bytes */
    const unsigned char *data;
    size_t size_bytes;
};

/* Is one of the `count` messages longer than the lane's longest? */
bool peal_queue_producer_is_too_long(const struct peal_queue_producer *producer,
                                     const struct peal_queue_cargo *cargo, size_t count);

/*
 * Pushes copies of the cargo's messages from `first` up to `count`, none of which is too long, and
 * publishes them at once. *pushed: how many. OK: all, or in DROP_NEWEST those for which there was room,
 * the rest being counted; FULL: less than all; ECORRUPT.
 */
enum peal_status peal_queue_producer_push_cargo(struct peal_queue_producer *producer,
                                                const struct peal_queue_cargo *cargo, size_t first,
                                                size_t count, size_t *pushed);

/* Likewise `count` messages of size_bytes each, which lie one after the other. EMSGSIZE: nothing done. */
enum peal_status peal_queue_producer_push_batch(struct peal_queue_producer *producer,
                                                const void *data, size_t size_bytes, size_t count,
                                                size_t *pushed);

/* The long way of a push. */
enum peal_status peal_queue_producer_push_slowly(struct peal_queue_producer *producer,
                                                 const void *data, size_t size_bytes);

/* Gives the next `count` messages, which do not go round the end of the ring, their places in the one
 * order over all producers. A place that is never filled, for we die, is waited for by nobody. */
static inline void peal_queue_producer_order(struct peal_queue_producer *producer, uint32_t place,
                                             uint32_t count)
{
    if (PEAL_LIKELY(!producer->tickets))
        return;
    /* QUEUE-R5: pairs with QUEUE-R5: only for the value; whoever comes after us gets a higher one */
    uint64_t first = peal_u64_add_acq_rel(producer->ticket, count);
    for (uint32_t i = 0; i < count; i++)
        peal_u64_store_relaxed(&producer->tickets[place + i], first + i); /* relaxed: QUEUE-R4 */
    PEAL_FAULT("queue.ordered");
}

static inline void peal_queue_producer_put(struct peal_queue_producer *producer, const void *data,
                                           size_t size_bytes)
{
    uint32_t place = (uint32_t)producer->next & producer->mask;
    unsigned char *cell = producer->cells + (size_t)place * producer->cell_bytes;
    if (size_bytes == 64)
        memcpy(cell, data, 64);
    else
        memcpy(cell, data, size_bytes);
    /* relaxed: published by QUEUE-R4 */
    peal_u32_store_relaxed(&producer->lengths[place], (uint32_t)size_bytes);
    peal_queue_producer_order(producer, place, 1);
    PEAL_FAULT("queue.filled");
    producer->next++;
    peal_queue_published_store(producer->published, producer->next);
    PEAL_FAULT("queue.published");
}

/* Pushes a copy of one message. OK, FULL, EMSGSIZE, ECORRUPT. */
static inline enum peal_status peal_queue_producer_push(struct peal_queue_producer *producer,
                                                        const void *data, size_t size_bytes)
{
    if (PEAL_UNLIKELY(size_bytes > producer->message_bytes_max ||
                      producer->next >= producer->limit))
        return peal_queue_producer_push_slowly(producer, data, size_bytes);
    peal_queue_producer_put(producer, data, size_bytes);
    return PEAL_OK;
}

#endif
