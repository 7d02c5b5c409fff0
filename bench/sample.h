/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Samples of a time, and the order statistics over them.
 */
#ifndef PEAL_BENCH_SAMPLE_H
#define PEAL_BENCH_SAMPLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Zero is an empty one. */
struct bench_sample {
    double *ns; /* per operation; what has not been added one by one is the mean over a chunk */
    size_t count;
    size_t capacity;
    double total_ns;     /* of all operations, those in chunks among them */
    uint64_t operations; /* that total_ns is about */
    uint64_t untimed;    /* done beside them, as warming up: for what is taken of a whole run */
};

/* Makes room, so that adding while time is taken does not allocate; false without memory. */
bool bench_sample_reserve(struct bench_sample *sample, size_t count);

/* Adds `operations` that took `total_ns` together, as one sample. What has no room is left out. */
static inline void bench_sample_add(struct bench_sample *sample, uint64_t total_ns,
                                    uint64_t operations)
{
    if (sample->count == sample->capacity || operations == 0)
        return;
    sample->ns[sample->count++] = (double)total_ns / (double)operations;
    sample->total_ns += (double)total_ns;
    sample->operations += operations;
}

/* Appends all of `from`; false without memory. */
bool bench_sample_append(struct bench_sample *sample, const struct bench_sample *from);

void bench_sample_clear(struct bench_sample *sample); /* keeps the memory */
void bench_sample_free(struct bench_sample *sample);

/*
 * The sample below or at which `fraction` of all samples lie (nearest rank): 0.5 is the median, 1
 * the maximum. Sorts `ns` in place. 0 when there is no sample.
 */
double bench_quantile(double *ns, size_t count, double fraction);

/* Time per operation over everything, interruptions among them. */
double bench_sample_mean_ns(const struct bench_sample *sample);

/*
 * The mean of the middle `part` of the samples (0.8: without the lowest and the highest tenth). For
 * what has two modes: a median jumps between them when their weights are about equal, this does
 * not; unlike the mean of all it does not hang on a few interruptions. Sorts `ns` in place.
 */
double bench_middle_mean(double *ns, size_t count, double part);

/* Whether two probes of one thing agree within `tolerance` (0.2: the larger is at most 1.2 times). */
bool bench_probes_agree(double before, double after, double tolerance);

#endif
