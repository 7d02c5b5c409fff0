/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One row, measured: rounds of [raw probe, floor, subject, floor, raw probe], each with everything opened
 * anew, in other pages. Those in which the machine did not stand still are kept and marked.
 */
#ifndef PEAL_BENCH_ROUNDS_H
#define PEAL_BENCH_ROUNDS_H

#include "bench/run.h"

/* A raw round trip that moved by more says that the host has moved the CPUs under us. */
#define BENCH_TOLERANCE 0.20

/* run() of scenarios whose parameters are a struct bench_row: adds one record. */
void bench_pair_scenario_run(struct bench_run *run, const struct bench_scenario *scenario);

#endif
