/* SPDX-License-Identifier: Apache-2.0 */
#include "core/lane_writer.h"

#include "core/crc32c.h"
#include "core/owner.h"

/* A new turn is tried for after so many bytes at the earliest, as the gate has to be looked at. */
#define PAYLOAD_TRY_BYTES 16384u

size_t peal_lane_writer_starts_bytes(const struct peal_lane_geometry *geometry)
{
    return geometry->payload_bytes ? (size_t)geometry->depth * sizeof(uint64_t) : 0;
}

void peal_lane_writer_init(struct peal_lane_writer *writer,
                           const struct peal_lane_geometry *geometry,
                           struct peal_lane_shared *shared, const struct peal_topic_shared *topic,
                           uint64_t *starts)
{
    unsigned char *base = (unsigned char *)shared;
    *writer = (struct peal_lane_writer){
        .slots = base + PEAL_LANE_SLOTS_OFFSET,
        .epoch = &topic->subscriber_epoch,
        /* limit 0: the first message looks at the gate. */
        .mask = geometry->depth - 1,
        .stride_bytes = geometry->stride_bytes,
        .geometry = *geometry,
        .shared = shared,
        .topic = topic,
        .payload = base + geometry->payload_offset,
        .starts = starts,
    };
    /* Options, the payload ring's bookkeeping and bulk copies make a message go the long way. */
    if (!geometry->meta_bytes && !geometry->payload_bytes)
        writer->plain_bytes_end = geometry->message_bytes_max < PEAL_COPY_BULK_BYTES
                                      ? geometry->message_bytes_max + 1
                                      : PEAL_COPY_BULK_BYTES + 1;
}

/* Lists the reliable subscribers anew. */
static void list_subscribers(struct peal_lane_writer *writer, uint64_t epoch)
{
    writer->reliable_count = 0;
    writer->subscriber_count = 0;
    for (uint32_t entry = 0; entry < PEAL_TOPIC_SUBSCRIBERS_MAX; entry++) {
        /* GATE-A1: pairs with DIR-R1 in directory.c:peal_topic_subscribe() (ACTIVE) */
        uint64_t word = peal_u64_load_acquire(&writer->topic->subscribers[entry]);
        if (peal_owner_state(word) != PEAL_SUBSCRIBER_ACTIVE)
            continue;
        writer->subscriber_count++;
        /* relaxed: written before ACTIVE */
        uint64_t flags = peal_u64_load_relaxed(&writer->topic->subscriber_flags[entry]);
        if (!(flags & PEAL_SUBSCRIBER_IS_RELIABLE))
            continue;
        writer->reliable[writer->reliable_count] = (uint8_t)entry;
        writer->reliable_words[writer->reliable_count] = word;
        writer->reliable_count++;
    }
    writer->epoch_seen = epoch;
}

/* The lowest message that a reliable subscriber may still need; `next` if there is none. */
static uint64_t lowest_needed(const struct peal_lane_writer *writer)
{
    uint64_t lowest = writer->next;
    for (uint32_t i = 0; i < writer->reliable_count; i++) {
        const struct peal_lane_reader_shared *line = &writer->shared->readers[writer->reliable[i]];
        /* GATE-A2: pairs with LIFE-R1 in lane_life.c (the tag set by joining or by invitation) */
        uint64_t tag = peal_u64_load_acquire(&line->tag);
        if (tag != writer->reliable_words[i])
            continue;
        /* GATE-A3: pairs with LANE-R2 in lane_reader.c:peal_lane_acknowledge(): what the reader
         * read is read before we overwrite it. */
        uint64_t cursor = peal_u64_load_acquire(&line->cursor);
        if (cursor >= writer->next)
            continue; /* has all, has not begun (UINT64_MAX), or lies: it gates nobody */
        if (writer->next - cursor > writer->geometry.depth)
            cursor = writer->next - writer->geometry.depth; /* a lie shuts the gate, no more */
        if (cursor < lowest)
            lowest = cursor;
    }
    return lowest;
}

