/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Floors of small streams: a producer and a consumer over the slots that a topic's lane has (stamp
 * in the payload's line), and nothing else: no gate, no loss detection, no bell, no batch. The only
 * flow control is what keeps the producer from lapping: every half ring it looks at a cursor that
 * the consumer writes eight times a round.
 */
#include "bench/clock.h"
#include "bench/pair.h"
#include "bench/payload.h"

#include <stdlib.h>

enum {
    SLOTS = 1024, /* as many as a topic has by default */
    CHUNK = 1024, /* messages to a sample, so that the clock does not weigh */
};

struct slot48 {
    _Alignas(PEAL_LINE_BYTES) peal_u64 stamp;
    uint32_t length;
    uint32_t kind;
    unsigned char payload[48];
};

struct slot64 {
    _Alignas(PEAL_LINE_BYTES) peal_u64 stamp;
    uint32_t length;
    uint32_t kind;
    unsigned char payload[112]; /* whole lines; 64 of them are used */
};

static_assert(sizeof(struct slot48) == 64 && sizeof(struct slot64) == 128, "a topic's strides");

struct slots_shared {
    struct bench_line cursor; /* the consumer's */
    union {
        _Alignas(4096) struct slot48 of48[SLOTS];
        struct slot64 of64[SLOTS];
    };
};

static_assert(sizeof(struct slots_shared) <= BENCH_SCRATCH_BYTES, "fits in the scratch memory");

struct slots_state {
    const struct bench_context *context;
    struct slots_shared *shared;
    uint64_t number; /* next message */
};

static void *open_slots(const struct bench_context *context)
{
    struct slots_state *slots = bench_allocate(sizeof *slots);

    slots->context = context;
    slots->shared = context->scratch;
    return slots;
}

BENCH_INLINE void put(peal_u64 *stamp, uint32_t *length, void *payload, uint32_t size_bytes,
                      uint64_t number)
{
    bench_payload_write_tail_first(payload, size_bytes, number);
    *length = size_bytes;
    bench_word_write(stamp, number + 1);
}

BENCH_INLINE void get(const peal_u64 *stamp, const uint32_t *length, const void *payload,
                      uint32_t size_bytes, uint64_t number)
{
    while (bench_word_read(stamp) != number + 1)
        bench_poll_gently();
    if (*length != size_bytes || !bench_payload_right(payload, size_bytes, number))
        bench_die("slots: message has wrong content");
}

/* `lone`: nobody reads, so nothing is to be waited for. */
BENCH_INLINE uint64_t produce(struct slots_shared *shared, uint32_t size_bytes, uint64_t number,
                              uint64_t end, bool lone)
{
    for (; number < end; number++) {
        if (!lone && number % (SLOTS / 2) == 0 && number >= SLOTS)
            bench_word_await(&shared->cursor.word, number - SLOTS / 2);
        if (size_bytes == 48) {
            struct slot48 *slot = &shared->of48[number % SLOTS];
            put(&slot->stamp, &slot->length, slot->payload, 48, number);
        } else {
            struct slot64 *slot = &shared->of64[number % SLOTS];
            put(&slot->stamp, &slot->length, slot->payload, 64, number);
        }
    }
    return number;
}

BENCH_INLINE uint64_t consume(struct slots_shared *shared, uint32_t size_bytes, uint64_t number,
                              uint64_t end)
{
    for (; number < end; number++) {
        if (size_bytes == 48) {
            const struct slot48 *slot = &shared->of48[number % SLOTS];
            get(&slot->stamp, &slot->length, slot->payload, 48, number);
        } else {
            const struct slot64 *slot = &shared->of64[number % SLOTS];
            get(&slot->stamp, &slot->length, slot->payload, 64, number);
        }
        if (number % (SLOTS / 8) == SLOTS / 8 - 1)
            bench_word_write(&shared->cursor.word, number + 1);
    }
    return number;
}

static uint64_t whole_chunks(uint64_t count)
{
    return (count + CHUNK - 1) / CHUNK;
}

/* The measuring side consumes: what counts is what has arrived. The first chunk is not timed. */
static void measure_slots(void *state, uint64_t count, struct bench_sample *sample)
{
    struct slots_state *slots = state;
    uint64_t begin_ns = 0;

    sample->untimed = CHUNK;
    for (uint64_t chunk = 0; chunk <= whole_chunks(count); chunk++) {
        uint64_t end = slots->number + CHUNK;
        if (slots->context->setup.size_bytes == 48)
            slots->number = consume(slots->shared, 48, slots->number, end);
        else
            slots->number = consume(slots->shared, 64, slots->number, end);
        uint64_t end_ns = bench_clock_ns();
        if (chunk > 0)
            bench_sample_add(sample, end_ns - begin_ns, CHUNK);
        begin_ns = end_ns;
    }
}

static void serve_slots(void *state, uint64_t count)
{
    struct slots_state *slots = state;
    uint64_t end = slots->number + (1 + whole_chunks(count)) * CHUNK;

    if (slots->context->setup.size_bytes == 48)
        slots->number = produce(slots->shared, 48, slots->number, end, false);
    else
        slots->number = produce(slots->shared, 64, slots->number, end, false);
}

const struct bench_case bench_slot_stream = {
    .open = open_slots, .measure = measure_slots, .serve = serve_slots, .close = free};

/* The producer's half alone: floor of a publish that nobody reads. */
static void measure_store(void *state, uint64_t count, struct bench_sample *sample)
{
    struct slots_state *slots = state;

    sample->untimed = CHUNK;
    for (uint64_t chunk = 0; chunk <= whole_chunks(count); chunk++) {
        uint64_t begin_ns = bench_clock_ns();
        slots->number = produce(slots->shared, 48, slots->number, slots->number + CHUNK, true);
        uint64_t end_ns = bench_clock_ns();
        if (chunk > 0)
            bench_sample_add(sample, end_ns - begin_ns, CHUNK);
    }
}

const struct bench_case bench_slot_store = {
    .open = open_slots, .measure = measure_store, .serve = NULL, .close = free};
