/* SPDX-License-Identifier: Apache-2.0 */
#include "core/lane_geometry.h"

#include "core/error.h"
#include "core/fault.h"

#include <inttypes.h>
#include <string.h>

static bool is_power_of_two(uint64_t value)
{
    return value && !(value & (value - 1));
}

static uint32_t meta_bytes_of(uint32_t options)
{
    return (options & PEAL_LANE_TIMESTAMP ? 8u : 0u) + (options & PEAL_LANE_CRC32C ? 8u : 0u);
}

/* Fills in what follows from the first five fields. They must be sane: sums are below 2^42. */
static void derive(struct peal_lane_geometry *geometry)
{
    uint64_t slots = (uint64_t)geometry->depth * geometry->stride_bytes;
    geometry->meta_bytes = meta_bytes_of(geometry->options);
    geometry->inline_bytes_max =
        geometry->stride_bytes - PEAL_SLOT_HEAD_BYTES - geometry->meta_bytes;
    geometry->payload_offset = PEAL_LANE_SLOTS_OFFSET + slots;
    geometry->size_bytes = geometry->payload_offset + geometry->payload_bytes;
}

enum peal_status peal_lane_geometry_make(struct peal_lane_geometry *geometry, uint32_t depth,
                                         uint32_t message_bytes_max, uint64_t payload_bytes,
                                         uint32_t options)
{
    uint32_t head = PEAL_SLOT_HEAD_BYTES + meta_bytes_of(options);
    if (!is_power_of_two(depth) || depth < 2 || depth > PEAL_LANE_DEPTH_MAX)
        return peal_fail(PEAL_EINVAL,
                         "a lane can't be %" PRIu32 " messages deep; choose a power of two from 2 "
                         "to %u",
                         depth, PEAL_LANE_DEPTH_MAX);
    if (payload_bytes > PEAL_LANE_PAYLOAD_MAX)
        return peal_fail(PEAL_EINVAL,
                         "a payload ring of %" PRIu64 " bytes is beyond the limit of %llu",
                         payload_bytes, (unsigned long long)PEAL_LANE_PAYLOAD_MAX);
    if (!message_bytes_max)
        message_bytes_max = PEAL_LINE_BYTES - head;
    bool fits = message_bytes_max <= PEAL_LANE_STRIDE_MAX - head;
    /* Who asks for a payload ring wants short slots and rare long messages. */
    bool ring = !fits || (payload_bytes && message_bytes_max > PEAL_LINE_BYTES - head);
    uint64_t longest = peal_lane_payload_room(message_bytes_max);
    uint64_t payload = 0;
    if (ring)
        payload = payload_bytes ? peal_lane_payload_room(payload_bytes)
                                : longest * (depth < 8 ? depth : 8u);
    if (ring && payload < longest)
        return peal_fail(PEAL_EINVAL,
                         "a payload ring of %" PRIu64 " bytes can't hold the longest message of "
                         "%" PRIu32 " bytes; give it at least %" PRIu64,
                         payload_bytes, message_bytes_max, longest);
    *geometry = (struct peal_lane_geometry){
        .depth = depth,
        .stride_bytes = ring ? PEAL_LINE_BYTES
                             : (uint32_t)peal_lane_payload_room((uint64_t)head + message_bytes_max),
        .payload_bytes = payload,
        .message_bytes_max = message_bytes_max,
        .options = options,
    };
    derive(geometry);
    return PEAL_OK;
}

void peal_lane_geometry_store(const struct peal_lane_geometry *geometry, uint64_t incarnation,
                              const char *name, struct peal_lane_shared *lane)
{
    uint64_t words[4] = {0};
    size_t length = strlen(name);
    memcpy(words, name, length < sizeof(words) ? length : sizeof(words) - 1);
    /* relaxed: nobody reads before the lane's entry is ACTIVE, whose release orders all of this */
    peal_u64_store_relaxed(&lane->geometry.magic, PEAL_LANE_MAGIC);
    peal_u64_store_relaxed(&lane->geometry.incarnation, incarnation);
    peal_u32_store_relaxed(&lane->geometry.depth, geometry->depth);
    peal_u32_store_relaxed(&lane->geometry.stride_bytes, geometry->stride_bytes);
    peal_u64_store_relaxed(&lane->geometry.payload_bytes, geometry->payload_bytes);
    peal_u32_store_relaxed(&lane->geometry.message_bytes_max, geometry->message_bytes_max);
    peal_u32_store_relaxed(&lane->geometry.options, geometry->options);
    for (size_t i = 0; i < 4; i++)
        peal_u64_store_relaxed(&lane->geometry.name[i], words[i]); /* relaxed: as above */
    PEAL_FAULT("lane.geometry");
    unsigned char *slots = (unsigned char *)lane + PEAL_LANE_SLOTS_OFFSET;
    for (uint32_t i = 0; i < geometry->depth; i++) /* relaxed: as above */
        peal_u64_store_relaxed(
            &peal_lane_slot(slots, geometry->depth - 1, geometry->stride_bytes, i)->stamp, 0);
    PEAL_FAULT("lane.emptied");
}

enum peal_status peal_lane_geometry_load(struct peal_lane_geometry *geometry, uint64_t *incarnation,
                                         const struct peal_lane_shared *lane, uint64_t size_bytes)
{
    if (size_bytes < PEAL_LANE_SLOTS_OFFSET)
        return PEAL_ECORRUPT;
    /* relaxed: the acquire on the lane's entry came before; each word is read this once */
    uint64_t magic = peal_u64_load_relaxed(&lane->geometry.magic);
    *incarnation = peal_u64_load_relaxed(&lane->geometry.incarnation);
    /* relaxed: as above */
    struct peal_lane_geometry read = {
        .depth = peal_u32_load_relaxed(&lane->geometry.depth),
        .stride_bytes = peal_u32_load_relaxed(&lane->geometry.stride_bytes),
        .payload_bytes = peal_u64_load_relaxed(&lane->geometry.payload_bytes),
        .message_bytes_max = peal_u32_load_relaxed(&lane->geometry.message_bytes_max),
        .options = peal_u32_load_relaxed(&lane->geometry.options),
    };
    if (magic != PEAL_LANE_MAGIC || *incarnation == 0)
        return PEAL_ECORRUPT;
    if (!is_power_of_two(read.depth) || read.depth < 2 || read.depth > PEAL_LANE_DEPTH_MAX)
        return PEAL_ECORRUPT;
    if (!read.stride_bytes || read.stride_bytes % PEAL_LINE_BYTES ||
        read.stride_bytes > PEAL_LANE_STRIDE_MAX)
        return PEAL_ECORRUPT;
    if (read.options & ~PEAL_LANE_OPTIONS_ALL)
        return PEAL_ECORRUPT;
    if (read.payload_bytes > PEAL_LANE_PAYLOAD_MAX || read.payload_bytes % PEAL_LINE_BYTES)
        return PEAL_ECORRUPT;
    derive(&read);
    uint64_t room = read.payload_bytes ? read.payload_bytes : read.inline_bytes_max;
    if (read.message_bytes_max > room || read.size_bytes > size_bytes)
        return PEAL_ECORRUPT;
    *geometry = read;
    return PEAL_OK;
}
