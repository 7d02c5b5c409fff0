/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/peal/mcap/mcap_scan.h"

#include "tools/peal/mcap/mcap_sink.h"

#include <inttypes.h>
#include <string.h>
#include <zlib.h>

enum mcap_status mcap_check_message(const struct mcap_catalog *catalog,
                                    const struct mcap_block *block, struct mcap_span content,
                                    struct mcap_message *message, struct mcap_error *error)
{
    if (!mcap_parse_message(content, message))
        return mcap_fail(error, MCAP_BROKEN, block->offset, "in a chunk: a message without a head");
    if (!mcap_catalog_channel(catalog, message->channel_id))
        return mcap_fail(error, MCAP_BROKEN, block->offset,
                         "in a chunk: a message of channel %u, which is not there",
                         message->channel_id);
    if (message->log_time_ns < block->start_ns || message->log_time_ns > block->end_ns)
        return mcap_fail(error, MCAP_BROKEN, block->offset,
                         "in a chunk of %" PRIu64 " to %" PRIu64 " ns: a message of %" PRIu64,
                         block->start_ns, block->end_ns, message->log_time_ns);
    return MCAP_OK;
}

static void add_crc(struct mcap_scan *scan, const void *bytes, size_t size_bytes)
{
    if (size_bytes > 0)
        scan->crc = (uint32_t)crc32_z(scan->crc, bytes, size_bytes);
}

static enum mcap_status header(struct mcap_scan *scan, struct mcap_error *error)
{
    struct mcap_record_head head;
    enum mcap_status status = mcap_source_record(scan->source, scan->at, &head, error);
    if (status == MCAP_OK && head.opcode != MCAP_HEADER)
        status = mcap_fail(error, MCAP_BROKEN, scan->at, "the first record is no header");
    if (status == MCAP_OK)
        status = mcap_source_check_whole(scan->source, &head, error);
    return status;
}

enum mcap_status mcap_scan_begin(struct mcap_scan *scan, const struct mcap_source *source,
                                 struct mcap_catalog *catalog, struct mcap_error *error)
{
    *scan = (struct mcap_scan){.source = source, .catalog = catalog, .crc_known = true};
    enum mcap_status status = mcap_source_read(source, 0, MCAP_MAGIC_BYTES, &scan->content, error);
    if (status == MCAP_OK && memcmp(scan->content.bytes, MCAP_MAGIC, MCAP_MAGIC_BYTES) != 0)
        status = mcap_fail(error, MCAP_BROKEN, 0, "not an MCAP file: it begins otherwise");
    if (status == MCAP_OK) {
        add_crc(scan, MCAP_MAGIC, MCAP_MAGIC_BYTES);
        scan->at = MCAP_MAGIC_BYTES;
        status = header(scan, error);
    }
    if (status != MCAP_OK)
        mcap_scan_end(scan);
    return status;
}

void mcap_scan_end(struct mcap_scan *scan)
{
    mcap_block_free(&scan->block);
    mcap_buffer_free(&scan->content);
}

/* The content of a record of the data section; its bytes go into the CRC. `buffer` is left alone if the record is skipped. */
static enum mcap_status read_content(struct mcap_scan *scan, const struct mcap_record_head *head,
                                     struct mcap_buffer *buffer, struct mcap_error *error)
{
    enum mcap_status status = mcap_source_content(scan->source, head, buffer, error);
    if (status != MCAP_OK) {
        scan->crc_known = false;
        return status;
    }
    unsigned char bytes[MCAP_RECORD_HEAD_BYTES] = {head->opcode};
    for (size_t i = 0; i < 8; i++)
        bytes[1 + i] = (unsigned char)(head->content_bytes >> 8 * i);
    add_crc(scan, bytes, sizeof(bytes));
    add_crc(scan, buffer->bytes, buffer->used_bytes);
    return MCAP_OK;
}

static enum mcap_status data_end(struct mcap_scan *scan, const struct mcap_record_head *head,
                                 struct mcap_error *error)
{
    uint32_t crc = scan->crc;
    scan->ended = true;
    scan->reached_end = true;
    enum mcap_status status = mcap_source_content(scan->source, head, &scan->content, error);
    if (status != MCAP_OK)
        return status;
    struct mcap_cursor cursor =
        mcap_cursor_over((struct mcap_span){scan->content.bytes, scan->content.used_bytes});
    uint32_t told = mcap_cursor_u32(&cursor);
    if (cursor.bad || cursor.left_bytes > 0)
        return mcap_fail(error, MCAP_BROKEN, head->offset,
                         "the end of the data has %" PRIu64 " bytes and not 4",
                         head->content_bytes);
    if (told != 0 && scan->crc_known && told != crc)
        return mcap_fail(error, MCAP_BROKEN, head->offset,
                         "the data's CRC is 0x%08" PRIx32 " and should be 0x%08" PRIx32, crc, told);
    return MCAP_END;
}

/* A footer behind the data: only a file without a summary may spare itself the end of the data. */
static enum mcap_status footer(struct mcap_scan *scan, const struct mcap_record_head *head,
                               struct mcap_error *error)
{
    struct mcap_footer_view view;
    scan->ended = true;
    scan->reached_end = true;
    enum mcap_status status = mcap_source_content(scan->source, head, &scan->content, error);
    if (status != MCAP_OK)
        return status;
    struct mcap_span content = {scan->content.bytes, scan->content.used_bytes};
    if (!mcap_parse_footer(content, &view) || view.summary_start != 0)
        return mcap_fail(error, MCAP_BROKEN, head->offset,
                         "the footer comes, and the data has not ended yet");
    return MCAP_END;
}

