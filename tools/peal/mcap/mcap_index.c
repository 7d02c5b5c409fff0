/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/peal/mcap/mcap_index.h"

#include "tools/peal/mcap/mcap_scan.h"
#include "tools/peal/mcap/mcap_sink.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define TAIL_BYTES (MCAP_RECORD_HEAD_BYTES + MCAP_FOOTER_BYTES + MCAP_MAGIC_BYTES)

void mcap_index_free(struct mcap_index *index)
{
    free(index->chunks);
    free(index->metadata);
    index->chunks = NULL;
    index->metadata = NULL;
    free(index->channel_messages);
    index->channel_messages = NULL;
}

static enum mcap_status begin_index(struct mcap_index *index, struct mcap_error *error)
{
    *index = (struct mcap_index){.from_summary = false};
    index->channel_messages = calloc(MCAP_CHANNELS_MAX, sizeof(*index->channel_messages));
    return index->channel_messages
               ? MCAP_OK
               : mcap_fail(error, MCAP_NOMEM, MCAP_NOWHERE, "no memory for the index");
}

static void *grow(void *array, size_t count, size_t element_bytes)
{
    if (count > 0 && (count & (count - 1)) != 0)
        return array;
    return realloc(array, (count ? count * 2 : 1) * element_bytes);
}

static enum mcap_status add_chunk(struct mcap_index *index, const struct mcap_index_chunk *chunk,
                                  struct mcap_error *error)
{
    struct mcap_index_chunk *chunks = grow(index->chunks, index->chunk_count, sizeof(*chunks));
    if (!chunks)
        return mcap_fail(error, MCAP_NOMEM, chunk->offset, "no memory for the index");
    index->chunks = chunks;
    chunks[index->chunk_count++] = *chunk;
    return MCAP_OK;
}

static enum mcap_status add_metadata(struct mcap_index *index, uint64_t offset,
                                     uint64_t length_bytes, struct mcap_error *error)
{
    struct mcap_index_metadata *metadata =
        grow(index->metadata, index->metadata_count, sizeof(*metadata));
    if (!metadata)
        return mcap_fail(error, MCAP_NOMEM, offset, "no memory for the index");
    index->metadata = metadata;
    metadata[index->metadata_count++] = (struct mcap_index_metadata){offset, length_bytes};
    return MCAP_OK;
}

static int by_start(const void *left, const void *right)
{
    const struct mcap_index_chunk *a = left;
    const struct mcap_index_chunk *b = right;
    if (a->start_ns != b->start_ns)
        return a->start_ns < b->start_ns ? -1 : 1;
    return (a->offset > b->offset) - (a->offset < b->offset);
}

/* ---- the summary ----------------------------------------------------------------------------------------------------- */

struct summary {
    struct mcap_span records; /* summary and summary offsets, without the footer */
    uint64_t start;
};

static enum mcap_status check_crc(const struct mcap_buffer *bytes, size_t footer_at,
                                  const struct mcap_footer_view *footer, uint64_t start,
                                  struct mcap_error *error)
{
    uint32_t crc =
        mcap_crc(bytes->bytes, footer_at + MCAP_RECORD_HEAD_BYTES + MCAP_FOOTER_BYTES - 4);
    if (footer->summary_crc == 0 || footer->summary_crc == crc)
        return MCAP_OK;
    return mcap_fail(error, MCAP_BROKEN, start,
                     "the summary's CRC is 0x%08" PRIx32 " and should be 0x%08" PRIx32, crc,
                     footer->summary_crc);
}

/* Reads footer and summary. MCAP_END: the file is whole and has no summary. */
static enum mcap_status read_summary(const struct mcap_source *source, struct mcap_buffer *bytes,
                                     struct summary *summary, struct mcap_error *error)
{
    struct mcap_footer_view footer;
    if (source->size_bytes < MCAP_MAGIC_BYTES + TAIL_BYTES)
        return mcap_fail(error, MCAP_TORN, source->size_bytes, "the file ends before its end");
    uint64_t footer_at = source->size_bytes - TAIL_BYTES;
    enum mcap_status status = mcap_source_read(source, footer_at, TAIL_BYTES, bytes, error);
    if (status != MCAP_OK)
        return status;
    if (memcmp(bytes->bytes + TAIL_BYTES - MCAP_MAGIC_BYTES, MCAP_MAGIC, MCAP_MAGIC_BYTES) != 0 ||
        bytes->bytes[0] != MCAP_FOOTER)
        return mcap_fail(error, MCAP_TORN, source->size_bytes, "the file ends without its footer");
    struct mcap_span content = {bytes->bytes + MCAP_RECORD_HEAD_BYTES, MCAP_FOOTER_BYTES};
    (void)mcap_parse_footer(content, &footer);
    if (footer.summary_start == 0)
        return MCAP_END;
    if (footer.summary_start < MCAP_MAGIC_BYTES || footer.summary_start > footer_at)
        return mcap_fail(error, MCAP_BROKEN, footer_at, "the footer tells a summary at %" PRIu64,
                         footer.summary_start);
    uint64_t size_bytes = footer_at - footer.summary_start;
    if (size_bytes > source->limit_bytes)
        return mcap_fail(error, MCAP_LIMIT, footer.summary_start,
                         "a summary of %" PRIu64 " bytes; at most %zu are read", size_bytes,
                         source->limit_bytes);
    mcap_buffer_clear(bytes);
    status = mcap_source_read(source, footer.summary_start, (size_t)size_bytes + TAIL_BYTES, bytes,
                              error);
    if (status != MCAP_OK)
        return status;
    summary->start = footer.summary_start;
    summary->records = (struct mcap_span){bytes->bytes, (size_t)size_bytes};
    return check_crc(bytes, (size_t)size_bytes, &footer, footer.summary_start, error);
}

