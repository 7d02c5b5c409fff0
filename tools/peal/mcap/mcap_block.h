/* SPDX-License-Identifier: Apache-2.0 */
/* A chunk that was read: unpacked, its CRC right, its records framed one after the other. */
#ifndef PEAL_TOOLS_PEAL_MCAP_MCAP_BLOCK_H
#define PEAL_TOOLS_PEAL_MCAP_MCAP_BLOCK_H

#include "tools/peal/mcap/mcap_parse.h"
#include "tools/peal/mcap/mcap_source.h"

struct mcap_block {
    uint64_t offset; /* of the chunk in the file */
    uint64_t start_ns;
    uint64_t end_ns;
    struct mcap_span records;
    struct mcap_buffer stored; /* the chunk's record */
    struct mcap_buffer unpacked;
    bool salvaged; /* torn, and its CRC not known to be right */
};

/* The chunk of a record that is whole. */
enum mcap_status mcap_block_load(struct mcap_block *block, const struct mcap_source *source,
                                 const struct mcap_record_head *head, struct mcap_error *error);

/* The same, when `stored` is read already. */
enum mcap_status mcap_block_unpack(struct mcap_block *block, const struct mcap_source *source,
                                   const struct mcap_record_head *head, struct mcap_error *error);

/* What there is of an uncompressed chunk that the file's end has torn. MCAP_TORN, if there is nothing in it. */
enum mcap_status mcap_block_salvage(struct mcap_block *block, const struct mcap_source *source,
                                    const struct mcap_record_head *head, struct mcap_error *error);

size_t mcap_block_memory(const struct mcap_block *block);
void mcap_block_free(struct mcap_block *block);

#endif
