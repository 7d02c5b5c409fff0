/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PEAL_BENCH_OPTIONS_H
#define PEAL_BENCH_OPTIONS_H

#include "bench/rounds.h"

#include <stdbool.h>

struct bench_options {
    struct bench_plan plan;
    int cpus[2]; /* -1: choose */
    const char *url;
    const char *filter; /* extended regular expression over the names of rows; NULL: all */
    bool plant_fault;
    bool console; /* Google Benchmark's own output was asked for */
    /* Arguments for Google Benchmark, ended by NULL; strings are made by the parser and live on. */
    int gbench_argc;
    char *gbench_argv[32];
};

/* Returns -1 to go on, else the code to exit with at once (after --help, or a wrong argument). */
int bench_options_parse(struct bench_options *options, int argc, char **argv);

#endif
