/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Under what conditions a run was made, as facts of its results: whatever may change a figure and can be
 * read without being root.
 */
#ifndef PEAL_BENCH_ENVIRONMENT_H
#define PEAL_BENCH_ENVIRONMENT_H

#include "bench/run.h"

void bench_environment_record(struct bench_results *results, const struct bench_run *run);

/* At the end: what may have changed meanwhile. */
void bench_environment_finish(struct bench_results *results);

#endif
