/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/vdev_rig.h"

#include "device/server/server.h"

#include <dirent.h>
#include <linux/vfio.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define TIMEOUT_MS 20000

bool test_server_init(struct test_server *test)
{
    memset(test, 0, sizeof(*test));
    test->stop_fd = -1;
    vdev_config_init(&test->config);
    test->config.window_bytes = UINT64_C(1) << 20;
    test->config.log = VDEV_LOG_QUIET;
    (void)snprintf(test->folder, sizeof(test->folder), "/tmp/peal-vdev-test-XXXXXX");
    return mkdtemp(test->folder) != NULL;
}

const char *test_server_path(const struct test_server *test, const char *name)
{
    static char path[128];
    (void)snprintf(path, sizeof(path), "%s/%s", test->folder, name);
    return path;
}

bool test_server_set(struct test_server *test, const char *word, const char *argument)
{
    char error[VDEV_CONFIG_ERROR_BYTES];
    if (strcmp(word, "guest") == 0)
        argument = test_server_path(test, argument);
    if (vdev_config_set(&test->config, word, argument, error, sizeof(error)))
        return true;
    (void)fprintf(stderr, "%s\n", error);
    return false;
}

static void *run(void *context)
{
    struct test_server *test = context;
    (void)vdev_server_run(test->server, test->stop_fd);
    return NULL;
}

bool test_server_start(struct test_server *test)
{
    char error[VDEV_CONFIG_ERROR_BYTES];
    test->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    test->server = vdev_server_new(&test->config, error, sizeof(error));
    if (!test->server) {
        (void)fprintf(stderr, "%s\n", error);
        return false;
    }
    return pthread_create(&test->thread, NULL, run, test) == 0;
}

void test_server_stop(struct test_server *test)
{
    if (test->server) {
        (void)eventfd_write(test->stop_fd, 1);
        (void)pthread_join(test->thread, NULL);
        vdev_server_free(test->server);
        test->server = NULL;
    }
    if (test->stop_fd >= 0)
        (void)close(test->stop_fd);
    test->stop_fd = -1;
    vdev_config_end(&test->config);
    (void)rmdir(test->folder);
}

/* ---- the client ------------------------------------------------------------------------------ */

bool test_client_connect(struct test_client *client, const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    const struct timeval limit = {.tv_sec = TIMEOUT_MS / 1000};
    (void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
    *client = (struct test_client){.fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), .irq = -1};
    (void)setsockopt(client->fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
    (void)setsockopt(client->fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
    return connect(client->fd, (struct sockaddr *)&address, sizeof(address)) == 0;
}

void test_client_close(struct test_client *client)
{
    if (client->fd >= 0)
        (void)close(client->fd);
    if (client->irq >= 0)
        (void)close(client->irq);
    client->fd = client->irq = -1;
}

bool test_client_send(const struct test_client *client, const void *bytes, size_t count,
                      const int *fds, size_t fd_count)
{
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(250 * sizeof(int))];
    } control;
    struct iovec piece = {.iov_base = (void *)(uintptr_t)bytes, .iov_len = count};
    struct msghdr message = {.msg_iov = &piece, .msg_iovlen = 1};
    if (fd_count > 0) {
        memset(&control, 0, sizeof(control));
        message.msg_control = control.bytes;
        message.msg_controllen = CMSG_SPACE(fd_count * sizeof(int));
        struct cmsghdr *header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(fd_count * sizeof(int));
        memcpy(CMSG_DATA(header), fds, fd_count * sizeof(int));
    }
    return sendmsg(client->fd, &message, MSG_NOSIGNAL) == (ssize_t)count;
}

static bool receive(const struct test_client *client, void *bytes, size_t count, int *fd)
{
    for (size_t done = 0; done < count;) {
        union {
            struct cmsghdr header;
            char bytes[CMSG_SPACE(sizeof(int))];
        } control;
        struct iovec piece = {.iov_base = (char *)bytes + done, .iov_len = count - done};
        struct msghdr message = {.msg_iov = &piece,
                                 .msg_iovlen = 1,
                                 .msg_control = control.bytes,
                                 .msg_controllen = sizeof(control.bytes)};
        const ssize_t got = recvmsg(client->fd, &message, MSG_CMSG_CLOEXEC);
        if (got <= 0)
            return false;
        const struct cmsghdr *header = CMSG_FIRSTHDR(&message);
        if (header && header->cmsg_type == SCM_RIGHTS)
            memcpy(fd, CMSG_DATA(header), sizeof(*fd));
        done += (size_t)got;
    }
    return true;
}

bool test_client_hear(const struct test_client *client, struct test_reply *reply)
{
    reply->fd = -1;
    if (!receive(client, &reply->header, sizeof(reply->header), &reply->fd))
        return false;
    reply->payload_bytes = reply->header.message_bytes - sizeof(reply->header);
    return reply->payload_bytes <= sizeof(reply->payload) &&
           receive(client, reply->payload, reply->payload_bytes, &reply->fd);
}

