/* SPDX-License-Identifier: Apache-2.0 */
/* Somebody who really is in a publisher's way: it takes the lines of the lane away, again and again. It changes nothing there. */
#ifndef PEAL_TESTS_TOOLS_UNDISTURBED_GUILTY_H
#define PEAL_TESTS_TOOLS_UNDISTURBED_GUILTY_H

#include "core/atomic.h"

#include <sys/types.h>

struct guilty {
    pid_t pid;
    peal_u64 *rounds; /* that it has made; shared with it */
};

#define GUILTY_LINES 16

/* A process, standing still. False: there is none. */
bool guilty_begin(struct guilty *guilty, peal_u64 *lane);
void guilty_end(struct guilty *guilty);

/* `context` is a struct guilty. Answers when it is at it; when it stands still. */
void guilty_let_go(const void *context);
bool guilty_hold(const void *context);

#endif
