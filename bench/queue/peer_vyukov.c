/* SPDX-License-Identifier: Apache-2.0 */
/* Vyukov's queue (bench/peers/vyukov.h) of letters. */
#include "bench/peers/vyukov.h"
#include "bench/queue/peer.h"
#include "core/cpu.h"

struct cell {
    _Alignas(PEAL_LINE_BYTES) peal_u64 sequence;
    struct bench_letter letter;
};

struct vyukov_queue {
    _Alignas(PEAL_WRITER_BYTES) peal_u64 pushed;
    _Alignas(PEAL_WRITER_BYTES) peal_u64 popped;
    _Alignas(PEAL_WRITER_BYTES) struct cell cells[BENCH_PEER_DEPTH];
};

static struct bench_vyukov_cells cells_of(struct vyukov_queue *queue)
{
    return (struct bench_vyukov_cells){(char *)queue->cells, sizeof(struct cell),
                                       BENCH_PEER_DEPTH - 1};
}

static void init(void *memory, const struct bench_peer_setup *setup)
{
    struct vyukov_queue *queue = memory;
    struct bench_vyukov_cells cells = cells_of(queue);

    (void)setup;
    /* relaxed: nobody else is there yet */
    peal_u64_store_relaxed(&queue->pushed, 0);
    peal_u64_store_relaxed(&queue->popped, 0);
    bench_vyukov_init(&cells);
}

static size_t push(void *end, const struct bench_letter *letters, size_t count)
{
    struct vyukov_queue *queue = end;
    struct bench_vyukov_cells cells = cells_of(queue);
    uint64_t place;

    for (size_t done = 0; done < count; done++) {
        peal_u64 *cell = bench_vyukov_claim(&cells, &queue->pushed, 0, &place);
        if (cell == NULL)
            return done;
        ((struct cell *)(void *)cell)->letter = letters[done];
        bench_vyukov_hand_over(cell, place + 1);
    }
    return count;
}

static size_t pop(void *end, struct bench_letter *letters, size_t max)
{
    struct vyukov_queue *queue = end;
    struct bench_vyukov_cells cells = cells_of(queue);
    uint64_t place;

    for (size_t done = 0; done < max; done++) {
        peal_u64 *cell = bench_vyukov_claim(&cells, &queue->popped, 1, &place);
        if (cell == NULL)
            return done;
        letters[done] = ((const struct cell *)(const void *)cell)->letter;
        bench_vyukov_hand_over(cell, place + BENCH_PEER_DEPTH);
    }
    return max;
}

const struct bench_peer bench_peer_vyukov = {
    .name = "Vyukov's queue",
    .can_be_wedged = true,
    .memory_bytes = sizeof(struct vyukov_queue),
    .init = init,
    .push = push,
    .pop = pop,
};
