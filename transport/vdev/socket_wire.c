/* SPDX-License-Identifier: Apache-2.0 */
#include "transport/vdev/socket_wire.h"

#include "core/error.h"
#include "transport/base/os.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>
#include <vfio_user.h>

#define DESCRIPTORS_MAX 16u /* that one message of the server may bring; the kernel drops more */
#define VERSION_TEXT "{\"capabilities\":{\"max_msg_fds\":16}}"
#define VERSION_REPLY_MAX 4096u
#define NS_PER_MS UINT64_C(1000000)
#define NS_PER_US UINT64_C(1000)
#define US_PER_S UINT64_C(1000000)

/* ---- fork ------------------------------------------------------------------------------------ */

/* Guards the list, and is held from before a socket exists until it stands there: a fork waits. */
static pthread_mutex_t fork_mutex = PTHREAD_MUTEX_INITIALIZER;
static struct peal_vdev_wire *open_wires;
static pthread_once_t fork_once = PTHREAD_ONCE_INIT;
static int fork_error;

static void fork_prepare(void)
{
    (void)pthread_mutex_lock(&fork_mutex);
}

static void fork_parent(void)
{
    (void)pthread_mutex_unlock(&fork_mutex);
}

static void fork_child(void)
{
    for (struct peal_vdev_wire *wire = open_wires; wire != NULL; wire = wire->next) {
        (void)close(wire->fd);
        wire->fd = -1;
        wire->gone = true;
        /* A thread that does not exist here may hold it. */
        (void)pthread_mutex_init(&wire->mutex, NULL);
    }
    open_wires = NULL;
    (void)pthread_mutex_unlock(&fork_mutex);
}

static void fork_register(void)
{
    fork_error = pthread_atfork(fork_prepare, fork_parent, fork_child);
}

/* A socket that a child of this process does not keep. */
static int wire_socket(struct peal_vdev_wire *wire)
{
    (void)pthread_mutex_lock(&fork_mutex);
    wire->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const int error = wire->fd < 0 ? errno : 0;
    if (error == 0) {
        wire->next = open_wires;
        open_wires = wire;
    }
    (void)pthread_mutex_unlock(&fork_mutex);
    return error;
}

void peal_vdev_wire_close(struct peal_vdev_wire *wire)
{
    (void)pthread_mutex_lock(&fork_mutex);
    for (struct peal_vdev_wire **link = &open_wires; *link != NULL; link = &(*link)->next) {
        if (*link == wire) {
            *link = wire->next;
            break;
        }
    }
    if (wire->fd >= 0)
        (void)close(wire->fd);
    wire->fd = -1;
    (void)pthread_mutex_unlock(&fork_mutex);
    (void)pthread_mutex_destroy(&wire->mutex);
}

/* ---- the end of a connection ----------------------------------------------------------------- */

/* The mutex is held. The server learns that this guest has gone, although the socket stays open. */
static void give_up(struct peal_vdev_wire *wire)
{
    wire->gone = true;
    (void)shutdown(wire->fd, SHUT_RDWR);
}

static enum peal_status fail_gone(struct peal_vdev_wire *wire)
{
    give_up(wire);
    return peal_fail(
        PEAL_ESYSTEM,
        "the device server at %s is gone; see its log, start it again (peal-vdev), and "
        "open the bus anew",
        wire->path);
}

static enum peal_status fail_garbage(struct peal_vdev_wire *wire, const char *what)
{
    give_up(wire);
    return peal_fail(
        PEAL_ESYSTEM,
        "the device server at %s gave an answer that is none (%s), and was left; is it "
        "peal-vdev, or another server of vfio-user 0.0?",
        wire->path, what);
}

void peal_vdev_wire_hang_up(struct peal_vdev_wire *wire)
{
    (void)pthread_mutex_lock(&wire->mutex);
    give_up(wire);
    (void)pthread_mutex_unlock(&wire->mutex);
}

