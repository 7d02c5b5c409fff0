/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What fork() must not copy: the descriptors whose open file description says "this client lives"
 * (the lock descriptor and the FIFOs). A handler closes them in the child, so that a child does not
 * keep its dead parent in members().
 *
 * Whoever makes such a descriptor holds the fork lock from before it exists until it stands in a
 * registered peal_posix: a fork in between waits. The lock is held for a few system calls at most,
 * and never while taking another lock.
 *
 * Not covered, for there are no handlers there: clone(2) and _Fork() without exec. exec closes all.
 */
#ifndef PEAL_TRANSPORT_POSIX_FORK_H
#define PEAL_TRANSPORT_POSIX_FORK_H

#include "transport/posix/posix.h"

void peal_posix_fork_lock(void);
void peal_posix_fork_unlock(void);

/* From here on the descriptors in `posix` (lock_fd, FIFOs; -1 or 0: none) are closed in a child. */
enum peal_status peal_posix_fork_add(struct peal_posix *posix);
void peal_posix_fork_remove(struct peal_posix *posix);

#endif
