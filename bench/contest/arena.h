/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the conductor and the workers of one trial share, and the workers' part of a trial.
 */
#ifndef PEAL_BENCH_CONTEST_ARENA_H
#define PEAL_BENCH_CONTEST_ARENA_H

#include "bench/contest/content.h"
#include "bench/contest/trial.h"

#include "bench/line.h"

enum {
    BENCH_BINS = 16384,
    BENCH_BIN_NS = 50000,
    BENCH_BEGUN_MAX = 1 << 15, /* messages of a sender whose begin is still known; a power of two */
};

enum bench_phase {
    BENCH_OPENING = 0,
    BENCH_CONNECTING = 1, /* all have opened */
    BENCH_RUNNING = 2,    /* all are ready */
    BENCH_COUNTING = 3,   /* the same, and it counts */
    BENCH_STOPPING = 4,   /* senders stop */
    BENCH_ENDING = 5,     /* receivers stop when there is nothing */
};

enum bench_readiness {
    BENCH_HAS_OPENED = 1,
    BENCH_IS_READY = 2,
};

/* Of one worker: one way, senders come first and then receivers; there and back, 0 asks and 1 answers. */
struct bench_worker_shared {
    struct bench_line readiness; /* enum bench_readiness */
    struct bench_line sent;
    struct bench_line received;
    struct bench_line is_done;    /* it sends no more; who never sends is done from the start */
    struct bench_line stopped_ns; /* when it was last stopped, and went on, once that is over */
    struct bench_line resumed_ns;
    struct bench_line begun_ns; /* of its last send; see begin_send() in worker_oneway.c */
    /* From here on valid once the worker has ended well. */
    struct bench_tally tallies[BENCH_WORKERS_MAX]; /* by sender */
    uint64_t cpu_ns;                               /* while it counted */
    struct bench_histogram latency;
    struct bench_histogram in_queue;
    unsigned char bins[BENCH_BINS]; /* 1: it got a message of somebody but the victim then */
};

struct bench_arena {
    struct bench_line phase;
    uint64_t begin_ns; /* written before the phase RUNNING */
    uint64_t count_from_ns;
    char failure[160]; /* what a worker found wrong */
    struct bench_worker_shared workers[BENCH_WORKERS_MAX];
    /* When each sender's messages were begun, by number modulo BENCH_BEGUN_MAX; written before the message is
     * sent, so what an earlier trial has left is never read. */
    peal_u64 begun[BENCH_WORKERS_MAX][BENCH_BEGUN_MAX];
};

/* Nanoseconds since the trial began (some 18 minutes) beside the low bits of the number that tell the
 * message from one that came a lap later. */
#define BENCH_BEGUN_NUMBERS (UINT64_C(1) << 24)

static inline void bench_begun_note(struct bench_arena *arena, uint32_t sender, uint64_t number,
                                    uint64_t begun_ns)
{
    uint64_t since_ns = begun_ns - arena->begin_ns;

    bench_word_write(&arena->begun[sender][number % BENCH_BEGUN_MAX],
                     since_ns * BENCH_BEGUN_NUMBERS | number % BENCH_BEGUN_NUMBERS);
}

/* Where that is not known any more: when it was due. So no message seems faster than it was. */
static inline uint64_t bench_begun_ns(const struct bench_arena *arena, uint64_t sender,
                                      uint64_t number, uint64_t due_ns)
{
    uint64_t entry = bench_word_read(&arena->begun[sender][number % BENCH_BEGUN_MAX]);

    return entry % BENCH_BEGUN_NUMBERS == number % BENCH_BEGUN_NUMBERS
               ? arena->begin_ns + entry / BENCH_BEGUN_NUMBERS
               : due_ns;
}

/* Runs worker `self` to its end; a failure ends the process with code 1. channels[1]: the way back. */
void bench_work(const struct bench_trial *trial, const struct bench_channel channels[2],
                struct bench_arena *arena, uint32_t self);

/* Where bench_contender_die() leaves its text from now on; NULL: on stderr. */
void bench_contender_tell(char *text, size_t size_bytes);

static inline uint32_t bench_trial_workers(const struct bench_trial *trial)
{
    return trial->senders + trial->receivers;
}

static inline bool bench_trial_returns(const struct bench_trial *trial)
{
    return trial->mode == BENCH_PING_PONG || trial->mode == BENCH_ECHO;
}

static inline bool bench_worker_sends(const struct bench_trial *trial, uint32_t worker)
{
    return worker < trial->senders || bench_trial_returns(trial);
}

static inline bool bench_worker_receives(const struct bench_trial *trial, uint32_t worker)
{
    return worker >= trial->senders || bench_trial_returns(trial);
}

/*
 * Was a message due while its sender was stopped, or, for as long again, was catching up? Then it says
 * nothing about what a stop does to others.
 */
static inline bool bench_worker_was_stopped(const struct bench_worker_shared *sender,
                                            uint64_t due_ns)
{
    uint64_t stopped_ns = bench_word_read(&sender->stopped_ns.word);
    uint64_t resumed_ns = bench_word_read(&sender->resumed_ns.word);

    return due_ns >= stopped_ns && due_ns <= resumed_ns + (resumed_ns - stopped_ns);
}

static inline bool bench_trial_is_scheduled(const struct bench_trial *trial)
{
    return trial->mode == BENCH_PACED || trial->mode == BENCH_ECHO;
}

#endif
