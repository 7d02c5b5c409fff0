/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/peal/mcap/mcap_drain.h"

#include <inttypes.h>
#include <signal.h>
#include <string.h>

/* Content of a chunk's record without the name of the compression and without the records. */
#define CHUNK_HEAD_BYTES 40

static void put_head(struct mcap_buffer *out, const struct mcap_chunk *chunk,
                     const char *compression, uint32_t crc, size_t stored_bytes)
{
    mcap_buffer_clear(out);
    mcap_buffer_put_u8(out, MCAP_CHUNK);
    mcap_buffer_put_u64(out, CHUNK_HEAD_BYTES + strlen(compression) + stored_bytes);
    mcap_buffer_put_u64(out, chunk->start_ns);
    mcap_buffer_put_u64(out, chunk->end_ns);
    mcap_buffer_put_u64(out, chunk->records.used_bytes);
    mcap_buffer_put_u32(out, crc);
    mcap_buffer_put_text(out, compression);
    mcap_buffer_put_u64(out, stored_bytes);
}

static void put_tail(struct mcap_buffer *out, const struct mcap_chunk *chunk)
{
    mcap_buffer_clear(out);
    for (uint32_t i = 0; i < chunk->slot_count; i++) {
        const struct mcap_buffer *entries = &chunk->slots[i].entries;
        if (chunk->slots[i].messages == 0)
            continue; /* room was reserved, and given back */
        size_t begun = mcap_buffer_begin(out, MCAP_MESSAGE_INDEX);
        mcap_buffer_put_u16(out, chunk->slots[i].channel_id);
        mcap_buffer_put_u32(out, (uint32_t)entries->used_bytes);
        mcap_buffer_put(out, entries->bytes, entries->used_bytes);
        mcap_buffer_end(out, begun);
    }
    mcap_buffer_put(out, chunk->loose.bytes, chunk->loose.used_bytes);
}

static enum mcap_status write_pieces(struct mcap_drain *drain, const struct mcap_chunk *chunk,
                                     const struct mcap_piece *stored)
{
    if (drain->head.failed || drain->tail.failed)
        return mcap_fail(&drain->sink.error, MCAP_NOMEM, MCAP_NOWHERE,
                         "no memory for the index of a chunk of %zu bytes",
                         chunk->records.used_bytes);
    struct mcap_piece pieces[] = {
        {.bytes = drain->head.bytes, .size_bytes = drain->head.used_bytes},
        *stored,
        {.bytes = drain->tail.bytes, .size_bytes = drain->tail.used_bytes},
    };
    bool has_chunk = chunk->messages > 0;
    return mcap_sink_write(&drain->sink, has_chunk ? pieces : pieces + 2, has_chunk ? 3 : 1);
}

static enum mcap_status write_chunk(struct mcap_drain *drain, const struct mcap_chunk *chunk)
{
    const struct mcap_buffer *records = &chunk->records;
    const char *name = mcap_compression_name(drain->compression);
    uint32_t crc = mcap_crc(records->bytes, records->used_bytes);
    struct mcap_piece stored = {
        .bytes = records->bytes, .size_bytes = records->used_bytes, .crc = crc, .has_crc = 1};
    if (drain->sink.error.status != MCAP_OK)
        return drain->sink.error.status;
    if (drain->compression != MCAP_COMPRESSION_NONE && chunk->messages > 0) {
        struct mcap_span input = {records->bytes, records->used_bytes};
        enum mcap_status status =
            mcap_codec_compress(drain->codec, input, &drain->compressed, &drain->sink.error);
        if (status != MCAP_OK)
            return status;
        stored = (struct mcap_piece){.bytes = drain->compressed.bytes,
                                     .size_bytes = drain->compressed.used_bytes};
    }
    struct mcap_chunk_place place = {
        .offset = drain->sink.offset, .compressed_bytes = stored.size_bytes, .compression = name};
    put_head(&drain->head, chunk, name, crc, stored.size_bytes);
    put_tail(&drain->tail, chunk);
    enum mcap_status status = write_pieces(drain, chunk, &stored);
    if (status != MCAP_OK)
        return status;
    place.length_bytes = drain->head.used_bytes + stored.size_bytes;
    if (chunk->messages > 0)
        mcap_summary_add_chunk(&drain->summary, chunk, &place);
    struct mcap_span loose = {chunk->loose.bytes, chunk->loose.used_bytes};
    mcap_summary_add_metadata(&drain->summary, loose, drain->sink.offset - loose.size_bytes);
    return MCAP_OK;
}

/* The oldest full chunk; NULL at the end. With the mutex. */
static struct mcap_chunk *next_full(struct mcap_drain *drain)
{
    while (!drain->first_full && !drain->ending)
        (void)pthread_cond_wait(&drain->given, &drain->mutex);
    struct mcap_chunk *chunk = drain->first_full;
    if (chunk) {
        drain->first_full = chunk->next;
        if (!chunk->next)
            drain->last_full = &drain->first_full;
    }
    return chunk;
}