/* The same for the payload ring. Loans count as needed: when they are published, nobody looks here. */
static void limit_payload(struct peal_lane_writer *writer, uint64_t lowest)
{
    uint64_t end = writer->next + writer->loaned;
    /* A reader that came late may ask for messages that have lost their slots or bytes already. */
    if (end > writer->geometry.depth && lowest < end - writer->geometry.depth)
        lowest = end - writer->geometry.depth;
    if (lowest < writer->oldest)
        lowest = writer->oldest;
    if (lowest < end)
        writer->payload_limit =
            writer->starts[lowest & writer->mask] + writer->geometry.payload_bytes;
}

void peal_lane_gate(struct peal_lane_writer *writer)
{
    /* GATE-A4: pairs with DIR-R2 in directory.c (subscriber_epoch moves after the entry) */
    uint64_t epoch = peal_u64_load_acquire(writer->epoch);
    /* A reader that joins beside us either is seen here (its entry, which it made before its cursor,
     * as well as that), or sees all messages below `next` and starts after them.
     * GATE-F1: pairs with LANE-F3 in lane_reader.c:peal_lane_reader_begin() and pairs with LIFE-F7 in
     * lane_join.c */
    peal_fence_seq_cst();
    /* Listed anew each time: the gate is rarely looked at, and an epoch is a peer's word. */
    list_subscribers(writer, epoch);
    uint64_t lowest = writer->next;
    if (!(writer->geometry.options & PEAL_LANE_EVICT))
        lowest = lowest_needed(writer);
    writer->limit = lowest + writer->geometry.depth;
    writer->payload_limit = UINT64_MAX;
    if (writer->starts)
        limit_payload(writer, lowest);
}

/* Where a message of size_bytes would begin in the payload ring: contiguous, so perhaps past the end
 * of this turn. */
static uint64_t payload_start(const struct peal_lane_writer *writer, size_t size_bytes)
{
    uint64_t offset = writer->payload_next % writer->geometry.payload_bytes;
    if (offset + size_bytes > writer->geometry.payload_bytes)
        return writer->payload_next + (writer->geometry.payload_bytes - offset);
    return writer->payload_next;
}

/* `start`, or the beginning of the next turn if that is wanted and there is room: "The warm part". */
static uint64_t payload_turn(struct peal_lane_writer *writer, uint64_t start, size_t size_bytes,
                             bool *looked)
{
    const uint64_t turn = writer->geometry.payload_bytes;
    const uint64_t warm = writer->payload_warm_bytes;
    uint64_t used = start % turn;
    uint64_t since = start - writer->payload_tried; /* 0: once more after a refusal */
    if (used < warm || (since > 0 && since < PAYLOAD_TRY_BYTES))
        return start;
    writer->payload_tried = start;
    if (!*looked)
        peal_lane_gate(writer);
    *looked = true;
    uint64_t again = start + (turn - used);
    uint64_t room = peal_lane_payload_room(size_bytes);
    bool is_free = writer->payload_limit >= again + (room > warm ? room : warm);
    bool all_gate = writer->reliable_count == writer->subscriber_count;
    return is_free && all_gate ? again : start;
}

/* Tells readers that messages below `oldest` lose their bytes; a release fence has to follow. */
static void retire(struct peal_lane_writer *writer, uint64_t oldest)
{
    if (oldest <= writer->oldest)
        return;
    writer->oldest = oldest;
    /* relaxed: the release fence before the bytes are overwritten (LANE-F1) orders it */
    peal_u64_store_relaxed(&writer->shared->writer.oldest, oldest);
    PEAL_FAULT("lane.retired");
}

/* Retires what the payload ring loses when it is overwritten up to `end`. */
static void retire_payload(struct peal_lane_writer *writer, uint64_t end, uint64_t number)
{
    uint64_t oldest = writer->oldest;
    if (number - oldest > writer->geometry.depth)
        oldest = number - writer->geometry.depth; /* older ones have lost their slots anyway */
    while (oldest < number &&
           writer->starts[oldest & writer->mask] + writer->geometry.payload_bytes < end)
        oldest++;
    retire(writer, oldest);
}

