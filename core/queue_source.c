/* SPDX-License-Identifier: Apache-2.0 */
#include "core/queue_source.h"

/* How often others may be faster. */
#define ATTEMPTS 64u

/* How long, in pauses of the CPU, who is at the producer's heels lets it get ahead before the next look. */
#define PAUSES 16u

void peal_queue_source_init(struct peal_queue_source *source,
                            const struct peal_queue_geometry *geometry,
                            struct peal_queue_lane_shared *lane, uint32_t entry)
{
    const unsigned char *base = (const unsigned char *)lane;
    *source = (struct peal_queue_source){
        .cursor = &lane->consumers.cursor,
        .claim = &lane->readers[entry].claim,
        .entry = entry,
        .mask = geometry->depth - 1,
        .cell_bytes = geometry->cell_bytes,
        .message_bytes_max = geometry->message_bytes_max,
        .cells = base + geometry->cells_offset,
        .lengths = (const peal_u32 *)(const void *)(base + PEAL_QUEUE_LENGTHS_OFFSET),
        .tickets = geometry->tickets_offset
                       ? (const peal_u64 *)(const void *)(base + geometry->tickets_offset)
                       : NULL,
        .lane = lane,
    };
}

static bool is_there(const struct peal_queue_source *source, uint64_t count)
{
    return count > 0 && count <= (uint64_t)source->mask + 1;
}

static void let_ahead(void)
{
    for (uint32_t i = 0; i < PAUSES; i++)
        peal_cpu_relax();
}

enum peal_status peal_queue_source_look(struct peal_queue_source *source, uint64_t cursor)
{
    uint64_t from = peal_queue_cursor_position(cursor);
    if (peal_queue_source_is_at_heels(source))
        let_ahead();
    uint64_t published = peal_queue_published_load(source->lane);
    source->published_seen = published & PEAL_QUEUE_POSITION_MASK;
    uint64_t count = peal_queue_distance(from, source->published_seen);
    source->found = is_there(source, count) ? (uint32_t)count : 0;
    if (is_there(source, count))
        return PEAL_OK;
    if (count == 0) {
        source->empty_at = published;
        return PEAL_EMPTY;
    }
    /* relaxed: behind QUEUE-A3. While the cursor stands nobody publishes that far ahead of it. */
    return peal_u64_load_relaxed(source->cursor) == cursor ? PEAL_ECORRUPT : PEAL_AGAIN;
}

/* Asks for the cells of a range, up to the end of the ring, before the first of them is read. */
static void fetch(const struct peal_queue_source *source, const struct peal_queue_range *range)
{
    uint32_t place = (uint32_t)range->from & source->mask;
    uint32_t to_end = source->mask + 1 - place;
    uint32_t count = range->count < to_end ? range->count : to_end;
    peal_cpu_fetch_span(source->cells + (size_t)place * source->cell_bytes,
                        (size_t)count * source->cell_bytes);
}

/* Claims from where the cursor was seen. AGAIN: somebody has moved it. */
static enum peal_status claim_at(struct peal_queue_source *source, uint64_t cursor, uint32_t count,
                                 struct peal_queue_range *range)
{
    uint64_t from = peal_queue_cursor_position(cursor);
    if (peal_queue_cursor_claimant(cursor) != source->entry)
        peal_queue_help(source->lane, cursor);
    uint64_t claim = peal_queue_claim_pack(PEAL_QUEUE_CLAIMING, from, count);
    peal_queue_claim_store(source->claim, claim);
    PEAL_FAULT("queue.claiming");
    if (!peal_queue_cursor_move(source->lane, cursor, claim, source->entry))
        return PEAL_AGAIN;
    PEAL_FAULT("queue.won");
    *range = (struct peal_queue_range){.from = from, .count = count};
    if (count > 1)
        fetch(source, range);
    return PEAL_OK;
}

/* One try. AGAIN: somebody moved the cursor. */
static enum peal_status try_claim(struct peal_queue_source *source, uint32_t wanted,
                                  struct peal_queue_range *range)
{
    uint64_t cursor = peal_queue_cursor_load(source->lane);
    uint64_t from = peal_queue_cursor_position(cursor);
    uint64_t there = peal_queue_distance(from, source->published_seen);
    if (!is_there(source, there)) {
        enum peal_status status = peal_queue_source_look(source, cursor);
        if (status != PEAL_OK)
            return status;
        there = peal_queue_distance(from, source->published_seen);
    }
    uint32_t count = there < wanted ? (uint32_t)there : wanted;
    return claim_at(source, cursor, count, range);
}

enum peal_status peal_queue_source_claim(struct peal_queue_source *source, uint32_t wanted,
                                         struct peal_queue_range *range)
{
    enum peal_status status = PEAL_AGAIN;
    bool has_lost = false;
    for (uint32_t attempt = 0; attempt < ATTEMPTS && status == PEAL_AGAIN; attempt++) {
        status = try_claim(source, wanted, range);
        has_lost = has_lost || status == PEAL_AGAIN;
    }
    if (status != PEAL_OK && has_lost)
        peal_queue_source_finish(source);
    return status;
}

enum peal_status peal_queue_source_head(const struct peal_queue_source *source,
                                        struct peal_queue_head *head)
{
    for (uint32_t attempt = 0; attempt < ATTEMPTS; attempt++) {
        uint64_t cursor = peal_queue_cursor_load(source->lane);
        uint64_t from = peal_queue_cursor_position(cursor);
        uint64_t published = peal_queue_published_load(source->lane) & PEAL_QUEUE_POSITION_MASK;
        uint64_t count = peal_queue_distance(from, published);
        *head = (struct peal_queue_head){.cursor = cursor, .ticket = UINT64_MAX};
        if (count == 0)
            return PEAL_OK;
        if (is_there(source, count)) {
            head->count = (uint32_t)count;
            /* relaxed: behind QUEUE-A3; if the cell is another's by now, the cursor has moved on */
            head->ticket = peal_u64_load_relaxed(&source->tickets[(uint32_t)from & source->mask]);
            return PEAL_OK;
        }
        /* relaxed: behind QUEUE-A3. While the cursor stands nobody publishes that far ahead of it. */
        if (peal_u64_load_relaxed(source->cursor) == cursor)
            return PEAL_ECORRUPT;
    }
    return PEAL_OK;
}

uint32_t peal_queue_source_run(const struct peal_queue_source *source,
                               const struct peal_queue_head *head, uint64_t end, uint32_t wanted)
{
    uint32_t from = (uint32_t)peal_queue_cursor_position(head->cursor);
    uint32_t most = head->count < wanted ? head->count : wanted;
    uint32_t count = 1;
    /* relaxed: as in peal_queue_source_head() */
    while (count < most &&
           peal_u64_load_relaxed(&source->tickets[(from + count) & source->mask]) < end)
        count++;
    return count;
}

enum peal_status peal_queue_source_claim_head(struct peal_queue_source *source,
                                              const struct peal_queue_head *head, uint32_t count,
                                              struct peal_queue_range *range)
{
    enum peal_status status = claim_at(source, head->cursor, count, range);
    if (status != PEAL_OK)
        peal_queue_source_finish(source);
    return status;
}
