/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an observer saw of a region, kept: the region, its clients, and its topics and queues, each with its publishers and
 * subscribers. Texts are valid UTF-8 without control characters, for the observer makes them so. Figures are as their writers
 * gave them: who reckons with them expects any value.
 */
#ifndef PEAL_TOOLS_PEAL_LOOK_SNAPSHOT_H
#define PEAL_TOOLS_PEAL_LOOK_SNAPSHOT_H

#include <peal/observer.h>

#define SNAPSHOT_NAME_BYTES 64
#define SNAPSHOT_PAGE_BYTES 4096u /* of a region: docs/format.md */

/* The structs are those of the observer; what points in them points into the snapshot. */
struct snapshot_client {
    struct peal_observer_client seen;
    char name[SNAPSHOT_NAME_BYTES];
};

/* Of a queue: one who pushes. Its name is its client's. */
struct snapshot_publisher {
    struct peal_observer_publisher seen;
    char name[SNAPSHOT_NAME_BYTES];
};

/* Of a queue: one who pops, once for each lane that it reads. */
struct snapshot_subscriber {
    struct peal_observer_subscriber seen;
    char name[SNAPSHOT_NAME_BYTES]; /* of its client; "" if that has gone */
};

struct snapshot_topic {
    struct peal_observer_topic seen;
    char name[SNAPSHOT_NAME_BYTES];
    char type_name[SNAPSHOT_NAME_BYTES];
    struct snapshot_publisher *publishers;
    size_t publisher_count;
    size_t publisher_room;
    struct snapshot_subscriber *subscribers;
    size_t subscriber_count;
    size_t subscriber_room;
};

struct snapshot {
    uint64_t taken_ns; /* clock_now_ns() */
    struct peal_observer_region region;
    struct snapshot_client *clients;
    size_t client_count;
    size_t client_room;
    struct snapshot_topic *topics; /* by index */
    size_t topic_count;
    size_t topic_room;
};

/* All zero is an empty one. Takes another look; memory is used again. On failure it is empty, and the answer is that of
 * peal_observer_visit(). */
enum peal_status snapshot_take(struct snapshot *snapshot, struct peal_observer *observer);

/* Makes it empty, and keeps its memory. */
void snapshot_clear(struct snapshot *snapshot);

void snapshot_free(struct snapshot *snapshot);

/* NULL if there is none. */
const struct snapshot_topic *snapshot_topic(const struct snapshot *snapshot, const char *name);
const struct snapshot_client *snapshot_client(const struct snapshot *snapshot, uint32_t index);

/* Texts for enumerations, as they stand in listings and JSON: "alive", "dead", "unknown", "nobody". */
const char *snapshot_life_text(enum peal_audit_life life);

#endif
