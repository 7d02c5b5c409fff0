/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A file from its first byte to the last, without its summary: whatever is whole is found, whatever is not is told.
 *
 * After MCAP_BROKEN and MCAP_LIMIT the next call goes on behind what was bad; MCAP_TORN and what the system refuses is the end.
 */
#ifndef PEAL_TOOLS_PEAL_MCAP_MCAP_SCAN_H
#define PEAL_TOOLS_PEAL_MCAP_MCAP_SCAN_H

#include "tools/peal/mcap/mcap_block.h"
#include "tools/peal/mcap/mcap_catalog.h"

enum mcap_item_kind {
    MCAP_ITEM_CHUNK,      /* the chunk's messages follow as items of their own */
    MCAP_ITEM_MESSAGE,    /* its channel is in the catalog */
    MCAP_ITEM_METADATA,   /* a whole record */
    MCAP_ITEM_ATTACHMENT, /* only that there is one */
};

/* Valid until the next call. */
struct mcap_item {
    enum mcap_item_kind kind;
    uint64_t offset;       /* of the record; of the chunk, if the message is in one */
    uint64_t length_bytes; /* of the record; of a chunk as it should be */
    bool in_chunk;
    const struct mcap_block *chunk;
    struct mcap_message message;
    struct mcap_metadata_view metadata;
};

struct mcap_scan {
    const struct mcap_source *source;
    struct mcap_catalog *catalog;
    bool salvage; /* give the whole records of a torn chunk, which no CRC vouches for */
    bool ended;
    bool reached_end; /* of the data, as files end that are whole */
    uint64_t at;      /* of the next record */
    uint32_t crc;     /* of what is before it */
    bool crc_known;
    bool in_chunk;
    struct mcap_cursor inside;
    struct mcap_block block;
    struct mcap_buffer content;
};

/* Looks at the magic and the header. `source` and `catalog` outlive the scan. */
enum mcap_status mcap_scan_begin(struct mcap_scan *scan, const struct mcap_source *source,
                                 struct mcap_catalog *catalog, struct mcap_error *error);

enum mcap_status mcap_scan_next(struct mcap_scan *scan, struct mcap_item *item,
                                struct mcap_error *error);

void mcap_scan_end(struct mcap_scan *scan);

/* A message in a chunk is of a channel that is known, and of the chunk's time. */
enum mcap_status mcap_check_message(const struct mcap_catalog *catalog,
                                    const struct mcap_block *block, struct mcap_span content,
                                    struct mcap_message *message, struct mcap_error *error);

#endif
