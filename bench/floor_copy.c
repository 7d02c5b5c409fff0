/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Floors of large streams: memcpy from the sender's buffer to shared memory and from there to the
 * receiver's. Once both by one process (the memory stays in one core's caches), and once as two
 * processes must do it: one copies in, the other out, over a ring with a stamp a slot.
 */
#include "bench/clock.h"
#include "bench/pair.h"
#include "bench/payload.h"

#include <stdlib.h>
#include <string.h>

enum { SMALL_SLOTS = 1024, LARGE_SLOTS = 8, LARGE_BYTES = 4096 };

struct copy_slot {
    _Alignas(PEAL_LINE_BYTES) peal_u64 stamp;
    _Alignas(PEAL_LINE_BYTES) unsigned char payload[];
};

struct copy_state {
    const struct bench_context *context;
    struct bench_line *cursor; /* the consumer's */
    unsigned char *slots;
    size_t stride_bytes;
    uint64_t slot_count; /* as a topic would have: 1024 in its slots, 8 in its payload ring */
    unsigned char *private;
    uint64_t number;
    uint64_t cursor_seen; /* by the producer, which looks again only when it must */
};

static void *open_copy(const struct bench_context *context)
{
    struct copy_state *copy = bench_allocate(sizeof *copy);
    size_t size_bytes = context->setup.size_bytes;

    copy->context = context;
    copy->cursor = context->scratch;
    copy->slots = (unsigned char *)context->scratch + 4096;
    copy->stride_bytes = (size_bytes + 2 * PEAL_LINE_BYTES - 1) / PEAL_LINE_BYTES * PEAL_LINE_BYTES;
    copy->slot_count = size_bytes < LARGE_BYTES ? SMALL_SLOTS : LARGE_SLOTS;
    if (4096 + copy->stride_bytes * copy->slot_count > BENCH_SCRATCH_BYTES)
        bench_die("a ring of copies of %zu bytes does not fit", size_bytes);
    copy->private = bench_allocate(2 * size_bytes); /* the sender's, and the receiver's */
    return copy;
}

static void close_copy(void *state)
{
    struct copy_state *copy = state;

    free(copy->private);
    free(copy);
}

static struct copy_slot *slot_of(const struct copy_state *copy, uint64_t number)
{
    return (struct copy_slot *)(copy->slots + copy->stride_bytes * (number % copy->slot_count));
}

static void copy_in(struct copy_state *copy, uint64_t number)
{
    size_t size_bytes = copy->context->setup.size_bytes;

    bench_payload_refresh(copy->private, size_bytes, number);
    memcpy(slot_of(copy, number)->payload, copy->private, size_bytes);
}

static void copy_out(struct copy_state *copy, uint64_t number)
{
    size_t size_bytes = copy->context->setup.size_bytes;
    unsigned char *received = copy->private + size_bytes;

    memcpy(received, slot_of(copy, number)->payload, size_bytes);
    if (!bench_payload_plausible(received, size_bytes, number))
        bench_die("memcpy: message has wrong content");
}

static void measure_twice(void *state, uint64_t count, struct bench_sample *sample)
{
    struct copy_state *copy = state;
    uint64_t warm = bench_warm_up(count);

    sample->untimed = warm;
    for (uint64_t i = 0; i < warm + count; i++) {
        uint64_t begin_ns = bench_clock_ns();
        copy_in(copy, copy->number);
        copy_out(copy, copy->number);
        uint64_t end_ns = bench_clock_ns();
        copy->number++;
        if (i >= warm)
            bench_sample_add(sample, end_ns - begin_ns, 1);
    }
}

const struct bench_case bench_memcpy_twice = {
    .open = open_copy, .measure = measure_twice, .serve = NULL, .close = close_copy};

static void measure_stream(void *state, uint64_t count, struct bench_sample *sample)
{
    struct copy_state *copy = state;
    uint64_t warm = bench_warm_up(count), begin_ns = 0;

    sample->untimed = warm;
    for (uint64_t i = 0; i < warm + count; i++) {
        while (bench_word_read(&slot_of(copy, copy->number)->stamp) != copy->number + 1)
            bench_poll_gently();
        copy_out(copy, copy->number);
        copy->number++;
        if (copy->number % (copy->slot_count / 8) == 0)
            bench_word_write(&copy->cursor->word, copy->number);
        uint64_t end_ns = bench_clock_ns();
        if (i >= warm)
            bench_sample_add(sample, end_ns - begin_ns, 1);
        begin_ns = end_ns;
    }
}

static void serve_stream(void *state, uint64_t count)
{
    struct copy_state *copy = state;
    uint64_t total = bench_warm_up(count) + count;

    for (uint64_t i = 0; i < total; i++) {
        while (copy->number - copy->cursor_seen >= copy->slot_count) {
            copy->cursor_seen = bench_word_read(&copy->cursor->word);
            bench_poll();
        }
        copy_in(copy, copy->number);
        bench_word_write(&slot_of(copy, copy->number)->stamp, copy->number + 1);
        copy->number++;
    }
}

const struct bench_case bench_memcpy_stream = {
    .open = open_copy, .measure = measure_stream, .serve = serve_stream, .close = close_copy};
