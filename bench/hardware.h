/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the machine is, as facts: the CPU's model, its caches, and what it runs under.
 */
#ifndef PEAL_BENCH_HARDWARE_H
#define PEAL_BENCH_HARDWARE_H

#include "bench/results/results.h"

/* Model, cores and all caches as `cpu` has them. */
void bench_hardware_record(struct bench_results *results, int cpu);

/* The hypervisor and container that can be noticed from within. */
void bench_hypervisor_record(struct bench_results *results);

#endif
