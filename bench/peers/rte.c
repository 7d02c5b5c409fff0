/* SPDX-License-Identifier: Apache-2.0 */
/* DPDK's rte_ring, without its environment: as it is by default, and with the relaxed tail that DPDK advises where
 * threads may lose their CPU. */
#include "bench/peers/queues.h"

#include <rte_ring.h>
#include <rte_ring_elem.h>
#include <stdlib.h>

#define MEMORY_BYTES (4096u + 2u * QUEUES_DEPTH * QUEUES_MESSAGE_BYTES)

static void init_with(void *memory, unsigned flags)
{
    if (rte_ring_init(memory, "queues", QUEUES_DEPTH, RING_F_EXACT_SZ | flags) != 0)
        abort();
}

static void init(void *memory)
{
    init_with(memory, 0);
}

static void init_rts(void *memory)
{
    init_with(memory, RING_F_MP_RTS_ENQ | RING_F_MC_RTS_DEQ);
}

static void *open_end(void *memory, int pushes)
{
    (void)pushes;
    return memory;
}

static size_t push(void *end, const struct queues_message *messages, size_t count)
{
    return rte_ring_enqueue_burst_elem(end, messages, QUEUES_MESSAGE_BYTES, (unsigned)count, NULL);
}

static size_t pop(void *end, struct queues_message *messages, size_t count)
{
    return rte_ring_dequeue_burst_elem(end, messages, QUEUES_MESSAGE_BYTES, (unsigned)count, NULL);
}

const struct queues_peer queues_rte = {"rte_ring", MEMORY_BYTES, init, open_end, push, pop};
const struct queues_peer queues_rte_rts = {"rte_ring, RTS", MEMORY_BYTES, init_rts,
                                           open_end,        push,         pop};