static bool has_wanted(const struct mcap_catalog *catalog, struct mcap_span message_indexes)
{
    struct mcap_cursor cursor = mcap_cursor_over(message_indexes);
    while (cursor.left_bytes > 0) {
        const struct mcap_channel *channel =
            mcap_catalog_channel(catalog, mcap_cursor_u16(&cursor));
        (void)mcap_cursor_u64(&cursor);
        if (!channel || channel->wanted)
            return true;
    }
    return message_indexes.size_bytes == 0; /* it does not tell */
}

static enum mcap_status use_chunk_index(struct mcap_index *index,
                                        const struct mcap_catalog *catalog,
                                        const struct summary *summary, struct mcap_span content,
                                        uint64_t offset, struct mcap_error *error)
{
    struct mcap_chunk_index_view view;
    if (!mcap_parse_chunk_index(content, &view))
        return mcap_fail(error, MCAP_BROKEN, offset,
                         "a chunk index whose parts are longer than itself");
    if (view.offset < MCAP_MAGIC_BYTES || view.offset > summary->start ||
        view.length_bytes > summary->start - view.offset || view.start_ns > view.end_ns)
        return mcap_fail(error, MCAP_BROKEN, offset,
                         "the index tells a chunk of %" PRIu64 " bytes at %" PRIu64
                         ", which cannot be",
                         view.length_bytes, view.offset);
    struct mcap_index_chunk chunk = {.start_ns = view.start_ns,
                                     .end_ns = view.end_ns,
                                     .offset = view.offset,
                                     .length_bytes = view.length_bytes,
                                     .unwanted = !has_wanted(catalog, view.message_indexes)};
    return add_chunk(index, &chunk, error);
}

static void use_channel_counts(struct mcap_index *index, struct mcap_span counts)
{
    struct mcap_cursor cursor = mcap_cursor_over(counts);
    while (cursor.left_bytes > 0) {
        const uint16_t id = mcap_cursor_u16(&cursor);
        index->channel_messages[id] = mcap_cursor_u64(&cursor);
    }
}

static enum mcap_status use_record(struct mcap_index *index, struct mcap_catalog *catalog,
                                   const struct summary *summary, uint8_t opcode,
                                   struct mcap_span content, uint64_t offset,
                                   struct mcap_error *error)
{
    struct mcap_metadata_index_view metadata;
    struct mcap_statistics_view statistics;
    switch (opcode) {
    case MCAP_SCHEMA:
        return mcap_catalog_add_schema(catalog, content, offset, error);
    case MCAP_CHANNEL:
        return mcap_catalog_add_channel(catalog, content, offset, error);
    case MCAP_CHUNK_INDEX:
        return use_chunk_index(index, catalog, summary, content, offset, error);
    case MCAP_METADATA_INDEX:
        if (!mcap_parse_metadata_index(content, &metadata) || metadata.offset > summary->start ||
            metadata.length_bytes > summary->start - metadata.offset)
            return mcap_fail(error, MCAP_BROKEN, offset, "the index tells metadata that cannot be");
        return add_metadata(index, metadata.offset, metadata.length_bytes, error);
    case MCAP_STATISTICS:
        if (!mcap_parse_statistics(content, &statistics))
            return mcap_fail(error, MCAP_BROKEN, offset, "statistics shorter than they should be");
        index->messages = statistics.messages;
        index->start_ns = statistics.start_ns;
        index->end_ns = statistics.end_ns;
        use_channel_counts(index, statistics.channel_counts);
        return MCAP_OK;
    default:
        return MCAP_OK;
    }
}

/* Records of one kind, or of all but the first two: what refers to a schema or a channel must find it. */
static enum mcap_status use_records(struct mcap_index *index, struct mcap_catalog *catalog,
                                    const struct summary *summary, uint8_t pass,
                                    struct mcap_error *error)
{
    struct mcap_cursor cursor = mcap_cursor_over(summary->records);
    uint8_t opcode;
    struct mcap_span content;
    uint64_t offset = summary->start;
    enum mcap_status status = MCAP_OK;
    while (status == MCAP_OK && mcap_parse_record(&cursor, &opcode, &content)) {
        bool first_two = opcode == MCAP_SCHEMA || opcode == MCAP_CHANNEL;
        if (first_two ? opcode == pass : pass == 0)
            status = use_record(index, catalog, summary, opcode, content, offset, error);
        offset += MCAP_RECORD_HEAD_BYTES + content.size_bytes;
    }
    if (status == MCAP_OK && cursor.bad)
        status = mcap_fail(error, MCAP_BROKEN, offset,
                           "in the summary: a record that is longer than what is left");
    return status;
}

