/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/peal/mcap/mcap_writer.h"

#include "tools/peal/mcap/mcap_text.h"

#include <assert.h>
#include <inttypes.h>
#include <peal/version.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define CHUNK_BYTES_DEFAULT ((size_t)1 << 20)
#define CHUNK_BYTES_MIN ((size_t)1 << 10)
#define CHUNK_BYTES_MAX ((size_t)64 << 20)
#define CHUNK_AGE_DEFAULT_NS UINT64_C(500000000)
#define CHUNKS_DEFAULT 16
#define CHUNKS_MAX 1024
/* Schema and channel are repeated in every chunk. */
#define DEFINITION_BYTES_MAX ((size_t)1 << 20)

/* What stands before a channel's first message in a chunk, and which chunk that was last. */
struct writer_channel {
    struct mcap_buffer definition;
    uint64_t chunk_number;
    uint32_t slot;
};

struct mcap_writer {
    struct mcap_drain drain;
    struct mcap_chunk *open; /* NULL: the next message takes one */
    uint64_t chunk_number;
    uint64_t chunk_age_ns;
    uint64_t messages_taken;
    struct mcap_buffer *schemas; /* by id - 1 */
    size_t schema_count;
    struct writer_channel *channels; /* by id - 1 */
    size_t channel_count;
};

