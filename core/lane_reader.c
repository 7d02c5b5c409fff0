/* SPDX-License-Identifier: Apache-2.0 */
#include "core/lane_reader.h"

#include "core/crc32c.h"

/* How often one call steps over losses before it answers EMPTY and leaves the rest to the next. */
#define JUMPS_MAX 8u

/* Acknowledging costs the publisher a cache miss at its next gate; every 64 messages is rare enough
 * to be free and often enough that the gate seldom shuts on a reader that keeps up. */
#define ACKNOWLEDGE_EVERY_MAX 64u

/* relaxed accessors of the cursor: only our thread writes it, see lane_reader.h */
static uint64_t cursor_of(const struct peal_lane_reader *reader)
{
    return peal_u64_load_relaxed(&reader->cursor); /* relaxed: only we write it */
}

static uint64_t stamp_of(const struct peal_lane_reader *reader, uint64_t number)
{
    const struct peal_slot_shared *slot =
        peal_lane_slot(reader->slots, reader->mask, reader->stride_bytes, number);
    return peal_stamp_look(slot);
}

/*
 * The number of the next message that is not complete, given that message `low` has been begun.
 * "Message x is complete or overrun" holds for x below it and for none above, so halving finds it in
 * log2(depth) looks; a publisher that runs on meanwhile only makes the answer a little old, and one
 * that lies makes it wrong but not late.
 */
static uint64_t find_tail(const struct peal_lane_reader *reader, uint64_t low)
{
    uint64_t begin = low;
    uint64_t end = low + reader->mask + 1;
    while (begin < end) {
        uint64_t middle = begin + (end - begin) / 2;
        if (stamp_of(reader, middle) >= peal_stamp_complete(middle))
            begin = middle + 1;
        else
            end = middle;
    }
    return begin;
}

/*
 * The same from a stamp of some slot. An odd one may belong to the last of several loans: of the
 * slots before it some may be on loan as well, and their messages are still to come.
 */
static uint64_t find_tail_from(const struct peal_lane_reader *reader, uint64_t stamp)
{
    uint64_t number = (stamp - 1) / 2;
    if (stamp & 1u)
        return find_tail(reader, number > reader->mask ? number - reader->mask : 0);
    return find_tail(reader, number);
}

uint64_t peal_lane_reader_tail(const struct peal_lane_reader *reader)
{
    uint64_t stamp = stamp_of(reader, 0);
    return stamp < 2 ? 0 : find_tail_from(reader, stamp);
}

/* The oldest message that is likely to last a little longer, when `tail` is the next to come. */
static uint64_t oldest_kept(const struct peal_lane_reader *reader, uint64_t tail)
{
    uint64_t depth = (uint64_t)reader->mask + 1;
    uint64_t kept = depth - 1 - depth / 8;
    return tail > kept ? tail - kept : 0;
}

/* Moves the cursor on to `number`; what is between is lost. */
static void jump(struct peal_lane_reader *reader, uint64_t number)
{
    uint64_t lost = number - cursor_of(reader);
    reader->lost += lost;
    reader->lost_pending += lost;
    /* What is still held in place lies behind us now; its release only checks the stamp. */
    reader->done = number;
    reader->early = 0;
    peal_u64_store_relaxed(&reader->cursor, number); /* relaxed: only we write it */
}

static enum peal_status give_up(struct peal_lane_reader *reader)
{
    reader->corrupt = true;
    return PEAL_ECORRUPT;
}

/* The slot of message `cursor` holds a later one: how many are lost is exact. */
static enum peal_status step_over_overrun(struct peal_lane_reader *reader, uint64_t stamp)
{
    uint64_t cursor = cursor_of(reader);
    uint64_t found = (stamp - 1) / 2; /* of 2t+1 and of 2t+2 alike */
    if (found <= cursor || ((found - cursor) & reader->mask))
        return give_up(reader); /* no message of this slot has such a stamp */
    uint64_t kept = oldest_kept(reader, find_tail_from(reader, stamp));
    jump(reader, kept > cursor ? kept : cursor + 1);
    return PEAL_AGAIN;
}

