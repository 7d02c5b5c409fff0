/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The spsc ring, and Concurrency Kit's ck_ring (its single-producer, single-consumer calls) in the
 * same shared memory with as many elements of 8 bytes. ck_ring has no batches: singles are what it
 * offers against either.
 */
#include "bench/clock.h"
#include "bench/payload.h"
#include "bench/topic.h"

#include <ck_ring.h>
#include <stdlib.h>

enum { CAPACITY = 4096, CHUNK = 1024, BATCH_MAX = 64, ELEMENT_BYTES = 8 };

struct element {
    uint64_t number;
};

CK_RING_PROTOTYPE(element, element)

struct ck_shared {
    _Alignas(PEAL_WRITER_BYTES) struct ck_ring ring;
    _Alignas(PEAL_WRITER_BYTES) struct element elements[CAPACITY];
};

struct ring {
    const struct bench_context *context;
    struct peal_spsc_producer *producer;
    struct peal_spsc_consumer *consumer;
    struct ck_shared *ck;
    uint64_t number;
};

static void *open_spsc(const struct bench_context *context)
{
    struct ring *ring = bench_allocate(sizeof *ring);
    size_t size_bytes = 0;
    enum peal_status status = PEAL_OK;

    if (context->setup.batch > BATCH_MAX)
        bench_die("spsc: batches of %u are too large", (unsigned)context->setup.batch);
    ring->context = context;
    bench_must(peal_spsc_memsize(ELEMENT_BYTES, CAPACITY, &size_bytes), "spsc");
    if (context->side == BENCH_SERVING) { /* it opens first */
        status = peal_spsc_init(context->scratch, size_bytes, ELEMENT_BYTES, CAPACITY);
        if (status == PEAL_OK)
            status = peal_spsc_producer_attach(&ring->producer, context->scratch, size_bytes,
                                               ELEMENT_BYTES);
    } else {
        status =
            peal_spsc_consumer_attach(&ring->consumer, context->scratch, size_bytes, ELEMENT_BYTES);
    }
    if (status != PEAL_OK)
        bench_die("spsc: %s", peal_error_message());
    return ring;
}

static void close_spsc(void *opaque)
{
    struct ring *ring = opaque;

    peal_spsc_producer_detach(ring->producer);
    peal_spsc_consumer_detach(ring->consumer);
    free(ring);
}

static void *open_ck(const struct bench_context *context)
{
    struct ring *ring = bench_allocate(sizeof *ring);

    ring->context = context;
    ring->ck = context->scratch;
    if (context->side == BENCH_SERVING)
        ck_ring_init(&ring->ck->ring, CAPACITY);
    return ring;
}

BENCH_INLINE void must_be(uint64_t received, uint64_t number)
{
    if (PEAL_UNLIKELY(received != number))
        bench_die("ring: element %llu has wrong content", (unsigned long long)number);
}

static void send_singles(struct ring *ring, uint64_t end)
{
    uint32_t delay_ns = ring->context->pair->delay_ns;
    uint64_t fault_at = ring->context->fault_at;

    for (; ring->number < end; ring->number++) {
        enum peal_status status;
        uint64_t element = ring->number;

        bench_payload_plant(&element, sizeof element, ring->number, fault_at);
        bench_clock_plant(delay_ns);
        while ((status = peal_spsc_push(ring->producer, &element)) == PEAL_FULL)
            bench_poll_gently();
        bench_must(status, "push");
    }
}

static void receive_singles(struct ring *ring, uint64_t end)
{
    for (; ring->number < end; ring->number++) {
        uint64_t received;
        enum peal_status status;

        while ((status = peal_spsc_pop(ring->consumer, &received)) == PEAL_EMPTY)
            bench_poll_gently();
        bench_must(status, "pop");
        must_be(received, ring->number);
    }
}

BENCH_INLINE void fill(const struct ring *ring, uint64_t *elements, size_t count)
{
    for (size_t i = 0; i < count; i++)
        elements[i] = ring->number + i;
    if (PEAL_UNLIKELY(ring->context->fault_at - ring->number < count))
        elements[ring->context->fault_at - ring->number] ^= 1;
}

static void send_batch(struct ring *ring, size_t batch)
{
    uint64_t elements[BATCH_MAX];

    fill(ring, elements, batch);
    for (size_t sent = 0; sent < batch;) {
        size_t pushed = 0;
        enum peal_status status =
            peal_spsc_push_batch(ring->producer, elements + sent, batch - sent, &pushed);

        if (status == PEAL_FULL)
            bench_poll_gently();
        else
            bench_must(status, "push_batch");
        sent += pushed;
    }
    ring->number += batch;
}

