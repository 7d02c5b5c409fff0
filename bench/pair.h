/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The pair of processes, each on its own core.
 *
 * The program forks both and watches them (bench/supervisor.h). The measuring side gives the
 * orders, the serving side carries them out and sleeps in between, so that it does not disturb what
 * needs one process only. For a run both meet and then go at once.
 */
#ifndef PEAL_BENCH_PAIR_H
#define PEAL_BENCH_PAIR_H

#include "bench/case.h"
#include "bench/line.h"

#include <sys/types.h>

#define BENCH_SCRATCH_BYTES (4u << 20)

/* Shared by both sides and the supervisor. */
struct bench_shared {
    struct {
        _Alignas(PEAL_WRITER_BYTES) peal_u32 order; /* running number; the serving side's futex */
        peal_u64 verb;
        peal_u64 row;
        peal_u64 place;
        peal_u64 count;
    } measuring;
    struct {
        _Alignas(PEAL_WRITER_BYTES) peal_u32 done; /* the order that is carried out */
    } serving;
    struct bench_line met[2];   /* meetings come to, by each side */
    struct bench_line progress; /* moves with every run; what the supervisor looks at */
    _Alignas(4096) unsigned char scratch[BENCH_PLACES][BENCH_SCRATCH_BYTES];
};

struct bench_pair {
    struct bench_shared *shared;
    enum bench_side side;
    int cpus[2];
    pid_t serving_pid;
    const char *url;
    bool plant_fault; /* spoil one message: the run must fail */
    uint32_t orders;
    uint64_t meetings;
    struct bench_context contexts[BENCH_PLACES];
    void *states[BENCH_PLACES];
};

/* Maps the shared memory and chooses cpus[] where they are -1. */
void bench_pair_init(struct bench_pair *pair);

/* Binds the calling process to its side's CPU. */
void bench_pair_join(struct bench_pair *pair, enum bench_side side);

/* Carries out orders until told to end. */
void bench_pair_serve(struct bench_pair *pair);

/* The measuring side. */
void bench_pair_open(struct bench_pair *pair, size_t row, enum bench_place place);
void bench_pair_run(struct bench_pair *pair, size_t row, enum bench_place place, uint64_t count,
                    struct bench_sample *sample);
void bench_pair_close(struct bench_pair *pair, size_t row, enum bench_place place);
void bench_pair_end(struct bench_pair *pair);

/* By both sides at the same point of a case: neither goes on before the other is there. */
void bench_pair_meet(struct bench_pair *pair);

/* Says why and ends the program with exit code 1. */
_Noreturn void bench_die(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Zeroed memory, or the end. */
void *bench_allocate(size_t size_bytes);

#endif
