/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/peal/mcap/mcap_summary.h"

#include "tools/peal/mcap/mcap_cursor.h"

#include <stdlib.h>

/* Channel id and length of the array, before a message index's entries. */
#define INDEX_HEAD_BYTES 6

bool mcap_summary_init(struct mcap_summary *summary)
{
    *summary = (struct mcap_summary){0};
    summary->channel_messages = calloc(MCAP_CHANNELS_MAX, sizeof(*summary->channel_messages));
    return summary->channel_messages != NULL;
}

void mcap_summary_end(struct mcap_summary *summary)
{
    mcap_buffer_free(&summary->schemas);
    mcap_buffer_free(&summary->channels);
    mcap_buffer_free(&summary->chunk_indexes);
    mcap_buffer_free(&summary->metadata_indexes);
    free(summary->channel_messages);
    summary->channel_messages = NULL;
}

static void count_messages(struct mcap_summary *summary, const struct mcap_chunk *chunk)
{
    if (summary->messages == 0 || chunk->start_ns < summary->start_ns)
        summary->start_ns = chunk->start_ns;
    if (summary->messages == 0 || chunk->end_ns > summary->end_ns)
        summary->end_ns = chunk->end_ns;
    summary->messages += chunk->messages;
    summary->chunk_count++;
    for (uint32_t i = 0; i < chunk->slot_count; i++)
        summary->channel_messages[chunk->slots[i].channel_id] += chunk->slots[i].messages;
}

void mcap_summary_add_chunk(struct mcap_summary *summary, const struct mcap_chunk *chunk,
                            const struct mcap_chunk_place *place)
{
    struct mcap_buffer *out = &summary->chunk_indexes;
    uint64_t index_at = place->offset + place->length_bytes;
    uint64_t indexes_start = index_at;
    size_t begun = mcap_buffer_begin(out, MCAP_CHUNK_INDEX);
    count_messages(summary, chunk);
    mcap_buffer_put_u64(out, chunk->start_ns);
    mcap_buffer_put_u64(out, chunk->end_ns);
    mcap_buffer_put_u64(out, place->offset);
    mcap_buffer_put_u64(out, place->length_bytes);
    uint32_t used = 0;
    for (uint32_t i = 0; i < chunk->slot_count; i++)
        used += chunk->slots[i].messages > 0;
    mcap_buffer_put_u32(out, used * 10);
    for (uint32_t i = 0; i < chunk->slot_count; i++) {
        if (chunk->slots[i].messages == 0)
            continue; /* it has no message index */
        mcap_buffer_put_u16(out, chunk->slots[i].channel_id);
        mcap_buffer_put_u64(out, index_at);
        index_at += MCAP_RECORD_HEAD_BYTES + INDEX_HEAD_BYTES + chunk->slots[i].entries.used_bytes;
    }
    mcap_buffer_put_u64(out, index_at - indexes_start);
    mcap_buffer_put_text(out, place->compression);
    mcap_buffer_put_u64(out, place->compressed_bytes);
    mcap_buffer_put_u64(out, chunk->records.used_bytes);
    mcap_buffer_end(out, begun);
}

void mcap_summary_add_metadata(struct mcap_summary *summary, struct mcap_span records,
                               uint64_t offset)
{
    struct mcap_buffer *out = &summary->metadata_indexes;
    struct mcap_cursor cursor = mcap_cursor_over(records);
    while (cursor.left_bytes > 0) {
        size_t before = cursor.left_bytes;
        (void)mcap_cursor_u8(&cursor);
        struct mcap_span body = mcap_cursor_bytes(&cursor, mcap_cursor_u64(&cursor));
        struct mcap_cursor inside = mcap_cursor_over(body);
        struct mcap_span name = mcap_cursor_text(&inside);
        size_t begun = mcap_buffer_begin(out, MCAP_METADATA_INDEX);
        mcap_buffer_put_u64(out, offset);
        mcap_buffer_put_u64(out, before - cursor.left_bytes);
        mcap_buffer_put_u32(out, (uint32_t)name.size_bytes);
        mcap_buffer_put(out, name.bytes, name.size_bytes);
        mcap_buffer_end(out, begun);
        offset += before - cursor.left_bytes;
        summary->metadata_count++;
    }
}

