/* SPDX-License-Identifier: Apache-2.0 */
#include <peal/waitset.h>

#include "bus/bus_internal.h"
#include "bus/membership.h"
#include "bus/waitset_internal.h"
#include "core/error.h"

#include <assert.h>
#include <stdlib.h>

/* Members whose callbacks one round of dispatch runs; a further round takes the next ones. */
#define ROUND_MAX 32u

#define TABLE_BUCKETS 8u

bool peal_waitset_is_closed(const struct peal_waitset *waitset)
{
    /* WAITSET-A1: pairs with WAITSET-R1 */
    return peal_u32_load_acquire(&waitset->closed) != 0;
}

enum peal_status peal_waitset_create(struct peal_bus *bus, struct peal_waitset **waitset)
{
    if (waitset == NULL)
        return peal_fail(PEAL_EINVAL, "no place for the waitset; give a pointer to one");
    *waitset = NULL;
    if (bus == NULL)
        return peal_fail(PEAL_EINVAL, "a waitset needs a bus; open one first");
    if (peal_bus_is_closed(bus))
        return peal_fail(PEAL_CLOSED, "the bus is closed; open it again for a waitset");
    struct peal_waitset *made = calloc(1, sizeof(*made));
    if (made == NULL || (made->members = peal_rcu_table(TABLE_BUCKETS)) == NULL) {
        free(made);
        return peal_fail(PEAL_ENOMEM, "no memory for a waitset; free some");
    }
    peal_bus_hold(bus);
    made->bus = bus;
    peal_reference_init(&made->references);
    *waitset = made;
    return PEAL_OK;
}

static void drop(struct peal_waitset *waitset)
{
    if (!peal_reference_drop(&waitset->references))
        return;
    struct peal_bus *bus = waitset->bus;
    peal_rcu_table_free(waitset->members);
    free(waitset);
    peal_bus_drop(bus);
}

static void wake_waiting(struct peal_waitset *waitset)
{
    struct peal_transport *transport = waitset->bus->transport;
    transport->ops->wake_all(transport);
}

void peal_waitset_close(struct peal_waitset *waitset)
{
    if (waitset == NULL)
        return;
    /* WAITSET-R1: pairs with WAITSET-A1; the wake below brings it to who sleeps */
    uint32_t before = peal_u32_exchange_acq_rel(&waitset->closed, 1);
    assert(before == 0);
    (void)before;
    wake_waiting(waitset);
    peal_membership_remove_waitset(waitset);
    drop(waitset);
}

static enum peal_status check_pair(const struct peal_waitset *waitset,
                                   const struct peal_endpoint *endpoint)
{
    if (waitset == NULL || endpoint == NULL)
        return peal_fail(PEAL_EINVAL,
                         "a waitset and a subscriber or queue are needed; one is NULL");
    if (endpoint->bus != waitset->bus)
        return peal_fail(PEAL_EINVAL, "the subscriber is of another bus than the waitset; make a "
                                      "waitset for each bus");
    return PEAL_OK;
}

enum peal_status peal_waitset_add(struct peal_waitset *waitset, struct peal_subscriber *subscriber,
                                  peal_waitset_callback callback, void *context)
{
    struct peal_endpoint *endpoint = peal_endpoint_of(subscriber);
    enum peal_status status = check_pair(waitset, endpoint);
    if (status == PEAL_OK)
        status = peal_membership_add(waitset, endpoint, callback, context);
    if (status == PEAL_OK)
        wake_waiting(waitset); /* the new one may have something to take */
    return status;
}

enum peal_status peal_waitset_remove(struct peal_waitset *waitset,
                                     struct peal_subscriber *subscriber)
{
    struct peal_endpoint *endpoint = peal_endpoint_of(subscriber);
    enum peal_status status = check_pair(waitset, endpoint);
    if (status == PEAL_OK && !peal_membership_remove(waitset, endpoint))
        status = peal_fail(PEAL_ENOENT, "the subscriber is not in this waitset");
    return status;
}

/* A queue's endpoint is its first member, as that of a subscriber. */
enum peal_status peal_waitset_add_queue(struct peal_waitset *waitset, struct peal_queue *queue,
                                        peal_waitset_queue_callback callback, void *context)
{
    struct peal_endpoint *endpoint = (struct peal_endpoint *)(void *)queue;
    enum peal_status status = check_pair(waitset, endpoint);
    if (status == PEAL_OK)
        status = peal_membership_add_queue(waitset, endpoint, callback, context);
    if (status == PEAL_OK)
        wake_waiting(waitset); /* the new one may have something to take */
    return status;
}

