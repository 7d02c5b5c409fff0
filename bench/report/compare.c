/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/report/compare.h"

#include "bench/report/significance.h"
#include "bench/results/results.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static int compare_doubles(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;

    return (a > b) - (a < b);
}

struct sample {
    double values[BENCH_RECORD_ROUNDS_MAX]; /* sorted */
    unsigned count;
};

static bool has_ratios(const struct bench_loaded *record)
{
    for (unsigned i = 0; i < record->rounds; i++) {
        if (!isfinite(record->ratios[i]))
            return false;
    }
    return record->rounds > 0;
}

static void take(struct sample *sample, const struct bench_loaded *record, bool by_floor)
{
    sample->count = record->rounds;
    memcpy(sample->values, by_floor ? record->ratios : record->values,
           record->rounds * sizeof(double));
    qsort(sample->values, sample->count, sizeof(double), compare_doubles);
}

static double median(const struct sample *sample)
{
    return (sample->values[(sample->count - 1) / 2] + sample->values[sample->count / 2]) / 2;
}

/* Whether `value` is outside the middle 80 %: with fewer than ten rounds, outside all of them. */
static bool is_outside(const struct sample *sample, double value)
{
    unsigned cut = sample->count / 10;

    return value < sample->values[cut] || value > sample->values[sample->count - 1 - cut];
}

static void test(struct bench_compared *compared, struct sample *before, struct sample *after)
{
    take(before, compared->before, compared->by_floor);
    take(after, compared->after, compared->by_floor);
    compared->before_median = median(before);
    compared->after_median = median(after);
    double times = compared->after_median / compared->before_median;
    compared->worse = (compared->before->small_is_good ? times : 1 / times) - 1;
    if (!isfinite(compared->worse))
        compared->worse = 0;
    compared->is_apart =
        is_outside(before, compared->after_median) && is_outside(after, compared->before_median);
    compared->p = bench_mann_whitney(before->values, before->count, after->values, after->count);
}

static enum bench_change judge(const struct bench_compared *compared,
                               struct bench_criteria criteria)
{
    double effect = criteria.effect * (compared->by_floor ? 1 : 2);

    if (bench_mann_whitney_least(compared->before->rounds, compared->after->rounds) >
        criteria.alpha)
        return BENCH_CHANGE_UNKNOWN;
    if (compared->p > criteria.alpha || !compared->is_apart)
        return BENCH_CHANGE_NONE;
    /* A third more time is a quarter less speed: both ways the same step, whichever run comes first. */
    if (compared->worse > effect)
        return BENCH_CHANGE_WORSE;
    return 1 / (1 + compared->worse) - 1 > effect ? BENCH_CHANGE_BETTER : BENCH_CHANGE_NONE;
}

size_t bench_compare(const struct bench_archive *before, const struct bench_archive *after,
                     struct bench_criteria criteria, struct bench_compared *compared)
{
    struct sample *samples = calloc(2, sizeof(*samples));
    double *p = calloc(before->count + 1, sizeof(*p));
    size_t count = 0;

    for (size_t i = 0; i < before->count && samples != NULL && p != NULL; i++) {
        const struct bench_loaded *other = bench_archive_find(after, before->records[i].name);
        if (other == NULL)
            continue;
        compared[count] = (struct bench_compared){.before = &before->records[i],
                                                  .after = other,
                                                  .by_floor = has_ratios(&before->records[i]) &&
                                                              has_ratios(other)};
        test(&compared[count], &samples[0], &samples[1]);
        p[count] = compared[count].p;
        count++;
    }
    if (p != NULL)
        bench_false_discovery(p, (unsigned)count);
    for (size_t i = 0; i < count; i++) {
        compared[i].p = p[i];
        compared[i].change = judge(&compared[i], criteria);
    }
    free(samples);
    free(p);
    return count;
}
