/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From values to places in a plot, and which values get a tick.
 */
#ifndef PEAL_BENCH_REPORT_AXIS_H
#define PEAL_BENCH_REPORT_AXIS_H

#include <stdbool.h>

enum { BENCH_TICKS_MAX = 32 };

struct bench_axis {
    double low, high; /* values; low < high, and 0 < low with is_log */
    double from, to;  /* where they are; from may be the greater */
    bool is_log;
    double ticks[BENCH_TICKS_MAX];
    unsigned ticks_count;
};

/* Widens what it is given to whole ticks. Whatever low and high are, what comes back can be drawn. */
struct bench_axis bench_axis_make(double low, double high, bool is_log, double from, double to);

/* Without widening: from the least to the greatest. */
struct bench_axis bench_axis_tight(double low, double high, bool is_log, double from, double to);

/* Other ticks for a logarithmic axis: powers of two (which a tight one has anyway), or of ten. */
void bench_axis_ticks_of_two(struct bench_axis *axis);
void bench_axis_ticks_of_ten(struct bench_axis *axis);

/* What lies outside is moved to the end. */
double bench_axis_at(const struct bench_axis *axis, double value);

#endif
