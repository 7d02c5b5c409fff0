/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Floors of latency: what two processes pay for a word in a cache line, and for a sleep.
 */
#include "bench/clock.h"
#include "bench/futex.h"
#include "bench/pair.h"

#include <stdlib.h>
#include <unistd.h>

/*
 * There and back, each in a pair of lines of its own. Nothing that shares memory is faster.
 *
 * The trips go round many such pairs, as messages go round the slots of a lane: which slice of the
 * last-level cache a line belongs to depends on its address, and a single pair was seen to be up to
 * 10 % faster or slower than another. The floor is the average line, not a lucky one.
 *
 * A trip has two modes, some 90 ns apart: a CPU that guesses the end of its polling loop right
 * asks for the line of its answer before it has the question, which saves one of four transfers. How
 * often it does depends on the history of its branches, so the weights of the modes wander. `serial`
 * fences speculation off and shows the four transfers alone.
 */
enum { RAW_PAIRS = 64 };

struct raw_shared {
    struct {
        struct bench_line there;
        struct bench_line back;
    } pairs[RAW_PAIRS];
};

struct raw_state {
    const struct bench_context *context;
    struct raw_shared *shared;
    uint64_t number; /* of trips so far; the lines are not reset between runs */
};

static void *open_raw(const struct bench_context *context)
{
    struct raw_state *raw = bench_allocate(sizeof *raw);

    raw->context = context;
    raw->shared = context->scratch;
    return raw;
}

/* On x86 no later instruction starts before the fence is through. */
static inline void after_poll(bool serial)
{
    if (serial)
        ck_pr_fence_strict_load();
}

static void measure_raw(void *state, uint64_t count, struct bench_sample *sample)
{
    struct raw_state *raw = state;
    uint64_t warm = bench_warm_up(count), number = raw->number;
    uint32_t delay_ns = raw->context->setup.delay_ns;
    bool serial = raw->context->setup.serial;

    sample->untimed = warm;
    for (uint64_t i = 0; i < warm + count; i++) {
        uint64_t begin_ns = bench_clock_ns();
        number++;
        bench_word_write(&raw->shared->pairs[number % RAW_PAIRS].there.word, number);
        while (bench_word_read(&raw->shared->pairs[number % RAW_PAIRS].back.word) != number)
            bench_poll();
        after_poll(serial);
        if (delay_ns != 0)
            bench_clock_spin(delay_ns);
        uint64_t end_ns = bench_clock_ns();
        if (i >= warm)
            bench_sample_add(sample, end_ns - begin_ns, 1);
    }
    raw->number = number;
}

static void serve_raw(void *state, uint64_t count)
{
    struct raw_state *raw = state;
    uint64_t total = bench_warm_up(count) + count, number = raw->number;
    bool serial = raw->context->setup.serial;

    for (uint64_t i = 0; i < total; i++) {
        number++;
        while (bench_word_read(&raw->shared->pairs[number % RAW_PAIRS].there.word) != number)
            bench_poll();
        after_poll(serial);
        bench_word_write(&raw->shared->pairs[number % RAW_PAIRS].back.word, number);
    }
    raw->number = number;
}

const struct bench_case bench_raw_ping_pong = {
    .open = open_raw, .measure = measure_raw, .serve = serve_raw, .close = free};

/* The same with both sides asleep while they wait: two wake-ups a trip. */
struct futex_shared {
    _Alignas(PEAL_WRITER_BYTES) peal_u32 there;
    _Alignas(PEAL_WRITER_BYTES) peal_u32 back;
};

struct futex_state {
    struct futex_shared *shared;
    uint32_t number;
};

static void *open_futex(const struct bench_context *context)
{
    struct futex_state *futex = bench_allocate(sizeof *futex);

    futex->shared = context->scratch;
    return futex;
}

static void measure_futex(void *state, uint64_t count, struct bench_sample *sample)
{
    struct futex_state *futex = state;
    uint64_t warm = bench_warm_up(count);

    sample->untimed = warm;
    for (uint64_t i = 0; i < warm + count; i++) {
        uint64_t begin_ns = bench_clock_ns();
        futex->number++;
        bench_futex_post(&futex->shared->there, futex->number);
        if (!bench_futex_await(&futex->shared->back, futex->number))
            bench_die("futex ping-pong: no answer");
        uint64_t end_ns = bench_clock_ns();
        if (i >= warm)
            bench_sample_add(sample, end_ns - begin_ns, 1);
    }
}

static void serve_futex(void *state, uint64_t count)
{
    struct futex_state *futex = state;
    uint64_t total = bench_warm_up(count) + count;

    for (uint64_t i = 0; i < total; i++) {
        futex->number++;
        if (!bench_futex_await(&futex->shared->there, futex->number))
            bench_die("futex ping-pong: no question");
        bench_futex_post(&futex->shared->back, futex->number);
    }
}

const struct bench_case bench_futex_ping_pong = {
    .open = open_futex, .measure = measure_futex, .serve = serve_futex, .close = free};

/* And again with eventfds, which is what descriptors for event loops stand on. */
struct event_state {
    const int *events; /* there and back */
    uint64_t number;
};

static void *open_event(const struct bench_context *context)
{
    struct event_state *event = bench_allocate(sizeof *event);

    event->events = context->pair->events;
    return event;
}

static void event_post(int fd)
{
    uint64_t one = 1;

    if (write(fd, &one, sizeof one) != sizeof one)
        bench_die("eventfd ping-pong: cannot write");
}

static void event_await(int fd)
{
    uint64_t count;

    if (read(fd, &count, sizeof count) != sizeof count)
        bench_die("eventfd ping-pong: cannot read");
}

static void measure_event(void *state, uint64_t count, struct bench_sample *sample)
{
    struct event_state *event = state;
    uint64_t warm = bench_warm_up(count);

    sample->untimed = warm;
    for (uint64_t i = 0; i < warm + count; i++) {
        uint64_t begin_ns = bench_clock_ns();
        event_post(event->events[0]);
        event_await(event->events[1]);
        uint64_t end_ns = bench_clock_ns();
        if (i >= warm)
            bench_sample_add(sample, end_ns - begin_ns, 1);
    }
}

static void serve_event(void *state, uint64_t count)
{
    struct event_state *event = state;
    uint64_t total = bench_warm_up(count) + count;

    for (uint64_t i = 0; i < total; i++) {
        event_await(event->events[0]);
        event_post(event->events[1]);
    }
}

const struct bench_case bench_event_ping_pong = {
    .open = open_event, .measure = measure_event, .serve = serve_event, .close = free};

/* The measuring itself: what a reading of the clock takes, of which each single sample holds one. */
static void *open_clock(const struct bench_context *context)
{
    (void)context;
    return NULL;
}

static void measure_clock(void *state, uint64_t count, struct bench_sample *sample)
{
    enum { CHUNK = 1024 };

    (void)state;
    for (uint64_t i = 0; i < count; i += CHUNK) {
        uint64_t begin_ns = bench_clock_ns(), end_ns = begin_ns;
        for (unsigned reading = 0; reading < CHUNK; reading++)
            end_ns = bench_clock_ns();
        bench_sample_add(sample, end_ns - begin_ns, CHUNK);
    }
}

const struct bench_case bench_clock_reading = {
    .open = open_clock, .measure = measure_clock, .serve = NULL, .close = free};
