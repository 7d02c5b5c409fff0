/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Messages of vfio-user over one stream socket that never blocks: requests are put together from the pieces that come, with
 * the descriptors that came with them; a reply that the client does not take at once waits.
 *
 * Bounds: a message has at most VDEV_MESSAGE_BYTES_MAX bytes and VDEV_MESSAGE_FDS_MAX descriptors. One reply waits at most,
 * for as long as it does no further request is read: a client that does not read its replies is not served, which hurts nobody
 * else.
 *
 * Never more is read than belongs to the message under way, so that a descriptor is known to belong to it as well.
 */
#ifndef PEAL_DEVICE_SERVER_CHANNEL_H
#define PEAL_DEVICE_SERVER_CHANNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <vfio_user.h>

#define VDEV_MESSAGE_DATA_MAX 65536u /* of one register access */
#define VDEV_MESSAGE_BYTES_MAX (VDEV_MESSAGE_DATA_MAX + 4096u)
#define VDEV_MESSAGE_FDS_MAX 16u

struct vdev_message {
    struct vfio_user_header header;
    unsigned char *payload; /* aligned as from malloc(); valid until the next receive */
    size_t payload_bytes;
    int *fds; /* who takes one puts -1 in its place; the rest is closed by the next receive */
    uint32_t fd_count;
};

struct vdev_channel {
    int fd;
    /* the message that comes in */
    struct vfio_user_header header;
    size_t received; /* bytes of it, header included */
    unsigned char *payload;
    size_t payload_room;
    int fds[VDEV_MESSAGE_FDS_MAX];
    uint32_t fd_count;
    bool complete;
    /* the rest of the reply that goes out */
    unsigned char *waiting;
    size_t waiting_bytes;
    size_t waiting_sent;
    int waiting_fd; /* not owned; -1 once it was sent */
};

enum vdev_channel_result {
    VDEV_CHANNEL_MESSAGE, /* here it is */
    VDEV_CHANNEL_LATER,   /* not all of it has come yet */
    VDEV_CHANNEL_ENDED,   /* the client has hung up */
    VDEV_CHANNEL_BROKEN,  /* what came is no message */
};

/* Takes the socket over, which is non-blocking. */
void vdev_channel_init(struct vdev_channel *channel, int fd);

/* Closes the socket and what has come over it. */
void vdev_channel_end(struct vdev_channel *channel);

/* *why: a phrase for the log, when the result is ENDED or BROKEN. */
enum vdev_channel_result vdev_channel_receive(struct vdev_channel *channel,
                                              struct vdev_message *message, const char **why);

/* What a reply consists of, beside its header. */
struct vdev_reply {
    const void *head;
    size_t head_bytes;
    const void *data;
    size_t data_bytes;
    int fd; /* goes along, stays the caller's for ever; -1: none */
};

/*
 * Answers a request, unless it wants no answer; `error`: an errno value, and then no payload. At most one reply may wait
 * (vdev_channel_waits()). False: the client is gone.
 */
bool vdev_channel_reply(struct vdev_channel *channel, const struct vfio_user_header *request,
                        const struct vdev_reply *reply);
bool vdev_channel_refuse(struct vdev_channel *channel, const struct vfio_user_header *request,
                         int error);

/* A reply waits until the socket takes more. */
bool vdev_channel_waits(const struct vdev_channel *channel);

/* Sends on. False: the client is gone. */
bool vdev_channel_flush(struct vdev_channel *channel);

#endif
