/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The ring of one producer and one consumer: in place (reserve and commit, peek and release), and by copy
 * (push and pop).
 */
#include "bench/contest/peal.h"

#include "core/cpu.h"

#include <stdlib.h>

struct spsc_end {
    struct peal_spsc_producer *producer; /* or */
    struct peal_spsc_consumer *consumer;
    uint32_t size_bytes;
    unsigned char *buffers; /* by copy */
    size_t next;            /* of them to send */
    size_t held;
};

static size_t memory_bytes(const struct bench_channel *channel)
{
    size_t size_bytes = 0;

    bench_peal_must(peal_spsc_memsize(channel->size_bytes, channel->depth, &size_bytes),
                    "peal_spsc_memsize");
    return size_bytes;
}

static bool begin(struct bench_channel *channel)
{
    return peal_spsc_init(channel->memory, memory_bytes(channel), channel->size_bytes,
                          channel->depth) == PEAL_OK;
}

static void *open_end(const struct bench_channel *channel, bool sends, uint32_t index)
{
    struct spsc_end *end = calloc(1, sizeof *end);
    size_t size_bytes = memory_bytes(channel);

    (void)index;
    if (end == NULL)
        bench_contender_die("not enough memory");
    end->size_bytes = channel->size_bytes;
    end->buffers = bench_peal_buffers(channel->size_bytes);
    if (sends)
        bench_peal_must(peal_spsc_producer_attach(&end->producer, channel->memory, size_bytes,
                                                  channel->size_bytes),
                        "peal_spsc_producer_attach");
    else
        bench_peal_must(peal_spsc_consumer_attach(&end->consumer, channel->memory, size_bytes,
                                                  channel->size_bytes),
                        "peal_spsc_consumer_attach");
    return end;
}

static void close_end(void *opaque)
{
    struct spsc_end *end = opaque;

    peal_spsc_producer_detach(end->producer);
    peal_spsc_consumer_detach(end->consumer);
    free(end->buffers);
    free(end);
}

/* ---- in place ---- */

static size_t prepare(void *opaque, void *places[], size_t size_bytes, size_t count)
{
    struct spsc_end *end = opaque;
    size_t granted = 0;
    void *span = NULL;
    enum peal_status status = peal_spsc_reserve(end->producer, count, &span, &granted);

    if (PEAL_UNLIKELY(status != PEAL_OK && status != PEAL_FULL))
        bench_peal_must(status, "peal_spsc_reserve");
    for (size_t i = 0; i < granted; i++)
        places[i] = (unsigned char *)span + i * size_bytes;
    return granted;
}

static size_t send_all(void *opaque, size_t count)
{
    struct spsc_end *end = opaque;

    bench_peal_must(peal_spsc_commit(end->producer, count), "peal_spsc_commit");
    return count;
}

static size_t receive(void *opaque, struct bench_view views[], size_t max)
{
    struct spsc_end *end = opaque;
    const void *span = NULL;
    enum peal_status status = peal_spsc_peek(end->consumer, max, &span, &end->held);

    if (PEAL_UNLIKELY(status != PEAL_OK && status != PEAL_EMPTY))
        bench_peal_must(status, "peal_spsc_peek");
    for (size_t i = 0; i < end->held; i++)
        views[i] =
            (struct bench_view){(const unsigned char *)span + i * end->size_bytes, end->size_bytes};
    return end->held;
}

static void release(void *opaque)
{
    struct spsc_end *end = opaque;

    bench_peal_must(peal_spsc_release(end->consumer, end->held), "peal_spsc_release");
}

/* ---- by copy ---- */

static size_t prepare_copy(void *opaque, void *places[], size_t size_bytes, size_t count)
{
    struct spsc_end *end = opaque;

    end->next = 0;
    for (size_t i = 0; i < count; i++)
        places[i] = end->buffers + i * size_bytes;
    return count;
}

static size_t push(void *opaque, size_t count)
{
    struct spsc_end *end = opaque;
    const unsigned char *elements = end->buffers + end->next * end->size_bytes;
    enum peal_status status;
    size_t pushed = 0;

    if (count == 1) {
        status = peal_spsc_push(end->producer, elements);
        pushed = status == PEAL_OK;
    } else {
        status = peal_spsc_push_batch(end->producer, elements, count, &pushed);
    }
    if (PEAL_UNLIKELY(status != PEAL_OK && status != PEAL_FULL))
        bench_peal_must(status, "peal_spsc_push");
    end->next += pushed;
    return pushed;
}

static size_t pop(void *opaque, struct bench_view views[], size_t max)
{
    struct spsc_end *end = opaque;
    enum peal_status status;
    size_t count = 0;

    if (max == 1) {
        status = peal_spsc_pop(end->consumer, end->buffers);
        count = status == PEAL_OK;
    } else {
        status = peal_spsc_pop_batch(end->consumer, end->buffers, max, &count);
    }
    if (PEAL_UNLIKELY(status != PEAL_OK && status != PEAL_EMPTY))
        bench_peal_must(status, "peal_spsc_pop");
    for (size_t i = 0; i < count; i++)
        views[i] = (struct bench_view){end->buffers + i * end->size_bytes, end->size_bytes};
    return count;
}

const struct bench_contender bench_peal_spsc = {
    .name = "peal spsc",
    .is_peal = true,
    .patterns = BENCH_PATTERN_PAIR,
    .has_batches = true,
    .has_loans = true,
    .size_bytes_max = 1u << 20,
    .memory_bytes = memory_bytes,
    .begin = begin,
    .open = open_end,
    .close = close_end,
    .prepare = prepare,
    .send = send_all,
    .receive = receive,
    .release = release,
};

const struct bench_contender bench_peal_spsc_copy = {
    .name = "peal spsc, copy",
    .is_peal = true,
    .patterns = BENCH_PATTERN_PAIR,
    .has_batches = true,
    .size_bytes_max = 1u << 20,
    .memory_bytes = memory_bytes,
    .begin = begin,
    .open = open_end,
    .close = close_end,
    .prepare = prepare_copy,
    .send = push,
    .receive = pop,
};
