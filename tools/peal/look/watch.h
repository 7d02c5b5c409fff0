/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Looks at a region again and again, for as long as that takes: regions go, come again and are laid out anew, and one that is
 * cut short by force raises SIGBUS in whoever reads it. Each of these is an answer here, and the next look tries again.
 */
#ifndef PEAL_TOOLS_PEAL_LOOK_WATCH_H
#define PEAL_TOOLS_PEAL_LOOK_WATCH_H

#include "tools/peal/look/snapshot.h"

struct watch {
    const char *url;                /* the caller's */
    struct peal_observer *observer; /* or NULL: opened with the next look */
};

/* Opens if need be, and once more if the region has been made anew. OK; otherwise as peal_observer_open() and
 * peal_observer_visit() answer, ECORRUPT for one that was cut short, and the snapshot is empty. peal_error_message() says why
 * if it could not be opened. */
enum peal_status watch_look(struct watch *watch, struct snapshot *snapshot);

/* Does `work` with the observer, if there is one, likewise guarded: ENOENT without one. */
enum peal_status watch_do(struct watch *watch,
                          enum peal_status (*work)(struct peal_observer *observer, void *context),
                          void *context);

void watch_close(struct watch *watch);

#endif
