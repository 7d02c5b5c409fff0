/* SPDX-License-Identifier: Apache-2.0 */
#include "frames/frame.h"

#include <string.h>

#define CHAINS                                                                                     \
    4 /* independent multiplications, so that memory is the limit and not the multiplier */
#define ODD_CONSTANT UINT64_C(0x9e3779b97f4a7c15)

/* Only the last block of a picture may be cut, or writer and reader would see different blocks. */
static_assert(FRAME_WIDTH % (8 * CHAINS) == 0, "rows are whole blocks");

struct checksum {
    uint64_t chains[CHAINS];
};

static struct checksum checksum_start(uint64_t picture_bytes, uint64_t number)
{
    struct checksum sum;
    for (unsigned i = 0; i < CHAINS; i++)
        sum.chains[i] = (picture_bytes + i) * ODD_CONSTANT ^ number;
    return sum;
}

static inline uint64_t checksum_step(uint64_t chain, uint64_t word)
{
    chain = (chain ^ word) * ODD_CONSTANT;
    return chain ^ (chain >> 32); /* or the high bits of a word would never reach the low ones */
}

static uint64_t checksum_end(const struct checksum *sum)
{
    uint64_t end = 0;
    for (unsigned i = 0; i < CHAINS; i++)
        end = checksum_step(end, sum->chains[i]);
    return end;
}

/* Eight pixels of brightness: each one more than its left neighbour, modulo 256 in each byte. */
static inline uint64_t pixels(uint64_t shift)
{
    const uint64_t low = UINT64_C(0x7f7f7f7f7f7f7f7f), ramp = UINT64_C(0x0706050403020100);
    uint64_t add = (shift & 0xff) * UINT64_C(0x0101010101010101);
    return ((ramp & low) + (add & low)) ^ (add & ~low);
}

static void block_write(unsigned char *to, uint64_t shift, struct checksum *sum)
{
#pragma GCC unroll 8
    for (unsigned i = 0; i < CHAINS; i++) {
        uint64_t word = pixels(shift + 8 * i);
        memcpy(to + 8 * i, &word, 8);
        sum->chains[i] = checksum_step(sum->chains[i], word);
    }
}

static void block_read(const unsigned char *from, struct checksum *sum)
{
#pragma GCC unroll 8
    for (unsigned i = 0; i < CHAINS; i++) {
        uint64_t word;
        memcpy(&word, from + 8 * i, 8);
        sum->chains[i] = checksum_step(sum->chains[i], word);
    }
}

static uint64_t picture_write(unsigned char *picture, uint64_t picture_bytes, uint64_t number)
{
    const size_t bytes = (size_t)picture_bytes, block_bytes = 8 * CHAINS;
    struct checksum sum = checksum_start(picture_bytes, number);
    size_t at = 0;
    for (size_t row = 0; at < bytes; row++) {
        size_t row_end = bytes - at > FRAME_WIDTH ? at + FRAME_WIDTH : bytes;
        for (uint64_t shift = number + row; row_end - at >= block_bytes; shift += block_bytes) {
            block_write(picture + at, shift, &sum);
            at += block_bytes;
        }
        if (at < row_end) { /* the rest of a picture whose size is no multiple of the block */
            unsigned char rest[8 * CHAINS] = {0};
            memcpy(picture + at, rest, row_end - at);
            block_read(rest, &sum);
            at = row_end;
        }
    }
    return checksum_end(&sum);
}

static uint64_t picture_checksum(const unsigned char *picture, uint64_t picture_bytes,
                                 uint64_t number)
{
    const size_t bytes = (size_t)picture_bytes, block_bytes = 8 * CHAINS;
    struct checksum sum = checksum_start(picture_bytes, number);
    size_t at = 0;
    for (; bytes - at >= block_bytes; at += block_bytes)
        block_read(picture + at, &sum);
    if (at < bytes) {
        unsigned char rest[8 * CHAINS] = {0};
        memcpy(rest, picture + at, bytes - at);
        block_read(rest, &sum);
    }
    return checksum_end(&sum);
}

uint64_t frames_payload_bytes(uint64_t picture_bytes)
{
    uint64_t message_bytes = (frame_message_bytes(picture_bytes) + 63) / 64 * 64;
    return message_bytes * FRAMES_DEPTH;
}

uint64_t frames_region_bytes(uint64_t picture_bytes)
{
    return 2 * frames_payload_bytes(picture_bytes) + (UINT64_C(8) << 20);
}

/* The checksum is computed from what is written, not read back: the memory is shared. */
void frame_write(void *memory, uint64_t picture_bytes, uint64_t number)
{
    struct frame_header header = {
        .magic = FRAME_MAGIC,
        .number = number,
        .picture_bytes = picture_bytes,
        .width = FRAME_WIDTH,
        .height = FRAME_HEIGHT,
    };
    header.checksum = picture_write((unsigned char *)memory + sizeof header, picture_bytes, number);
    memcpy(memory, &header, sizeof header);
}

/* The header is copied once and only the copy is believed: the memory is shared. */
bool frame_verify(const void *memory, size_t message_bytes, struct frame_header *header)
{
    memset(header, 0, sizeof *header);
    if (message_bytes < sizeof *header)
        return false;
    memcpy(header, memory, sizeof *header);
    if (header->magic != FRAME_MAGIC || header->picture_bytes != message_bytes - sizeof *header)
        return false;
    return header->checksum == picture_checksum((const unsigned char *)memory + sizeof *header,
                                                header->picture_bytes, header->number);
}
