/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A subscriber's end of a lane.
 *
 * The protocol of stamps and fences is told in core/lane_stamp.h. A reader that polls reads just the
 * line that the message will come in.
 *
 * Protection. In a lane that gates, messages from `safe_from` on are not overwritten before a
 * reliable reader has acknowledged them. Everything else may be overwritten while it is read, and is
 * confirmed afterwards. Since a publisher may also lie, confirmation is never left out; protection
 * only tells whether it can be expected to succeed.
 *
 * Whatever a publisher writes, a call reads inside the lane only and ends after a bounded number of
 * steps. One thread at a time, except peal_lane_reader_ready(), which any thread may call.
 */
#ifndef PEAL_CORE_LANE_READER_H
#define PEAL_CORE_LANE_READER_H

#include "core/copy.h"
#include "core/lane_geometry.h"
#include "core/lane_stamp.h"

#include <peal/message.h>

#define PEAL_LANE_HELD_MAX 64u /* messages that a reader may hold in place */

struct peal_lane_reader {
    /* the hot line */
    peal_u64 cursor; /* next message; private, but other threads of ours poll for it */
    unsigned char *slots;
    uint32_t mask;
    uint32_t stride_bytes;
    uint32_t inline_bytes_max;
    uint32_t meta_words;
    uint64_t done;         /* every message below it is taken and released */
    uint64_t acknowledged; /* `done` as the publisher can see it */
    uint64_t early;        /* bit i: message done + i was released before its turn */
    uint64_t plain_kind;   /* kind of a message that may go the short way; none if beyond 32 bits */
    uint64_t safe_from;    /* see "Protection"; UINT64_MAX: nothing is */
    uint32_t acknowledge_every;
    uint32_t run_before;  /* messages that the batch before this one found */
    uint32_t dropped_low; /* the publisher's count of drops, mod 2^24, when last told */

    uint64_t dropped; /* the same count, whole */
    bool dropped_known;
    bool corrupt;          /* given up */
    bool latest;           /* skip to the newest message */
    uint64_t lost_pending; /* to be reported with the next message */
    uint64_t lost;         /* in all, lost_pending included */
    uint64_t delivered;
    uint64_t spoilt; /* messages whose CRC was wrong */
    uint64_t incarnation;
    struct peal_lane_geometry geometry;
    struct peal_lane_shared *shared;
    struct peal_lane_reader_shared *line;
    const unsigned char *payload;
};

struct peal_lane_reader_wish {
    bool reliable;
    bool latest;
    bool invited;     /* read from message 0 */
    uint32_t history; /* else this many messages back */
};

/*
 * Begins reading a lane that was joined for entry `entry` (the tag is set). ECORRUPT if its geometry
 * does not fit in size_bytes; nothing is changed then.
 */
enum peal_status peal_lane_reader_begin(struct peal_lane_reader *reader,
                                        struct peal_lane_shared *lane, uint64_t size_bytes,
                                        uint32_t entry, const struct peal_lane_reader_wish *wish);

/* A message that was found, before it is copied or confirmed. */
struct peal_lane_view {
    const struct peal_slot_shared *slot;
    const peal_u64 *meta; /* timestamp, CRC */
    const peal_u64 *data;
    uint64_t number;
    uint32_t length;
    uint32_t kind;
};

/*
 * The long ways of peal_lane_look(), each a bounded number of steps: AGAIN means that the cursor was
 * moved over what is lost, or that the message changed under our eyes: look again, within a bound.
 */
enum peal_status peal_lane_look_further(struct peal_lane_reader *reader, uint64_t stamp);
enum peal_status peal_lane_look_in_ring(struct peal_lane_reader *reader,
                                        struct peal_lane_view *view);

