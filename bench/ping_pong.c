/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A message there and the same message back, over two topics with one reliable subscriber each.
 *
 * Timed by copy: publish, and take_copy of the answer. In place: loan, copy into the loan, commit,
 * and take, sum over the answer in the lane, release. The serving side answers with the bytes that it
 * got, so that the content that comes home is right only if both ways were.
 */
#include "bench/clock.h"
#include "bench/payload.h"
#include "bench/topic.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct ping_pong {
    const struct bench_context *context;
    struct peal_bus *bus;
    struct peal_publisher *publisher;
    struct peal_subscriber *subscriber;
    unsigned char *sent; /* and then as many bytes received */
    unsigned char *received;
    uint64_t number;
    uint32_t delay_ns;
};

static void *open_ping_pong(const struct bench_context *context)
{
    struct ping_pong *state = bench_allocate(sizeof *state);
    size_t size_bytes = context->setup.size_bytes;
    bool measuring = context->side == BENCH_MEASURING;
    char there[80], back[80];

    snprintf(there, sizeof there, "%s.there", context->topic);
    snprintf(back, sizeof back, "%s.back", context->topic);
    state->context = context;
    state->delay_ns = context->pair->delay_ns;
    state->bus = bench_bus_open(context, 0);
    state->publisher = bench_publisher_open(state->bus, measuring ? there : back, size_bytes, 0);
    state->subscriber = bench_subscriber_open(state->bus, measuring ? back : there);
    state->sent = bench_allocate(2 * size_bytes);
    state->received = state->sent + size_bytes;
    return state;
}

static void close_ping_pong(void *opaque)
{
    struct ping_pong *state = opaque;

    peal_publisher_close(state->publisher);
    peal_subscriber_close(state->subscriber);
    peal_bus_close(state->bus);
    free(state->sent);
    free(state);
}

/* One trip; what it took. */
BENCH_INLINE uint64_t trip_by_copy(struct ping_pong *state, size_t size_bytes, uint64_t number)
{
    uint64_t begin_ns = bench_clock_ns();
    bench_clock_plant(state->delay_ns);
    bench_publish(state->publisher, state->sent, size_bytes);
    bench_take_copy(state->subscriber, state->received, size_bytes);
    uint64_t end_ns = bench_clock_ns();

    if (!bench_payload_right(state->received, size_bytes, number))
        bench_die("ping_pong: message %llu has come back with wrong content",
                  (unsigned long long)number);
    return end_ns - begin_ns;
}

BENCH_INLINE uint64_t trip_in_place(struct ping_pong *state, size_t size_bytes, uint64_t number)
{
    struct peal_message message;

    uint64_t begin_ns = bench_clock_ns();
    bench_clock_plant(state->delay_ns);
    memcpy(bench_loan(state->publisher, size_bytes), state->sent, size_bytes);
    bench_must(peal_publisher_commit(state->publisher, size_bytes), "commit");
    const void *answer = bench_take(state->subscriber, size_bytes, &message);
    uint64_t sum = bench_payload_sum(answer, size_bytes);
    bench_must(peal_subscriber_release(state->subscriber, &message), "release");
    uint64_t end_ns = bench_clock_ns();

    if (sum != bench_payload_expected(size_bytes, number))
        bench_die("ping_pong: message %llu has come back with wrong content",
                  (unsigned long long)number);
    return end_ns - begin_ns;
}

BENCH_INLINE void measure_size(struct ping_pong *state, size_t size_bytes, uint64_t count,
                               struct bench_sample *sample)
{
    bool in_place = state->context->setup.in_place;
    uint64_t warm = bench_warm_up(count), fault_at = state->context->fault_at;

    sample->untimed = warm;
    for (uint64_t i = 0; i < warm + count; i++, state->number++) {
        bench_payload_write(state->sent, size_bytes, state->number);
        bench_payload_plant(state->sent, size_bytes, state->number, fault_at);
        uint64_t trip_ns = in_place ? trip_in_place(state, size_bytes, state->number)
                                    : trip_by_copy(state, size_bytes, state->number);
        if (i >= warm)
            bench_sample_add(sample, trip_ns, 1);
    }
}

/* A program knows the size of its small messages; the compiler then copies without a call. */
static void measure_ping_pong(void *opaque, uint64_t count, struct bench_sample *sample)
{
    struct ping_pong *state = opaque;

    switch (state->context->setup.size_bytes) {
    case 8:
        measure_size(state, 8, count, sample);
        break;
    case 48:
        measure_size(state, 48, count, sample);
        break;
    case 64:
        measure_size(state, 64, count, sample);
        break;
    default:
        measure_size(state, state->context->setup.size_bytes, count, sample);
    }
}

BENCH_INLINE void answer_in_place(struct ping_pong *state, size_t size_bytes)
{
    struct peal_message message;
    const void *question = bench_take(state->subscriber, size_bytes, &message);

    bench_clock_plant(state->delay_ns);
    memcpy(bench_loan(state->publisher, size_bytes), question, size_bytes);
    bench_must(peal_publisher_commit(state->publisher, size_bytes), "commit");
    bench_must(peal_subscriber_release(state->subscriber, &message), "release");
}

BENCH_INLINE void serve_size(struct ping_pong *state, size_t size_bytes, uint64_t total)
{
    bool in_place = state->context->setup.in_place;

    for (uint64_t i = 0; i < total; i++) {
        if (in_place) {
            answer_in_place(state, size_bytes);
        } else {
            bench_take_copy(state->subscriber, state->received, size_bytes);
            bench_clock_plant(state->delay_ns);
            bench_publish(state->publisher, state->received, size_bytes);
        }
    }
}

static void serve_ping_pong(void *opaque, uint64_t count)
{
    struct ping_pong *state = opaque;
    uint64_t total = bench_warm_up(count) + count;

    switch (state->context->setup.size_bytes) {
    case 8:
        serve_size(state, 8, total);
        break;
    case 48:
        serve_size(state, 48, total);
        break;
    case 64:
        serve_size(state, 64, total);
        break;
    default:
        serve_size(state, state->context->setup.size_bytes, total);
    }
}

const struct bench_case bench_topic_ping_pong = {.open = open_ping_pong,
                                                 .measure = measure_ping_pong,
                                                 .serve = serve_ping_pong,
                                                 .close = close_ping_pong};
