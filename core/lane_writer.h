/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The publisher's end of a lane.
 *
 * The line that publishes a message is peal_stamp_publish() in peal_lane_put_plain(); the protocol of
 * stamps and fences is told in core/lane_stamp.h.
 *
 * The gate. A reliable subscriber must not be overrun. The publisher keeps a private `limit`: messages
 * below it may be written without looking at anybody. When it is reached, or when a subscriber came
 * or went (the topic's subscriber_epoch moved), the publisher looks at the acknowledgement lines and
 * computes a new one. So the cost of a publish does not grow with the number of subscribers.
 *
 * Batches of loans. The odd stamp would touch each slot's line once more, long before its message
 * is complete, and a reader's prefetcher may have taken the line away in between. So a batch is
 * announced by one word instead: the writer's `oldest` says below which number messages may have
 * lost their bytes. Readers that the gate protects need not look at it; the others do when they confirm.
 * The payload ring is guarded by the same word.
 *
 * The warm part. A payload ring that is gone round in full is written and read in memory that the caches
 * have forgotten, once it is larger than they are. Who sets payload_warm_bytes begins the next turn, once
 * so much of the ring has been used, as soon as as much is free at its beginning; then the same bytes are
 * used over and over. Positions stay counts that only grow: the rest of the turn is skipped. So who falls
 * behind just then has so much room, and not the whole ring, before the gate shuts. Not while somebody
 * reads whom the gate does not protect: he would be overrun by what comes next, instead of by what
 * comes a ring later.
 *
 * Nothing here blocks, allocates or calls the operating system. One thread at a time.
 */
#ifndef PEAL_CORE_LANE_WRITER_H
#define PEAL_CORE_LANE_WRITER_H

#include "core/copy.h"
#include "core/lane_geometry.h"
#include "core/lane_stamp.h"

/* Private: authoritative cursors live here and are never read back from the lane. */
struct peal_lane_writer {
    /* the hot line */
    unsigned char *slots;
    uint64_t next;         /* number of the next message */
    uint64_t limit;        /* messages below it may be written; see "The gate" */
    const peal_u64 *epoch; /* the topic's subscriber_epoch */
    uint64_t epoch_seen;   /* its value when the gate was last computed */
    uint32_t mask;         /* depth - 1 */
    uint32_t stride_bytes;
    uint32_t plain_bytes_end; /* shorter messages go the short way: in the slot, without options */
    uint32_t loaned;          /* slots next..next+loaned-1 are in the caller's hands */
    uint32_t kind;            /* messages dropped so far << 8, ready to be or'ed */

    uint32_t loan_kind; /* enum peal_slot_kind of the open loans */
    size_t loan_bytes;  /* size of each of them */
    struct peal_lane_geometry geometry;
    struct peal_lane_shared *shared;
    const struct peal_topic_shared *topic;
    unsigned char *payload;
    uint64_t payload_next;  /* running count of bytes of the payload ring given out */
    uint64_t payload_limit; /* ... that may be written without looking at the gate */
    uint64_t oldest;        /* messages below may have lost their bytes, see "Batches of loans" */
    uint64_t dropped;
    uint64_t payload_warm_bytes; /* see "The warm part" of the payload ring; 0: all of it */
    uint64_t payload_tried;      /* payload_next when a new turn was last tried for */
    uint64_t *starts;          /* [depth]: payload_next when message t began; NULL without a ring */
    uint32_t reliable_count;   /* reliable subscribers as of epoch_seen */
    uint32_t subscriber_count; /* all of them */
    uint8_t reliable[PEAL_TOPIC_SUBSCRIBERS_MAX];        /* their entries */
    uint64_t reliable_words[PEAL_TOPIC_SUBSCRIBERS_MAX]; /* and owner words */
};

/* How many private bytes `starts` needs: 0 without a payload ring. */
size_t peal_lane_writer_starts_bytes(const struct peal_lane_geometry *geometry);

/*
 * Begins writing a fresh lane (zeroed, geometry stored). `starts`: that many bytes of the caller's
 * memory, 8-byte aligned, to be kept as long as the writer; NULL if none are needed.
 */
void peal_lane_writer_init(struct peal_lane_writer *writer,
                           const struct peal_lane_geometry *geometry,
                           struct peal_lane_shared *shared, const struct peal_topic_shared *topic,
                           uint64_t *starts);

/* Looks at subscribers and acknowledgements, and computes limit and payload_limit. */
void peal_lane_gate(struct peal_lane_writer *writer);

/*
 * Takes one more slot for size_bytes into the loan: *data is writable. FULL: the gate is shut;
 * EMSGSIZE: longer than the lane's messages. All loans that are open at once have one size.
 */
enum peal_status peal_lane_reserve(struct peal_lane_writer *writer, size_t size_bytes, void **data);

/*
 * Takes up to `count` slots of size_bytes each at once; no loan may be open. Returns how many, 0 if
 * the gate is shut. Only for messages that fit in slots (peal_lane_fits_slot()).
 */
size_t peal_lane_reserve_batch(struct peal_lane_writer *writer, size_t size_bytes, size_t count,
                               void **data);

static inline bool peal_lane_fits_slot(const struct peal_lane_writer *writer, size_t size_bytes)
{
    return size_bytes <= writer->geometry.inline_bytes_max &&
           size_bytes <= writer->geometry.message_bytes_max;
}

/* Publishes the first loan with its final size (at most the loaned one) and timestamp. */
void peal_lane_commit(struct peal_lane_writer *writer, size_t size_bytes, uint64_t timestamp_ns);

/* Publishes the first `count` loans of a batch, all with the size they were loaned. */
void peal_lane_commit_batch(struct peal_lane_writer *writer, size_t count, uint64_t timestamp_ns);

/* Gives all open loans back. */
void peal_lane_discard(struct peal_lane_writer *writer);

/* Counts a dropped message: readers are told with the next one. */
void peal_lane_drop(struct peal_lane_writer *writer);

/* The long way of peal_lane_put(): gate, payload ring, options. */
enum peal_status peal_lane_put_slowly(struct peal_lane_writer *writer, const void *data,
                                      size_t size_bytes, uint64_t timestamp_ns);

/* Writes one whole message of peal_lane_is_plain() size into the next slot and publishes it. */
static inline void peal_lane_put_plain(struct peal_lane_writer *writer, const void *data,
                                       size_t size_bytes)
{
    uint64_t number = writer->next;
    struct peal_slot_shared *slot =
        peal_lane_slot(writer->slots, writer->mask, writer->stride_bytes, number);
    peal_stamp_begin(slot, number);
    peal_stamp_fence();
    /* relaxed: ordered by the stamp's release, LANE-R1 */
    peal_u32_store_relaxed(&slot->length, (uint32_t)size_bytes);
    peal_u32_store_relaxed(&slot->kind, writer->kind);
    peal_copy_in_words(slot->body, data, size_bytes);
    peal_stamp_publish(slot, number);
    writer->next = number + 1;
}

/* May the next message go the short way: small, no loan open, nothing to look at? */
static inline bool peal_lane_is_plain(const struct peal_lane_writer *writer, size_t size_bytes)
{
    /* relaxed: only a hint to look at the gate soon; what must not be missed is fenced there */
    uint64_t epoch = peal_u64_load_relaxed(writer->epoch);
    return size_bytes < writer->plain_bytes_end && writer->next < writer->limit &&
           epoch == writer->epoch_seen && writer->loaned == 0;
}

/* The short ways of peal_lane_reserve(), after peal_lane_is_plain() ... */
static inline void *peal_lane_reserve_plain(struct peal_lane_writer *writer, size_t size_bytes)
{
    struct peal_slot_shared *slot =
        peal_lane_slot(writer->slots, writer->mask, writer->stride_bytes, writer->next);
    peal_stamp_begin(slot, writer->next);
    peal_stamp_fence();
    writer->loan_kind = PEAL_SLOT_INLINE;
    writer->loan_bytes = size_bytes;
    writer->loaned = 1;
    return slot->body;
}

/* ... and of peal_lane_commit(), in lanes without options and payload ring, with one loan open. */
static inline bool peal_lane_commits_plainly(const struct peal_lane_writer *writer)
{
    return writer->plain_bytes_end != 0 && writer->loaned == 1;
}

static inline void peal_lane_commit_plain(struct peal_lane_writer *writer, size_t size_bytes)
{
    struct peal_slot_shared *slot =
        peal_lane_slot(writer->slots, writer->mask, writer->stride_bytes, writer->next);
    /* relaxed: ordered by the stamp's release, LANE-R1 */
    peal_u32_store_relaxed(&slot->length, (uint32_t)size_bytes);
    peal_u32_store_relaxed(&slot->kind, writer->kind);
    peal_stamp_publish(slot, writer->next);
    writer->next++;
    writer->loaned = 0;
}

/*
 * Publishes a copy of data[0..size_bytes). OK, FULL (gate shut, nothing done), EMSGSIZE. No loan may
 * be open. `timestamp_ns` counts only where the geometry has timestamps.
 */
static inline enum peal_status peal_lane_put(struct peal_lane_writer *writer, const void *data,
                                             size_t size_bytes, uint64_t timestamp_ns)
{
    if (PEAL_UNLIKELY(!peal_lane_is_plain(writer, size_bytes)))
        return peal_lane_put_slowly(writer, data, size_bytes, timestamp_ns);
    peal_lane_put_plain(writer, data, size_bytes);
    return PEAL_OK;
}

#endif
