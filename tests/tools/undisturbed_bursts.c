/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/tools/undisturbed_bursts.h"

#include "bench/report/significance.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

/* An observer may cost what noise does. Somebody who is in the way costs a multiple. */
#define MUCH 1.3
#define BY_CHANCE 0.001

uint64_t now_ns(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * UINT64_C(1000000000) + (uint64_t)now.tv_nsec;
}

bool samples_begin(struct samples *samples, size_t room)
{
    *samples = (struct samples){.room = room, .ns = malloc(room * sizeof(samples->ns[0]))};
    if (samples->ns)
        memset(samples->ns, 1, room * sizeof(samples->ns[0]));
    return samples->ns != NULL;
}

void samples_take(struct samples *samples, struct peal_publisher *publisher, uint32_t burst,
                  uint64_t window_ns)
{
    unsigned char message[48];
    const uint64_t begin_ns = now_ns();
    uint64_t before_ns = begin_ns;
    memset(message, 0xa5, sizeof(message));
    while (before_ns - begin_ns < window_ns && samples->count < samples->room) {
        for (uint32_t i = 0; i < burst; i++)
            (void)peal_publisher_publish(publisher, message, sizeof(message));
        const uint64_t after_ns = now_ns();
        const uint64_t took_ns = after_ns - before_ns;
        samples->ns[samples->count++] = took_ns < UINT32_MAX ? (uint32_t)took_ns : UINT32_MAX;
        before_ns = after_ns;
    }
}

static int compare_samples(const void *a, const void *b)
{
    const uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;
    return (left > right) - (left < right);
}

double samples_middle(struct samples *samples)
{
    const size_t from = samples->count / 10, to = samples->count - samples->count / 100;
    double sum = 0;
    qsort(samples->ns, samples->count, sizeof(samples->ns[0]), compare_samples);
    for (size_t i = from; i < to; i++)
        sum += samples->ns[i];
    return to > from ? sum / (double)(to - from) : 0;
}

uint32_t samples_at(const struct samples *samples, double part)
{
    if (samples->count == 0)
        return 0;
    const size_t at = (size_t)(part * (double)samples->count);
    return samples->ns[at < samples->count ? at : samples->count - 1];
}

static int compare_figures(const void *a, const void *b)
{
    const double left = *(const double *)a, right = *(const double *)b;
    return (left > right) - (left < right);
}

static double median(const struct windows *windows)
{
    double sorted[WINDOWS_MAX];
    memcpy(sorted, windows->ns, windows->count * sizeof(sorted[0]));
    qsort(sorted, windows->count, sizeof(sorted[0]), compare_figures);
    return windows->count > 0 ? sorted[windows->count / 2] : 0;
}

struct verdict verdict_of(const struct windows *without, const struct windows *with)
{
    struct verdict verdict = {.without_ns = median(without), .with_ns = median(with)};
    verdict.ratio = verdict.without_ns > 0 ? verdict.with_ns / verdict.without_ns : 0;
    verdict.p = bench_mann_whitney(without->ns, without->count, with->ns, with->count);
    verdict.slower = verdict.ratio > MUCH && verdict.p < BY_CHANCE;
    return verdict;
}