/* One record of the data section. MCAP_BUSY: it is of no interest, go on. */
static enum mcap_status outside(struct mcap_scan *scan, const struct mcap_record_head *head,
                                struct mcap_item *item, struct mcap_error *error)
{
    bool is_chunk = head->opcode == MCAP_CHUNK;
    if (head->opcode == MCAP_DATA_END)
        return data_end(scan, head, error);
    if (head->opcode == MCAP_FOOTER)
        return footer(scan, head, error);
    item->offset = head->offset;
    item->length_bytes = head->content_bytes + MCAP_RECORD_HEAD_BYTES;
    scan->at = head->content_offset + head->content_bytes;
    if (head->opcode == MCAP_ATTACHMENT) {
        scan->crc_known = false; /* it may be of any size, and nobody asks for it */
        item->kind = MCAP_ITEM_ATTACHMENT;
        return MCAP_OK;
    }
    struct mcap_buffer *buffer = is_chunk ? &scan->block.stored : &scan->content;
    enum mcap_status status = read_content(scan, head, buffer, error);
    if (status != MCAP_OK)
        return status;
    struct mcap_span bytes = {buffer->bytes, buffer->used_bytes};
    switch (head->opcode) {
    case MCAP_CHUNK:
        status = mcap_block_unpack(&scan->block, scan->source, head, error);
        item->kind = MCAP_ITEM_CHUNK;
        return status;
    case MCAP_SCHEMA:
        status = mcap_catalog_add_schema(scan->catalog, bytes, head->offset, error);
        return status == MCAP_OK ? MCAP_BUSY : status;
    case MCAP_CHANNEL:
        status = mcap_catalog_add_channel(scan->catalog, bytes, head->offset, error);
        return status == MCAP_OK ? MCAP_BUSY : status;
    case MCAP_METADATA:
        item->kind = MCAP_ITEM_METADATA;
        if (!mcap_parse_metadata(bytes, &item->metadata))
            return mcap_fail(error, MCAP_BROKEN, head->offset,
                             "metadata whose parts are longer than itself");
        return MCAP_OK;
    case MCAP_MESSAGE:
        item->kind = MCAP_ITEM_MESSAGE;
        if (!mcap_parse_message(bytes, &item->message) ||
            !mcap_catalog_channel(scan->catalog, item->message.channel_id))
            return mcap_fail(error, MCAP_BROKEN, head->offset,
                             "a message without a head, or of a channel that is not there");
        return MCAP_OK;
    default:
        return MCAP_BUSY;
    }
}

/* One record of the chunk. MCAP_BUSY: it is of no interest, go on. */
static enum mcap_status within(struct mcap_scan *scan, struct mcap_item *item,
                               struct mcap_error *error)
{
    uint8_t opcode;
    struct mcap_span bytes;
    enum mcap_status status = MCAP_OK;
    const struct mcap_block *block = &scan->block;
    if (!mcap_parse_record(&scan->inside, &opcode, &bytes)) {
        scan->in_chunk = false;
        if (block->salvaged) {
            scan->ended = true;
            return mcap_fail(error, MCAP_TORN, block->offset, "the file ends in this chunk");
        }
        if (scan->inside.bad)
            return mcap_fail(error, MCAP_BROKEN, block->offset,
                             "in a chunk: a record that is longer than what is left");
        return MCAP_BUSY;
    }
    if (opcode == MCAP_SCHEMA)
        status = mcap_catalog_add_schema(scan->catalog, bytes, block->offset, error);
    else if (opcode == MCAP_CHANNEL)
        status = mcap_catalog_add_channel(scan->catalog, bytes, block->offset, error);
    if (status != MCAP_OK)
        return status;
    if (opcode != MCAP_MESSAGE)
        return MCAP_BUSY;
    item->kind = MCAP_ITEM_MESSAGE;
    item->offset = block->offset;
    item->in_chunk = true;
    return mcap_check_message(scan->catalog, block, bytes, &item->message, error);
}

/* The file ends in this record. */
static enum mcap_status torn(struct mcap_scan *scan, const struct mcap_record_head *head,
                             struct mcap_item *item, struct mcap_error *error)
{
    if (!scan->salvage || head->opcode != MCAP_CHUNK ||
        mcap_block_salvage(&scan->block, scan->source, head, error) != MCAP_OK) {
        scan->ended = true;
        return error->status;
    }
    item->kind = MCAP_ITEM_CHUNK;
    item->offset = head->offset;
    item->length_bytes = head->content_bytes;
    return MCAP_OK;
}

static enum mcap_status step(struct mcap_scan *scan, struct mcap_item *item,
                             struct mcap_error *error)
{
    struct mcap_record_head head;
    if (scan->in_chunk)
        return within(scan, item, error);
    if (mcap_source_record(scan->source, scan->at, &head, error) != MCAP_OK) {
        scan->ended = true; /* without a length there is no next record */
        return error->status;
    }
    enum mcap_status status = mcap_source_check_whole(scan->source, &head, error);
    status = status == MCAP_OK ? outside(scan, &head, item, error) : torn(scan, &head, item, error);
    if (status == MCAP_OK && item->kind == MCAP_ITEM_CHUNK) {
        scan->in_chunk = true;
        scan->inside = mcap_cursor_over(scan->block.records);
        item->chunk = &scan->block;
    }
    return status;
}

enum mcap_status mcap_scan_next(struct mcap_scan *scan, struct mcap_item *item,
                                struct mcap_error *error)
{
    enum mcap_status status = MCAP_BUSY;
    while (status == MCAP_BUSY) {
        if (scan->ended)
            return MCAP_END;
        *item = (struct mcap_item){.chunk = NULL};
        status = step(scan, item, error);
    }
    if (status == MCAP_NOMEM || status == MCAP_SYSTEM)
        scan->ended = true;
    return status;
}
