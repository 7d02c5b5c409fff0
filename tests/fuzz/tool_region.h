/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The region of the target `tool`: a sound one, in a file without a name, and what an input makes of it. It is always the
 * same, so that an input does the same each time.
 */
#ifndef PEAL_TESTS_FUZZ_TOOL_REGION_H
#define PEAL_TESTS_FUZZ_TOOL_REGION_H

#include "core/client.h"
#include "core/directory.h"
#include "core/lane_life.h"
#include "core/lane_writer.h"
#include "core/queue_consumer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define TOOL_PAGES 32u
#define TOOL_BYTES ((size_t)TOOL_PAGES * PEAL_PAGE_BYTES)
#define TOOL_WORDS (TOOL_BYTES / 8)
#define TOOL_COMMANDS_MAX 200u

static unsigned char *tool_sound;
static unsigned char tool_image[TOOL_BYTES];
static size_t tool_bytes; /* of the file, or where it is cut short */
static int tool_descriptor = -1;
static char tool_url[64];

static inline void tool_must(bool condition)
{
    if (!condition)
        abort();
}

/* ---- the sound one ---- */

static inline uint64_t tool_members(void *context)
{
    (void)context;
    return 6;
}

static inline void tool_join(struct peal_region *region, uint32_t index, const char *name)
{
    static const struct peal_region_wish wish = {.topics_max = 4, .generation = 5};
    static const struct peal_authority authority = {.members = tool_members};
    tool_must(peal_region_attach(region, tool_sound, TOOL_BYTES, index, 0x100 + index, &wish,
                                 &authority) == PEAL_OK);
    tool_must(peal_client_register(region, name, 1) == PEAL_OK);
}

static inline void tool_make_topic(struct peal_region *pusher, struct peal_region *popper)
{
    static const struct peal_topic_type type = {.name = "speed", .schema_hash = 7};
    static const unsigned char bytes[512];
    static struct peal_lane_writer writer;
    static uint64_t starts[16];
    struct peal_lane_geometry geometry;
    struct peal_lane_shared *lane;
    struct peal_lane_place place;
    struct peal_lane_found found;
    uint32_t topic, entry;
    uint64_t word;
    tool_must(peal_topic_subscribe(popper, "wheel", &type, PEAL_SUBSCRIBER_IS_RELIABLE, &topic,
                                   &entry, &word) == PEAL_OK);
    tool_must(peal_topic_claim_lane(pusher, "wheel", &type, &place.topic, &place.lane,
                                    &place.word) == PEAL_OK);
    tool_must(peal_lane_geometry_make(&geometry, 16, 400, 2048,
                                      PEAL_LANE_CRC32C | PEAL_LANE_TIMESTAMP) == PEAL_OK);
    tool_must(peal_lane_allocate(pusher, &place, geometry.size_bytes, 1, &lane) == PEAL_OK);
    peal_lane_geometry_store(&geometry, 77, "left", lane);
    peal_lane_writer_init(&writer, &geometry, lane, &pusher->topics[place.topic], starts);
    tool_must(peal_lane_open(pusher, &place) == PEAL_OK);
    tool_must(peal_lane_join(popper, topic, place.lane, entry, word, &found) == PEAL_OK);
    for (uint32_t i = 0; i < 6; i++)
        tool_must(peal_lane_put(&writer, bytes, i % 2 ? 8 : 300, 1000 * i) == PEAL_OK);
}

static inline void tool_make_queue(struct peal_region *pusher, struct peal_region *popper)
{
    static const struct peal_queue_wish wanted = {
        .kind = PEAL_TOPIC_IS_QUEUE, .options = PEAL_QUEUE_STRICT, .message_bytes_max = 16};
    static const struct peal_topic_type type = {.queue = &wanted};
    static struct peal_queue_consumer consumer;
    static struct peal_queue_producer producer;
    struct peal_lane_place place;
    struct peal_queue_batch batch;
    tool_must(peal_queue_consumer_open(&consumer, popper, "jobs", &type) == PEAL_OK);
    tool_must(peal_queue_producer_open(&producer, &place, pusher, "jobs", &type, 8,
                                       PEAL_QUEUE_DROP_OLDEST) == PEAL_OK);
    for (uint64_t i = 0; i < 6; i++)
        tool_must(peal_queue_producer_push(&producer, &i, sizeof(i)) == PEAL_OK);
    tool_must(peal_queue_consumer_take(&consumer, 2, &batch) == PEAL_OK);
}

