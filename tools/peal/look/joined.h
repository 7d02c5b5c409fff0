/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How many hear a publisher? A subscriber is counted by the topic from when it begins to subscribe, and hears from the next message
 * on after it has joined the publisher's lane, a little later. Who waits for somebody to hear the first message waits for that.
 */
#ifndef PEAL_TOOLS_PEAL_LOOK_JOINED_H
#define PEAL_TOOLS_PEAL_LOOK_JOINED_H

#include "tools/peal/look/watch.h"

#include <peal/publisher.h>

struct joined {
    struct watch watch; /* of the bus */
    struct snapshot now;
};

/* Takes a new look for joined_count(). */
void joined_look(struct joined *joined);

/* Subscribers that hear this publisher of `topic`, as of the last look. Where nobody can look (a device with no index left): those
 * that the topic counts. */
uint32_t joined_count(const struct joined *joined, const char *topic,
                      struct peal_publisher *publisher);

void joined_end(struct joined *joined);

#endif