/* OK, EMPTY, AGAIN (as above), or ECORRUPT (the lane is given up). */
static inline enum peal_status peal_lane_look(struct peal_lane_reader *reader,
                                              struct peal_lane_view *view)
{
    uint64_t number = peal_u64_load_relaxed(&reader->cursor); /* relaxed: only we write it */
    const struct peal_slot_shared *slot =
        peal_lane_slot(reader->slots, reader->mask, reader->stride_bytes, number);
    uint64_t stamp = peal_stamp_look(slot);
    if (PEAL_UNLIKELY(stamp != peal_stamp_complete(number)))
        return peal_lane_look_further(reader, stamp);
    view->slot = slot;
    view->number = number;
    /* relaxed: ordered by LANE-A1; read this once and validated here */
    view->length = peal_u32_load_relaxed(&slot->length);
    view->kind = peal_u32_load_relaxed(&slot->kind);
    view->meta = slot->body;
    view->data = slot->body + reader->meta_words;
    if (PEAL_UNLIKELY((view->kind & 0xffu) != PEAL_SLOT_INLINE ||
                      view->length > reader->inline_bytes_max))
        return peal_lane_look_in_ring(reader, view);
    return PEAL_OK;
}

/*
 * Was what has been read of message `number` since peal_lane_look() all of that message? In a slot
 * the stamp tells. Batches of loans and the payload ring are announced by `oldest` instead, which
 * those need not read whom the gate protects.
 */
static inline bool peal_lane_confirm(const struct peal_lane_reader *reader,
                                     const struct peal_slot_shared *slot, uint64_t number,
                                     bool in_ring)
{
    if (PEAL_UNLIKELY(!peal_stamp_is_still(slot, number)))
        return false;
    if (PEAL_LIKELY(!in_ring && number >= reader->safe_from))
        return true;
    /* relaxed: the fence in there orders it after the copy */
    return peal_u64_load_relaxed(&reader->shared->writer.oldest) <= number;
}

/* Counts the drops that the message tells of, and steps the cursor over it. */
void peal_lane_note_drops(struct peal_lane_reader *reader, uint32_t dropped_low);

static inline void peal_lane_step(struct peal_lane_reader *reader,
                                  const struct peal_lane_view *view, struct peal_message *message)
{
    if (PEAL_UNLIKELY(view->kind >> 8 != reader->dropped_low || !reader->dropped_known))
        peal_lane_note_drops(reader, view->kind >> 8);
    message->number = view->number;
    message->size_bytes = view->length;
    message->lost = reader->lost_pending;
    /* relaxed: the option says whether the word is one; it was copied before the confirmation */
    message->timestamp_ns =
        reader->geometry.options & PEAL_LANE_TIMESTAMP ? peal_u64_load_relaxed(view->meta) : 0;
    message->publisher = reader->incarnation;
    reader->lost_pending = 0;
    reader->delivered++;
    peal_u64_store_relaxed(&reader->cursor, view->number + 1); /* relaxed: only we write it */
}

/* Fills in a message of the short way, which has lost nothing before it but what is pending. */
static inline void peal_lane_fill(const struct peal_lane_reader *reader, uint64_t number,
                                  uint32_t length, uint64_t timestamp_ns,
                                  struct peal_message *message)
{
    message->size_bytes = length;
    message->number = number;
    message->lost = reader->lost_pending;
    message->timestamp_ns = timestamp_ns;
    message->publisher = reader->incarnation;
    message->token = number << 1;
}

/*
 * The short way of taking: a message in its slot, without CRC, without news of drops, nothing held
 * out of order. OK, EMPTY, or AGAIN: take the long way. `copies`: into buffer, else in place.
 */
