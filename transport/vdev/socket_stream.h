/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The unix socket to a device server: bytes and descriptors, each with a deadline. Knows nothing of messages.
 *
 * A stream that failed once is gone for good, for nobody knows where in a message it stands.
 *
 * fork: the socket's life is this guest's life, so a child must not keep it open. It is closed in the child (transport/base/fork.h),
 * where the stream then is gone; the parent's goes on undisturbed.
 */
#ifndef PEAL_TRANSPORT_VDEV_SOCKET_STREAM_H
#define PEAL_TRANSPORT_VDEV_SOCKET_STREAM_H

#include "transport/base/fork.h"

#include <peal/status.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/un.h>

#define PEAL_VDEV_DESCRIPTORS_MAX 16u /* that one message may bring; the kernel drops more */

struct peal_vdev_stream {
    pthread_mutex_t mutex; /* the user's, around a use; all below but `path` is used under it */
    struct peal_fork_item fork_item;
    int fd;
    bool gone;
    uint64_t timeout_ns;  /* of one use; for messages here */
    uint64_t deadline_ns; /* of the opening as a whole; UINT64_MAX when it is done */
    char path[sizeof(((struct sockaddr_un *)0)->sun_path)];
};

union peal_vdev_descriptor_room {
    struct cmsghdr align;
    char bytes[CMSG_SPACE(PEAL_VDEV_DESCRIPTORS_MAX * sizeof(int))];
};

/* Connects, within the timeout. On failure nothing is left. */
enum peal_status peal_vdev_stream_open(struct peal_vdev_stream *stream, const char *path,
                                       uint64_t timeout_ns);
void peal_vdev_stream_close(struct peal_vdev_stream *stream);

/* Ends the connection, so that the server learns it, although the descriptor stays open until close. */
void peal_vdev_stream_give_up(struct peal_vdev_stream *stream);

/* Gives up with the message that the server is gone: PEAL_ESYSTEM. */
enum peal_status peal_vdev_stream_fail_gone(struct peal_vdev_stream *stream);

/*
 * All of it, or the stream is gone: PEAL_TIMEDOUT, PEAL_ESYSTEM. Never raises SIGPIPE. `message` is used up. `kept` gets the first
 * descriptor that comes along if it is not NULL and holds -1; all others are closed.
 */
enum peal_status peal_vdev_stream_send(struct peal_vdev_stream *stream, struct msghdr *message,
                                       uint64_t deadline_ns);
enum peal_status peal_vdev_stream_receive(struct peal_vdev_stream *stream, void *target,
                                          size_t bytes, int *kept, uint64_t deadline_ns);

#endif
