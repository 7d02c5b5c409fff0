/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One that takes part in a topic during a soak: it publishes and listens, and checks that no gap in what it hears goes untold.
 */
#ifndef PEAL_TESTS_SUPPORT_SOAK_TOPIC_H
#define PEAL_TESTS_SUPPORT_SOAK_TOPIC_H

#include "core/atomic.h"

#include <peal/peal.h>

#define SOAK_VOICES 64u
#define SOAK_DEPTH 64u

/* Shared by all who take part. */
struct soak_topic_tally {
    peal_u64 published;
    peal_u64 taken;
    peal_u64 lost;
    peal_u64 wrong; /* line of the first thing that was not as it must be */
};

/* What was heard of one publisher. */
struct soak_voice {
    uint64_t publisher;
    uint64_t next;
    uint64_t heard_at;
};

enum soak_topic_call { SOAK_PUBLISH, SOAK_TAKE, SOAK_WAIT, SOAK_TOPIC_CALLS };

struct soak_topic {
    struct soak_topic_tally *tally;
    struct peal_publisher *publisher;
    struct peal_subscriber *subscriber;
    uint64_t incarnation;
    uint64_t next;
    struct soak_voice voices[SOAK_VOICES];
    uint64_t heard;
    uint64_t longest_ns[SOAK_TOPIC_CALLS]; /* the wait is for at most 2 ms */
};

/* Endpoints with random options. False: one was refused, as may be when the stopped hold too much. */
bool soak_topic_begin(struct soak_topic *part, struct peal_bus *bus, struct soak_topic_tally *tally,
                      uint64_t *seed);
void soak_topic_end(struct soak_topic *part);

/* A bit of work, then perhaps a sleep. */
void soak_topic_work(struct soak_topic *part, uint64_t *seed);

/* Takes what there is. */
void soak_topic_listen(struct soak_topic *part);

#endif
