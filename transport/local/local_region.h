/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The regions of this process: a list under one mutex, each with its memory and a bell for each index.
 */
#ifndef PEAL_TRANSPORT_LOCAL_REGION_H
#define PEAL_TRANSPORT_LOCAL_REGION_H

#include "core/cpu.h"
#include "transport/base/doorbell.h"
#include "transport/transport.h"

#include <pthread.h>

struct peal_local_client {
    _Alignas(PEAL_WRITER_BYTES) struct peal_doorbell bell;
    peal_u32 fd_wanted; /* 1: a ringer writes into `fd` */
    int fd;             /* eventfd; guarded by fd_mutex; -1: none */
};

struct peal_local_region {
    struct peal_local_client clients[PEAL_TRANSPORT_CLIENTS_MAX];
    peal_u64 members;
    pthread_mutex_t fd_mutex;

    /* Constant. */
    char name[PEAL_TRANSPORT_NAME_MAX + 1];
    unsigned char *base;
    uint64_t size_bytes;
    uint32_t capacity;

    /* Guarded by the list's mutex. */
    uint32_t handles; /* transports that point here, the killed ones among them */
    bool named;       /* in the list */
    struct peal_local_region *next;
};

/* The list's mutex; the functions below want it held. */
void peal_local_lock(void);
void peal_local_unlock(void);

struct peal_local_region *peal_local_region_find(const char *name);

/* Makes a region and puts it into the list. */
enum peal_status peal_local_region_create(const char *name, uint64_t size_bytes,
                                          struct peal_local_region **region);

/* Takes the name from the region; frees it if no handle is left. */
void peal_local_region_unname(struct peal_local_region *region);

/* A handle less; frees the region if it was the last one and the region has no name. */
void peal_local_region_drop(struct peal_local_region *region);

#endif
