/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A worker from within: what the modes share (worker.c) and the modes themselves.
 */
#ifndef PEAL_BENCH_CONTEST_WORKER_H
#define PEAL_BENCH_CONTEST_WORKER_H

#include "bench/contest/arena.h"

struct bench_worker {
    const struct bench_trial *trial;
    const struct bench_contender *contender;
    struct bench_arena *arena;
    struct bench_worker_shared *mine;
    uint32_t self;
    void *sends;    /* its end of a channel, or NULL */
    void *receives; /* the same */
    int epoll;      /* with BENCH_EPOLL */
    uint64_t number;
    uint64_t received;
    unsigned looks;
    /* CPU time, and what of it went into waiting for what is due. */
    enum bench_phase seen;
    uint64_t cpu_from_ns;
    uint64_t worked_ns; /* from when it was due to after the send */
    uint64_t waited_ns;
    /* With tells_in_queue: the message whose send has begun last, counted from 1; when, by the reckoning of
     * begin_send(); and when the last send came back. */
    uint64_t begun_count;
    uint64_t begun_ns;
    uint64_t ended_ns;
};

/* Where the trial is; takes the CPU time at the ends of what counts. */
enum bench_phase bench_worker_phase(struct bench_worker *worker);

static inline bool bench_phase_sends(enum bench_phase phase)
{
    return phase < BENCH_STOPPING;
}

/* Nothing to do now. The same for all contenders. */
void bench_worker_idle(struct bench_worker *worker);

/* Ends the process. */
_Noreturn void bench_worker_fail(const struct bench_worker *worker, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Writes messages number, number + 1, ... */
void bench_worker_write(struct bench_worker *worker, void *const places[], size_t count);

/* Sends what is prepared. False: the phase `until` came before all of it went. */
bool bench_worker_hand_over(struct bench_worker *worker, size_t count, enum bench_phase until);

/* Looks at a message and enters it in its sender's tally; its number. */
uint64_t bench_worker_look(struct bench_worker *worker, const struct bench_view *view,
                           uint64_t *sender);

/* When message `number` of any sender is due. */
static inline uint64_t bench_worker_due_ns(const struct bench_worker *worker, uint64_t number)
{
    return worker->arena->begin_ns + number * worker->trial->period_ns;
}

/* worker_oneway.c */
void bench_worker_send(struct bench_worker *worker);
void bench_worker_receive(struct bench_worker *worker);

/* worker_return.c */
void bench_worker_ping(struct bench_worker *worker);
void bench_worker_ask(struct bench_worker *worker); /* by schedule */
void bench_worker_answer(struct bench_worker *worker);

#endif
