/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What `peal hz` and `peal delay` have in common: they take the messages of topics, measure a time of each, and say every second
 * what these times were like, and at the end what all were like.
 */
#ifndef PEAL_TOOLS_PEAL_TALK_METER_H
#define PEAL_TOOLS_PEAL_TALK_METER_H

#include "tools/peal/kit/option.h"
#include "tools/peal/talk/histogram.h"
#include "tools/peal/talk/subscription.h"

/* Of one topic, since the last report or since the beginning. */
struct meter_row {
    uint64_t elapsed_ns;
    uint64_t messages;
    uint64_t bytes;
    uint64_t lost;
    uint64_t unstamped; /* messages that carry no timestamp */
    uint64_t future;    /* stamped later than now */
    struct histogram times;
};

enum meter_column {
    METER_END = 0,
    METER_RATE,
    METER_MESSAGES,
    METER_LOST,
    METER_BANDWIDTH,
    METER_MIN,
    METER_MEAN,
    METER_DEVIATION,
    METER_P50,
    METER_P90,
    METER_P99,
    METER_P999,
    METER_MAX,
};

struct meter_kind {
    const enum meter_column *columns;
    /* Of one message: adds to the row's times, or to what it cannot measure. `own` is the topic's, zero at first. */
    void (*measure)(void *own, struct meter_row *row, const struct peal_message *message,
                    uint64_t now_ns);
    size_t own_bytes;
    /* Before anything is measured, and then with each report. EXIT_DONE, or the exit code, why having been told. */
    int (*begin)(const struct subscription *subscription);
    int (*check)(const char *topic, const struct meter_row *all);
    /* At the end, after all else; or NULL. */
    void (*finish)(const char *topic, const struct meter_row *all);
    const char *instead; /* of a queue */
};

/* Their options. */
extern const struct option_entry meter_options[];

/* The whole command; answers its exit code. */
int meter_run(const struct meter_kind *kind, char **topics, size_t count);

/* ---- meter_print.c ---- */

/* As wide as the widest name. */
int meter_name_width(const struct subscription *subscription);

void meter_print_heading(const struct meter_kind *kind, int name_width);
void meter_print_row(const struct meter_kind *kind, const char *topic, const struct meter_row *row,
                     int name_width);
void meter_print_json(const struct meter_kind *kind, const char *topic, const struct meter_row *row,
                      bool is_total, bool histogram);

/* Bars. */
void meter_print_histogram(const char *topic, const struct histogram *times);

#endif
