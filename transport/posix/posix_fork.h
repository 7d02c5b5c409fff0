/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What fork() must not copy of a client: the descriptors whose open file description says "this client
 * lives" (the lock descriptor and the FIFOs). They are closed in a child, so that it does not keep its
 * dead parent in members(). Whoever makes one holds the fork lock until it stands in a registered
 * peal_posix (transport/base/fork.h).
 */
#ifndef PEAL_TRANSPORT_POSIX_FORK_H
#define PEAL_TRANSPORT_POSIX_FORK_H

#include "transport/posix/posix.h"

/* From here on the descriptors in `posix` (lock_fd, FIFOs; -1 or 0: none) are closed in a child. */
enum peal_status peal_posix_fork_add(struct peal_posix *posix);
void peal_posix_fork_remove(struct peal_posix *posix);

#endif