/* For a latest-value reader: skips to the newest complete message, if there is one. */
static void skip_to_latest(struct peal_lane_reader *reader)
{
    uint64_t cursor = cursor_of(reader);
    uint64_t stamp = stamp_of(reader, cursor);
    if (stamp < peal_stamp_complete(cursor))
        return;
    /* A stamp that no message of this slot has is peal_lane_look()'s to judge. */
    if (((stamp - 1) / 2 - cursor) & reader->mask)
        return;
    uint64_t tail = find_tail_from(reader, stamp);
    if (tail > cursor + 1)
        jump(reader, tail - 1);
}

/* The bytes of everything below `oldest` are gone, whatever the stamps say. */
static enum peal_status step_over_retired(struct peal_lane_reader *reader, uint64_t oldest)
{
    uint64_t cursor = cursor_of(reader);
    uint64_t depth = (uint64_t)reader->mask + 1;
    uint64_t ahead = oldest - cursor;
    jump(reader, cursor + (ahead < depth ? ahead : depth));
    return PEAL_AGAIN;
}

enum peal_status peal_lane_look_further(struct peal_lane_reader *reader, uint64_t stamp)
{
    if (reader->corrupt || stamp < peal_stamp_complete(cursor_of(reader)))
        return PEAL_EMPTY;
    return step_over_overrun(reader, stamp);
}

enum peal_status peal_lane_look_in_ring(struct peal_lane_reader *reader,
                                        struct peal_lane_view *view)
{
    const struct peal_lane_geometry *geometry = &reader->geometry;
    if ((view->kind & 0xffu) == PEAL_SLOT_RING && geometry->payload_bytes &&
        view->length <= geometry->message_bytes_max) {
        uint64_t position = peal_u64_load_relaxed(view->data); /* relaxed: read this once */
        uint64_t offset = position % geometry->payload_bytes;
        /* A message never wraps and begins on a line; what says otherwise is a lie or torn. */
        if (offset % PEAL_LINE_BYTES == 0 && offset + view->length <= geometry->payload_bytes) {
            view->data = (const peal_u64 *)(const void *)(reader->payload + (size_t)offset);
            return PEAL_OK;
        }
    }
    /* Nonsense under a good stamp is a lie; under one that has changed meanwhile it was torn. */
    if (peal_lane_confirm(reader, view->slot, view->number, false))
        return give_up(reader);
    /* relaxed: whether it was retired or overrun only tells which way to step */
    uint64_t oldest = peal_u64_load_relaxed(&reader->shared->writer.oldest);
    return oldest > view->number ? step_over_retired(reader, oldest) : PEAL_AGAIN;
}

/* peal_lane_look(), and for messages that may be overwritten a look whether they already are. */
static enum peal_status look_once(struct peal_lane_reader *reader, struct peal_lane_view *view)
{
    enum peal_status status = peal_lane_look(reader, view);
    if (status != PEAL_OK ||
        (view->number >= reader->safe_from && (view->kind & 0xffu) == PEAL_SLOT_INLINE))
        return status;
    /* relaxed: read again by peal_lane_confirm(); this look makes the loss known */
    uint64_t oldest = peal_u64_load_relaxed(&reader->shared->writer.oldest);
    return oldest > view->number ? step_over_retired(reader, oldest) : PEAL_OK;
}

/* look_once() until it has an answer other than AGAIN, within a bound. */
static enum peal_status look(struct peal_lane_reader *reader, struct peal_lane_view *view)
{
    /* A reader that holds as many messages as it may has to release first. */
    if (PEAL_UNLIKELY(cursor_of(reader) - reader->done >= PEAL_LANE_HELD_MAX))
        return PEAL_ELIMIT;
    enum peal_status status = PEAL_AGAIN;
    for (uint32_t jumps = 0; status == PEAL_AGAIN && jumps <= JUMPS_MAX; jumps++) {
        if (PEAL_UNLIKELY(reader->latest))
            skip_to_latest(reader); /* after a jump, too: that led to the oldest */
        status = look_once(reader, view);
    }
    return status == PEAL_AGAIN ? PEAL_EMPTY : status;
}

