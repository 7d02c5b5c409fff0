/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Looks at a region again and again, for as long as that takes: regions go, come again and are laid out anew, and one that is
 * cut short by force raises SIGBUS in whoever reads it. Each of these is an answer here, and the next look tries again.
 *
 * A region whose file has been removed lives on for those who have it open, and for them only. A watch follows the name: once
 * the file is another, or none, it looks at that one.
 *
 * SIGBUS: a look installs a handler for the process, which stays. It takes care of bad accesses below watch_look() and its like, in
 * any thread, and leaves every other SIGBUS to whoever handled it before: without anybody, it kills.
 */
#ifndef PEAL_TOOLS_PEAL_LOOK_WATCH_H
#define PEAL_TOOLS_PEAL_LOOK_WATCH_H

#include "tools/peal/look/snapshot.h"

#include <stdbool.h>
#include <sys/types.h>

/* Of a file, as stat() tells. */
struct watch_file {
    bool exists;
    dev_t device;
    ino_t inode;
};

struct watch {
    const char *url;                /* the caller's */
    struct peal_observer *observer; /* or NULL: opened with the next look */
    struct watch_file file;         /* the region's, from before it was opened */
    struct watch_file no_region;    /* one that was none: it is not waited for again */
    char reason[512];               /* why the last look failed */
};

/* Opens if need be, and anew if the region has been made anew; waits a moment for who just lays it out. OK; otherwise as peal_observer_open() and
 * peal_observer_visit() answer, ECORRUPT for one that was cut short, and the snapshot is empty; watch->reason tells people. */
enum peal_status watch_look(struct watch *watch, struct snapshot *snapshot);

/* Does `work` with the observer, if there is one, likewise guarded: ENOENT without one. What `work` holds when a bad access ends
 * it stays held: it reads, and leaves allocations to others. It may use another watch. */
enum peal_status watch_do(struct watch *watch,
                          enum peal_status (*work)(struct peal_observer *observer, void *context),
                          void *context);

/* For what is no observer: does work(context), likewise guarded. False: a bad access ended it, and *status is ECORRUPT. */
bool watch_guarded(enum peal_status (*work)(void *context), void *context,
                   enum peal_status *status);

/* For commands: tells that the look failed and why, in one line, and answers the exit code. */
int watch_fail(const struct watch *watch, enum peal_status status);

void watch_close(struct watch *watch);

#endif
