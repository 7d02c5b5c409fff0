/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A fuzz target over the messages of vfio-user, as a hostile guest's hypervisor sends them to peal-vdev: what reads them, what
 * answers, and all that lies behind: registers, configuration space, interrupts, windows. The input is what comes over the
 * socket; the first byte odd: with descriptors beside its first piece, and a greeting before it if it is below 128.
 */
#include "device/server/peer.h"

#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#define SOCKET_BYTES (1 << 18)
#define ROUNDS 64

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct vdev_memory memory;
static struct vdev_config config;
static struct vdev_model *model;

static void must(bool condition)
{
    if (!condition)
        abort();
}

static bool region_begin(void *context, uint32_t slot, uint32_t pages, bool zeroed)
{
    (void)context;
    must(slot < memory.windows && pages * (uint64_t)VDEV_PAGE_BYTES <= memory.window_bytes);
    return !zeroed || vdev_memory_clear(&memory, slot, pages);
}

static void region_end(void *context, uint32_t slot, uint32_t pages)
{
    (void)context;
    (void)vdev_memory_clear(&memory, slot, pages);
}

static uint64_t place(void *context, struct vdev_guest *guest, uint32_t slot, uint32_t window)
{
    (void)context;
    return vdev_function_place(vdev_guest_user(guest), slot, window);
}

static void interrupt(void *context, struct vdev_guest *guest, uint32_t vector)
{
    (void)context;
    struct vdev_function *function = vdev_guest_user(guest);
    vdev_irqs_raise(&function->irqs, vector);
}

static const struct vdev_ops ops = {
    .region_begin = region_begin, .region_end = region_end, .place = place, .interrupt = interrupt};

static void begin(void)
{
    char error[256];
    vdev_config_init(&config);
    config.window_bytes = VDEV_WINDOW_BYTES_MIN;
    config.windows = 4;
    config.intx = true;
    config.log = VDEV_LOG_QUIET;
    must(vdev_config_set(&config, "guest", "fuzz.sock", error, sizeof(error)));
    must(vdev_memory_open(&memory, config.window_bytes, config.windows, error, sizeof(error)));
}

static void send_all(int fd, const void *bytes, size_t count, bool with_fds)
{
    union {
        char bytes[CMSG_SPACE(2 * sizeof(int))];
        struct cmsghdr align;
    } control = {.bytes = {0}};
    int fds[2] = {eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC), eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)};
    struct iovec piece = {.iov_base = (void *)(uintptr_t)bytes, .iov_len = count};
    struct msghdr message = {.msg_iov = &piece, .msg_iovlen = 1};
    must(fds[0] >= 0 && fds[1] >= 0);
    if (with_fds) {
        message.msg_control = control.bytes;
        message.msg_controllen = sizeof(control.bytes);
        struct cmsghdr *header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(sizeof(fds));
        memcpy(CMSG_DATA(header), fds, sizeof(fds));
    }
    if (count > 0)
        must(sendmsg(fd, &message, MSG_NOSIGNAL) == (ssize_t)count);
    (void)close(fds[0]);
    (void)close(fds[1]);
}

static void greet(int fd)
{
    struct {
        struct vfio_user_header header;
        struct vfio_user_version version;
        char text[4];
    } hello = {.header = {.command = VFIO_USER_VERSION},
               .version = {VFIO_USER_VERSION_MAJOR, VFIO_USER_VERSION_MINOR},
               .text = "{}"};
    const size_t bytes = sizeof(hello.header) + sizeof(hello.version) + 3;
    hello.header.message_bytes = (uint32_t)bytes;
    send_all(fd, &hello, bytes, false);
}

/* Serves until all is answered, or the client is dropped. */
static void serve(struct vdev_peer *peer, int fd)
{
    static unsigned char sink[SOCKET_BYTES];
    const char *why = "";
    for (int round = 0; round < ROUNDS; round++) {
        if (!vdev_peer_serve(peer, EPOLLIN, &why))
            break;
        while (recv(fd, sink, sizeof(sink), MSG_DONTWAIT) > 0)
            continue;
    }
    must(strlen(why) < 256);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int ends[2];
    const int room = SOCKET_BYTES;
    const struct vdev_settings settings = {
        .regions_max = 4, .region_pages_max = 16, .pages_max = 40};
    if (size == 0 || size > SOCKET_BYTES / 4)
        return 0;
    if (!config.guests)
        begin();
    model = vdev_model_new(&settings, &ops, NULL);
    must(model && socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) == 0);
    (void)setsockopt(ends[1], SOL_SOCKET, SO_SNDBUF, &room, sizeof(room));
    struct vdev_peer *peer = vdev_peer_new(model, &memory, &config, 0, ends[0], 1);
    must(peer != NULL);
    if (data[0] < 128)
        greet(ends[1]);
    send_all(ends[1], data + 1, size - 1, data[0] % 2);
    serve(peer, ends[1]);
    vdev_peer_free(peer, "done");
    (void)close(ends[1]);
    vdev_model_free(model);
    return 0;
}
