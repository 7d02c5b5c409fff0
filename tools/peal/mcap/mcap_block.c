/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/peal/mcap/mcap_block.h"

#include "tools/peal/mcap/mcap_codec.h"
#include "tools/peal/mcap/mcap_sink.h"

#include <inttypes.h>

static enum mcap_status parse(struct mcap_block *block, const struct mcap_record_head *head,
                              struct mcap_chunk_view *view, struct mcap_error *error)
{
    struct mcap_span content = {block->stored.bytes, block->stored.used_bytes};
    if (!mcap_parse_chunk(content, view))
        return mcap_fail(error, MCAP_BROKEN, head->offset, "a chunk that is shorter than its head");
    block->offset = head->offset;
    block->start_ns = view->start_ns;
    block->end_ns = view->end_ns;
    block->records = view->stored;
    block->salvaged = false;
    return MCAP_OK;
}

static enum mcap_status unpack(struct mcap_block *block, const struct mcap_source *source,
                               const struct mcap_chunk_view *view, struct mcap_error *error)
{
    enum mcap_compression compression;
    uint64_t offset = block->offset;
    if (view->stored.size_bytes != view->stored_bytes)
        return mcap_fail(error, MCAP_BROKEN, offset,
                         "a chunk whose records are longer than itself");
    if (!mcap_compression_find(view->compression, &compression))
        return mcap_fail(
            error, MCAP_BROKEN, offset,
            "a chunk that is compressed in a way not known here; lz4, zstd and none are");
    if (view->uncompressed_bytes > source->limit_bytes)
        return mcap_fail(error, MCAP_LIMIT, offset,
                         "a chunk that unpacks to %" PRIu64 " bytes; at most %zu are read",
                         view->uncompressed_bytes, source->limit_bytes);
    if (compression == MCAP_COMPRESSION_NONE) {
        if (view->uncompressed_bytes != view->stored.size_bytes)
            return mcap_fail(error, MCAP_BROKEN, offset,
                             "a chunk of %zu bytes that are %" PRIu64 " uncompressed",
                             view->stored.size_bytes, view->uncompressed_bytes);
        return MCAP_OK;
    }
    enum mcap_status status =
        mcap_decompress(compression, view->stored, (size_t)view->uncompressed_bytes,
                        &block->unpacked, offset, error);
    block->records = (struct mcap_span){block->unpacked.bytes, block->unpacked.used_bytes};
    if (status == MCAP_OK)
        mcap_buffer_free(&block->stored);
    return status;
}

enum mcap_status mcap_block_unpack(struct mcap_block *block, const struct mcap_source *source,
                                   const struct mcap_record_head *head, struct mcap_error *error)
{
    struct mcap_chunk_view view;
    enum mcap_status status = parse(block, head, &view, error);
    if (status == MCAP_OK)
        status = unpack(block, source, &view, error);
    if (status != MCAP_OK)
        return status;
    uint32_t crc = mcap_crc(block->records.bytes, block->records.size_bytes);
    if (view.crc != 0 && view.crc != crc)
        return mcap_fail(error, MCAP_BROKEN, head->offset,
                         "a chunk whose CRC is 0x%08" PRIx32 " and should be 0x%08" PRIx32, crc,
                         view.crc);
    return MCAP_OK;
}

enum mcap_status mcap_block_load(struct mcap_block *block, const struct mcap_source *source,
                                 const struct mcap_record_head *head, struct mcap_error *error)
{
    enum mcap_status status = mcap_source_content(source, head, &block->stored, error);
    return status == MCAP_OK ? mcap_block_unpack(block, source, head, error) : status;
}

enum mcap_status mcap_block_salvage(struct mcap_block *block, const struct mcap_source *source,
                                    const struct mcap_record_head *head, struct mcap_error *error)
{
    struct mcap_chunk_view view;
    struct mcap_record_head there = *head;
    there.content_bytes = source->size_bytes - head->content_offset;
    enum mcap_status status = mcap_source_content(source, &there, &block->stored, error);
    if (status == MCAP_OK)
        status = parse(block, head, &view, error);
    if (status != MCAP_OK || view.compression.size_bytes > 0)
        return mcap_fail(error, MCAP_TORN, head->offset,
                         "a chunk begins, of which the file has %" PRIu64
                         " bytes: none can be read",
                         there.content_bytes);
    block->salvaged = true;
    return MCAP_OK;
}

size_t mcap_block_memory(const struct mcap_block *block)
{
    return block->stored.size_bytes + block->unpacked.size_bytes;
}

void mcap_block_free(struct mcap_block *block)
{
    mcap_buffer_free(&block->stored);
    mcap_buffer_free(&block->unpacked);
    block->records = (struct mcap_span){0};
}
