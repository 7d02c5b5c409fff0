/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ZeroMQ over ipc. Every sender binds, every receiver connects to all senders: PUSH and PULL where each
 * message is for one, PUB and SUB where it is for all. A message is built in the buffer that ZeroMQ gave,
 * and read in the one it came in. Addresses are abstract, so that no file is left.
 *
 * The publisher refuses when a subscriber is full (XPUB_NODROP) instead of dropping, and knows by the
 * subscriptions that come in when all are there (which is why it is an XPUB).
 */
#include "bench/peers/peers.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zmq.h>

enum { LINGER_MS = 2000, RECONNECT_MS = 5 };

struct zmq_end {
    void *context;
    void *socket;
    bool is_publisher;
    uint32_t missing; /* subscribers that a publisher still waits for */
    zmq_msg_t messages[BENCH_BATCH_MAX];
    size_t prepared, next, held;
};

static void die(const char *what)
{
    bench_contender_die("ZeroMQ: %s: %s", what, zmq_strerror(zmq_errno()));
}

static void set(struct zmq_end *self, int option, int value)
{
    if (zmq_setsockopt(self->socket, option, &value, sizeof(value)) != 0)
        die("zmq_setsockopt");
}

static bool is_published(const struct bench_channel *channel)
{
    return (channel->pattern &
            (BENCH_PATTERN_FAN_OUT | BENCH_PATTERN_MESH | BENCH_PATTERN_LATEST)) != 0;
}

static void address(char text[80], const struct bench_channel *channel, uint32_t sender)
{
    (void)snprintf(text, 80, "ipc://@%s-%u", channel->name, sender);
}

static void open_sender(struct zmq_end *self, const struct bench_channel *channel, uint32_t index)
{
    char text[80];

    set(self, ZMQ_LINGER, LINGER_MS);
    if (self->is_publisher) {
        self->missing = channel->receivers;
        set(self, ZMQ_XPUB_VERBOSE, 1); /* equal subscriptions are told too */
        set(self, ZMQ_XPUB_NODROP, 1);
    }
    address(text, channel, index);
    if (zmq_bind(self->socket, text) != 0)
        die(text);
}

static void open_receiver(struct zmq_end *self, const struct bench_channel *channel)
{
    char text[80];

    set(self, ZMQ_LINGER, 0);
    set(self, ZMQ_RECONNECT_IVL, RECONNECT_MS);
    if (is_published(channel) && zmq_setsockopt(self->socket, ZMQ_SUBSCRIBE, "", 0) != 0)
        die("ZMQ_SUBSCRIBE");
    for (uint32_t sender = 0; sender < channel->senders; sender++) {
        address(text, channel, sender);
        if (zmq_connect(self->socket, text) != 0)
            die(text);
    }
}

static void *zeromq_open(const struct bench_channel *channel, bool sends, uint32_t index)
{
    struct zmq_end *self = bench_peer_new(sizeof(*self));
    bool publishes = is_published(channel);

    self->is_publisher = sends && publishes;
    self->context = zmq_ctx_new();
    if (self->context == NULL)
        die("zmq_ctx_new");
    self->socket = zmq_socket(self->context, sends ? (publishes ? ZMQ_XPUB : ZMQ_PUSH)
                                                   : (publishes ? ZMQ_SUB : ZMQ_PULL));
    if (self->socket == NULL)
        die("zmq_socket");
    /* Half of the depth on each side, and at least one. */
    set(self, sends ? ZMQ_SNDHWM : ZMQ_RCVHWM, channel->depth > 1 ? (int)(channel->depth / 2) : 1);
    /* The subscriber's: it always has room, so the newest one is never refused. */
    if (!sends && channel->pattern == BENCH_PATTERN_LATEST)
        set(self, ZMQ_CONFLATE, 1);
    if (sends)
        open_sender(self, channel, index);
    else
        open_receiver(self, channel);
    return self;
}

static void zeromq_close(void *end)
{
    struct zmq_end *self = end;

    while (self->next < self->prepared)
        (void)zmq_msg_close(&self->messages[self->next++]);
    (void)zmq_close(self->socket);
    (void)zmq_ctx_term(self->context);
    free(self);
}

