/* SPDX-License-Identifier: Apache-2.0 */
#include "transport/vdev/socket_stream.h"

#include "core/error.h"
#include "transport/base/os.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#define NS_PER_MS UINT64_C(1000000)
#define NS_PER_US UINT64_C(1000)
#define US_PER_S UINT64_C(1000000)

/* ---- fork ------------------------------------------------------------------------------------ */

static void let_go_in_child(struct peal_fork_item *item)
{
    struct peal_vdev_stream *stream = PEAL_FORK_OWNER(item, struct peal_vdev_stream, fork_item);
    (void)close(stream->fd);
    stream->fd = -1;
    stream->gone = true;
    /* A thread that does not exist here may hold it. */
    (void)pthread_mutex_init(&stream->mutex, NULL);
}

/* A socket that a child of this process does not keep. */
static int stream_socket(struct peal_vdev_stream *stream)
{
    peal_fork_lock();
    stream->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const int error = stream->fd < 0 ? errno : 0;
    if (error == 0)
        peal_fork_add(&stream->fork_item);
    peal_fork_unlock();
    return error;
}

void peal_vdev_stream_close(struct peal_vdev_stream *stream)
{
    peal_fork_lock();
    peal_fork_remove(&stream->fork_item);
    if (stream->fd >= 0)
        (void)close(stream->fd);
    stream->fd = -1;
    peal_fork_unlock();
    (void)pthread_mutex_destroy(&stream->mutex);
}

/* ---- the end of a connection ----------------------------------------------------------------- */

/* The mutex is held. The server learns that this guest has gone, although the socket stays open. */
void peal_vdev_stream_give_up(struct peal_vdev_stream *stream)
{
    stream->gone = true;
    (void)shutdown(stream->fd, SHUT_RDWR);
}

enum peal_status peal_vdev_stream_fail_gone(struct peal_vdev_stream *stream)
{
    peal_vdev_stream_give_up(stream);
    return peal_fail(
        PEAL_ESYSTEM,
        "the device server at %s is gone; see its log, start it again (peal-vdev), and "
        "open the bus anew",
        stream->path);
}

/* ---- bytes, with a deadline ------------------------------------------------------------------ */

static enum peal_status await(struct peal_vdev_stream *stream, short events, uint64_t deadline_ns)
{
    for (;;) {
        struct pollfd waited = {.fd = stream->fd, .events = events};
        const uint64_t now_ns = peal_os_now_ns();
        const uint64_t left_ns = deadline_ns > now_ns ? deadline_ns - now_ns : 0;
        uint64_t left_ms = left_ns / NS_PER_MS + (left_ns % NS_PER_MS != 0);
        if (left_ms > INT_MAX)
            left_ms = INT_MAX;
        const int ready = poll(&waited, 1, (int)left_ms);
        if (ready > 0)
            return PEAL_OK; /* or hung up: the call that follows says so */
        if (ready < 0 && errno != EINTR)
            return peal_vdev_stream_fail_gone(stream);
        if (ready == 0 && peal_os_now_ns() >= deadline_ns) {
            peal_vdev_stream_give_up(stream);
            return peal_fail(PEAL_TIMEDOUT,
                             "the device server at %s did not answer within %" PRIu64
                             " ms and was left; is it stopped, or serving another client on this "
                             "socket? Allow more time, or open the bus anew",
                             stream->path, stream->timeout_ns / NS_PER_MS);
        }
    }
}

/* Moves on in a list of pieces by what was sent. */
static void skip(struct msghdr *message, size_t bytes)
{
    while (message->msg_iovlen > 0 && bytes >= message->msg_iov->iov_len) {
        bytes -= message->msg_iov->iov_len;
        message->msg_iov++;
        message->msg_iovlen--;
    }
    if (message->msg_iovlen > 0) {
        message->msg_iov->iov_base = (char *)message->msg_iov->iov_base + bytes;
        message->msg_iov->iov_len -= bytes;
    }
}

/*
 * A full socket is waited for, also by a posted write: as a register write that traps holds its processor until the device
 * has taken it. Dropping it would lose a bell; queueing here would only move the wait, without a bound.
 */
enum peal_status peal_vdev_stream_send(struct peal_vdev_stream *stream, struct msghdr *message,
                                       uint64_t deadline_ns)
{
    while (message->msg_iovlen > 0) {
        const ssize_t sent = sendmsg(stream->fd, message, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent >= 0) {
            skip(message, (size_t)sent);
            message->msg_control = NULL; /* it went with the first byte */
            message->msg_controllen = 0;
            continue;
        }
        if (errno == EINTR)
            continue;
        if (errno != EAGAIN && errno != EWOULDBLOCK)
            return peal_vdev_stream_fail_gone(stream);
        const enum peal_status status = await(stream, POLLOUT, deadline_ns);
        if (status != PEAL_OK)
            return status;
    }
    return PEAL_OK;
}

