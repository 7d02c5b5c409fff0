/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A frame as it lies in the message: a header of one cache line, then the picture in NV12 (a plane
 * of brightness, then one of colour at half the resolution: 12 bits a pixel), or as many bytes of it
 * as --frame-bytes says.
 *
 * The checksum goes over every byte of the picture and over its place, so that a frame which is
 * torn, mixed with another or shifted does not pass.
 */
#ifndef EXAMPLES_FRAMES_FRAME_H
#define EXAMPLES_FRAMES_FRAME_H

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FRAME_MAGIC UINT64_C(0x31454d4152464c50) /* "PLFRAME1" */
#define FRAME_WIDTH 1920
#define FRAME_HEIGHT 1080
#define FRAME_DEFAULT_BYTES (UINT64_C(1) * FRAME_WIDTH * FRAME_HEIGHT * 3 / 2)
#define FRAME_BYTES_MIN 64
#define FRAME_BYTES_MAX (UINT64_C(256) << 20)
#define FRAMES_DEPTH 4

#define FRAMES_TYPE_NAME "frame_nv12"
#define FRAMES_SCHEMA_HASH FRAME_MAGIC
#define FRAMES_DEFAULT_BUS "auto:peal-frames"
#define FRAMES_TOPIC "frames"

struct frame_header {
    uint64_t magic;
    uint64_t number; /* counted by the publisher from 0 */
    uint64_t picture_bytes;
    uint64_t checksum;
    uint32_t width;
    uint32_t height;
    uint64_t reserved[3];
};

static_assert(sizeof(struct frame_header) == 64, "message layout");

/* The whole message. */
static inline size_t frame_message_bytes(uint64_t picture_bytes)
{
    return sizeof(struct frame_header) + (size_t)picture_bytes;
}

/* What a publisher's lane takes of the region, and the region that two such publishers need. */
uint64_t frames_payload_bytes(uint64_t picture_bytes);
uint64_t frames_region_bytes(uint64_t picture_bytes);

/* Writes test picture `number`: a diagonal gradient that moves by a pixel a frame. `memory` is
 * 8-byte aligned. */
void frame_write(void *memory, uint64_t picture_bytes, uint64_t number);

/* Is this the frame that somebody wrote? *header gets a private copy of its header. */
bool frame_verify(const void *memory, size_t message_bytes, struct frame_header *header);

#endif
