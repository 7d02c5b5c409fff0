/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/report/agree.h"

#include "bench/report/significance.h"
#include "bench/results/results.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- by chance ---- */

/* That the `high` greatest of all are of the one run, and the `low` least of the other. */
static double ends_by_chance(unsigned one, unsigned high, unsigned other, unsigned low)
{
    double p = 1, left = (double)one + other;

    for (unsigned i = 0; i < high; i++)
        p *= (one - (double)i) / left--;
    for (unsigned i = 0; i < low; i++)
        p *= (other - (double)i) / left--;
    return p;
}

/* A median is above all others when it and all above it are: so many. One that lies between two rounds is so
 * for sure when the lower of them is. */
static double outside_by_chance(unsigned left, unsigned left_half, unsigned right,
                                unsigned right_half)
{
    /* A median above the other run, the other's median below this one; both at once counted once. */
    double above = ends_by_chance(left, left_half, right, 0);
    double below = ends_by_chance(left, 0, right, right_half);
    double both = ends_by_chance(left, left_half, right, right_half);

    return 2 * (above + below - both); /* and the other way round */
}

double bench_agree_outside_by_chance(unsigned left, unsigned right)
{
    if (left == 0 || right == 0)
        return 1;
    return fmin(1, outside_by_chance(left, left / 2 + 1, right, right / 2 + 1));
}

double bench_agree_at_least(const double *p, size_t count, unsigned least)
{
    double *exactly = calloc(count + 2, sizeof(*exactly)); /* so many of those seen so far */
    double tail = 0;

    if (exactly == NULL)
        return 1;
    exactly[0] = 1;
    for (size_t i = 0; i < count; i++) {
        for (size_t k = i + 1; k > 0; k--)
            exactly[k] = exactly[k] * (1 - p[i]) + exactly[k - 1] * p[i];
        exactly[0] *= 1 - p[i];
    }
    for (size_t k = least; k <= count; k++)
        tail += exactly[k];
    free(exactly);
    return fmin(1, tail);
}

/* ---- one ratio ---- */

static int compare_doubles(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;

    return (a > b) - (a < b);
}

/* Sorts. */
static struct bench_range range_of(double *values, unsigned count)
{
    if (count == 0)
        return (struct bench_range){NAN, NAN, NAN, 0};
    qsort(values, count, sizeof(*values), compare_doubles);
    return (struct bench_range){(values[(count - 1) / 2] + values[count / 2]) / 2, values[0],
                                values[count - 1], count};
}

static struct bench_range to_floor(const struct bench_loaded *record)
{
    double ratios[BENCH_RECORD_ROUNDS_MAX];
    unsigned count = 0;

    for (unsigned i = 0; i < record->rounds; i++) {
        if (isfinite(record->ratios[i]))
            ratios[count++] = record->ratios[i];
    }
    return range_of(ratios, count);
}

/* How many times better Peal is, in the rounds that both have. */
static struct bench_range to_peer(const struct bench_loaded *peal, const struct bench_loaded *peer)
{
    double times[BENCH_RECORD_ROUNDS_MAX];
    unsigned count = 0;

    for (unsigned i = 0, k = 0; i < peal->rounds; i++) {
        while (k < peer->rounds && peer->numbers[k] < peal->numbers[i])
            k++;
        if (k == peer->rounds || peer->numbers[k] > peal->numbers[i])
            continue;
        double time = peal->small_is_good ? peer->values[k] / peal->values[i]
                                          : peal->values[i] / peer->values[k];
        if (isfinite(time))
            times[count++] = time;
    }
    return range_of(times, count);
}

static bool is_within(double value, const struct bench_range *range)
{
    return value >= range->min && value <= range->max;
}

static void judge(struct bench_agreed *agreed)
{
    const struct bench_range *before = &agreed->before, *after = &agreed->after;

    if (before->max < after->min || after->max < before->min)
        agreed->agreement = BENCH_APART;
    else if (!is_within(after->median, before) || !is_within(before->median, after))
        agreed->agreement = BENCH_OUTSIDE;
    agreed->outside_by_chance = bench_agree_outside_by_chance(before->rounds, after->rounds);
    agreed->apart_by_chance = bench_mann_whitney_least(before->rounds, after->rounds);
}

static double median_floor(const struct bench_loaded *record)
{
    double floors[BENCH_RECORD_ROUNDS_MAX];
    unsigned count = 0;

    for (unsigned i = 0; i < record->rounds; i++) {
        double floor = record->values[i] / record->ratios[i];
        if (isfinite(floor))
            floors[count++] = floor;
    }
    return range_of(floors, count).median;
}

