/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/peal/talk/histogram.h"

#include <math.h>

#define FINE (UINT64_C(1) << HISTOGRAM_BITS)

static unsigned power_of(uint64_t value)
{
    return value > 0 ? 63u - (unsigned)__builtin_clzll(value) : 0;
}

static size_t bucket_of(uint64_t value)
{
    const unsigned power = power_of(value);
    const unsigned shift = power > HISTOGRAM_BITS ? power - HISTOGRAM_BITS : 0;
    return (size_t)(shift * FINE + (value >> shift));
}

/* The greatest value that falls into it. */
static uint64_t bucket_end(size_t bucket)
{
    if (bucket < 2 * FINE)
        return bucket;
    const unsigned shift = (unsigned)(bucket / FINE) - 1;
    const uint64_t begin = (bucket - shift * FINE) << shift;
    return begin + ((UINT64_C(1) << shift) - 1);
}

void histogram_add(struct histogram *histogram, uint64_t value)
{
    const double distance = (double)value - histogram->mean;
    if (histogram->count == 0 || value < histogram->min)
        histogram->min = value;
    if (value > histogram->max)
        histogram->max = value;
    histogram->count++;
    histogram->mean += distance / (double)histogram->count;
    histogram->squares += distance * ((double)value - histogram->mean);
    histogram->buckets[bucket_of(value)]++;
}

void histogram_merge(struct histogram *histogram, const struct histogram *from)
{
    if (from->count == 0)
        return;
    const double mine = (double)histogram->count, theirs = (double)from->count;
    const double distance = from->mean - histogram->mean;
    if (histogram->count == 0 || from->min < histogram->min)
        histogram->min = from->min;
    if (from->max > histogram->max)
        histogram->max = from->max;
    histogram->count += from->count;
    histogram->mean += distance * theirs / (mine + theirs);
    histogram->squares += from->squares + distance * distance * mine * theirs / (mine + theirs);
    for (size_t i = 0; i < HISTOGRAM_BUCKETS; i++)
        histogram->buckets[i] += from->buckets[i];
}

uint64_t histogram_percentile(const struct histogram *histogram, double percent)
{
    /* Less a trifle: 99.9 % of 1000 are 999, whatever the product is rounded to. */
    const double wanted = ceil((double)histogram->count * percent / 100 - 1e-6);
    uint64_t seen = 0;
    for (size_t i = 0; i < HISTOGRAM_BUCKETS; i++) {
        seen += histogram->buckets[i];
        if (seen > 0 && (double)seen >= wanted) {
            const uint64_t value = bucket_end(i);
            return value < histogram->max ? value : histogram->max;
        }
    }
    return histogram->max;
}

double histogram_deviation(const struct histogram *histogram)
{
    return histogram->count > 0 ? sqrt(histogram->squares / (double)histogram->count) : 0;
}

uint64_t histogram_octave(const struct histogram *histogram, unsigned power)
{
    const uint64_t begin = power > 0 ? UINT64_C(1) << power : 0;
    const uint64_t last = power < 63 ? (UINT64_C(1) << (power + 1)) - 1 : UINT64_MAX;
    uint64_t sum = 0;
    for (size_t i = bucket_of(begin); i <= bucket_of(last); i++)
        sum += histogram->buckets[i];
    return sum;
}
