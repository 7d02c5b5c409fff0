/* SPDX-License-Identifier: Apache-2.0 */
/* What the lanes of topics still hold, seen without taking part: also in a file that holds a copy of a region, and after a
 * crash, before anybody comes who clears away what the dead have left. */
#ifndef PEAL_TOOLS_PEAL_TALK_PEEK_H
#define PEAL_TOOLS_PEAL_TALK_PEEK_H

#include "tools/peal/talk/subscription.h"

struct peek {
    uint64_t history; /* the last so many of each publisher; 0: all */
    uint64_t count;   /* of all, at most */
    void (*message)(void *context, struct subscription *subscription);
    void (*spoilt)(void *context, const struct subscription *subscription);
    void *context;
};

/* Calls back for each message, one publisher after the other. `subscription` is filled as subscription_next() does, for what
 * does not need a bus: to be opened and closed by the following. Answers EXIT_DONE, or the exit code, why having been told. */
int peek_open(struct subscription *subscription, char **topics, size_t count);
int peek_run(struct subscription *subscription, const struct peek *peek);

#endif
