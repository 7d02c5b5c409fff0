/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Single acts of a process, for campaigns that end it at every instruction: what leads there, and the act.
 */
#ifndef PEAL_TESTS_SUPPORT_ACTS_H
#define PEAL_TESTS_SUPPORT_ACTS_H

#include "tests/support/lives.h"

struct act {
    const char *name;
    bool (*prepare)(struct life *life);
    bool (*perform)(struct life *life);
};

extern const struct act acts[];
extern const size_t act_count;

#endif