static inline void tool_region_make(void)
{
    struct peal_region pusher, popper;
    tool_sound = aligned_alloc(PEAL_PAGE_BYTES, TOOL_BYTES);
    tool_must(tool_sound != NULL);
    memset(tool_sound, 0, TOOL_BYTES);
    tool_join(&pusher, 1, "pusher");
    tool_join(&popper, 2, "popper");
    tool_make_topic(&pusher, &popper);
    tool_make_queue(&pusher, &popper);
    tool_descriptor = memfd_create("tool", MFD_CLOEXEC);
    tool_must(tool_descriptor >= 0);
    (void)snprintf(tool_url, sizeof(tool_url), "file:/proc/self/fd/%d", tool_descriptor);
}

/* ---- the input, as a stream ---- */

struct tool_stream {
    const uint8_t *at;
    const uint8_t *end;
};

static inline uint64_t tool_number(struct tool_stream *stream, size_t bytes)
{
    uint64_t number = 0;
    for (size_t i = 0; i < bytes && stream->at < stream->end; i++)
        number |= (uint64_t)*stream->at++ << 8 * i;
    return number;
}

static inline void tool_poke(struct tool_stream *stream)
{
    uint64_t *word = (uint64_t *)(void *)tool_image + tool_number(stream, 2) % TOOL_WORDS;
    switch (tool_number(stream, 1) % 5) {
    case 0:
        *word = tool_number(stream, 8);
        break;
    case 1:
        *word += tool_number(stream, 1) - 128;
        break;
    case 2:
        *word ^= UINT64_C(1) << tool_number(stream, 1) % 64;
        break;
    case 3:
        *word = 0 - tool_number(stream, 1);
        break;
    default:
        *word = (*word & UINT32_MAX) | tool_number(stream, 4) << 32;
    }
}

/* A topic that is full to its limits: every entry as the first one. */
static inline void tool_crowd(uint64_t which)
{
    uint64_t *topic = (uint64_t *)(void *)tool_image + 20480 / 8 + which % 4 * 256;
    for (uint32_t i = 1; i < 32; i++) {
        topic[64 + i] = topic[64];
        memcpy(&topic[128 + 4 * i], &topic[128], 4 * sizeof(*topic));
    }
}

/* False: what follows is for the next look. */
static inline bool tool_command(struct tool_stream *stream)
{
    unsigned char *one = tool_image + tool_number(stream, 1) % TOOL_PAGES * PEAL_PAGE_BYTES;
    const uint64_t other = tool_number(stream, 1);
    switch (tool_number(stream, 1) % 8) {
    case 0:
        memmove(one, tool_image + other % TOOL_PAGES * PEAL_PAGE_BYTES, PEAL_PAGE_BYTES);
        return true;
    case 1:
        memset(one + other * 16, (int)tool_number(stream, 1), 16);
        return true;
    case 2:
        tool_bytes = tool_number(stream, 3) % (TOOL_BYTES + 1);
        return true;
    case 3:
        return false;
    case 4:
        tool_crowd(other);
        return true;
    default:
        tool_poke(stream);
        return true;
    }
}

static inline void tool_region_show(void)
{
    tool_must(ftruncate(tool_descriptor, (off_t)tool_bytes) == 0);
    tool_must(pwrite(tool_descriptor, tool_image, tool_bytes, 0) == (ssize_t)tool_bytes);
}

/* The sound one again. */
static inline void tool_region_begin(void)
{
    memcpy(tool_image, tool_sound, TOOL_BYTES);
    tool_bytes = TOOL_BYTES;
}

/* Spoils what there is, up to the next look. */
static inline void tool_region_spoil(struct tool_stream *stream)
{
    for (uint32_t i = 0; i < TOOL_COMMANDS_MAX && stream->at < stream->end; i++)
        if (!tool_command(stream))
            break;
    tool_region_show();
}

#endif
