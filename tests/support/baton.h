/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A seeded scheduler: of several threads only the one with the baton runs, and at each fault point a number
 * drawn from the seed says who runs next. So one seed is one interleaving, and a failing one comes again. A
 * thread may be frozen at its n-th point, never to run again: as a stopped or dead process.
 *
 * The bodies must not block on one another; what they wait for in bounded loops only costs turns.
 */
#ifndef PEAL_TESTS_SUPPORT_BATON_H
#define PEAL_TESTS_SUPPORT_BATON_H

#include <stdbool.h>
#include <stdint.h>

#define BATON_THREADS_MAX 8u

struct baton_thread {
    void (*body)(void *context);
    void *context;
    uint32_t freezes_at; /* number of the fault point at which it stays; 0: never */
    bool is_frozen;      /* out: it came to that point */
    uint32_t passes;     /* out: points that it passed */
};

/* Runs all of them to their ends, or to where they freeze. Only in programs with fault points. */
void baton_run(struct baton_thread *threads, uint32_t count, uint64_t seed);

#endif
