/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A topic's entry in the directory: its name and type, its subscribers, its lanes.
 *
 *         0  owner            FREE -> CLAIMED -> OFFERED -> READY -> CLOSING -> FREE, see
 *                             core/directory.h
 *         8  type_owner       FREE (untyped) -> CLAIMED -> READY
 *        16  schema_hash
 *        24  name[64]  88  type_name[64]
 *       152  queue            what makes the entry a queue, see below; zero: a topic
 *       256  subscriber_epoch moves when a subscriber comes or goes; publishers read it at publish
 *       384  lane_epoch       moves when a lane comes or goes; subscribers read it when idle
 *       512  subscribers      32 owner words, together in four lines
 *       768  subscriber_flags 32 words, bits 0..31 enum peal_subscriber_flag, bits 32..63 pins
 *      1024  lanes            32 entries of 32 bytes
 *      2048
 */
#ifndef PEAL_CORE_TOPIC_SHARED_H
#define PEAL_CORE_TOPIC_SHARED_H

#include "core/atomic.h"

#include <stddef.h>

#define PEAL_TOPIC_NAME_BYTES 64u
#define PEAL_TOPIC_SUBSCRIBERS_MAX 32u
#define PEAL_TOPIC_PUBLISHERS_MAX 16u /* live at once; of a queue: all of the following */
#define PEAL_TOPIC_LANES_MAX 32u      /* live ones, and ended ones that are not yet drained */

enum peal_topic_state {
    PEAL_TOPIC_FREE = 0,
    PEAL_TOPIC_CLAIMED = 1, /* its maker is writing the name */
    PEAL_TOPIC_READY = 2,
    PEAL_TOPIC_CLOSING = 3, /* somebody checks that it is unused; whoever uses it takes it back */
    PEAL_TOPIC_OFFERED = 4, /* named; its maker checks that nobody else made the same name */
};

enum peal_subscriber_state {
    PEAL_SUBSCRIBER_FREE = 0,
    PEAL_SUBSCRIBER_CLAIMED = 1,
    PEAL_SUBSCRIBER_ACTIVE = 2,
    /* of queues only, see core/queue_life.h */
    PEAL_SUBSCRIBER_ORPHANED = 3, /* a dead consumer's, with messages that somebody must adopt */
    PEAL_SUBSCRIBER_ADOPTED = 4,  /* a dead consumer's, in the hands of the owner named */
};

enum peal_subscriber_flag {
    PEAL_SUBSCRIBER_IS_RELIABLE = 1u << 0,
};
#define PEAL_SUBSCRIBER_FLAGS_ALL 1u
/* Bit 32 + l of the flags word: the subscriber is joining lane l and is about to write into its
 * pages, so they must not be given back (core/lane_life.h). */
#define PEAL_SUBSCRIBER_PIN_SHIFT 32u

enum peal_lane_state {
    PEAL_LANE_FREE = 0,
    PEAL_LANE_CLAIMED = 1,    /* its publisher is taking pages and laying it out */
    PEAL_LANE_ACTIVE = 2,     /* its publisher lives (as far as anybody has looked) */
    PEAL_LANE_ORPHAN = 3,     /* its publisher has ended; subscribers may still read */
    PEAL_LANE_RECLAIMING = 4, /* its owner word names who gives the pages back */
    PEAL_LANE_OPENING = 5, /* laid out; its publisher invites the subscribers, nothing sent yet */
};

/* Written by the publisher while CLAIMED, constant after that until FREE. */
struct peal_lane_entry_shared {
    peal_u64 owner; /* state as above; (client, incarnation) of the publisher, in RECLAIMING of the
                           reclaimer */
    peal_u64 page_word; /* the owner word that its pages carry in the page map */
    peal_u32 first_page;
    peal_u32 page_count;
    peal_u64 name_hash; /* of the publisher's name, to recognise a restart */
};

enum peal_topic_kind {
    PEAL_TOPIC_IS_TOPIC = 0,
    PEAL_TOPIC_IS_QUEUE = 1, /* its lanes are those of core/queue_shared.h */
};

enum peal_queue_option {
    PEAL_QUEUE_DROPS_HELD =
        1u << 0,                 /* what the dead held is dropped and counted, not redelivered */
    PEAL_QUEUE_STRICT = 1u << 1, /* one order over all producers */
};
#define PEAL_QUEUE_OPTIONS_ALL 3u

/* Written by the entry's maker, with the name; the sums by whoever reclaims a lane. */
struct peal_topic_queue_shared {
    peal_u32 kind;
    peal_u32 options;
    peal_u32 message_bytes_max;
    peal_u32 unused;
    /* Of lanes that have ended, for observers. */
    peal_u64 published;
    peal_u64 dropped_oldest;
    peal_u64 dropped_newest;
    peal_u64 lost;
    peal_u64 ticket; /* of strict queues: of the next message of any producer */
};

struct peal_topic_shared {
    peal_u64 owner;
    peal_u64 type_owner;
    peal_u64 schema_hash;
    peal_u64 name[PEAL_TOPIC_NAME_BYTES / 8];
    peal_u64 type_name[PEAL_TOPIC_NAME_BYTES / 8];
    struct peal_topic_queue_shared queue;
    unsigned char pad0[256 - 208];
    peal_u64 subscriber_epoch;
    unsigned char pad1[128 - 8];
    peal_u64 lane_epoch;
    unsigned char pad2[128 - 8];
    peal_u64 subscribers[PEAL_TOPIC_SUBSCRIBERS_MAX];
    peal_u64 subscriber_flags[PEAL_TOPIC_SUBSCRIBERS_MAX];
    struct peal_lane_entry_shared lanes[PEAL_TOPIC_LANES_MAX];
};

static_assert(sizeof(struct peal_lane_entry_shared) == 32, "format");
static_assert(sizeof(struct peal_topic_shared) == 2048, "format");
static_assert(offsetof(struct peal_lane_entry_shared, page_word) == 8, "format");
static_assert(offsetof(struct peal_lane_entry_shared, first_page) == 16, "format");
static_assert(offsetof(struct peal_lane_entry_shared, page_count) == 20, "format");
static_assert(offsetof(struct peal_lane_entry_shared, name_hash) == 24, "format");
static_assert(offsetof(struct peal_topic_shared, type_owner) == 8, "format");
static_assert(offsetof(struct peal_topic_shared, schema_hash) == 16, "format");
static_assert(offsetof(struct peal_topic_shared, name) == 24, "format");
static_assert(offsetof(struct peal_topic_shared, type_name) == 88, "format");
static_assert(offsetof(struct peal_topic_shared, queue) == 152, "format");
static_assert(sizeof(struct peal_topic_queue_shared) == 56, "format");
static_assert(offsetof(struct peal_topic_shared, subscriber_epoch) == 256, "format");
static_assert(offsetof(struct peal_topic_shared, lane_epoch) == 384, "format");
static_assert(offsetof(struct peal_topic_shared, subscribers) == 512, "format");
static_assert(offsetof(struct peal_topic_shared, subscriber_flags) == 768, "format");
static_assert(offsetof(struct peal_topic_shared, lanes) == 1024, "format");

#endif