static void receive_batch(struct ring *ring, size_t batch)
{
    uint64_t elements[BATCH_MAX];
    size_t popped = 0;
    enum peal_status status;

    while ((status = peal_spsc_pop_batch(ring->consumer, elements, batch, &popped)) == PEAL_EMPTY)
        bench_poll_gently();
    bench_must(status, "pop_batch");
    for (size_t i = 0; i < popped; i++)
        must_be(elements[i], ring->number + i);
    ring->number += popped;
}

static void send_in_place(struct ring *ring, size_t batch)
{
    void *span = NULL;
    size_t granted = 0;
    enum peal_status status;

    while ((status = peal_spsc_reserve(ring->producer, batch, &span, &granted)) == PEAL_FULL)
        bench_poll_gently();
    bench_must(status, "reserve");
    fill(ring, span, granted);
    bench_must(peal_spsc_commit(ring->producer, granted), "commit");
    ring->number += granted;
}

static void receive_in_place(struct ring *ring, size_t batch)
{
    const void *span = NULL;
    size_t granted = 0;
    enum peal_status status;

    while ((status = peal_spsc_peek(ring->consumer, batch, &span, &granted)) == PEAL_EMPTY)
        bench_poll_gently();
    bench_must(status, "peek");
    const uint64_t *elements = span;
    for (size_t i = 0; i < granted; i++)
        must_be(elements[i], ring->number + i);
    bench_must(peal_spsc_release(ring->consumer, granted), "release");
    ring->number += granted;
}

/* Sends or receives up to `end`, as the side and the setup say. */
static void go_on(struct ring *ring, uint64_t end)
{
    const struct bench_setup *setup = &ring->context->setup;
    bool sends = ring->context->side == BENCH_SERVING;

    if (setup->batch <= 1) {
        if (sends)
            send_singles(ring, end);
        else
            receive_singles(ring, end);
        return;
    }
    while (ring->number < end) {
        size_t wanted =
            end - ring->number < setup->batch ? (size_t)(end - ring->number) : setup->batch;
        if (sends)
            bench_clock_plant(ring->context->pair->delay_ns);
        if (sends && setup->in_place)
            send_in_place(ring, wanted);
        else if (sends)
            send_batch(ring, wanted);
        else if (setup->in_place)
            receive_in_place(ring, wanted);
        else
            receive_batch(ring, wanted);
    }
}

static void go_on_ck(struct ring *ring, uint64_t end)
{
    struct ck_shared *ck = ring->ck;

    if (ring->context->side == BENCH_SERVING) {
        for (; ring->number < end; ring->number++) {
            struct element element = {ring->number};

            bench_payload_plant(&element, sizeof element, ring->number, ring->context->fault_at);
            while (!ck_ring_enqueue_spsc_element(&ck->ring, ck->elements, &element))
                bench_poll_gently();
        }
        return;
    }
    for (; ring->number < end; ring->number++) {
        struct element element;

        while (!ck_ring_dequeue_spsc_element(&ck->ring, ck->elements, &element))
            bench_poll_gently();
        must_be(element.number, ring->number);
    }
}

/* The first chunk is not timed: it finds the ring empty. */
static void measure_chunks(struct ring *ring, uint64_t count, struct bench_sample *sample,
                           void (*receive)(struct ring *ring, uint64_t end))
{
    uint64_t chunks = (count + CHUNK - 1) / CHUNK, begin_ns = 0;

    sample->untimed = CHUNK;
    for (uint64_t i = 0; i <= chunks; i++) {
        receive(ring, ring->number + CHUNK);
        uint64_t end_ns = bench_clock_ns();
        if (i > 0)
            bench_sample_add(sample, end_ns - begin_ns, CHUNK);
        begin_ns = end_ns;
    }
}

static uint64_t end_of_run(const struct ring *ring, uint64_t count)
{
    return ring->number + ((count + CHUNK - 1) / CHUNK + 1) * CHUNK;
}

static void measure_spsc(void *opaque, uint64_t count, struct bench_sample *sample)
{
    measure_chunks(opaque, count, sample, go_on);
}

static void serve_spsc(void *opaque, uint64_t count)
{
    go_on(opaque, end_of_run(opaque, count));
}

static void measure_ck(void *opaque, uint64_t count, struct bench_sample *sample)
{
    measure_chunks(opaque, count, sample, go_on_ck);
}

static void serve_ck(void *opaque, uint64_t count)
{
    go_on_ck(opaque, end_of_run(opaque, count));
}

const struct bench_case bench_spsc_ring = {
    .open = open_spsc, .measure = measure_spsc, .serve = serve_spsc, .close = close_spsc};

const struct bench_case bench_ck_ring = {
    .open = open_ck, .measure = measure_ck, .serve = serve_ck, .close = free};
