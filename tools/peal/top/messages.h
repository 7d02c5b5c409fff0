/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The messages of one topic as they come, peeked at in the lanes of its publishers: taken from nobody. What is kept of each is
 * its beginning. A look shows the newest ones; those between two looks that were too many are counted.
 */
#ifndef PEAL_TOOLS_PEAL_TOP_MESSAGES_H
#define PEAL_TOOLS_PEAL_TOP_MESSAGES_H

#include "tools/peal/top/page.h"
#include "tools/peal/top/scene.h"
#include "tools/peal/top/state.h"

#define TOP_MESSAGE_KEPT_BYTES 512
#define TOP_MESSAGES_KEPT 256
#define TOP_MESSAGES_A_LOOK 64

struct top_message {
    uint64_t number;
    uint64_t size_bytes;
    uint64_t time_ns;        /* of publishing, since 1970; 0: not known */
    uint64_t timestamp_ns;   /* as it came: for the order */
    enum peal_status status; /* OK; ECORRUPT: a wrong CRC; ETRUNC: too long to be looked at */
    uint32_t lane;
    char publisher[SNAPSHOT_NAME_BYTES];
    size_t kept_bytes;
    unsigned char kept[TOP_MESSAGE_KEPT_BYTES];
};

/* How far we are in a lane. */
struct top_lane {
    uint32_t lane;
    uint64_t incarnation;
    uint64_t next;
};

struct top_messages {
    uint64_t topic_id;        /* 0: of none */
    uint64_t generation;      /* of the region */
    struct top_message *kept; /* a ring */
    uint64_t count;           /* that have ever been put in; the newest is at (count - 1) % KEPT */
    uint64_t passed_by;       /* too many at once to be looked at */
    struct top_lane *lanes;
    size_t lane_count;
    size_t lane_room;
    unsigned char *buffer;
    size_t buffer_bytes;
};

/* Follows the topic scene->now->topics[at]; another one than before: begins anew. */
void top_messages_look(struct top_messages *messages, struct top_scene *scene, size_t at);

void top_messages_free(struct top_messages *messages);

/* The newest is 0. NULL: there is none. */
const struct top_message *top_messages_at(const struct top_messages *messages, uint64_t back);

/* Writes the rest of the page full of them, the newest first, without the first *scrolled lines; *scrolled is made smaller if
 * there are not so many. */
void top_messages_draw(struct top_page *page, const struct top_messages *messages,
                       enum top_dump dump, int *scrolled);

/* All characters can be shown, and are not cut within one. */
bool top_message_is_text(const struct top_message *message);

#endif
