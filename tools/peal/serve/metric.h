/* SPDX-License-Identifier: Apache-2.0 */
/*
 * All metrics that `peal metrics` prints: a table, from which comes the output, and to which docs/reference/metrics.md is
 * held. A metric says of what it is one (its scope), and that says its labels.
 */
#ifndef PEAL_TOOLS_PEAL_SERVE_METRIC_H
#define PEAL_TOOLS_PEAL_SERVE_METRIC_H

#include "tools/peal/serve/scene.h"

#include <stdbool.h>

/* Of what a metric has one sample each. */
enum metric_scope {
    METRIC_PROGRAM,    /* this program; no label */
    METRIC_BUS,        /* bus */
    METRIC_CLIENT,     /* bus, client, index */
    METRIC_TOPIC,      /* bus, topic */
    METRIC_PUBLISHER,  /* bus, topic, publisher, lane */
    METRIC_SUBSCRIBER, /* bus, topic, subscriber, entry */
    METRIC_READER,     /* a subscriber in a lane: bus, topic, subscriber, entry, publisher, lane */
};

/* One of it. What the scope does not reach is NULL. */
struct metric_subject {
    const struct scene_bus *bus;
    const struct snapshot_client *client;
    const struct snapshot_topic *topic;
    const struct topic_sums *sums; /* of the topic */
    const struct snapshot_publisher *publisher;
    const struct snapshot_subscriber *subscriber;
    uint64_t now_ns; /* CLOCK_MONOTONIC */
    uint64_t since_1970_ns;
};

struct metric_value {
    bool is_real;
    uint64_t whole;
    double real;
};

/* A label beside those of the scope. */
struct metric_label {
    const char *name;
    char text[96];
};
#define METRIC_LABELS_MAX 6

struct metric {
    const char *name;
    bool is_counter; /* else a gauge */
    enum metric_scope scope;
    const char *help;
    /* False: this one has no such figure. */
    bool (*value)(const struct metric_subject *subject, struct metric_value *value);
    /* Of metrics whose value is 1 and that tell texts: fills labels, answers how many. Or NULL. */
    size_t (*labels)(const struct metric_subject *subject, struct metric_label *labels);
};

extern const struct metric metric_table[];
extern const size_t metric_count;

#endif
