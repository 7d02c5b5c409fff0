/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ctrl-C, SIGTERM and SIGHUP ask to stop: what runs ends well, and says what it has to say. A second one kills.
 */
#ifndef PEAL_TOOLS_PEAL_KIT_STOP_H
#define PEAL_TOOLS_PEAL_KIT_STOP_H

#include <stdbool.h>
#include <stdint.h>

/* Installs the handlers; once. False with errno. */
bool stop_init(void);

bool stop_requested(void);

/* Polls readable once stop is requested; never read from it. */
int stop_fd(void);

/* As if a signal had come. Async-signal-safe, and from any thread. */
void stop_request(void);

/* Waits until `deadline_ns` (clock_now_ns()) or until stop is requested; then false. */
bool stop_wait_until(uint64_t deadline_ns);

/* CLOCK_MONOTONIC. */
uint64_t clock_now_ns(void);

#define NS_PER_S UINT64_C(1000000000)
#define NS_PER_MS UINT64_C(1000000)

#endif