enum peal_status peal_waitset_remove_queue(struct peal_waitset *waitset, struct peal_queue *queue)
{
    struct peal_endpoint *endpoint = (struct peal_endpoint *)(void *)queue;
    enum peal_status status = check_pair(waitset, endpoint);
    if (status == PEAL_OK && !peal_membership_remove(waitset, endpoint))
        status = peal_fail(PEAL_ENOENT, "the queue is not in this waitset");
    return status;
}

enum peal_status peal_waitset_interrupt(struct peal_waitset *waitset)
{
    if (waitset == NULL)
        return peal_fail(PEAL_EINVAL, "no waitset to interrupt");
    /* relaxed: the word says all there is to say; the wake below brings it to who sleeps. */
    (void)peal_u32_add_relaxed(&waitset->interrupts, 1);
    wake_waiting(waitset);
    return PEAL_OK;
}

/* A thread inside wait() or dispatch(). */
struct waiter {
    struct peal_waitset *waitset;
    uint32_t answered; /* waitset->answered when it came */

    void **contexts; /* for wait() */
    size_t contexts_max;
    size_t contexts_count;

    struct peal_membership *round[ROUND_MAX]; /* for dispatch(); each held */
    uint32_t round_count;
    uint32_t round_next; /* where the next round begins; 0: this one came to the end */
};

static void enter(struct waiter *waiter)
{
    peal_reference_hold(&waiter->waitset->references);
    /* relaxed: an older value only means one interrupt more. */
    waiter->answered = peal_u32_load_relaxed(&waiter->waitset->answered);
}

static bool is_interrupted(void *context)
{
    struct waiter *waiter = context;
    struct peal_waitset *waitset = waiter->waitset;
    if (peal_waitset_is_closed(waitset))
        return true;
    /* relaxed: see peal_waitset_interrupt(). */
    const uint32_t interrupts = peal_u32_load_relaxed(&waitset->interrupts);
    if (interrupts == waiter->answered)
        return false;
    peal_u32_store_relaxed(&waitset->answered, interrupts);
    return true;
}

static enum peal_status leave(struct waiter *waiter, enum peal_status status)
{
    if (status == PEAL_AGAIN && peal_waitset_is_closed(waiter->waitset))
        status = PEAL_CLOSED;
    drop(waiter->waitset);
    return status;
}

/* Gathers contexts of ready members number from..to; the number of members looked at. */
static uint32_t gather(struct waiter *waiter, uint32_t from, uint32_t to, bool *any)
{
    struct cds_lfht_iter iterator;
    struct cds_lfht_node *node;
    uint32_t number = 0;
    PEAL_RCU_FOR_EACH(waiter->waitset->members, &iterator, node)
    {
        if (number >= to || (*any && waiter->contexts_count == waiter->contexts_max))
            break;
        struct peal_membership *membership = peal_membership_of(node);
        if (number++ < from || !peal_endpoint_is_ready(membership->endpoint))
            continue;
        *any = true;
        if (waiter->contexts_count < waiter->contexts_max)
            waiter->contexts[waiter->contexts_count++] = membership->context;
    }
    return number;
}

/* Begins where the last short array ended, so that nobody starves behind busy members. */
static bool is_ready(void *context)
{
    struct waiter *waiter = context;
    /* relaxed: a hint for fairness. */
    const uint32_t turn = peal_u32_load_relaxed(&waiter->waitset->turn);
    bool any = false;
    uint32_t end;
    peal_rcu_enter();
    end = gather(waiter, turn, UINT32_MAX, &any);
    if (turn != 0 && (!any || waiter->contexts_count < waiter->contexts_max))
        end = gather(waiter, 0, turn, &any);
    peal_rcu_leave();
    if (any && waiter->contexts_max != 0) {
        const bool full = waiter->contexts_count == waiter->contexts_max;
        /* relaxed: a hint. */
        if (full || turn != 0)
            peal_u32_store_relaxed(&waiter->waitset->turn, full ? end : 0);
    }
    return any;
}

