/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PEAL_BENCH_QUEUE_OPTIONS_H
#define PEAL_BENCH_QUEUE_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

struct bench_queue_options {
    unsigned rounds;
    unsigned percent;  /* of the times of a full run */
    unsigned rate_khz; /* latency rows: thousand letters a second, of all producers together */
    int cpus[2];       /* -1: choose */
    const char *url;
    const char *filter; /* NULL: all rows */
    const char *json;   /* NULL: none */
    bool is_realtime;
    bool shares_depth; /* Peal's lanes together are as deep as each of the others */
    bool markdown;     /* the tables only */
    bool verbose;
    bool plants_fault;
};

/* Returns -1 to go on, else the code to exit with at once. */
int bench_queue_options_parse(struct bench_queue_options *options, int argc, char **argv);

#endif
