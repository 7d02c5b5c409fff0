/* SPDX-License-Identifier: Apache-2.0 */
/*
 * posix: processes of one kernel share an object of shm_open(3). The layout is in posix_shared.h; how
 * liveness, creation races and descriptors work is in docs/transports.md.
 *
 * The child of a fork() must not use its parent's transports: there they are dead handles, whose
 * close() only frees (see posix_fork.h).
 */
#ifndef PEAL_TRANSPORT_POSIX_POSIX_H
#define PEAL_TRANSPORT_POSIX_POSIX_H

#include "transport/base/fork.h"
#include "transport/posix/posix_shared.h"

#include <pthread.h>

/* Objects are /dev/shm/peal.NAME, FIFOs /dev/shm/peal.NAME~ID: no name of a region has a '~'. */
#define PEAL_POSIX_DIRECTORY "/dev/shm"
#define PEAL_POSIX_PREFIX "peal."
#define PEAL_POSIX_PATH_BYTES 96u

/* A peer's FIFO as we have it open; id 0: none. */
struct peal_posix_peer {
    uint64_t fifo;
    int descriptor; /* -1: it could not be opened */
};

struct peal_posix {
    struct peal_transport transport;
    char name[PEAL_TRANSPORT_NAME_MAX + 1];
    unsigned char *map; /* control area, then region */
    size_t map_bytes;
    struct peal_posix_client *clients;
    struct peal_posix_client *self;

    /* Its open file description carries our locks and is never mapped: a mapping that a child
     * inherits would keep the description, and with it the locks, alive. */
    int lock_fd;

    pthread_mutex_t mutex; /* guards all below */
    struct peal_posix_peer peers[PEAL_POSIX_CLIENTS];
    uint64_t fifo;        /* id of our own FIFO */
    peal_u32 fifo_plus_1; /* its descriptor + 1; 0: not made; read without the mutex */
    uint32_t fifo_mode;   /* permission bits and owner's group of the object, for the FIFO */
    uint32_t fifo_group;

    /* Guarded by the fork lock. */
    struct peal_fork_item fork_item;
    bool forked; /* we are in a child of the process that opened it */
};

extern const struct peal_transport_ops peal_transport_posix_ops;

#endif
