/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One row, measured: rounds of [raw probe, floor, subject, floor, raw probe], of which those count
 * in which the machine stood still.
 */
#ifndef PEAL_BENCH_ROUNDS_H
#define PEAL_BENCH_ROUNDS_H

#include "bench/pair.h"

/* A raw round trip that moved by more says that the host has moved the CPUs under us. */
#define BENCH_TOLERANCE 0.20

struct bench_plan {
    unsigned rounds;  /* to keep */
    unsigned percent; /* of the operations of a full run */
    bool verbose;     /* prints each round to stderr */
};

struct bench_result {
    struct bench_sample pooled; /* the subject's, of all kept rounds; the caller frees */
    double typical_ns;          /* the subject's; medians over the kept rounds from here on */
    double floor_ns;
    double raw_ns;
    double ratio;
    double ratio_min;
    double ratio_max;
    double ratio_net; /* latency: with the clock's cost taken off both sides */
    unsigned kept;
    unsigned dropped;
};

/* Tries three times the planned rounds at most. kept may be 0: then there is no result. */
struct bench_result bench_rounds_run(struct bench_pair *pair, size_t row,
                                     const struct bench_plan *plan, double clock_cost_ns);

/* Whether the target is met; true without one. */
bool bench_target_met(const struct bench_row *row, double ratio);

#endif
