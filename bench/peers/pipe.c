/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A pipe, as large as it may be. It carries bytes, so each message has its size in front of it; one
 * write() takes a batch, one read() what is there, and messages are read where they came to lie.
 */
#include "bench/peers/peers.h"
#include "bench/peers/tray.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* How many bytes one read() takes at most; longer messages have room for one of them. */
enum { READ_BYTES = 64 << 10, PIPE_BYTES = 1 << 20, HEAD_BYTES = sizeof(uint64_t) };

struct pipe_end {
    int fd;
    struct bench_tray tray;
    size_t written; /* bytes of the first message that has not gone as a whole */
    /* The receiver's: bytes from `begin` to `end` are not handed out yet. */
    char *bytes;
    size_t room, begin, end;
    size_t size_bytes_max;
};

static bool pipe_begin(struct bench_channel *channel)
{
    int *fds = calloc(2, sizeof(*fds));

    if (fds == NULL || pipe2(fds, O_NONBLOCK | O_CLOEXEC) != 0) {
        bench_peer_complain("pipe2", errno);
        free(fds);
        return false;
    }
    /* Not allowed: it stays as large as the kernel makes it. */
    (void)fcntl(fds[1], F_SETPIPE_SZ, PIPE_BYTES);
    channel->state = fds;
    return true;
}

static void pipe_end_channel(struct bench_channel *channel)
{
    int *fds = channel->state;

    if (fds == NULL)
        return; /* of a conductor that was killed */
    (void)close(fds[0]);
    (void)close(fds[1]);
    free(fds);
}

static void *pipe_open(const struct bench_channel *channel, bool sends, uint32_t index)
{
    const int *fds = channel->state;
    struct pipe_end *self = bench_peer_new(sizeof(*self));

    (void)index;
    self->fd = fds[sends];
    self->size_bytes_max = channel->size_bytes;
    if (sends) {
        bench_tray_open(&self->tray, channel->size_bytes, HEAD_BYTES);
    } else {
        self->room = READ_BYTES + channel->size_bytes + HEAD_BYTES;
        self->bytes = bench_peer_new(self->room);
    }
    return self;
}

static void pipe_close(void *end)
{
    struct pipe_end *self = end;

    bench_tray_close(&self->tray);
    free(self->bytes);
    free(self);
}

static size_t pipe_prepare(void *end, void *places[], size_t size_bytes, size_t count)
{
    struct pipe_end *self = end;
    uint64_t head = size_bytes;
    size_t room = bench_tray_prepare(&self->tray, places, size_bytes, count);

    for (size_t i = 0; i < room; i++)
        memcpy((char *)places[i] - HEAD_BYTES, &head, sizeof(head));
    return room;
}

static size_t pipe_send(void *end, size_t count)
{
    struct pipe_end *self = end;
    size_t bytes = bench_tray_left(&self->tray, count) * self->tray.stride_bytes;
    size_t gone;
    ssize_t did;

    if (bytes == 0)
        return 0;
    did = write(self->fd, bench_tray_next(&self->tray) + self->written, bytes - self->written);
    if (did < 0 && errno != EAGAIN)
        bench_contender_die("write to a pipe: %s", strerror(errno));
    if (did > 0)
        self->written += (size_t)did;
    gone = self->written / self->tray.stride_bytes;
    self->written %= self->tray.stride_bytes;
    self->tray.next += gone;
    return gone;
}

/* The next whole message, if there is one. */
static bool pipe_take(struct pipe_end *self, struct bench_view *view)
{
    uint64_t head;

    if (self->end - self->begin < HEAD_BYTES)
        return false;
    memcpy(&head, self->bytes + self->begin, sizeof(head));
    if (head > self->size_bytes_max)
        bench_contender_die("a pipe: a message of %llu bytes", (unsigned long long)head);
    if (self->end - self->begin - HEAD_BYTES < head)
        return false;
    *view = (struct bench_view){self->bytes + self->begin + HEAD_BYTES, head};
    self->begin += HEAD_BYTES + head;
    return true;
}

/* Reads behind what is there; a message that has begun stays in one piece. */
static void pipe_read(struct pipe_end *self)
{
    size_t rest = self->end - self->begin;
    ssize_t did;

    if (self->begin > 0) {
        memmove(self->bytes, self->bytes + self->begin, rest);
        self->begin = 0;
        self->end = rest;
    }
    did = read(self->fd, self->bytes + self->end, self->room - self->end);
    if (did < 0 && errno != EAGAIN)
        bench_contender_die("read from a pipe: %s", strerror(errno));
    if (did > 0)
        self->end += (size_t)did;
}

static size_t pipe_receive(void *end, struct bench_view views[], size_t max)
{
    struct pipe_end *self = end;
    size_t count = 0;

    if (!pipe_take(self, &views[0])) {
        pipe_read(self);
        if (!pipe_take(self, &views[0]))
            return 0;
    }
    for (count = 1; count < max; count++) {
        if (!pipe_take(self, &views[count]))
            break;
    }
    return count;
}

static void pipe_release(void *end)
{
    (void)end;
}

static int pipe_descriptor(void *end)
{
    struct pipe_end *self = end;

    return self->fd;
}

/* Messages that were read already do not show at the descriptor. */
static bool pipe_arm(void *end)
{
    struct pipe_end *self = end;
    size_t begin = self->begin;
    struct bench_view view;
    bool has_one = pipe_take(self, &view);

    self->begin = begin;
    return has_one;
}

static void pipe_wait(void *end, uint64_t timeout_ns)
{
    struct pipe_end *self = end;

    if (!pipe_arm(end))
        bench_peer_poll(self->fd, timeout_ns);
}

const struct bench_contender bench_peer_pipe = {
    .name = "pipe",
    .package = "the kernel",
    .patterns = BENCH_PATTERN_PAIR,
    .reach = BENCH_REACH_PROCESSES,
    .has_batches = true,
    .uses_kernel = true,
    .begin = pipe_begin,
    .end = pipe_end_channel,
    .open = pipe_open,
    .close = pipe_close,
    .prepare = pipe_prepare,
    .send = pipe_send,
    .receive = pipe_receive,
    .release = pipe_release,
    .wait = pipe_wait,
    .descriptor = pipe_descriptor,
    .arm = pipe_arm,
};