/* ---- all ratios ---- */

/* "latency/64/" of "latency/64/peal spsc"; the names of Peal's contenders have no slash. */
static size_t scenario_length(const struct bench_loaded *peal)
{
    const char *slash = strrchr(peal->name, '/');

    return slash == NULL ? 0 : (size_t)(slash - peal->name) + 1;
}

static double median_value(const struct bench_loaded *record)
{
    double values[BENCH_RECORD_ROUNDS_MAX];

    memcpy(values, record->values, record->rounds * sizeof(*values));
    return range_of(values, record->rounds).median;
}

/* By both runs, so that none is favoured: the product of the medians, the more the better. */
static double merit(const struct bench_loaded *record, const struct bench_archive *after)
{
    const struct bench_loaded *other = bench_archive_find(after, record->name);

    if (other == NULL)
        return -1;
    double product = median_value(record) * median_value(other);
    return record->small_is_good ? 1 / product : product;
}

/* Peal's in the scenario of `peer`, or NULL. */
static const struct bench_loaded *best_beside(const struct bench_loaded *peer,
                                              const struct bench_archive *before,
                                              const struct bench_archive *after)
{
    const struct bench_loaded *best = NULL;
    size_t best_length = 0;
    double best_merit = 0;

    for (size_t i = 0; i < before->count; i++) {
        const struct bench_loaded *peal = &before->records[i];
        size_t length = peal->is_peal ? scenario_length(peal) : 0;
        if (length == 0 || length < best_length || strncmp(peal->name, peer->name, length) != 0 ||
            strcmp(peal->unit, peer->unit) != 0)
            continue;
        double its_merit = merit(peal, after);
        if (its_merit > 0 && (length > best_length || its_merit > best_merit)) {
            best = peal;
            best_length = length;
            best_merit = its_merit;
        }
    }
    return best;
}

static bool add_floor(const struct bench_loaded *record, const struct bench_loaded *other,
                      struct bench_agreed *agreed)
{
    *agreed = (struct bench_agreed){.record = record,
                                    .before = to_floor(record),
                                    .after = to_floor(other),
                                    .floor = median_floor(other) / median_floor(record) - 1};
    if (agreed->before.rounds == 0 || agreed->after.rounds == 0)
        return false;
    judge(agreed);
    return true;
}

static bool add_peer(const struct bench_loaded *peer, const struct bench_loaded *other_peer,
                     const struct bench_archive *before, const struct bench_archive *after,
                     struct bench_agreed *agreed)
{
    const struct bench_loaded *peal = best_beside(peer, before, after);

    if (peal == NULL)
        return false;
    *agreed = (struct bench_agreed){
        .record = peal,
        .peer = peer,
        .before = to_peer(peal, peer),
        .after = to_peer(bench_archive_find(after, peal->name), other_peer),
        .floor = NAN,
    };
    if (agreed->before.rounds == 0 || agreed->after.rounds == 0)
        return false;
    judge(agreed);
    return true;
}

size_t bench_agree(const struct bench_archive *before, const struct bench_archive *after,
                   struct bench_agreed *agreed)
{
    size_t count = 0;

    for (size_t i = 0; i < before->count; i++) {
        const struct bench_loaded *record = &before->records[i];
        const struct bench_loaded *other = bench_archive_find(after, record->name);
        if (other == NULL)
            continue;
        count += add_floor(record, other, &agreed[count]);
        if (record->is_peer)
            count += add_peer(record, other, before, after, &agreed[count]);
    }
    return count;
}

struct bench_concord bench_agree_sum_up(const struct bench_agreed *agreed, size_t count)
{
    struct bench_concord concord = {.count = (unsigned)count, .p_outside = 1, .p_apart = 1};
    double *outside = calloc(count + 1, sizeof(*outside));
    double *apart = calloc(count + 1, sizeof(*apart));

    for (size_t i = 0; i < count; i++) {
        concord.outside += agreed[i].agreement != BENCH_AGREE;
        concord.apart += agreed[i].agreement == BENCH_APART;
        concord.outside_expected += agreed[i].outside_by_chance;
        concord.apart_expected += agreed[i].apart_by_chance;
        if (outside != NULL && apart != NULL) {
            outside[i] = agreed[i].outside_by_chance;
            apart[i] = agreed[i].apart_by_chance;
        }
    }
    if (outside != NULL && apart != NULL) {
        concord.p_outside = bench_agree_at_least(outside, count, concord.outside);
        concord.p_apart = bench_agree_at_least(apart, count, concord.apart);
    }
    free(outside);
    free(apart);
    return concord;
}
