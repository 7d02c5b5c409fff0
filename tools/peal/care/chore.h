/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What there is to clean at one bus, and doing it. Nobody who lives loses anything: whole regions go by peal_unlink_if_idle(),
 * which holds against all who might just be opening them, and what dead clients left beside the living is cleared away as any
 * client does it, by peal_bus_recover().
 */
#ifndef PEAL_TOOLS_PEAL_CARE_CHORE_H
#define PEAL_TOOLS_PEAL_CARE_CHORE_H

#include <peal/bus.h>
#include <stdbool.h>
#include <stdint.h>

enum chore_action {
    CHORE_NOTHING = 0, /* there is nothing to be done */
    CHORE_REMOVE,      /* the region goes, and all that is in it */
    CHORE_RECOVER,     /* what dead clients left in it goes */
    CHORE_SPARE,       /* something is left alone; `reason` says why */
};

/* What clients that died have left in a region. */
struct chore_remains {
    uint64_t clients;
    uint64_t subscribers;
    uint64_t lanes;
    uint64_t pages; /* in their lanes */
    uint64_t
        pages_freed; /* when done: of these, at once; the rest when all have read what is in them */
};

struct chore {
    char url[256];
    enum chore_action action;
    bool done;               /* else it would be done */
    enum peal_status status; /* why it is spared */
    char reason[512];
    struct peal_leftover left;    /* posix */
    struct chore_remains remains; /* found; when done: cleared away */
    uint32_t fifos;               /* of dead clients; removed when `for_good` */
};

struct chore_orders {
    bool for_good;      /* else nothing is changed */
    bool with_messages; /* regions without clients go also if queues hold messages */
    bool force;         /* so does what is spoilt, of another release, or somebody else's */
};

void chore_do(struct chore *chore, const char *url, const struct chore_orders *orders);

#endif
