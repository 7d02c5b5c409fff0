/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A consumer of a queue: takes messages from the lanes of all producers in turn, and what dead
 * consumers have left. And a producer's way in and out.
 *
 * Per producer in order of publication, as claimed. Nothing here blocks, allocates or calls the
 * operating system, but for opening, closing and what follows a moved epoch: those may ask the
 * authority. One thread at a time.
 */
#ifndef PEAL_CORE_QUEUE_CONSUMER_H
#define PEAL_CORE_QUEUE_CONSUMER_H

#include "core/directory.h"
#include "core/epoch.h"
#include "core/queue_life.h"
#include "core/queue_producer.h"
#include "core/queue_source.h"

/* A consumer stays at a lane for so many messages, for its lines are near then. */
#define PEAL_QUEUE_STAY 64u

/* A lane that the consumer has joined. */
struct peal_queue_joined {
    struct peal_queue_source source;
    uint32_t lane;
    const peal_u64 *owner; /* the lane's owner word */
    bool is_ended;         /* nothing more was published there after the last look */
};

struct peal_queue_consumer {
    const peal_u64 *lane_epoch;
    const peal_u64 *subscriber_epoch;
    uint64_t lane_epoch_seen;
    uint64_t subscriber_epoch_seen;
    uint32_t joined_count;
    uint32_t turn; /* index in joined[] of the lane to look at first */
    uint32_t stay; /* messages to take there before the next one's turn */
    bool is_busy;  /* a batch is out */
    bool is_look_due;
    bool is_strict;
    uint32_t adopted_entry; /* PEAL_QUEUE_ENTRY_NONE: none */
    uint64_t adopted_word;
    struct peal_queue_joined joined[PEAL_TOPIC_LANES_MAX];
    struct peal_region *region;
    uint32_t message_bytes_max; /* of the queue; lanes of another size are not joined */
    uint32_t topic;
    uint32_t entry;
    uint64_t word;                           /* our owner word of the entry, and our tag in lanes */
    peal_u64 given_up[PEAL_TOPIC_LANES_MAX]; /* owner words of spoilt lanes: not joined again */
};

/* Messages that are ours until peal_queue_consumer_finish(). */
struct peal_queue_batch {
    struct peal_queue_source *source;
    struct peal_queue_range range;
    uint32_t lane;
    bool is_redelivered; /* a dead consumer had them; it may have worked on them or not */
};

/* Finds or makes the queue and takes part. Errors with message: EINVAL, EMISMATCH, ELIMIT, AGAIN. */
enum peal_status peal_queue_consumer_open(struct peal_queue_consumer *consumer,
                                          struct peal_region *region, const char *name,
                                          const struct peal_topic_type *type);

/* Ends it. Messages of a batch that is out go to another consumer, or are dropped and counted, as the
 * queue's options say about the dead. */
void peal_queue_consumer_close(struct peal_queue_consumer *consumer);

/* The long way of peal_queue_consumer_take(). */
enum peal_status peal_queue_consumer_take_any(struct peal_queue_consumer *consumer, uint32_t wanted,
                                              struct peal_queue_batch *batch);

static inline bool peal_queue_consumer_needs_care(const struct peal_queue_consumer *consumer)
{
    return peal_epoch_read(consumer->lane_epoch) != consumer->lane_epoch_seen ||
           peal_epoch_read(consumer->subscriber_epoch) != consumer->subscriber_epoch_seen ||
           consumer->adopted_entry != PEAL_QUEUE_ENTRY_NONE || consumer->is_look_due;
}

/* The short way for one message of the lane whose turn it is. False: take the long way. */
static inline bool peal_queue_consumer_take_next(struct peal_queue_consumer *consumer,
                                                 struct peal_queue_batch *batch)
{
    if (PEAL_UNLIKELY(consumer->is_strict || consumer->joined_count == 0))
        return false;
    struct peal_queue_joined *joined = &consumer->joined[consumer->turn];
    if (peal_queue_source_is_idle(&joined->source) ||
        PEAL_UNLIKELY(peal_queue_consumer_needs_care(consumer) ||
                      consumer->stay + 1 >= PEAL_QUEUE_STAY))
        return false;
    if (!peal_queue_source_claim_next(&joined->source, &batch->range))
        return false;
    consumer->stay++;
    batch->source = &joined->source;
    batch->lane = joined->lane;
    batch->is_redelivered = false;
    consumer->is_busy = true;
    return true;
}

/*
 * Claims up to `wanted` (at least 1) messages of one lane; no batch may be out. OK; EMPTY; ECORRUPT: a
 * lane is spoilt and was given up, the others go on.
 */
static inline enum peal_status peal_queue_consumer_take(struct peal_queue_consumer *consumer,
                                                        uint32_t wanted,
                                                        struct peal_queue_batch *batch)
{
    if (wanted == 1 && peal_queue_consumer_take_next(consumer, batch))
        return PEAL_OK;
    return peal_queue_consumer_take_any(consumer, wanted, batch);
}

/* Done with a batch of somebody dead, or with a part of it. */
void peal_queue_consumer_finish_redelivered(struct peal_queue_consumer *consumer,
                                            const struct peal_queue_batch *batch);

/* Done with the batch. */
static inline void peal_queue_consumer_finish(struct peal_queue_consumer *consumer,
                                              const struct peal_queue_batch *batch)
{
    consumer->is_busy = false;
    peal_queue_source_count(batch->source, batch->range.count);
    if (PEAL_UNLIKELY(batch->is_redelivered))
        peal_queue_consumer_finish_redelivered(consumer, batch);
    else
        peal_queue_source_finish(batch->source);
}

static inline bool peal_queue_batch_message(const struct peal_queue_batch *batch, uint32_t i,
                                            const void **data, size_t *size_bytes)
{
    return peal_queue_source_message(batch->source, &batch->range, i, data, size_bytes);
}

/* Finds or makes the queue, takes a lane of `depth` messages and opens it for `producer`. Errors with
 * message, as above and ENOSPC. */
enum peal_status peal_queue_producer_open(struct peal_queue_producer *producer,
                                          struct peal_lane_place *place, struct peal_region *region,
                                          const char *name, const struct peal_topic_type *type,
                                          uint32_t depth, enum peal_queue_full_action action);

/* Ends it; what it has published stays until it is taken. */
void peal_queue_producer_close(struct peal_region *region, struct peal_lane_place *place);

#endif
