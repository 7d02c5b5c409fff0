/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ringing. Off the fast path: comes only when somebody sleeps.
 */
#include "bus/bus_internal.h"
#include "core/fault.h"

/* Rings toward one client at once after a pause. Honest sleepers stay below, see bus/sleeper.h. */
#define BELL_BURST 256u

/* Those of the targets whose bucket gives a token. */
static uint64_t allowed_of(struct peal_bus *bus, uint64_t targets, uint64_t now_ns)
{
    uint64_t allowed = 0;
    for (uint64_t rest = targets; rest != 0; rest &= rest - 1) {
        const unsigned target = (unsigned)__builtin_ctzll(rest);
        if (peal_bucket_take(&bus->bells[target], now_ns, bus->bell_rate_hz, BELL_BURST))
            allowed |= UINT64_C(1) << target;
    }
    return allowed;
}

void peal_bus_ring(struct peal_bus *bus, uint64_t targets)
{
    peal_u64 *armed = &bus->region.header->sleepers.armed;
    /* relaxed: the publisher has fenced; this only leaves out who has been rung meanwhile. */
    targets &= peal_u64_load_relaxed(armed);
    if (targets == 0)
        return;
    const uint64_t now_ns = peal_clock_ns();
    const uint64_t allowed = allowed_of(bus, targets, now_ns);
    if (allowed != targets) {
        peal_bus_count(&bus->counters.bells_suppressed,
                       (uint64_t)__builtin_popcountll(targets & ~allowed));
        peal_bus_show_counters(bus, now_ns);
    }
    if (allowed == 0)
        return;
    /*
     * Who takes the bit rings; the others need not. Nothing is lost by it: the sleeper, once woken,
     * sets the bit and looks at all rings before it sleeps again. If we die between here and the
     * ring its safety net finds the message.
     * BELLS-R1: pairs with BELL-R1 in peal_bell_arm().
     */
    const uint64_t taken = allowed & peal_u64_and_acq_rel(armed, ~allowed);
    PEAL_FAULT("bells.taken");
    if (taken == 0)
        return;
    peal_bus_count(&bus->counters.bells_rung, (uint64_t)__builtin_popcountll(taken));
    bus->transport->ops->notify(bus->transport, taken);
    peal_bus_show_counters(bus, now_ns); /* whoever only publishes has no other time for it */
}
