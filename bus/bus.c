/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Counting who uses a bus, closing it, and what it can tell. Opening is bus/open.c.
 */
#include "bus/bus_internal.h"
#include "bus/descriptor.h"
#include "bus/open.h"
#include "bus/options.h"
#include "core/client.h"
#include "core/error.h"
#include "core/fault.h"
#include "core/pages.h"
#include "core/recover.h"

#include <assert.h>
#include <stdlib.h>

void peal_bus_hold(struct peal_bus *bus)
{
    peal_reference_hold(&bus->references);
}

void peal_bus_drop(struct peal_bus *bus)
{
    if (!peal_reference_drop(&bus->references))
        return;
    peal_client_unregister(&bus->region);
    peal_bus_free(bus);
}

bool peal_bus_is_closed(const struct peal_bus *bus)
{
    /* BUS-A1: pairs with BUS-R1 */
    return peal_u32_load_acquire(&bus->closed) != 0;
}

void peal_bus_close(struct peal_bus *bus)
{
    if (bus == NULL)
        return;
    /* BUS-R1: pairs with BUS-A1; the wakes below bring it to who sleeps */
    uint32_t before = peal_u32_exchange_acq_rel(&bus->closed, 1);
    assert(before == 0);
    (void)before;
    bus->transport->ops->wake_all(bus->transport);
    peal_descriptor_wake(bus);
    peal_bus_drop(bus);
}

uint32_t peal_bus_look_for_dead(struct peal_bus *bus, uint64_t interval_ns)
{
    const uint64_t now_ns = peal_clock_ns();
    /* relaxed: limits how often, nothing else. */
    uint64_t last_ns = peal_u64_load_relaxed(&bus->recovered_at_ns);
    if (interval_ns != 0) {
        if (now_ns - last_ns < interval_ns && now_ns >= last_ns)
            return 0;
        /* BUS-R2: pairs with BUS-R2: only for the value, so that one of our threads looks */
        if (!peal_u64_cas_acq_rel(&bus->recovered_at_ns, &last_ns, now_ns))
            return 0;
    }
    const uint32_t found = peal_recover(&bus->region);
    if (found == 0)
        return 0;
    peal_bus_count(&bus->counters.recovered_clients, found);
    peal_bus_show_counters(bus, now_ns);
    struct peal_transport *transport = bus->transport;
    transport->ops->notify(transport, transport->ops->members(transport));
    return found;
}

enum peal_status peal_bus_recover(struct peal_bus *bus, uint32_t *recovered)
{
    if (bus == NULL)
        return peal_fail(PEAL_EINVAL, "no bus to recover; open one first");
    const uint32_t found = peal_bus_look_for_dead(bus, 0);
    if (recovered != NULL)
        *recovered = found;
    return PEAL_OK;
}

void peal_bus_show_counters(struct peal_bus *bus, uint64_t now_ns)
{
    struct peal_client_shared *self = &bus->region.clients[bus->region.index];
/* relaxed: for observers, who decide nothing by it; only this process writes them. A thread that was
 * held up here may show an older count for a moment. */
#define SHOW(name)                                                                                 \
    peal_u64_store_relaxed(&self->counters.name, peal_u64_load_relaxed(&bus->counters.name))
    /* relaxed: as above. */
    peal_u64_store_relaxed(&self->counters.heartbeat_ns, now_ns);
    SHOW(bells_rung);
    SHOW(bells_suppressed);
    SHOW(sleeps);
    SHOW(wakes);
    SHOW(spurious_wakes);
    SHOW(safety_net_finds);
    SHOW(recovered_clients);
    SHOW(corruptions);
    PEAL_FAULT("bus.counters_shown");
#undef SHOW
}

void peal_bus_note_corruption(struct peal_bus *bus)
{
    peal_bus_count(&bus->counters.corruptions, 1);
    peal_bus_show_counters(bus, peal_clock_ns());
}

enum peal_status peal_bus_stats(struct peal_bus *bus, struct peal_bus_stats *stats)
{
    if (bus == NULL)
        return peal_fail(PEAL_EINVAL, "no bus to read the counters of; open one first");
    struct peal_transport *transport = bus->transport;
    /* relaxed: counters. */
#define READ(name) .name = peal_u64_load_relaxed(&bus->counters.name)
    const struct peal_bus_stats now = {
        READ(bells_rung),
        READ(bells_suppressed),
        READ(sleeps),
        READ(wakes),
        READ(spurious_wakes),
        READ(safety_net_finds),
        READ(recovered_clients),
        READ(corruptions),
        .members = (uint32_t)__builtin_popcountll(transport->ops->members(transport)),
        .index = bus->region.index,
        .region_bytes = bus->region.size_bytes,
        .region_free_bytes = (uint64_t)peal_pages_free_count(&bus->region) * PEAL_PAGE_BYTES,
        .clients_max = transport->capacity,
        .one_clock = (transport->capabilities & PEAL_TRANSPORT_ONE_CLOCK) != 0,
    };
#undef READ
    return peal_stats_write(stats, &now, sizeof(now), "peal_bus_stats");
}