/* Which messages may go the short way. */
static void set_plain_kind(struct peal_lane_reader *reader)
{
    bool never = !reader->dropped_known || reader->latest ||
                 (reader->geometry.options & PEAL_LANE_CRC32C) != 0;
    reader->plain_kind =
        never ? UINT64_MAX : ((uint64_t)reader->dropped_low << 8 | PEAL_SLOT_INLINE);
}

void peal_lane_note_drops(struct peal_lane_reader *reader, uint32_t dropped_low)
{
    uint32_t more = (dropped_low - reader->dropped_low) & 0xffffffu;
    if (!reader->dropped_known && more > 0x7fffffu) {
        /* The first message of somebody who came late, and it is older than the drops that were known
         * when we came: count from where the message stands. */
        reader->dropped -= (reader->dropped_low - dropped_low) & 0xffffffu;
    } else {
        reader->lost += more;
        reader->lost_pending += more;
        reader->dropped += more;
    }
    reader->dropped_known = true;
    reader->dropped_low = dropped_low;
    set_plain_kind(reader);
}

/* Marks `number` as finished with and moves `done` over what is finished in a row. */
static void finish(struct peal_lane_reader *reader, uint64_t number)
{
    if (PEAL_LIKELY(number == reader->done && reader->early == 0)) {
        reader->done++;
        return;
    }
    if (number < reader->done || number - reader->done >= PEAL_LANE_HELD_MAX)
        return; /* overrun meanwhile, see jump() */
    reader->early |= 1ull << (number - reader->done);
    while (reader->early & 1u) {
        reader->early >>= 1;
        reader->done++;
    }
}

/* A message whose bytes cannot be trusted is lost; messages held in place before it stay held. */
static enum peal_status lose_spoilt(struct peal_lane_reader *reader,
                                    const struct peal_lane_view *view, struct peal_message *message)
{
    message->number = view->number;
    message->publisher = reader->incarnation;
    reader->lost++;
    reader->lost_pending++;
    reader->spoilt++;
    finish(reader, view->number);
    peal_u64_store_relaxed(&reader->cursor, view->number + 1); /* relaxed: only we write it */
    return PEAL_ECORRUPT;
}

static bool crc_is_right(const struct peal_lane_reader *reader, const struct peal_lane_view *view,
                         const void *data)
{
    if (!(reader->geometry.options & PEAL_LANE_CRC32C))
        return true;
    const peal_u64 *word = view->meta + (reader->geometry.meta_bytes / 8 - 1);
    uint64_t stored = peal_u64_load_relaxed(word); /* relaxed: the confirmation comes after */
    return stored == peal_crc32c(data, view->length);
}

enum peal_status peal_lane_take(struct peal_lane_reader *reader, struct peal_message *message)
{
    struct peal_lane_view view;
    enum peal_status status = look(reader, &view);
    if (status != PEAL_OK)
        return status;
    bool in_ring = (view.kind & 0xffu) == PEAL_SLOT_RING;
    if (PEAL_UNLIKELY(!crc_is_right(reader, &view, view.data))) {
        if (!peal_lane_confirm(reader, view.slot, view.number, in_ring))
            return PEAL_EMPTY; /* overrun while we summed; the next call finds out how far */
        return lose_spoilt(reader, &view, message);
    }
    /* A count of drops is taken over for good, so it must not be the one of a later message. */
    if (PEAL_UNLIKELY(view.kind >> 8 != reader->dropped_low) &&
        !peal_lane_confirm(reader, view.slot, view.number, in_ring))
        return PEAL_EMPTY; /* as above */
    message->data = view.data;
    message->token = view.number << 1 | (in_ring ? 1u : 0u);
    peal_lane_step(reader, &view, message);
    return PEAL_OK;
}

enum peal_status peal_lane_release(struct peal_lane_reader *reader, uint64_t number, bool in_ring)
{
    const struct peal_slot_shared *slot =
        peal_lane_slot(reader->slots, reader->mask, reader->stride_bytes, number);
    bool whole = peal_lane_confirm(reader, slot, number, in_ring);
    finish(reader, number);
    if (PEAL_LIKELY(whole))
        return PEAL_OK;
    reader->delivered--;
    reader->lost++;
    return PEAL_ELAPPED;
}

