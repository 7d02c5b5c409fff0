/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An endpoint: what publishers and subscribers have in common for the bus: they are counted, found,
 * looked at by waiting threads, and not freed under them.
 *
 * Life: created with one reference, the user's. Waiting and dispatching threads find endpoints under
 * rcu_read_lock() and take a reference when they want to keep one beyond it. close() takes the
 * endpoint out of the registry and drops the user's reference; the last drop calls release(), after
 * a grace period, which gives back what the endpoint holds in the region and frees it.
 */
#ifndef PEAL_BUS_ENDPOINT_H
#define PEAL_BUS_ENDPOINT_H

#include <peal/bus.h>
#include <urcu-bp.h>
#include <urcu/rculfhash.h>
#include <urcu/ref.h>

enum peal_endpoint_kind {
    PEAL_ENDPOINT_PUBLISHER,
    PEAL_ENDPOINT_SUBSCRIBER,
};

struct peal_endpoint;

struct peal_endpoint_ops {
    enum peal_endpoint_kind kind;
    /*
     * Is there something to do for its owner? Called by any thread under rcu_read_lock(), beside
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
    struct urcu_ref references;
};

/* Takes a reference of the bus and enters the endpoint into its registry. CLOSED if the bus is. */
enum peal_status peal_endpoint_register(struct peal_endpoint *endpoint, struct peal_bus *bus,
                                        const struct peal_endpoint_ops *ops);

/* Takes it out of the registry and drops the user's reference. Once. */
void peal_endpoint_close(struct peal_endpoint *endpoint);

/* Another reference; false if the last one has just gone. Under rcu_read_lock() or with a reference. */
bool peal_endpoint_hold(struct peal_endpoint *endpoint);

/* Drops a reference. Not under rcu_read_lock(): the last one waits for a grace period. */
void peal_endpoint_drop(struct peal_endpoint *endpoint);

#endif
