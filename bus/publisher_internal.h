/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A publisher's handle: bus/publisher.c makes and ends it, bus/publish.c publishes with it.
 */
#ifndef PEAL_BUS_PUBLISHER_INTERNAL_H
#define PEAL_BUS_PUBLISHER_INTERNAL_H

#include "bus/bus_internal.h"
#include "core/bell.h"
#include "core/lane_life.h"
#include "core/lane_writer.h"

#include <peal/publisher.h>

struct peal_publisher {
    struct peal_endpoint endpoint; /* first: the bus knows publishers by it */

    /* the hot line begins with the writer's */
    _Alignas(PEAL_WRITER_BYTES) struct peal_lane_writer writer;
    const peal_u64 *armed; /* the region's armed word */
    bool fences;           /* as in struct peal_bus */
    bool timestamp;
    enum peal_full_policy full_policy;
    uint64_t full_timeout_ns;

    /* Which clients subscribe, as of targets_epoch; looked at only when somebody sleeps. */
    uint64_t targets;
    uint64_t targets_epoch;
    bool targets_known;

    struct peal_lane_place place;
    uint64_t incarnation;
    uint64_t refused;
    uint64_t waits;
    uint64_t *starts; /* the writer's private array */
};

#endif
