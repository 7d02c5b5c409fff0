/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The shape of a lane: what follows from depth, message size and options.
 */
#ifndef PEAL_CORE_LANE_GEOMETRY_H
#define PEAL_CORE_LANE_GEOMETRY_H

#include "core/cpu.h"
#include "core/lane_shared.h"

#include <peal/status.h>

#define PEAL_LANE_DEPTH_MAX (1u << 20)
/* Longer messages go through the payload ring. A page and its head go in a slot: one place to look, not two. */
#define PEAL_LANE_STRIDE_MAX 4160u
#define PEAL_LANE_PAYLOAD_MAX (1ull << 40) /* keeps every sum below far from 2^64 */
#define PEAL_SLOT_HEAD_BYTES 16u           /* stamp, length, kind */

/* Private to a process; made by its publisher, or read once from the lane and validated. */
struct peal_lane_geometry {
    uint32_t depth; /* a power of two, 2..PEAL_LANE_DEPTH_MAX */
    uint32_t stride_bytes;
    uint64_t payload_bytes; /* a multiple of 64, or 0 */
    uint32_t message_bytes_max;
    uint32_t options;          /* enum peal_lane_option */
    uint32_t meta_bytes;       /* of timestamp and CRC in a slot's body */
    uint32_t inline_bytes_max; /* longest message that fits in a slot */
    uint64_t payload_offset;   /* of the payload ring in the lane */
    uint64_t size_bytes;       /* of the lane */
};

/*
 * Shapes a lane. message_bytes_max 0: what fits in one cache line. payload_bytes 0: none if every
 * message fits in a slot, else room for min(depth, 8) longest messages. EINVAL with a message.
 */
enum peal_status peal_lane_geometry_make(struct peal_lane_geometry *geometry, uint32_t depth,
                                         uint32_t message_bytes_max, uint64_t payload_bytes,
                                         uint32_t options);

/*
 * Lays out a lane whose head is zeroed: writes the geometry and empties every slot. `name`:
 * NUL-terminated, cut at 31 characters.
 */
void peal_lane_geometry_store(const struct peal_lane_geometry *geometry, uint64_t incarnation,
                              const char *name, struct peal_lane_shared *lane);

/*
 * Reads the geometry of a lane of `size_bytes` mapped bytes, each word once, and accepts it only if
 * everything it describes lies inside. ECORRUPT otherwise. *incarnation: the lane's.
 */
enum peal_status peal_lane_geometry_load(struct peal_lane_geometry *geometry, uint64_t *incarnation,
                                         const struct peal_lane_shared *lane, uint64_t size_bytes);

/* Where slot `number & (depth - 1)` lies. */
static inline struct peal_slot_shared *peal_lane_slot(unsigned char *slots, uint32_t mask,
                                                      uint32_t stride_bytes, uint64_t number)
{
    return (struct peal_slot_shared *)(void *)(slots +
                                               (size_t)(number & mask) * (size_t)stride_bytes);
}

/* Room that a message takes in the payload ring: whole lines. */
static inline uint64_t peal_lane_payload_room(uint64_t size_bytes)
{
    return (size_bytes + PEAL_LINE_BYTES - 1) / PEAL_LINE_BYTES * PEAL_LINE_BYTES;
}

#endif
