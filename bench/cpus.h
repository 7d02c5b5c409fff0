/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PEAL_BENCH_CPUS_H
#define PEAL_BENCH_CPUS_H

#include <stdbool.h>

/*
 * Fills in cpus[] where they are -1: two CPUs that this process may use, on different cores if the
 * kernel knows of such, the same one twice if there is no other.
 */
void bench_cpus_choose(int cpus[2]);

/* Reads "A,B" (two different numbers). */
bool bench_cpus_parse(const char *text, int cpus[2]);

/* Binds the calling thread; errno says why not. */
bool bench_cpu_bind(int cpu);

#endif
