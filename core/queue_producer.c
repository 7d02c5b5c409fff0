/* SPDX-License-Identifier: Apache-2.0 */
#include "core/queue_producer.h"

/* How often the cursor may move under a producer that drops its oldest messages. */
#define ATTEMPTS 64u

/* Less than this part of the lane is next to no room. */
#define TIGHT 32u

/* How long, in pauses of the CPU, a producer lets consumers get ahead then: 1 to 3 µs. */
#define PAUSES 48u

void peal_queue_producer_init(struct peal_queue_producer *producer,
                              const struct peal_queue_geometry *geometry,
                              struct peal_queue_lane_shared *lane, peal_u64 *ticket,
                              enum peal_queue_full_action action)
{
    unsigned char *base = (unsigned char *)lane;
    *producer = (struct peal_queue_producer){
        .cells = base + geometry->cells_offset,
        .lengths = (peal_u32 *)(void *)(base + PEAL_QUEUE_LENGTHS_OFFSET),
        .published = &lane->producer.published,
        .limit = geometry->depth,
        .mask = geometry->depth - 1,
        .cell_bytes = geometry->cell_bytes,
        .message_bytes_max = geometry->message_bytes_max,
        .action = action,
        .lane = lane,
        .tickets =
            geometry->tickets_offset ? (peal_u64 *)(void *)(base + geometry->tickets_offset) : NULL,
        .ticket = ticket,
    };
}

/* The first message that a won claim holds, as one of ours, or UINT64_MAX. What no honest consumer
 * writes counts as nothing: it can at worst spoil what that consumer reads. */
static uint64_t held_from(const struct peal_queue_producer *producer, uint64_t cursor,
                          uint64_t claim, uint32_t claimant)
{
    if (!peal_queue_is_won(cursor, claim, claimant))
        return UINT64_MAX;
    uint64_t lag = peal_queue_distance(peal_queue_claim_from(claim), producer->next);
    uint32_t count = peal_queue_claim_count(claim);
    if (lag > (uint64_t)producer->mask + 1 || count == 0 || count > lag)
        return UINT64_MAX;
    return producer->next - lag;
}

enum peal_status peal_queue_producer_gate(struct peal_queue_producer *producer)
{
    struct peal_queue_lane_shared *lane = producer->lane;
    uint64_t depth = (uint64_t)producer->mask + 1;
    uint64_t cursor = peal_queue_cursor_load(lane);
    uint64_t behind = peal_queue_distance(peal_queue_cursor_position(cursor), producer->next);
    if (behind > depth)
        return PEAL_ECORRUPT;
    uint64_t oldest = producer->next - behind;
    producer->blocker = &lane->consumers.cursor;
    producer->blocker_seen = cursor;
    for (uint32_t i = 0; i < PEAL_TOPIC_SUBSCRIBERS_MAX; i++) {
        uint64_t claim = peal_queue_claim_load(&lane->readers[i].claim);
        uint64_t held = held_from(producer, cursor, claim, i);
        if (held < oldest) {
            oldest = held;
            producer->blocker = &lane->readers[i].claim;
            producer->blocker_seen = claim;
        }
    }
    producer->limit = oldest + depth;
    uint64_t room = producer->limit - producer->next;
    producer->is_tight = room > 0 && room < depth / TIGHT;
    return PEAL_OK;
}

/* Drops up to `wanted` messages that nobody has claimed, as one of the claimants. It counts them so
 * that who finds us dead can tell what is counted already. */
