/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A lane in heap memory of exactly its size, and a topic entry of its own, with subscribers entered by
 * hand in the order that core/lane_life.h and core/directory.h tell.
 */
#ifndef PEAL_TESTS_SUPPORT_LANE_FIXTURE_H
#define PEAL_TESTS_SUPPORT_LANE_FIXTURE_H

#include "core/error.h"
#include "core/lane_reader.h"
#include "core/lane_writer.h"
#include "core/owner.h"
#include "tests/support/random.h"

#include <string.h>

#define LANE_FIXTURE_INCARNATION UINT64_C(0x1234567890abcdef)

struct lane_fixture {
    struct peal_topic_shared *topic;
    struct peal_lane_shared *lane;
    struct peal_lane_geometry geometry;
    uint64_t *starts;
    struct peal_lane_writer writer;
};

static inline void *lane_fixture_zeroed(size_t size_bytes)
{
    void *memory = NULL;
    if (posix_memalign(&memory, 128, size_bytes ? size_bytes : 1) != 0)
        abort();
    memset(memory, 0, size_bytes);
    return memory;
}

static inline enum peal_status lane_fixture_open(struct lane_fixture *fixture, uint32_t depth,
                                                 uint32_t message_bytes_max, uint64_t payload_bytes,
                                                 uint32_t options)
{
    enum peal_status status = peal_lane_geometry_make(&fixture->geometry, depth, message_bytes_max,
                                                      payload_bytes, options);
    if (status != PEAL_OK)
        return status;
    fixture->topic = lane_fixture_zeroed(sizeof(struct peal_topic_shared));
    fixture->lane = lane_fixture_zeroed((size_t)fixture->geometry.size_bytes);
    size_t starts_bytes = peal_lane_writer_starts_bytes(&fixture->geometry);
    fixture->starts = starts_bytes ? lane_fixture_zeroed(starts_bytes) : NULL;
    peal_lane_geometry_store(&fixture->geometry, LANE_FIXTURE_INCARNATION, "fixture",
                             fixture->lane);
    peal_lane_writer_init(&fixture->writer, &fixture->geometry, fixture->lane, fixture->topic,
                          fixture->starts);
    return PEAL_OK;
}

static inline void lane_fixture_close(struct lane_fixture *fixture)
{
    free(fixture->starts);
    free(fixture->lane);
    free(fixture->topic);
}

/* The owner word of the client that the fixture puts at subscriber entry `entry`. */
static inline uint64_t lane_fixture_word(uint32_t entry, uint32_t state)
{
    return peal_owner_pack((struct peal_owner){
        .state = state, .client = entry, .version = 2, .incarnation = 0x1000 + entry});
}

static inline void lane_fixture_move_epoch(struct lane_fixture *fixture)
{
    (void)peal_u64_add_seq_cst(&fixture->topic->subscriber_epoch, 1);
}

/* Makes entry `entry` of the topic an ACTIVE subscriber. */
static inline void lane_fixture_subscribe(struct lane_fixture *fixture, uint32_t entry,
                                          bool reliable)
{
    uint64_t flags = reliable ? PEAL_SUBSCRIBER_IS_RELIABLE : 0;
    peal_u64_store_relaxed(&fixture->topic->subscriber_flags[entry], flags);
    peal_u64_store_release(&fixture->topic->subscribers[entry],
                           lane_fixture_word(entry, PEAL_SUBSCRIBER_ACTIVE));
    lane_fixture_move_epoch(fixture);
}

static inline void lane_fixture_tag(struct lane_fixture *fixture, uint32_t entry, uint64_t cursor)
{
    struct peal_lane_reader_shared *line = &fixture->lane->readers[entry];
    peal_u64_store_relaxed(&line->cursor, cursor);
    peal_u64_store_seq_cst(&line->tag, lane_fixture_word(entry, PEAL_SUBSCRIBER_ACTIVE));
}

/* Subscribes entry `entry` and begins reading. */
static inline enum peal_status lane_fixture_join(struct lane_fixture *fixture,
                                                 struct peal_lane_reader *reader, uint32_t entry,
                                                 struct peal_lane_reader_wish wish)
{
    lane_fixture_subscribe(fixture, entry, wish.reliable);
    lane_fixture_tag(fixture, entry, wish.invited ? 0 : UINT64_MAX);
    return peal_lane_reader_begin(reader, fixture->lane, fixture->geometry.size_bytes, entry,
                                  &wish);
}

static inline void lane_fixture_leave(struct lane_fixture *fixture, uint32_t entry)
{
    peal_u64_store_release(&fixture->lane->readers[entry].tag, 0);
    peal_u64_store_release(&fixture->topic->subscribers[entry], 0);
    lane_fixture_move_epoch(fixture);
}

/* A reliable reader that owes its place to an invitation, and a best-effort one. */
#define LANE_RELIABLE ((struct peal_lane_reader_wish){.reliable = true, .invited = true})
#define LANE_BEST_EFFORT ((struct peal_lane_reader_wish){.invited = true})

/* Puts a message whose content tells its number. At most 64 KiB. */
static inline enum peal_status lane_fixture_put(struct lane_fixture *fixture, size_t size_bytes)
{
    static _Thread_local unsigned char bytes[1u << 16];
    content_fill(bytes, size_bytes, 0, fixture->writer.next);
    return peal_lane_put(&fixture->writer, bytes, size_bytes, fixture->writer.next * 10 + 1);
}

static inline struct peal_slot_shared *lane_fixture_slot(struct lane_fixture *fixture,
                                                         uint64_t number)
{
    return peal_lane_slot(fixture->writer.slots, fixture->writer.mask,
                          fixture->geometry.stride_bytes, number);
}

static inline uint64_t lane_fixture_stamp(struct lane_fixture *fixture, uint64_t number)
{
    return peal_u64_load_relaxed(&lane_fixture_slot(fixture, number)->stamp);
}

#endif