bool test_client_ask(struct test_client *client, uint16_t command, const void *payload,
                     size_t payload_bytes, const int *fds, size_t fd_count,
                     struct test_reply *reply)
{
    unsigned char message[4096];
    const struct vfio_user_header header = {.id = ++client->id,
                                            .command = command,
                                            .message_bytes =
                                                (uint32_t)(sizeof(header) + payload_bytes)};
    if (payload_bytes > sizeof(message) - sizeof(header))
        return false;
    memcpy(message, &header, sizeof(header));
    if (payload_bytes > 0)
        memcpy(message + sizeof(header), payload, payload_bytes);
    return test_client_send(client, message, header.message_bytes, fds, fd_count) &&
           test_client_hear(client, reply) && reply->header.id == header.id &&
           reply->header.command == command &&
           (reply->header.flags & VFIO_USER_TYPE_MASK) == VFIO_USER_TYPE_REPLY;
}

/* By the hang-up itself, so that replies nobody read do not hide it. */
bool test_client_is_dropped(const struct test_client *client)
{
    struct pollfd waited = {.fd = client->fd, .events = POLLRDHUP};
    return poll(&waited, 1, TIMEOUT_MS) == 1;
}

uint64_t test_client_read(struct test_client *client, uint32_t region, uint64_t offset,
                          uint32_t width)
{
    const struct vfio_user_region_access access = {
        .offset = offset, .region = region, .count = width};
    static _Thread_local struct test_reply reply;
    uint64_t value = 0;
    if (!test_client_ask(client, VFIO_USER_REGION_READ, &access, sizeof(access), NULL, 0, &reply) ||
        reply.payload_bytes != sizeof(access) + width)
        return UINT64_MAX;
    memcpy(&value, reply.payload + sizeof(access), width);
    return value;
}

bool test_client_write(struct test_client *client, uint32_t region, uint64_t offset, uint32_t width,
                       uint64_t value)
{
    struct {
        struct vfio_user_region_access access;
        uint64_t value;
    } message = {{.offset = offset, .region = region, .count = width}, value};
    static _Thread_local struct test_reply reply;
    return test_client_ask(client, VFIO_USER_REGION_WRITE, &message, sizeof(message.access) + width,
                           NULL, 0, &reply) &&
           (reply.header.flags & VFIO_USER_ERROR) == 0;
}

static bool greet(struct test_client *client)
{
    static const char text[] = "\0\0\0\0{\"capabilities\":{\"max_msg_fds\":8}}";
    static _Thread_local struct test_reply reply;
    return test_client_ask(client, VFIO_USER_VERSION, text, sizeof(text), NULL, 0, &reply) &&
           (reply.header.flags & VFIO_USER_ERROR) == 0;
}

bool test_client_arm(struct test_client *client)
{
    const struct vfio_irq_set set = {.argsz = sizeof(set),
                                     .flags =
                                         VFIO_IRQ_SET_DATA_EVENTFD | VFIO_IRQ_SET_ACTION_TRIGGER,
                                     .index = VFIO_PCI_MSIX_IRQ_INDEX,
                                     .count = 1};
    static _Thread_local struct test_reply reply;
    if (client->irq < 0)
        client->irq = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    return test_client_ask(client, VFIO_USER_DEVICE_SET_IRQS, &set, sizeof(set), &client->irq, 1,
                           &reply) &&
           (reply.header.flags & VFIO_USER_ERROR) == 0;
}

bool test_client_join(struct test_client *client, const char *path)
{
    return test_client_connect(client, path) && greet(client) &&
           test_client_write(client, VFIO_PCI_CONFIG_REGION_INDEX, 0x18, 4,
                             (uint32_t)TEST_SERVER_BASE) &&
           test_client_write(client, VFIO_PCI_CONFIG_REGION_INDEX, 0x1c, 4,
                             TEST_SERVER_BASE >> 32) &&
           test_client_arm(client);
}

uint32_t test_client_attach(struct test_client *client, const char *name, uint32_t pages,
                            uint64_t *control)
{
    for (uint32_t i = 0; i <= strlen(name) && i < GUEST_SHM_MAX_NAME; i++) {
        if (!test_client_write(client, 0, offsetof(struct guest_shm_factory, name) + i, 1,
                               (unsigned char)name[i]))
            return UINT32_MAX;
    }
    if (!test_client_write(client, 0, offsetof(struct guest_shm_factory, size), 4, pages))
        return UINT32_MAX;
    const uint64_t shmem =
        test_client_read(client, 0, offsetof(struct guest_shm_factory, shmem), 8);
    if (control)
        *control = shmem - TEST_SERVER_BASE;
    return (uint32_t)test_client_read(client, 0, offsetof(struct guest_shm_factory, status), 4);
}

bool test_client_interrupted(const struct test_client *client)
{
    struct pollfd waited = {.fd = client->irq, .events = POLLIN};
    eventfd_t count;
    return poll(&waited, 1, TIMEOUT_MS) == 1 && eventfd_read(client->irq, &count) == 0;
}

bool test_client_has_interrupt(const struct test_client *client)
{
    struct pollfd waited = {.fd = client->irq, .events = POLLIN};
    return poll(&waited, 1, 0) == 1;
}

size_t test_open_descriptors(void)
{
    size_t count = 0;
    DIR *folder = opendir("/proc/self/fd");
    while (folder && readdir(folder))
        count++;
    if (folder)
        (void)closedir(folder);
    return count;
}
