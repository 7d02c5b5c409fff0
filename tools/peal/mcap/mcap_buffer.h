/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory that grows as records are put into it. When there is none left, the buffer remembers that (`failed`) and takes nothing
 * more: who fills it looks once, at the end.
 */
#ifndef PEAL_TOOLS_PEAL_MCAP_MCAP_BUFFER_H
#define PEAL_TOOLS_PEAL_MCAP_MCAP_BUFFER_H

#include "tools/peal/mcap/mcap_records.h"

#include <stdbool.h>

struct mcap_buffer {
    unsigned char *bytes;
    size_t used_bytes;
    size_t size_bytes;
    bool failed;
};

void mcap_buffer_free(struct mcap_buffer *buffer);

/* Forgets the content, keeps the memory. */
void mcap_buffer_clear(struct mcap_buffer *buffer);

/* Room for that many bytes more. */
bool mcap_buffer_reserve(struct mcap_buffer *buffer, size_t more_bytes);

void mcap_buffer_put(struct mcap_buffer *buffer, const void *bytes, size_t size_bytes);
void mcap_buffer_put_u8(struct mcap_buffer *buffer, uint8_t value);
void mcap_buffer_put_u16(struct mcap_buffer *buffer, uint16_t value);
void mcap_buffer_put_u32(struct mcap_buffer *buffer, uint32_t value);
void mcap_buffer_put_u64(struct mcap_buffer *buffer, uint64_t value);

/* With its length (4 bytes) before it. */
void mcap_buffer_put_text(struct mcap_buffer *buffer, const char *text);
void mcap_buffer_put_map(struct mcap_buffer *buffer, const struct mcap_pair *pairs, size_t count);

/* A record: begin answers a place, which end needs to fill in the length. */
size_t mcap_buffer_begin(struct mcap_buffer *buffer, enum mcap_opcode opcode);
void mcap_buffer_end(struct mcap_buffer *buffer, size_t begun_at);

#endif
