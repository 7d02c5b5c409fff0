/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the model remembers; private to device/model.
 *
 *  model ── regions[slot] ── connections[index] ──> guest
 *        └─ guests[]
 *
 * A connection is held by its region only. A guest's own connections are found by looking through all regions: at most
 * VDEV_REGIONS_MAX * GUEST_SHM_MAX_CLIENTS steps, on slow paths alone.
 */
#ifndef PEAL_DEVICE_MODEL_STATE_H
#define PEAL_DEVICE_MODEL_STATE_H

#include "device/model/model.h"
#include "device/model/rules.h"

#define VDEV_CONNECTIONS_MAX (VDEV_REGIONS_MAX * GUEST_SHM_MAX_CLIENTS)

struct vdev_connection {
    struct vdev_guest *guest; /* NULL: this index is free */
    uint32_t window;
    uint32_t number;               /* what `find` knows it by: the guest's lowest that was free */
    uint32_t pending;              /* bit i: connection i rang since the last read of `status` */
    bool unread;                   /* `status` changed since it was read last */
    char name[GUEST_SHM_MAX_NAME]; /* of the region, as the guest calls it */
};

struct vdev_region {
    char name[GUEST_SHM_MAX_NAME]; /* as the host calls it */
    uint32_t pages;                /* 0: there is no region in this slot */
    uint32_t members;              /* bit i: connections[i].guest is set */
    bool permanent;
    struct vdev_connection connections[GUEST_SHM_MAX_CLIENTS];
};

struct vdev_registers {
    uint64_t shmem;
    uint32_t vector;
    uint32_t status;
    uint32_t size;
    char name[GUEST_SHM_MAX_NAME];
    uint32_t find;
};

struct vdev_guest {
    struct vdev_model *model;
    void *user;
    bool deaf; /* the virtual machine is gone, or its device is being reset: no interrupts */
    struct vdev_registers registers;
    struct vdev_access_counts counts;
    uint64_t numbers[VDEV_CONNECTIONS_MAX / 64]; /* bit set: this connection number is in use */
    struct vdev_rules rules;
};

struct vdev_model {
    struct vdev_settings settings; /* without zeroes that mean a default */
    const struct vdev_ops *ops;
    void *context;
    uint64_t pages; /* of all regions */
    struct vdev_guest *guests[VDEV_GUESTS_MAX];
    /* Last, so that a slot that nobody checked is found by a sanitizer. */
    struct vdev_region regions[VDEV_REGIONS_MAX];
};

#endif
