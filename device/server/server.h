/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The device server: one host's regions, and a socket for each configured guest. One thread, which never blocks but in
 * epoll. Each connection is a guest of its own in the model, with the rules of its socket.
 *
 * A client that breaks the protocol, that sends more than it may, or that hangs up is dropped: its connections to regions
 * are detached, and their other clients told. Nothing that a client sends or does not do delays the others by more
 * than its own requests take.
 */
#ifndef PEAL_DEVICE_SERVER_SERVER_H
#define PEAL_DEVICE_SERVER_SERVER_H

#include "device/server/config.h"

struct vdev_server;

/* All sockets listen. NULL: `error` says why. `config` must outlive the server. */
struct vdev_server *vdev_server_new(const struct vdev_config *config, char *error,
                                    size_t error_bytes);

/* Serves until `stop_fd` is readable. False: the system failed, errno says how. */
bool vdev_server_run(struct vdev_server *server, int stop_fd);

/* Drops all clients, removes the sockets. */
void vdev_server_free(struct vdev_server *server);

#endif
