/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A POSIX message queue. Its name is gone as soon as it is made: the workers inherit the descriptor, so
 * that nothing is left whoever is killed.
 *
 * How deep it may be and how long messages are is bounded (fs.mqueue.msg_max, msgsize_max, RLIMIT_MSGQUEUE)
 * but for root; it is made as deep as it may be.
 */
#include "bench/peers/peers.h"
#include "bench/peers/tray.h"

#include <errno.h>
#include <fcntl.h>
#include <mqueue.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

/* The kernel's bounds for root. */
enum { DEPTH_MAX = 65536, SIZE_BYTES_MAX = 16 << 20 };

/* What the kernel counts for a message beside its bytes, at most. */
enum { OVERHEAD_BYTES = 256 };

struct mqueue_end {
    mqd_t queue;
    struct bench_tray tray; /* the receiver's as well */
};

static void raise_limit(void)
{
    struct rlimit all = {RLIM_INFINITY, RLIM_INFINITY};

    if (setrlimit(RLIMIT_MSGQUEUE, &all) == 0)
        return;
    if (getrlimit(RLIMIT_MSGQUEUE, &all) == 0) {
        all.rlim_cur = all.rlim_max;
        (void)setrlimit(RLIMIT_MSGQUEUE, &all);
    }
}

/* Who has CAP_SYS_RESOURCE is not bounded by the numbers below. */
static bool is_privileged(void)
{
    enum { CAPABILITY = 24 };
    char line[128];
    unsigned long long effective = 0;
    FILE *file = fopen("/proc/self/status", "re");

    while (file != NULL && fgets(line, sizeof(line), file) != NULL) {
        if (sscanf(line, "CapEff: %llx", &effective) == 1)
            break;
    }
    if (file != NULL)
        (void)fclose(file);
    return (effective >> CAPABILITY & 1) != 0;
}

/* Of a queue of two messages, the least that begin() tries. */
static const char *mqueue_limit(uint32_t *size_bytes)
{
    struct rlimit all = {0, 0};
    unsigned long most = 0;
    FILE *file;

    if (is_privileged())
        return NULL;
    raise_limit();
    file = fopen("/proc/sys/fs/mqueue/msgsize_max", "re");
    if (file == NULL || fscanf(file, "%lu", &most) != 1)
        most = 0;
    if (file != NULL)
        (void)fclose(file);
    if (getrlimit(RLIMIT_MSGQUEUE, &all) == 0 && all.rlim_cur != RLIM_INFINITY &&
        all.rlim_cur / 2 < most + OVERHEAD_BYTES)
        most = all.rlim_cur / 2 > OVERHEAD_BYTES ? all.rlim_cur / 2 - OVERHEAD_BYTES : 0;
    *size_bytes = most < SIZE_BYTES_MAX ? (uint32_t)most : SIZE_BYTES_MAX;
    return "fs.mqueue.msgsize_max, ulimit -q";
}

static mqd_t create(const char *name, const struct mq_attr *attributes)
{
    mqd_t queue = mq_open(name, O_RDWR | O_CREAT | O_EXCL | O_NONBLOCK | O_CLOEXEC, 0600,
                          (struct mq_attr *)(uintptr_t)attributes);
    int error = errno;

    if (queue != (mqd_t)-1)
        (void)mq_unlink(name);
    errno = error;
    return queue;
}

static bool mqueue_begin(struct bench_channel *channel)
{
    struct mq_attr attributes = {.mq_maxmsg =
                                     channel->depth < DEPTH_MAX ? channel->depth : DEPTH_MAX,
                                 .mq_msgsize = channel->size_bytes};
    mqd_t *state = bench_peer_new(sizeof(*state));
    char name[64], what[160];

    (void)snprintf(name, sizeof(name), "/%s", channel->name);
    (void)mq_unlink(name);
    raise_limit();
    /* What is not allowed, or too much memory, may be allowed with less depth. */
    for (;;) {
        *state = create(name, &attributes);
        if (*state != (mqd_t)-1 || attributes.mq_maxmsg <= 2 ||
            (errno != EINVAL && errno != ENOMEM && errno != EMFILE))
            break;
        attributes.mq_maxmsg -= attributes.mq_maxmsg > 16 ? attributes.mq_maxmsg / 2 : 2;
    }
    if (*state == (mqd_t)-1) {
        (void)snprintf(what, sizeof(what),
                       "POSIX mq: no queue of messages of %u bytes (see fs.mqueue.msgsize_max, "
                       "ulimit -q)",
                       channel->size_bytes);
        bench_peer_complain(what, errno);
        free(state);
        return false;
    }
    channel->depth = (uint32_t)attributes.mq_maxmsg;
    channel->state = state;
    return true;
}

