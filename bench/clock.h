/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one clock of the benchmarks: CLOCK_MONOTONIC, in nanoseconds, the same on all cores.
 *
 * Through the vDSO this is a fenced read of the CPU's counter (a load that follows is not started
 * before, one that precedes has finished), at the cost of a hand-written rdtsc between two lfences;
 * and unlike that it is comparable between the cores, which the one-way figures need.
 */
#ifndef PEAL_BENCH_CLOCK_H
#define PEAL_BENCH_CLOCK_H

#include <stdint.h>
#include <time.h>

static inline uint64_t bench_clock_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* Burns time without giving up the CPU. */
static inline void bench_clock_spin(uint64_t duration_ns)
{
    uint64_t until_ns = bench_clock_ns() + duration_ns;

    while (bench_clock_ns() < until_ns)
        continue;
}

/* --plant-delay, in front of each publish and push; 0 in earnest. */
static inline void bench_clock_plant(uint32_t delay_ns)
{
    if (__builtin_expect(delay_ns != 0, 0))
        bench_clock_spin(delay_ns);
}

/* What one reading costs: every individually timed sample contains about one of it. */
static inline double bench_clock_cost_ns(void)
{
    enum { READINGS = 4096, TRIES = 9 };
    double best_ns = 0;

    for (unsigned try = 0; try < TRIES; try++) {
        uint64_t begin_ns = bench_clock_ns(), end_ns = 0;

        for (unsigned i = 0; i < READINGS; i++)
            end_ns = bench_clock_ns();
        double cost_ns = (double)(end_ns - begin_ns) / READINGS;
        if (try == 0 || cost_ns < best_ns)
            best_ns = cost_ns;
    }
    return best_ns;
}

#endif
