/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of bus/ know of a bus.
 */
#ifndef PEAL_BUS_BUS_INTERNAL_H
#define PEAL_BUS_BUS_INTERNAL_H

#include "bus/bucket.h"
#include "bus/endpoint.h"
#include "core/atomic.h"
#include "core/region.h"
#include "transport/transport.h"

#include <peal/bus.h>
#include <pthread.h>

struct peal_bus {
    struct peal_transport *transport;
    struct peal_region region;
    char client_name[PEAL_CLIENT_NAME_BYTES];

    /*
     * Must a publisher fence between its publish and its look at the armed word? Not if sleepers
     * can make every CPU fence for them (PEAL_TRANSPORT_BARRIER). Constant after open, like the
     * others here.
     */
    bool fences;
    uint64_t spin_ns;
    uint64_t safety_net_ns;
    uint64_t bell_rate_hz;

    struct peal_reference references; /* the user's, and one per endpoint, waitset and sleeper */
    peal_u32 closed;                  /* 1 after peal_bus_close() */

    struct cds_lfht *endpoints; /* struct peal_endpoint by id */
    peal_u64 next_endpoint_id;
    pthread_mutex_t members_lock; /* guards who is in which waitset, not the looking */

    pthread_mutex_t sleepers_lock; /* guards sleepers, and the clearing of our armed bit */
    uint32_t sleepers; /* threads of ours that want bells, and 1 for the armed descriptor */

    struct { /* bus/descriptor.c; fds are -1 until somebody asks, guarded by sleepers_lock */
        int epoll_fd;
        int event_fd;
        peal_u32 armed;
    } descriptor;

    struct peal_bucket bells[PEAL_CLIENTS_MAX]; /* rings toward each client */
    struct peal_bucket arms;                    /* times that we ask to be rung */
    struct peal_bucket spurious;                /* wakes that found nothing */
    peal_u64 recovered_at_ns;                   /* last look for the dead; limits how often */

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
bool peal_bus_is_closed(const struct peal_bus *bus);

/* Moves one of bus->counters. */
static inline void peal_bus_count(peal_u64 *counter, uint64_t events)
{
    /* relaxed: a counter for observers; nothing is decided by it. */
    (void)peal_u64_add_relaxed(counter, events);
}

/* Copies the counters and the time to our client entry, for observers in other processes. Of the paths
 * on which messages flow only those come here that ring, sleep, or meet the dead or the spoilt. */
void peal_bus_show_counters(struct peal_bus *bus, uint64_t now_ns);

/* Counts a lane that was given up, or a spoilt message. */
void peal_bus_note_corruption(struct peal_bus *bus);

/* CLOCK_MONOTONIC and CLOCK_REALTIME in nanoseconds (bus/clock.c). */
uint64_t peal_clock_ns(void);
uint64_t peal_clock_realtime_ns(void);

/* now + timeout, UINT64_MAX (never) instead of wrapping. */
uint64_t peal_deadline_ns(uint64_t now_ns, uint64_t timeout_ns);

/* Blocks this thread; may return early after a signal. */
void peal_clock_pause(uint64_t duration_ns);

/* Random 64 bits whose low half is not 0, from the operating system. */
uint64_t peal_random_incarnation(void);

/*
 * Rings those of `targets` that sleep, within the rate limit (bus/bells.c), and takes their bits
 * from the armed word, so that one sleep costs one ring however much is published meanwhile. Our own
 * bit among them wakes our other threads and the descriptor. Called after the full fence of the
 * publisher; see core/bell.h.
 */
void peal_bus_ring(struct peal_bus *bus, uint64_t targets);

/*
 * The one way to wait (bus/sleeper.c): polls `ready` for spin_ns, then arms our bit, makes the
 * fences meet (membarrier where publishers do not fence, else a full fence), polls again, sleeps,
 * disarms. Looks for dead clients at each safety-net interval.
 * OK: ready() said yes; TIMEDOUT; CLOSED: the bus was closed; AGAIN: interrupted() said yes (may be
 * NULL). Both are called without locks by this thread. ready() may claim what it finds: after it
 * has said yes the answer is OK and it is not called again.
 */
struct peal_sleeper_condition {
    bool (*ready)(void *context);
    bool (*interrupted)(void *context);
    void *context;
    /* Called with true before the fence of each sleep (so maybe several times) and once with false
     * at the end, for waiters that must tell a single peer as well (a publisher that waits for
     * room). Not called at all if it does not come to a sleep. May be NULL. */
    void (*announce)(void *context, bool asleep);
};
enum peal_status peal_bus_sleep(struct peal_bus *bus,
                                const struct peal_sleeper_condition *condition,
                                uint64_t timeout_ns);

/*
 * Recovery of dead clients, at most once per interval_ns unless 0. Returns how many were found; if
 * there were any, everybody is rung, for a publisher may be waiting for one of them.
 */
uint32_t peal_bus_look_for_dead(struct peal_bus *bus, uint64_t interval_ns);

/* peal_region_audit(), with somebody to ask who lives; `authority` may be NULL. */
struct peal_audit;
struct peal_audit_options;
enum peal_status peal_audit_memory(const void *memory, uint64_t size_bytes,
                                   const struct peal_audit_options *options,
                                   const struct peal_authority *authority,
                                   struct peal_audit *audit);

#endif
