/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What Peal's contenders share. They use its public functions only, and each worker opens the bus, as a
 * program would.
 */
#ifndef PEAL_BENCH_CONTEST_PEAL_H
#define PEAL_BENCH_CONTEST_PEAL_H

#include "bench/contest/ours.h"

#include <peal/peal.h>

/* A client of the channel's bus, and its descriptor (peal_bus.c). */
struct bench_peal_bus {
    struct peal_bus *bus;
    bool is_armed;
};

void bench_peal_bus_open(struct bench_peal_bus *bus, const struct bench_channel *channel);
int bench_peal_bus_descriptor(const struct bench_peal_bus *bus);

/* Before sleeping on the descriptor: rings that came until now count no more, later ones do, and it is
 * readable at once if there is something to take already. */
void bench_peal_bus_arm(struct bench_peal_bus *bus);
void bench_peal_bus_disarm(struct bench_peal_bus *bus);

/* BENCH_BATCH_MAX buffers of size_bytes, one after the other, for free(). */
unsigned char *bench_peal_buffers(size_t size_bytes);

/* Ends the process unless the call went well. */
static inline void bench_peal_must(enum peal_status status, const char *what)
{
    if (__builtin_expect(status != PEAL_OK, 0))
        bench_contender_die("%s: %s: %s", what, peal_status_text(status), peal_error_message());
}

#endif
