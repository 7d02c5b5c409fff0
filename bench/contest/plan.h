/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How long a contest takes: by who takes part in it, for so many rounds of such a length.
 */
#ifndef PEAL_BENCH_CONTEST_PLAN_H
#define PEAL_BENCH_CONTEST_PLAN_H

#include "bench/run.h"

/* What scales with run->scale, and what does not; of `rounds` rounds of a full run. */
struct bench_plan {
    double measured_s; /* warming up and measuring, at the scale 1 */
    double around_s;   /* forking, opening, connecting, receiving the rest, clearing away */
};

struct bench_plan bench_contest_plan(const struct bench_run *run,
                                     const struct bench_scenario *scenario, unsigned rounds);

#endif