static uint64_t now_ns(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static struct mcap_span span_of(const char *text)
{
    return (struct mcap_span){(const unsigned char *)text, strlen(text)};
}

static enum mcap_status check_text(const char *what, const char *text, struct mcap_error *error)
{
    if (mcap_text_valid(span_of(text)))
        return MCAP_OK;
    return mcap_fail(error, MCAP_INVALID, MCAP_NOWHERE, "%s is not UTF-8", what);
}

static enum mcap_status check_pairs(const struct mcap_pair *pairs, size_t count,
                                    struct mcap_error *error)
{
    for (size_t i = 0; i < count; i++) {
        if (check_text("a key", pairs[i].key, error) != MCAP_OK ||
            check_text(pairs[i].key, pairs[i].value, error) != MCAP_OK)
            return error->status;
    }
    return MCAP_OK;
}

static enum mcap_status no_memory(struct mcap_error *error, const char *what)
{
    return mcap_fail(error, MCAP_NOMEM, MCAP_NOWHERE, "no memory for %s", what);
}

/* ---- opening --------------------------------------------------------------------------------------------------------- */

static enum mcap_status check_options(struct mcap_writer_options *options, struct mcap_error *error)
{
    if (options->chunk_bytes == 0)
        options->chunk_bytes = CHUNK_BYTES_DEFAULT;
    if (options->chunk_age_ns == 0)
        options->chunk_age_ns = CHUNK_AGE_DEFAULT_NS;
    if (options->chunks == 0)
        options->chunks = CHUNKS_DEFAULT;
    if (!options->profile)
        options->profile = "";
    if (!options->library)
        options->library = "peal " PEAL_VERSION_TEXT;
    if (options->chunk_bytes < CHUNK_BYTES_MIN || options->chunk_bytes > CHUNK_BYTES_MAX)
        return mcap_fail(error, MCAP_INVALID, MCAP_NOWHERE,
                         "a chunk has 1 KiB to 64 MiB, not %zu bytes", options->chunk_bytes);
    if (options->chunks < 2 || options->chunks > CHUNKS_MAX)
        return mcap_fail(error, MCAP_INVALID, MCAP_NOWHERE,
                         "there may be 2 to %d chunks, not %" PRIu32, CHUNKS_MAX, options->chunks);
    if ((unsigned)options->compression > MCAP_COMPRESSION_ZSTD)
        return mcap_fail(error, MCAP_INVALID, MCAP_NOWHERE, "there is no such compression");
    return MCAP_OK;
}

static enum mcap_status write_head(struct mcap_sink *sink,
                                   const struct mcap_writer_options *options)
{
    struct mcap_buffer head = {0};
    mcap_buffer_put(&head, MCAP_MAGIC, MCAP_MAGIC_BYTES);
    size_t begun = mcap_buffer_begin(&head, MCAP_HEADER);
    mcap_buffer_put_text(&head, options->profile);
    mcap_buffer_put_text(&head, options->library);
    mcap_buffer_end(&head, begun);
    struct mcap_piece piece = {.bytes = head.bytes, .size_bytes = head.used_bytes};
    enum mcap_status status =
        head.failed ? no_memory(&sink->error, "the header") : mcap_sink_write(sink, &piece, 1);
    mcap_buffer_free(&head);
    return status;
}

enum mcap_status mcap_writer_open(struct mcap_writer **writer, int fd,
                                  const struct mcap_writer_options *options,
                                  struct mcap_error *error)
{
    struct mcap_writer_options wish = options ? *options : (struct mcap_writer_options){0};
    *writer = NULL;
    if (check_options(&wish, error) != MCAP_OK)
        return error->status;
    struct mcap_writer *opened = calloc(1, sizeof(*opened));
    if (!opened)
        return no_memory(error, "a writer");
    opened->chunk_age_ns = wish.chunk_age_ns;
    mcap_sink_init(&opened->drain.sink, fd);
    enum mcap_status status = write_head(&opened->drain.sink, &wish);
    if (status != MCAP_OK)
        *error = opened->drain.sink.error;
    else
        status = mcap_drain_start(&opened->drain, fd, wish.compression, wish.level,
                                  wish.chunk_bytes, wish.chunks, error);
    if (status != MCAP_OK) {
        free(opened);
        return status;
    }
    *writer = opened;
    return MCAP_OK;
}

/* ---- schemas and channels -------------------------------------------------------------------------------------------- */

/* Room for one element more in an array that doubles. NULL without memory, the array as it was. */
static void *grow(void *array, size_t count, size_t element_bytes)
{
    if (count > 0 && (count & (count - 1)) != 0)
        return array;
    return realloc(array, (count ? count * 2 : 1) * element_bytes);
}

enum mcap_status mcap_writer_schema(struct mcap_writer *writer, const char *name,
                                    const char *encoding, struct mcap_span data, uint16_t *id,
                                    struct mcap_error *error)
{
    struct mcap_buffer record = {0};
    if (check_text("the schema's name", name, error) != MCAP_OK ||
        check_text("the schema's encoding", encoding, error) != MCAP_OK)
        return error->status;
    if (data.size_bytes > DEFINITION_BYTES_MAX / 2 || writer->schema_count >= UINT16_MAX)
        return mcap_fail(error, MCAP_INVALID, MCAP_NOWHERE,
                         "a file has at most 65535 schemas, each of at most 512 KiB");
    struct mcap_buffer *schemas = grow(writer->schemas, writer->schema_count, sizeof(*schemas));
    if (!schemas)
        return no_memory(error, "a schema");
    writer->schemas = schemas;
    *id = (uint16_t)(writer->schema_count + 1);
    size_t begun = mcap_buffer_begin(&record, MCAP_SCHEMA);
    mcap_buffer_put_u16(&record, *id);
    mcap_buffer_put_text(&record, name);
    mcap_buffer_put_text(&record, encoding);
    mcap_buffer_put_u32(&record, (uint32_t)data.size_bytes);
    mcap_buffer_put(&record, data.bytes, data.size_bytes);
    mcap_buffer_end(&record, begun);
    if (record.failed || !mcap_buffer_reserve(&writer->drain.summary.schemas, record.used_bytes)) {
        writer->drain.summary.schemas.failed = false;
        mcap_buffer_free(&record);
        return no_memory(error, "a schema");
    }
    mcap_buffer_put(&writer->drain.summary.schemas, record.bytes, record.used_bytes);
    writer->drain.summary.schema_count++;
    schemas[writer->schema_count++] = record;
    return MCAP_OK;
}

static void put_channel(struct mcap_buffer *record, uint16_t id, uint16_t schema_id,
                        const char *topic, const char *encoding, const struct mcap_pair *metadata,
                        size_t count)
{
    size_t begun = mcap_buffer_begin(record, MCAP_CHANNEL);
    mcap_buffer_put_u16(record, id);
    mcap_buffer_put_u16(record, schema_id);
    mcap_buffer_put_text(record, topic);
    mcap_buffer_put_text(record, encoding);
    mcap_buffer_put_map(record, metadata, count);
    mcap_buffer_end(record, begun);
}

static enum mcap_status check_channel(const struct mcap_writer *writer, uint16_t schema_id,
                                      const char *topic, const char *encoding,
                                      const struct mcap_pair *metadata, size_t count,
                                      struct mcap_error *error)
{
    if (check_text("the topic", topic, error) != MCAP_OK ||
        check_text("the encoding", encoding, error) != MCAP_OK ||
        check_pairs(metadata, count, error) != MCAP_OK)
        return error->status;
    if (schema_id > writer->schema_count)
        return mcap_fail(error, MCAP_INVALID, MCAP_NOWHERE, "topic '%s': there is no schema %u",
                         topic, schema_id);
    if (writer->channel_count >= UINT16_MAX)
        return mcap_fail(error, MCAP_INVALID, MCAP_NOWHERE, "a file has at most 65535 channels");
    return MCAP_OK;
}

enum mcap_status mcap_writer_channel(struct mcap_writer *writer, uint16_t schema_id,
                                     const char *topic, const char *encoding,
                                     const struct mcap_pair *metadata, size_t count, uint16_t *id,
                                     struct mcap_error *error)
{
    struct mcap_buffer *summary = &writer->drain.summary.channels;
    struct mcap_buffer definition = {0};
    if (check_channel(writer, schema_id, topic, encoding, metadata, count, error) != MCAP_OK)
        return error->status;
    struct writer_channel *channels =
        grow(writer->channels, writer->channel_count, sizeof(*channels));
    if (!channels)
        return no_memory(error, "a channel");
    writer->channels = channels;
    *id = (uint16_t)(writer->channel_count + 1);
    if (schema_id > 0)
        mcap_buffer_put(&definition, writer->schemas[schema_id - 1].bytes,
                        writer->schemas[schema_id - 1].used_bytes);
    size_t schema_bytes = definition.used_bytes;
    put_channel(&definition, *id, schema_id, topic, encoding, metadata, count);
    if (definition.failed || definition.used_bytes > DEFINITION_BYTES_MAX ||
        !mcap_buffer_reserve(summary, definition.used_bytes - schema_bytes)) {
        bool large = !definition.failed && definition.used_bytes > DEFINITION_BYTES_MAX;
        summary->failed = false;
        mcap_buffer_free(&definition);
        return large ? mcap_fail(error, MCAP_INVALID, MCAP_NOWHERE,
                                 "topic, metadata and schema of a channel are at most 1 MiB")
                     : no_memory(error, "a channel");
    }
    mcap_buffer_put(summary, definition.bytes + schema_bytes, definition.used_bytes - schema_bytes);
    writer->drain.summary.channel_count++;
    channels[writer->channel_count++] = (struct writer_channel){.definition = definition};
    return MCAP_OK;
}

/* ---- messages -------------------------------------------------------------------------------------------------------- */

static void hand_over(struct mcap_writer *writer)
{
    mcap_drain_give(&writer->drain, writer->open);
    writer->open = NULL;
}

static bool is_old(const struct mcap_writer *writer)
{
    return writer->open && !mcap_chunk_is_empty(writer->open) &&
           now_ns() - writer->open->since_ns >= writer->chunk_age_ns;
}

static enum mcap_status open_chunk(struct mcap_writer *writer, enum mcap_patience patience,
                                   struct mcap_error *error)
{
    if (writer->open)
        return MCAP_OK;
    enum mcap_status status = mcap_drain_take(&writer->drain, patience, &writer->open, error);
    if (status != MCAP_OK)
        return status;
    writer->open->number = ++writer->chunk_number;
    writer->open->since_ns = now_ns();
    return MCAP_OK;
}

/* Schema and channel stand before the first message of a channel in each chunk: no chunk needs another one to be understood. */
static enum mcap_status define(struct mcap_writer *writer, struct writer_channel *channel,
                               uint16_t id, size_t record_bytes, struct mcap_error *error)
{
    struct mcap_chunk *chunk = writer->open;
    bool known = channel->chunk_number == chunk->number;
    size_t needed_bytes = record_bytes + (known ? 0 : channel->definition.used_bytes);
    if (!known && !mcap_chunk_add_slot(chunk, id, &channel->slot))
        return no_memory(error, "an index");
    if (!mcap_chunk_reserve(chunk, channel->slot, needed_bytes)) {
        chunk->slot_count -= !known;
        return no_memory(error, "a message");
    }
    if (!known)
        mcap_buffer_put(&chunk->records, channel->definition.bytes, channel->definition.used_bytes);
    channel->chunk_number = chunk->number;
    return MCAP_OK;
}

enum mcap_status mcap_writer_reserve(struct mcap_writer *writer, uint16_t id, size_t size_bytes,
                                     enum mcap_patience patience, void **data,
                                     struct mcap_error *error)
{
    if (id == 0 || id > writer->channel_count)
        return mcap_fail(error, MCAP_INVALID, MCAP_NOWHERE, "there is no channel %u", id);
    struct writer_channel *channel = &writer->channels[id - 1];
    size_t head_bytes = MCAP_RECORD_HEAD_BYTES + MCAP_MESSAGE_HEAD_BYTES;
    if (size_bytes > MCAP_RECORDS_BYTES_MAX - DEFINITION_BYTES_MAX - head_bytes)
        return mcap_fail(error, MCAP_INVALID, MCAP_NOWHERE,
                         "a message of %zu bytes is too large for a chunk (at most %zu)",
                         size_bytes, MCAP_RECORDS_BYTES_MAX - DEFINITION_BYTES_MAX - head_bytes);
    size_t record_bytes = head_bytes + size_bytes;
    bool fits = !writer->open || writer->open->messages == 0 ||
                (writer->open->records.used_bytes + record_bytes + channel->definition.used_bytes <=
                     writer->drain.chunk_bytes &&
                 !is_old(writer));
    if (!fits)
        hand_over(writer);
    enum mcap_status status = open_chunk(writer, patience, error);
    if (status == MCAP_OK)
        status = define(writer, channel, id, record_bytes, error);
    if (status == MCAP_OK)
        *data = mcap_chunk_data_place(writer->open);
    return status;
}

void mcap_writer_commit(struct mcap_writer *writer, const struct mcap_message *message)
{
    const struct writer_channel *channel = &writer->channels[message->channel_id - 1];
    assert(writer->open && channel->chunk_number == writer->open->number);
    mcap_chunk_put_message(writer->open, channel->slot, message);
    writer->messages_taken++;
}

enum mcap_status mcap_writer_message(struct mcap_writer *writer, const struct mcap_message *message,
                                     enum mcap_patience patience, struct mcap_error *error)
{
    void *data;
    const enum mcap_status status = mcap_writer_reserve(
        writer, message->channel_id, message->size_bytes, patience, &data, error);
    if (status == MCAP_OK)
        mcap_writer_commit(writer, message);
    return status;
}

enum mcap_status mcap_writer_metadata(struct mcap_writer *writer, const char *name,
                                      const struct mcap_pair *pairs, size_t count,
                                      struct mcap_error *error)
{
    if (check_text("the metadata's name", name, error) != MCAP_OK ||
        check_pairs(pairs, count, error) != MCAP_OK)
        return error->status;
    enum mcap_status status = open_chunk(writer, MCAP_WAIT, error);
    if (status != MCAP_OK)
        return status;
    struct mcap_buffer *loose = &writer->open->loose;
    size_t before = loose->used_bytes;
    size_t begun = mcap_buffer_begin(loose, MCAP_METADATA);
    mcap_buffer_put_text(loose, name);
    mcap_buffer_put_map(loose, pairs, count);
    mcap_buffer_end(loose, begun);
    if (loose->failed) {
        loose->failed = false;
        loose->used_bytes = before;
        return no_memory(error, "metadata");
    }
    return MCAP_OK;
}

enum mcap_status mcap_writer_poll(struct mcap_writer *writer, struct mcap_error *error)
{
    if (is_old(writer))
        hand_over(writer);
    (void)pthread_mutex_lock(&writer->drain.mutex);
    enum mcap_status status = writer->drain.error.status;
    if (status != MCAP_OK)
        *error = writer->drain.error;
    (void)pthread_mutex_unlock(&writer->drain.mutex);
    return status;
}

enum mcap_status mcap_writer_flush(struct mcap_writer *writer, struct mcap_error *error)
{
    if (writer->open && !mcap_chunk_is_empty(writer->open))
        hand_over(writer);
    return mcap_drain_settle(&writer->drain, error);
}

void mcap_writer_counts(struct mcap_writer *writer, struct mcap_writer_counts *counts)
{
    struct mcap_drain *drain = &writer->drain;
    (void)pthread_mutex_lock(&drain->mutex);
    *counts = (struct mcap_writer_counts){.messages_taken = writer->messages_taken,
                                          .messages_written = drain->messages_written,
                                          .bytes_written = drain->bytes_written,
                                          .chunks_waiting = drain->chunks_given};
    (void)pthread_mutex_unlock(&drain->mutex);
}

/* The error of the drain, and how many messages it cost. */
static void tell_lost(const struct mcap_writer *writer, struct mcap_error *error)
{
    uint64_t lost = writer->messages_taken - writer->drain.messages_written;
    struct mcap_error first = writer->drain.sink.error;
    if (lost > 0)
        (void)mcap_fail(error, first.status, MCAP_NOWHERE,
                        "%.160s; the last %" PRIu64 " of %" PRIu64 " messages are not in the file",
                        first.text, lost, writer->messages_taken);
    else
        (void)mcap_fail(error, first.status, MCAP_NOWHERE, "%.160s; %s", first.text,
                        writer->messages_taken > 0
                            ? "all messages are in the file, but not its index"
                            : "there was no message yet");
    error->system = first.system;
    error->offset = first.offset;
}

enum mcap_status mcap_writer_close(struct mcap_writer *writer, struct mcap_error *error)
{
    if (writer->open)
        hand_over(writer);
    mcap_drain_stop(&writer->drain);
    struct mcap_sink *sink = &writer->drain.sink;
    if (sink->error.status == MCAP_OK)
        (void)mcap_summary_write(&writer->drain.summary, sink);
    enum mcap_status status = sink->error.status;
    if (status != MCAP_OK)
        tell_lost(writer, error);
    mcap_drain_free(&writer->drain);
    for (size_t i = 0; i < writer->schema_count; i++)
        mcap_buffer_free(&writer->schemas[i]);
    for (size_t i = 0; i < writer->channel_count; i++)
        mcap_buffer_free(&writer->channels[i].definition);
    free(writer->schemas);
    free(writer->channels);
    free(writer);
    return status;
}