/* ---- bytes, with a deadline ------------------------------------------------------------------ */

static enum peal_status await(struct peal_vdev_wire *wire, short events, uint64_t deadline_ns)
{
    for (;;) {
        struct pollfd waited = {.fd = wire->fd, .events = events};
        const uint64_t now_ns = peal_os_now_ns();
        const uint64_t left_ns = deadline_ns > now_ns ? deadline_ns - now_ns : 0;
        uint64_t left_ms = left_ns / NS_PER_MS + (left_ns % NS_PER_MS != 0);
        if (left_ms > INT_MAX)
            left_ms = INT_MAX;
        const int ready = poll(&waited, 1, (int)left_ms);
        if (ready > 0)
            return PEAL_OK; /* or hung up: the call that follows says so */
        if (ready < 0 && errno != EINTR)
            return fail_gone(wire);
        if (ready == 0 && peal_os_now_ns() >= deadline_ns) {
            give_up(wire);
            return peal_fail(PEAL_TIMEDOUT,
                             "the device server at %s did not answer within %" PRIu64
                             " ms and was left; is it stopped, or serving another client on this "
                             "socket? Allow more time, or open the bus anew",
                             wire->path, wire->timeout_ns / NS_PER_MS);
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

union descriptor_room {
    struct cmsghdr align;
    char bytes[CMSG_SPACE(DESCRIPTORS_MAX * sizeof(int))];
};

/*
 * A full socket is waited for, also by a posted write: as a register write that traps holds its processor until the device
 * has taken it. Dropping it would lose a bell; queueing here would only move the wait, without a bound.
 */
static enum peal_status send_all(struct peal_vdev_wire *wire, struct msghdr *message,
                                 uint64_t deadline_ns)
{
    while (message->msg_iovlen > 0) {
        const ssize_t sent = sendmsg(wire->fd, message, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent >= 0) {
            skip(message, (size_t)sent);
            message->msg_control = NULL; /* it went with the first byte */
            message->msg_controllen = 0;
            continue;
        }
        if (errno == EINTR)
            continue;
        if (errno != EAGAIN && errno != EWOULDBLOCK)
            return fail_gone(wire);
        const enum peal_status status = await(wire, POLLOUT, deadline_ns);
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

static enum peal_status receive_all(struct peal_vdev_wire *wire, void *target, size_t bytes,
                                    int *kept, uint64_t deadline_ns)
{
    size_t done = 0;
    while (done < bytes) {
        union descriptor_room room;
        struct iovec piece = {.iov_base = (char *)target + done, .iov_len = bytes - done};
        struct msghdr message = {.msg_iov = &piece,
                                 .msg_iovlen = 1,
                                 .msg_control = room.bytes,
                                 .msg_controllen = sizeof(room.bytes)};
        const ssize_t taken = recvmsg(wire->fd, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
        if (taken > 0) {
            take_descriptors(&message, kept);
            done += (size_t)taken;
            continue;
        }
        if (taken < 0 && errno == EINTR)
            continue;
        if (taken == 0 || (errno != EAGAIN && errno != EWOULDBLOCK))
            return fail_gone(wire);
        const enum peal_status status = await(wire, POLLIN, deadline_ns);
        if (status != PEAL_OK)
            return status;
    }
    return PEAL_OK;
}

/* ---- one request and its reply --------------------------------------------------------------- */

static enum peal_status send_request(struct peal_vdev_wire *wire,
                                     const struct peal_vdev_request *request, uint64_t deadline_ns)
{
    struct vfio_user_header header = {
        .id = ++wire->id,
        .command = request->command,
        .message_bytes = (uint32_t)(sizeof(header) + request->head_bytes + request->data_bytes),
        .flags = VFIO_USER_TYPE_COMMAND | (request->posted ? VFIO_USER_NO_REPLY : 0),
    };
    struct iovec pieces[] = {
        {.iov_base = &header, .iov_len = sizeof(header)},
        {.iov_base = (void *)(uintptr_t)request->head, .iov_len = request->head_bytes},
        {.iov_base = (void *)(uintptr_t)request->data, .iov_len = request->data_bytes},
    };
    struct msghdr message = {.msg_iov = pieces, .msg_iovlen = 3};
    union descriptor_room room;
    if (request->fd >= 0) {
        memset(&room, 0, sizeof(room));
        message.msg_control = room.bytes;
        message.msg_controllen = CMSG_SPACE(sizeof(int));
        struct cmsghdr *part = CMSG_FIRSTHDR(&message);
        part->cmsg_level = SOL_SOCKET;
        part->cmsg_type = SCM_RIGHTS;
        part->cmsg_len = CMSG_LEN(sizeof(int));
        memcpy(CMSG_DATA(part), &request->fd, sizeof(int));
    }
    return send_all(wire, &message, deadline_ns);
}

/* What is wrong with a reply's header; NULL: nothing. */
static const char *header_fault(const struct peal_vdev_wire *wire,
                                const struct peal_vdev_request *request,
                                const struct vfio_user_header *header)
{
    if ((header->flags & VFIO_USER_TYPE_MASK) != VFIO_USER_TYPE_REPLY)
        return "not a reply";
    if (header->id != wire->id)
        return "the reply to another request";
    if (header->command != request->command)
        return "the reply to another command";
    if (header->message_bytes < sizeof(*header))
        return "shorter than its header";
    const size_t bytes = header->message_bytes - sizeof(*header);
    if ((header->flags & VFIO_USER_ERROR) != 0)
        return bytes > request->reply_most_bytes ? "a longer error than was asked for" : NULL;
    if (bytes < request->reply_least_bytes || bytes > request->reply_most_bytes)
        return "of another length than was asked for";
    return NULL;
}

static enum peal_status receive_reply(struct peal_vdev_wire *wire,
                                      struct peal_vdev_request *request, uint64_t deadline_ns)
{
    struct vfio_user_header header;
    enum peal_status status =
        receive_all(wire, &header, sizeof(header), request->reply_fd, deadline_ns);
    if (status != PEAL_OK)
        return status;
    const char *fault = header_fault(wire, request, &header);
    if (fault != NULL)
        return fail_garbage(wire, fault);
    request->reply_bytes = header.message_bytes - sizeof(header);
    status =
        receive_all(wire, request->reply, request->reply_bytes, request->reply_fd, deadline_ns);
    if (status == PEAL_OK && (header.flags & VFIO_USER_ERROR) != 0)
        request->error = header.error != 0 ? header.error : (uint32_t)EIO;
    return status;
}

enum peal_status peal_vdev_wire_ask(struct peal_vdev_wire *wire, struct peal_vdev_request *request)
{
    request->error = 0;
    request->reply_bytes = 0;
    if (request->reply_fd != NULL)
        *request->reply_fd = -1;
    (void)pthread_mutex_lock(&wire->mutex);
    uint64_t deadline_ns = peal_os_deadline_ns(wire->timeout_ns);
    if (deadline_ns > wire->deadline_ns)
        deadline_ns = wire->deadline_ns;
    enum peal_status status =
        wire->gone ? fail_gone(wire) : send_request(wire, request, deadline_ns);
    if (status == PEAL_OK && !request->posted)
        status = receive_reply(wire, request, deadline_ns);
    (void)pthread_mutex_unlock(&wire->mutex);
    if (request->reply_fd != NULL && *request->reply_fd >= 0 &&
        (status != PEAL_OK || request->error != 0)) {
        (void)close(*request->reply_fd);
        *request->reply_fd = -1;
    }
    return status;
}

/* ---- opening --------------------------------------------------------------------------------- */

static enum peal_status fail_connect(const struct peal_vdev_wire *wire, int error)
{
    if (error == ENOENT || error == ECONNREFUSED)
        return peal_fail(PEAL_ENOENT,
                         "no device server listens at %s; start one (peal-vdev --guest %s), or "
                         "correct device=",
                         wire->path, wire->path);
    if (error == EAGAIN || error == EINPROGRESS)
        return peal_fail(PEAL_TIMEDOUT,
                         "the device server at %s did not accept a connection within %" PRIu64
                         " ms; is it stopped?",
                         wire->path, wire->timeout_ns / NS_PER_MS);
    return peal_fail(error == EACCES || error == EPERM ? PEAL_EPERM : PEAL_ESYSTEM,
                     "cannot connect to the device server at %s: %s; check the path and the rights "
                     "on it",
                     wire->path, strerror(error));
}

/* A unix socket's connect() waits for room in the listener's queue as long as sending may take. */
static int connect_until(struct peal_vdev_wire *wire)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    memcpy(address.sun_path, wire->path, sizeof(address.sun_path));
    for (;;) {
        const uint64_t now_ns = peal_os_now_ns();
        if (now_ns >= wire->deadline_ns)
            return EAGAIN;
        uint64_t left_us = (wire->deadline_ns - now_ns) / NS_PER_US + 1;
        if (left_us > INT_MAX * US_PER_S)
            left_us = INT_MAX * US_PER_S;
        const struct timeval left = {.tv_sec = (time_t)(left_us / US_PER_S),
                                     .tv_usec = (suseconds_t)(left_us % US_PER_S)};
        (void)setsockopt(wire->fd, SOL_SOCKET, SO_SNDTIMEO, &left, sizeof(left));
        if (connect(wire->fd, (const struct sockaddr *)&address, sizeof(address)) == 0)
            return 0;
        if (errno != EINTR)
            return errno;
    }
}

static enum peal_status agree_version(struct peal_vdev_wire *wire)
{
    const struct vfio_user_version ours = {.major = VFIO_USER_VERSION_MAJOR,
                                           .minor = VFIO_USER_VERSION_MINOR};
    unsigned char reply[VERSION_REPLY_MAX];
    struct vfio_user_version theirs;
    struct peal_vdev_request request = {
        .command = VFIO_USER_VERSION,
        .fd = -1,
        .head = &ours,
        .head_bytes = sizeof(ours),
        .data = VERSION_TEXT,
        .data_bytes = sizeof(VERSION_TEXT),
        .reply = reply,
        .reply_least_bytes = sizeof(theirs),
        .reply_most_bytes = sizeof(reply),
    };
    const enum peal_status status = peal_vdev_wire_ask(wire, &request);
    if (status != PEAL_OK)
        return status;
    if (request.error != 0)
        return peal_fail(PEAL_EFORMAT,
                         "the device server at %s refused vfio-user version %u.%u: %s; use a "
                         "peal-vdev of this version",
                         wire->path, VFIO_USER_VERSION_MAJOR, VFIO_USER_VERSION_MINOR,
                         strerror((int)request.error));
    /* Their capabilities, a text that follows, limit only what is not used: large transfers, many descriptors, DMA. */
    memcpy(&theirs, reply, sizeof(theirs));
    if (theirs.major != VFIO_USER_VERSION_MAJOR || theirs.minor > VFIO_USER_VERSION_MINOR)
        return peal_fail(
            PEAL_EFORMAT,
            "the device server at %s speaks version %u.%u of vfio-user, this is %u.%u; "
            "use a peal-vdev of this version",
            wire->path, theirs.major, theirs.minor, VFIO_USER_VERSION_MAJOR,
            VFIO_USER_VERSION_MINOR);
    return PEAL_OK;
}

enum peal_status peal_vdev_wire_open(struct peal_vdev_wire *wire, const char *path,
                                     uint64_t timeout_ns)
{
    const size_t length = strlen(path);
    if (length == 0 || length >= sizeof(wire->path))
        return peal_fail(PEAL_EINVAL,
                         "the path of a device server's socket has 1 to %zu characters, not %zu; "
                         "use a shorter one",
                         sizeof(wire->path) - 1, length);
    *wire = (struct peal_vdev_wire){.fd = -1, .timeout_ns = timeout_ns};
    memcpy(wire->path, path, length);
    wire->deadline_ns = peal_os_deadline_ns(timeout_ns);
    (void)pthread_once(&fork_once, fork_register);
    int error = fork_error;
    if (error == 0)
        error = pthread_mutex_init(&wire->mutex, NULL);
    if (error != 0)
        return peal_fail(PEAL_ENOMEM, "cannot prepare a connection to %s: %s", path,
                         strerror(error));
    error = wire_socket(wire);
    if (error != 0) {
        (void)pthread_mutex_destroy(&wire->mutex);
        return peal_fail(PEAL_ESYSTEM, "cannot make a socket: %s; raise RLIMIT_NOFILE",
                         strerror(error));
    }
    error = connect_until(wire);
    const enum peal_status status = error != 0 ? fail_connect(wire, error) : agree_version(wire);
    if (status != PEAL_OK)
        peal_vdev_wire_close(wire);
    return status;
}

/* ---- registers ------------------------------------------------------------------------------- */

struct access_reply {
    struct vfio_user_region_access access;
    unsigned char data[8];
};

/* A reply says again what it answers. */
static enum peal_status check_access(struct peal_vdev_wire *wire,
                                     const struct vfio_user_region_access *asked,
                                     const struct vfio_user_region_access *answered)
{
    if (memcmp(asked, answered, sizeof(*asked)) == 0)
        return PEAL_OK;
    (void)pthread_mutex_lock(&wire->mutex);
    const enum peal_status status = fail_garbage(wire, "about another place than was asked for");
    (void)pthread_mutex_unlock(&wire->mutex);
    return status;
}

enum peal_status peal_vdev_wire_read(struct peal_vdev_wire *wire, uint32_t region, uint64_t offset,
                                     uint32_t width, uint64_t *value, bool *refused)
{
    const struct vfio_user_region_access access = {
        .offset = offset, .region = region, .count = width};
    struct access_reply reply;
    assert(width >= 1 && width <= sizeof(reply.data));
    struct peal_vdev_request request = {
        .command = VFIO_USER_REGION_READ,
        .fd = -1,
        .head = &access,
        .head_bytes = sizeof(access),
        .reply = &reply,
        .reply_least_bytes = sizeof(access) + width,
        .reply_most_bytes = sizeof(access) + width,
    };
    enum peal_status status = peal_vdev_wire_ask(wire, &request);
    *refused = request.error != 0;
    if (status != PEAL_OK || *refused)
        return status;
    status = check_access(wire, &access, &reply.access);
    *value = 0;
    for (uint32_t i = 0; i < width; i++)
        *value |= (uint64_t)reply.data[i] << (8 * i);
    return status;
}

enum peal_status peal_vdev_wire_write(struct peal_vdev_wire *wire, uint32_t region, uint64_t offset,
                                      uint32_t width, uint64_t value, bool posted, bool *refused)
{
    const struct vfio_user_region_access access = {
        .offset = offset, .region = region, .count = width};
    struct vfio_user_region_access reply;
    unsigned char data[8];
    assert(width >= 1 && width <= sizeof(data));
    for (uint32_t i = 0; i < width; i++)
        data[i] = (unsigned char)(value >> (8 * i));
    struct peal_vdev_request request = {
        .command = VFIO_USER_REGION_WRITE,
        .posted = posted,
        .fd = -1,
        .head = &access,
        .head_bytes = sizeof(access),
        .data = data,
        .data_bytes = width,
        .reply = &reply,
        .reply_least_bytes = sizeof(reply),
        .reply_most_bytes = sizeof(reply),
    };
    const enum peal_status status = peal_vdev_wire_ask(wire, &request);
    *refused = request.error != 0;
    if (status != PEAL_OK || *refused || posted)
        return status;
    return check_access(wire, &access, &reply);
}
