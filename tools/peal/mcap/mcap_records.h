/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The records of an MCAP file as far as Peal writes and reads them, decoded. Views: texts and data lie in the record that they
 * were decoded from, and are not terminated.
 *
 *   file:    magic, records, magic
 *   record:  opcode (1 byte), length of the content (8), content; all numbers little-endian
 */
#ifndef PEAL_TOOLS_PEAL_MCAP_MCAP_RECORDS_H
#define PEAL_TOOLS_PEAL_MCAP_MCAP_RECORDS_H

#include <stddef.h>
#include <stdint.h>

#define MCAP_MAGIC "\x89MCAP0\r\n"
#define MCAP_MAGIC_BYTES 8
#define MCAP_RECORD_HEAD_BYTES 9
#define MCAP_FOOTER_BYTES 20       /* content of the footer */
#define MCAP_MESSAGE_HEAD_BYTES 22 /* content of a message before its data */
#define MCAP_CHANNELS_MAX 65536

enum mcap_opcode {
    MCAP_HEADER = 0x01,
    MCAP_FOOTER = 0x02,
    MCAP_SCHEMA = 0x03,
    MCAP_CHANNEL = 0x04,
    MCAP_MESSAGE = 0x05,
    MCAP_CHUNK = 0x06,
    MCAP_MESSAGE_INDEX = 0x07,
    MCAP_CHUNK_INDEX = 0x08,
    MCAP_ATTACHMENT = 0x09,
    MCAP_ATTACHMENT_INDEX = 0x0a,
    MCAP_STATISTICS = 0x0b,
    MCAP_METADATA = 0x0c,
    MCAP_METADATA_INDEX = 0x0d,
    MCAP_SUMMARY_OFFSET = 0x0e,
    MCAP_DATA_END = 0x0f,
};

/* The records of one chunk, uncompressed: what the writer makes at most, and what the reader accepts unless told otherwise. */
#define MCAP_RECORDS_BYTES_MAX ((size_t)256 << 20)

/* Bytes that belong to somebody else. */
struct mcap_span {
    const unsigned char *bytes;
    size_t size_bytes;
};

/* A key and its value, as callers give them. */
struct mcap_pair {
    const char *key;
    const char *value;
};

struct mcap_message {
    uint16_t channel_id;
    uint32_t sequence;
    uint64_t log_time_ns;
    uint64_t publish_time_ns;
    const void *data;
    size_t size_bytes;
};

struct mcap_schema_view {
    uint16_t id;
    struct mcap_span name;
    struct mcap_span encoding;
    struct mcap_span data;
};

struct mcap_channel_view {
    uint16_t id;
    uint16_t schema_id;
    struct mcap_span topic;
    struct mcap_span encoding;
    struct mcap_span metadata; /* pairs of texts; see mcap_map_next() */
};

struct mcap_chunk_view {
    uint64_t start_ns;
    uint64_t end_ns;
    uint64_t uncompressed_bytes;
    uint32_t crc; /* of the uncompressed records; 0: not told */
    struct mcap_span compression;
    uint64_t stored_bytes;   /* what the record says of its `records` field */
    struct mcap_span stored; /* what there is of it: less only if the chunk is torn */
};

struct mcap_chunk_index_view {
    uint64_t start_ns;
    uint64_t end_ns;
    uint64_t offset;
    uint64_t length_bytes;
    struct mcap_span message_indexes; /* channel id (2 bytes), offset (8), and so on */
    uint64_t compressed_bytes;
    uint64_t uncompressed_bytes;
};

struct mcap_metadata_view {
    struct mcap_span name;
    struct mcap_span map;
};

struct mcap_metadata_index_view {
    uint64_t offset;
    uint64_t length_bytes;
    struct mcap_span name;
};

struct mcap_statistics_view {
    uint64_t messages;
    uint64_t start_ns;
    uint64_t end_ns;
    uint32_t chunks;
    struct mcap_span channel_counts; /* channel id (2 bytes), messages (8), and so on */
};

struct mcap_footer_view {
    uint64_t summary_start;
    uint64_t summary_offset_start;
    uint32_t summary_crc; /* 0: not told */
};

#endif
