/* SPDX-License-Identifier: Apache-2.0 */
/*
 * nanomsg over ipc. Every sender binds, every receiver connects to all senders: pair where there is one
 * of each, push and pull where each message is for one, pub and sub where it is for all. A message is
 * built in the buffer that nanomsg gave, and read in the one it came in. It knows no abstract addresses:
 * each sender has a file, which end() removes.
 *
 * A publisher drops what a subscriber has no room for; nanomsg has no other way.
 */
#include "bench/peers/peers.h"

#include <errno.h>
#include <nanomsg/nn.h>
#include <nanomsg/pair.h>
#include <nanomsg/pipeline.h>
#include <nanomsg/pubsub.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { RECONNECT_MS = 5, BUFFER_BYTES_MIN = 128 << 10, BUFFER_BYTES_MAX = 64 << 20 };

struct nanomsg_end {
    int socket;
    int fd; /* -1: it sends */
    uint32_t expected;
    bool is_ready;
    void *messages[BENCH_BATCH_MAX];
    size_t prepared, next, held;
};

static int check(const char *what, int result)
{
    if (result < 0)
        bench_contender_die("nanomsg: %s: %s", what, nn_strerror(nn_errno()));
    return result;
}

static void set(struct nanomsg_end *self, int option, int value)
{
    (void)check("nn_setsockopt",
                nn_setsockopt(self->socket, NN_SOL_SOCKET, option, &value, sizeof(value)));
}

static bool is_published(const struct bench_channel *channel)
{
    return (channel->pattern & (BENCH_PATTERN_FAN_OUT | BENCH_PATTERN_MESH)) != 0;
}

static int protocol_of(const struct bench_channel *channel, bool sends)
{
    if (channel->pattern == BENCH_PATTERN_PAIR)
        return NN_PAIR;
    if (is_published(channel))
        return sends ? NN_PUB : NN_SUB;
    return sends ? NN_PUSH : NN_PULL;
}

static void path_of(char path[80], const struct bench_channel *channel, uint32_t sender)
{
    (void)snprintf(path, 80, "/tmp/%s-%u.nanomsg", channel->name, sender);
}

static void remove_files(struct bench_channel *channel)
{
    char path[80];

    for (uint32_t sender = 0; sender < channel->senders; sender++) {
        path_of(path, channel, sender);
        (void)unlink(path);
    }
}

static bool nanomsg_begin(struct bench_channel *channel)
{
    remove_files(channel);
    return true;
}

static void size_buffers(struct nanomsg_end *self, const struct bench_channel *channel)
{
    uint64_t bytes = (uint64_t)channel->depth * channel->size_bytes;

    bytes = bytes < BUFFER_BYTES_MIN   ? BUFFER_BYTES_MIN
            : bytes > BUFFER_BYTES_MAX ? BUFFER_BYTES_MAX
                                       : bytes;
    set(self, NN_SNDBUF, (int)bytes);
    set(self, NN_RCVBUF, (int)bytes);
    set(self, NN_RCVMAXSIZE, -1);
    set(self, NN_RECONNECT_IVL, RECONNECT_MS);
}

static void connect_all(struct nanomsg_end *self, const struct bench_channel *channel, bool sends,
                        uint32_t index)
{
    char path[80], address[96];

    if (sends) {
        path_of(path, channel, index);
        (void)snprintf(address, sizeof(address), "ipc://%s", path);
        (void)check(address, nn_bind(self->socket, address));
        return;
    }
    for (uint32_t sender = 0; sender < channel->senders; sender++) {
        path_of(path, channel, sender);
        (void)snprintf(address, sizeof(address), "ipc://%s", path);
        (void)check(address, nn_connect(self->socket, address));
    }
}

static void *nanomsg_open(const struct bench_channel *channel, bool sends, uint32_t index)
{
    struct nanomsg_end *self = bench_peer_new(sizeof(*self));
    size_t bytes = sizeof(self->fd);

    self->fd = -1;
    self->expected = sends ? channel->receivers : channel->senders;
    self->socket = check("nn_socket", nn_socket(AF_SP, protocol_of(channel, sends)));
    size_buffers(self, channel);
    if (!sends) {
        if (is_published(channel))
            (void)check("subscribe", nn_setsockopt(self->socket, NN_SUB, NN_SUB_SUBSCRIBE, "", 0));
        (void)check("NN_RCVFD",
                    nn_getsockopt(self->socket, NN_SOL_SOCKET, NN_RCVFD, &self->fd, &bytes));
    }
    connect_all(self, channel, sends, index);
    return self;
}

