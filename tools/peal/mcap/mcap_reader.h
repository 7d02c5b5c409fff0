/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads an MCAP file: by its summary where it has one, by reading the whole file once where it has not. Nothing that a file says
 * is believed: lengths, offsets, CRCs, ids and times are held against each other, and against the limits of memory.
 *
 *   mcap_reader_open(&reader, fd, &options, &error)
 *   mcap_reader_info(reader)->damage                what is wrong with the file, before anything is read from it
 *   while ((status = mcap_reader_next(reader, &message, &channel, &error)) != MCAP_END) ...
 *   mcap_reader_close(reader)
 *
 * An error of mcap_reader_next() costs a chunk; the next call goes on behind it. Only MCAP_NOMEM and MCAP_SYSTEM are final.
 */
#ifndef PEAL_TOOLS_PEAL_MCAP_MCAP_READER_H
#define PEAL_TOOLS_PEAL_MCAP_MCAP_READER_H

#include "tools/peal/mcap/mcap_index.h"
#include "tools/peal/mcap/mcap_parse.h"

enum mcap_reading {
    MCAP_BY_TIME, /* of the log; needs that messages are in chunks */
    MCAP_BY_FILE, /* as they stand in the file */
};

/* Zero is the default of each. */
struct mcap_reader_options {
    enum mcap_reading reading;
    struct mcap_filter filter; /* topics; none: all */
    uint64_t from_ns;          /* log times: the first that is wanted */
    uint64_t until_ns;         /* and the last; 0: no end */
    size_t limit_bytes;        /* of one chunk's records; 0: MCAP_RECORDS_BYTES_MAX */
    size_t memory_bytes;       /* of chunks that overlap in time; 0: twice that limit */
};

struct mcap_reader_info {
    bool from_summary; /* else the whole file was read once, and counted */
    struct mcap_error
        damage;        /* the first thing that is wrong with the file; MCAP_OK: nothing was found */
    uint64_t messages; /* in the whole file, as it tells */
    uint64_t start_ns;
    uint64_t end_ns;
    size_t chunk_count;
    size_t metadata_count;
};

struct mcap_reader;

enum mcap_status mcap_reader_open(struct mcap_reader **reader, int fd,
                                  const struct mcap_reader_options *options,
                                  struct mcap_error *error);

const struct mcap_reader_info *mcap_reader_info(const struct mcap_reader *reader);

/* Schemas and channels; all of them from the beginning, but for what a summary keeps silent about. */
const struct mcap_catalog *mcap_reader_catalog(const struct mcap_reader *reader);

/* How many messages a channel has, as the file tells. */
uint64_t mcap_reader_channel_messages(const struct mcap_reader *reader, uint16_t id);

/* The message is valid until the next call, the channel as long as the reader. */
enum mcap_status mcap_reader_next(struct mcap_reader *reader, struct mcap_message *message,
                                  const struct mcap_channel **channel, struct mcap_error *error);

/* From the first message on again. */
enum mcap_status mcap_reader_rewind(struct mcap_reader *reader, struct mcap_error *error);

/* Metadata number `number` of `metadata_count`; valid until the next call of this function. */
enum mcap_status mcap_reader_metadata(struct mcap_reader *reader, size_t number,
                                      struct mcap_metadata_view *metadata,
                                      struct mcap_error *error);

void mcap_reader_close(struct mcap_reader *reader);

#endif
