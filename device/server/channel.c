/* SPDX-License-Identifier: Apache-2.0 */
#include "device/server/channel.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#define HEADER_BYTES sizeof(struct vfio_user_header)
#define REPLY_PIECES 3

void vdev_channel_init(struct vdev_channel *channel, int fd)
{
    *channel = (struct vdev_channel){.fd = fd, .waiting_fd = -1};
}

static void close_fds(struct vdev_channel *channel)
{
    for (uint32_t i = 0; i < channel->fd_count; i++) {
        if (channel->fds[i] >= 0)
            (void)close(channel->fds[i]);
    }
    channel->fd_count = 0;
}

void vdev_channel_end(struct vdev_channel *channel)
{
    close_fds(channel);
    free(channel->payload);
    free(channel->waiting);
    (void)close(channel->fd);
    vdev_channel_init(channel, -1);
}

/* ---- in -------------------------------------------------------------------------------------- */

/* Keeps the descriptors of one piece. False: there are too many; all that are kept are closed later. */
static bool keep_fds(struct vdev_channel *channel, struct msghdr *piece)
{
    bool fits = (piece->msg_flags & MSG_CTRUNC) == 0; /* the kernel has closed what did not fit */
    for (struct cmsghdr *control = CMSG_FIRSTHDR(piece); control;
         control = CMSG_NXTHDR(piece, control)) {
        if (control->cmsg_level != SOL_SOCKET || control->cmsg_type != SCM_RIGHTS)
            continue;
        const size_t count = (control->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (size_t i = 0; i < count; i++) {
            int fd;
            memcpy(&fd, CMSG_DATA(control) + i * sizeof(int), sizeof(fd));
            if (channel->fd_count < VDEV_MESSAGE_FDS_MAX) {
                channel->fds[channel->fd_count++] = fd;
            } else {
                (void)close(fd);
                fits = false;
            }
        }
    }
    return fits;
}

static enum vdev_channel_result receive_piece(struct vdev_channel *channel, void *place,
                                              size_t room, const char **why)
{
    /* Room for one too many, so that it is seen also where nobody says that more were cut off. */
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE((VDEV_MESSAGE_FDS_MAX + 1) * sizeof(int))];
    } control;
    struct iovec vector = {.iov_base = place, .iov_len = room};
    struct msghdr piece = {.msg_iov = &vector,
                           .msg_iovlen = 1,
                           .msg_control = control.bytes,
                           .msg_controllen = sizeof(control.bytes)};
    ssize_t bytes;
    do
        bytes = recvmsg(channel->fd, &piece, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    while (bytes < 0 && errno == EINTR);
    if (bytes < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
        return VDEV_CHANNEL_LATER;
    if (bytes <= 0) {
        *why = channel->received == 0 ? "it hung up" : "it hung up in the middle of a message";
        return VDEV_CHANNEL_ENDED;
    }
    channel->received += (size_t)bytes;
    if (keep_fds(channel, &piece))
        return VDEV_CHANNEL_MESSAGE;
    *why = "it sent more descriptors than a message may have";
    return VDEV_CHANNEL_BROKEN;
}

/* The header is there: is it one, and is there room for what follows? */
static bool prepare_payload(struct vdev_channel *channel, const char **why)
{
    const size_t bytes = channel->header.message_bytes;
    if (bytes < HEADER_BYTES || bytes > VDEV_MESSAGE_BYTES_MAX) {
        *why = "it sent a message of an impossible length";
        return false;
    }
    if ((channel->header.flags & VFIO_USER_TYPE_MASK) != VFIO_USER_TYPE_COMMAND) {
        *why = "it sent a reply that nobody asked for";
        return false;
    }
    const size_t wanted = bytes - HEADER_BYTES;
    if (wanted <= channel->payload_room)
        return true;
    unsigned char *payload = realloc(channel->payload, wanted);
    if (!payload) {
        *why = "there is no memory for its message";
        return false;
    }
    channel->payload = payload;
    channel->payload_room = wanted;
    return true;
}

static void begin_message(struct vdev_channel *channel)
{
    close_fds(channel);
    channel->received = 0;
    channel->complete = false;
}

enum vdev_channel_result vdev_channel_receive(struct vdev_channel *channel,
                                              struct vdev_message *message, const char **why)
{
    enum vdev_channel_result result;
    if (channel->complete)
        begin_message(channel);
    while (channel->received < HEADER_BYTES) {
        result = receive_piece(channel, (char *)&channel->header + channel->received,
                               HEADER_BYTES - channel->received, why);
        if (result != VDEV_CHANNEL_MESSAGE)
            return result;
        if (channel->received == HEADER_BYTES && !prepare_payload(channel, why))
            return VDEV_CHANNEL_BROKEN;
    }
    while (channel->received < channel->header.message_bytes) {
        result = receive_piece(channel, channel->payload + (channel->received - HEADER_BYTES),
                               channel->header.message_bytes - channel->received, why);
        if (result != VDEV_CHANNEL_MESSAGE)
            return result;
    }
    channel->complete = true;
    *message = (struct vdev_message){.header = channel->header,
                                     .payload = channel->payload,
                                     .payload_bytes = channel->header.message_bytes - HEADER_BYTES,
                                     .fds = channel->fds,
                                     .fd_count = channel->fd_count};
    return VDEV_CHANNEL_MESSAGE;
}

/* ---- out ------------------------------------------------------------------------------------- */

/* Bytes sent, 0 if the socket takes none now, or -1. */
static ssize_t send_pieces(int fd, struct iovec *pieces, size_t count, int along)
{
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(sizeof(int))];
    } control;
    struct msghdr message = {.msg_iov = pieces, .msg_iovlen = count};
    if (along >= 0) {
        memset(&control, 0, sizeof(control));
        message.msg_control = control.bytes;
        message.msg_controllen = sizeof(control.bytes);
        struct cmsghdr *header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(sizeof(int));
        memcpy(CMSG_DATA(header), &along, sizeof(along));
    }
    ssize_t sent;
    do
        sent = sendmsg(fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
    while (sent < 0 && errno == EINTR);
    if (sent < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
        return 0;
    return sent;
}

/* Keeps what the socket did not take: the pieces without their first `sent` bytes. */
static bool keep_rest(struct vdev_channel *channel, const struct iovec *pieces, size_t sent, int fd)
{
    size_t bytes = 0;
    for (int i = 0; i < REPLY_PIECES; i++)
        bytes += pieces[i].iov_len;
    channel->waiting = malloc(bytes);
    if (!channel->waiting)
        return false;
    for (int i = 0; i < REPLY_PIECES; i++) {
        if (pieces[i].iov_len == 0)
            continue;
        memcpy(channel->waiting + channel->waiting_bytes, pieces[i].iov_base, pieces[i].iov_len);
        channel->waiting_bytes += pieces[i].iov_len;
    }
    channel->waiting_sent = sent;
    channel->waiting_fd = sent == 0 ? fd : -1; /* it goes with the first byte */
    return true;
}

static bool answer(struct vdev_channel *channel, const struct vfio_user_header *request,
                   uint32_t error, const struct vdev_reply *reply)
{
    const size_t bytes = HEADER_BYTES + reply->head_bytes + reply->data_bytes;
    struct vfio_user_header header = {.id = request->id,
                                      .command = request->command,
                                      .message_bytes = (uint32_t)bytes,
                                      .flags =
                                          VFIO_USER_TYPE_REPLY | (error != 0 ? VFIO_USER_ERROR : 0),
                                      .error = error};
    struct iovec pieces[REPLY_PIECES] = {
        {.iov_base = &header, .iov_len = HEADER_BYTES},
        {.iov_base = (void *)(uintptr_t)reply->head, .iov_len = reply->head_bytes},
        {.iov_base = (void *)(uintptr_t)reply->data, .iov_len = reply->data_bytes}};
    assert(!channel->waiting && bytes <= VDEV_MESSAGE_BYTES_MAX);
    if ((request->flags & VFIO_USER_NO_REPLY) != 0)
        return true;
    const ssize_t sent = send_pieces(channel->fd, pieces, REPLY_PIECES, reply->fd);
    if (sent < 0)
        return false;
    return (size_t)sent == bytes || keep_rest(channel, pieces, (size_t)sent, reply->fd);
}

bool vdev_channel_reply(struct vdev_channel *channel, const struct vfio_user_header *request,
                        const struct vdev_reply *reply)
{
    return answer(channel, request, 0, reply);
}

bool vdev_channel_refuse(struct vdev_channel *channel, const struct vfio_user_header *request,
                         int error)
{
    const struct vdev_reply nothing = {.fd = -1};
    return answer(channel, request, (uint32_t)error, &nothing);
}

bool vdev_channel_waits(const struct vdev_channel *channel)
{
    return channel->waiting != NULL;
}

bool vdev_channel_flush(struct vdev_channel *channel)
{
    if (!channel->waiting)
        return true;
    struct iovec rest = {.iov_base = channel->waiting + channel->waiting_sent,
                         .iov_len = channel->waiting_bytes - channel->waiting_sent};
    const ssize_t sent = send_pieces(channel->fd, &rest, 1, channel->waiting_fd);
    if (sent < 0)
        return false;
    if (sent > 0)
        channel->waiting_fd = -1;
    channel->waiting_sent += (size_t)sent;
    if (channel->waiting_sent < channel->waiting_bytes)
        return true;
    free(channel->waiting);
    channel->waiting = NULL;
    channel->waiting_bytes = 0;
    channel->waiting_sent = 0;
    return true;
}
