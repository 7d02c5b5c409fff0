/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The publishers of a recording, brought to life again: one for each channel of the file, made as the one was that was recorded.
 * A channel of a publisher that had been restarted takes the place of the one before, so that subscribers see the restart.
 */
#ifndef PEAL_TOOLS_PEAL_RECORD_PLAYER_H
#define PEAL_TOOLS_PEAL_RECORD_PLAYER_H

#include "tools/peal/mcap/mcap_reader.h"
#include "tools/peal/record/topic_map.h"

#include <peal/publisher.h>

enum player_policy { PLAYER_WAIT = 0, PLAYER_REFUSE, PLAYER_DROP, PLAYER_EVICT };

struct player_channel {
    char *topic; /* as it is published */
    char name[32];
    char type_name[64];
    struct peal_publisher_options options;
    struct peal_publisher *publisher;
    bool restarted;
    bool was_open;
};

struct player {
    struct peal_bus *bus;
    enum player_policy policy;
    struct player_channel **channels; /* by the file's id; NULL: not wanted */
    uint64_t published;
    uint64_t bytes;
    uint64_t not_published; /* for want of room, by policy */
};

/* What a channel's metadata and schema say of its publisher; defaults for all that a foreign file does not have. */
void player_describe(struct player_channel *described, const struct mcap_channel *channel,
                     const struct mcap_schema *schema);

/* Makes the publishers of all wanted channels that are there from the beginning. Answers EXIT_DONE, or the exit code, why having
 * been told. */
int player_begin(struct player *player, const struct mcap_reader *reader,
                 const struct topic_map *map);

/* Waits until so many subscribers hear each publisher, or stop is requested. Answers as player_begin(). */
int player_wait_subscribers(struct player *player, uint64_t count);

/* Answers as player_begin(); EXIT_DONE also if stop was requested while it waited. */
int player_publish(struct player *player, const struct mcap_message *message);

void player_end(struct player *player);

#endif
