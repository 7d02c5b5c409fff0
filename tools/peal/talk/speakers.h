/* SPDX-License-Identifier: Apache-2.0 */
/* The names of publishers, by the incarnations that messages carry. Who is not known is looked up, but not again and again. */
#ifndef PEAL_TOOLS_PEAL_TALK_SPEAKERS_H
#define PEAL_TOOLS_PEAL_TALK_SPEAKERS_H

#include "tools/peal/look/watch.h"

#define SPEAKERS_MAX 64

struct speaker {
    uint64_t incarnation;
    char name[SNAPSHOT_NAME_BYTES];
};

/* All zero is an empty one. */
struct speakers {
    struct speaker known[SPEAKERS_MAX]; /* the oldest goes first */
    size_t next;
    struct snapshot snapshot;
    uint64_t looked_ns;
    unsigned looks; /* since a while ago */
};

/* The name; a number in hex if it is not known. Valid until the next call. */
const char *speakers_name(struct speakers *speakers, struct watch *watch, uint64_t incarnation);

void speakers_free(struct speakers *speakers);

#endif
