/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DPDK's rte_ring without its environment: rte_ring_init() in our memory, elements of 64 bytes. Once
 * with the default synchronisation of many producers and consumers, once with the relaxed tail (RTS)
 * that DPDK offers where threads may lose their CPU.
 */
#include "bench/queue/peer.h"

#include <rte_ring.h>
#include <rte_ring_elem.h>

enum { ELEMENT_BYTES = sizeof(struct bench_letter), HEAD_BYTES = 4096 };

static void init_as(void *memory, unsigned flags)
{
    if (rte_ring_get_memsize_elem(ELEMENT_BYTES, BENCH_PEER_DEPTH) >
            HEAD_BYTES + BENCH_PEER_DEPTH * ELEMENT_BYTES ||
        rte_ring_init(memory, "letters", BENCH_PEER_DEPTH, flags) != 0)
        bench_queue_die("rte_ring_init has failed");
}

static void init_default(void *memory, const struct bench_peer_setup *setup)
{
    (void)setup;
    init_as(memory, 0);
}

static void init_rts(void *memory, const struct bench_peer_setup *setup)
{
    (void)setup;
    init_as(memory, RING_F_MP_RTS_ENQ | RING_F_MC_RTS_DEQ);
}

static size_t push(void *end, const struct bench_letter *letters, size_t count)
{
    return rte_ring_enqueue_burst_elem(end, letters, ELEMENT_BYTES, (unsigned)count, NULL);
}

static size_t pop(void *end, struct bench_letter *letters, size_t max)
{
    return rte_ring_dequeue_burst_elem(end, letters, ELEMENT_BYTES, (unsigned)max, NULL);
}

const struct bench_peer bench_peer_rte = {
    .name = "rte_ring",
    .can_be_wedged = true,
    .has_batches = true,
    .memory_bytes = HEAD_BYTES + BENCH_PEER_DEPTH * ELEMENT_BYTES,
    .init = init_default,
    .push = push,
    .pop = pop,
};

const struct bench_peer bench_peer_rte_rts = {
    .name = "rte_ring, RTS",
    .can_be_wedged = true,
    .has_batches = true,
    .memory_bytes = HEAD_BYTES + BENCH_PEER_DEPTH * ELEMENT_BYTES,
    .init = init_rts,
    .push = push,
    .pop = pop,
};
