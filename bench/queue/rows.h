/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is measured, and what came of it: a row is one contest of all queues, a cell one queue in it.
 */
#ifndef PEAL_BENCH_QUEUE_ROWS_H
#define PEAL_BENCH_QUEUE_ROWS_H

#include "bench/queue/trial.h"

enum { BENCH_QUEUE_ROUNDS_MAX = 199, BENCH_QUEUE_ROWS_MAX = 16 };

enum bench_contest {
    BENCH_THROUGHPUT = 0,
    BENCH_PUSH_TO_POP = 1,
    BENCH_STOPPED = 2,
};

struct bench_queue_row {
    const char *name;
    const char *title; /* of its column */
    enum bench_contest contest;
    unsigned ends; /* producers, and as many consumers */
    unsigned batch;
    enum bench_victim victim;
    bool is_busy; /* producers keep the CPU between their pushes */
};

extern const struct bench_queue_row bench_queue_rows[]; /* ended by one without a name */

struct bench_cell {
    double value
        [BENCH_QUEUE_ROUNDS_MAX]; /* rate; p99.9 in the queue in ns; or ns for which all were held up */
    double before[BENCH_QUEUE_ROUNDS_MAX]; /* the latter, before the stop */
    struct bench_histogram latency;        /* of all rounds */
    struct bench_histogram in_queue;       /* the same */
    unsigned cut;                          /* rounds that had to be cut off */
    uint64_t missing;
};

/* All results of one run. */
struct bench_results {
    struct bench_cell cells[BENCH_QUEUE_ROWS_MAX][BENCH_PEERS_MAX];
    bool is_chosen[BENCH_QUEUE_ROWS_MAX];
    unsigned rounds[BENCH_QUEUE_ROWS_MAX];
    double stop_ns; /* how long a victim was stopped */
};

#endif
