/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/peal/mcap/mcap_parse.h"

#include <string.h>

bool mcap_map_next(struct mcap_cursor *map, struct mcap_span *key, struct mcap_span *value)
{
    if (map->left_bytes == 0)
        return false;
    *key = mcap_cursor_text(map);
    *value = mcap_cursor_text(map);
    return !map->bad;
}

static bool map_is_sound(struct mcap_span map)
{
    struct mcap_cursor cursor = mcap_cursor_over(map);
    struct mcap_span key;
    struct mcap_span value;
    while (mcap_map_next(&cursor, &key, &value))
        continue;
    return !cursor.bad;
}

bool mcap_map_find(struct mcap_span map, const char *key, struct mcap_span *value)
{
    struct mcap_cursor cursor = mcap_cursor_over(map);
    struct mcap_span found;
    while (mcap_map_next(&cursor, &found, value)) {
        if (found.size_bytes == strlen(key) &&
            (found.size_bytes == 0 || memcmp(found.bytes, key, found.size_bytes) == 0))
            return true;
    }
    return false;
}

bool mcap_parse_schema(struct mcap_span content, struct mcap_schema_view *schema)
{
    struct mcap_cursor cursor = mcap_cursor_over(content);
    schema->id = mcap_cursor_u16(&cursor);
    schema->name = mcap_cursor_text(&cursor);
    schema->encoding = mcap_cursor_text(&cursor);
    schema->data = mcap_cursor_text(&cursor);
    return !cursor.bad;
}

bool mcap_parse_channel(struct mcap_span content, struct mcap_channel_view *channel)
{
    struct mcap_cursor cursor = mcap_cursor_over(content);
    channel->id = mcap_cursor_u16(&cursor);
    channel->schema_id = mcap_cursor_u16(&cursor);
    channel->topic = mcap_cursor_text(&cursor);
    channel->encoding = mcap_cursor_text(&cursor);
    channel->metadata = mcap_cursor_text(&cursor);
    return !cursor.bad && map_is_sound(channel->metadata);
}

bool mcap_parse_message(struct mcap_span content, struct mcap_message *message)
{
    struct mcap_cursor cursor = mcap_cursor_over(content);
    message->channel_id = mcap_cursor_u16(&cursor);
    message->sequence = mcap_cursor_u32(&cursor);
    message->log_time_ns = mcap_cursor_u64(&cursor);
    message->publish_time_ns = mcap_cursor_u64(&cursor);
    message->data = cursor.at;
    message->size_bytes = cursor.left_bytes;
    return !cursor.bad;
}

bool mcap_parse_metadata(struct mcap_span content, struct mcap_metadata_view *metadata)
{
    struct mcap_cursor cursor = mcap_cursor_over(content);
    metadata->name = mcap_cursor_text(&cursor);
    metadata->map = mcap_cursor_text(&cursor);
    return !cursor.bad && map_is_sound(metadata->map);
}

bool mcap_parse_statistics(struct mcap_span content, struct mcap_statistics_view *statistics)
{
    struct mcap_cursor cursor = mcap_cursor_over(content);
    statistics->messages = mcap_cursor_u64(&cursor);
    (void)mcap_cursor_u16(&cursor); /* schemas */
    (void)mcap_cursor_u32(&cursor); /* channels */
    (void)mcap_cursor_u32(&cursor); /* attachments */
    (void)mcap_cursor_u32(&cursor); /* metadata */
    statistics->chunks = mcap_cursor_u32(&cursor);
    statistics->start_ns = mcap_cursor_u64(&cursor);
    statistics->end_ns = mcap_cursor_u64(&cursor);
    statistics->channel_counts = mcap_cursor_text(&cursor);
    return !cursor.bad && statistics->channel_counts.size_bytes % 10 == 0;
}

bool mcap_parse_chunk_index(struct mcap_span content, struct mcap_chunk_index_view *index)
{
    struct mcap_cursor cursor = mcap_cursor_over(content);
    index->start_ns = mcap_cursor_u64(&cursor);
    index->end_ns = mcap_cursor_u64(&cursor);
    index->offset = mcap_cursor_u64(&cursor);
    index->length_bytes = mcap_cursor_u64(&cursor);
    index->message_indexes = mcap_cursor_text(&cursor);
    (void)mcap_cursor_u64(&cursor);  /* bytes of message indexes */
    (void)mcap_cursor_text(&cursor); /* compression: the chunk tells it too */
    index->compressed_bytes = mcap_cursor_u64(&cursor);
    index->uncompressed_bytes = mcap_cursor_u64(&cursor);
    return !cursor.bad && index->message_indexes.size_bytes % 10 == 0;
}

bool mcap_parse_metadata_index(struct mcap_span content, struct mcap_metadata_index_view *index)
{
    struct mcap_cursor cursor = mcap_cursor_over(content);
    index->offset = mcap_cursor_u64(&cursor);
    index->length_bytes = mcap_cursor_u64(&cursor);
    index->name = mcap_cursor_text(&cursor);
    return !cursor.bad;
}

bool mcap_parse_footer(struct mcap_span content, struct mcap_footer_view *footer)
{
    struct mcap_cursor cursor = mcap_cursor_over(content);
    footer->summary_start = mcap_cursor_u64(&cursor);
    footer->summary_offset_start = mcap_cursor_u64(&cursor);
    footer->summary_crc = mcap_cursor_u32(&cursor);
    return !cursor.bad && cursor.left_bytes == 0;
}

bool mcap_parse_chunk(struct mcap_span content, struct mcap_chunk_view *chunk)
{
    struct mcap_cursor cursor = mcap_cursor_over(content);
    chunk->start_ns = mcap_cursor_u64(&cursor);
    chunk->end_ns = mcap_cursor_u64(&cursor);
    chunk->uncompressed_bytes = mcap_cursor_u64(&cursor);
    chunk->crc = mcap_cursor_u32(&cursor);
    chunk->compression = mcap_cursor_text(&cursor);
    chunk->stored_bytes = mcap_cursor_u64(&cursor);
    chunk->stored = mcap_cursor_bytes(
        &cursor, chunk->stored_bytes < cursor.left_bytes ? chunk->stored_bytes : cursor.left_bytes);
    return !cursor.bad;
}

bool mcap_parse_record(struct mcap_cursor *cursor, uint8_t *opcode, struct mcap_span *content)
{
    if (cursor->left_bytes == 0)
        return false;
    *opcode = mcap_cursor_u8(cursor);
    *content = mcap_cursor_bytes(cursor, mcap_cursor_u64(cursor));
    return !cursor->bad;
}