size_t peal_lane_reserve_batch(struct peal_lane_writer *writer, size_t size_bytes, size_t count,
                               void **data)
{
    const uint32_t meta_words = writer->geometry.meta_bytes / 8;
    uint64_t number = writer->next;
    /* relaxed: a hint, as in peal_lane_put() */
    uint64_t epoch = peal_u64_load_relaxed(writer->epoch);
    if (number + count > writer->limit || epoch != writer->epoch_seen)
        peal_lane_gate(writer);
    uint64_t room = writer->limit > number ? writer->limit - number : 0;
    if (count > room)
        count = (size_t)room;
    uint64_t end = number + count;
    if (end > writer->geometry.depth)
        retire(writer, end - writer->geometry.depth);
    peal_stamp_fence();
    for (size_t i = 0; i < count; i++) {
        struct peal_slot_shared *slot =
            peal_lane_slot(writer->slots, writer->mask, writer->stride_bytes, number + i);
        /* All of them will be written, one after the other: let them come together. */
        peal_cpu_fetch_to_write(slot);
        if (writer->stride_bytes > PEAL_LINE_BYTES)
            peal_cpu_fetch_to_write((const unsigned char *)slot + PEAL_LINE_BYTES);
        data[i] = &slot->body[meta_words];
        if (writer->starts)
            writer->starts[(number + i) & writer->mask] = writer->payload_next;
    }
    writer->loan_kind = PEAL_SLOT_INLINE;
    writer->loan_bytes = size_bytes;
    writer->loaned = (uint32_t)count;
    return count;
}

enum peal_status peal_lane_reserve(struct peal_lane_writer *writer, size_t size_bytes, void **data)
{
    const struct peal_lane_geometry *geometry = &writer->geometry;
    if (size_bytes > geometry->message_bytes_max)
        return PEAL_EMSGSIZE;
    uint64_t number = writer->next + writer->loaned;
    /* relaxed: a hint, as in peal_lane_put() */
    uint64_t epoch = peal_u64_load_relaxed(writer->epoch);
    bool looked = number >= writer->limit || epoch != writer->epoch_seen;
    if (looked)
        peal_lane_gate(writer);
    if (number >= writer->limit)
        return PEAL_FULL;
    bool ring = size_bytes > geometry->inline_bytes_max;
    uint64_t start = writer->payload_next;
    uint64_t end = start;
    if (ring) {
        start = payload_start(writer, size_bytes);
        if (writer->payload_warm_bytes)
            start = payload_turn(writer, start, size_bytes, &looked);
        end = start + peal_lane_payload_room(size_bytes);
        if (end > writer->payload_limit && !looked)
            peal_lane_gate(writer);
        /* Loans of this very batch are needed too, whatever the gate says of published ones. */
        bool own = writer->loaned &&
                   writer->starts[writer->next & writer->mask] + geometry->payload_bytes < end;
        if (end > writer->payload_limit || own)
            return PEAL_FULL;
        /* Nobody needed anything when the gate was looked at; from here on the first loan is needed. */
        if (writer->payload_limit == UINT64_MAX) {
            uint64_t first = writer->loaned ? writer->starts[writer->next & writer->mask] : start;
            writer->payload_limit = first + geometry->payload_bytes;
        }
        retire_payload(writer, end, number);
    }
    if (writer->starts)
        writer->starts[number & writer->mask] = start;
    writer->payload_next = end;
    writer->loan_kind = ring ? PEAL_SLOT_RING : PEAL_SLOT_INLINE;
    writer->loan_bytes = size_bytes;
    writer->loaned++;

    struct peal_slot_shared *slot =
        peal_lane_slot(writer->slots, writer->mask, writer->stride_bytes, number);
    peal_stamp_begin(slot, number);
    peal_stamp_fence();
    *data = ring ? (void *)(writer->payload + (size_t)(start % geometry->payload_bytes))
                 : (void *)&slot->body[geometry->meta_bytes / 8];
    return PEAL_OK;
}

/* Where the bytes of the loan in slot `number` lie. */
static peal_u64 *loan_data(const struct peal_lane_writer *writer, uint64_t number)
{
    if (writer->loan_kind == PEAL_SLOT_RING) {
        uint64_t offset = writer->starts[number & writer->mask] % writer->geometry.payload_bytes;
        return (peal_u64 *)(void *)(writer->payload + (size_t)offset);
    }
    struct peal_slot_shared *slot =
        peal_lane_slot(writer->slots, writer->mask, writer->stride_bytes, number);
    return &slot->body[writer->geometry.meta_bytes / 8];
}