static void drop_oldest(struct peal_queue_producer *producer, uint32_t wanted)
{
    struct peal_queue_lane_shared *lane = producer->lane;
    uint32_t dropped = 0;
    for (uint32_t attempt = 0; attempt < ATTEMPTS && dropped == 0; attempt++) {
        uint64_t cursor = peal_queue_cursor_load(lane);
        uint64_t from = peal_queue_cursor_position(cursor);
        uint64_t there = peal_queue_distance(from, producer->next);
        /* Less than all: a consumer has the oldest, and to drop what comes after makes no room. All: then
         * nobody holds anything here, and there is no claim before ours to be helped. */
        if (there != (uint64_t)producer->mask + 1)
            break;
        uint32_t count = there < wanted ? (uint32_t)there : wanted;
        if (count > PEAL_QUEUE_COUNT_MAX)
            count = PEAL_QUEUE_COUNT_MAX;
        uint64_t claim = peal_queue_claim_pack(PEAL_QUEUE_CLAIMING, from, count);
        /* relaxed: who finds us dead reads it behind the claim */
        peal_u64_store_relaxed(&lane->drops.oldest_after, producer->dropped_oldest + count);
        PEAL_FAULT("queue.drop_noted");
        peal_queue_claim_store(&lane->drops.claim, claim);
        PEAL_FAULT("queue.drop_claiming");
        if (peal_queue_cursor_move(lane, cursor, claim, PEAL_QUEUE_PRODUCER))
            dropped = count;
        PEAL_FAULT("queue.drop_tried");
    }
    producer->dropped_oldest += dropped;
    /* relaxed: it becomes what oldest_after says already */
    peal_u64_store_relaxed(&lane->drops.oldest, producer->dropped_oldest);
    PEAL_FAULT("queue.drop_counted");
    peal_queue_claim_store(&lane->drops.claim, 0); /* counted before it goes */
    PEAL_FAULT("queue.drop_done");
}

static void count_newest(struct peal_queue_producer *producer, size_t count)
{
    producer->dropped_newest += count;
    /* relaxed: a figure for observers */
    peal_u64_store_relaxed(&producer->lane->drops.newest, producer->dropped_newest);
    PEAL_FAULT("queue.newest_counted");
}

/*
 * The lane was full, and the one word that made it so has not changed. The cursor only moves on, and a
 * claim that was won stands until it is done with, or is made CLAIMED first; so there is no room. Who
 * pushes again and again leaves the other lines to those who make room.
 */
static bool is_still_full(const struct peal_queue_producer *producer)
{
    /* relaxed: a change sends us to the gate */
    return producer->blocker && peal_u64_load_relaxed(producer->blocker) == producer->blocker_seen;
}

/*
 * A lane that stays full: consumers and producer meet at the same lines for each single message, and
 * each waits for the other's. A producer that lets them get ahead a little finds room for several.
 */
static void hold_back(void)
{
    for (uint32_t i = 0; i < PAUSES; i++)
        peal_cpu_relax();
}

enum peal_status peal_queue_producer_room(struct peal_queue_producer *producer, uint32_t wanted)
{
    if (producer->next < producer->limit)
        return PEAL_OK;
    if (producer->is_tight) {
        producer->is_tight = false; /* once: who is refused has something better to do */
        hold_back();
    }
    if (producer->action != PEAL_QUEUE_DROP_OLDEST && is_still_full(producer))
        return PEAL_FULL;
    enum peal_status status = peal_queue_producer_gate(producer);
    if (status != PEAL_OK || producer->next < producer->limit)
        return status;
    if (producer->action == PEAL_QUEUE_DROP_OLDEST) {
        drop_oldest(producer, wanted);
        status = peal_queue_producer_gate(producer);
        if (status != PEAL_OK)
            return status;
    }
    return producer->next < producer->limit ? PEAL_OK : PEAL_FULL;
}

enum peal_status peal_queue_producer_push_slowly(struct peal_queue_producer *producer,
                                                 const void *data, size_t size_bytes)
{
    if (size_bytes > producer->message_bytes_max)
        return PEAL_EMSGSIZE;
    enum peal_status status = peal_queue_producer_room(producer, 1);
    if (status == PEAL_OK)
        peal_queue_producer_put(producer, data, size_bytes);
    if (status == PEAL_FULL && producer->action != PEAL_QUEUE_REFUSE) {
        count_newest(producer, 1);
        return PEAL_OK;
    }
    return status;
}

bool peal_queue_producer_is_too_long(const struct peal_queue_producer *producer,
                                     const struct peal_queue_cargo *cargo, size_t count)
{
    if (!cargo->pieces)
        return count > 0 && cargo->size_bytes > producer->message_bytes_max;
    for (size_t i = 0; i < count; i++) {
        if (cargo->pieces[i].size_bytes > producer->message_bytes_max)
            return true;
    }
    return false;
}

