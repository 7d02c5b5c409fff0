/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One contender, with so many senders and receivers, once.
 *
 * The conductor begins the channels and forks a process for each worker, bound to the two CPUs in turn
 * (or one process of as many threads, where the contender cannot do otherwise). It lets them run for a
 * set time and reads how far the receivers have come. Then the senders stop, the rest is received, and
 * what came is compared with what went (verdict.h). A trial is bounded in time whatever the contender
 * does: who does not end is killed.
 */
#ifndef PEAL_BENCH_CONTEST_TRIAL_H
#define PEAL_BENCH_CONTEST_TRIAL_H

#include "bench/contest/contender.h"
#include "bench/results/histogram.h"

#define BENCH_MILLISECOND UINT64_C(1000000)

/* What senders do. */
enum bench_mode {
    BENCH_STREAM = 0,    /* as fast as it goes */
    BENCH_PING_PONG = 1, /* one message there and back, the next one after it */
    BENCH_PACED = 2,     /* by a schedule, one way */
    BENCH_ECHO = 3,      /* by a schedule, there and back */
};

/* What receivers do when there is nothing. */
enum bench_waiting {
    BENCH_SPIN = 0,
    BENCH_SPIN_SLEEP = 1, /* they look for 20 us, and then wait() */
    BENCH_BLOCK = 2,      /* wait() at once */
    BENCH_EPOLL = 3,      /* epoll_wait() on the descriptor() */
};

enum bench_victim {
    BENCH_NOBODY = 0,
    BENCH_A_SENDER = 1,
    BENCH_A_RECEIVER = 2,
    BENCH_ANYBODY = 3, /* one after the other, at random */
};

struct bench_trial {
    const struct bench_contender *contender;
    const char *url; /* of Peal's bus */
    int cpus[2];
    bool threads; /* as threads of one process */
    enum bench_mode mode;
    enum bench_pattern pattern;
    uint32_t senders; /* there and back: one of each */
    uint32_t receivers;
    uint32_t batch;
    uint32_t size_bytes;
    uint32_t depth;
    enum bench_waiting waiting;
    uint64_t warm_ns;    /* before anything counts */
    uint64_t measure_ns; /* without a victim */
    uint64_t period_ns;  /* between the messages of one sender, by its schedule */
    bool is_busy;        /* who waits for the next one does not give the CPU away */
    bool tells_in_queue; /* by schedule, one way: also without what senders lose between sends */
    /* The first of them is stopped, after lead_ns and for stop_ns. Anybody: so again and again until
     * measure_ns are over; the latency is that of others' messages. */
    enum bench_victim victim;
    uint64_t lead_ns;
    uint64_t stop_ns;
    uint64_t delay_ns; /* planted into each send */
    bool plants_fault; /* spoils a message of the first sender */
};

enum bench_finding {
    BENCH_RIGHT = 0,
    BENCH_CUT,    /* somebody had to be killed; by the contender's design that may happen */
    BENCH_ABSENT, /* it could not begin */
    BENCH_WRONG,  /* content, order or number of messages, or it did not end */
};

struct bench_outcome {
    enum bench_finding finding;
    char reason[200];                /* of ABSENT and WRONG */
    double rate;                     /* messages received a second (there and back: trips) */
    double cpu_ns;                   /* CPU time of all workers a message; NAN: not taken */
    uint64_t operations;             /* messages received while it counted */
    uint64_t lost;                   /* by design */
    uint64_t missing;                /* of a trial that was cut: sent and not received */
    struct bench_histogram latency;  /* from when it was due; of a trip: from when it began */
    struct bench_histogram in_queue; /* the same without what senders lost between their sends */
    double quiet_before_ns;          /* longest time in which nobody got a message of the others */
    double quiet_stopped_ns;         /* the same while the victim was stopped */
};

/* Memory that forked processes share, of zeros; ends the program if there is none. */
void *bench_share(size_t size_bytes);
void bench_unshare(void *memory, size_t size_bytes);

/* All workers have ended when it returns, and the channels are cleared away. By one thread. */
void bench_trial_run(const struct bench_trial *trial, struct bench_outcome *outcome);

#endif
