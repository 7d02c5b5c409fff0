/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The two plots of the report: curves, and bars. They know of lines and rows, not of records.
 */
#ifndef PEAL_BENCH_REPORT_PLOT_H
#define PEAL_BENCH_REPORT_PLOT_H

#include "bench/results/results.h"

#include <stdio.h>

enum { BENCH_PLOT_LINES_MAX = 64 };

struct bench_line {
    const char *style; /* the class of its contender's colour: "k3" */
    const char *label; /* at its end */
    const double *x, *y;
    const double *low, *high; /* of the band; NULL: none */
    unsigned count;
    bool is_strong; /* ours: thicker, and on top */
};

enum bench_x_kind {
    BENCH_X_PLACES,      /* sizes, numbers, rates: a tick at each place, as far as there is room */
    BENCH_X_PERCENTILES, /* x is 1 / (1 - p) and ticks say 90 %, 99 %, ... */
};

struct bench_curves {
    const char *title;
    const char *x_name;
    const char *y_name;
    enum bench_x_kind x_kind;
    enum bench_unit unit; /* of y */
    struct bench_line lines[BENCH_PLOT_LINES_MAX];
    unsigned count;
};

struct bench_bar {
    const char *style;
    const char *label;
    struct bench_spread value; /* NAN: "no value" is written instead of a bar */
    const char *remark;        /* behind the figure; NULL: none */
    bool is_strong;
    bool is_floor; /* drawn as a line through all bars, with its own row */
};

struct bench_bars {
    const char *title;
    const char *x_name;
    enum bench_unit unit;
    struct bench_bar bars[BENCH_PLOT_LINES_MAX];
    unsigned count;
};

/* Each a <figure>. A point that is no number, or has no place on a logarithmic axis, is left out. */
void bench_plot_curves(FILE *out, const struct bench_curves *curves);
void bench_plot_bars(FILE *out, const struct bench_bars *bars);

#endif
