/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Concurrency Kit's ck_ring by its calls for many producers and many consumers. A producer waits, in
 * the call, for those that have reserved their place before it.
 */
#include "bench/queue/peer.h"

#include "core/cpu.h"

#include <ck_ring.h>

CK_RING_PROTOTYPE(letter, bench_letter)

struct ck_queue {
    _Alignas(PEAL_WRITER_BYTES) struct ck_ring ring;
    _Alignas(PEAL_WRITER_BYTES) struct bench_letter letters[BENCH_PEER_DEPTH];
};

static void init(void *memory, const struct bench_peer_setup *setup)
{
    struct ck_queue *queue = memory;

    (void)setup;
    ck_ring_init(&queue->ring, BENCH_PEER_DEPTH);
}

static size_t push(void *end, const struct bench_letter *letters, size_t count)
{
    struct ck_queue *queue = end;
    size_t done = 0;

    for (; done < count; done++) {
        struct bench_letter letter = letters[done];
        if (!ck_ring_enqueue_mpmc_letter(&queue->ring, queue->letters, &letter))
            break;
    }
    return done;
}

static size_t pop(void *end, struct bench_letter *letters, size_t max)
{
    struct ck_queue *queue = end;
    size_t done = 0;

    while (done < max && ck_ring_dequeue_mpmc_letter(&queue->ring, queue->letters, &letters[done]))
        done++;
    return done;
}

const struct bench_peer bench_peer_ck = {
    .name = "ck_ring, mpmc",
    .can_be_wedged = true,
    .memory_bytes = sizeof(struct ck_queue),
    .init = init,
    .push = push,
    .pop = pop,
};
