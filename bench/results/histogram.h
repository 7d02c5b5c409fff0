/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Times in buckets of less than 1 %, so that any number of them takes the same room: 128 buckets for
 * each power of two, exact below 256. The largest is kept as it was.
 *
 * Zeroed memory is an empty one.
 */
#ifndef PEAL_BENCH_RESULTS_HISTOGRAM_H
#define PEAL_BENCH_RESULTS_HISTOGRAM_H

#include <stdint.h>

enum {
    BENCH_HISTOGRAM_POWER = 7, /* of two: that many buckets for each further power */
    BENCH_HISTOGRAM_FINE = 1 << BENCH_HISTOGRAM_POWER,
    BENCH_HISTOGRAM_BUCKETS = (65 - BENCH_HISTOGRAM_POWER) * BENCH_HISTOGRAM_FINE
};

struct bench_histogram {
    uint64_t counts[BENCH_HISTOGRAM_BUCKETS];
    uint64_t total;
    uint64_t max;
};

static inline unsigned bench_histogram_bucket(uint64_t value)
{
    if (value < BENCH_HISTOGRAM_FINE)
        return (unsigned)value;
    unsigned power = 63u - (unsigned)__builtin_clzll(value); /* BENCH_HISTOGRAM_POWER or more */
    unsigned shift = power - BENCH_HISTOGRAM_POWER;
    return (shift + 1) * BENCH_HISTOGRAM_FINE + (unsigned)(value >> shift) % BENCH_HISTOGRAM_FINE;
}

static inline void bench_histogram_add(struct bench_histogram *histogram, uint64_t value,
                                       uint64_t times)
{
    if (times == 0)
        return;
    histogram->counts[bench_histogram_bucket(value)] += times;
    histogram->total += times;
    if (value > histogram->max)
        histogram->max = value;
}

static inline void bench_histogram_merge(struct bench_histogram *into,
                                         const struct bench_histogram *from)
{
    for (unsigned i = 0; i < BENCH_HISTOGRAM_BUCKETS; i++)
        into->counts[i] += from->counts[i];
    into->total += from->total;
    if (from->max > into->max)
        into->max = from->max;
}

/* The lower end of a bucket: the least value in it. */
static inline uint64_t bench_histogram_value(unsigned bucket)
{
    unsigned power = bucket / BENCH_HISTOGRAM_FINE;
    uint64_t rest = bucket % BENCH_HISTOGRAM_FINE;

    return power == 0 ? rest : (BENCH_HISTOGRAM_FINE + rest) << (power - 1);
}

/* The upper end: the greatest value in it. */
static inline uint64_t bench_histogram_upper(unsigned bucket)
{
    unsigned power = bucket / BENCH_HISTOGRAM_FINE;

    return bench_histogram_value(bucket) + (power == 0 ? 0 : (UINT64_C(1) << (power - 1)) - 1);
}

/*
 * The value at or below which `fraction` of all lie: the upper end of the bucket, so never too good, and
 * never above the maximum; 0 if there is none.
 */
static inline double bench_histogram_quantile(const struct bench_histogram *histogram,
                                              double fraction)
{
    double wanted = fraction * (double)histogram->total;
    uint64_t seen = 0;

    for (unsigned i = 0; i < BENCH_HISTOGRAM_BUCKETS; i++) {
        seen += histogram->counts[i];
        if (histogram->counts[i] > 0 && (double)seen >= wanted) {
            uint64_t upper = bench_histogram_upper(i);
            return (double)(upper < histogram->max ? upper : histogram->max);
        }
    }
    return (double)histogram->max;
}

/* Of the middles of the buckets; 0 if there is none. */
static inline double bench_histogram_mean(const struct bench_histogram *histogram)
{
    double sum = 0;

    for (unsigned i = 0; i < BENCH_HISTOGRAM_BUCKETS && histogram->total > 0; i++) {
        if (histogram->counts[i] > 0)
            sum += (double)histogram->counts[i] / (double)histogram->total *
                   ((double)bench_histogram_value(i) / 2 + (double)bench_histogram_upper(i) / 2);
    }
    return sum;
}

#endif
