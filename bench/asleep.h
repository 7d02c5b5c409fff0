/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether somebody sleeps: a precondition of everything that measures waking, so it is looked up.
 */
#ifndef PEAL_BENCH_ASLEEP_H
#define PEAL_BENCH_ASLEEP_H

#include <sys/types.h>

/* Polls /proc until the thread sleeps; ends the side if it does not within a second. */
void bench_asleep_await(pid_t thread);

#endif
