/* SPDX-License-Identifier: Apache-2.0 */
#include "transport/vdev/socket_wire.h"

#include "core/error.h"
#include "transport/base/os.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>
#include <vfio_user.h>

#define VERSION_TEXT "{\"capabilities\":{\"max_msg_fds\":16}}"
#define VERSION_REPLY_MAX 4096u

/* ---- the end of a connection ----------------------------------------------------------------- */

static enum peal_status fail_garbage(struct peal_vdev_wire *wire, const char *what)
{
    peal_vdev_stream_give_up(&wire->stream);
    return peal_fail(
        PEAL_ESYSTEM,
        "the device server at %s gave an answer that is none (%s), and was left; is it "
        "peal-vdev, or another server of vfio-user 0.0?",
        wire->stream.path, what);
}

void peal_vdev_wire_hang_up(struct peal_vdev_wire *wire)
{
    (void)pthread_mutex_lock(&wire->stream.mutex);
    peal_vdev_stream_give_up(&wire->stream);
    (void)pthread_mutex_unlock(&wire->stream.mutex);
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
    union peal_vdev_descriptor_room room;
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
    return peal_vdev_stream_send(&wire->stream, &message, deadline_ns);
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
    enum peal_status status = peal_vdev_stream_receive(&wire->stream, &header, sizeof(header),
                                                       request->reply_fd, deadline_ns);
    if (status != PEAL_OK)
        return status;
    const char *fault = header_fault(wire, request, &header);
    if (fault != NULL)
        return fail_garbage(wire, fault);
    request->reply_bytes = header.message_bytes - sizeof(header);
    status = peal_vdev_stream_receive(&wire->stream, request->reply, request->reply_bytes,
                                      request->reply_fd, deadline_ns);
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
    (void)pthread_mutex_lock(&wire->stream.mutex);
    uint64_t deadline_ns = peal_os_deadline_ns(wire->stream.timeout_ns);
    if (deadline_ns > wire->stream.deadline_ns)
        deadline_ns = wire->stream.deadline_ns;
    enum peal_status status = wire->stream.gone ? peal_vdev_stream_fail_gone(&wire->stream)
                                                : send_request(wire, request, deadline_ns);
    if (status == PEAL_OK && !request->posted)
        status = receive_reply(wire, request, deadline_ns);
    (void)pthread_mutex_unlock(&wire->stream.mutex);
    if (request->reply_fd != NULL && *request->reply_fd >= 0 &&
        (status != PEAL_OK || request->error != 0)) {
        (void)close(*request->reply_fd);
        *request->reply_fd = -1;
    }
    return status;
}

/* ---- opening --------------------------------------------------------------------------------- */

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
                         wire->stream.path, VFIO_USER_VERSION_MAJOR, VFIO_USER_VERSION_MINOR,
                         strerror((int)request.error));
    /* Their capabilities, a text that follows, limit only what is not used: large transfers, many descriptors, DMA. */
    memcpy(&theirs, reply, sizeof(theirs));
    if (theirs.major != VFIO_USER_VERSION_MAJOR || theirs.minor > VFIO_USER_VERSION_MINOR)
        return peal_fail(
            PEAL_EFORMAT,
            "the device server at %s speaks version %u.%u of vfio-user, this is %u.%u; "
            "use a peal-vdev of this version",
            wire->stream.path, theirs.major, theirs.minor, VFIO_USER_VERSION_MAJOR,
            VFIO_USER_VERSION_MINOR);
    return PEAL_OK;
}

enum peal_status peal_vdev_wire_open(struct peal_vdev_wire *wire, const char *path,
                                     uint64_t timeout_ns)
{
    wire->id = 0;
    enum peal_status status = peal_vdev_stream_open(&wire->stream, path, timeout_ns);
    if (status != PEAL_OK)
        return status;
    status = agree_version(wire);
    if (status != PEAL_OK)
        peal_vdev_wire_close(wire);
    return status;
}

void peal_vdev_wire_opened(struct peal_vdev_wire *wire)
{
    wire->stream.deadline_ns = UINT64_MAX;
}

void peal_vdev_wire_close(struct peal_vdev_wire *wire)
{
    peal_vdev_stream_close(&wire->stream);
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
    (void)pthread_mutex_lock(&wire->stream.mutex);
    const enum peal_status status = fail_garbage(wire, "about another place than was asked for");
    (void)pthread_mutex_unlock(&wire->stream.mutex);
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
