/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What it takes to wake somebody: the bare slots, and a futex or an eventfd that is rung with every
 * message, whether anybody sleeps or not.
 */
#include "bench/contest/floor_slots.h"

#include "bench/futex.h"

#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

/* In front of the slots' memory. */
struct ring_head {
    _Alignas(PEAL_WRITER_BYTES) peal_u32 rung; /* the futex: how often */
    int descriptor;                            /* the eventfd; the workers inherit it */
};

struct waker {
    struct bench_slots slots; /* first: its calls get us */
    struct ring_head *head;
    uint32_t seen; /* of `rung`, before we last looked for messages */
};

static size_t memory_bytes(const struct bench_channel *channel)
{
    return sizeof(struct ring_head) + bench_slots_memory_bytes(channel);
}

static bool begin_eventfd(struct bench_channel *channel)
{
    struct ring_head *head = channel->memory;

    head->descriptor = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    return head->descriptor >= 0;
}

static void end_eventfd(struct bench_channel *channel)
{
    const struct ring_head *head = channel->memory;

    if (channel->memory != NULL && head->descriptor >= 0)
        (void)close(head->descriptor);
}

static void *open_waker(const struct bench_channel *channel, bool sends, uint32_t index)
{
    struct bench_channel behind = *channel;
    struct waker *waker = calloc(1, sizeof *waker);

    (void)sends;
    (void)index;
    if (waker == NULL)
        bench_contender_die("not enough memory");
    waker->head = channel->memory;
    behind.memory = waker->head + 1;
    bench_slots_init(&waker->slots, &behind);
    return waker;
}

/* ---- the futex ---- */

static size_t send_futex(void *end, size_t count)
{
    struct waker *waker = end;
    size_t sent = bench_slots_send(end, count);

    bench_futex_post(&waker->head->rung, (uint32_t)waker->slots.number);
    return sent;
}

static size_t receive_futex(void *end, struct bench_view views[], size_t max)
{
    struct waker *waker = end;

    waker->seen = bench_futex_read(&waker->head->rung);
    return bench_slots_receive(end, views, max);
}

static void wait_futex(void *end, uint64_t timeout_ns)
{
    struct waker *waker = end;
    struct timespec limit = {.tv_sec = (time_t)(timeout_ns / 1000000000u),
                             .tv_nsec = (long)(timeout_ns % 1000000000u)};

    syscall(SYS_futex, &waker->head->rung, FUTEX_WAIT, waker->seen, &limit, NULL, 0);
}

const struct bench_contender bench_floor_futex = {
    .name = "bare slots and futex",
    .patterns = BENCH_PATTERN_PAIR,
    .has_loans = true,
    .uses_kernel = true,
    .memory_bytes = memory_bytes,
    .open = open_waker,
    .close = free,
    .prepare = bench_slots_prepare,
    .send = send_futex,
    .receive = receive_futex,
    .release = bench_slots_release,
    .wait = wait_futex,
};

/* ---- the eventfd ---- */

static size_t send_eventfd(void *end, size_t count)
{
    struct waker *waker = end;
    size_t sent = bench_slots_send(end, count);
    uint64_t one = 1;

    if (write(waker->head->descriptor, &one, sizeof one) < 0)
        bench_contender_die("cannot ring an eventfd");
    return sent;
}

static int descriptor(void *end)
{
    const struct waker *waker = end;

    return waker->head->descriptor;
}

/* Readable no more; what was sent before is found by the caller, who looks once more. */
static bool arm(void *end)
{
    struct waker *waker = end;
    uint64_t rung = 0;

    return read(waker->head->descriptor, &rung, sizeof rung) == (ssize_t)sizeof rung;
}

const struct bench_contender bench_floor_eventfd = {
    .name = "bare slots and eventfd",
    .patterns = BENCH_PATTERN_PAIR,
    .has_loans = true,
    .uses_kernel = true,
    .memory_bytes = memory_bytes,
    .begin = begin_eventfd,
    .end = end_eventfd,
    .open = open_waker,
    .close = free,
    .prepare = bench_slots_prepare,
    .send = send_eventfd,
    .receive = bench_slots_receive,
    .release = bench_slots_release,
    .descriptor = descriptor,
    .arm = arm,
};
