/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where the time of trials goes, by contender: what of it is measuring, and what is not. Printed at the end
 * of a verbose run. By the conductor's one thread.
 */
#ifndef PEAL_BENCH_CONTEST_ACCOUNT_H
#define PEAL_BENCH_CONTEST_ACCOUNT_H

#include <stdint.h>
#include <stdio.h>

enum bench_step {
    BENCH_STEP_BEGIN = 0,   /* channels are made */
    BENCH_STEP_OPEN = 1,    /* workers are forked and open their ends */
    BENCH_STEP_CONNECT = 2, /* until all are ready */
    BENCH_STEP_RUN = 3,     /* warming up, and what counts */
    BENCH_STEP_DRAIN = 4,   /* what is left is received */
    BENCH_STEP_CLOSE = 5,   /* workers close and end */
    BENCH_STEP_END = 6,     /* channels are cleared away */
    BENCH_STEPS = 7,
};

/* From the last call until now was this step. `contender`: NULL begins a trial, nothing is added. */
void bench_account_step(const char *contender, enum bench_step step);

/* A table: milliseconds of each step in an average trial, and seconds of all. */
void bench_account_print(FILE *file);

#endif
