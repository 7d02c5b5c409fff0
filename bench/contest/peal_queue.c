/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The queue: by copy (push and pop), in place where it has that (push, take and done), and strict.
 */
#include "bench/contest/peal.h"
#include "bench/contest/peal_spacer.h"

#include "core/cpu.h"

#include <stdlib.h>

struct queue_end {
    struct bench_peal_bus bus;
    struct peal_queue *queue;
    uint32_t size_bytes;
    unsigned char *buffers;
    size_t next; /* of `buffers` to send */
    struct peal_queue_message messages[BENCH_BATCH_MAX];
};

static void *open_any(const struct bench_channel *channel, bool sends, bool is_strict)
{
    struct peal_queue_options options = PEAL_QUEUE_OPTIONS_INIT;
    struct queue_end *end = calloc(1, sizeof *end);

    if (end == NULL)
        bench_contender_die("not enough memory");
    options.uses = sends ? PEAL_QUEUE_PUSH : PEAL_QUEUE_POP;
    options.message_bytes_max = channel->size_bytes;
    options.depth = channel->depth;
    options.full_policy = PEAL_QUEUE_FULL_REFUSE;
    options.strict = is_strict;
    end->size_bytes = channel->size_bytes;
    end->buffers = bench_peal_buffers(channel->size_bytes);
    bench_peal_bus_open(&end->bus, channel);
    struct peal_publisher *spacer = bench_spacer_take(end->bus.bus, channel->name);
    bench_peal_must(peal_queue_create(end->bus.bus, channel->name, &options, &end->queue),
                    "peal_queue_create");
    peal_publisher_close(spacer);
    return end;
}

static void *open_default(const struct bench_channel *channel, bool sends, uint32_t index)
{
    (void)index;
    return open_any(channel, sends, false);
}

static void *open_strict(const struct bench_channel *channel, bool sends, uint32_t index)
{
    (void)index;
    return open_any(channel, sends, true);
}

static void close_queue(void *opaque)
{
    struct queue_end *end = opaque;

    peal_queue_close(end->queue);
    peal_bus_close(end->bus.bus);
    free(end->buffers);
    free(end);
}

static size_t prepare(void *opaque, void *places[], size_t size_bytes, size_t count)
{
    struct queue_end *end = opaque;

    end->next = 0;
    for (size_t i = 0; i < count; i++)
        places[i] = end->buffers + i * size_bytes;
    return count;
}

static size_t push(void *opaque, size_t count)
{
    struct queue_end *end = opaque;
    const unsigned char *data = end->buffers + end->next * end->size_bytes;
    enum peal_status status;
    size_t pushed = 0;

    if (count == 1) {
        status = peal_queue_push(end->queue, data, end->size_bytes);
        pushed = status == PEAL_OK;
    } else {
        status = peal_queue_push_batch(end->queue, data, end->size_bytes, count, &pushed);
    }
    if (PEAL_UNLIKELY(status != PEAL_OK && status != PEAL_FULL))
        bench_peal_must(status, "peal_queue_push");
    end->next += pushed;
    return pushed;
}

/* The views of what was popped or taken. */
static size_t show(struct queue_end *end, struct bench_view views[], size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (PEAL_UNLIKELY(end->messages[i].is_redelivered))
            bench_contender_die("a message came as redelivered, though nobody has died");
        views[i] = (struct bench_view){end->messages[i].data, end->messages[i].size_bytes};
    }
    return count;
}

static size_t pop(void *opaque, struct bench_view views[], size_t max)
{
    struct queue_end *end = opaque;
    enum peal_status status;
    size_t count = 0;

    bench_peal_bus_disarm(&end->bus);
    if (max == 1) {
        status = peal_queue_pop(end->queue, end->buffers, end->size_bytes, end->messages);
        count = status == PEAL_OK;
    } else {
        status = peal_queue_pop_batch(end->queue, end->buffers, end->size_bytes, end->messages, max,
                                      &count);
    }
    if (PEAL_UNLIKELY(status != PEAL_OK && status != PEAL_EMPTY))
        bench_peal_must(status, "peal_queue_pop");
    return show(end, views, count);
}

static size_t take(void *opaque, struct bench_view views[], size_t max)
{
    struct queue_end *end = opaque;
    size_t count = 0;

    bench_peal_bus_disarm(&end->bus);
    enum peal_status status = peal_queue_take(end->queue, end->messages, max, &count);
    if (PEAL_UNLIKELY(status != PEAL_OK && status != PEAL_EMPTY))
        bench_peal_must(status, "peal_queue_take");
    return show(end, views, status == PEAL_OK ? count : 0);
}

static void done(void *opaque)
{
    struct queue_end *end = opaque;

    bench_peal_must(peal_queue_done(end->queue), "peal_queue_done");
}

static void wait_queue(void *opaque, uint64_t timeout_ns)
{
    struct queue_end *end = opaque;

    (void)peal_queue_wait(end->queue, timeout_ns);
}

static int descriptor(void *opaque)
{
    const struct queue_end *end = opaque;

    return bench_peal_bus_descriptor(&end->bus);
}

static bool arm(void *opaque)
{
    struct queue_end *end = opaque;

    bench_peal_bus_arm(&end->bus);
    return false;
}

#define QUEUE_PATTERNS (BENCH_PATTERN_PAIR | BENCH_PATTERN_FAN_IN | BENCH_PATTERN_QUEUE)
#define QUEUE_BYTES_MAX (1u << 20)

const struct bench_contender bench_peal_queue_copy = {
    .name = "peal queue",
    .is_peal = true,
    .turn_ms = 4.2,
    .patterns = QUEUE_PATTERNS,
    .has_batches = true,
    .size_bytes_max = QUEUE_BYTES_MAX,
    .open = open_default,
    .close = close_queue,
    .prepare = prepare,
    .send = push,
    .receive = pop,
    .wait = wait_queue,
    .descriptor = descriptor,
    .arm = arm,
};

const struct bench_contender bench_peal_queue_take = {
    .name = "peal queue, in place",
    .is_peal = true,
    .turn_ms = 4.2,
    .patterns = QUEUE_PATTERNS,
    .has_batches = true,
    .size_bytes_max = QUEUE_BYTES_MAX,
    .open = open_default,
    .close = close_queue,
    .prepare = prepare,
    .send = push,
    .receive = take,
    .release = done,
    .wait = wait_queue,
    .descriptor = descriptor,
    .arm = arm,
};

const struct bench_contender bench_peal_queue_strict = {
    .name = "peal queue, strict",
    .is_peal = true,
    .turn_ms = 4.2,
    .patterns = BENCH_PATTERN_QUEUE,
    .has_batches = true,
    .size_bytes_max = QUEUE_BYTES_MAX,
    .open = open_strict,
    .close = close_queue,
    .prepare = prepare,
    .send = push,
    .receive = pop,
    .wait = wait_queue,
    .descriptor = descriptor,
    .arm = arm,
};
