/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/results/results.h"

#include <math.h>
#include <stdlib.h>

bool bench_unit_small_is_good(enum bench_unit unit)
{
    return unit == BENCH_NS || unit == BENCH_BYTES;
}

const char *bench_unit_name(enum bench_unit unit)
{
    switch (unit) {
    case BENCH_NS:
        return "ns";
    case BENCH_PER_S:
        return "msg/s";
    case BENCH_BYTES_PER_S:
        return "B/s";
    case BENCH_BYTES:
        return "B";
    }
    return "?";
}

const char *bench_group_name(enum bench_group group)
{
    static const char *const names[BENCH_GROUPS] = {
        [BENCH_GROUP_FLOORS] = "floors",     [BENCH_GROUP_LATENCY] = "latency",
        [BENCH_GROUP_PACED] = "paced",       [BENCH_GROUP_THROUGHPUT] = "throughput",
        [BENCH_GROUP_PATTERNS] = "patterns", [BENCH_GROUP_WAITING] = "waiting",
        [BENCH_GROUP_GROWTH] = "growth"};

    return (unsigned)group < BENCH_GROUPS ? names[group] : "?";
}

static int compare_doubles(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;

    return (a > b) - (a < b);
}

/* Sorts. What is no number (a round that was cut) is not in it. */
static struct bench_spread spread_of(double *values, unsigned count)
{
    unsigned kept = 0;

    for (unsigned i = 0; i < count; i++) {
        if (isfinite(values[i]))
            values[kept++] = values[i];
    }
    if (kept == 0)
        return (struct bench_spread){NAN, NAN, NAN};
    qsort(values, kept, sizeof(*values), compare_doubles);
    double lower = values[(kept - 1) / 2], upper = values[kept / 2];
    return (struct bench_spread){
        .median = lower + (upper - lower) / 2, .min = values[0], .max = values[kept - 1]};
}

static double quotient(double above, double below)
{
    return isfinite(above) && isfinite(below) && below > 0 ? above / below : NAN;
}

struct bench_spread bench_record_values(const struct bench_record *record)
{
    double values[BENCH_RECORD_ROUNDS_MAX];

    for (unsigned i = 0; i < record->rounds; i++)
        values[i] = record->values[i];
    return spread_of(values, record->rounds);
}

struct bench_spread bench_record_ratio(const struct bench_record *record)
{
    double ratios[BENCH_RECORD_ROUNDS_MAX];

    for (unsigned i = 0; i < record->rounds; i++)
        ratios[i] = quotient(record->values[i], record->floors[i]);
    return spread_of(ratios, record->rounds);
}

struct bench_spread bench_record_against(const struct bench_record *left,
                                         const struct bench_record *right)
{
    double times[BENCH_RECORD_ROUNDS_MAX];
    unsigned rounds = left->rounds < right->rounds ? left->rounds : right->rounds;
    bool small_is_good = bench_unit_small_is_good(left->unit);

    for (unsigned i = 0; i < rounds; i++) {
        times[i] = small_is_good ? quotient(right->values[i], left->values[i])
                                 : quotient(left->values[i], right->values[i]);
    }
    return spread_of(times, left->unit == right->unit ? rounds : 0);
}

unsigned bench_record_drifted(const struct bench_record *record)
{
    unsigned count = 0;

    for (unsigned i = 0; i < record->rounds; i++)
        count += record->drifted[i];
    return count;
}

bool bench_record_was_wedged(const struct bench_record *record, unsigned round)
{
    return record->wedged_ns > 0 && record->values[round] >= record->wedged_ns;
}

unsigned bench_record_wedged(const struct bench_record *record)
{
    unsigned count = 0;

    for (unsigned i = 0; i < record->rounds; i++)
        count += bench_record_was_wedged(record, i);
    return count;
}
