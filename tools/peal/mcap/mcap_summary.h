/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is written behind the data: an index of the chunks and of the metadata, the schemas and channels once more, statistics.
 * Gathered while the data is written: some 80 bytes for each chunk, and 10 for each channel in it.
 */
#ifndef PEAL_TOOLS_PEAL_MCAP_MCAP_SUMMARY_H
#define PEAL_TOOLS_PEAL_MCAP_MCAP_SUMMARY_H

#include "tools/peal/mcap/mcap_chunk.h"
#include "tools/peal/mcap/mcap_sink.h"

struct mcap_summary {
    struct mcap_buffer schemas; /* whole records, as the other buffers */
    struct mcap_buffer channels;
    struct mcap_buffer chunk_indexes;
    struct mcap_buffer metadata_indexes;
    uint64_t *channel_messages; /* by channel id */
    uint32_t schema_count;
    uint32_t channel_count;
    uint32_t chunk_count;
    uint32_t metadata_count;
    uint64_t messages;
    uint64_t start_ns;
    uint64_t end_ns;
};

bool mcap_summary_init(struct mcap_summary *summary);
void mcap_summary_end(struct mcap_summary *summary);

/* Where a chunk went, and what is behind it. */
struct mcap_chunk_place {
    uint64_t offset;
    uint64_t length_bytes;
    uint64_t compressed_bytes;
    const char *compression;
};

/* A chunk that is in the file now, its message indexes behind it, and its loose records behind those. */
void mcap_summary_add_chunk(struct mcap_summary *summary, const struct mcap_chunk *chunk,
                            const struct mcap_chunk_place *place);

/* Metadata that is in the file now: whole records, one after the other. */
void mcap_summary_add_metadata(struct mcap_summary *summary, struct mcap_span records,
                               uint64_t offset);

/* The end of the data, the summary, the footer. */
enum mcap_status mcap_summary_write(struct mcap_summary *summary, struct mcap_sink *sink);

#endif
