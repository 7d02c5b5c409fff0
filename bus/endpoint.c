/* SPDX-License-Identifier: Apache-2.0 */
#include "bus/endpoint.h"

#include "bus/bus_internal.h"
#include "bus/membership.h"
#include "core/error.h"

#include <assert.h>

static struct peal_endpoint *endpoint_of(struct cds_lfht_node *node)
{
    struct peal_endpoint *endpoint = caa_container_of(node, struct peal_endpoint, node);
    PEAL_RCU_SEEN(endpoint);
    return endpoint;
}

enum peal_status peal_endpoint_register(struct peal_endpoint *endpoint, struct peal_bus *bus,
                                        const struct peal_endpoint_ops *ops)
{
    if (peal_bus_is_closed(bus))
        return peal_fail(PEAL_CLOSED, "the bus is closed; open it again for new endpoints");
    peal_bus_hold(bus);
    endpoint->ops = ops;
    endpoint->bus = bus;
    /* relaxed: only that no two are equal matters; the endpoint is not shown yet. */
    endpoint->id = peal_u64_add_relaxed(&bus->next_endpoint_id, 1);
    peal_u32_store_relaxed(&endpoint->state, 0);
    peal_reference_init(&endpoint->references);
    CDS_INIT_LIST_HEAD(&endpoint->memberships);
    cds_lfht_node_init(&endpoint->node);
    PEAL_RCU_SHOWN(endpoint);
    peal_rcu_enter();
    cds_lfht_add(bus->endpoints, peal_rcu_hash(endpoint->id), &endpoint->node);
    peal_rcu_leave();
    return PEAL_OK;
}

void peal_endpoint_close(struct peal_endpoint *endpoint)
{
    /* ENDPOINT-R1: pairs with ENDPOINT-A1 and ENDPOINT-A2: no callback begins after this */
    uint32_t before = peal_u32_or_acq_rel(&endpoint->state, PEAL_ENDPOINT_CLOSED);
    assert((before & PEAL_ENDPOINT_CLOSED) == 0);
    (void)before;
    peal_rcu_enter();
    int removed = cds_lfht_del(endpoint->bus->endpoints, &endpoint->node);
    peal_rcu_leave();
    assert(removed == 0);
    (void)removed;
    peal_membership_remove_endpoint(endpoint);
    peal_endpoint_drop(endpoint);
}

bool peal_endpoint_hold(struct peal_endpoint *endpoint)
{
    return peal_reference_try_hold(&endpoint->references);
}

void peal_endpoint_drop(struct peal_endpoint *endpoint)
{
    if (!peal_reference_drop(&endpoint->references))
        return;
    struct peal_bus *bus = endpoint->bus;
    peal_rcu_synchronize();
    endpoint->ops->release(endpoint);
    peal_bus_drop(bus);
}

static uint32_t state_of(const struct peal_endpoint *endpoint)
{
    /* ENDPOINT-A2: pairs with ENDPOINT-R1 and ENDPOINT-R2: who sees it idle sees what was taken */
    return peal_u32_load_acquire(&endpoint->state);
}

bool peal_endpoint_is_closed(const struct peal_endpoint *endpoint)
{
    return (state_of(endpoint) & PEAL_ENDPOINT_CLOSED) != 0;
}

bool peal_endpoint_is_ready(struct peal_endpoint *endpoint)
{
    return !peal_endpoint_is_closed(endpoint) && endpoint->ops->ready != NULL &&
           endpoint->ops->ready(endpoint);
}

bool peal_endpoint_is_dispatchable(struct peal_endpoint *endpoint)
{
    return state_of(endpoint) == 0 && endpoint->ops->ready != NULL &&
           endpoint->ops->ready(endpoint);
}

bool peal_endpoint_any_ready(struct peal_bus *bus)
{
    bool ready = false;
    struct cds_lfht_iter iterator;
    struct cds_lfht_node *node;
    peal_rcu_enter();
    PEAL_RCU_FOR_EACH(bus->endpoints, &iterator, node)
    {
        ready = peal_endpoint_is_ready(endpoint_of(node));
        if (ready)
            break;
    }
    peal_rcu_leave();
    return ready;
}

bool peal_endpoint_callback_begin(struct peal_endpoint *endpoint)
{
    uint32_t idle = 0;
    /* ENDPOINT-A1: pairs with ENDPOINT-R1 and ENDPOINT-R2: follows the last callback, or is refused */
    return peal_u32_cas_acq_rel(&endpoint->state, &idle, PEAL_ENDPOINT_BUSY);
}

void peal_endpoint_callback_end(struct peal_endpoint *endpoint)
{
    /* ENDPOINT-R2: pairs with ENDPOINT-A1 and ENDPOINT-A2: the callback's doings come before */
    (void)peal_u32_and_acq_rel(&endpoint->state, ~(uint32_t)PEAL_ENDPOINT_BUSY);
    /* ENDPOINT-F1: pairs with BELL-F2: either we see what is left to take, or who was woken for it
     * sees the endpoint idle. */
    peal_fence_seq_cst();
    peal_rcu_enter();
    const bool ready = peal_endpoint_is_ready(endpoint);
    peal_rcu_leave();
    if (ready)
        endpoint->bus->transport->ops->wake_all(endpoint->bus->transport);
}
