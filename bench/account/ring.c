/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The ring from one to one: 8-byte elements, and 64-byte ones, which go the general way.
 */
#include "bench/account/account.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct ring {
    void *memory;
    struct peal_spsc_producer *producer;
    struct peal_spsc_consumer *consumer;
    unsigned char from[64 * ACCOUNT_BATCH];
    unsigned char to[64 * ACCOUNT_BATCH];
};

static void *account_ring_open(struct peal_bus *bus, uint32_t element_bytes)
{
    struct ring *ring = account_allocate(sizeof(*ring));
    size_t size_bytes;
    (void)bus;
    account_must(peal_spsc_memsize(element_bytes, ACCOUNT_DEPTH, &size_bytes), PEAL_OK, "memsize");
    ring->memory = account_allocate(size_bytes);
    printf("shared %p-%p\n", ring->memory, (void *)((unsigned char *)ring->memory + size_bytes));
    account_must(peal_spsc_init(ring->memory, size_bytes, element_bytes, ACCOUNT_DEPTH), PEAL_OK,
                 "init");
    account_must(
        peal_spsc_producer_attach(&ring->producer, ring->memory, size_bytes, element_bytes),
        PEAL_OK, "producer");
    account_must(
        peal_spsc_consumer_attach(&ring->consumer, ring->memory, size_bytes, element_bytes),
        PEAL_OK, "consumer");
    return ring;
}

static void account_ring_close(void *state)
{
    struct ring *ring = state;
    peal_spsc_producer_detach(ring->producer);
    peal_spsc_consumer_detach(ring->consumer);
    free(ring->memory);
    free(ring);
}

static void account_ring_single(void *state)
{
    struct ring *ring = state;
    ACCOUNT_CALL(0, PEAL_OK, peal_spsc_push(ring->producer, ring->from));
    ACCOUNT_CALL(1, PEAL_OK, peal_spsc_pop(ring->consumer, ring->to));
}

/* Singles of a stream: the looks at the other side's cursor find many. */
static void account_ring_stream(void *state)
{
    struct ring *ring = state;
    for (uint32_t i = 0; i < ACCOUNT_DEPTH / 2; i++)
        ACCOUNT_CALL(0, PEAL_OK, peal_spsc_push(ring->producer, ring->from));
    for (uint32_t i = 0; i < ACCOUNT_DEPTH / 2; i++)
        ACCOUNT_CALL(1, PEAL_OK, peal_spsc_pop(ring->consumer, ring->to));
}

static void account_ring_batch(void *state)
{
    struct ring *ring = state;
    size_t count = 0;
    ACCOUNT_CALL(0, PEAL_OK,
                 peal_spsc_push_batch(ring->producer, ring->from, ACCOUNT_BATCH, &count));
    ACCOUNT_CALL(1, PEAL_OK, peal_spsc_pop_batch(ring->consumer, ring->to, ACCOUNT_BATCH, &count));
    if (count != ACCOUNT_BATCH)
        account_die("not all elements");
}

static void account_ring_span(struct ring *ring, size_t wanted)
{
    void *into;
    const void *from;
    size_t count;
    ACCOUNT_CALL(0, PEAL_OK, peal_spsc_reserve(ring->producer, wanted, &into, &count));
    memset(into, 1, 8 * count);
    ACCOUNT_CALL(1, PEAL_OK, peal_spsc_commit(ring->producer, count));
    ACCOUNT_CALL(2, PEAL_OK, peal_spsc_peek(ring->consumer, wanted, &from, &count));
    if (count != wanted)
        account_die("not all elements");
    ACCOUNT_CALL(3, PEAL_OK, peal_spsc_release(ring->consumer, count));
}

static void account_ring_span_of_one(void *state)
{
    account_ring_span(state, 1);
}

static void account_ring_span_of_many(void *state)
{
    account_ring_span(state, ACCOUNT_BATCH);
}

static void account_ring_empty(void *state)
{
    struct ring *ring = state;
    ACCOUNT_CALL(0, PEAL_EMPTY, peal_spsc_pop(ring->consumer, ring->to));
}

#define RING(name_, step_, messages_, value_, ...)                                                 \
    {                                                                                              \
        .name = name_, .open = account_ring_open, .step = step_, .close = account_ring_close,      \
        .calls = {__VA_ARGS__}, .messages = messages_, .value = value_                             \
    }

const struct account_scenario account_rings[] = {
    RING("spsc/single/8", account_ring_single, 1, 8, "push", "pop"),
    RING("spsc/single/64", account_ring_single, 1, 64, "push", "pop"),
    RING("spsc/stream/8", account_ring_stream, ACCOUNT_DEPTH / 2, 8, "push", "pop"),
    RING("spsc/batch32/8", account_ring_batch, ACCOUNT_BATCH, 8, "push_batch", "pop_batch"),
    RING("spsc/in_place/8", account_ring_span_of_one, 1, 8, "reserve", "commit", "peek", "release"),
    RING("spsc/in_place_batch32/8", account_ring_span_of_many, ACCOUNT_BATCH, 8, "reserve",
         "commit", "peek", "release"),
    RING("spsc/empty", account_ring_empty, 1, 8, "pop"),
    {0},
};
