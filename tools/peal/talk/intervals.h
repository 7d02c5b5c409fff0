/* SPDX-License-Identifier: Apache-2.0 */
/* The times between one message of a publisher and its next: by its stamps, or where it does not stamp by when they came. */
#ifndef PEAL_TOOLS_PEAL_TALK_INTERVALS_H
#define PEAL_TOOLS_PEAL_TALK_INTERVALS_H

#include <peal/message.h>
#include <stdbool.h>

#define INTERVALS_PUBLISHERS 64 /* at a time; of more, some intervals are not seen */

struct intervals_publisher {
    uint64_t incarnation; /* 0: nobody */
    uint64_t number;      /* of its last message */
    uint64_t time_ns;
    bool is_stamped;
};

/* All zero is an empty one. */
struct intervals {
    struct intervals_publisher publishers[INTERVALS_PUBLISHERS];
    size_t next; /* who makes room for a new one */
};

/* False if there is no interval: it is the first one, messages between were lost, or its stamps go backwards. */
bool intervals_add(struct intervals *intervals, const struct peal_message *message,
                   uint64_t arrival_ns, uint64_t *interval_ns);

#endif
