/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The bounded queue that Dmitry Vyukov has published, plain: a ring of cells, each with a sequence
 * number beside its message. The number says whose turn the cell is: `place` of who sends there next,
 * `place` + 1 of who receives it. One compare-and-swap on a cursor each; nobody looks at the other
 * cursor. Messages are written and read in their cells.
 *
 * Who has moved a cursor and not yet written the number stops those who come to that cell.
 */
#include "bench/peers/peers.h"

#include "core/atomic.h"
#include "core/cpu.h"

#include <stdlib.h>

struct cell {
    peal_u64 sequence;
    char message[];
};

struct queue {
    _Alignas(PEAL_WRITER_BYTES) peal_u64 sent;
    _Alignas(PEAL_WRITER_BYTES) peal_u64 received;
    _Alignas(PEAL_WRITER_BYTES) char cells[];
};

struct vyukov_end {
    struct queue *queue;
    uint64_t depth;
    size_t cell_bytes;
    size_t size_bytes;
    /* Claimed and not handed over; where they are in the queue. */
    uint64_t places[BENCH_BATCH_MAX];
    size_t next, held;
};

static size_t cell_bytes(const struct bench_channel *channel)
{
    size_t bytes = sizeof(struct cell) + channel->size_bytes;

    return (bytes + PEAL_LINE_BYTES - 1) / PEAL_LINE_BYTES * PEAL_LINE_BYTES;
}

static size_t vyukov_memory_bytes(const struct bench_channel *channel)
{
    return sizeof(struct queue) + channel->depth * cell_bytes(channel);
}

static struct cell *cell_at(const struct vyukov_end *self, uint64_t place)
{
    return (struct cell *)(void *)(self->queue->cells +
                                   (place & (self->depth - 1)) * self->cell_bytes);
}

static bool vyukov_begin(struct bench_channel *channel)
{
    struct vyukov_end self = {
        .queue = channel->memory, .depth = channel->depth, .cell_bytes = cell_bytes(channel)};

    /* relaxed: nobody else is there yet */
    peal_u64_store_relaxed(&self.queue->sent, 0);
    peal_u64_store_relaxed(&self.queue->received, 0);
    for (uint64_t place = 0; place < self.depth; place++)
        peal_u64_store_relaxed(&cell_at(&self, place)->sequence, place);
    return true;
}

static void *vyukov_open(const struct bench_channel *channel, bool sends, uint32_t index)
{
    struct vyukov_end *self = bench_peer_new(sizeof(*self));

    (void)sends;
    (void)index;
    self->queue = channel->memory;
    self->depth = channel->depth;
    self->cell_bytes = cell_bytes(channel);
    self->size_bytes = channel->size_bytes;
    return self;
}

/* Claims the next place of a cursor; its cell, or NULL: full, or empty. `ahead`: 0 to send, 1 to receive. */
static struct cell *claim(struct vyukov_end *self, peal_u64 *cursor, uint64_t ahead,
                          uint64_t *place)
{
    /* relaxed: what is found is only a guess */
    *place = peal_u64_load_relaxed(cursor);
    for (;;) {
        struct cell *cell = cell_at(self, *place);
        /* VYUKOV-A1: pairs with VYUKOV-R1: the message is there, or has been read */
        uint64_t sequence = peal_u64_load_acquire(&cell->sequence);
        int64_t lag = (int64_t)(sequence - (*place + ahead));

        if (lag < 0)
            return NULL;
        /* VYUKOV-R2: pairs with VYUKOV-R2: only for the value */
        if (lag == 0 && peal_u64_cas_acq_rel(cursor, place, *place + 1))
            return cell;
        if (lag > 0)
            *place = peal_u64_load_relaxed(cursor); /* relaxed: as above */
    }
}

static void hand_over(struct cell *cell, uint64_t sequence)
{
    /* VYUKOV-R1: pairs with VYUKOV-A1 */
    peal_u64_store_release(&cell->sequence, sequence);
}

static size_t vyukov_prepare(void *end, void *places[], size_t size_bytes, size_t count)
{
    struct vyukov_end *self = end;

    (void)size_bytes;
    self->next = 0;
    for (size_t i = 0; i < count; i++) {
        struct cell *cell = claim(self, &self->queue->sent, 0, &self->places[i]);
        if (cell == NULL)
            return i;
        places[i] = cell->message;
    }
    return count;
}

static size_t vyukov_send(void *end, size_t count)
{
    struct vyukov_end *self = end;

    for (size_t i = 0; i < count; i++) {
        uint64_t place = self->places[self->next++];
        hand_over(cell_at(self, place), place + 1);
    }
    return count;
}

static size_t vyukov_receive(void *end, struct bench_view views[], size_t max)
{
    struct vyukov_end *self = end;

    for (self->held = 0; self->held < max && self->held < BENCH_BATCH_MAX; self->held++) {
        struct cell *cell = claim(self, &self->queue->received, 1, &self->places[self->held]);
        if (cell == NULL)
            break;
        views[self->held] = (struct bench_view){cell->message, self->size_bytes};
    }
    return self->held;
}

static void vyukov_release(void *end)
{
    struct vyukov_end *self = end;

    for (size_t i = 0; i < self->held; i++)
        hand_over(cell_at(self, self->places[i]), self->places[i] + self->depth);
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
