/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The shape of a queue's lane: what follows from depth and message size.
 */
#ifndef PEAL_CORE_QUEUE_GEOMETRY_H
#define PEAL_CORE_QUEUE_GEOMETRY_H

#include "core/queue_shared.h"

#include <peal/status.h>

#define PEAL_QUEUE_DEPTH_MAX (1u << 20)
#define PEAL_QUEUE_MESSAGE_MAX (1u << 20)

/* Private to a process; made by the producer, or read once from the lane and validated. */
struct peal_queue_geometry {
    uint32_t depth;             /* messages; a power of two, 2..PEAL_QUEUE_DEPTH_MAX */
    uint32_t message_bytes_max; /* 1..PEAL_QUEUE_MESSAGE_MAX */
    uint32_t cell_bytes;        /* the same, rounded up to 8 */
    uint32_t options;           /* PEAL_QUEUE_STRICT or 0 */
    uint64_t tickets_offset;    /* in the lane; 0: none */
    uint64_t cells_offset;      /* in the lane */
    uint64_t size_bytes;        /* of the lane */
};

/* EINVAL with a message. */
enum peal_status peal_queue_geometry_make(struct peal_queue_geometry *geometry, uint32_t depth,
                                          uint32_t message_bytes_max, uint32_t options);

/* Lays out a lane whose head is zeroed. `name`: NUL-terminated, cut at 31 characters. */
void peal_queue_geometry_store(const struct peal_queue_geometry *geometry, uint64_t incarnation,
                               const char *name, struct peal_queue_lane_shared *lane);

/*
 * Reads the geometry of a lane of `size_bytes` mapped bytes, each word once, and accepts it only if
 * everything it describes lies inside. ECORRUPT otherwise.
 */
enum peal_status peal_queue_geometry_load(struct peal_queue_geometry *geometry,
                                          const struct peal_queue_lane_shared *lane,
                                          uint64_t size_bytes);

#endif
