/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A run: scenarios, one after the other, each of which measures some contenders and floors in interleaved
 * rounds and adds records to the results.
 *
 * A scenario is the unit of --filter, of the progress line and of Ctrl-C: when a signal has come, what is
 * under way ends after its present round and keeps what it has; the others are not begun; everything is
 * still written.
 */
#ifndef PEAL_BENCH_RUN_H
#define PEAL_BENCH_RUN_H

#include "bench/results/results.h"

#include <stdbool.h>

struct bench_run {
    struct bench_results results;
    const char *url; /* of Peal's bus; exists for the whole run */
    /* The same for a second one, over which Peal's contenders have turns of their own in each contest;
     * NULL: none. */
    const char *also_url;
    int cpus[2];
    unsigned rounds;      /* of each scenario, in the present sweep */
    unsigned rounds_done; /* in earlier sweeps */
    double scale;         /* 1: a full run; operations and durations are multiplied by it */
    bool is_realtime;     /* contests in the class SCHED_RR */
    bool shares_depth;    /* Peal's queues are so deep for all senders together, not for each */
    bool threads;         /* workers are threads of one process, where both would go */
    bool plants_fault;    /* one message is spoilt: the run must fail */
    unsigned
        delay_ns; /* planted into each publish and push of Peal's, to see that compare finds it */
    bool verbose;
    const char *contenders; /* extended regular expression over their names; NULL: all */
    /* Told by scenarios: how far they have come, 0..1; redraws the progress line. */
    void (*progress)(struct bench_run *run, double part);
    bool has_failed;           /* content was wrong somewhere: the run's exit code is 1 */
    const char *filter;        /* as contenders, over the names of scenarios and records */
    struct bench_guide *guide; /* the conductor's own */
};

struct bench_scenario {
    const char *name; /* with the group: "latency/64", "growth/publish/asleep" */
    enum bench_group group;
    const char *also; /* a second scenario that the same turns yield; NULL: none */
    double seconds;   /* of a full run, about, on two cores; a contest's is worked out (plan.h) */
    /* Adds its records. What it cannot measure here (one core, no package) it leaves out, with a note. */
    void (*run)(struct bench_run *run, const struct bench_scenario *scenario);
    const void *parameters; /* of run() */
};

/* Each ended by one without a name. */
extern const struct bench_scenario bench_contest_scenarios[]; /* contest/scenarios.c */
extern const struct bench_scenario
    bench_pair_scenarios[]; /* rows.c: Peal against its floors, two processes */
extern const struct bench_scenario bench_growth_scenarios[]; /* growth/scenarios.c */

/* `rounds` of a full run, which is what `seconds` is about. */
enum { BENCH_ROUNDS_FULL = 11 };

/* "ping_pong/copy/48" of "latency/ping_pong/copy/48": what bench_results_add() wants. */
const char *bench_scenario_title(const struct bench_scenario *scenario);

/* Whether --filter and --contenders want this contender in this scenario. Floors that others are set
 * against are measured in any case. */
bool bench_run_wants(const struct bench_run *run, const struct bench_scenario *scenario,
                     const char *contender);

/* The signal that told the program to end, or 0. */
int bench_interrupted(void);

#endif
