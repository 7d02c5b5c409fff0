/* SPDX-License-Identifier: Apache-2.0 */
#include "bus/membership.h"

#include "bus/bus_internal.h"
#include "bus/waitset_internal.h"
#include "core/error.h"

#include <stdlib.h>

struct peal_membership *peal_membership_of(struct cds_lfht_node *node)
{
    struct peal_membership *membership = caa_container_of(node, struct peal_membership, node);
    PEAL_RCU_SEEN(membership);
    return membership;
}

static int is_of_endpoint(struct cds_lfht_node *node, const void *key)
{
    return peal_membership_of(node)->endpoint == key;
}

/* Inside of RCU. */
static struct peal_membership *find(struct peal_waitset *waitset, struct peal_endpoint *endpoint)
{
    struct cds_lfht_iter iterator;
    cds_lfht_lookup(waitset->members, peal_rcu_hash(endpoint->id), is_of_endpoint, endpoint,
                    &iterator);
    struct cds_lfht_node *node = cds_lfht_iter_get_node(&iterator);
    return node != NULL ? peal_membership_of(node) : NULL;
}

/* Under members_lock, which orders us with both sides' close(). */
static enum peal_status enter(struct peal_waitset *waitset, struct peal_membership *membership)
{
    struct peal_endpoint *endpoint = membership->endpoint;
    if (peal_waitset_is_closed(waitset))
        return peal_fail(PEAL_CLOSED, "the waitset is closed; add to one that is open");
    if (peal_endpoint_is_closed(endpoint))
        return peal_fail(PEAL_CLOSED, "the subscriber is closed; add one that is open");
    if (!peal_endpoint_hold(endpoint))
        return peal_fail(PEAL_CLOSED, "the subscriber is closed; add one that is open");
    PEAL_RCU_SHOWN(membership);
    peal_rcu_enter();
    const bool present = find(waitset, endpoint) != NULL;
    if (!present)
        cds_lfht_add(waitset->members, peal_rcu_hash(endpoint->id), &membership->node);
    peal_rcu_leave();
    if (!present) {
        cds_list_add_tail(&membership->in_endpoint, &endpoint->memberships);
        return PEAL_OK;
    }
    /* Not the last one: the caller's own subscriber is open. */
    peal_endpoint_drop(endpoint);
    return peal_fail(PEAL_EEXIST, "the subscriber is in this waitset already; remove it first to "
                                  "give it another callback");
}

/* One of the callbacks, or none. */
static enum peal_status add(struct peal_waitset *waitset, struct peal_endpoint *endpoint,
                            peal_waitset_callback callback,
                            peal_waitset_queue_callback queue_callback, void *context)
{
    struct peal_membership *membership = calloc(1, sizeof(*membership));
    if (membership == NULL)
        return peal_fail(PEAL_ENOMEM, "no memory for a member of a waitset; free some");
    membership->waitset = waitset;
    membership->endpoint = endpoint;
    membership->callback = callback;
    membership->queue_callback = queue_callback;
    membership->context = context;
    peal_reference_init(&membership->references);
    cds_lfht_node_init(&membership->node);
    pthread_mutex_t *lock = &waitset->bus->members_lock;
    (void)pthread_mutex_lock(lock);
    enum peal_status status = enter(waitset, membership);
    (void)pthread_mutex_unlock(lock);
    if (status != PEAL_OK)
        free(membership);
    return status;
}

enum peal_status peal_membership_add(struct peal_waitset *waitset, struct peal_endpoint *endpoint,
                                     peal_waitset_callback callback, void *context)
{
    return add(waitset, endpoint, callback, NULL, context);
}

enum peal_status peal_membership_add_queue(struct peal_waitset *waitset,
                                           struct peal_endpoint *endpoint,
                                           peal_waitset_queue_callback callback, void *context)
{
    return add(waitset, endpoint, NULL, callback, context);
}

/* Under members_lock. The table's reference goes over to the list `gone`. */
static void unlink_member(struct peal_membership *membership, struct cds_list_head *gone)
{
    /* MEMBERSHIP-R1: pairs with MEMBERSHIP-A1: no callback by this place begins after */
    peal_u32_store_release(&membership->removed, 1);
    peal_rcu_enter();
    (void)cds_lfht_del(membership->waitset->members, &membership->node);
    peal_rcu_leave();
    cds_list_del(&membership->in_endpoint);
    cds_list_add_tail(&membership->in_endpoint, gone);
}

/* Without the lock: waits for the threads that have found one of them just before. */
static void let_go(struct cds_list_head *gone)
{
    struct peal_membership *membership, *next;
    if (cds_list_empty(gone))
        return;
    peal_rcu_synchronize();
    cds_list_for_each_entry_safe(membership, next, gone, in_endpoint)
        peal_membership_drop(membership);
}

bool peal_membership_remove(struct peal_waitset *waitset, struct peal_endpoint *endpoint)
{
    CDS_LIST_HEAD(gone);
    pthread_mutex_t *lock = &waitset->bus->members_lock;
    (void)pthread_mutex_lock(lock);
    peal_rcu_enter();
    struct peal_membership *membership = find(waitset, endpoint);
    peal_rcu_leave();
    if (membership != NULL) /* in the table, and the lock keeps it there */
        unlink_member(membership, &gone);
    (void)pthread_mutex_unlock(lock);
    let_go(&gone);
    return membership != NULL;
}

void peal_membership_remove_endpoint(struct peal_endpoint *endpoint)
{
    CDS_LIST_HEAD(gone);
    struct peal_membership *membership, *next;
    pthread_mutex_t *lock = &endpoint->bus->members_lock;
    (void)pthread_mutex_lock(lock);
    cds_list_for_each_entry_safe(membership, next, &endpoint->memberships, in_endpoint)
        unlink_member(membership, &gone);
    (void)pthread_mutex_unlock(lock);
    let_go(&gone);
}

void peal_membership_remove_waitset(struct peal_waitset *waitset)
{
    CDS_LIST_HEAD(gone);
    struct cds_lfht_iter iterator;
    struct cds_lfht_node *node;
    pthread_mutex_t *lock = &waitset->bus->members_lock;
    (void)pthread_mutex_lock(lock);
    peal_rcu_enter();
    PEAL_RCU_FOR_EACH(waitset->members, &iterator, node)
    unlink_member(peal_membership_of(node), &gone);
    peal_rcu_leave();
    (void)pthread_mutex_unlock(lock);
    let_go(&gone);
}

bool peal_membership_hold(struct peal_membership *membership)
{
    return peal_reference_try_hold(&membership->references);
}

void peal_membership_drop(struct peal_membership *membership)
{
    if (!peal_reference_drop(&membership->references))
        return;
    peal_endpoint_drop(membership->endpoint);
    free(membership);
}

bool peal_membership_is_removed(const struct peal_membership *membership)
{
    /* MEMBERSHIP-A1: pairs with MEMBERSHIP-R1 */
    return peal_u32_load_acquire(&membership->removed) != 0;
}