static void nanomsg_close(void *end)
{
    struct nanomsg_end *self = end;

    while (self->next < self->prepared)
        (void)nn_freemsg(self->messages[self->next++]);
    (void)nn_close(self->socket);
    free(self);
}

static bool nanomsg_ready(void *end)
{
    struct nanomsg_end *self = end;

    if (self->is_ready)
        return true;
    /* The files stay: who loses a connection that has just come about, for he got no CPU in the second
     * that nanomsg gives it, needs them to come again. */
    self->is_ready = nn_get_statistic(self->socket, NN_STAT_CURRENT_CONNECTIONS) >= self->expected;
    return self->is_ready;
}

static size_t nanomsg_prepare(void *end, void *places[], size_t size_bytes, size_t count)
{
    struct nanomsg_end *self = end;

    if (!nanomsg_ready(self))
        return 0;
    for (size_t i = 0; i < count; i++) {
        places[i] = self->messages[i] = nn_allocmsg(size_bytes, 0);
        if (places[i] == NULL)
            bench_contender_die("nanomsg: nn_allocmsg: %s", nn_strerror(nn_errno()));
    }
    self->prepared = count;
    self->next = 0;
    return count;
}

static size_t nanomsg_send(void *end, size_t count)
{
    struct nanomsg_end *self = end;

    for (size_t done = 0; done < count; done++) {
        if (nn_send(self->socket, &self->messages[self->next], NN_MSG, NN_DONTWAIT) < 0) {
            if (nn_errno() != EAGAIN)
                bench_contender_die("nanomsg: nn_send: %s", nn_strerror(nn_errno()));
            return done;
        }
        self->next++;
    }
    return count;
}

static size_t nanomsg_receive(void *end, struct bench_view views[], size_t max)
{
    struct nanomsg_end *self = end;

    for (self->held = 0; self->held < max && self->held < BENCH_BATCH_MAX; self->held++) {
        void **message = &self->messages[self->held];
        int bytes = nn_recv(self->socket, message, NN_MSG, NN_DONTWAIT);

        if (bytes < 0) {
            if (nn_errno() != EAGAIN)
                bench_contender_die("nanomsg: nn_recv: %s", nn_strerror(nn_errno()));
            break;
        }
        views[self->held] = (struct bench_view){*message, (size_t)bytes};
    }
    return self->held;
}

static void nanomsg_release(void *end)
{
    struct nanomsg_end *self = end;

    while (self->held > 0)
        (void)nn_freemsg(self->messages[--self->held]);
}

static int nanomsg_descriptor(void *end)
{
    struct nanomsg_end *self = end;

    return self->fd;
}

static bool nanomsg_arm(void *end)
{
    (void)end;
    return false;
}

static void nanomsg_wait(void *end, uint64_t timeout_ns)
{
    bench_peer_poll(nanomsg_descriptor(end), timeout_ns);
}

const struct bench_contender bench_peer_nanomsg = {
    .name = "nanomsg",
    .package = "libnanomsg-dev",
    .note = "ipc; pair, push/pull; threads of its own move the messages",
    .patterns = BENCH_PATTERN_PAIR | BENCH_PATTERN_FAN_IN | BENCH_PATTERN_QUEUE,
    .reach = BENCH_REACH_PROCESSES,
    .uses_kernel = true,
    .turn_ms = 8.5,
    .begin = nanomsg_begin,
    .end = remove_files,
    .open = nanomsg_open,
    .close = nanomsg_close,
    .ready = nanomsg_ready,
    .prepare = nanomsg_prepare,
    .send = nanomsg_send,
    .receive = nanomsg_receive,
    .release = nanomsg_release,
    .wait = nanomsg_wait,
    .descriptor = nanomsg_descriptor,
    .arm = nanomsg_arm,
};

const struct bench_contender bench_peer_nanomsg_pubsub = {
    .name = "nanomsg pub/sub",
    .package = "libnanomsg-dev",
    .note = "ipc; drops what a subscriber has no room for; threads of its own move the messages",
    .patterns = BENCH_PATTERN_FAN_OUT | BENCH_PATTERN_MESH,
    .reach = BENCH_REACH_PROCESSES,
    .uses_kernel = true,
    .loses = true,
    .turn_ms = 30,
    .begin = nanomsg_begin,
    .end = remove_files,
    .open = nanomsg_open,
    .close = nanomsg_close,
    .ready = nanomsg_ready,
    .prepare = nanomsg_prepare,
    .send = nanomsg_send,
    .receive = nanomsg_receive,
    .release = nanomsg_release,
    .wait = nanomsg_wait,
    .descriptor = nanomsg_descriptor,
    .arm = nanomsg_arm,
};
