/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A contest: the contenders that can do one thing, measured in interleaved rounds, and the floors of it
 * among them.
 *
 * In each round every one has its turn (a trial), another one first each time; so what else the machine
 * does meets all of them. A ping-pong of the raw cache line goes before and after each round: if the two
 * differ by more than 20 % the host has moved the CPUs meanwhile, and the round is marked.
 */
#ifndef PEAL_BENCH_CONTEST_CONTEST_H
#define PEAL_BENCH_CONTEST_CONTEST_H

#include "bench/contest/trial.h"
#include "bench/run.h"

/* Before anything counts, where a scenario does not say otherwise; of a full run. */
enum { BENCH_CONTEST_WARM_MS = 2 };

/* The parameters of a scenario. Zero is a default in all but the first. */
struct bench_contest {
    enum bench_mode mode;
    enum bench_pattern pattern;
    uint32_t senders;   /* 0: 1 */
    uint32_t receivers; /* 0: 1 */
    uint32_t size_bytes;
    uint32_t batch; /* 0: 1 */
    enum bench_waiting waiting;
    uint32_t rate_hz; /* of all senders together, by schedule */
    bool is_busy;     /* senders keep the CPU between their messages */
    enum bench_victim victim;
    uint32_t stop_ms;
    uint32_t lead_ms; /* before a stop; 0: two fifths of it */
    bool half_rounds; /* turns are long: every second round only */
    uint32_t warm_ms; /* of a full run; 0: BENCH_CONTEST_WARM_MS */
    uint32_t measure_ms;
    double quantile; /* of a round's latencies, which is its value; 0: not a latency */
    bool in_bytes;   /* the value is bytes a second */
    const struct bench_contender
        *floors[4]; /* measured along; the first one is what is set against */
    double target;  /* of the ratio to the floor */
    const char *series;
    const char *x_name;
    double x;
    const char *note; /* of each record */
    /* Of a scenario that tells latency in the queue as well (bench_scenario.also): the note of that, which
     * also has the aim. */
    const char *note_in_queue;
    enum bench_aim aim; /* of Peal's best beside its peers */
};

/* A scenario's run(). */
void bench_contest_run(struct bench_run *run, const struct bench_scenario *scenario);

/* What one contender can't do of it, or NULL. */
const char *bench_contest_excludes(const struct bench_contest *contest,
                                   const struct bench_contender *contender);

/* Messages that a channel is deep: so many of this size that caches can hold them. */
uint32_t bench_contest_depth(uint32_t size_bytes);

#endif
