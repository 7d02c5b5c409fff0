/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether two samples differ by more than chance explains. Nothing is presumed of how they are distributed:
 * times of rounds are skew and have outliers, which a test of means would take for a difference or be blinded by.
 */
#ifndef PEAL_BENCH_REPORT_SIGNIFICANCE_H
#define PEAL_BENCH_REPORT_SIGNIFICANCE_H

/*
 * The two-sided p of Mann and Whitney's U test. Exact where no two values are equal and the samples are
 * of the size of rounds; else by the normal distribution, corrected for ties and continuity. Without
 * values on one side, 1.
 */
double bench_mann_whitney(const double *left, unsigned left_count, const double *right,
                          unsigned right_count);

/* The least p that samples of these sizes can give: above alpha, there are too few of them to tell. */
double bench_mann_whitney_least(unsigned left_count, unsigned right_count);

/*
 * Benjamini and Hochberg: in place of each p, the least rate of false discoveries at which it would be one.
 * With many comparisons some small p come about by chance; these take account of that.
 */
void bench_false_discovery(double *p, unsigned count);

#endif
