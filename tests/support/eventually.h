/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Waiting for what must come to pass, with a deadline instead of a guess how long it takes.
 */
#ifndef PEAL_TESTS_SUPPORT_EVENTUALLY_H
#define PEAL_TESTS_SUPPORT_EVENTUALLY_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* Far more than anything here takes, for machines that are busy with something else. */
#define EVENTUALLY_TIMEOUT_NS UINT64_C(20000000000)

uint64_t test_now_ns(void);

/* Asks `condition` until it is true or timeout_ns have passed; tells which. */
bool eventually(bool (*condition)(void *context), void *context, uint64_t timeout_ns);

/* True once thread `tid` of this process sleeps in the kernel. */
bool eventually_asleep(pid_t tid);

#endif
