/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PEAL_BENCH_SUPERVISOR_H
#define PEAL_BENCH_SUPERVISOR_H

#include "bench/pair.h"

/* No run of a part may take longer: then the sides hang. */
#define BENCH_PATIENCE_S 30

/*
 * Forks the two sides and waits for them: each calls its function, and the program's exit code is
 * that of the measuring side. The sides poll without bound; here is their bound: when one ends
 * early, when nothing moves for BENCH_PATIENCE_S, or when a signal says so, both are killed.
 * Afterwards the region's name is removed, whatever happened.
 */
int bench_supervise(struct bench_pair *pair, int (*measure)(struct bench_pair *pair));

#endif