/* Writes head and options of the loan in slot `number` and publishes it. */
static inline void publish_loan(const struct peal_lane_writer *writer, uint64_t number,
                                size_t size_bytes, uint64_t timestamp_ns, uint32_t crc)
{
    const uint32_t options = writer->geometry.options;
    struct peal_slot_shared *slot =
        peal_lane_slot(writer->slots, writer->mask, writer->stride_bytes, number);
    peal_u64 *body = slot->body;
    /* relaxed: all of it is ordered by the stamp's release, LANE-R1 */
    peal_u32_store_relaxed(&slot->length, (uint32_t)size_bytes);
    peal_u32_store_relaxed(&slot->kind, writer->kind | writer->loan_kind);
    if (options & PEAL_LANE_TIMESTAMP)
        peal_u64_store_relaxed(body++, timestamp_ns);
    if (options & PEAL_LANE_CRC32C)
        peal_u64_store_relaxed(body++, crc);
    if (writer->loan_kind == PEAL_SLOT_RING) /* relaxed: as above */
        peal_u64_store_relaxed(body, writer->starts[number & writer->mask]);
    peal_stamp_publish(slot, number);
}

/* The CRC of a loan, read back from where it lies. */
static uint32_t loan_crc(const struct peal_lane_writer *writer, uint64_t number, size_t size_bytes)
{
    if (!(writer->geometry.options & PEAL_LANE_CRC32C))
        return 0;
    return peal_crc32c(loan_data(writer, number), size_bytes);
}

void peal_lane_commit(struct peal_lane_writer *writer, size_t size_bytes, uint64_t timestamp_ns)
{
    uint64_t number = writer->next;
    publish_loan(writer, number, size_bytes, timestamp_ns, loan_crc(writer, number, size_bytes));
    writer->next = number + 1;
    writer->loaned--;
}

/*
 * From the last to the first: a reader waits at the first one's line, and finds all of them complete
 * when that one is. The other way round it would follow at our heels and take each line from us
 * twice. Who dies half-way has published none of them.
 */
void peal_lane_commit_batch(struct peal_lane_writer *writer, size_t count, uint64_t timestamp_ns)
{
    const size_t size_bytes = writer->loan_bytes;
    for (size_t i = count; i-- > 0;) {
        uint64_t number = writer->next + i;
        publish_loan(writer, number, size_bytes, timestamp_ns,
                     loan_crc(writer, number, size_bytes));
    }
    writer->next += count;
    writer->loaned -= (uint32_t)count;
}

void peal_lane_discard(struct peal_lane_writer *writer)
{
    /* The odd stamps stay: "being written", until their numbers are used. */
    if (writer->loaned) {
        if (writer->starts) { /* what was published of the batch keeps its room */
            writer->payload_next = writer->starts[writer->next & writer->mask];
            /* The messages that had these slots are gone, and so are their places in `starts`. */
            uint64_t end = writer->next + writer->loaned;
            if (end > writer->geometry.depth)
                retire(writer, end - writer->geometry.depth);
        }
        writer->payload_limit =
            writer->payload_next; /* look at the gate: it counted from the loan */
    }
    writer->loaned = 0;
}

void peal_lane_drop(struct peal_lane_writer *writer)
{
    writer->dropped++;
    writer->kind = (uint32_t)(writer->dropped << 8 & 0xffffff00u);
    /* relaxed: a count for statistics; messages carry their own copy of it */
    peal_u64_store_relaxed(&writer->shared->writer.dropped, writer->dropped);
    PEAL_FAULT("lane.dropped");
}

enum peal_status peal_lane_put_slowly(struct peal_lane_writer *writer, const void *data,
                                      size_t size_bytes, uint64_t timestamp_ns)
{
    void *room;
    enum peal_status status = peal_lane_reserve(writer, size_bytes, &room);
    if (status != PEAL_OK)
        return status;
    peal_copy_in(room, data, size_bytes);
    uint32_t crc = 0;
    /* Over the caller's bytes: what a peer may do to the copy must not become its checksum. */
    if (writer->geometry.options & PEAL_LANE_CRC32C)
        crc = peal_crc32c(data, size_bytes);
    publish_loan(writer, writer->next, size_bytes, timestamp_ns, crc);
    writer->next++;
    writer->loaned--;
    return PEAL_OK;
}
