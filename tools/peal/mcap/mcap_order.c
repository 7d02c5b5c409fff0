/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/peal/mcap/mcap_order.h"

#include "tools/peal/mcap/mcap_scan.h"

#include <inttypes.h>
#include <stdlib.h>

struct entry {
    uint64_t time_ns;
    struct mcap_span content; /* of the message's record */
};

struct mcap_loaded {
    struct mcap_block block;
    struct entry *entries; /* by time */
    size_t count;
    size_t room;
    size_t next;
    size_t memory_bytes;
};

static void loaded_free(struct mcap_order *order, struct mcap_loaded *loaded)
{
    order->memory_bytes -= loaded->memory_bytes;
    mcap_block_free(&loaded->block);
    free(loaded->entries);
    free(loaded);
}

/* ---- the heap -------------------------------------------------------------------------------------------------------- */

static bool before(const struct mcap_loaded *a, const struct mcap_loaded *b)
{
    uint64_t time_a = a->entries[a->next].time_ns;
    uint64_t time_b = b->entries[b->next].time_ns;
    return time_a != time_b ? time_a < time_b : a->block.offset < b->block.offset;
}

static void swap(struct mcap_order *order, size_t a, size_t b)
{
    struct mcap_loaded *kept = order->heap[a];
    order->heap[a] = order->heap[b];
    order->heap[b] = kept;
}

static void sift_down(struct mcap_order *order)
{
    for (size_t at = 0;;) {
        size_t least = at;
        for (size_t child = 2 * at + 1; child <= 2 * at + 2 && child < order->heap_count; child++) {
            if (before(order->heap[child], order->heap[least]))
                least = child;
        }
        if (least == at)
            return;
        swap(order, at, least);
        at = least;
    }
}

static bool push(struct mcap_order *order, struct mcap_loaded *loaded)
{
    if (order->heap_count == order->heap_room) {
        size_t room = order->heap_room ? order->heap_room * 2 : 16;
        struct mcap_loaded **heap = realloc(order->heap, room * sizeof(struct mcap_loaded *));
        if (!heap)
            return false;
        order->heap = heap;
        order->heap_room = room;
    }
    size_t at = order->heap_count++;
    order->heap[at] = loaded;
    while (at > 0 && before(order->heap[at], order->heap[(at - 1) / 2])) {
        swap(order, at, (at - 1) / 2);
        at = (at - 1) / 2;
    }
    return true;
}

/* Takes the first message off. */
static void pop(struct mcap_order *order)
{
    struct mcap_loaded *first = order->heap[0];
    if (++first->next == first->count) {
        order->heap[0] = order->heap[--order->heap_count];
        loaded_free(order, first);
    }
    sift_down(order);
}

/* ---- loading --------------------------------------------------------------------------------------------------------- */

static int by_time(const void *left, const void *right)
{
    const struct entry *a = left;
    const struct entry *b = right;
    if (a->time_ns != b->time_ns)
        return a->time_ns < b->time_ns ? -1 : 1;
    return (a->content.bytes > b->content.bytes) - (a->content.bytes < b->content.bytes);
}

static enum mcap_status add_entry(struct mcap_loaded *loaded, uint64_t time_ns,
                                  struct mcap_span content, struct mcap_error *error)
{
    if (loaded->count == loaded->room) {
        size_t room = loaded->room ? loaded->room * 2 : 64;
        struct entry *entries = realloc(loaded->entries, room * sizeof(*entries));
        if (!entries)
            return mcap_fail(error, MCAP_NOMEM, loaded->block.offset, "no memory to sort a chunk");
        loaded->entries = entries;
        loaded->room = room;
    }
    loaded->entries[loaded->count++] = (struct entry){time_ns, content};
    return MCAP_OK;
}

static enum mcap_status use_record(const struct mcap_order *order, struct mcap_loaded *loaded,
                                   uint8_t opcode, struct mcap_span content,
                                   struct mcap_error *error)
{
    struct mcap_message message;
    if (opcode == MCAP_SCHEMA)
        return mcap_catalog_add_schema(order->catalog, content, loaded->block.offset, error);
    if (opcode == MCAP_CHANNEL)
        return mcap_catalog_add_channel(order->catalog, content, loaded->block.offset, error);
    if (opcode != MCAP_MESSAGE)
        return MCAP_OK;
    if (mcap_check_message(order->catalog, &loaded->block, content, &message, error) != MCAP_OK)
        return error->status;
    if (!mcap_catalog_channel(order->catalog, message.channel_id)->wanted ||
        message.log_time_ns < order->from_ns || message.log_time_ns > order->until_ns)
        return MCAP_OK;
    return add_entry(loaded, message.log_time_ns, content, error);
}