static void *run(void *context)
{
    struct mcap_drain *drain = context;
    (void)pthread_mutex_lock(&drain->mutex);
    for (struct mcap_chunk *chunk; (chunk = next_full(drain)) != NULL;) {
        (void)pthread_mutex_unlock(&drain->mutex);
        enum mcap_status status = write_chunk(drain, chunk);
        uint64_t messages = status == MCAP_OK ? chunk->messages : 0;
        mcap_chunk_clear(chunk, drain->chunk_bytes * 2);
        (void)pthread_mutex_lock(&drain->mutex);
        drain->messages_written += messages;
        drain->bytes_written = drain->sink.offset;
        drain->error = drain->sink.error;
        chunk->next = drain->spare;
        drain->spare = chunk;
        drain->chunks_given--;
        (void)pthread_cond_broadcast(&drain->taken);
    }
    (void)pthread_mutex_unlock(&drain->mutex);
    return NULL;
}

/* Signals are for the program's own threads; and a closed pipe is an error here, not the end. */
static int start_thread(struct mcap_drain *drain)
{
    sigset_t all;
    sigset_t before;
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    int number = pthread_create(&drain->thread, NULL, run, drain);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    return number;
}

enum mcap_status mcap_drain_start(struct mcap_drain *drain, int fd,
                                  enum mcap_compression compression, int level, size_t chunk_bytes,
                                  uint32_t chunks_max, struct mcap_error *error)
{
    uint64_t offset = drain->sink.offset; /* the file's head is written before */
    uint32_t crc = drain->sink.crc;
    *drain = (struct mcap_drain){.compression = compression,
                                 .chunk_bytes = chunk_bytes,
                                 .chunks_max = chunks_max,
                                 .bytes_written = offset,
                                 .sink = {.fd = fd, .offset = offset, .crc = crc}};
    drain->last_full = &drain->first_full;
    (void)pthread_mutex_init(&drain->mutex, NULL);
    (void)pthread_cond_init(&drain->given, NULL);
    (void)pthread_cond_init(&drain->taken, NULL);
    drain->codec = mcap_codec_new(compression, level);
    if (!drain->codec || !mcap_summary_init(&drain->summary)) {
        mcap_drain_free(drain);
        return mcap_fail(error, MCAP_NOMEM, MCAP_NOWHERE,
                         "no memory, or no compression level %d for %s", level,
                         mcap_compression_name(compression));
    }
    int number = start_thread(drain);
    if (number != 0) {
        mcap_drain_free(drain);
        return mcap_fail_system(error, number, MCAP_NOWHERE, "cannot start the writing thread");
    }
    return MCAP_OK;
}

enum mcap_status mcap_drain_take(struct mcap_drain *drain, enum mcap_patience patience,
                                 struct mcap_chunk **chunk, struct mcap_error *error)
{
    enum mcap_status status = MCAP_OK;
    *chunk = NULL;
    (void)pthread_mutex_lock(&drain->mutex);
    while (patience == MCAP_WAIT && !drain->spare && drain->chunks_made == drain->chunks_max &&
           drain->error.status == MCAP_OK)
        (void)pthread_cond_wait(&drain->taken, &drain->mutex);
    if (drain->error.status != MCAP_OK) {
        *error = drain->error;
        status = error->status;
    } else if (drain->spare) {
        *chunk = drain->spare;
        drain->spare = (*chunk)->next;
    } else if (drain->chunks_made < drain->chunks_max) {
        *chunk = mcap_chunk_new(drain->chunk_bytes);
        drain->chunks_made += *chunk != NULL;
        if (!*chunk)
            status = mcap_fail(error, MCAP_NOMEM, MCAP_NOWHERE,
                               "no memory for a chunk of %zu bytes", drain->chunk_bytes);
    } else {
        status = mcap_fail(error, MCAP_BUSY, MCAP_NOWHERE, "%" PRIu32 " chunks wait to be written",
                           drain->chunks_given);
    }
    (void)pthread_mutex_unlock(&drain->mutex);
    return status;
}

void mcap_drain_give(struct mcap_drain *drain, struct mcap_chunk *chunk)
{
    (void)pthread_mutex_lock(&drain->mutex);
    chunk->next = NULL;
    *drain->last_full = chunk;
    drain->last_full = &chunk->next;
    drain->chunks_given++;
    (void)pthread_cond_signal(&drain->given);
    (void)pthread_mutex_unlock(&drain->mutex);
}

enum mcap_status mcap_drain_settle(struct mcap_drain *drain, struct mcap_error *error)
{
    (void)pthread_mutex_lock(&drain->mutex);
    while (drain->chunks_given > 0)
        (void)pthread_cond_wait(&drain->taken, &drain->mutex);
    enum mcap_status status = drain->error.status;
    if (status != MCAP_OK)
        *error = drain->error;
    (void)pthread_mutex_unlock(&drain->mutex);
    return status;
}

void mcap_drain_stop(struct mcap_drain *drain)
{
    (void)pthread_mutex_lock(&drain->mutex);
    drain->ending = true;
    (void)pthread_cond_signal(&drain->given);
    (void)pthread_mutex_unlock(&drain->mutex);
    (void)pthread_join(drain->thread, NULL);
}

void mcap_drain_free(struct mcap_drain *drain)
{
    while (drain->spare) {
        struct mcap_chunk *chunk = drain->spare;
        drain->spare = chunk->next;
        mcap_chunk_free(chunk);
    }
    mcap_codec_free(drain->codec);
    drain->codec = NULL;
    mcap_buffer_free(&drain->head);
    mcap_buffer_free(&drain->compressed);
    mcap_buffer_free(&drain->tail);
    mcap_summary_end(&drain->summary);
    (void)pthread_cond_destroy(&drain->given);
    (void)pthread_cond_destroy(&drain->taken);
    (void)pthread_mutex_destroy(&drain->mutex);
}
