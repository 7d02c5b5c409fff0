/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/peal/mcap/mcap_chunk.h"

#include <stdlib.h>

#define ENTRY_BYTES 16

struct mcap_chunk *mcap_chunk_new(size_t records_bytes)
{
    struct mcap_chunk *chunk = calloc(1, sizeof(*chunk));
    if (chunk && !mcap_buffer_reserve(&chunk->records, records_bytes)) {
        free(chunk);
        return NULL;
    }
    return chunk;
}

void mcap_chunk_free(struct mcap_chunk *chunk)
{
    if (!chunk)
        return;
    for (uint32_t i = 0; i < chunk->slot_room; i++)
        mcap_buffer_free(&chunk->slots[i].entries);
    free(chunk->slots);
    mcap_buffer_free(&chunk->records);
    mcap_buffer_free(&chunk->loose);
    free(chunk);
}

void mcap_chunk_clear(struct mcap_chunk *chunk, size_t keep_bytes)
{
    if (chunk->records.size_bytes > keep_bytes)
        mcap_buffer_free(&chunk->records);
    mcap_buffer_clear(&chunk->records);
    mcap_buffer_clear(&chunk->loose);
    chunk->slot_count = 0;
    chunk->messages = 0;
    chunk->start_ns = 0;
    chunk->end_ns = 0;
}

bool mcap_chunk_is_empty(const struct mcap_chunk *chunk)
{
    return chunk->messages == 0 && chunk->loose.used_bytes == 0;
}

bool mcap_chunk_add_slot(struct mcap_chunk *chunk, uint16_t channel_id, uint32_t *slot)
{
    if (chunk->slot_count == chunk->slot_room) {
        uint32_t room = chunk->slot_room ? chunk->slot_room * 2 : 8;
        struct mcap_chunk_slot *slots = realloc(chunk->slots, room * sizeof(*slots));
        if (!slots)
            return false;
        for (uint32_t i = chunk->slot_room; i < room; i++)
            slots[i] = (struct mcap_chunk_slot){0};
        chunk->slots = slots;
        chunk->slot_room = room;
    }
    *slot = chunk->slot_count++;
    chunk->slots[*slot].channel_id = channel_id;
    chunk->slots[*slot].messages = 0;
    mcap_buffer_clear(&chunk->slots[*slot].entries);
    return true;
}

bool mcap_chunk_reserve(struct mcap_chunk *chunk, uint32_t slot, size_t records_bytes)
{
    struct mcap_buffer *entries = &chunk->slots[slot].entries;
    bool reserved = mcap_buffer_reserve(entries, ENTRY_BYTES) &&
                    mcap_buffer_reserve(&chunk->records, records_bytes);
    /* What was in them is as good as before. */
    entries->failed = false;
    chunk->records.failed = false;
    return reserved;
}

void *mcap_chunk_data_place(struct mcap_chunk *chunk)
{
    return chunk->records.bytes + chunk->records.used_bytes + MCAP_RECORD_HEAD_BYTES +
           MCAP_MESSAGE_HEAD_BYTES;
}

void mcap_chunk_put_message(struct mcap_chunk *chunk, uint32_t slot,
                            const struct mcap_message *message)
{
    struct mcap_chunk_slot *index = &chunk->slots[slot];
    mcap_buffer_put_u64(&index->entries, message->log_time_ns);
    mcap_buffer_put_u64(&index->entries, chunk->records.used_bytes);
    index->messages++;

    size_t begun = mcap_buffer_begin(&chunk->records, MCAP_MESSAGE);
    mcap_buffer_put_u16(&chunk->records, message->channel_id);
    mcap_buffer_put_u32(&chunk->records, message->sequence);
    mcap_buffer_put_u64(&chunk->records, message->log_time_ns);
    mcap_buffer_put_u64(&chunk->records, message->publish_time_ns);
    if (message->data == chunk->records.bytes + chunk->records.used_bytes)
        chunk->records.used_bytes += message->size_bytes;
    else
        mcap_buffer_put(&chunk->records, message->data, message->size_bytes);
    mcap_buffer_end(&chunk->records, begun);

    if (chunk->messages == 0 || message->log_time_ns < chunk->start_ns)
        chunk->start_ns = message->log_time_ns;
    if (chunk->messages == 0 || message->log_time_ns > chunk->end_ns)
        chunk->end_ns = message->log_time_ns;
    chunk->messages++;
}