static void put_statistics(const struct mcap_summary *summary, struct mcap_buffer *out)
{
    size_t begun = mcap_buffer_begin(out, MCAP_STATISTICS);
    uint32_t used = 0;
    for (uint32_t id = 0; id < MCAP_CHANNELS_MAX; id++)
        used += summary->channel_messages[id] > 0;
    mcap_buffer_put_u64(out, summary->messages);
    mcap_buffer_put_u16(out, (uint16_t)summary->schema_count);
    mcap_buffer_put_u32(out, summary->channel_count);
    mcap_buffer_put_u32(out, 0); /* attachments */
    mcap_buffer_put_u32(out, summary->metadata_count);
    mcap_buffer_put_u32(out, summary->chunk_count);
    mcap_buffer_put_u64(out, summary->start_ns);
    mcap_buffer_put_u64(out, summary->end_ns);
    mcap_buffer_put_u32(out, used * 10);
    for (uint32_t id = 0; id < MCAP_CHANNELS_MAX; id++) {
        if (summary->channel_messages[id] > 0) {
            mcap_buffer_put_u16(out, (uint16_t)id);
            mcap_buffer_put_u64(out, summary->channel_messages[id]);
        }
    }
    mcap_buffer_end(out, begun);
}

/* One group of records in the summary, and where it is. */
static void put_group(struct mcap_buffer *out, struct mcap_buffer *offsets, enum mcap_opcode opcode,
                      const struct mcap_buffer *records, uint64_t summary_start)
{
    if (records->used_bytes == 0)
        return;
    size_t begun = mcap_buffer_begin(offsets, MCAP_SUMMARY_OFFSET);
    mcap_buffer_put_u8(offsets, (uint8_t)opcode);
    mcap_buffer_put_u64(offsets, summary_start + out->used_bytes);
    mcap_buffer_put_u64(offsets, records->used_bytes);
    mcap_buffer_end(offsets, begun);
    mcap_buffer_put(out, records->bytes, records->used_bytes);
}

static void put_footer(struct mcap_buffer *out, uint64_t summary_start, uint64_t offsets_start)
{
    mcap_buffer_put_u8(out, MCAP_FOOTER);
    mcap_buffer_put_u64(out, MCAP_FOOTER_BYTES);
    mcap_buffer_put_u64(out, summary_start);
    mcap_buffer_put_u64(out, offsets_start);
    /* From the summary's first byte to the one before this field, so the length has to be right by now. */
    mcap_buffer_put_u32(out, out->failed ? 0 : mcap_crc(out->bytes, out->used_bytes));
    mcap_buffer_put(out, MCAP_MAGIC, MCAP_MAGIC_BYTES);
}

static enum mcap_status write_data_end(struct mcap_sink *sink)
{
    struct mcap_buffer out = {0};
    size_t begun = mcap_buffer_begin(&out, MCAP_DATA_END);
    mcap_buffer_put_u32(&out, sink->crc);
    mcap_buffer_end(&out, begun);
    struct mcap_piece piece = {.bytes = out.bytes, .size_bytes = out.used_bytes};
    enum mcap_status status = MCAP_NOMEM;
    if (out.failed)
        (void)mcap_fail(&sink->error, MCAP_NOMEM, MCAP_NOWHERE,
                        "no memory for the end of the data");
    else
        status = mcap_sink_write(sink, &piece, 1);
    mcap_buffer_free(&out);
    return status;
}

enum mcap_status mcap_summary_write(struct mcap_summary *summary, struct mcap_sink *sink)
{
    struct mcap_buffer out = {0};
    struct mcap_buffer offsets = {0};
    struct mcap_buffer statistics = {0};
    enum mcap_status status = write_data_end(sink);
    if (status != MCAP_OK)
        return status;
    uint64_t start = sink->offset;
    put_statistics(summary, &statistics);
    put_group(&out, &offsets, MCAP_SCHEMA, &summary->schemas, start);
    put_group(&out, &offsets, MCAP_CHANNEL, &summary->channels, start);
    put_group(&out, &offsets, MCAP_STATISTICS, &statistics, start);
    put_group(&out, &offsets, MCAP_CHUNK_INDEX, &summary->chunk_indexes, start);
    put_group(&out, &offsets, MCAP_METADATA_INDEX, &summary->metadata_indexes, start);
    uint64_t offsets_start = start + out.used_bytes;
    mcap_buffer_put(&out, offsets.bytes, offsets.used_bytes);
    put_footer(&out, start, offsets_start);
    bool failed = out.failed || offsets.failed || statistics.failed || summary->schemas.failed ||
                  summary->channels.failed || summary->chunk_indexes.failed ||
                  summary->metadata_indexes.failed;
    struct mcap_piece piece = {.bytes = out.bytes, .size_bytes = out.used_bytes};
    if (failed)
        status = mcap_fail(&sink->error, MCAP_NOMEM, MCAP_NOWHERE,
                           "no memory for the summary; all messages are in the file");
    else
        status = mcap_sink_write(sink, &piece, 1);
    mcap_buffer_free(&out);
    mcap_buffer_free(&offsets);
    mcap_buffer_free(&statistics);
    return status;
}