/* Keeps the first descriptor if one is wanted, and closes the others. */
static void take_descriptors(struct msghdr *message, int *kept)
{
    for (struct cmsghdr *part = CMSG_FIRSTHDR(message); part != NULL;
         part = CMSG_NXTHDR(message, part)) {
        if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS)
            continue;
        const size_t count = (part->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (size_t i = 0; i < count; i++) {
            int descriptor;
            memcpy(&descriptor, CMSG_DATA(part) + i * sizeof(int), sizeof(descriptor));
            if (kept != NULL && *kept < 0)
                *kept = descriptor;
            else
                (void)close(descriptor);
        }
    }
}

enum peal_status peal_vdev_stream_receive(struct peal_vdev_stream *stream, void *target,
                                          size_t bytes, int *kept, uint64_t deadline_ns)
{
    size_t done = 0;
    while (done < bytes) {
        union peal_vdev_descriptor_room room;
        struct iovec piece = {.iov_base = (char *)target + done, .iov_len = bytes - done};
        struct msghdr message = {.msg_iov = &piece,
                                 .msg_iovlen = 1,
                                 .msg_control = room.bytes,
                                 .msg_controllen = sizeof(room.bytes)};
        const ssize_t taken = recvmsg(stream->fd, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
        if (taken > 0) {
            take_descriptors(&message, kept);
            done += (size_t)taken;
            continue;
        }
        if (taken < 0 && errno == EINTR)
            continue;
        if (taken == 0 || (errno != EAGAIN && errno != EWOULDBLOCK))
            return peal_vdev_stream_fail_gone(stream);
        const enum peal_status status = await(stream, POLLIN, deadline_ns);
        if (status != PEAL_OK)
            return status;
    }
    return PEAL_OK;
}

/* ---- opening --------------------------------------------------------------------------------- */

static enum peal_status fail_connect(const struct peal_vdev_stream *stream, int error)
{
    if (error == ENOENT || error == ECONNREFUSED)
        return peal_fail(PEAL_ENOENT,
                         "no device server listens at %s; start one (peal-vdev --guest %s), or "
                         "correct device=",
                         stream->path, stream->path);
    if (error == EAGAIN || error == EINPROGRESS)
        return peal_fail(PEAL_TIMEDOUT,
                         "the device server at %s did not accept a connection within %" PRIu64
                         " ms; is it stopped?",
                         stream->path, stream->timeout_ns / NS_PER_MS);
    return peal_fail(error == EACCES || error == EPERM ? PEAL_EPERM : PEAL_ESYSTEM,
                     "cannot connect to the device server at %s: %s; check the path and the rights "
                     "on it",
                     stream->path, strerror(error));
}

/* A unix socket's connect() waits for room in the listener's queue as long as sending may take. */
static int connect_until(struct peal_vdev_stream *stream)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    memcpy(address.sun_path, stream->path, sizeof(address.sun_path));
    for (;;) {
        const uint64_t now_ns = peal_os_now_ns();
        if (now_ns >= stream->deadline_ns)
            return EAGAIN;
        uint64_t left_us = (stream->deadline_ns - now_ns) / NS_PER_US + 1;
        if (left_us > INT_MAX * US_PER_S)
            left_us = INT_MAX * US_PER_S;
        const struct timeval left = {.tv_sec = (time_t)(left_us / US_PER_S),
                                     .tv_usec = (suseconds_t)(left_us % US_PER_S)};
        (void)setsockopt(stream->fd, SOL_SOCKET, SO_SNDTIMEO, &left, sizeof(left));
        if (connect(stream->fd, (const struct sockaddr *)&address, sizeof(address)) == 0)
            return 0;
        if (errno != EINTR)
            return errno;
    }
}

enum peal_status peal_vdev_stream_open(struct peal_vdev_stream *stream, const char *path,
                                       uint64_t timeout_ns)
{
    const size_t length = strlen(path);
    if (length == 0 || length >= sizeof(stream->path))
        return peal_fail(PEAL_EINVAL,
                         "the path of a device server's socket has 1 to %zu characters, not %zu; "
                         "use a shorter one",
                         sizeof(stream->path) - 1, length);
    *stream = (struct peal_vdev_stream){
        .fd = -1, .fork_item = {.in_child = let_go_in_child}, .timeout_ns = timeout_ns};
    memcpy(stream->path, path, length);
    stream->deadline_ns = peal_os_deadline_ns(timeout_ns);
    int error = peal_fork_watch();
    if (error == 0)
        error = pthread_mutex_init(&stream->mutex, NULL);
    if (error != 0)
        return peal_fail(PEAL_ENOMEM, "cannot prepare a connection to %s: %s", path,
                         strerror(error));
    error = stream_socket(stream);
    if (error != 0) {
        (void)pthread_mutex_destroy(&stream->mutex);
        return peal_fail(PEAL_ESYSTEM, "cannot make a socket: %s; raise RLIMIT_NOFILE",
                         strerror(error));
    }
    error = connect_until(stream);
    if (error == 0)
        return PEAL_OK;
    peal_vdev_stream_close(stream);
    return fail_connect(stream, error);
}
