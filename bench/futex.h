/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The bare futex, shared between processes: floor of every wake-up, and how an idle side waits.
 */
#ifndef PEAL_BENCH_FUTEX_H
#define PEAL_BENCH_FUTEX_H

#include "core/atomic.h"

#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define BENCH_FUTEX_WAIT_S 60

static inline uint32_t bench_futex_read(const peal_u32 *word)
{
    /* BENCH-A2: pairs with BENCH-R3 in bench_futex_post() */
    return peal_u32_load_acquire(word);
}

/* Sets the word and wakes whoever sleeps on it. */
static inline void bench_futex_post(peal_u32 *word, uint32_t value)
{
    /* BENCH-R3: pairs with BENCH-A2 in bench_futex_read() */
    peal_u32_store_release(word, value);
    syscall(SYS_futex, word, FUTEX_WAKE, 1, NULL, NULL, 0);
}

/* Sleeps until the word is `value`; false if it is not within a minute. */
static inline bool bench_futex_await(peal_u32 *word, uint32_t value)
{
    struct timespec start, now, limit = {.tv_sec = BENCH_FUTEX_WAIT_S};
    uint32_t seen = bench_futex_read(word);

    if (seen == value)
        return true;
    clock_gettime(CLOCK_MONOTONIC, &start);
    now = start;
    while (now.tv_sec - start.tv_sec < BENCH_FUTEX_WAIT_S) {
        syscall(SYS_futex, word, FUTEX_WAIT, seen, &limit, NULL, 0);
        seen = bench_futex_read(word);
        if (seen == value)
            return true;
        clock_gettime(CLOCK_MONOTONIC, &now);
    }
    return false;
}

#endif