/* Takes subscriptions until all are there. */
static bool zeromq_ready(void *end)
{
    struct zmq_end *self = end;
    unsigned char what[16];
    int bytes;

    while (self->missing > 0) {
        bytes = zmq_recv(self->socket, what, sizeof(what), ZMQ_DONTWAIT);
        if (bytes < 0)
            return false;
        if (bytes == 1 && what[0] == 1)
            self->missing--;
    }
    return true;
}

static size_t zeromq_prepare(void *end, void *places[], size_t size_bytes, size_t count)
{
    struct zmq_end *self = end;

    if (self->missing > 0 && !zeromq_ready(self))
        return 0;
    for (size_t i = 0; i < count; i++) {
        if (zmq_msg_init_size(&self->messages[i], size_bytes) != 0)
            die("zmq_msg_init_size");
        places[i] = zmq_msg_data(&self->messages[i]);
    }
    self->prepared = count;
    self->next = 0;
    return count;
}

static size_t zeromq_send(void *end, size_t count)
{
    struct zmq_end *self = end;
    size_t done = 0;

    while (done < count &&
           zmq_msg_send(&self->messages[self->next], self->socket, ZMQ_DONTWAIT) >= 0) {
        self->next++;
        done++;
    }
    if (done < count && zmq_errno() != EAGAIN)
        die("zmq_msg_send");
    return done;
}

static size_t zeromq_receive(void *end, struct bench_view views[], size_t max)
{
    struct zmq_end *self = end;

    for (self->held = 0; self->held < max && self->held < BENCH_BATCH_MAX; self->held++) {
        zmq_msg_t *message = &self->messages[self->held];

        (void)zmq_msg_init(message);
        if (zmq_msg_recv(message, self->socket, ZMQ_DONTWAIT) < 0) {
            if (zmq_errno() != EAGAIN)
                die("zmq_msg_recv");
            break;
        }
        views[self->held] = (struct bench_view){zmq_msg_data(message), zmq_msg_size(message)};
    }
    return self->held;
}

static void zeromq_release(void *end)
{
    struct zmq_end *self = end;

    while (self->held > 0)
        (void)zmq_msg_close(&self->messages[--self->held]);
}

static void zeromq_wait(void *end, uint64_t timeout_ns)
{
    struct zmq_end *self = end;
    zmq_pollitem_t item = {.socket = self->socket, .events = ZMQ_POLLIN};

    (void)zmq_poll(&item, 1, (long)((timeout_ns + 999999) / 1000000));
}

/* It is readable when something has happened, which is not told twice: hence arm(). */
static int zeromq_descriptor(void *end)
{
    struct zmq_end *self = end;
    size_t bytes = sizeof(int);
    int fd;

    if (zmq_getsockopt(self->socket, ZMQ_FD, &fd, &bytes) != 0)
        die("ZMQ_FD");
    return fd;
}

static bool zeromq_arm(void *end)
{
    struct zmq_end *self = end;
    size_t bytes = sizeof(int);
    int events;

    if (zmq_getsockopt(self->socket, ZMQ_EVENTS, &events, &bytes) != 0)
        die("ZMQ_EVENTS");
    return (events & ZMQ_POLLIN) != 0;
}

#define TEXT_OF(number) #number
#define TEXT(number) TEXT_OF(number)

const struct bench_contender bench_peer_zmq = {
    .name = "ZeroMQ",
    .package = "libzmq3-dev " TEXT(ZMQ_VERSION_MAJOR) "." TEXT(ZMQ_VERSION_MINOR) "." TEXT(
        ZMQ_VERSION_PATCH),
    .note = "ipc; PUSH/PULL, XPUB/SUB without drops; threads of its own move the messages",
    .patterns = BENCH_PATTERN_PAIR | BENCH_PATTERN_FAN_OUT | BENCH_PATTERN_FAN_IN |
                BENCH_PATTERN_MESH | BENCH_PATTERN_QUEUE | BENCH_PATTERN_LATEST,
    .reach = BENCH_REACH_PROCESSES,
    .has_loans = false,
    .uses_kernel = true,
    .turn_ms = 7,
    .open = zeromq_open,
    .close = zeromq_close,
    .ready = zeromq_ready,
    .prepare = zeromq_prepare,
    .send = zeromq_send,
    .receive = zeromq_receive,
    .release = zeromq_release,
    .wait = zeromq_wait,
    .descriptor = zeromq_descriptor,
    .arm = zeromq_arm,
};
