/* SPDX-License-Identifier: Apache-2.0 */
/* When a recorded message is due: reckoned from the first one, so that delays do not add up. */
#ifndef PEAL_TOOLS_PEAL_RECORD_TEMPO_H
#define PEAL_TOOLS_PEAL_RECORD_TEMPO_H

#include <stdint.h>

struct tempo {
    double rate;       /* 2: twice as fast as it was recorded; 0: without pause */
    uint64_t begin_ns; /* when the first message was due */
    uint64_t first_ns; /* its log time */
};

/* For an option: "2x", "0.5x", "2", "max". `to` is double *. */
const char *tempo_read(const char *text, void *to);

/* The time at which the message of that log time is due. */
uint64_t tempo_due_ns(const struct tempo *tempo, uint64_t log_ns);

#endif
