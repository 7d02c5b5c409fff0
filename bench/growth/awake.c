/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a publish costs with some number of reliable subscribers that are awake and keep up.
 *
 * All subscribers live in the serving process: polled round robin by its one thread, or each by a
 * thread of its own. What is timed is a block of publishes that fits in half of the lane, so that no
 * gate can shut within it; then the publisher waits, untimed, until everyone has caught up.
 */
#include "bench/clock.h"
#include "bench/payload.h"
#include "bench/topic.h"

#include <pthread.h>
#include <stdlib.h>

enum {
    BLOCK = 512, /* half of a lane's default depth */
    MESSAGE_BYTES = 48,
    SUBSCRIBERS_MAX = 32,
};

/* One subscriber; a thread's own lines. */
struct fan_end {
    _Alignas(PEAL_WRITER_BYTES) struct peal_subscriber *subscriber;
    uint64_t number;
    uint64_t end;
    struct bench_line *caught_up;
    pthread_t thread;
};

struct fan_out {
    const struct bench_context *context;
    struct bench_line *caught_up; /* blocks x subscribers that have been taken whole */
    struct peal_bus *bus;
    struct peal_publisher *publisher;
    uint64_t number;
    uint32_t end_count;
    struct fan_end ends[SUBSCRIBERS_MAX];
};

static void *open_fan_out(const struct bench_context *context)
{
    struct fan_out *fan = bench_allocate(sizeof *fan);
    const struct bench_setup *setup = &context->setup;

    if (setup->subscribers > SUBSCRIBERS_MAX)
        bench_die("fan_out: %u subscribers are too many", (unsigned)setup->subscribers);
    fan->context = context;
    fan->caught_up = context->scratch;
    fan->bus = bench_bus_open(context, 0);
    fan->end_count = setup->subscribers;
    if (context->side == BENCH_MEASURING) {
        fan->publisher = bench_publisher_open(fan->bus, context->topic, MESSAGE_BYTES, 0);
        return fan;
    }
    for (uint32_t i = 0; i < fan->end_count; i++) {
        fan->ends[i].subscriber = bench_subscriber_open(fan->bus, context->topic);
        fan->ends[i].caught_up = fan->caught_up;
    }
    return fan;
}

static void close_fan_out(void *opaque)
{
    struct fan_out *fan = opaque;

    peal_publisher_close(fan->publisher);
    for (uint32_t i = 0; i < fan->end_count; i++)
        peal_subscriber_close(fan->ends[i].subscriber);
    peal_bus_close(fan->bus);
    free(fan);
}

static uint64_t blocks_of(uint64_t count)
{
    return (count + BLOCK - 1) / BLOCK;
}

/* The first block is not timed. */
static void measure_fan_out(void *opaque, uint64_t count, struct bench_sample *sample)
{
    struct fan_out *fan = opaque;
    uint64_t message[MESSAGE_BYTES / 8];

    sample->untimed = BLOCK;
    for (uint64_t block = 0; block <= blocks_of(count); block++) {
        uint64_t begin_ns = bench_clock_ns();
        for (unsigned i = 0; i < BLOCK; i++, fan->number++) {
            bench_payload_write(message, sizeof message, fan->number);
            bench_payload_plant(message, sizeof message, fan->number, fan->context->fault_at);
            bench_clock_plant(fan->context->pair->delay_ns);
            bench_must(peal_publisher_publish(fan->publisher, message, sizeof message), "publish");
        }
        uint64_t end_ns = bench_clock_ns();
        if (block > 0)
            bench_sample_add(sample, end_ns - begin_ns, BLOCK);
        bench_word_await(&fan->caught_up->word, fan->number / BLOCK * fan->end_count);
    }
}

/* Takes one message if there is one. */
static bool advance(struct fan_end *end)
{
    uint64_t received[MESSAGE_BYTES / 8];
    struct peal_message message;

    if (end->number == end->end)
        return false;
    enum peal_status status =
        peal_subscriber_take_copy(end->subscriber, received, sizeof received, &message);
    if (status == PEAL_EMPTY)
        return false;
    bench_must(status, "take_copy");
    if (PEAL_UNLIKELY(message.lost != 0 || message.size_bytes != sizeof received ||
                      !bench_payload_right(received, sizeof received, end->number)))
        bench_die("fan_out: message %llu has wrong content", (unsigned long long)end->number);
    end->number++;
    if (end->number % BLOCK == 0)
        bench_word_add(&end->caught_up->word, 1);
    return true;
}

static void *serve_thread(void *opaque)
{
    struct fan_end *end = opaque;

    while (end->number < end->end) {
        if (!advance(end))
            sched_yield(); /* they share one core */
    }
    return NULL;
}

static void serve_fan_out(void *opaque, uint64_t count)
{
    struct fan_out *fan = opaque;

    fan->number += (1 + blocks_of(count)) * BLOCK;
    for (uint32_t i = 0; i < fan->end_count; i++)
        fan->ends[i].end = fan->number;
    if (!fan->context->setup.threads) {
        uint32_t behind;
        do {
            behind = 0;
            for (uint32_t i = 0; i < fan->end_count; i++) {
                (void)advance(&fan->ends[i]);
                behind += fan->ends[i].number < fan->number;
            }
            bench_poll();
        } while (behind > 0);
        return;
    }
    for (uint32_t i = 0; i < fan->end_count; i++) {
        if (pthread_create(&fan->ends[i].thread, NULL, serve_thread, &fan->ends[i]) != 0)
            bench_die("fan_out: cannot start a thread");
    }
    for (uint32_t i = 0; i < fan->end_count; i++)
        pthread_join(fan->ends[i].thread, NULL);
}

const struct bench_case bench_topic_fan_out = {.open = open_fan_out,
                                               .measure = measure_fan_out,
                                               .serve = serve_fan_out,
                                               .close = close_fan_out};
