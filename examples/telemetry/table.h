/* SPDX-License-Identifier: Apache-2.0 */
/* The subscriber's table: a row per publisher and topic, and how it is shown. */
#ifndef EXAMPLES_TELEMETRY_TABLE_H
#define EXAMPLES_TELEMETRY_TABLE_H

#include "telemetry/messages.h"

#include <peal/subscriber.h>
#include <stdbool.h>
#include <stdint.h>

#define TABLE_ROWS_MAX 48 /* 16 publishers on 3 topics */
#define TABLE_LATENCIES 64

struct table_row {
    bool used;
    enum telemetry_kind kind;
    uint64_t publisher; /* its incarnation: changes when it restarts */
    char name[TELEMETRY_NAME_BYTES];
    union telemetry_message message; /* the newest */
    uint64_t received;
    uint64_t lost;
    uint64_t restarts;
    uint64_t last_ns;
    /* Messages a second, taken anew each second. */
    double rate_hz;
    uint64_t rate_from_ns;
    uint64_t rate_from_received;
    /* The last latencies, publish to take, and the longest of all. */
    uint32_t latencies_ns[TABLE_LATENCIES];
    uint64_t latency_count;
    uint64_t latency_max_ns;
};

struct table {
    struct table_row rows[TABLE_ROWS_MAX];
    uint64_t start_ns; /* what was published before it says nothing about latency */
    bool one_clock;    /* else there is no latency to be had: the publisher's clock is another */
    unsigned drawn_lines;
};

void table_init(struct table *table, bool one_clock);

/*
 * Enters a message. `copy` is what peal_subscriber_take_copy() wrote, `message` what it said.
 * Returns the row, which has the publisher's restart counted in.
 */
struct table_row *table_enter(struct table *table, enum telemetry_kind kind,
                              const struct peal_message *message,
                              const union telemetry_message *copy);

/* Messages of all rows. */
uint64_t table_received(const struct table *table);

/* On a terminal: draws over the last drawing. `title` is the first line. */
void table_draw(struct table *table, const char *title);

/* One line a row, for logs and scripts. */
void table_print(struct table *table);

#endif
