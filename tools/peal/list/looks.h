/* SPDX-License-Identifier: Apache-2.0 */
/* What the listings show: a region as it is now, and as it was a moment before, for the rates. */
#ifndef PEAL_TOOLS_PEAL_LIST_LOOKS_H
#define PEAL_TOOLS_PEAL_LIST_LOOKS_H

#include "tools/peal/kit/option.h"
#include "tools/peal/look/watch.h"

struct looks {
    struct watch watch;
    struct snapshot first;
    struct snapshot now;
    const struct snapshot *before; /* `first`; NULL: there are no rates */
};

/* How long to look: --interval and --no-rates, for the tables of commands. */
struct looks_span {
    uint64_t interval_ns;
    bool no_rates;
};

#define LOOKS_SPAN_DEFAULT                                                                         \
    {                                                                                              \
        .interval_ns = UINT64_C(500000000)                                                         \
    }

/* As option_duration(), and 0. */
const char *looks_read_interval(const char *text, void *to);

#define LOOKS_OPTIONS(span)                                                                        \
    {.name = "interval",                                                                           \
     .letter = 'i',                                                                                \
     .value = "TIME",                                                                              \
     .help = "look for so long to tell rates; default 500ms",                                      \
     .read = looks_read_interval,                                                                  \
     .to = &(span).interval_ns},                                                                   \
    {                                                                                              \
        .name = "no-rates", .help = "look once, and tell no rates", .read = option_switch,         \
        .to = &(span).no_rates                                                                     \
    }

/*
 * Looks at a bus: twice, unless nothing can move there. A stop ends the wait. EXIT_DONE; otherwise the exit code, why having
 * been told. `looks` is all zero before, and freed in any case.
 */
int looks_take(struct looks *looks, const char *url, const struct looks_span *span);

void looks_free(struct looks *looks);

#endif