static void mqueue_end_channel(struct bench_channel *channel)
{
    char name[64];

    (void)snprintf(name, sizeof(name), "/%s", channel->name);
    (void)mq_unlink(name); /* there only if a conductor was killed between two calls */
    if (channel->state == NULL)
        return;
    (void)mq_close(*(mqd_t *)channel->state);
    free(channel->state);
}

static void *mqueue_open(const struct bench_channel *channel, bool sends, uint32_t index)
{
    struct mqueue_end *self = bench_peer_new(sizeof(*self));

    (void)sends;
    (void)index;
    self->queue = *(const mqd_t *)channel->state;
    bench_tray_open(&self->tray, channel->size_bytes, 0);
    self->tray.stride_bytes = channel->size_bytes;
    return self;
}

static void mqueue_close(void *end)
{
    struct mqueue_end *self = end;

    bench_tray_close(&self->tray);
    free(self);
}

static size_t mqueue_prepare(void *end, void *places[], size_t size_bytes, size_t count)
{
    struct mqueue_end *self = end;

    return bench_tray_prepare(&self->tray, places, size_bytes, count);
}

static size_t mqueue_send(void *end, size_t count)
{
    struct mqueue_end *self = end;
    size_t done = 0;

    count = bench_tray_left(&self->tray, count);
    while (done < count &&
           mq_send(self->queue, bench_tray_next(&self->tray), self->tray.size_bytes, 0) == 0) {
        self->tray.next++;
        done++;
    }
    if (done < count && errno != EAGAIN)
        bench_contender_die("mq_send: %s", strerror(errno));
    return done;
}

static size_t mqueue_receive(void *end, struct bench_view views[], size_t max)
{
    struct mqueue_end *self = end;
    size_t count = 0;

    if (max > self->tray.places_max)
        max = self->tray.places_max;
    for (; count < max; count++) {
        char *place = self->tray.bytes + count * self->tray.stride_bytes;
        ssize_t size = mq_receive(self->queue, place, self->tray.stride_bytes, NULL);

        if (size < 0 && errno != EAGAIN)
            bench_contender_die("mq_receive: %s", strerror(errno));
        if (size < 0)
            break;
        views[count] = (struct bench_view){place, (size_t)size};
    }
    return count;
}

static void mqueue_release(void *end)
{
    (void)end;
}

/* On Linux a queue's descriptor is one of the kernel's. */
static int mqueue_descriptor(void *end)
{
    struct mqueue_end *self = end;

    return (int)self->queue;
}

static bool mqueue_arm(void *end)
{
    (void)end;
    return false;
}

static void mqueue_wait(void *end, uint64_t timeout_ns)
{
    bench_peer_poll(mqueue_descriptor(end), timeout_ns);
}

const struct bench_contender bench_peer_mqueue = {
    .name = "POSIX mq",
    .package = "the kernel",
    .note = "as deep as the limits allow: 10 messages where the program is not root's and "
            "fs.mqueue.msg_max was not raised",
    .patterns = BENCH_PATTERN_PAIR | BENCH_PATTERN_FAN_IN | BENCH_PATTERN_QUEUE,
    .reach = BENCH_REACH_PROCESSES,
    .uses_kernel = true,
    .size_bytes_max = SIZE_BYTES_MAX,
    .limit = mqueue_limit,
    .begin = mqueue_begin,
    .end = mqueue_end_channel,
    .open = mqueue_open,
    .close = mqueue_close,
    .prepare = mqueue_prepare,
    .send = mqueue_send,
    .receive = mqueue_receive,
    .release = mqueue_release,
    .wait = mqueue_wait,
    .descriptor = mqueue_descriptor,
    .arm = mqueue_arm,
};
