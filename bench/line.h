/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A shared word alone in its pair of cache lines, as the floors and the pair use it.
 */
#ifndef PEAL_BENCH_LINE_H
#define PEAL_BENCH_LINE_H

#include "core/atomic.h"
#include "core/cpu.h"

#include <sched.h>

struct bench_line {
    _Alignas(PEAL_WRITER_BYTES) peal_u64 word;
};

/* Set before the sides are forked: both live on one CPU, so who polls must let the other run. */
extern bool bench_one_core;

/*
 * In polling loops of what aims at latency. On two cores it adds nothing: the floor is what the line
 * itself takes.
 */
static inline void bench_poll(void)
{
    if (PEAL_UNLIKELY(bench_one_core))
        sched_yield();
}

/*
 * In polling loops of what aims at throughput: who polls hotly pulls the line from under the other
 * side while that is still writing. All streams use it, the floors and the peers as well.
 */
static inline void bench_poll_gently(void)
{
    peal_cpu_relax();
    bench_poll();
}

/* What was written before it is seen by whoever reads the value. */
static inline void bench_word_write(peal_u64 *word, uint64_t value)
{
    /* BENCH-R1: pairs with BENCH-A1 in bench_word_read() */
    peal_u64_store_release(word, value);
}

static inline uint64_t bench_word_read(const peal_u64 *word)
{
    /* BENCH-A1: pairs with BENCH-R1 and BENCH-R2: what came before is seen */
    return peal_u64_load_acquire(word);
}

static inline void bench_word_add(peal_u64 *word, uint64_t value)
{
    /* BENCH-R2: pairs with BENCH-A1 in bench_word_read() */
    (void)peal_u64_add_acq_rel(word, value);
}

/* Not bounded here: a supervisor ends both sides when there is no progress (bench/pair.h). */
static inline void bench_word_await(const peal_u64 *word, uint64_t at_least)
{
    while (bench_word_read(word) < at_least)
        bench_poll();
}

#endif
