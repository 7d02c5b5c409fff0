/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One client on one of the sockets: its conversation, its function, its guest in the model.
 */
#ifndef PEAL_DEVICE_SERVER_PEER_H
#define PEAL_DEVICE_SERVER_PEER_H

#include "device/server/config.h"
#include "device/server/requests.h"

struct vdev_peer {
    struct vdev_conversation conversation;
    uint32_t listener; /* index of the configured guest */
};

/* Takes `fd` over, also on failure (NULL: no memory). `serial`: tells clients of one socket apart in the log. */
struct vdev_peer *vdev_peer_new(struct vdev_model *model, const struct vdev_memory *memory,
                                const struct vdev_config *config, uint32_t listener, int fd,
                                uint64_t serial);

/* The guest ends; its neighbours are told. */
void vdev_peer_free(struct vdev_peer *peer, const char *why);

int vdev_peer_fd(const struct vdev_peer *peer);

/* A reply waits: the socket is to be watched for EPOLLOUT alone. */
bool vdev_peer_waits(const struct vdev_peer *peer);

/* Does what can be done now, within bounds. False: the client is to be dropped, *why says why. */
bool vdev_peer_serve(struct vdev_peer *peer, uint32_t events, const char **why);

#endif
