/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A subscriber's place in a waitset.
 *
 * It is found in two ways: by waiting threads, which walk the waitset's table inside of RCU, and by
 * whoever removes a subscriber or closes either side, under the bus's members_lock. It holds a
 * reference to its endpoint; the table holds one to it, and so does each thread that is about to run
 * its callback. It never outlives its waitset, which the same threads hold.
 */
#ifndef PEAL_BUS_MEMBERSHIP_H
#define PEAL_BUS_MEMBERSHIP_H

#include "bus/endpoint.h"

#include <peal/queue.h>

struct peal_membership {
    struct cds_lfht_node node; /* in waitset->members, by the endpoint's id */
    struct peal_waitset *waitset;
    struct peal_endpoint *endpoint; /* held */
    peal_waitset_callback callback;
    peal_waitset_queue_callback queue_callback; /* instead, if the endpoint is a queue */
    void *context;
    struct peal_reference references;
    peal_u32 removed;                 /* its callback must not begin any more */
    struct cds_list_head in_endpoint; /* endpoint->memberships; guarded by members_lock */
};

/* The membership of a node that was found inside of RCU. */
struct peal_membership *peal_membership_of(struct cds_lfht_node *node);

enum peal_status peal_membership_add(struct peal_waitset *waitset, struct peal_endpoint *endpoint,
                                     peal_waitset_callback callback, void *context);

/* The same for a queue. */
enum peal_status peal_membership_add_queue(struct peal_waitset *waitset,
                                           struct peal_endpoint *endpoint,
                                           peal_waitset_queue_callback callback, void *context);

/* False if the endpoint is not there. */
bool peal_membership_remove(struct peal_waitset *waitset, struct peal_endpoint *endpoint);

/* Removes an endpoint from all waitsets, and all endpoints from a waitset. */
void peal_membership_remove_endpoint(struct peal_endpoint *endpoint);
void peal_membership_remove_waitset(struct peal_waitset *waitset);

/* Another reference, inside of RCU; false if it was just removed. */
bool peal_membership_hold(struct peal_membership *membership);
void peal_membership_drop(struct peal_membership *membership);
bool peal_membership_is_removed(const struct peal_membership *membership);

#endif
