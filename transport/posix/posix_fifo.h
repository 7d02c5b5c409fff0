/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The FIFOs beside the object: what makes a bell visible to epoll and its kin.
 *
 * A FIFO is made when its owner first asks for a descriptor. Its name holds a random id, which the
 * owner publishes in its client record; whoever rings then writes a byte. Owner and ringers all open
 * it for reading and writing, so that writing into a dead client's FIFO raises no SIGPIPE. The owner
 * holds flock(2) on it as the sign of life: a FIFO that can be locked has no owner and is removed.
 *
 * A peer may publish any id: the worst that comes of it is a byte in another FIFO beside this object,
 * or a failing open.
 */
#ifndef PEAL_TRANSPORT_POSIX_FIFO_H
#define PEAL_TRANSPORT_POSIX_FIFO_H

#include "transport/posix/posix.h"

/* Makes our own FIFO and publishes it; returns its descriptor, or -1 with a message. Thread-safe. */
int peal_posix_fifo_own(struct peal_posix *posix);

/* Takes all bytes out of our own FIFO, if there is one. Thread-safe, does not block. */
void peal_posix_fifo_empty(struct peal_posix *posix);

/* Writes a byte into the FIFO of client `target`, if it wants that. Thread-safe, does not block. */
void peal_posix_fifo_ring(struct peal_posix *posix, uint32_t target);

/* Withdraws and removes our own FIFO, while the client record is still ours. */
void peal_posix_fifo_retire(struct peal_posix *posix);

/* Closes all descriptors. No other thread may use `posix` any more. */
void peal_posix_fifo_close(struct peal_posix *posix);

/* Removes the FIFO with this id if its owner has gone. */
void peal_posix_fifo_remove_dead(const char *name, uint64_t id);

/* Removes all FIFOs beside the object `name` whose owners have gone, or only looks. How many. */
uint32_t peal_posix_fifo_sweep(const char *name, bool only_look);

#endif
