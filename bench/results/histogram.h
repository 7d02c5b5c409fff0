/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Times in buckets of some 6 %, so that any number of them takes the same room: 16 buckets for each
 * power of two.
 */
#ifndef PEAL_BENCH_RESULTS_HISTOGRAM_H
#define PEAL_BENCH_RESULTS_HISTOGRAM_H

#include <stdint.h>

enum { BENCH_HISTOGRAM_FINE = 16, BENCH_HISTOGRAM_BUCKETS = 61 * BENCH_HISTOGRAM_FINE };

struct bench_histogram {
    uint64_t counts[BENCH_HISTOGRAM_BUCKETS];
    uint64_t total;
};

static inline unsigned bench_histogram_bucket(uint64_t value)
{
    if (value < BENCH_HISTOGRAM_FINE)
        return (unsigned)value;
    unsigned power = 63u - (unsigned)__builtin_clzll(value); /* 4 or more */
    return (power - 3) * BENCH_HISTOGRAM_FINE +
           (unsigned)(value >> (power - 4)) % BENCH_HISTOGRAM_FINE;
}

static inline void bench_histogram_add(struct bench_histogram *histogram, uint64_t value,
                                       uint64_t times)
{
    histogram->counts[bench_histogram_bucket(value)] += times;
    histogram->total += times;
}

static inline void bench_histogram_merge(struct bench_histogram *into,
                                         const struct bench_histogram *from)
{
    for (unsigned i = 0; i < BENCH_HISTOGRAM_BUCKETS; i++)
        into->counts[i] += from->counts[i];
    into->total += from->total;
}

/* The lower end of a bucket. */
static inline uint64_t bench_histogram_value(unsigned bucket)
{
    unsigned power = bucket / BENCH_HISTOGRAM_FINE;
    uint64_t rest = bucket % BENCH_HISTOGRAM_FINE;

    return power == 0 ? rest : (BENCH_HISTOGRAM_FINE + rest) << (power - 1);
}

/* The value below or at which `fraction` of all lie; 0 if there is none. */
static inline double bench_histogram_quantile(const struct bench_histogram *histogram,
                                              double fraction)
{
    double wanted = fraction * (double)histogram->total;
    uint64_t seen = 0;

    for (unsigned i = 0; i < BENCH_HISTOGRAM_BUCKETS; i++) {
        seen += histogram->counts[i];
        if (histogram->counts[i] > 0 && (double)seen >= wanted)
            return (double)bench_histogram_value(i);
    }
    return 0;
}

#endif
