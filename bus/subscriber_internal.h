/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A subscriber's handle: bus/subscriber.c makes and ends it, bus/lanes.c joins and leaves lanes,
 * bus/take.c takes messages.
 */
#ifndef PEAL_BUS_SUBSCRIBER_INTERNAL_H
#define PEAL_BUS_SUBSCRIBER_INTERNAL_H

#include "bus/bus_internal.h"
#include "bus/rcu.h"
#include "core/epoch.h"
#include "core/lane_life.h"
#include "core/lane_reader.h"

#include <peal/subscriber.h>

/* A lane that a subscriber reads. Made and freed by the subscriber's thread; waiting threads look at
 * `reader` under RCU. */
struct peal_joined_lane {
    _Alignas(PEAL_WRITER_BYTES) struct peal_lane_reader reader;
    uint64_t word;      /* the lane entry's owner word when we joined */
    uint64_t name_hash; /* of the publisher's name */
    uint32_t lane;      /* its entry in the topic */
    uint32_t publisher_client;
    bool orphan;          /* its publisher has ended: left when it is drained */
    bool succeeded;       /* another lane continues this one already */
    bool restarted;       /* the first message is to be flagged */
    bool waits;           /* for its predecessor to be drained, so that order is kept */
    uint32_t predecessor; /* lane of it; valid while `waits` */
    uint64_t previous_number;
};

/* The number of the last message taken from the lane; 0 also if there was none. By our thread. */
static inline uint64_t peal_joined_lane_last_number(const struct peal_joined_lane *lane)
{
    uint64_t next = peal_u64_load_relaxed(&lane->reader.cursor); /* relaxed: only we write it */
    return next ? next - 1 : 0;
}

/* What is remembered of an ended publisher, to recognise its restart. */
struct peal_ended_publisher {
    uint64_t name_hash;
    uint64_t last_number;
    bool known;
};

struct peal_subscriber {
    struct peal_endpoint endpoint; /* first: the bus knows subscribers by it */

    struct peal_joined_lane *current; /* the lane that gave the last message; NULL: none joined */
    uint32_t burst;                   /* messages it has given in a row, if there are others */
    uint32_t lane_count;
    uint32_t run; /* messages taken since the last time that there was none */
    bool fences;
    bool has_orphans; /* a lane of an ended publisher waits to be drained */
    struct peal_topic_shared *topic_shared;
    peal_u64 lane_epoch_seen; /* waiting threads compare it with the topic's */

    /* Joined lanes, densely, for our thread; and by entry, under RCU, for waiting threads. */
    struct peal_joined_lane *lanes[PEAL_TOPIC_LANES_MAX];
    struct peal_joined_lane *by_entry[PEAL_TOPIC_LANES_MAX];

    uint32_t topic;
    uint32_t entry; /* our subscriber entry in the topic */
    uint64_t word;  /* and its owner word: our tag in lanes */
    struct peal_lane_reader_wish wish;
    uint64_t given_up[PEAL_TOPIC_LANES_MAX]; /* owner words of corrupt lanes: not joined again */
    struct peal_ended_publisher ended[PEAL_TOPIC_LANES_MAX];
    uint32_t ended_next;

    struct { /* of lanes that were left */
        uint64_t delivered;
        uint64_t lost;
        uint64_t corrupt;
        uint64_t restarts;
    } past;
};

/* Leaves drained lanes of ended publishers; joins new ones if the topic's lane_epoch has moved (or
 * always, with `force`). True if a lane was joined. By the subscriber's thread. */
bool peal_subscriber_refresh(struct peal_subscriber *subscriber, bool force);

/* Leaves one lane now. */
void peal_subscriber_leave(struct peal_subscriber *subscriber, struct peal_joined_lane *lane);

/* Gives a corrupt lane up: leaves it and does not come back to it. */
void peal_subscriber_give_up(struct peal_subscriber *subscriber, struct peal_joined_lane *lane);

/* Tells all publishers how far we are. */
void peal_subscriber_acknowledge_all(struct peal_subscriber *subscriber);

/* Has the topic got or lost a lane since we looked? Any thread. */
static inline bool peal_subscriber_is_stale(const struct peal_subscriber *subscriber)
{
    /* relaxed: our thread writes it after it has looked; stale is only a look too many */
    uint64_t seen = peal_u64_load_relaxed(&subscriber->lane_epoch_seen);
    return peal_epoch_read(&subscriber->topic_shared->lane_epoch) != seen;
}

/* Tells one publisher, and rings it if it waits for that. */
static inline void peal_subscriber_acknowledge(struct peal_subscriber *subscriber,
                                               struct peal_joined_lane *lane)
{
    if (PEAL_UNLIKELY(peal_lane_acknowledge(&lane->reader, subscriber->fences)))
        peal_bus_ring(subscriber->endpoint.bus, 1ull << lane->publisher_client);
}

#endif
