/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One connection to a region of the shmem vdev, as the transport (vdev.c) uses it. Two kinds: over registers, by the device's own protocol
 * (protocol.c), or over the Linux driver's device node, where the kernel speaks the protocol (node.c).
 */
#ifndef PEAL_TRANSPORT_VDEV_LINK_H
#define PEAL_TRANSPORT_VDEV_LINK_H

#include "transport/transport.h"
#include "transport/vdev/registers.h"

struct peal_vdev_link;

struct peal_vdev_news {
    uint32_t sources; /* clients that rang since the last drain */
    uint32_t members; /* clients attached now */
};

struct peal_vdev_link_ops {
    /* Rings the clients of a bitset; stores made before are visible to whoever is woken. Thread-safe. */
    enum peal_status (*notify)(struct peal_vdev_link *link, uint32_t targets);

    /*
     * Takes what is new; `fd` is not readable afterwards until something new comes. One caller at a time, for it takes the
     * device's bits. PEAL_ESYSTEM: the device is gone, for good.
     */
    enum peal_status (*drain)(struct peal_vdev_link *link, struct peal_vdev_news *news);

    /* The members now, asked of the device. `fd` stays as it is, and no source is lost. Thread-safe. */
    enum peal_status (*members)(struct peal_vdev_link *link, uint32_t *members);

    /* Unmaps, detaches, frees. */
    void (*close)(struct peal_vdev_link *link);
};

/* Constant once open. */
struct peal_vdev_link {
    const struct peal_vdev_link_ops *ops;
    unsigned char *base; /* the data pages */
    uint32_t pages;
    uint32_t index;
    int fd; /* polls readable while there is something to drain */
};

/* Attaches over registers, which become the link's: they are closed on failure as well. */
enum peal_status peal_vdev_protocol_attach(struct peal_vdev_registers *registers, const char *name,
                                           uint32_t pages, struct peal_vdev_link **link);

/* Attaches through the driver's device node. */
enum peal_status peal_vdev_node_attach(const char *path, const char *name, uint32_t pages,
                                       struct peal_vdev_link **link);

/*
 * A way in that is not a file: `device=KIND:REST` opens by `open` of the hook with that kind. Tests put the device model behind it. Set
 * before any transport is opened; NULL takes it away.
 */
struct peal_vdev_hook {
    const char *kind;
    enum peal_status (*open)(const char *rest, struct peal_vdev_registers **registers);
};

void peal_vdev_set_hook(const struct peal_vdev_hook *hook);

#endif
