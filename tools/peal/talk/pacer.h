/* SPDX-License-Identifier: Apache-2.0 */
/*
 * When is the next one due? Times are reckoned from the beginning, not from one another, so that the mean rate is what was asked
 * for however late each one is. Who has fallen behind by more than a second does not make up for it, but begins anew.
 */
#ifndef PEAL_TOOLS_PEAL_TALK_PACER_H
#define PEAL_TOOLS_PEAL_TALK_PACER_H

#include <stdint.h>

struct pacer {
    double interval_ns; /* 0: without pause */
    uint64_t begin_ns;
    uint64_t count;  /* since begin_ns */
    uint64_t behind; /* times that it began anew */
};

/* `rate_hz` may be infinite. */
void pacer_begin(struct pacer *pacer, double rate_hz, uint64_t now_ns);

/* The time of the next one; the first is due at once. */
uint64_t pacer_next_ns(struct pacer *pacer, uint64_t now_ns);

#endif
