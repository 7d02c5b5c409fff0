/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The processes of a trial: one for each worker, or one for all, as threads.
 */
#ifndef PEAL_BENCH_CONTEST_CREW_H
#define PEAL_BENCH_CONTEST_CREW_H

#include "bench/contest/arena.h"

#include <sys/types.h>

struct bench_crew {
    pid_t pids[BENCH_WORKERS_MAX]; /* 0: has ended */
    uint32_t processes;
    bool has_failed; /* one of them has not ended well */
};

/* What is given stays valid until they have ended. */
void bench_crew_start(struct bench_crew *crew, const struct bench_trial *trial,
                      const struct bench_channel channels[2], struct bench_arena *arena);

/* Sees who has ended; true when all have. */
bool bench_crew_reap(struct bench_crew *crew);

/*
 * Whether one of them wants a CPU and has had less than `enough_ns` of it: then what it has not done is not
 * its fault.
 */
bool bench_crew_is_starved(const struct bench_crew *crew, uint64_t enough_ns);

/* Ends who is left. */
void bench_crew_kill(struct bench_crew *crew);

/* One of the processes, by SIGSTOP and SIGCONT. */
void bench_crew_stop(const struct bench_crew *crew, uint32_t worker);
void bench_crew_continue(const struct bench_crew *crew, uint32_t worker);

/* Also when signals come. */
void bench_sleep_until(uint64_t when_ns);

#endif
