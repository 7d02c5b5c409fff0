/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ctrl-C (SIGINT) and SIGTERM, without a handler and without a global flag: the signals are blocked
 * and asked for. A program that sleeps does so in stop_sleep_until(), which a signal ends at once
 * and which cannot miss one; a program that waits for messages waits for STOP_POLL_NS at most and
 * then asks stop_requested().
 */
#ifndef EXAMPLES_COMMON_STOP_H
#define EXAMPLES_COMMON_STOP_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#define STOP_POLL_NS UINT64_C(100000000)
#define NS_PER_S UINT64_C(1000000000)

struct stop {
    sigset_t signals;
    bool requested;
};

/* To be called first in main(): threads made later inherit the blocked signals. */
void stop_init(struct stop *stop);

/* Has somebody asked us to stop? Once true, always true. Costs a system call. */
bool stop_requested(struct stop *stop);

/* Sleeps until `deadline_ns` of clock_now_ns(), or until asked to stop: then true. */
bool stop_sleep_until(struct stop *stop, uint64_t deadline_ns);

/* The clock that Peal's timestamps are in. */
static inline uint64_t clock_now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

/* `seconds` from now as a deadline; 0 means never. */
static inline uint64_t clock_deadline_ns(double seconds)
{
    return seconds > 0 ? clock_now_ns() + (uint64_t)(seconds * (double)NS_PER_S) : UINT64_MAX;
}

#endif
