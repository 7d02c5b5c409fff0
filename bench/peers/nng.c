/* SPDX-License-Identifier: Apache-2.0 */
/*
 * NNG over ipc. Every sender listens, every receiver dials all senders: pair where there is one of each,
 * push and pull where each message is for one, pub and sub where it is for all. A message is built in
 * the buffer that NNG gave, and read in the one it came in. Addresses are abstract, so that no file is
 * left.
 *
 * A publisher drops what a subscriber has no room for; NNG has no other way.
 */
#include "bench/peers/peers.h"

#include "core/atomic.h"

#include <nng/nng.h>
#include <nng/protocol/pair0/pair.h>
#include <nng/protocol/pipeline0/pull.h>
#include <nng/protocol/pipeline0/push.h>
#include <nng/protocol/pubsub0/pub.h>
#include <nng/protocol/pubsub0/sub.h>
#include <stdio.h>
#include <stdlib.h>

/* NNG's own bound of its buffers, in messages. */
enum { BUFFER_MAX = 8192, RECONNECT_MS = 5 };

struct nng_end {
    nng_socket socket;
    int fd; /* -1: nobody waits */
    peal_u32 connected;
    uint32_t expected;
    bool is_ready;
    nng_msg *messages[BENCH_BATCH_MAX];
    size_t prepared, next, held;
};

static void check(const char *what, int error)
{
    if (error != 0)
        bench_contender_die("NNG: %s: %s", what, nng_strerror(error));
}

static bool is_published(const struct bench_channel *channel)
{
    return (channel->pattern & (BENCH_PATTERN_FAN_OUT | BENCH_PATTERN_MESH)) != 0;
}

static int open_socket(nng_socket *socket, const struct bench_channel *channel, bool sends)
{
    if (channel->pattern == BENCH_PATTERN_PAIR)
        return nng_pair0_open(socket);
    if (is_published(channel))
        return sends ? nng_pub0_open(socket) : nng_sub0_open(socket);
    return sends ? nng_push0_open(socket) : nng_pull0_open(socket);
}

static void count_pipe(nng_pipe pipe, nng_pipe_ev event, void *end)
{
    struct nng_end *self = end;

    (void)pipe;
    (void)event;
    /* relaxed: nothing but the count is told */
    (void)peal_u32_add_relaxed(&self->connected, 1);
}

static void size_buffers(struct nng_end *self, const struct bench_channel *channel, bool sends)
{
    int depth = channel->depth < BUFFER_MAX ? (int)channel->depth : BUFFER_MAX;

    /* Not each kind of socket has a buffer of its own on this side. */
    (void)nng_socket_set_int(self->socket, sends ? NNG_OPT_SENDBUF : NNG_OPT_RECVBUF, depth);
    check("no bound of sizes", nng_socket_set_size(self->socket, NNG_OPT_RECVMAXSZ, 0));
    (void)nng_socket_set_ms(self->socket, NNG_OPT_RECONNMINT, RECONNECT_MS);
    (void)nng_socket_set_ms(self->socket, NNG_OPT_RECONNMAXT, RECONNECT_MS);
}

static void connect_all(struct nng_end *self, const struct bench_channel *channel, bool sends,
                        uint32_t index)
{
    char address[80];

    if (sends) {
        (void)snprintf(address, sizeof(address), "abstract://%s-%u", channel->name, index);
        check(address, nng_listen(self->socket, address, NULL, 0));
        return;
    }
    for (uint32_t sender = 0; sender < channel->senders; sender++) {
        (void)snprintf(address, sizeof(address), "abstract://%s-%u", channel->name, sender);
        check(address, nng_dial(self->socket, address, NULL, NNG_FLAG_NONBLOCK));
    }
}

static void *nng_open(const struct bench_channel *channel, bool sends, uint32_t index)
{
    struct nng_end *self = bench_peer_new(sizeof(*self));

    self->fd = -1;
    self->expected = sends ? channel->receivers : channel->senders;
    check("a socket", open_socket(&self->socket, channel, sends));
    size_buffers(self, channel, sends);
    if (!sends && is_published(channel))
        check("subscribe", nng_socket_set(self->socket, NNG_OPT_SUB_SUBSCRIBE, "", 0));
    check("nng_pipe_notify", nng_pipe_notify(self->socket, NNG_PIPE_EV_ADD_POST, count_pipe, self));
    /* Whoever has it pays for it with each message. */
    if (!sends && channel->waits)
        check("a descriptor", nng_socket_get_int(self->socket, NNG_OPT_RECVFD, &self->fd));
    connect_all(self, channel, sends, index);
    return self;
}

