/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/peal/mcap/mcap_reader.h"

#include "tools/peal/mcap/mcap_order.h"
#include "tools/peal/mcap/mcap_scan.h"

#include <stdlib.h>

struct mcap_reader {
    struct mcap_reader_options options;
    struct mcap_reader_info info;
    struct mcap_source source;
    struct mcap_catalog catalog;
    struct mcap_index index;
    struct mcap_order order;
    struct mcap_scan scan;
    struct mcap_buffer metadata;
    bool scanning;
};

static enum mcap_status begin(struct mcap_reader *reader, struct mcap_error *error)
{
    if (reader->options.reading == MCAP_BY_TIME) {
        mcap_order_rewind(&reader->order);
        return MCAP_OK;
    }
    if (reader->scanning)
        mcap_scan_end(&reader->scan);
    reader->scanning = false;
    enum mcap_status status =
        mcap_scan_begin(&reader->scan, &reader->source, &reader->catalog, error);
    reader->scanning = status == MCAP_OK;
    return status;
}

static enum mcap_status load(struct mcap_reader *reader, int fd, struct mcap_error *error)
{
    const struct mcap_reader_options *options = &reader->options;
    if (!mcap_catalog_init(&reader->catalog, options->filter))
        return mcap_fail(error, MCAP_NOMEM, MCAP_NOWHERE, "no memory for a reader");
    enum mcap_status status = mcap_source_open(&reader->source, fd, options->limit_bytes, error);
    if (status == MCAP_OK)
        status = mcap_index_load(&reader->index, &reader->source, &reader->catalog, error);
    if (status != MCAP_OK)
        return status;
    if (reader->index.has_loose && options->reading == MCAP_BY_TIME)
        return mcap_fail(error, MCAP_INVALID, MCAP_NOWHERE,
                         "messages outside of chunks: such a file is read in its own order only");
    reader->order = (struct mcap_order){
        .index = &reader->index,
        .source = &reader->source,
        .catalog = &reader->catalog,
        .from_ns = options->from_ns,
        .until_ns = options->until_ns ? options->until_ns : UINT64_MAX,
        .memory_max_bytes =
            options->memory_bytes ? options->memory_bytes : reader->source.limit_bytes * 2,
    };
    return begin(reader, error);
}

enum mcap_status mcap_reader_open(struct mcap_reader **reader, int fd,
                                  const struct mcap_reader_options *options,
                                  struct mcap_error *error)
{
    *reader = NULL;
    struct mcap_reader *opened = calloc(1, sizeof(*opened));
    if (!opened)
        return mcap_fail(error, MCAP_NOMEM, MCAP_NOWHERE, "no memory for a reader");
    if (options)
        opened->options = *options;
    enum mcap_status status = load(opened, fd, error);
    if (status != MCAP_OK) {
        mcap_reader_close(opened);
        return status;
    }
    const struct mcap_index *index = &opened->index;
    opened->info = (struct mcap_reader_info){.from_summary = index->from_summary,
                                             .damage = index->damage,
                                             .messages = index->messages,
                                             .start_ns = index->start_ns,
                                             .end_ns = index->end_ns,
                                             .chunk_count = index->chunk_count,
                                             .metadata_count = index->metadata_count};
    *reader = opened;
    return MCAP_OK;
}

const struct mcap_reader_info *mcap_reader_info(const struct mcap_reader *reader)
{
    return &reader->info;
}

const struct mcap_catalog *mcap_reader_catalog(const struct mcap_reader *reader)
{
    return &reader->catalog;
}

uint64_t mcap_reader_channel_messages(const struct mcap_reader *reader, uint16_t id)
{
    return reader->index.channel_messages[id];
}

static bool is_wanted(const struct mcap_reader *reader, const struct mcap_message *message)
{
    return mcap_catalog_channel(&reader->catalog, message->channel_id)->wanted &&
           message->log_time_ns >= reader->order.from_ns &&
           message->log_time_ns <= reader->order.until_ns;
}

static enum mcap_status next_of_file(struct mcap_reader *reader, struct mcap_message *message,
                                     struct mcap_error *error)
{
    struct mcap_item item;
    enum mcap_status status;
    do {
        status = mcap_scan_next(&reader->scan, &item, error);
    } while (status == MCAP_OK &&
             (item.kind != MCAP_ITEM_MESSAGE || !is_wanted(reader, &item.message)));
    *message = item.message;
    return status;
}

enum mcap_status mcap_reader_next(struct mcap_reader *reader, struct mcap_message *message,
                                  const struct mcap_channel **channel, struct mcap_error *error)
{
    enum mcap_status status = reader->options.reading == MCAP_BY_TIME
                                  ? mcap_order_next(&reader->order, message, error)
                                  : next_of_file(reader, message, error);
    *channel =
        status == MCAP_OK ? mcap_catalog_channel(&reader->catalog, message->channel_id) : NULL;
    return status;
}

enum mcap_status mcap_reader_rewind(struct mcap_reader *reader, struct mcap_error *error)
{
    return begin(reader, error);
}

enum mcap_status mcap_reader_metadata(struct mcap_reader *reader, size_t number,
                                      struct mcap_metadata_view *metadata, struct mcap_error *error)
{
    struct mcap_record_head head;
    if (number >= reader->index.metadata_count)
        return mcap_fail(error, MCAP_INVALID, MCAP_NOWHERE, "there is no metadata %zu", number);
    const struct mcap_index_metadata *place = &reader->index.metadata[number];
    enum mcap_status status = mcap_source_record(&reader->source, place->offset, &head, error);
    if (status == MCAP_OK)
        status = mcap_source_check_whole(&reader->source, &head, error);
    if (status == MCAP_OK && (head.opcode != MCAP_METADATA ||
                              head.content_bytes + MCAP_RECORD_HEAD_BYTES != place->length_bytes))
        status = mcap_fail(error, MCAP_BROKEN, place->offset,
                           "the index tells metadata here, which is not there");
    if (status == MCAP_OK)
        status = mcap_source_content(&reader->source, &head, &reader->metadata, error);
    if (status != MCAP_OK)
        return status;
    struct mcap_span content = {reader->metadata.bytes, reader->metadata.used_bytes};
    if (!mcap_parse_metadata(content, metadata))
        return mcap_fail(error, MCAP_BROKEN, place->offset,
                         "metadata whose parts are longer than itself");
    return MCAP_OK;
}

void mcap_reader_close(struct mcap_reader *reader)
{
    if (!reader)
        return;
    if (reader->scanning)
        mcap_scan_end(&reader->scan);
    mcap_order_end(&reader->order);
    mcap_index_free(&reader->index);
    mcap_catalog_end(&reader->catalog);
    mcap_buffer_free(&reader->metadata);
    free(reader);
}
