/* SPDX-License-Identifier: Apache-2.0 */
/* Vyukov's queue (bench/peers/vyukov.h) of messages of any size, written and read in their cells. */
#include "bench/peers/vyukov.h"
#include "bench/peers/peers.h"
#include "core/cpu.h"

#include <stdlib.h>

struct queue {
    _Alignas(PEAL_WRITER_BYTES) peal_u64 sent;
    _Alignas(PEAL_WRITER_BYTES) peal_u64 received;
    _Alignas(PEAL_WRITER_BYTES) char cells[];
};

struct vyukov_end {
    struct queue *queue;
    struct bench_vyukov_cells cells;
    size_t size_bytes;
    /* Claimed and not handed over; where they are in the queue. */
    uint64_t places[BENCH_BATCH_MAX];
    size_t next, held;
};

static size_t cell_bytes(const struct bench_channel *channel)
{
    size_t bytes = sizeof(peal_u64) + channel->size_bytes;

    return (bytes + PEAL_LINE_BYTES - 1) / PEAL_LINE_BYTES * PEAL_LINE_BYTES;
}

static size_t vyukov_memory_bytes(const struct bench_channel *channel)
{
    return sizeof(struct queue) + channel->depth * cell_bytes(channel);
}

static struct bench_vyukov_cells cells_of(const struct bench_channel *channel)
{
    struct queue *queue = channel->memory;

    return (struct bench_vyukov_cells){queue->cells, cell_bytes(channel), channel->depth - 1};
}

static bool vyukov_begin(struct bench_channel *channel)
{
    struct queue *queue = channel->memory;
    struct bench_vyukov_cells cells = cells_of(channel);

    /* relaxed: nobody else is there yet */
    peal_u64_store_relaxed(&queue->sent, 0);
    peal_u64_store_relaxed(&queue->received, 0);
    bench_vyukov_init(&cells);
    return true;
}

static void *vyukov_open(const struct bench_channel *channel, bool sends, uint32_t index)
{
    struct vyukov_end *self = bench_peer_new(sizeof(*self));

    (void)sends;
    (void)index;
    self->queue = channel->memory;
    self->cells = cells_of(channel);
    self->size_bytes = channel->size_bytes;
    return self;
}

static size_t vyukov_prepare(void *end, void *places[], size_t size_bytes, size_t count)
{
    struct vyukov_end *self = end;

    (void)size_bytes;
    self->next = 0;
    for (size_t i = 0; i < count; i++) {
        peal_u64 *cell = bench_vyukov_claim(&self->cells, &self->queue->sent, 0, &self->places[i]);
        if (cell == NULL)
            return i;
        places[i] = cell + 1;
    }
    return count;
}

static size_t vyukov_send(void *end, size_t count)
{
    struct vyukov_end *self = end;

    for (size_t i = 0; i < count; i++) {
        uint64_t place = self->places[self->next++];
        bench_vyukov_hand_over(bench_vyukov_cell(&self->cells, place), place + 1);
    }
    return count;
}

static size_t vyukov_receive(void *end, struct bench_view views[], size_t max)
{
    struct vyukov_end *self = end;

    for (self->held = 0; self->held < max && self->held < BENCH_BATCH_MAX; self->held++) {
        peal_u64 *cell =
            bench_vyukov_claim(&self->cells, &self->queue->received, 1, &self->places[self->held]);
        if (cell == NULL)
            break;
        views[self->held] = (struct bench_view){cell + 1, self->size_bytes};
    }
    return self->held;
}

static void vyukov_release(void *end)
{
    struct vyukov_end *self = end;

    for (size_t i = 0; i < self->held; i++)
        bench_vyukov_hand_over(bench_vyukov_cell(&self->cells, self->places[i]),
                               self->places[i] + self->cells.mask + 1);
    self->held = 0;
}

const struct bench_contender bench_peer_vyukov = {
    .name = "Vyukov's queue",
    .package = "written here",
    .note = "messages are written and read in the queue's cells",
    .patterns = BENCH_PATTERN_PAIR | BENCH_PATTERN_FAN_IN | BENCH_PATTERN_QUEUE,
    .reach = BENCH_REACH_PROCESSES,
    .can_be_wedged = true,
    .has_loans = true,
    .memory_bytes = vyukov_memory_bytes,
    .begin = vyukov_begin,
    .open = vyukov_open,
    .close = free,
    .prepare = vyukov_prepare,
    .send = vyukov_send,
    .receive = vyukov_receive,
    .release = vyukov_release,
};
