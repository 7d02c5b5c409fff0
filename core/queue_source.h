/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A queue's lane as one consumer sees it: claim messages, read them in place, be done with them. See
 * core/queue_claim.h for the protocol.
 *
 * Whatever a peer has written, what is handed out lies inside of the lane. Nothing here blocks,
 * allocates or calls the operating system. One thread at a time.
 */
#ifndef PEAL_CORE_QUEUE_SOURCE_H
#define PEAL_CORE_QUEUE_SOURCE_H

#include "core/cpu.h"
#include "core/queue_claim.h"
#include "core/queue_geometry.h"

#define PEAL_QUEUE_SHORT_RUN 64u /* see peal_queue_source_is_at_heels() */

struct peal_queue_source {
    peal_u64 *cursor;
    peal_u64 *claim;         /* ours, in this lane */
    uint64_t published_seen; /* modulo 2^48 */
    uint64_t empty_at;       /* what `published` said when nothing was left; at first 0 */
    uint32_t found;          /* messages that the last look found */
    uint32_t entry;          /* ours */
    uint32_t mask;
    uint32_t cell_bytes;
    uint32_t message_bytes_max;
    const unsigned char *cells;
    const peal_u32 *lengths;
    const peal_u64 *tickets; /* NULL unless the queue is strict */
    struct peal_queue_lane_shared *lane;
    uint64_t popped; /* what our line says to observers, and the next */
    uint64_t redelivered;
};

/* Messages that are ours until peal_queue_source_finish(). */
struct peal_queue_range {
    uint64_t from; /* modulo 2^48 */
    uint32_t count;
};

void peal_queue_source_init(struct peal_queue_source *source,
                            const struct peal_queue_geometry *geometry,
                            struct peal_queue_lane_shared *lane, uint32_t entry);

/* Reads how far the producer is. OK; EMPTY; ECORRUPT: no honest producer is there; AGAIN: `cursor`
 * is old. */
enum peal_status peal_queue_source_look(struct peal_queue_source *source, uint64_t cursor);

/*
 * Nothing has been published since the lane was seen empty: then it still is, for the cursor only moves
 * on. One load of a line that nobody else writes while there is nothing; and none where the last look saw
 * more than the one that found it empty.
 */
static inline bool peal_queue_source_is_idle(const struct peal_queue_source *source)
{
    if (source->published_seen != (source->empty_at & PEAL_QUEUE_POSITION_MASK))
        return false;
    /* relaxed: who sees more looks again, behind QUEUE-A3 */
    return peal_u64_load_relaxed(&source->lane->producer.published) == source->empty_at;
}

/*
 * Claims up to `wanted` (1..PEAL_QUEUE_COUNT_MAX) messages, of which nothing may be claimed here. OK;
 * EMPTY; ECORRUPT; AGAIN: others were faster each time.
 */
enum peal_status peal_queue_source_claim(struct peal_queue_source *source, uint32_t wanted,
                                         struct peal_queue_range *range);

/* Our line in the lane: the claim's, and what observers are told stands in it as well. */
static inline struct peal_queue_reader_shared *
peal_queue_source_line(const struct peal_queue_source *source)
{
    unsigned char *claim = (unsigned char *)source->claim;
    return (void *)(claim - offsetof(struct peal_queue_reader_shared, claim));
}

/* Counts what we are done with. Before the claim goes, for the line is ours until then. */
static inline void peal_queue_source_count(struct peal_queue_source *source, uint32_t done)
{
    source->popped += done;
    /* no fault point: a figure. relaxed: for observers, who decide nothing by it */
    peal_u64_store_relaxed(&peal_queue_source_line(source)->popped, source->popped);
}

/* Done with what was claimed: the producer may write there again. */
static inline void peal_queue_source_finish(const struct peal_queue_source *source)
{
    peal_queue_claim_store(source->claim, 0);
    PEAL_FAULT("queue.finished");
}

/*
 * A consumer that keeps up takes the line of `published` from the producer in mid-stride for every few
 * messages: looks find short runs. What came alone says nothing of the kind: so it is with questions and
 * answers.
 */
static inline bool peal_queue_source_is_at_heels(const struct peal_queue_source *source)
{
    return source->found > 1 && source->found < PEAL_QUEUE_SHORT_RUN;
}

/* A look of the short way. False: nothing is there, or what is needs the long way's care. */
static inline bool peal_queue_source_sees_more(struct peal_queue_source *source, uint64_t from)
{
    if (peal_queue_source_is_at_heels(source)) /* the long way lets the producer get ahead */
        return false;
    uint64_t seen = peal_queue_published_load(source->lane) & PEAL_QUEUE_POSITION_MASK;
    uint64_t count = peal_queue_distance(from, seen);
    if (count - 1 > source->mask)
        return false;
    source->published_seen = seen;
    source->found = (uint32_t)count;
    return true;
}

/*
 * The short way: claims the next message if it is there and nobody else has moved the cursor since we
 * did; nothing may be claimed here. False: nothing is claimed, take the long way.
 */
static inline bool peal_queue_source_claim_next(struct peal_queue_source *source,
                                                struct peal_queue_range *range)
{
    uint64_t cursor = peal_queue_cursor_load(source->lane);
    uint64_t from = peal_queue_cursor_position(cursor);
    if (PEAL_UNLIKELY(peal_queue_cursor_claimant(cursor) != source->entry))
        return false;
    if (PEAL_UNLIKELY(peal_queue_distance(from, source->published_seen) - 1 > source->mask) &&
        !peal_queue_source_sees_more(source, from))
        return false;
    uint64_t claim = peal_queue_claim_pack(PEAL_QUEUE_CLAIMING, from, 1);
    peal_queue_claim_store(source->claim, claim);
    PEAL_FAULT("queue.claiming");
    if (PEAL_UNLIKELY(!peal_queue_cursor_move(source->lane, cursor, claim, source->entry))) {
        peal_queue_source_finish(source);
        return false;
    }
    PEAL_FAULT("queue.won");
    *range = (struct peal_queue_range){.from = from, .count = 1};
    return true;
}

/* What a strict queue's consumer sees of a lane. */
struct peal_queue_head {
    uint64_t cursor;
    uint32_t count;  /* messages there */
    uint64_t ticket; /* of the first; UINT64_MAX: there is none */
};

/* OK also if there is none; ECORRUPT. */
enum peal_status peal_queue_source_head(const struct peal_queue_source *source,
                                        struct peal_queue_head *head);

/* How many of the head's messages, at most `wanted`, come before the ticket `end`. */
uint32_t peal_queue_source_run(const struct peal_queue_source *source,
                               const struct peal_queue_head *head, uint64_t end, uint32_t wanted);

/* Claims the first `count` messages of the head. AGAIN: somebody moved the cursor. */
enum peal_status peal_queue_source_claim_head(struct peal_queue_source *source,
                                              const struct peal_queue_head *head, uint32_t count,
                                              struct peal_queue_range *range);

/* Message `i` of a range, in place. False: its length is impossible; the producer is not honest. */
static inline bool peal_queue_source_message(const struct peal_queue_source *source,
                                             const struct peal_queue_range *range, uint32_t i,
                                             const void **data, size_t *size_bytes)
{
    uint32_t place = (uint32_t)(range->from + i) & source->mask;
    /* relaxed: behind QUEUE-A3 */
    uint32_t length = peal_u32_load_relaxed(&source->lengths[place]);
    if (PEAL_UNLIKELY(length > source->message_bytes_max))
        return false;
    *data = source->cells + (size_t)place * source->cell_bytes;
    *size_bytes = length;
    return true;
}

#endif
