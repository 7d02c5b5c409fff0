/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PEAL_BENCH_OPTIONS_H
#define PEAL_BENCH_OPTIONS_H

#include <stdbool.h>

struct bench_options {
    int cpus[2];          /* -1: choose */
    const char *url;      /* of the bus; NULL: one of our own */
    const char *also_url; /* of a second one; NULL: none */
    const char *filter;
    const char *contenders;
    const char *json;
    const char *report;
    unsigned rounds;   /* 0: as planned */
    double duration_s; /* 0: as planned */
    unsigned delay_ns;
    bool quick;
    bool threads;
    bool shares_depth;
    bool is_realtime;
    bool list;
    bool verbose;
    bool plants_fault;
};

/* Returns -1 to go on, else the code to exit with at once (after --help, or a wrong argument). */
int bench_options_parse(struct bench_options *options, int argc, char **argv);

#endif