static inline __attribute__((always_inline)) enum peal_status
peal_lane_take_plain(struct peal_lane_reader *reader, void *buffer, size_t capacity_bytes,
                     bool copies, struct peal_message *message)
{
    uint64_t number = peal_u64_load_relaxed(&reader->cursor); /* relaxed: only we write it */
    const struct peal_slot_shared *slot =
        peal_lane_slot(reader->slots, reader->mask, reader->stride_bytes, number);
    uint64_t stamp = peal_stamp_look(slot);
    if (stamp != peal_stamp_complete(number)) {
        if (stamp > peal_stamp_complete(number))
            return PEAL_AGAIN;
        /* A message of two lines: let both come at once when it is there. For longer ones the
         * CPU's own prefetcher does better. */
        if (reader->stride_bytes == 2 * PEAL_LINE_BYTES)
            peal_cpu_fetch_to_read((const unsigned char *)slot + PEAL_LINE_BYTES);
        return PEAL_EMPTY;
    }
    /* relaxed: ordered by LANE-A1; read this once and validated here */
    uint32_t length = peal_u32_load_relaxed(&slot->length);
    uint32_t kind = peal_u32_load_relaxed(&slot->kind);
    if (PEAL_UNLIKELY(kind != reader->plain_kind || length > reader->inline_bytes_max))
        return PEAL_AGAIN;
    if (copies ? length > capacity_bytes || number != reader->done
               : number - reader->done >= PEAL_LANE_HELD_MAX)
        return PEAL_AGAIN;
    const peal_u64 *data = slot->body + reader->meta_words;
    /* relaxed: without CRC the only option word is the timestamp; confirmed with the rest */
    uint64_t stamped = reader->meta_words ? peal_u64_load_relaxed(slot->body) : 0;
    if (copies) {
        peal_copy_out(buffer, data, length);
        if (PEAL_UNLIKELY(!peal_lane_confirm(reader, slot, number, false)))
            return PEAL_AGAIN;
        reader->done = number + 1;
    } else if (PEAL_UNLIKELY(number < reader->safe_from) &&
               /* relaxed: release confirms; this only keeps known losses from being handed out */
               peal_u64_load_relaxed(&reader->shared->writer.oldest) > number) {
        return PEAL_AGAIN;
    }
    message->data = copies ? buffer : (const void *)data;
    peal_lane_fill(reader, number, length, stamped, message);
    reader->lost_pending = 0;
    reader->delivered++;
    peal_u64_store_relaxed(&reader->cursor, number + 1); /* relaxed: only we write it */
    return PEAL_OK;
}

/* As many of them as there are, up to `max`, in place. */
size_t peal_lane_take_plain_batch(struct peal_lane_reader *reader, struct peal_message *messages,
                                  size_t max);

/* Gives back messages[0..count) of this lane. Returns how many were overwritten. */
size_t peal_lane_release_batch(struct peal_lane_reader *reader, const struct peal_message *messages,
                               size_t count);

/*
 * Takes the next message in place. OK, EMPTY, ELIMIT (64 are held), ECORRUPT (lane given up, or
 * message->number has a wrong CRC and is lost).
 */
enum peal_status peal_lane_take(struct peal_lane_reader *reader, struct peal_message *message);

/* Gives back message `number`. OK, or ELAPPED: it had been overwritten and now counts as lost. */
enum peal_status peal_lane_release(struct peal_lane_reader *reader, uint64_t number, bool in_ring);

/* Takes the next message by copy. ETRUNC: message->size_bytes is needed; nothing was consumed. */
enum peal_status peal_lane_take_copy(struct peal_lane_reader *reader, void *buffer,
                                     size_t capacity_bytes, struct peal_message *message);

/*
 * Tells the publisher how far we are. True: it sleeps for that and wants to be rung. `fences`: as in
 * core/bell.h, for the same handshake with the publisher's `waiting` word.
 */
bool peal_lane_acknowledge(struct peal_lane_reader *reader, bool fences);

/* Is it time to acknowledge: enough released, or (idle) anything at all? */
static inline bool peal_lane_owes(const struct peal_lane_reader *reader, bool idle)
{
    uint64_t owed = reader->done - reader->acknowledged;
    return owed >= (idle ? 1 : reader->acknowledge_every);
}

/* Is there something to take, or a loss to find out? Any thread. */
static inline bool peal_lane_reader_ready(const struct peal_lane_reader *reader)
{
    uint64_t number =
        peal_u64_load_relaxed(&reader->cursor); /* relaxed: stale is only early or late */
    const struct peal_slot_shared *slot =
        peal_lane_slot(reader->slots, reader->mask, reader->stride_bytes, number);
    return peal_stamp_look(slot) >= peal_stamp_complete(number);
}

/* The number of the next message that is not complete, found without knowing anything: slot 0 tells the
 * turn of the ring. In a number of looks that is the logarithm of the depth. Needs slots, mask and stride
 * only. */
uint64_t peal_lane_reader_tail(const struct peal_lane_reader *reader);

/* All losses known by now, drops after the last message included. */
uint64_t peal_lane_reader_lost(const struct peal_lane_reader *reader);

#endif