static enum mcap_status sort_messages(const struct mcap_order *order, struct mcap_loaded *loaded,
                                      struct mcap_error *error)
{
    struct mcap_cursor cursor = mcap_cursor_over(loaded->block.records);
    uint8_t opcode;
    struct mcap_span content;
    enum mcap_status status = MCAP_OK;
    while (status == MCAP_OK && mcap_parse_record(&cursor, &opcode, &content))
        status = use_record(order, loaded, opcode, content, error);
    if (status == MCAP_OK && cursor.bad)
        status = mcap_fail(error, MCAP_BROKEN, loaded->block.offset,
                           "in a chunk: a record that is longer than what is left");
    if (status == MCAP_OK && loaded->count > 0)
        qsort(loaded->entries, loaded->count, sizeof(*loaded->entries), by_time);
    return status;
}

/* The record is the chunk that the index tells. */
static enum mcap_status find_chunk(const struct mcap_order *order,
                                   const struct mcap_index_chunk *chunk,
                                   struct mcap_record_head *head, struct mcap_error *error)
{
    enum mcap_status status = mcap_source_record(order->source, chunk->offset, head, error);
    if (status == MCAP_OK)
        status = mcap_source_check_whole(order->source, head, error);
    if (status == MCAP_OK && (head->opcode != MCAP_CHUNK ||
                              head->content_bytes + MCAP_RECORD_HEAD_BYTES != chunk->length_bytes))
        status = mcap_fail(error, MCAP_BROKEN, chunk->offset,
                           "the index tells a chunk of %" PRIu64 " bytes here, which is not there",
                           chunk->length_bytes);
    return status;
}

static enum mcap_status load(struct mcap_order *order, const struct mcap_index_chunk *chunk,
                             struct mcap_loaded *loaded, struct mcap_error *error)
{
    struct mcap_record_head head;
    enum mcap_status status = find_chunk(order, chunk, &head, error);
    if (status == MCAP_OK)
        status = mcap_block_load(&loaded->block, order->source, &head, error);
    if (status != MCAP_OK)
        return status;
    if (loaded->block.start_ns != chunk->start_ns || loaded->block.end_ns != chunk->end_ns)
        return mcap_fail(error, MCAP_BROKEN, chunk->offset,
                         "a chunk of other times than the index tells");
    return sort_messages(order, loaded, error);
}

static enum mcap_status load_next(struct mcap_order *order, struct mcap_error *error)
{
    const struct mcap_index_chunk *chunk = &order->index->chunks[order->next_chunk++];
    if (chunk->unwanted || chunk->end_ns < order->from_ns || chunk->start_ns > order->until_ns)
        return MCAP_OK;
    struct mcap_loaded *loaded = calloc(1, sizeof(*loaded));
    if (!loaded)
        return mcap_fail(error, MCAP_NOMEM, chunk->offset, "no memory for a chunk");
    enum mcap_status status = load(order, chunk, loaded, error);
    loaded->memory_bytes = sizeof(*loaded) + loaded->room * sizeof(*loaded->entries) +
                           mcap_block_memory(&loaded->block);
    order->memory_bytes += loaded->memory_bytes;
    if (status == MCAP_OK && order->memory_bytes > order->memory_max_bytes && order->heap_count > 0)
        status = mcap_fail(error, MCAP_LIMIT, chunk->offset,
                           "to read in order of time needs %zu chunks at once, more than %zu MiB",
                           order->heap_count + 1, order->memory_max_bytes >> 20);
    if (status == MCAP_OK && loaded->count > 0 && !push(order, loaded))
        status = mcap_fail(error, MCAP_NOMEM, chunk->offset, "no memory for a chunk");
    if (status != MCAP_OK || loaded->count == 0)
        loaded_free(order, loaded);
    return status;
}

enum mcap_status mcap_order_next(struct mcap_order *order, struct mcap_message *message,
                                 struct mcap_error *error)
{
    if (order->shown)
        pop(order);
    order->shown = false;
    while (order->next_chunk < order->index->chunk_count &&
           (order->heap_count == 0 || order->index->chunks[order->next_chunk].start_ns <=
                                          order->heap[0]->entries[order->heap[0]->next].time_ns)) {
        if (load_next(order, error) != MCAP_OK)
            return error->status;
    }
    if (order->heap_count == 0)
        return MCAP_END;
    const struct mcap_loaded *first = order->heap[0];
    (void)mcap_parse_message(first->entries[first->next].content, message);
    order->shown = true;
    return MCAP_OK;
}

void mcap_order_rewind(struct mcap_order *order)
{
    for (size_t i = 0; i < order->heap_count; i++)
        loaded_free(order, order->heap[i]);
    order->heap_count = 0;
    order->next_chunk = 0;
    order->shown = false;
}

void mcap_order_end(struct mcap_order *order)
{
    mcap_order_rewind(order);
    free(order->heap);
    order->heap = NULL;
}