enum peal_status peal_lane_take_copy(struct peal_lane_reader *reader, void *buffer,
                                     size_t capacity_bytes, struct peal_message *message)
{
    for (uint32_t tries = 0; tries < JUMPS_MAX; tries++) {
        struct peal_lane_view view;
        enum peal_status status = look(reader, &view);
        if (status != PEAL_OK)
            return status;
        if (PEAL_UNLIKELY(view.length > capacity_bytes)) {
            bool ring = (view.kind & 0xffu) == PEAL_SLOT_RING;
            if (!peal_lane_confirm(reader, view.slot, view.number, ring))
                continue; /* the length of another message */
            message->size_bytes = view.length;
            message->number = view.number;
            message->publisher = reader->incarnation;
            return PEAL_ETRUNC;
        }
        peal_copy_out(buffer, view.data, view.length);
        bool right = crc_is_right(reader, &view, buffer);
        /* relaxed: read before the confirmation, as all else of the message */
        uint64_t stamped = reader->meta_words ? peal_u64_load_relaxed(view.meta) : 0;
        bool in_ring = (view.kind & 0xffu) == PEAL_SLOT_RING;
        if (PEAL_UNLIKELY(!peal_lane_confirm(reader, view.slot, view.number, in_ring)))
            continue; /* overrun while we copied: look() counts the loss */
        if (PEAL_UNLIKELY(!right))
            return lose_spoilt(reader, &view, message);
        message->data = buffer;
        message->token = 0;
        peal_lane_step(reader, &view, message);
        if (reader->geometry.options & PEAL_LANE_TIMESTAMP)
            message->timestamp_ns = stamped;
        finish(reader, view.number);
        return PEAL_OK;
    }
    return PEAL_EMPTY;
}

/*
 * Asks for the next `count` slots at once: as many as came together the time before, which in a steady
 * stream will have come by now. What has not would be taken from the publisher while it writes.
 */
static void fetch_slots(const struct peal_lane_reader *reader, size_t count)
{
    uint64_t cursor = cursor_of(reader);
    for (size_t i = 0; i < count; i++) {
        const struct peal_slot_shared *slot =
            peal_lane_slot(reader->slots, reader->mask, reader->stride_bytes, cursor + i);
        peal_cpu_fetch_to_read(slot);
        if (reader->stride_bytes > PEAL_LINE_BYTES)
            peal_cpu_fetch_to_read((const unsigned char *)slot + PEAL_LINE_BYTES);
    }
}

size_t peal_lane_take_plain_batch(struct peal_lane_reader *reader, struct peal_message *messages,
                                  size_t max)
{
    size_t count = 0;
    fetch_slots(reader, max < reader->run_before ? max : reader->run_before);
    while (count < max && peal_lane_take_plain(reader, NULL, 0, false, &messages[count]) == PEAL_OK)
        count++;
    reader->run_before = (uint32_t)count;
    return count;
}

size_t peal_lane_release_batch(struct peal_lane_reader *reader, const struct peal_message *messages,
                               size_t count)
{
    size_t overwritten = 0;
    for (size_t i = 0; i < count; i++)
        overwritten +=
            peal_lane_release(reader, messages[i].token >> 1, messages[i].token & 1u) != PEAL_OK;
    return overwritten;
}

/* Tells the publisher that we are done with everything below `cursor`. */
static void publish_cursor(struct peal_lane_reader *reader, uint64_t cursor)
{
    reader->acknowledged = cursor;
    /* no fault point: figures.
     * relaxed: for observers, who decide nothing by them; the line is ours at this moment anyway */
    peal_u64_store_relaxed(&reader->line->delivered, reader->delivered);
    peal_u64_store_relaxed(&reader->line->lost, reader->lost);
    /* Our reads came before.
     * LANE-R2: pairs with GATE-A3 in lane_writer.c:lowest_needed() and pairs with AUDIT-A1 in
     * audit_lane.c:read_cursors() */
    peal_u64_store_release(&reader->line->cursor, cursor);
    PEAL_FAULT("lane.acknowledged");
}