enum peal_status peal_waitset_wait(struct peal_waitset *waitset, uint64_t timeout_ns,
                                   void **contexts, size_t max, size_t *count)
{
    if (count != NULL)
        *count = 0;
    if (waitset == NULL || (max != 0 && (contexts == NULL || count == NULL)))
        return peal_fail(PEAL_EINVAL, "a waitset is needed, and for contexts an array and a count");
    struct waiter waiter = {.waitset = waitset, .contexts = contexts, .contexts_max = max};
    const struct peal_sleeper_condition condition = {
        .ready = is_ready, .interrupted = is_interrupted, .context = &waiter};
    enter(&waiter);
    enum peal_status status = peal_bus_sleep(waitset->bus, &condition, timeout_ns);
    if (count != NULL)
        *count = waiter.contexts_count;
    return leave(&waiter, status);
}

/* Holds up to ROUND_MAX members that may be dispatched, from waiter->round_next on. */
static bool take_round(void *context)
{
    struct waiter *waiter = context;
    struct cds_lfht_iter iterator;
    struct cds_lfht_node *node;
    const uint32_t from = waiter->round_next;
    uint32_t number = 0;
    waiter->round_count = 0;
    waiter->round_next = 0;
    peal_rcu_enter();
    PEAL_RCU_FOR_EACH(waiter->waitset->members, &iterator, node)
    {
        if (waiter->round_count == ROUND_MAX) {
            waiter->round_next = number;
            break;
        }
        struct peal_membership *membership = peal_membership_of(node);
        if (number++ >= from &&
            (membership->callback != NULL || membership->queue_callback != NULL) &&
            peal_endpoint_is_dispatchable(membership->endpoint) && peal_membership_hold(membership))
            waiter->round[waiter->round_count++] = membership;
    }
    peal_rcu_leave();
    return waiter->round_count != 0;
}

/* Another thread may have been here since the round was taken: everything is asked again. */
static bool run_callback(struct peal_membership *membership)
{
    struct peal_endpoint *endpoint = membership->endpoint;
    if (!peal_endpoint_callback_begin(endpoint))
        return false;
    peal_rcu_enter();
    const bool wanted = !peal_membership_is_removed(membership) && peal_endpoint_is_ready(endpoint);
    peal_rcu_leave();
    if (wanted && membership->queue_callback)
        membership->queue_callback((struct peal_queue *)(void *)endpoint, membership->context);
    else if (wanted)
        membership->callback((struct peal_subscriber *)(void *)endpoint, membership->context);
    peal_endpoint_callback_end(endpoint);
    return wanted;
}

static size_t run_round(struct waiter *waiter)
{
    size_t called = 0;
    for (uint32_t i = 0; i < waiter->round_count; i++) {
        called += run_callback(waiter->round[i]);
        peal_membership_drop(waiter->round[i]);
    }
    waiter->round_count = 0;
    return called;
}

/* All rounds of one pass over the members; how many callbacks were run. */
static size_t run_pass(struct waiter *waiter)
{
    size_t called = run_round(waiter);
    /* Each further round begins ROUND_MAX members on at least, so this ends, unless callbacks go on
     * adding members for ever. */
    while (waiter->round_next != 0 && take_round(waiter))
        called += run_round(waiter);
    waiter->round_next = 0;
    return called;
}

enum peal_status peal_waitset_dispatch(struct peal_waitset *waitset, uint64_t timeout_ns,
                                       size_t *dispatched)
{
    if (dispatched != NULL)
        *dispatched = 0;
    if (waitset == NULL)
        return peal_fail(PEAL_EINVAL, "no waitset to dispatch");
    struct waiter waiter = {.waitset = waitset};
    const struct peal_sleeper_condition condition = {
        .ready = take_round, .interrupted = is_interrupted, .context = &waiter};
    const uint64_t deadline_ns =
        timeout_ns == 0 ? 0 : peal_deadline_ns(peal_clock_ns(), timeout_ns);
    size_t called = 0;
    enum peal_status status;
    enter(&waiter);
    for (;;) {
        status = peal_bus_sleep(waitset->bus, &condition, timeout_ns);
        if (status == PEAL_OK)
            called = run_pass(&waiter);
        if (status != PEAL_OK || called != 0)
            break;
        /* Other threads were faster with all of them. */
        const uint64_t now_ns = peal_clock_ns();
        if (now_ns >= deadline_ns) {
            status = PEAL_TIMEDOUT;
            break;
        }
        timeout_ns = deadline_ns == UINT64_MAX ? PEAL_FOREVER : deadline_ns - now_ns;
    }
    if (dispatched != NULL)
        *dispatched = called;
    return leave(&waiter, status);
}
