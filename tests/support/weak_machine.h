/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A little machine with a weak memory, which runs a program of a few threads in every way it may go.
 *
 * x86 forgives most missing orders, so no test that runs on it can show that a fence is needed. This
 * machine forgives nothing that C11 does not promise: a load may give any value that the thread has
 * not been shown to be outdated, however old.
 *
 * Model. Each location keeps all values that were ever stored to it, in order. A thread has a view: for
 * each location the oldest value that it may still read. A store notes a view beside its value: with
 * release (or after a release fence) all that the storing thread knew; a load with acquire (or an
 * acquire fence after it) takes that view over. A full fence exchanges views with one global view.
 * This is the view machine of Kang, Hur, Lahav, Vafeiadis and Dreyer, "A promising semantics for
 * relaxed-memory concurrency" (POPL 2017), without its promises.
 *
 * Limits. No promises: a load is never delayed beyond a later store of its thread, so what prevents just
 * that can't be shown to be needed. Stores go to the end of a location's order, so a location has one
 * storing thread, or is changed by read-modify-write only. There are no loops but by unrolling.
 */
#ifndef PEAL_TESTS_SUPPORT_WEAK_MACHINE_H
#define PEAL_TESTS_SUPPORT_WEAK_MACHINE_H

#include <stdbool.h>
#include <stdint.h>

#define LOCATIONS_MAX 6
#define VALUES_MAX 12
#define THREADS_MAX 3
#define REGISTERS_MAX 6

enum order { RELAXED, ACQUIRE, RELEASE, ACQ_REL, SEQ_CST };

enum operation {
    END,        /* of the thread */
    LOAD,       /* reg = [location] */
    STORE,      /* [location] = value */
    OR,         /* [location] |= value, one read-modify-write */
    FENCE,      /* as `order` says; RELAXED: none */
    MEMBARRIER, /* a full fence in every thread, now */
    SKIP_IF,    /* the next `skip` instructions if reg == value */
    SKIP_IF_NOT,
};

struct instruction {
    enum operation operation;
    enum order order;
    uint8_t location, reg, value, skip;
};

struct view {
    uint8_t from[LOCATIONS_MAX];
};

struct thread {
    const struct instruction *next;
    struct view current, on_acquire, on_release;
    uint8_t reg[REGISTERS_MAX];
};

struct machine {
    struct thread threads[THREADS_MAX];
    int thread_count;
    struct {
        uint8_t count;
        uint8_t value[VALUES_MAX];
        struct view view[VALUES_MAX];
    } memory[LOCATIONS_MAX]; /* all begin with one 0 */
    struct view global;
};

/* What must hold when all threads have ended. */
typedef bool (*property)(const struct machine *end);

struct outcome {
    uint64_t ends;       /* ways to come to an end */
    uint64_t violations; /* ... without the property */
};

/* Runs the threads in every way. Programs end with END. */
struct outcome machine_explore(const struct instruction *const *programs, int count,
                               property holds);

#endif
