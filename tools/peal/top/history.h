/* SPDX-License-Identifier: Apache-2.0 */
/* The rates of the last looks of each topic, and how they look as a line of little bars. */
#ifndef PEAL_TOOLS_PEAL_TOP_HISTORY_H
#define PEAL_TOOLS_PEAL_TOP_HISTORY_H

#include <stddef.h>
#include <stdint.h>

#define TOP_HISTORY_LOOKS 10

struct top_history_line {
    uint64_t id;
    double rates[TOP_HISTORY_LOOKS]; /* the newest last */
    uint32_t looks;                  /* so many of them have been made */
    uint64_t seen;                   /* in this round of looks */
};

struct top_history {
    struct top_history_line *lines;
    size_t count;
    size_t room;
    size_t next; /* where the topic that comes next is, if all come in the same order */
    uint64_t round;
};

/* A new look: topics that the one before did not have are forgotten. */
void top_history_begin(struct top_history *history);

/* Adds what this look has for a topic. */
void top_history_add(struct top_history *history, uint64_t id, double rate);

/* NULL: nothing is known of it. Valid until the next top_history_add(). */
const struct top_history_line *top_history_line(struct top_history *history, uint64_t id);

/* All that is known begins anew: the region is another one. */
void top_history_clear(struct top_history *history);
void top_history_free(struct top_history *history);

/* The last `width` rates as bars, the highest of them being full; with blocks, or in ASCII. room_bytes: 3 * width + 1. */
void top_history_text(const struct top_history_line *line, int width, char *to, size_t room_bytes);

#endif
