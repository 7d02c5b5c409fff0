/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One queue, with so many producers and consumers, once.
 *
 * The conductor forks a process for each end, bound to the two CPUs in turn, lets them run for a set
 * time and reads how far the consumers have come. Then the producers stop, the rest is popped, and what
 * came is compared with what went. A trial is bounded in time whatever the queue does: who does not
 * end is killed and the trial counts as cut off.
 */
#ifndef PEAL_BENCH_QUEUE_TRIAL_H
#define PEAL_BENCH_QUEUE_TRIAL_H

#include "bench/line.h"
#include "bench/queue/histogram.h"
#include "bench/queue/letter.h"

enum {
    BENCH_ENDS_MAX = 8, /* producers, and as many consumers */
    BENCH_BINS = 16384,
    BENCH_BIN_NS = 50000,
};

enum bench_victim {
    BENCH_NOBODY = 0,
    BENCH_A_PRODUCER = 1,
    BENCH_A_CONSUMER = 2,
    BENCH_ANYBODY = 3, /* one after the other, at random */
};

struct bench_trial {
    const struct bench_peer *peer;
    void *memory; /* of the peer */
    struct bench_peer_setup setup;
    unsigned producers;
    unsigned consumers;
    unsigned batch;
    uint64_t warm_ns;    /* before anything counts */
    uint64_t measure_ns; /* without a victim */
    uint64_t period_ns;  /* between the pushes of a producer, by its schedule; 0: none */
    bool is_busy;        /* it waits for the next one without giving the CPU away */
    bool is_timed;       /* from push to pop */
    enum bench_victim
        victim;       /* the first of them is stopped: after lead_ns, for stop_ns; ANYBODY: */
    uint64_t lead_ns; /* ... so again and again until measure_ns are over */
    uint64_t stop_ns;
    bool plants_fault;
};

struct bench_outcome {
    double rate;                     /* letters a second, popped */
    bool is_cut;                     /* somebody had to be killed */
    uint64_t missing;                /* of a trial that was cut off: pushed and never popped */
    struct bench_histogram latency;  /* the missing count with as long as was waited for them */
    struct bench_histogram in_queue; /* without what the producer lost outside of its pushes */
    double quiet_before_ns;          /* longest time in which nobody got a letter of the others */
    double quiet_stopped_ns;         /* the same while the victim was stopped */
};

/* What the conductor and the workers of one trial share. */
struct bench_producer_shared {
    struct bench_line is_ready;
    struct bench_line pushed;
    struct bench_line is_done;
    struct bench_line stopped_ns; /* when it was last stopped, and went on, as far as it is over */
    struct bench_line resumed_ns;
    struct bench_line begun_ns; /* of its last push, see worker.c */
};

struct bench_consumer_shared {
    struct bench_line is_ready;
    struct bench_line popped;
    struct bench_tally tallies[BENCH_ENDS_MAX]; /* valid once the worker has ended well */
    struct bench_histogram latency;
    struct bench_histogram in_queue;
    unsigned char bins[BENCH_BINS]; /* 1: it got a letter of somebody but the victim then */
};

enum bench_phase {
    BENCH_OPENING = 0,
    BENCH_RUNNING = 1,
    BENCH_STOPPING = 2, /* producers stop */
    BENCH_ENDING = 3,   /* consumers stop when there is nothing */
};

struct bench_arena {
    struct bench_line phase;
    uint64_t begin_ns; /* written before the phase RUNNING */
    uint64_t count_from_ns;
    struct bench_producer_shared producers[BENCH_ENDS_MAX];
    struct bench_consumer_shared consumers[BENCH_ENDS_MAX];
};

/* Bodies of the two kinds of workers (worker.c). */
void bench_produce(const struct bench_trial *trial, struct bench_arena *arena, unsigned self);
void bench_consume(const struct bench_trial *trial, struct bench_arena *arena, unsigned self);

/* Memory that forked processes share; ends the program if there is none. */
void *bench_share(size_t size_bytes);

/*
 * False: a worker saw wrong content, letters are lost or doubled, a queue that cannot be wedged did not
 * finish, or a signal (bench_interrupted) has ended it. All workers have ended in any case.
 */
bool bench_trial_run(const struct bench_trial *trial, struct bench_arena *arena, const int cpus[2],
                     struct bench_outcome *outcome);

/* The signal that told the program to end, or 0. Set up by main(). */
int bench_interrupted(void);

#endif
