/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An endpoint: what publishers and subscribers have in common for the bus: they are counted, found,
 * looked at by waiting threads, and not freed under them.
 *
 * Life: created with one reference, the user's. Waiting and dispatching threads find endpoints
 * inside peal_rcu_enter() and take a reference when they want to keep one beyond it. close() takes
 * the endpoint out of the registry and of its waitsets and drops the user's reference; the last drop
 * calls release(), after a grace period, which gives back what the endpoint holds in the region and
 * frees it.
 *
 * A struct peal_subscriber begins with its endpoint.
 */
#ifndef PEAL_BUS_ENDPOINT_H
#define PEAL_BUS_ENDPOINT_H

#include "bus/rcu.h"
#include "bus/reference.h"

#include <peal/bus.h>

enum peal_endpoint_kind {
    PEAL_ENDPOINT_PUBLISHER,
    PEAL_ENDPOINT_SUBSCRIBER,
    PEAL_ENDPOINT_QUEUE,
};

struct peal_endpoint;
struct peal_subscriber;

struct peal_endpoint_ops {
    enum peal_endpoint_kind kind;
    /*
     * Is there something to do for its owner? Called by any thread inside peal_rcu_enter(), beside
     * the owner's thread; must not change anything, must not block. NULL: never.
     */
    bool (*ready)(struct peal_endpoint *endpoint);
    /* Gives back and frees; nobody else can see the endpoint any more. Outside of RCU. */
    void (*release)(struct peal_endpoint *endpoint);
};

struct peal_endpoint {
    const struct peal_endpoint_ops *ops;
    struct peal_bus *bus; /* holds a reference of the bus */
    uint64_t id;          /* unique in the bus, the key in its registry */
    struct cds_lfht_node node;
    struct peal_reference references;
    peal_u32 state;                   /* enum peal_endpoint_state */
    struct cds_list_head memberships; /* in waitsets; guarded by bus->members_lock */
};

/* One word, so that a callback that starts and a close() that comes see each other. */
enum peal_endpoint_state {
    PEAL_ENDPOINT_BUSY = 1u << 0,   /* a thread runs its callback */
    PEAL_ENDPOINT_CLOSED = 1u << 1, /* for good */
};

/*
 * Takes a reference of the bus and enters the endpoint into its registry; from then on ready() may
 * be called. CLOSED if the bus is. On failure the endpoint is the caller's to free.
 */
enum peal_status peal_endpoint_register(struct peal_endpoint *endpoint, struct peal_bus *bus,
                                        const struct peal_endpoint_ops *ops);

/* Takes it out of the registry and all waitsets and drops the user's reference. Once; outside. */
void peal_endpoint_close(struct peal_endpoint *endpoint);

/* Another reference; false if the last one has just gone. Inside of RCU or with a reference. */
bool peal_endpoint_hold(struct peal_endpoint *endpoint);

/* Drops a reference. Outside of RCU: the last one waits for a grace period. */
void peal_endpoint_drop(struct peal_endpoint *endpoint);

bool peal_endpoint_is_closed(const struct peal_endpoint *endpoint);

/* Open and with something to do. Inside of RCU. */
bool peal_endpoint_is_ready(struct peal_endpoint *endpoint);

/* Is any endpoint of the bus ready? Outside. */
bool peal_endpoint_any_ready(struct peal_bus *bus);

/*
 * The right to run the endpoint's callback: one thread at a time, none after close. end() wakes the
 * other threads of this bus when the callback has left something to do, for they may have gone to
 * sleep over an endpoint that was busy. With a reference, outside.
 */
bool peal_endpoint_callback_begin(struct peal_endpoint *endpoint);
void peal_endpoint_callback_end(struct peal_endpoint *endpoint);

/* Open, ready, and nobody runs its callback. Inside of RCU. */
bool peal_endpoint_is_dispatchable(struct peal_endpoint *endpoint);

/* First member, as bus/subscriber.c asserts. */
static inline struct peal_endpoint *peal_endpoint_of(struct peal_subscriber *subscriber)
{
    return (struct peal_endpoint *)(void *)subscriber;
}

#endif
