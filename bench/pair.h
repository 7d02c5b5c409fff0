/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A pair of sides, each on its own core: two processes, or two threads of one.
 *
 * The conductor starts both for one row and watches them (bench/supervisor.h). The measuring side gives
 * the orders, the serving side carries them out and sleeps in between, so that it does not disturb what
 * needs one side only. For a run both meet and then go at once.
 */
#ifndef PEAL_BENCH_PAIR_H
#define PEAL_BENCH_PAIR_H

#include "bench/case.h"
#include "bench/line.h"
#include "bench/run.h"

#include <sys/types.h>

#define BENCH_SCRATCH_BYTES (4u << 20)
#define BENCH_SCRATCH_ROOM (4u << 20) /* that it moves about in, from round to round */

/* What one round found; ns an operation. */
struct bench_round {
    double subject_ns;
    double floor_ns;
    double raw_before_ns;
    double raw_after_ns;
    double cpu_ns; /* of both sides for the subject; NAN: not taken */
};

/* Written by the measuring side, read by the conductor, also if that side has not come to its end. */
struct bench_outcome {
    struct bench_line rounds; /* of them all is there */
    uint64_t operations;
    struct bench_round round[BENCH_RECORD_ROUNDS_MAX];
    struct bench_histogram latency; /* the subject's */
};

/* Shared by both sides and the conductor. */
struct bench_shared {
    struct {
        _Alignas(PEAL_WRITER_BYTES) peal_u32 order; /* running number; the serving side's futex */
        peal_u64 verb;
        peal_u64 place;
        peal_u64 count;
    } measuring;
    struct {
        _Alignas(PEAL_WRITER_BYTES) peal_u32 done; /* the order that is carried out */
    } serving;
    struct bench_line serving_thread; /* its id */
    struct bench_line serving_cpu_ns; /* of the order that is done */
    struct bench_line met[2];         /* meetings come to, by each side */
    struct bench_line progress;       /* moves with every run; what the supervisor looks at */
    struct bench_outcome outcome;
    _Alignas(4096) unsigned char scratch[BENCH_PLACES][BENCH_SCRATCH_BYTES + BENCH_SCRATCH_ROOM];
};

struct bench_pair {
    struct bench_shared *shared;
    const struct bench_row *row;
    const struct bench_run *run; /* cpus, url, scale, rounds */
    const char *name;            /* of the scenario */
    unsigned serial;             /* tells the topics of this pair from those of others */
    enum bench_side side;
    int events[2];    /* eventfds, for a floor */
    bool plant_fault; /* spoil one message: the run must fail */
    uint32_t delay_ns;
    pid_t serving_thread; /* once anything is open */
    uint32_t orders;
    uint64_t meetings;
    struct bench_context contexts[BENCH_PLACES];
    void *states[BENCH_PLACES];
};

/* For one row; false: no memory, which has been said. */
bool bench_pair_init(struct bench_pair *pair, const struct bench_run *run,
                     const struct bench_scenario *scenario);
void bench_pair_free(struct bench_pair *pair);

/* Binds the calling thread to its side's CPU. */
void bench_pair_join(struct bench_pair *pair, enum bench_side side);

/* Carries out orders until told to end. */
void bench_pair_serve(struct bench_pair *pair);

/* The measuring side. `round` says where in the scratch memory the part is. */
void bench_pair_open(struct bench_pair *pair, enum bench_place place, uint64_t round);
/* The CPU time of both sides an operation; NAN: not to be had. */
double bench_pair_run(struct bench_pair *pair, enum bench_place place, uint64_t count,
                      struct bench_sample *sample);
void bench_pair_close(struct bench_pair *pair, enum bench_place place);
void bench_pair_end(struct bench_pair *pair);

/* By both sides at the same point of a case: neither goes on before the other is there. */
void bench_pair_meet(struct bench_pair *pair);

enum { BENCH_EXIT_IMPOSSIBLE = 3 };

/* Says why and ends the side with BENCH_EXIT_IMPOSSIBLE: here this cannot be measured, and nobody is to
 * blame (a region that is too small, too few clients). */
_Noreturn void bench_give_up(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Says why and ends the side, and with it the row, with exit code 1: the run has failed. */
_Noreturn void bench_die(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Zeroed memory, or the end. */
void *bench_allocate(size_t size_bytes);

#endif
