/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Times, counted in buckets that grow with them: up to 255 each has its own, beyond that each power of two is divided into 128,
 * so that a percentile is at most 0.8 % too high, over all that 64 bits hold. Least, greatest and mean are exact.
 */
#ifndef PEAL_TOOLS_PEAL_TALK_HISTOGRAM_H
#define PEAL_TOOLS_PEAL_TALK_HISTOGRAM_H

#include <stddef.h>
#include <stdint.h>

#define HISTOGRAM_BITS 7
#define HISTOGRAM_BUCKETS ((64 - HISTOGRAM_BITS + 1) << HISTOGRAM_BITS)

/* All zero is an empty one. */
struct histogram {
    uint64_t count;
    uint64_t min;
    uint64_t max;
    double mean;
    double squares; /* sum of the squared distances from the mean, as Welford has it */
    uint64_t buckets[HISTOGRAM_BUCKETS];
};

void histogram_add(struct histogram *histogram, uint64_t value);

/* All of `from` as well. */
void histogram_merge(struct histogram *histogram, const struct histogram *from);

/* The value that `percent` of all do not exceed; 0 if there is none. */
uint64_t histogram_percentile(const struct histogram *histogram, double percent);

double histogram_deviation(const struct histogram *histogram);

/* How many are at least 2^power and less than 2^(power + 1); 0 goes with 1. */
uint64_t histogram_octave(const struct histogram *histogram, unsigned power);

#endif
