/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A file that is read at any place: its size is taken once, and everything a file says of places and lengths is held against it.
 */
#ifndef PEAL_TOOLS_PEAL_MCAP_MCAP_SOURCE_H
#define PEAL_TOOLS_PEAL_MCAP_MCAP_SOURCE_H

#include "tools/peal/mcap/mcap_buffer.h"
#include "tools/peal/mcap/mcap_error.h"

struct mcap_source {
    int fd;
    uint64_t size_bytes;
    size_t limit_bytes; /* of a chunk's records, and of any other record, but for some slack */
};

/* `limit_bytes` 0: MCAP_RECORDS_BYTES_MAX. The descriptor is of a regular file, and stays the caller's. */
enum mcap_status mcap_source_open(struct mcap_source *source, int fd, size_t limit_bytes,
                                  struct mcap_error *error);

/* Puts exactly that many bytes behind what is in the buffer. */
enum mcap_status mcap_source_read(const struct mcap_source *source, uint64_t offset,
                                  size_t size_bytes, struct mcap_buffer *buffer,
                                  struct mcap_error *error);

/* What stands before a record's content. */
struct mcap_record_head {
    uint8_t opcode;
    uint64_t offset;         /* of the record */
    uint64_t content_offset; /* of its content */
    uint64_t content_bytes;  /* as it says: within the file only if mcap_source_check_whole() */
};

enum mcap_status mcap_source_record(const struct mcap_source *source, uint64_t offset,
                                    struct mcap_record_head *head, struct mcap_error *error);

/* MCAP_TORN, if the record goes on where the file has ended. */
enum mcap_status mcap_source_check_whole(const struct mcap_source *source,
                                         const struct mcap_record_head *head,
                                         struct mcap_error *error);

/* Replaces the buffer by the content of a record that is whole. */
enum mcap_status mcap_source_content(const struct mcap_source *source,
                                     const struct mcap_record_head *head,
                                     struct mcap_buffer *buffer, struct mcap_error *error);

#endif
