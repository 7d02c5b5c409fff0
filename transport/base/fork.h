/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What fork() must not copy: descriptors and mappings that say "this client lives". One handler for
 * all transports calls back, in the child, for each thing that stands in its list.
 *
 * Whoever makes such a thing holds the fork lock from before it exists until it is in the list: a fork
 * in between waits. The lock is held for a few system calls, and never while taking another lock.
 *
 * Not covered, for there are no handlers there: clone(2) and _Fork() without exec. exec closes all.
 */
#ifndef PEAL_TRANSPORT_BASE_FORK_H
#define PEAL_TRANSPORT_BASE_FORK_H

#include <peal/status.h>
#include <stddef.h>

/* A member of the thing itself. */
struct peal_fork_item {
    struct peal_fork_item *next;
    /* In a child, which has one thread and for which the list is then empty: lets go of what is the
     * parent's. */
    void (*in_child)(struct peal_fork_item *item);
};

/* The thing of type `type` of which `item` is the member `member`. */
#define PEAL_FORK_OWNER(item, type, member) ((type *)((char *)(item)-offsetof(type, member)))

/* Before the first use in each open: 0, or an errno, and then nothing may be added. */
int peal_fork_watch(void);

void peal_fork_lock(void);
void peal_fork_unlock(void);

/* Both with the lock held. To remove what is not in the list is nothing. */
void peal_fork_add(struct peal_fork_item *item);
void peal_fork_remove(struct peal_fork_item *item);

#endif
