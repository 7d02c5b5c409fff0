/* SPDX-License-Identifier: Apache-2.0 */
#include "core/queue_geometry.h"

#include "core/cpu.h"
#include "core/error.h"
#include "core/fault.h"
#include "core/queue_claim.h"
#include "core/text.h"

#include <inttypes.h>

static bool is_power_of_two(uint32_t value)
{
    return value != 0 && (value & (value - 1)) == 0;
}

/* What follows from sound values; no sum below comes near 2^64. */
static void complete(struct peal_queue_geometry *geometry)
{
    geometry->cell_bytes = (geometry->message_bytes_max + 7u) / 8u * 8u;
    uint64_t lengths = (uint64_t)geometry->depth * sizeof(peal_u32);
    uint64_t end = PEAL_QUEUE_LENGTHS_OFFSET + lengths;
    geometry->cells_offset = (end + PEAL_LINE_BYTES - 1) / PEAL_LINE_BYTES * PEAL_LINE_BYTES;
    if (geometry->options & PEAL_QUEUE_STRICT) {
        uint64_t tickets = (uint64_t)geometry->depth * sizeof(peal_u64);
        geometry->tickets_offset = geometry->cells_offset;
        end = geometry->tickets_offset + tickets;
        geometry->cells_offset = (end + PEAL_LINE_BYTES - 1) / PEAL_LINE_BYTES * PEAL_LINE_BYTES;
    }
    geometry->size_bytes =
        geometry->cells_offset + (uint64_t)geometry->depth * geometry->cell_bytes;
}

static bool is_sound(uint32_t depth, uint32_t message_bytes_max)
{
    return is_power_of_two(depth) && depth >= 2 && depth <= PEAL_QUEUE_DEPTH_MAX &&
           message_bytes_max >= 1 && message_bytes_max <= PEAL_QUEUE_MESSAGE_MAX;
}

enum peal_status peal_queue_geometry_make(struct peal_queue_geometry *geometry, uint32_t depth,
                                          uint32_t message_bytes_max, uint32_t options)
{
    if (!is_sound(depth, message_bytes_max))
        return peal_fail(PEAL_EINVAL,
                         "a queue has a depth of 2..%u messages, a power of two, of 1..%u bytes, "
                         "not %" PRIu32 " of %" PRIu32,
                         PEAL_QUEUE_DEPTH_MAX, PEAL_QUEUE_MESSAGE_MAX, depth, message_bytes_max);
    *geometry = (struct peal_queue_geometry){.depth = depth,
                                             .message_bytes_max = message_bytes_max,
                                             .options = options & PEAL_QUEUE_STRICT};
    complete(geometry);
    return PEAL_OK;
}

void peal_queue_geometry_store(const struct peal_queue_geometry *geometry, uint64_t incarnation,
                               const char *name, struct peal_queue_lane_shared *lane)
{
    uint64_t words[4];
    peal_text_pack(name, words, 4);
    /* relaxed: all of it is published by the lane's owner word */
    peal_text_store(lane->geometry.name, words, 4);
    peal_u64_store_relaxed(&lane->geometry.incarnation, incarnation);
    peal_u32_store_relaxed(&lane->geometry.depth, geometry->depth);
    peal_u32_store_relaxed(&lane->geometry.cell_bytes, geometry->cell_bytes);
    peal_u32_store_relaxed(&lane->geometry.message_bytes_max, geometry->message_bytes_max);
    peal_u32_store_relaxed(&lane->geometry.options, geometry->options);
    peal_u64_store_relaxed(&lane->consumers.cursor, peal_queue_cursor_pack(0, PEAL_QUEUE_NOBODY));
    peal_u64_store_relaxed(&lane->geometry.magic, PEAL_QUEUE_MAGIC); /* relaxed: as above */
    PEAL_FAULT("queue.laid_out");
}

enum peal_status peal_queue_geometry_load(struct peal_queue_geometry *geometry,
                                          const struct peal_queue_lane_shared *lane,
                                          uint64_t size_bytes)
{
    if (size_bytes < sizeof(*lane))
        return PEAL_ECORRUPT;
    /* relaxed: published by the lane's owner word, which the caller has read */
    uint64_t magic = peal_u64_load_relaxed(&lane->geometry.magic);
    uint32_t depth = peal_u32_load_relaxed(&lane->geometry.depth);
    uint32_t cell_bytes = peal_u32_load_relaxed(&lane->geometry.cell_bytes);
    uint32_t message_bytes_max = peal_u32_load_relaxed(&lane->geometry.message_bytes_max);
    uint32_t options = peal_u32_load_relaxed(&lane->geometry.options);
    if (magic != PEAL_QUEUE_MAGIC || !is_sound(depth, message_bytes_max) ||
        (options & ~(uint32_t)PEAL_QUEUE_STRICT))
        return PEAL_ECORRUPT;
    struct peal_queue_geometry sound = {
        .depth = depth, .message_bytes_max = message_bytes_max, .options = options};
    complete(&sound);
    if (sound.cell_bytes != cell_bytes || sound.size_bytes > size_bytes)
        return PEAL_ECORRUPT;
    *geometry = sound;
    return PEAL_OK;
}
