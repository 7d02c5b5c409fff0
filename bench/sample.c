/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/sample.h"

#include <stdlib.h>
#include <string.h>

bool bench_sample_reserve(struct bench_sample *sample, size_t count)
{
    if (count <= sample->capacity)
        return true;
    double *ns = realloc(sample->ns, count * sizeof *ns);
    if (ns == NULL)
        return false;
    /* Touched now, so that no page fault falls into a measurement. */
    memset(ns + sample->capacity, 0, (count - sample->capacity) * sizeof *ns);
    sample->ns = ns;
    sample->capacity = count;
    return true;
}

bool bench_sample_append(struct bench_sample *sample, const struct bench_sample *from)
{
    if (from->count == 0)
        return true;
    if (!bench_sample_reserve(sample, sample->count + from->count))
        return false;
    memcpy(sample->ns + sample->count, from->ns, from->count * sizeof *from->ns);
    sample->count += from->count;
    sample->total_ns += from->total_ns;
    sample->operations += from->operations;
    return true;
}

void bench_sample_clear(struct bench_sample *sample)
{
    sample->count = 0;
    sample->total_ns = 0;
    sample->operations = 0;
    sample->untimed = 0;
}

void bench_sample_free(struct bench_sample *sample)
{
    free(sample->ns);
    *sample = (struct bench_sample){0};
}

static int compare_doubles(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;

    return (a > b) - (a < b);
}

double bench_quantile(double *ns, size_t count, double fraction)
{
    if (count == 0)
        return 0;
    qsort(ns, count, sizeof *ns, compare_doubles);
    double rank = fraction * (double)count;
    size_t index = (size_t)rank;
    if ((double)index < rank)
        index++; /* the ceiling: "at least this part of them" */
    if (index > 0)
        index--;
    return ns[index < count ? index : count - 1];
}

double bench_middle_mean(double *ns, size_t count, double part)
{
    if (count == 0)
        return 0;
    qsort(ns, count, sizeof *ns, compare_doubles);
    size_t cut = (size_t)((1 - part) / 2 * (double)count + 1e-6); /* 0.9999... is 1 */
    if (2 * cut >= count)
        cut = (count - 1) / 2;
    double sum = 0;
    for (size_t i = cut; i < count - cut; i++)
        sum += ns[i];
    return sum / (double)(count - 2 * cut);
}

double bench_sample_mean_ns(const struct bench_sample *sample)
{
    return sample->operations == 0 ? 0 : sample->total_ns / (double)sample->operations;
}

bool bench_probes_agree(double before, double after, double tolerance)
{
    double low = before < after ? before : after;
    double high = before < after ? after : before;

    return low > 0 && high <= low * (1 + tolerance);
}
