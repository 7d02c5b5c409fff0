/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writes an MCAP file: docs/reference/mcap.md says which records, and why.
 *
 *   mcap_writer_open(&writer, fd, &options, &error)
 *   mcap_writer_schema(), mcap_writer_channel()       any time; they answer an id
 *   mcap_writer_message(), mcap_writer_metadata()     into the chunk that is open
 *   mcap_writer_poll()                                now and then: hands over a chunk that has become old
 *   mcap_writer_close(writer, &error)                 writes the summary, frees
 *
 * Messages are copied into a chunk; a full one is compressed and written by a thread of the writer's own while the next is
 * filled. With `chunks` of them on their way, a call waits, or answers MCAP_BUSY and has taken nothing: whether to try again or to
 * count a loss is the caller's to say. All calls of one writer are one thread's at a time.
 *
 * The file is whole up to the last chunk at any moment. The first error (a full disk, a closed pipe) is answered by every call
 * after it, and mcap_writer_close() tells how many messages did not get into the file. Programs that write to pipes ignore
 * SIGPIPE. The descriptor stays the caller's: its close() may still tell of an error.
 */
#ifndef PEAL_TOOLS_PEAL_MCAP_MCAP_WRITER_H
#define PEAL_TOOLS_PEAL_MCAP_MCAP_WRITER_H

#include "tools/peal/mcap/mcap_drain.h"

/* Zero is the default of each. */
struct mcap_writer_options {
    enum mcap_compression compression;
    int level;             /* of the compression; 0: the fast one */
    size_t chunk_bytes;    /* records in a chunk: 1 KiB to 64 MiB; 0: 1 MiB */
    uint64_t chunk_age_ns; /* an older chunk is handed over by poll and message; 0: 500 ms */
    uint32_t chunks;       /* filled, waiting or being written: 2 to 1024; 0: 16 */
    const char *profile;   /* NULL: "" */
    const char *library;   /* NULL: "peal " and the version */
};

struct mcap_writer_counts {
    uint64_t messages_taken;
    uint64_t messages_written; /* they are in the file */
    uint64_t bytes_written;
    uint32_t chunks_waiting;
};

struct mcap_writer;

enum mcap_status mcap_writer_open(struct mcap_writer **writer, int fd,
                                  const struct mcap_writer_options *options,
                                  struct mcap_error *error);

/* `encoding` "" and no data: only the name is known. */
enum mcap_status mcap_writer_schema(struct mcap_writer *writer, const char *name,
                                    const char *encoding, struct mcap_span data, uint16_t *id,
                                    struct mcap_error *error);

/* `schema_id` 0: none. */
enum mcap_status mcap_writer_channel(struct mcap_writer *writer, uint16_t schema_id,
                                     const char *topic, const char *encoding,
                                     const struct mcap_pair *metadata, size_t count, uint16_t *id,
                                     struct mcap_error *error);

enum mcap_status mcap_writer_message(struct mcap_writer *writer, const struct mcap_message *message,
                                     enum mcap_patience patience, struct mcap_error *error);

/*
 * The same in two steps, for data that is copied once and may turn out to be spoilt meanwhile: *data gets `size_bytes` of room in
 * the chunk, the caller fills them, and then either calls commit, with that channel, that size and `data` in the message, or lets
 * it be: the next call of any other function gives the room back.
 */
enum mcap_status mcap_writer_reserve(struct mcap_writer *writer, uint16_t channel_id,
                                     size_t size_bytes, enum mcap_patience patience, void **data,
                                     struct mcap_error *error);
void mcap_writer_commit(struct mcap_writer *writer, const struct mcap_message *message);

/* Waits, if it must. */
enum mcap_status mcap_writer_metadata(struct mcap_writer *writer, const char *name,
                                      const struct mcap_pair *pairs, size_t count,
                                      struct mcap_error *error);

/* Hands over the open chunk if it is older than it may become; waits for nothing. Answers the first error there was. */
enum mcap_status mcap_writer_poll(struct mcap_writer *writer, struct mcap_error *error);

/* Hands over the open chunk, and waits until everything is in the file. */
enum mcap_status mcap_writer_flush(struct mcap_writer *writer, struct mcap_error *error);

void mcap_writer_counts(struct mcap_writer *writer, struct mcap_writer_counts *counts);

/* The file is whole after MCAP_OK. The writer is gone in any case. */
enum mcap_status mcap_writer_close(struct mcap_writer *writer, struct mcap_error *error);

#endif
