/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The conductor's list: which scenarios are run, how long that takes, and how far it has come.
 */
#ifndef PEAL_BENCH_GUIDE_H
#define PEAL_BENCH_GUIDE_H

#include "bench/options.h"
#include "bench/run.h"

#include <stddef.h>
#include <stdio.h>

enum { BENCH_SCENARIOS_MAX = 1024 };

struct bench_guide {
    const struct bench_scenario *scenarios[BENCH_SCENARIOS_MAX];
    double planned[BENCH_SCENARIOS_MAX]; /* seconds, as this run scales them */
    double taken[BENCH_SCENARIOS_MAX];
    size_t count;
    double planned_s; /* of all */
    /* The rounds of a scenario are spread over the whole run, so that what the machine does by the minute is
     * seen in each: one sweep over all scenarios after the other. */
    unsigned rounds; /* of all sweeps */
    unsigned sweeps;
    unsigned sweep; /* the present one */
    /* Of the progress line. */
    size_t current;
    double done_s; /* planned, of those before the current one */
    uint64_t begin_ns;
    uint64_t scenario_ns; /* when the current one began */
    bool is_shown;        /* stderr is a terminal */
};

/* Selects by run->filter and run->contenders. False: none is left, which has been said. */
bool bench_guide_select(struct bench_guide *guide, const struct bench_run *run);

/*
 * Sets rounds and scale from --quick, --rounds and --duration. A longer run gets more rounds first, then
 * longer turns, both bounded: what then is too short is said.
 */
void bench_guide_plan(struct bench_guide *guide, struct bench_run *run,
                      const struct bench_options *options);

/* run->progress. */
void bench_guide_progress(struct bench_run *run, double part);

/* Around the run() of the current scenario, whose share of the rounds it sets; afterwards the next one is
 * current, or the first one of the next sweep. */
void bench_guide_begin(struct bench_guide *guide, struct bench_run *run);
void bench_guide_end(struct bench_guide *guide);

static inline bool bench_guide_is_last_sweep(const struct bench_guide *guide)
{
    return guide->sweep + 1 >= guide->sweeps;
}

/* Planned and taken seconds of each scenario that was run, to see whether the plan is right. */
void bench_guide_print_times(const struct bench_guide *guide, FILE *file);

/* Takes the line away, so that something else can be printed. */
void bench_guide_wipe(const struct bench_guide *guide);

#endif
