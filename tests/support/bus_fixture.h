/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Buses for tests: a private local region, and a transport whose functions can be replaced.
 */
#ifndef PEAL_TESTS_SUPPORT_BUS_FIXTURE_H
#define PEAL_TESTS_SUPPORT_BUS_FIXTURE_H

#include "bus/bus_internal.h"

#include <string.h>

#define BUS_FIXTURE_BYTES (UINT64_C(4) << 20)

/* A bus in local:NAME; `change` may be NULL. NULL if it cannot be opened. */
static inline struct peal_bus *bus_fixture_open(const char *url,
                                                void (*change)(struct peal_bus_options *options))
{
    struct peal_bus_options options = PEAL_BUS_OPTIONS_INIT;
    struct peal_bus *bus = NULL;
    options.size_bytes = BUS_FIXTURE_BYTES;
    options.topics_max = 16;
    if (change != NULL)
        change(&options);
    return peal_bus_open(&bus, url, &options) == PEAL_OK ? bus : NULL;
}

/* Gives the transport of a bus a copy of its functions, to be changed. */
static inline struct peal_transport_ops *bus_fixture_own_ops(struct peal_bus *bus,
                                                             struct peal_transport_ops *copy)
{
    memcpy(copy, bus->transport->ops, sizeof(*copy));
    bus->transport->ops = copy;
    return copy;
}

static inline bool bus_fixture_is_armed(const struct peal_bus *bus)
{
    uint64_t armed = peal_u64_load_acquire(&bus->region.header->sleepers.armed);
    return (armed >> bus->region.index & 1u) != 0;
}

static inline uint64_t bus_fixture_counter(const peal_u64 *counter)
{
    return peal_u64_load_relaxed(counter);
}

#endif
