/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The two CPUs of a run, and how far apart they are.
 */
#ifndef PEAL_BENCH_CPUS_H
#define PEAL_BENCH_CPUS_H

#include <stdbool.h>

enum bench_distance {
    BENCH_SAME_CPU = 0,
    BENCH_SMT_SIBLINGS, /* two threads of one core: a line does not travel */
    BENCH_SAME_LLC,     /* two cores of one last-level cache */
    BENCH_OTHER_LLC,
    BENCH_OTHER_NODE, /* of memory (NUMA) */
};

/*
 * Fills in cpus[] where they are -1, with CPUs that this process may use: two cores of one last-level
 * cache if there are such, else two of one NUMA node, else two cores, else two threads of a core, else the
 * same CPU twice.
 */
void bench_cpus_choose(int cpus[2]);

enum bench_distance bench_cpus_distance(const int cpus[2]);
const char *bench_distance_name(enum bench_distance distance); /* "two cores of one ..." */

/* Reads "A,B" (two different numbers). */
bool bench_cpus_parse(const char *text, int cpus[2]);

/* Binds the calling thread; errno says why not. */
bool bench_cpu_bind(int cpu);

#endif
