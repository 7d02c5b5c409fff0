/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/results/results.h"

#include <math.h>

double bench_sign_test(unsigned fewer, unsigned more)
{
    unsigned rounds = fewer + more;
    double ways = 1, sum = 0;

    if (fewer > more)
        return bench_sign_test(more, fewer);
    for (unsigned i = 0; i <= fewer; i++) {
        sum += ways;
        ways = ways * (rounds - i) / (i + 1);
    }
    /* Halved one after the other: 2 to the power of all rounds may be more than a double holds. */
    for (unsigned i = 1; i < rounds; i++)
        sum /= 2;
    return sum < 1 ? sum : 1;
}

static double times_better(double left, double right, bool small_is_good)
{
    double above = small_is_good ? right : left, below = small_is_good ? left : right;

    return below > 0 ? above / below : (double)NAN;
}

struct bench_pairs bench_pairs_of(const double *left, const double *right, unsigned rounds,
                                  bool small_is_good)
{
    double times[BENCH_RECORD_ROUNDS_MAX];
    struct bench_record ratios = {.values = times};
    struct bench_pairs pairs = {.rounds = 0};

    for (unsigned i = 0; i < rounds && i < BENCH_RECORD_ROUNDS_MAX; i++) {
        if (!isfinite(left[i]) || !isfinite(right[i]))
            continue;
        times[pairs.rounds++] = times_better(left[i], right[i], small_is_good);
        pairs.better += small_is_good ? left[i] < right[i] : left[i] > right[i];
        pairs.decided += left[i] < right[i] || left[i] > right[i];
    }
    ratios.rounds = pairs.rounds;
    pairs.times = bench_record_values(&ratios);
    pairs.chance = bench_sign_test(pairs.better, pairs.decided - pairs.better);
    return pairs;
}

struct bench_pairs bench_record_pairs(const struct bench_record *left,
                                      const struct bench_record *right)
{
    unsigned rounds = left->rounds < right->rounds ? left->rounds : right->rounds;
    double left_wedged[BENCH_RECORD_ROUNDS_MAX], right_wedged[BENCH_RECORD_ROUNDS_MAX];

    if (left->unit != right->unit)
        rounds = 0;
    if (left->wedged_ns <= 0 || right->wedged_ns <= 0)
        return bench_pairs_of(left->values, right->values, rounds,
                              bench_unit_small_is_good(left->unit));
    for (unsigned i = 0; i < rounds; i++) {
        left_wedged[i] = bench_record_was_wedged(left, i);
        right_wedged[i] = bench_record_was_wedged(right, i);
    }
    struct bench_pairs pairs = bench_pairs_of(left_wedged, right_wedged, rounds, true);
    pairs.times = (struct bench_spread){NAN, NAN, NAN};
    return pairs;
}
