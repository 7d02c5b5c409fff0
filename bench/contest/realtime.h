/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The class SCHED_RR for a contest, so that what else runs on the machine does not disturb it.
 *
 * The kernel leaves 5 % of each second to all others if they get nothing, and that would be seen; so who
 * has kept the CPUs to himself leaves them as long.
 */
#ifndef PEAL_BENCH_CONTEST_REALTIME_H
#define PEAL_BENCH_CONTEST_REALTIME_H

#include <stdbool.h>
#include <stdint.h>

/* For this process and those that it forks; false, and errno: it may not. */
bool bench_realtime_begin(void);
void bench_realtime_end(void);

/* Sleeps as long as it is since then. */
void bench_realtime_make_up(uint64_t since_ns);

#endif
