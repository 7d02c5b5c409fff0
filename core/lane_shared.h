/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A lane: the ring of one publisher, in whole pages of its own.
 *
 *         0  geometry   written once by the publisher before the lane becomes ACTIVE
 *       256  writer     words that the publisher writes while messages flow, none of them per message
 *       512  readers    32 acknowledgement lines of 128 bytes, one per subscriber entry of the topic
 *      4608  slots      depth x stride
 *            payload    ring for messages beyond a slot; begins at the next multiple of 64
 *
 * A slot (stride is a multiple of 64; a message of up to 48 bytes fits in one line with its stamp):
 *
 *         0  stamp u64     2t+1 while message t is being written, 2t+2 when it is complete
 *         8  length u32    of the message
 *        12  kind u32      bits 0..7 enum peal_slot_kind; bits 8..31: messages dropped so far, mod 2^24
 *        16  [timestamp u64] [crc32c u64, upper half 0]   as the geometry's options say
 *            message, or where it lies: position u64 in the payload ring (a running count of bytes)
 */
#ifndef PEAL_CORE_LANE_SHARED_H
#define PEAL_CORE_LANE_SHARED_H

#include "core/atomic.h"
#include "core/topic_shared.h"

#include <stddef.h>

#define PEAL_LANE_MAGIC 0x30454e414c4c4550ull /* "PELLANE0" in memory */

enum peal_lane_option {
    PEAL_LANE_TIMESTAMP = 1u << 0,
    PEAL_LANE_CRC32C = 1u << 1,
    PEAL_LANE_EVICT = 1u << 2, /* nobody gates: reliable subscribers may be overrun too */
};
#define PEAL_LANE_OPTIONS_ALL 7u

enum peal_slot_kind {
    PEAL_SLOT_INLINE = 0, /* the message is in the slot */
    PEAL_SLOT_RING = 1,   /* the message is in the payload ring */
};

struct peal_slot_shared {
    peal_u64 stamp;
    peal_u32 length;
    peal_u32 kind;
    peal_u64 body[]; /* (stride - 16) / 8 words */
};

/* Its only writer is the subscriber, once the lane is ACTIVE and the tag is set; `invited` is the
 * publisher's, and constant once the lane is ACTIVE. */
struct peal_lane_reader_shared {
    peal_u64 tag;     /* the subscriber's own owner word: these lines are its; 0: nobody reads */
    peal_u64 cursor;  /* every message below it is done with; UINT64_MAX: gates nobody yet */
    peal_u64 invited; /* the owner word whose subscriber is owed the lane from message 0 */
    /* For observers only, as of the last acknowledgement, which writes this line anyway. */
    peal_u64 delivered; /* messages that the subscriber has had from this lane */
    peal_u64 lost;      /* messages of it that it has been told lost */
    unsigned char pad[128 - 40];
};

struct peal_lane_shared {
    struct {
        peal_u64 magic;
        peal_u64 incarnation; /* random, of this lane */
        peal_u32 depth;
        peal_u32 stride_bytes;
        peal_u64 payload_bytes;
        peal_u32 message_bytes_max;
        peal_u32 options; /* enum peal_lane_option */
        peal_u64 name[4]; /* of the publisher */
    } geometry;
    unsigned char pad0[256 - 72];
    struct {
        peal_u64 oldest;             /* messages below it may have lost their bytes */
        peal_u64 dropped;            /* messages dropped so far */
        unsigned char pad[128 - 16]; /* subscribers read the next word whenever they acknowledge */
        peal_u64 waiting;            /* 1: the publisher sleeps until a subscriber acknowledges */
    } writer;
    unsigned char pad1[256 - 136];
    struct peal_lane_reader_shared readers[PEAL_TOPIC_SUBSCRIBERS_MAX];
};

#define PEAL_LANE_SLOTS_OFFSET 4608u

static_assert(sizeof(struct peal_slot_shared) == 16, "format");
static_assert(offsetof(struct peal_slot_shared, length) == 8, "format");
static_assert(offsetof(struct peal_slot_shared, kind) == 12, "format");
static_assert(offsetof(struct peal_lane_shared, geometry.incarnation) == 8, "format");
static_assert(offsetof(struct peal_lane_shared, geometry.stride_bytes) == 20, "format");
static_assert(offsetof(struct peal_lane_shared, geometry.message_bytes_max) == 32, "format");
static_assert(offsetof(struct peal_lane_shared, geometry.options) == 36, "format");
static_assert(offsetof(struct peal_lane_shared, writer.dropped) == 264, "format");
static_assert(offsetof(struct peal_lane_shared, writer.waiting) == 384, "format");
static_assert(sizeof(struct peal_lane_reader_shared) == 128, "format");
static_assert(offsetof(struct peal_lane_reader_shared, cursor) == 8, "format");
static_assert(offsetof(struct peal_lane_reader_shared, invited) == 16, "format");
static_assert(offsetof(struct peal_lane_reader_shared, delivered) == 24, "format");
static_assert(offsetof(struct peal_lane_reader_shared, lost) == 32, "format");
static_assert(sizeof(struct peal_lane_shared) == PEAL_LANE_SLOTS_OFFSET, "format");
static_assert(offsetof(struct peal_lane_shared, geometry.depth) == 16, "format");
static_assert(offsetof(struct peal_lane_shared, geometry.payload_bytes) == 24, "format");
static_assert(offsetof(struct peal_lane_shared, geometry.name) == 40, "format");
static_assert(offsetof(struct peal_lane_shared, writer) == 256, "format");
static_assert(offsetof(struct peal_lane_shared, readers) == 512, "format");

#endif
