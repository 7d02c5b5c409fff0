/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of bus/ know of a bus.
 */
#ifndef PEAL_BUS_BUS_INTERNAL_H
#define PEAL_BUS_BUS_INTERNAL_H

#include "bus/endpoint.h"
#include "core/atomic.h"
#include "core/region.h"
#include "transport/transport.h"

#include <peal/bus.h>
#include <pthread.h>

/* Rings toward one client: a token bucket (bus/bells.c). */
struct peal_bell_bucket {
    peal_u64 tokens_at_ns; /* time up to which the bucket's tokens are spent */
};

struct peal_bus {
    struct peal_transport *transport;
    struct peal_region region;
    char client_name[PEAL_CLIENT_NAME_BYTES];

    /*
     * Must a publisher fence between its publish and its look at the armed word? Not if sleepers
     * can make every CPU fence for them (PEAL_TRANSPORT_BARRIER). Constant after open.
     */
    bool fences;
    uint64_t spin_ns;
    uint64_t safety_net_ns;
    uint64_t bell_rate_hz;

    struct urcu_ref references; /* the user's, and one per endpoint and waitset */
    peal_u32 closed;            /* 1 after peal_bus_close() */

    struct cds_lfht *endpoints; /* struct peal_endpoint by id */
    peal_u64 next_endpoint_id;

    pthread_mutex_t sleepers_lock; /* guards sleepers and our bit of the armed word */
    uint32_t sleepers;             /* threads of ours that want bells, and 1 for the armed descriptor */
    bool descriptor_armed;

    struct peal_bell_bucket buckets[PEAL_CLIENTS_MAX];
    struct peal_bell_bucket spurious; /* wakes that found nothing */
    peal_u64 recovered_at_ns;         /* last look for the dead; limits how often */

    struct { /* process-private; copied to the client entry's counters when a thread sleeps */
        peal_u64 bells_rung;
        peal_u64 bells_suppressed;
        peal_u64 sleeps;
        peal_u64 wakes;
        peal_u64 spurious_wakes;
        peal_u64 safety_net_finds;
        peal_u64 recovered_clients;
        peal_u64 corruptions;
    } counters;
};

/* Counts references of the bus; the last drop leaves the region and frees. */
void peal_bus_hold(struct peal_bus *bus);
void peal_bus_drop(struct peal_bus *bus);
bool peal_bus_is_closed(struct peal_bus *bus);

/* CLOCK_MONOTONIC in nanoseconds. */
uint64_t peal_clock_ns(void);

/* Random 64 bits whose low half is not 0, from the operating system. */
uint64_t peal_random_incarnation(void);

/*
 * Rings those clients of `targets`, within the rate limit (bus/bells.c). Our own bit among them wakes
 * our other threads. Called after the full fence of the publisher; see core/bell.h.
 */
void peal_bus_ring(struct peal_bus *bus, uint64_t targets);

/*
 * The one way to wait (bus/sleeper.c): polls `ready` for spin_ns, then arms our bit, makes the
 * fences meet (membarrier where publishers do not fence, else a full fence), polls again, sleeps,
 * disarms. Looks for dead clients at each safety-net interval.
 * OK: ready() said yes; TIMEDOUT; CLOSED: the bus was closed; AGAIN: interrupted() said yes (may be
 * NULL). Both are called without locks by this thread.
 */
struct peal_sleeper_condition {
    bool (*ready)(void *context);
    bool (*interrupted)(void *context);
    void *context;
    /* Called once before the fence when going to sleep and once after waking, for waiters that must
     * tell a single peer as well (a publisher that waits for room). May be NULL. */
    void (*announce)(void *context, bool asleep);
};
enum peal_status peal_bus_sleep(struct peal_bus *bus, const struct peal_sleeper_condition *condition,
                                uint64_t timeout_ns);

/* Recovery of dead clients, at most once per interval_ns unless 0. Returns how many were found. */
uint32_t peal_bus_look_for_dead(struct peal_bus *bus, uint64_t interval_ns);

#endif