static void nng_close_end(void *end)
{
    struct nng_end *self = end;

    while (self->next < self->prepared)
        nng_msg_free(self->messages[self->next++]);
    (void)nng_close(self->socket);
    free(self);
}

static bool nng_ready(void *end)
{
    struct nng_end *self = end;

    /* relaxed: as above */
    if (!self->is_ready)
        self->is_ready = peal_u32_load_relaxed(&self->connected) >= self->expected;
    return self->is_ready;
}

static size_t nng_prepare(void *end, void *places[], size_t size_bytes, size_t count)
{
    struct nng_end *self = end;

    if (!nng_ready(self))
        return 0;
    for (size_t i = 0; i < count; i++) {
        check("nng_msg_alloc", nng_msg_alloc(&self->messages[i], size_bytes));
        places[i] = nng_msg_body(self->messages[i]);
    }
    self->prepared = count;
    self->next = 0;
    return count;
}

static size_t nng_send_all(void *end, size_t count)
{
    struct nng_end *self = end;

    for (size_t done = 0; done < count; done++) {
        int error = nng_sendmsg(self->socket, self->messages[self->next], NNG_FLAG_NONBLOCK);

        if (error == NNG_EAGAIN)
            return done;
        check("nng_sendmsg", error);
        self->next++;
    }
    return count;
}

static size_t nng_receive(void *end, struct bench_view views[], size_t max)
{
    struct nng_end *self = end;

    for (self->held = 0; self->held < max && self->held < BENCH_BATCH_MAX; self->held++) {
        nng_msg **message = &self->messages[self->held];
        int error = nng_recvmsg(self->socket, message, NNG_FLAG_NONBLOCK);

        if (error == NNG_EAGAIN)
            break;
        check("nng_recvmsg", error);
        views[self->held] = (struct bench_view){nng_msg_body(*message), nng_msg_len(*message)};
    }
    return self->held;
}

static void nng_release(void *end)
{
    struct nng_end *self = end;

    while (self->held > 0)
        nng_msg_free(self->messages[--self->held]);
}

static int nng_descriptor(void *end)
{
    struct nng_end *self = end;

    return self->fd;
}

static bool nng_arm(void *end)
{
    (void)end;
    return false;
}

static void nng_wait(void *end, uint64_t timeout_ns)
{
    struct nng_end *self = end;

    bench_peer_poll(self->fd, timeout_ns);
}

#define TEXT_OF(number) #number
#define TEXT(number) TEXT_OF(number)
#define PACKAGE                                                                                    \
    "libnng-dev " TEXT(NNG_MAJOR_VERSION) "." TEXT(NNG_MINOR_VERSION) "." TEXT(NNG_PATCH_VERSION)

const struct bench_contender bench_peer_nng = {
    .name = "NNG",
    .package = PACKAGE,
    .note = "ipc; pair, push/pull; threads of its own move the messages",
    .patterns = BENCH_PATTERN_PAIR | BENCH_PATTERN_FAN_IN | BENCH_PATTERN_QUEUE,
    .reach = BENCH_REACH_PROCESSES,
    .uses_kernel = true,
    .turn_ms = 12,
    .open = nng_open,
    .close = nng_close_end,
    .ready = nng_ready,
    .prepare = nng_prepare,
    .send = nng_send_all,
    .receive = nng_receive,
    .release = nng_release,
    .wait = nng_wait,
    .descriptor = nng_descriptor,
    .arm = nng_arm,
};

const struct bench_contender bench_peer_nng_pubsub = {
    .name = "NNG pub/sub",
    .package = PACKAGE,
    .note = "ipc; drops what a subscriber has no room for; threads of its own move the messages",
    .patterns = BENCH_PATTERN_FAN_OUT | BENCH_PATTERN_MESH,
    .reach = BENCH_REACH_PROCESSES,
    .uses_kernel = true,
    .loses = true,
    .turn_ms = 45,
    .open = nng_open,
    .close = nng_close_end,
    .ready = nng_ready,
    .prepare = nng_prepare,
    .send = nng_send_all,
    .receive = nng_receive,
    .release = nng_release,
    .wait = nng_wait,
    .descriptor = nng_descriptor,
    .arm = nng_arm,
};
