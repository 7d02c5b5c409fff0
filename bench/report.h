/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a run prints: a table, row by row as they come.
 */
#ifndef PEAL_BENCH_REPORT_H
#define PEAL_BENCH_REPORT_H

#include "bench/gbench.h"
#include "bench/rounds.h"

#include <stdio.h>

struct bench_quantiles {
    double p50_ns;
    double p99_ns;
    double p999_ns;
    double max_ns;
};

/* Sorts the samples. */
struct bench_quantiles bench_quantiles_of(struct bench_sample *sample);

/* The same figures as counters of Google Benchmark, for JSON and CSV. */
void bench_report_counters(struct gbench_state *state, const struct bench_row *row,
                           const struct bench_result *result,
                           const struct bench_quantiles *quantiles);

void bench_report_head(FILE *out, const struct bench_pair *pair, const struct bench_plan *plan,
                       double clock_cost_ns);
void bench_report_row(FILE *out, const struct bench_row *row, const struct bench_result *result,
                      const struct bench_quantiles *quantiles);
void bench_report_foot(FILE *out, unsigned rows, unsigned short_rows, unsigned unstable_rows);

#endif
