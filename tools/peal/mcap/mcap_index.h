/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where a file's chunks and metadata are: from its summary, or, if it has none that is sound, by reading the file once.
 */
#ifndef PEAL_TOOLS_PEAL_MCAP_MCAP_INDEX_H
#define PEAL_TOOLS_PEAL_MCAP_MCAP_INDEX_H

#include "tools/peal/mcap/mcap_catalog.h"
#include "tools/peal/mcap/mcap_source.h"

struct mcap_index_chunk {
    uint64_t start_ns;
    uint64_t end_ns;
    uint64_t offset;
    uint64_t length_bytes; /* with opcode and length */
    bool unwanted;         /* no channel that is wanted has a message in it */
};

struct mcap_index_metadata {
    uint64_t offset;
    uint64_t length_bytes;
};

struct mcap_index {
    bool from_summary;
    bool has_loose;                  /* messages outside of chunks */
    struct mcap_index_chunk *chunks; /* by start_ns, then offset */
    size_t chunk_count;
    struct mcap_index_metadata *metadata;
    size_t metadata_count;
    uint64_t messages;          /* as the file says: not to be relied upon */
    uint64_t *channel_messages; /* by id; likewise */
    uint64_t start_ns;
    uint64_t end_ns;
    struct mcap_error damage; /* the first thing that is wrong with the file; MCAP_OK: nothing is */
};

/* MCAP_OK also for a file that is damaged or torn, if only it is an MCAP file: `damage` tells. */
enum mcap_status mcap_index_load(struct mcap_index *index, const struct mcap_source *source,
                                 struct mcap_catalog *catalog, struct mcap_error *error);

void mcap_index_free(struct mcap_index *index);

#endif
