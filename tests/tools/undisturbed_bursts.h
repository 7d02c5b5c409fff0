/* SPDX-License-Identifier: Apache-2.0 */
/* How long publishing takes: in windows of some milliseconds, with somebody else at work or without. */
#ifndef PEAL_TESTS_TOOLS_UNDISTURBED_BURSTS_H
#define PEAL_TESTS_TOOLS_UNDISTURBED_BURSTS_H

#include <peal/publisher.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Times of single publishes, or of bursts of them, in ns. */
struct samples {
    size_t count;
    size_t room;
    uint32_t *ns;
};

uint64_t now_ns(void);

/* Memory is touched: no fault comes while it is filled. False: there is none. */
bool samples_begin(struct samples *samples, size_t room);

/* Publishes for so long in bursts of `burst` messages, and adds how long each took. */
void samples_take(struct samples *samples, struct peal_publisher *publisher, uint32_t burst,
                  uint64_t window_ns);

/* The mean without the shortest tenth and the longest hundredth: without what the machine did in between. Who is in the way for a
 * part of a window slows few bursts, and is not to be cut off with them. Sorts. */
double samples_middle(struct samples *samples);

/* Of sorted ones: below it are so many. */
uint32_t samples_at(const struct samples *samples, double part);

#define WINDOWS_MAX 64

/* Windows of one kind: what a message took in each. */
struct windows {
    unsigned count;
    double ns[WINDOWS_MAX];
};

/* What two kinds of windows, taken by turns, tell. */
struct verdict {
    double without_ns; /* medians */
    double with_ns;
    double ratio;
    double p;    /* that chance alone makes such a difference: Mann and Whitney's test */
    bool slower; /* much, and not by chance */
};

struct verdict verdict_of(const struct windows *without, const struct windows *with);

#endif
