/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What becomes of results: tables on a terminal, JSON, CSV, .hgrm files, and a page to look at.
 *
 *      bench_text_group(stdout, &results, BENCH_GROUP_LATENCY)    as each group is done
 *      bench_text_foot(stdout, &results)                          at the end
 *      bench_report_write(&results, "report")                     index.html and all files
 *
 * Facts that have a place of their own on the page: "command" (how to reproduce), "commit", "date", "cpu",
 * "cpus". The others are listed as they came.
 *
 * Curves: records of one group, x_name and unit whose series is the same up to its first comma are drawn in
 * one plot; a line is a contender and what follows the comma: "publish, subscribers awake" and "publish,
 * subscribers asleep" are two lines of the plot "publish".
 *
 * Everything that writes a file says on stderr what went wrong, and returns false.
 */
#ifndef PEAL_BENCH_REPORT_REPORT_H
#define PEAL_BENCH_REPORT_REPORT_H

#include "bench/results/results.h"

#include <stdbool.h>
#include <stdio.h>

void bench_text_head(FILE *out, const struct bench_results *results);
void bench_text_group(FILE *out, const struct bench_results *results, enum bench_group group);
void bench_text_scenario(FILE *out, const struct bench_results *results, enum bench_group group,
                         const char *scenario); /* one table of it */
/* Counts, and where Peal is not ahead. */
void bench_text_foot(FILE *out, const struct bench_results *results);

/* Google Benchmark's schema: each round is a repetition; then median, min and max as aggregates. */
bool bench_json_write(const struct bench_results *results, const char *path);

/* A line for each round of each record. */
bool bench_csv_write(const struct bench_results *results, const char *path);

/* A line for Peal's best beside each peer, and beside what a scenario aims at. */
bool bench_standing_write(const struct bench_results *results, const char *path);

/* HdrHistogram's percentile distributions, in microseconds: one file in `folder` (made if it is not there) for
 * each record that has latencies. */
bool bench_hgrm_write(const struct bench_results *results, const char *folder);

/* The page alone. */
bool bench_html_write(const struct bench_results *results, const char *path);

/* index.html, results.json, results.csv, standing.csv and hgrm/ in `folder`, which is made if it is not there. */
bool bench_report_write(const struct bench_results *results, const char *folder);

/*
 * `peal-bench compare [options] A B`; argv[0] is "compare". 0: nothing is worse, 1: something is, 2: A or B
 * cannot be read or the arguments are wrong.
 */
int bench_compare_main(int argc, char **argv);

#endif
