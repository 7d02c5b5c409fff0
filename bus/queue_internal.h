/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A queue's handle: bus/queue.c makes and ends it, bus/queue_push.c and bus/queue_pop.c use it.
 */
#ifndef PEAL_BUS_QUEUE_INTERNAL_H
#define PEAL_BUS_QUEUE_INTERNAL_H

#include "bus/bus_internal.h"
#include "core/queue_consumer.h"

#include <peal/queue.h>

struct peal_queue {
    struct peal_endpoint endpoint; /* first: the bus knows queues by it */
    uint32_t uses;                 /* enum peal_queue_use */
    bool fences;                   /* as in struct peal_bus */
    uint32_t message_bytes_max;
    uint32_t topic;

    struct peal_queue_producer producer;
    struct peal_lane_place place;
    enum peal_queue_full_policy full_policy;
    uint64_t full_timeout_ns;
    uint64_t refused;
    uint64_t waits;

    struct peal_queue_consumer consumer;
    struct peal_queue_batch batch; /* while consumer.is_busy */
    uint32_t idle;                 /* times in a row that there was nothing */
    uint64_t popped;
    uint64_t redelivered;
    uint64_t corrupt;
};

#endif
