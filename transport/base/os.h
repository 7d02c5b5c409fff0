/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The few questions to the operating system that every backend on one kernel asks: time, random
 * numbers, and the barrier that one thread can impose on all others.
 */
#ifndef PEAL_TRANSPORT_BASE_OS_H
#define PEAL_TRANSPORT_BASE_OS_H

#include <peal/status.h>
#include <stdbool.h>
#include <stdint.h>

/* CLOCK_MONOTONIC; the same clock for all processes of one kernel. */
uint64_t peal_os_now_ns(void);

/* now + timeout_ns; stays UINT64_MAX (never) instead of wrapping. */
uint64_t peal_os_deadline_ns(uint64_t timeout_ns);

/* 64 random bits from the kernel, never 0, so that 0 can mean "none". */
uint64_t peal_os_random(void);

/*
 * Registers this process for membarrier(2) MEMBARRIER_CMD_GLOBAL_EXPEDITED; true if it is registered
 * now. Cheap when it was already. False on a kernel that cannot, or under a seccomp filter.
 */
bool peal_os_barrier_register(void);

/*
 * Every running thread of every registered process passes a full fence before this returns.
 * PEAL_ENOTSUP where the kernel refuses.
 */
enum peal_status peal_os_barrier(void);

#endif
