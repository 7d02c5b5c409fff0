/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether two runs tell the same: ratio by ratio, whether each lies within the other's stated spread, which
 * is the least to the most of its rounds.
 *
 *  - They agree when each run's median lies within the least and the most of the other's rounds.
 *  - They are outside when one does not, though the spreads have something in common.
 *  - They are apart when the spreads have nothing in common.
 *
 * Ratios are those to a floor, and of Peal's best to each peer of a scenario, round by round. Of many
 * ratios some lie outside by chance, and it is known how many: for rounds that have nothing in common but
 * what they measure, all orders of both runs' rounds are equally probable.
 */
#ifndef PEAL_BENCH_REPORT_AGREE_H
#define PEAL_BENCH_REPORT_AGREE_H

#include "bench/report/load.h"

enum bench_agreement {
    BENCH_AGREE = 0,
    BENCH_OUTSIDE,
    BENCH_APART,
};

struct bench_range {
    double median, min, max;
    unsigned rounds;
};

struct bench_agreed {
    const struct bench_loaded *record; /* of the first run */
    const struct bench_loaded *peer;   /* that `record` is set against; NULL: the floor */
    struct bench_range before, after;
    double floor; /* how much higher it is in the second run, 0.2: a fifth; NAN: no floor */
    enum bench_agreement agreement;
    double outside_by_chance; /* how probable it is to be outside or apart by chance alone */
    double apart_by_chance;
};

/* Of all ratios. */
struct bench_concord {
    unsigned count, outside, apart; /* outside: those apart among them */
    double outside_expected, apart_expected;
    double p_outside, p_apart; /* of so many or more by chance */
};

/* Fills `agreed`, which has room for twice `before`; how many ratios both have. */
size_t bench_agree(const struct bench_archive *before, const struct bench_archive *after,
                   struct bench_agreed *agreed);

struct bench_concord bench_agree_sum_up(const struct bench_agreed *agreed, size_t count);

/* A run of `left` rounds and one of `right`: the chance that a median is outside; for even numbers,
 * at least. */
double bench_agree_outside_by_chance(unsigned left, unsigned right);

/* The chance of at least `least` successes of `count`, each with its own probability. Without memory 1. */
double bench_agree_at_least(const double *p, size_t count, unsigned least);

/* compare --agree: prints it; the exit code. */
int bench_agree_print(const struct bench_archive *before, const struct bench_archive *after,
                      double alpha, bool is_brief);

#endif
