/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/peal/mcap/mcap_buffer.h"

#include <stdlib.h>
#include <string.h>

#define FIRST_BYTES 256

void mcap_buffer_free(struct mcap_buffer *buffer)
{
    free(buffer->bytes);
    *buffer = (struct mcap_buffer){0};
}

void mcap_buffer_clear(struct mcap_buffer *buffer)
{
    buffer->used_bytes = 0;
    buffer->failed = false;
}

bool mcap_buffer_reserve(struct mcap_buffer *buffer, size_t more_bytes)
{
    if (buffer->failed)
        return false;
    if (more_bytes <= buffer->size_bytes - buffer->used_bytes)
        return true;
    buffer->failed = true;
    if (more_bytes > SIZE_MAX / 2 - buffer->used_bytes)
        return false;
    size_t wanted = buffer->used_bytes + more_bytes;
    size_t size_bytes = buffer->size_bytes + buffer->size_bytes / 2;
    if (size_bytes < wanted)
        size_bytes = wanted;
    if (size_bytes < FIRST_BYTES)
        size_bytes = FIRST_BYTES;
    unsigned char *bytes = realloc(buffer->bytes, size_bytes);
    if (!bytes)
        return false;
    buffer->bytes = bytes;
    buffer->size_bytes = size_bytes;
    buffer->failed = false;
    return true;
}

void mcap_buffer_put(struct mcap_buffer *buffer, const void *bytes, size_t size_bytes)
{
    if (size_bytes == 0 || !mcap_buffer_reserve(buffer, size_bytes))
        return;
    memcpy(buffer->bytes + buffer->used_bytes, bytes, size_bytes);
    buffer->used_bytes += size_bytes;
}

static void put_number(struct mcap_buffer *buffer, uint64_t value, size_t size_bytes)
{
    unsigned char bytes[8];
    for (size_t i = 0; i < size_bytes; i++)
        bytes[i] = (unsigned char)(value >> 8 * i);
    mcap_buffer_put(buffer, bytes, size_bytes);
}

void mcap_buffer_put_u8(struct mcap_buffer *buffer, uint8_t value)
{
    put_number(buffer, value, 1);
}

void mcap_buffer_put_u16(struct mcap_buffer *buffer, uint16_t value)
{
    put_number(buffer, value, 2);
}

void mcap_buffer_put_u32(struct mcap_buffer *buffer, uint32_t value)
{
    put_number(buffer, value, 4);
}

void mcap_buffer_put_u64(struct mcap_buffer *buffer, uint64_t value)
{
    put_number(buffer, value, 8);
}

/* Writes a number over what was kept free for it. */
static void set_number(struct mcap_buffer *buffer, size_t at, uint64_t value, size_t size_bytes)
{
    for (size_t i = 0; i < size_bytes && !buffer->failed; i++)
        buffer->bytes[at + i] = (unsigned char)(value >> 8 * i);
}

void mcap_buffer_put_text(struct mcap_buffer *buffer, const char *text)
{
    size_t size_bytes = strlen(text);
    if (size_bytes > UINT32_MAX) {
        buffer->failed = true;
        return;
    }
    mcap_buffer_put_u32(buffer, (uint32_t)size_bytes);
    mcap_buffer_put(buffer, text, size_bytes);
}

void mcap_buffer_put_map(struct mcap_buffer *buffer, const struct mcap_pair *pairs, size_t count)
{
    size_t at = buffer->used_bytes;
    mcap_buffer_put_u32(buffer, 0);
    for (size_t i = 0; i < count; i++) {
        mcap_buffer_put_text(buffer, pairs[i].key);
        mcap_buffer_put_text(buffer, pairs[i].value);
    }
    size_t size_bytes = buffer->used_bytes - at - 4;
    if (size_bytes > UINT32_MAX)
        buffer->failed = true;
    set_number(buffer, at, size_bytes, 4);
}

size_t mcap_buffer_begin(struct mcap_buffer *buffer, enum mcap_opcode opcode)
{
    mcap_buffer_put_u8(buffer, (uint8_t)opcode);
    mcap_buffer_put_u64(buffer, 0);
    return buffer->used_bytes;
}

void mcap_buffer_end(struct mcap_buffer *buffer, size_t begun_at)
{
    set_number(buffer, begun_at - 8, buffer->used_bytes - begun_at, 8);
}
