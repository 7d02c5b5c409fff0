/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A pair of Unix sockets of the kind that keeps messages apart (SEQPACKET). One system call takes a
 * batch, on both sides. Several may write to one end and read from the other.
 */
#include "bench/peers/peers.h"
#include "bench/peers/tray.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* What the kernel may keep under way, where it lets us choose. */
enum { SOCKET_BYTES = 4 << 20, SIZE_BYTES_MAX = 128 << 10 };

struct socket_end {
    int fd;
    struct bench_tray tray; /* the receiver's as well */
};

static bool socket_begin(struct bench_channel *channel)
{
    int *fds = bench_peer_new(2 * sizeof(*fds));
    int bytes = SOCKET_BYTES;

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds) != 0) {
        bench_peer_complain("socketpair", errno);
        free(fds);
        return false;
    }
    /* Only root may have more than net.core.wmem_max. */
    if (setsockopt(fds[1], SOL_SOCKET, SO_SNDBUFFORCE, &bytes, sizeof(bytes)) != 0)
        (void)setsockopt(fds[1], SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes));
    channel->state = fds;
    return true;
}

static void socket_end_channel(struct bench_channel *channel)
{
    int *fds = channel->state;

    if (fds == NULL)
        return; /* of a conductor that was killed */
    (void)close(fds[0]);
    (void)close(fds[1]);
    free(fds);
}

static void *socket_open(const struct bench_channel *channel, bool sends, uint32_t index)
{
    const int *fds = channel->state;
    struct socket_end *self = bench_peer_new(sizeof(*self));

    (void)index;
    self->fd = fds[sends];
    bench_tray_open(&self->tray, channel->size_bytes, 0);
    self->tray.stride_bytes = channel->size_bytes;
    return self;
}

static void socket_close(void *end)
{
    struct socket_end *self = end;

    bench_tray_close(&self->tray);
    free(self);
}

static size_t socket_prepare(void *end, void *places[], size_t size_bytes, size_t count)
{
    struct socket_end *self = end;

    return bench_tray_prepare(&self->tray, places, size_bytes, count);
}

static bool is_full(int error)
{
    return error == EAGAIN || error == ENOBUFS;
}

static size_t send_batch(struct socket_end *self, size_t count)
{
    struct mmsghdr heads[BENCH_BATCH_MAX];
    struct iovec parts[BENCH_BATCH_MAX];
    int did;

    memset(heads, 0, count * sizeof(heads[0]));
    for (size_t i = 0; i < count; i++) {
        parts[i] = (struct iovec){bench_tray_next(&self->tray) + i * self->tray.stride_bytes,
                                  self->tray.size_bytes};
        heads[i].msg_hdr.msg_iov = &parts[i];
        heads[i].msg_hdr.msg_iovlen = 1;
    }
    did = sendmmsg(self->fd, heads, (unsigned)count, MSG_NOSIGNAL);
    if (did < 0 && !is_full(errno))
        bench_contender_die("sendmmsg: %s", strerror(errno));
    return did > 0 ? (size_t)did : 0;
}

static size_t send_one(struct socket_end *self)
{
    ssize_t did = send(self->fd, bench_tray_next(&self->tray), self->tray.size_bytes, MSG_NOSIGNAL);

    if (did < 0 && !is_full(errno))
        bench_contender_die("send: %s", strerror(errno));
    return did > 0;
}

static size_t socket_send(void *end, size_t count)
{
    struct socket_end *self = end;
    size_t gone;

    count = bench_tray_left(&self->tray, count);
    if (count == 0)
        return 0;
    gone = count == 1 ? send_one(self) : send_batch(self, count);
    self->tray.next += gone;
    return gone;
}

static size_t receive_batch(struct socket_end *self, struct bench_view views[], size_t max)
{
    struct mmsghdr heads[BENCH_BATCH_MAX];
    struct iovec parts[BENCH_BATCH_MAX];
    int did;

    if (max > self->tray.places_max)
        max = self->tray.places_max;
    memset(heads, 0, max * sizeof(heads[0]));
    for (size_t i = 0; i < max; i++) {
        parts[i] =
            (struct iovec){self->tray.bytes + i * self->tray.stride_bytes, self->tray.stride_bytes};
        heads[i].msg_hdr.msg_iov = &parts[i];
        heads[i].msg_hdr.msg_iovlen = 1;
    }
    did = recvmmsg(self->fd, heads, (unsigned)max, 0, NULL);
    if (did < 0 && errno != EAGAIN)
        bench_contender_die("recvmmsg: %s", strerror(errno));
    for (int i = 0; i < did; i++)
        views[i] = (struct bench_view){parts[i].iov_base, heads[i].msg_len};
    return did > 0 ? (size_t)did : 0;
}

static size_t socket_receive(void *end, struct bench_view views[], size_t max)
{
    struct socket_end *self = end;
    ssize_t size;

    if (max > 1)
        return receive_batch(self, views, max);
    size = recv(self->fd, self->tray.bytes, self->tray.stride_bytes, 0);
    if (size < 0 && errno != EAGAIN)
        bench_contender_die("recv: %s", strerror(errno));
    if (size <= 0)
        return 0;
    views[0] = (struct bench_view){self->tray.bytes, (size_t)size};
    return 1;
}

static void socket_release(void *end)
{
    (void)end;
}

static int socket_descriptor(void *end)
{
    struct socket_end *self = end;

    return self->fd;
}

static bool socket_arm(void *end)
{
    (void)end;
    return false;
}

static void socket_wait(void *end, uint64_t timeout_ns)
{
    bench_peer_poll(socket_descriptor(end), timeout_ns);
}

const struct bench_contender bench_peer_socket = {
    .name = "Unix socket",
    .package = "the kernel",
    .note = "SEQPACKET; as many messages under way as the socket's buffer holds",
    .patterns = BENCH_PATTERN_PAIR | BENCH_PATTERN_FAN_IN | BENCH_PATTERN_QUEUE,
    .reach = BENCH_REACH_PROCESSES,
    .has_batches = true,
    .uses_kernel = true,
    .size_bytes_max = SIZE_BYTES_MAX,
    .begin = socket_begin,
    .end = socket_end_channel,
    .open = socket_open,
    .close = socket_close,
    .prepare = socket_prepare,
    .send = socket_send,
    .receive = socket_receive,
    .release = socket_release,
    .wait = socket_wait,
    .descriptor = socket_descriptor,
    .arm = socket_arm,
};
