/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The thread that compresses and writes full chunks while another thread fills the next. Chunks go round: take an empty one, fill
 * it, give it back; there are never more than `chunks_max`, which bounds the memory.
 *
 * One thread takes and gives. After an error nothing more is written; chunks still go round, and their messages are counted as
 * not written.
 */
#ifndef PEAL_TOOLS_PEAL_MCAP_MCAP_DRAIN_H
#define PEAL_TOOLS_PEAL_MCAP_MCAP_DRAIN_H

#include "tools/peal/mcap/mcap_chunk.h"
#include "tools/peal/mcap/mcap_codec.h"
#include "tools/peal/mcap/mcap_sink.h"
#include "tools/peal/mcap/mcap_summary.h"

#include <pthread.h>

enum mcap_patience { MCAP_NO_WAIT, MCAP_WAIT };

struct mcap_drain {
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t given; /* something to write, or the end */
    pthread_cond_t taken; /* something was written */

    /* Under the mutex. */
    struct mcap_chunk *first_full;
    struct mcap_chunk **last_full;
    struct mcap_chunk *spare;
    uint32_t chunks_made;
    uint32_t chunks_given; /* not written yet */
    bool ending;
    uint64_t messages_written;
    uint64_t bytes_written; /* of the file */
    struct mcap_error error;

    /* The thread's own while it runs. */
    struct mcap_sink sink;
    struct mcap_codec *codec;
    struct mcap_buffer head; /* of the chunk's record */
    struct mcap_buffer compressed;
    struct mcap_buffer tail; /* message indexes and loose records */
    struct mcap_summary summary;

    /* Constant. */
    enum mcap_compression compression;
    size_t chunk_bytes;
    uint32_t chunks_max;
};

/* `summary->schemas` and `->channels`, and their counts, belong to the caller all the time, the rest not before stop. */
enum mcap_status mcap_drain_start(struct mcap_drain *drain, int fd,
                                  enum mcap_compression compression, int level, size_t chunk_bytes,
                                  uint32_t chunks_max, struct mcap_error *error);

/* An empty chunk, or the drain's error, or MCAP_BUSY. */
enum mcap_status mcap_drain_take(struct mcap_drain *drain, enum mcap_patience patience,
                                 struct mcap_chunk **chunk, struct mcap_error *error);

void mcap_drain_give(struct mcap_drain *drain, struct mcap_chunk *chunk);

/* Waits until all that was given is written. Answers the drain's error. */
enum mcap_status mcap_drain_settle(struct mcap_drain *drain, struct mcap_error *error);

/* Writes what was given, then ends the thread. */
void mcap_drain_stop(struct mcap_drain *drain);

/* After stop. */
void mcap_drain_free(struct mcap_drain *drain);

#endif
