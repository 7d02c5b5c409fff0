/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A unix socket at a path, on which one configured guest (its machine, and host processes in its role) connects.
 */
#ifndef PEAL_DEVICE_SERVER_LISTENER_H
#define PEAL_DEVICE_SERVER_LISTENER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/un.h>

#define VDEV_PATH_BYTES sizeof(((struct sockaddr_un *)0)->sun_path)

struct vdev_listener {
    int fd;
    char path[VDEV_PATH_BYTES];
    dev_t device; /* of the socket file that is ours */
    ino_t inode;
};

/*
 * Listens at `path`, with file permissions `mode`. A socket file that nobody listens at is replaced; one that a server
 * listens at, and anything that is no socket, is left alone. False: `error` says why.
 */
bool vdev_listener_open(struct vdev_listener *listener, const char *path, mode_t mode, char *error,
                        size_t error_bytes);

/* Removes the socket file, if it is still ours. */
void vdev_listener_close(struct vdev_listener *listener);

/* A non-blocking socket, or -1 with errno. */
int vdev_listener_accept(const struct vdev_listener *listener);

#endif