/* Sorts. A chunk that is listed twice would give its messages twice. */
static enum mcap_status check_order(struct mcap_index *index, struct mcap_error *error)
{
    if (index->chunk_count > 0)
        qsort(index->chunks, index->chunk_count, sizeof(*index->chunks), by_start);
    for (size_t i = 1; i < index->chunk_count; i++) {
        if (index->chunks[i].offset == index->chunks[i - 1].offset)
            return mcap_fail(error, MCAP_BROKEN, index->chunks[i].offset,
                             "the index has this chunk twice");
    }
    return MCAP_OK;
}

static enum mcap_status load_summary(struct mcap_index *index, const struct mcap_source *source,
                                     struct mcap_catalog *catalog, struct mcap_error *error)
{
    struct mcap_buffer bytes = {0};
    struct summary summary = {.start = 0};
    enum mcap_status status = read_summary(source, &bytes, &summary, error);
    if (status == MCAP_OK)
        status = use_records(index, catalog, &summary, MCAP_SCHEMA, error);
    if (status == MCAP_OK)
        status = use_records(index, catalog, &summary, MCAP_CHANNEL, error);
    if (status == MCAP_OK)
        status = use_records(index, catalog, &summary, 0, error);
    mcap_buffer_free(&bytes);
    return status == MCAP_OK ? check_order(index, error) : status;
}

/* ---- the file itself ------------------------------------------------------------------------------------------------- */

static enum mcap_status use_item(struct mcap_index *index, const struct mcap_item *item,
                                 struct mcap_error *error)
{
    uint64_t time_ns = item->message.log_time_ns;
    switch (item->kind) {
    case MCAP_ITEM_CHUNK:
        return add_chunk(index,
                         &(struct mcap_index_chunk){.start_ns = item->chunk->start_ns,
                                                    .end_ns = item->chunk->end_ns,
                                                    .offset = item->offset,
                                                    .length_bytes = item->length_bytes},
                         error);
    case MCAP_ITEM_METADATA:
        return add_metadata(index, item->offset, item->length_bytes, error);
    case MCAP_ITEM_MESSAGE:
        index->has_loose = index->has_loose || !item->in_chunk;
        if (index->messages == 0 || time_ns < index->start_ns)
            index->start_ns = time_ns;
        if (index->messages == 0 || time_ns > index->end_ns)
            index->end_ns = time_ns;
        index->messages++;
        index->channel_messages[item->message.channel_id]++;
        return MCAP_OK;
    case MCAP_ITEM_ATTACHMENT:
        break;
    }
    return MCAP_OK;
}

static enum mcap_status scan_file(struct mcap_index *index, const struct mcap_source *source,
                                  struct mcap_catalog *catalog, struct mcap_error *error)
{
    struct mcap_scan scan;
    struct mcap_item item;
    enum mcap_status status = mcap_scan_begin(&scan, source, catalog, error);
    if (status != MCAP_OK)
        return status;
    while ((status = mcap_scan_next(&scan, &item, error)) != MCAP_END) {
        if (status == MCAP_OK)
            status = use_item(index, &item, error);
        if (status == MCAP_NOMEM || status == MCAP_SYSTEM)
            break;
        if (status != MCAP_OK && index->damage.status == MCAP_OK)
            index->damage = *error;
    }
    mcap_scan_end(&scan);
    return status == MCAP_END ? MCAP_OK : status;
}

enum mcap_status mcap_index_load(struct mcap_index *index, const struct mcap_source *source,
                                 struct mcap_catalog *catalog, struct mcap_error *error)
{
    struct mcap_scan scan;
    enum mcap_status status = begin_index(index, error);
    if (status == MCAP_OK)
        status = mcap_scan_begin(&scan, source, catalog, error);
    if (status != MCAP_OK) {
        mcap_index_free(index);
        return status;
    }
    mcap_scan_end(&scan);
    struct mcap_error without = {.status = MCAP_OK}; /* why the summary is not used */
    status = load_summary(index, source, catalog, &without);
    if (status == MCAP_NOMEM || status == MCAP_SYSTEM) {
        *error = without;
    } else if (status == MCAP_OK && index->chunk_count > 0) {
        index->from_summary = true;
    } else {
        mcap_index_free(index);
        mcap_catalog_clear(catalog);
        status = begin_index(index, error);
        if (status == MCAP_OK)
            status = scan_file(index, source, catalog, error);
        if (index->damage.status == MCAP_OK)
            index->damage = without;
        if (status == MCAP_OK && index->chunk_count > 0)
            qsort(index->chunks, index->chunk_count, sizeof(*index->chunks), by_start);
    }
    if (status != MCAP_OK)
        mcap_index_free(index);
    return status;
}
