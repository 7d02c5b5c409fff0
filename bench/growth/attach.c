/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What coming takes: to open a bus that is there, and from nothing to the first message of a topic that
 * somebody publishes without a pause (open, subscribe, take). Leaving is not timed.
 */
#include "bench/clock.h"
#include "bench/payload.h"
#include "bench/topic.h"

#include <stdlib.h>

enum { MESSAGE_BYTES = 48 };

struct attach {
    const struct bench_context *context;
    struct bench_line *arrived; /* how often a first message has come */
    struct peal_bus *bus;       /* the serving side's, so that the region stays in use */
    struct peal_publisher *publisher;
    uint64_t arrivals;
};

static void *open_attach(const struct bench_context *context)
{
    struct attach *attach = bench_allocate(sizeof *attach);

    attach->context = context;
    attach->arrived = context->scratch;
    if (context->side == BENCH_SERVING)
        attach->bus = bench_bus_open(context, 0);
    return attach;
}

static void *open_first(const struct bench_context *context)
{
    struct attach *attach = open_attach(context);

    if (context->side == BENCH_SERVING)
        attach->publisher = bench_publisher_open(attach->bus, context->topic, MESSAGE_BYTES, 0);
    return attach;
}

static void close_attach(void *opaque)
{
    struct attach *attach = opaque;

    peal_publisher_close(attach->publisher);
    peal_bus_close(attach->bus);
    free(attach);
}

static void measure_attach(void *opaque, uint64_t count, struct bench_sample *sample)
{
    struct attach *attach = opaque;

    sample->untimed = 1;
    for (uint64_t i = 0; i <= count; i++) {
        uint64_t begin_ns = bench_clock_ns();
        struct peal_bus *bus = bench_bus_open(attach->context, 0);
        uint64_t end_ns = bench_clock_ns();
        peal_bus_close(bus);
        if (i > 0)
            bench_sample_add(sample, end_ns - begin_ns, 1);
    }
}

static void measure_first(void *opaque, uint64_t count, struct bench_sample *sample)
{
    struct attach *attach = opaque;
    uint64_t received[MESSAGE_BYTES / 8];

    sample->untimed = 1;
    for (uint64_t i = 0; i <= count; i++) {
        uint64_t begin_ns = bench_clock_ns();
        struct peal_bus *bus = bench_bus_open(attach->context, 0);
        struct peal_subscriber *subscriber = bench_subscriber_open(bus, attach->context->topic);
        bench_take_copy(subscriber, received, sizeof received);
        uint64_t end_ns = bench_clock_ns();
        if (!bench_payload_right(received, sizeof received, received[0]))
            bench_die("first message: it has wrong content");
        peal_subscriber_close(subscriber);
        peal_bus_close(bus);
        bench_word_write(&attach->arrived->word, ++attach->arrivals);
        if (i > 0)
            bench_sample_add(sample, end_ns - begin_ns, 1);
    }
}

static void serve_first(void *opaque, uint64_t count)
{
    struct attach *attach = opaque;
    uint64_t message[MESSAGE_BYTES / 8], number = 0;

    attach->arrivals += count + 1;
    while (bench_word_read(&attach->arrived->word) < attach->arrivals) {
        bench_payload_write(message, sizeof message, number);
        /* The taker may come in late, so all from then on. */
        if (number >= attach->context->fault_at)
            bench_payload_plant(message, sizeof message, number, number);
        enum peal_status status =
            peal_publisher_publish(attach->publisher, message, sizeof message);
        if (status == PEAL_OK)
            number++;
        else if (status != PEAL_FULL) /* a subscriber that takes one message and goes */
            bench_must(status, "publish");
        bench_poll_gently();
    }
}

const struct bench_case bench_attach = {
    .open = open_attach, .measure = measure_attach, .serve = NULL, .close = close_attach};

const struct bench_case bench_first_message = {
    .open = open_first, .measure = measure_first, .serve = serve_first, .close = close_attach};
