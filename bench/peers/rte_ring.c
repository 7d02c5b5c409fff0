/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DPDK's rte_ring without its environment: rte_ring_init() in our memory. Once with the default
 * synchronisation of many producers and consumers, once with the relaxed tail (RTS) that DPDK offers
 * where threads may lose their CPU. One sender and one receiver use the single-producer calls and its
 * zero-copy interface on both sides.
 */
#define ALLOW_EXPERIMENTAL_API 1

#include "bench/peers/ring.h"

#include <rte_ring.h>
#include <rte_ring_elem.h>
#include <rte_ring_peek_zc.h>
#include <rte_version.h>

static unsigned element_of(const struct bench_ring *ring)
{
    return (unsigned)ring->shape.element_bytes;
}

static size_t rte_bytes(const struct bench_ring_shape *shape)
{
    ssize_t bytes =
        rte_ring_get_memsize_elem((unsigned)shape->element_bytes, (unsigned)shape->capacity);

    if (bytes < 0)
        bench_contender_die("rte_ring cannot hold %zu messages of %zu bytes", shape->capacity,
                            shape->element_bytes);
    return (size_t)bytes;
}

static void *make_as(void *memory, const struct bench_ring_shape *shape, unsigned many_producers,
                     unsigned many_consumers)
{
    unsigned flags = (shape->many_producers ? many_producers : RING_F_SP_ENQ) |
                     (shape->many_consumers ? many_consumers : RING_F_SC_DEQ);
    int error = rte_ring_init(memory, "letters", (unsigned)shape->capacity, flags);

    if (error != 0)
        bench_peer_complain("rte_ring_init", -error);
    return error == 0 ? memory : NULL;
}

static void *rte_make(void *memory, const struct bench_ring_shape *shape)
{
    return make_as(memory, shape, 0, 0);
}

static void *rts_make(void *memory, const struct bench_ring_shape *shape)
{
    return make_as(memory, shape, RING_F_MP_RTS_ENQ, RING_F_MC_RTS_DEQ);
}

static size_t rte_push(struct bench_ring *ring, const void *elements, size_t count)
{
    return rte_ring_enqueue_burst_elem(ring->memory, elements, element_of(ring), (unsigned)count,
                                       NULL);
}

static size_t rte_pop(struct bench_ring *ring, void *elements, size_t max)
{
    return rte_ring_dequeue_burst_elem(ring->memory, elements, element_of(ring), (unsigned)max,
                                       NULL);
}

/* Zero copy gives two pieces: up to the ring's end, and from its beginning. */
static void *place_of(const struct rte_ring_zc_data *data, size_t index, size_t element_bytes)
{
    return index < data->n1 ? (char *)data->ptr1 + index * element_bytes
                            : (char *)data->ptr2 + (index - data->n1) * element_bytes;
}

static size_t rte_reserve(struct bench_ring *ring, void *places[], size_t count)
{
    struct rte_ring_zc_data data;
    unsigned room = rte_ring_enqueue_zc_burst_elem_start(ring->memory, element_of(ring),
                                                         (unsigned)count, &data, NULL);

    for (size_t i = 0; i < room; i++)
        places[i] = place_of(&data, i, ring->shape.element_bytes);
    return room;
}

static void rte_commit(struct bench_ring *ring, size_t count)
{
    rte_ring_enqueue_zc_elem_finish(ring->memory, (unsigned)count);
}

static size_t rte_peek(struct bench_ring *ring, const void *places[], size_t max)
{
    struct rte_ring_zc_data data;
    unsigned found = rte_ring_dequeue_zc_burst_elem_start(ring->memory, element_of(ring),
                                                          (unsigned)max, &data, NULL);

    for (size_t i = 0; i < found; i++)
        places[i] = place_of(&data, i, ring->shape.element_bytes);
    return found;
}

static void rte_finish(struct bench_ring *ring, size_t count)
{
    rte_ring_dequeue_zc_elem_finish(ring->memory, (unsigned)count);
}

static const struct bench_ring_kind rte_kind = {
    .is_in_place = true,
    .bytes = rte_bytes,
    .make = rte_make,
    .push = rte_push,
    .pop = rte_pop,
    .for_batches = true,
    .reserve = rte_reserve,
    .commit = rte_commit,
    .peek = rte_peek,
    .finish = rte_finish,
};

static const struct bench_ring_kind rts_kind = {
    .bytes = rte_bytes,
    .make = rts_make,
    .push = rte_push,
    .pop = rte_pop,
};

BENCH_RING_FUNCTIONS(rte, &rte_kind);
BENCH_RING_FUNCTIONS(rts, &rts_kind);

#define TEXT_OF(number) #number
#define TEXT(number) TEXT_OF(number)
#define PACKAGE "libdpdk-dev " TEXT(RTE_VER_YEAR) "." TEXT(RTE_VER_MONTH)

const struct bench_contender bench_peer_rte = {
    .name = "rte_ring",
    .package = PACKAGE,
    .note = "one to one in place at any size; else " BENCH_RING_NOTE,
    .patterns = BENCH_PATTERN_PAIR | BENCH_PATTERN_FAN_IN | BENCH_PATTERN_QUEUE,
    .reach = BENCH_REACH_PROCESSES,
    .can_be_wedged = true,
    .has_batches = true,
    .has_loans = true,
    .memory_bytes = rte_memory_bytes,
    .begin = rte_begin,
    .end = rte_end,
    .open = rte_open,
    .close = rte_close,
    .prepare = rte_prepare,
    .send = rte_send,
    .receive = rte_receive,
    .release = rte_release,
};

const struct bench_contender bench_peer_rte_rts = {
    .name = "rte_ring, RTS",
    .package = PACKAGE,
    .note = BENCH_RING_NOTE,
    .patterns = BENCH_PATTERN_FAN_IN | BENCH_PATTERN_QUEUE,
    .reach = BENCH_REACH_PROCESSES,
    .can_be_wedged = true,
    .has_batches = true,
    .has_loans = true,
    .memory_bytes = rts_memory_bytes,
    .begin = rts_begin,
    .end = rts_end,
    .open = rts_open,
    .close = rts_close,
    .prepare = rts_prepare,
    .send = rts_send,
    .receive = rts_receive,
    .release = rts_release,
};
