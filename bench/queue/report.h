/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tables, as markdown that is also readable as it is, and the JSON.
 */
#ifndef PEAL_BENCH_QUEUE_REPORT_H
#define PEAL_BENCH_QUEUE_REPORT_H

#include "bench/queue/rows.h"

#include <stdio.h>

struct bench_spread {
    double median;
    double min;
    double max;
};

struct bench_spread bench_spread_of(const double *values, unsigned count);

/* One of Peal's cells beside those of the peers, in the same rounds. */
struct bench_comparison {
    const struct bench_peer *best; /* of the peers; in latency rows: of those that can be wedged */
    struct bench_spread to_best;   /* of rates: large is good; of times: best / ours */
    struct bench_spread to_median; /* rates only */
    const char *target;            /* NULL: none */
    bool is_met;
    bool is_open; /* latency rows: chance may have decided it */
};

/* More probable than this: chance. */
#define BENCH_CHANCE 0.05

/* The p99.9 of two queues, round by round. */
struct bench_pairs {
    struct bench_spread times; /* theirs / ours */
    unsigned better;           /* rounds in which ours was lower */
    unsigned decided;          /* rounds in which they differed */
    double chance;             /* of so uneven a count if both are alike (sign test, two-sided) */
};

struct bench_pairs bench_compare_pairs(const struct bench_results *results, unsigned row,
                                       unsigned peer, unsigned other);

/* False: there is nobody to be compared with. `peer`: index of a queue of Peal's. */
bool bench_compare(const struct bench_results *results, unsigned row, unsigned peer,
                   struct bench_comparison *comparison);

/* Prints all tables; returns how many targets were missed. */
unsigned bench_queue_report(FILE *out, const struct bench_results *results);

/* Writes the JSON; false if it cannot. `program`: argv[0]. */
bool bench_queue_write_json(const struct bench_results *results, const char *program,
                            const char *file);

#endif
