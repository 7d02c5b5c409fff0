/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Numbers for people: three digits that count, and the unit that fits.
 */
#ifndef PEAL_BENCH_REPORT_FORMAT_H
#define PEAL_BENCH_REPORT_FORMAT_H

#include "bench/results/results.h"

enum { BENCH_FORMAT_SIZE = 32 };

struct bench_text {
    char text[BENCH_FORMAT_SIZE];
};

/* "287 ns", "1.23 µs", "4.56 M/s", "12.3 GB/s", "64 KiB"; "–" for what is no number. */
struct bench_text bench_format_value(double value, enum bench_unit unit);

/* The same without the unit's letter: "287 n"; for axes whose name says it. */
struct bench_text bench_format_tick(double value, enum bench_unit unit);

/* "1.07", "12.3", "1240"; "–" for what is no number. */
struct bench_text bench_format_ratio(double ratio);

/* A place on an axis: "64", "4 Ki" for powers of two, "10 k", "1.5". */
struct bench_text bench_format_place(double x);

/* One word or two for each bit of remarks, in their order; NULL: no such bit. */
const char *bench_remark_name(unsigned bit);

/* What the bit means, for a legend. */
const char *bench_remark_meaning(unsigned bit);

#endif
