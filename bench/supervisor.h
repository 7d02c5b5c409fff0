/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PEAL_BENCH_SUPERVISOR_H
#define PEAL_BENCH_SUPERVISOR_H

#include "bench/pair.h"

/* No run of a part may take longer: then the sides hang. */
#define BENCH_PATIENCE_S 30

/*
 * Forks the two sides (or one process with two threads) and waits for them; `measure` is called by the
 * measuring side. The sides poll without bound; here is their bound: when one ends early, or nothing moves
 * for BENCH_PATIENCE_S, both are killed. They die with the conductor, too. Redraws the progress line.
 *
 * 0, 1 or BENCH_EXIT_IMPOSSIBLE: as the measuring side ended.
 */
int bench_supervise(struct bench_pair *pair, struct bench_run *run,
                    int (*measure)(struct bench_pair *pair));

#endif
