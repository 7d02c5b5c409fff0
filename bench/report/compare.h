/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What became of a record between two runs. It is said to be worse (or better) when all three hold:
 *
 *  - chance does not explain it: Mann and Whitney's U test on the rounds, two-sided, at a rate of false
 *    discoveries (Benjamini and Hochberg, over all records compared) of at most alpha;
 *  - it matters: the medians differ by more than the least effect;
 *  - it is not what rounds differ by anyway: each run's median lies outside the middle 80 % of the other's rounds.
 *
 * The test is on ratios to the floor where each round of both runs has them, for they leave out what the
 * machine does to both; else on the values, and then the least effect is twice as much.
 */
#ifndef PEAL_BENCH_REPORT_COMPARE_H
#define PEAL_BENCH_REPORT_COMPARE_H

#include "bench/report/load.h"

enum bench_change {
    BENCH_CHANGE_NONE = 0,
    BENCH_CHANGE_BETTER,
    BENCH_CHANGE_WORSE,
    BENCH_CHANGE_UNKNOWN, /* too few rounds for any difference to be significant */
};

struct bench_compared {
    const struct bench_loaded *before, *after;
    bool by_floor;
    double before_median, after_median; /* of what was tested: ratios or values */
    double worse; /* 0.33: takes a third longer, or a quarter less comes through; below 0: better */
    double p;     /* of the test, then corrected */
    bool is_apart; /* the third condition */
    enum bench_change change;
};

struct bench_criteria {
    double alpha;  /* 0.01 */
    double effect; /* 0.05 */
};

/* Fills `compared`, which has room for all of `before`; how many names both have. */
size_t bench_compare(const struct bench_archive *before, const struct bench_archive *after,
                     struct bench_criteria criteria, struct bench_compared *compared);

#endif
