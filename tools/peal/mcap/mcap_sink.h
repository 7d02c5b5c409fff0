/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where a file is written to: whole pieces, one after the other, with the CRC-32 of everything so far. The first error is kept,
 * and nothing is written after it.
 */
#ifndef PEAL_TOOLS_PEAL_MCAP_MCAP_SINK_H
#define PEAL_TOOLS_PEAL_MCAP_MCAP_SINK_H

#include "tools/peal/mcap/mcap_error.h"
#include "tools/peal/mcap/mcap_records.h"

#define MCAP_SINK_PIECES 4

struct mcap_sink {
    int fd;
    uint64_t offset; /* of the next byte */
    uint32_t crc;    /* of all bytes before it */
    struct mcap_error error;
};

/* A piece of what is written at once. `crc` is read if `has_crc`: who knows it already saves a pass over the bytes. */
struct mcap_piece {
    const void *bytes;
    size_t size_bytes;
    uint32_t crc;
    uint32_t has_crc;
};

uint32_t mcap_crc(const void *bytes, size_t size_bytes);

void mcap_sink_init(struct mcap_sink *sink, int fd);

/* All of at most MCAP_SINK_PIECES pieces, or an error, which is in sink->error. */
enum mcap_status mcap_sink_write(struct mcap_sink *sink, const struct mcap_piece *pieces,
                                 size_t count);

#endif
