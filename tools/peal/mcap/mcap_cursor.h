/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading out of bytes that may say anything. Past the end everything is zero or empty, and `bad` tells so: who reads looks once,
 * at the end.
 */
#ifndef PEAL_TOOLS_PEAL_MCAP_MCAP_CURSOR_H
#define PEAL_TOOLS_PEAL_MCAP_MCAP_CURSOR_H

#include "tools/peal/mcap/mcap_records.h"

#include <stdbool.h>

struct mcap_cursor {
    const unsigned char *at;
    size_t left_bytes;
    bool bad;
};

static inline struct mcap_cursor mcap_cursor_over(struct mcap_span span)
{
    return (struct mcap_cursor){.at = span.bytes, .left_bytes = span.size_bytes};
}

static inline struct mcap_span mcap_cursor_bytes(struct mcap_cursor *cursor, uint64_t size_bytes)
{
    if (size_bytes > cursor->left_bytes) {
        cursor->bad = true;
        cursor->left_bytes = 0;
        return (struct mcap_span){0};
    }
    struct mcap_span span = {.bytes = cursor->at, .size_bytes = (size_t)size_bytes};
    if (size_bytes > 0)
        cursor->at += size_bytes;
    cursor->left_bytes -= span.size_bytes;
    return span;
}

static inline uint64_t mcap_cursor_number(struct mcap_cursor *cursor, size_t size_bytes)
{
    struct mcap_span span = mcap_cursor_bytes(cursor, size_bytes);
    uint64_t value = 0;
    for (size_t i = 0; i < span.size_bytes; i++)
        value |= (uint64_t)span.bytes[i] << 8 * i;
    return value;
}

static inline uint8_t mcap_cursor_u8(struct mcap_cursor *cursor)
{
    return (uint8_t)mcap_cursor_number(cursor, 1);
}

static inline uint16_t mcap_cursor_u16(struct mcap_cursor *cursor)
{
    return (uint16_t)mcap_cursor_number(cursor, 2);
}

static inline uint32_t mcap_cursor_u32(struct mcap_cursor *cursor)
{
    return (uint32_t)mcap_cursor_number(cursor, 4);
}

static inline uint64_t mcap_cursor_u64(struct mcap_cursor *cursor)
{
    return mcap_cursor_number(cursor, 8);
}

/* With its length (4 bytes) before it: a text, bytes, a map or an array. */
static inline struct mcap_span mcap_cursor_text(struct mcap_cursor *cursor)
{
    return mcap_cursor_bytes(cursor, mcap_cursor_u32(cursor));
}

#endif
