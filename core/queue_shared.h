/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A queue's lane: the messages of one producer, in whole pages of its own, from which any number of
 * consumers takes. The protocol is told in core/queue_claim.h.
 *
 *         0  geometry   written once by the producer before the lane becomes ACTIVE
 *       128  drops      the producer's own claim and its counts of what it dropped
 *       256  producer   messages published so far
 *       384  consumers  the cursor: messages below it are claimed
 *       512  readers    32 lines of 128 bytes, one per consumer entry of the topic
 *      4608  lengths    depth x u32, then up to the next multiple of 64
 *            tickets    depth x u64, in strict queues
 *            cells      depth x cell_bytes, dense
 *
 * The head has the size of a topic's lane (core/lane_shared.h), and the words which decide about the
 * life of a lane, the readers' tags, stand at the same places.
 */
#ifndef PEAL_CORE_QUEUE_SHARED_H
#define PEAL_CORE_QUEUE_SHARED_H

#include "core/lane_shared.h"

#define PEAL_QUEUE_MAGIC 0x3045554555514550ull /* "PEQUEUE0" in memory */

/*
 * A claim: who takes which messages of this lane. 0: nothing.
 *
 *      63  62 61         48 47                                    0
 *      | state | count      | position of the first message        |
 */
enum peal_queue_claim_state {
    PEAL_QUEUE_IDLE = 0,
    PEAL_QUEUE_CLAIMING = 1, /* its owner is about to move the cursor; won or lost, see is_won() */
    PEAL_QUEUE_CLAIMED = 2,  /* won for certain: written by who moved the cursor on */
};

/*
 * The cursor: how far messages are claimed, and by whom last.
 *
 *      63  62 61         56 55        48 47                        0
 *      | 0   | 0           | claimant    | position                |
 */
#define PEAL_QUEUE_POSITION_BITS 48u
#define PEAL_QUEUE_COUNT_MAX ((1u << 14) - 1u)

/* A claimant: 0..31 the consumer of that entry, or the lane's producer, which drops its oldest. */
#define PEAL_QUEUE_PRODUCER PEAL_TOPIC_SUBSCRIBERS_MAX
#define PEAL_QUEUE_NOBODY 255u

/* Its only writer is who owns the consumer's entry in the directory; helpers swap `claim` from
 * CLAIMING to CLAIMED. */
struct peal_queue_reader_shared {
    peal_u64 tag; /* the consumer's owner word: it looks into these pages; 0: nobody does */
    peal_u64 unused[2];
    peal_u64 claim;
    peal_u64 lost;       /* messages that dead consumers of this entry held and that were dropped */
    peal_u64 lost_after; /* what `lost` becomes when the claim `lost_claim` is dropped */
    peal_u64 lost_claim;
    /* For observers only; written with `claim`, in the same line. */
    peal_u64 popped;      /* messages of this lane that the consumer claimed and is done with */
    peal_u64 redelivered; /* those of them that a dead one had held */
    unsigned char pad[128 - 72];
};

struct peal_queue_lane_shared {
    struct {
        peal_u64 magic;
        peal_u64 incarnation; /* random, of this lane */
        peal_u32 depth;
        peal_u32 cell_bytes;
        peal_u64 unused;
        peal_u32 message_bytes_max;
        peal_u32 options; /* of enum peal_queue_option: PEAL_QUEUE_STRICT */
        peal_u64 name[4]; /* of the producer */
    } geometry;
    unsigned char pad0[128 - 72];
    struct {
        peal_u64 claim;        /* of the producer, when it drops its oldest messages */
        peal_u64 oldest_after; /* what `oldest` becomes if that claim is won */
        peal_u64 oldest;       /* messages dropped unread, to make room */
        peal_u64 newest;       /* messages that were not taken in */
    } drops;
    unsigned char pad1[128 - 32];
    struct {
        peal_u64 published; /* messages ever published; below it they are complete */
    } producer;
    unsigned char pad2[128 - 8];
    struct {
        peal_u64 cursor;
        peal_u64 waiting; /* the producer's: 1: it sleeps until a claim is done with */
    } consumers;
    unsigned char pad3[128 - 16];
    struct peal_queue_reader_shared readers[PEAL_TOPIC_SUBSCRIBERS_MAX];
};

#define PEAL_QUEUE_LENGTHS_OFFSET PEAL_LANE_SLOTS_OFFSET

static_assert(sizeof(struct peal_queue_reader_shared) == sizeof(struct peal_lane_reader_shared),
              "the lives of both kinds of lanes are one");
static_assert(offsetof(struct peal_queue_reader_shared, tag) ==
                  offsetof(struct peal_lane_reader_shared, tag),
              "the lives of both kinds of lanes are one");
static_assert(sizeof(struct peal_queue_lane_shared) == sizeof(struct peal_lane_shared),
              "the lives of both kinds of lanes are one");
static_assert(offsetof(struct peal_queue_lane_shared, readers) ==
                  offsetof(struct peal_lane_shared, readers),
              "the lives of both kinds of lanes are one");
static_assert(offsetof(struct peal_queue_lane_shared, geometry.depth) == 16, "format");
static_assert(offsetof(struct peal_queue_lane_shared, geometry.cell_bytes) == 20, "format");
static_assert(offsetof(struct peal_queue_lane_shared, geometry.message_bytes_max) == 32, "format");
static_assert(offsetof(struct peal_queue_lane_shared, geometry.options) == 36, "format");
static_assert(offsetof(struct peal_queue_lane_shared, geometry.name) == 40, "format");
static_assert(offsetof(struct peal_queue_lane_shared, drops) == 128, "format");
static_assert(offsetof(struct peal_queue_lane_shared, producer.published) == 256, "format");
static_assert(offsetof(struct peal_queue_lane_shared, consumers.cursor) == 384, "format");
static_assert(offsetof(struct peal_queue_lane_shared, consumers.waiting) == 392, "format");
static_assert(offsetof(struct peal_queue_reader_shared, claim) == 24, "format");
static_assert(offsetof(struct peal_queue_reader_shared, lost_claim) == 48, "format");
static_assert(offsetof(struct peal_queue_reader_shared, popped) == 56, "format");
static_assert(offsetof(struct peal_queue_reader_shared, redelivered) == 64, "format");

#endif