bool peal_lane_acknowledge(struct peal_lane_reader *reader, bool fences)
{
    publish_cursor(reader, reader->done);
    if (fences)
        peal_fence_seq_cst(); /* LANE-F4: pairs with ROOM-F1 in bus/publish.c */
    else
        peal_fence_compiler(); /* LANE-F5: pairs with ROOM-F1 and its membarrier */
    /* relaxed: the fences make one of us see the other */
    return peal_u64_load_relaxed(&reader->shared->writer.waiting) != 0;
}

uint64_t peal_lane_reader_lost(const struct peal_lane_reader *reader)
{
    /* relaxed: a statistic; a publisher that lies here lies about its own losses */
    uint64_t dropped = peal_u64_load_relaxed(&reader->shared->writer.dropped);
    return reader->lost + (dropped > reader->dropped ? dropped - reader->dropped : 0);
}

/*
 * An eighth of what the lane holds, so that a reader which has taken everything but waits for more
 * before it acknowledges never shuts the gate.
 */
static uint32_t acknowledge_every(const struct peal_lane_geometry *geometry)
{
    uint64_t holds = geometry->depth;
    if (geometry->payload_bytes) {
        uint64_t longest = peal_lane_payload_room(geometry->message_bytes_max);
        uint64_t in_ring = longest ? geometry->payload_bytes / longest : 1;
        holds = in_ring < holds ? in_ring : holds;
    }
    uint64_t every = holds / 8;
    if (every < 1)
        return 1;
    return every > ACKNOWLEDGE_EVERY_MAX ? ACKNOWLEDGE_EVERY_MAX : (uint32_t)every;
}

enum peal_status peal_lane_reader_begin(struct peal_lane_reader *reader,
                                        struct peal_lane_shared *lane, uint64_t size_bytes,
                                        uint32_t entry, const struct peal_lane_reader_wish *wish)
{
    struct peal_lane_geometry geometry;
    uint64_t incarnation;
    if (peal_lane_geometry_load(&geometry, &incarnation, lane, size_bytes) != PEAL_OK)
        return PEAL_ECORRUPT;
    unsigned char *base = (unsigned char *)lane;
    *reader = (struct peal_lane_reader){
        .slots = base + PEAL_LANE_SLOTS_OFFSET,
        .mask = geometry.depth - 1,
        .stride_bytes = geometry.stride_bytes,
        .inline_bytes_max = geometry.inline_bytes_max < geometry.message_bytes_max
                                ? geometry.inline_bytes_max
                                : geometry.message_bytes_max,
        .meta_words = geometry.meta_bytes / 8,
        .acknowledge_every = acknowledge_every(&geometry),
        .latest = wish->latest,
        .dropped_known = wish->invited,
        .safe_from = UINT64_MAX,
        .incarnation = incarnation,
        .geometry = geometry,
        .shared = lane,
        .line = &lane->readers[entry],
        .payload = base + geometry.payload_offset,
    };
    bool gates = wish->reliable && !(geometry.options & PEAL_LANE_EVICT);
    uint64_t start = 0;
    if (!wish->invited) {
        /* Gate the publisher first, then look where it is: see GATE-F1. */
        uint64_t guess = peal_lane_reader_tail(reader);
        guess = guess > wish->history ? guess - wish->history : 0;
        publish_cursor(reader, guess);
        peal_fence_seq_cst(); /* LANE-F3: pairs with GATE-F1 in lane_writer.c:peal_lane_gate() */
        uint64_t tail = peal_lane_reader_tail(reader);
        uint64_t kept = oldest_kept(reader, tail);
        start = tail > wish->history ? tail - wish->history : 0;
        if (start < kept)
            start = kept;
        /* relaxed: our share of the drops begins here, see peal_lane_note_drops() */
        reader->dropped = peal_u64_load_relaxed(&lane->writer.dropped);
        reader->dropped_low = (uint32_t)(reader->dropped & 0xffffffu);
        if (gates)
            reader->safe_from = tail;
    } else if (gates) {
        reader->safe_from = 0;
    }
    set_plain_kind(reader);
    peal_u64_store_relaxed(&reader->cursor, start); /* relaxed: nobody else knows us yet */
    reader->done = start;
    publish_cursor(reader, start);
    return PEAL_OK;
}