/* Fills the cells from `place` on with messages that lie where they like. */
static void fill_from_pieces(const struct peal_queue_producer *producer, uint32_t place,
                             const struct peal_queue_piece *pieces, uint32_t count)
{
    unsigned char *cell = producer->cells + (size_t)place * producer->cell_bytes;
    for (uint32_t i = 0; i < count; i++) {
        size_t size_bytes = pieces[i].size_bytes;
        /* no fault point: nobody reads it before QUEUE-R4.
         * relaxed: published by QUEUE-R4 */
        peal_u32_store_relaxed(&producer->lengths[place + i], (uint32_t)size_bytes);
        if (size_bytes > 0)
            memcpy(cell + (size_t)i * producer->cell_bytes, pieces[i].data, size_bytes);
    }
}

/* ... with messages of one size that lie one after the other. */
static void fill_from_row(const struct peal_queue_producer *producer, uint32_t place,
                          const unsigned char *data, size_t size_bytes, uint32_t count)
{
    unsigned char *cell = producer->cells + (size_t)place * producer->cell_bytes;
    for (uint32_t i = 0; i < count; i++) {
        /* no fault point: nobody reads it before QUEUE-R4.
         * relaxed: published by QUEUE-R4 */
        peal_u32_store_relaxed(&producer->lengths[place + i], (uint32_t)size_bytes);
    }
    if (size_bytes == producer->cell_bytes) {
        memcpy(cell, data, size_bytes * count);
        return;
    }
    for (uint32_t i = 0; i < count; i++)
        memcpy(cell + (size_t)i * producer->cell_bytes, data + (size_t)i * size_bytes, size_bytes);
}

/* Fills `count` cells that do not go round the end of the ring. */
static void fill(struct peal_queue_producer *producer, const struct peal_queue_cargo *cargo,
                 size_t first, uint32_t count)
{
    uint32_t place = (uint32_t)producer->next & producer->mask;
    if (cargo->pieces)
        fill_from_pieces(producer, place, cargo->pieces + first, count);
    else
        fill_from_row(producer, place, cargo->data + first * cargo->size_bytes, cargo->size_bytes,
                      count);
    peal_queue_producer_order(producer, place, count);
    PEAL_FAULT("queue.batch_filled");
    producer->next += count;
}

/* As many as there is room for, at most to the end of the ring twice. */
static size_t push_some(struct peal_queue_producer *producer, const struct peal_queue_cargo *cargo,
                        size_t first, size_t count)
{
    uint64_t room = producer->limit - producer->next;
    uint32_t some = count < room ? (uint32_t)count : (uint32_t)room;
    uint32_t to_end = producer->mask + 1 - ((uint32_t)producer->next & producer->mask);
    uint32_t before = some < to_end ? some : to_end;
    fill(producer, cargo, first, before);
    if (some > before)
        fill(producer, cargo, first + before, some - before);
    peal_queue_published_store(producer->published, producer->next);
    PEAL_FAULT("queue.batch_published");
    return some;
}

enum peal_status peal_queue_producer_push_cargo(struct peal_queue_producer *producer,
                                                const struct peal_queue_cargo *cargo, size_t first,
                                                size_t count, size_t *pushed)
{
    *pushed = 0;
    while (first + *pushed < count) {
        size_t left = count - first - *pushed;
        uint32_t wanted = left > PEAL_QUEUE_COUNT_MAX ? PEAL_QUEUE_COUNT_MAX : (uint32_t)left;
        enum peal_status status = peal_queue_producer_room(producer, wanted);
        if (status == PEAL_FULL && producer->action != PEAL_QUEUE_REFUSE) {
            count_newest(producer, left);
            return PEAL_OK;
        }
        if (status != PEAL_OK)
            return status;
        *pushed += push_some(producer, cargo, first + *pushed, left);
    }
    return PEAL_OK;
}

enum peal_status peal_queue_producer_push_batch(struct peal_queue_producer *producer,
                                                const void *data, size_t size_bytes, size_t count,
                                                size_t *pushed)
{
    const struct peal_queue_cargo cargo = {.data = data, .size_bytes = size_bytes};
    *pushed = 0;
    if (peal_queue_producer_is_too_long(producer, &cargo, count))
        return PEAL_EMSGSIZE;
    return peal_queue_producer_push_cargo(producer, &cargo, 0, count, pushed);
}
