/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A recording under way: the topics of a bus that are wanted, a subscriber for each, and the file's channels: one for each
 * publisher of a topic, for numbers count per publisher.
 *
 * A message is copied once, from its lane into a chunk; then the subscriber tells whether it was whole until then. When the disk
 * is slower than the bus and all chunks are full, messages stay in their lanes, and what is overrun there is counted: publishers
 * wait for a recording only if it was told to be reliable.
 */
#ifndef PEAL_TOOLS_PEAL_RECORD_RECORDING_H
#define PEAL_TOOLS_PEAL_RECORD_RECORDING_H

#include "tools/peal/look/pattern.h"
#include "tools/peal/look/watch.h"
#include "tools/peal/mcap/mcap_writer.h"
#include "tools/peal/record/losses.h"

#include <peal/subscriber.h>

struct recording_channel {
    uint64_t publisher; /* its incarnation */
    char name[SNAPSHOT_NAME_BYTES];
    uint16_t id; /* in the file; 0: it has no room for another channel */
    bool has_expected;
    uint64_t expected; /* number of the next message if none is lost */
    uint64_t messages;
    uint64_t bytes;
    struct losses losses;
};

struct recording_topic {
    char name[SNAPSHOT_NAME_BYTES];
    struct peal_subscriber *subscriber; /* NULL: it is not recorded */
    bool is_late; /* came after the recording had begun: its first messages count */
    struct recording_channel **channels;
    size_t channel_count;
    size_t channel_room;
    uint64_t told; /* lost, as the subscriber told with messages */
    uint64_t
        lost_elsewhere; /* of publishers of whom no message came, or after the last one that did; at the end */
    uint64_t corrupt; /* lanes given up and wrong CRCs; at the end */
};

/* What is taken while all chunks wait for the disk is held. */
struct recording_held {
    struct recording_topic *topic;
    struct recording_channel *channel;
    struct peal_message message;
};

struct recording {
    /* The caller's. */
    struct peal_bus *bus;
    struct watch watch;
    struct patterns patterns;
    struct mcap_writer *writer;
    uint32_t history;
    bool reliable;
    uint64_t messages_max; /* UINT64_MAX: no end */

    struct snapshot seen;
    bool has_begun; /* the first look is done */
    struct recording_topic *topics;
    size_t topic_count;
    size_t topic_room;
    size_t not_recorded; /* topics that could not be joined */
    char **schemas;      /* type names; the schema's id is the place + 1 */
    size_t schema_count;
    size_t schema_room;
    struct recording_held held;
    uint64_t to_realtime_ns; /* what is added to CLOCK_MONOTONIC */
    uint64_t flushed_ns;     /* when losses were last put into the file */
    uint64_t messages;
    uint64_t bytes;
    uint64_t lost;
    struct mcap_error error; /* of the file: nothing goes on after it */
};

/* Puts in the file what is known of the bus. The caller's fields are set, the rest is 0. */
bool recording_begin(struct recording *recording, const char *url);

/* Looks at the region, and joins the topics that are new and wanted. As watch_look() answers. */
enum peal_status recording_look(struct recording *recording);

/* The channel of a publisher's first message. Looks at the region for its name. False with recording->error. */
bool recording_add_channel(struct recording *recording, struct recording_topic *topic,
                           const struct peal_message *message, struct recording_channel **channel);

enum recording_took {
    RECORDING_NOTHING, /* no topic has anything now */
    RECORDING_SOME,
    RECORDING_BUSY,   /* all chunks wait for the disk */
    RECORDING_FULL,   /* messages_max are there */
    RECORDING_FAILED, /* recording->error */
};

/* Takes a portion of what there is of each topic. */
enum recording_took recording_take(struct recording *recording);

/* Accounts for what is held and for what subscribers lost at the end, puts the losses into the file, unsubscribes. False with
 * recording->error. */
bool recording_end(struct recording *recording);

void recording_free(struct recording *recording);

/* Puts the losses of a channel into the file. */
bool recording_write_losses(struct recording *recording, const struct recording_topic *topic,
                            struct recording_channel *channel);

#endif
