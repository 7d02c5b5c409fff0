/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a call costs, counted instead of timed: instructions, branches, locked instructions, shared
 * lines. peal-bench-account makes each call of a hot path some thousand times in one thread, publisher
 * and subscriber in turns, and shows the tool it runs under (bench/account/account.pl) where the
 * counted call begins and ends. Counts depend on the compiler, not on the load of the machine.
 *
 * All functions of this program are called account_*: what is counted is what is not.
 */
#ifndef PEAL_BENCH_ACCOUNT_ACCOUNT_H
#define PEAL_BENCH_ACCOUNT_ACCOUNT_H

#include "core/atomic.h"

#include <peal/peal.h>

#if __has_include(<valgrind/callgrind.h>)
#include <valgrind/callgrind.h>
#define ACCOUNT_CAN_COUNT 1
#else
#define CALLGRIND_TOGGLE_COLLECT ((void)0)
#define CALLGRIND_ZERO_STATS ((void)0)
#define CALLGRIND_DUMP_STATS_AT(name) ((void)(name))
#define ACCOUNT_CAN_COUNT 0
#endif

enum { ACCOUNT_CALLS_MAX = 4, ACCOUNT_BATCH = 32, ACCOUNT_BYTES_MAX = 1024, ACCOUNT_DEPTH = 1024 };

/* Calls that belong together, made in turns by step(); one of them is counted at a time. */
struct account_scenario {
    const char *name;
    void *(*open)(struct peal_bus *bus, uint32_t value);
    void (*step)(void *state);
    void (*close)(void *state);
    const char *calls[ACCOUNT_CALLS_MAX + 1]; /* NULL: the end */
    uint32_t messages;                        /* that a call moves */
    uint32_t value;                           /* for open(): size in bytes, or how many */
};

extern const struct account_scenario account_topics[], account_rings[], account_queues[],
    account_waitsets[]; /* each ends with a name of NULL */

/* Which call of the scenario is counted; another value: none, while all gets warm. */
extern uint32_t account_counted;

/* Written when a counted call begins (1) and ends (0), for tools that see stores only. */
extern peal_u64 account_marker;

_Noreturn void account_die(const char *what);

static inline void account_must(enum peal_status status, enum peal_status wanted, const char *what)
{
    if (status != wanted)
        account_die(what);
}

static inline void account_mark(uint32_t call, uint64_t value)
{
    if (account_counted != call)
        return;
    /* relaxed: nobody reads it; the store itself is what is seen */
    if (value)
        peal_u64_store_relaxed(&account_marker, value);
    CALLGRIND_TOGGLE_COLLECT;
    if (!value)
        peal_u64_store_relaxed(&account_marker, value);
}

/* Makes call number `number` of the scenario, which must answer `wanted`. */
#define ACCOUNT_CALL(number, wanted, call)                                                         \
    do {                                                                                           \
        account_mark(number, 1);                                                                   \
        enum peal_status account_status = call;                                                    \
        account_mark(number, 0);                                                                   \
        account_must(account_status, wanted, #call);                                               \
    } while (0)

/* Zeroed memory, or the end. */
void *account_allocate(size_t size_bytes);

#endif
