/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a publish costs its own CPU when nobody subscribes: 48 bytes, single and in batches, by copy
 * and in place. One process; nothing leaves its caches.
 */
#include "bench/clock.h"
#include "bench/payload.h"
#include "bench/topic.h"

#include <stdlib.h>

enum { CHUNK = 1024, MESSAGE_BYTES = 48, BATCH_MAX = 64 };

struct publish {
    const struct bench_context *context;
    struct peal_bus *bus;
    struct peal_publisher *publisher;
    uint64_t number;
    uint32_t delay_ns;
};

static void *open_publish(const struct bench_context *context)
{
    struct publish *publish = bench_allocate(sizeof *publish);

    if (context->setup.batch > BATCH_MAX ||
        (context->setup.batch > 1 && CHUNK % context->setup.batch))
        bench_die("publish: a batch of %u does not divide %d", (unsigned)context->setup.batch,
                  CHUNK);
    publish->context = context;
    publish->delay_ns = context->pair->delay_ns;
    if (context->side == BENCH_SERVING)
        return publish;
    publish->bus = bench_bus_open(context, 0);
    publish->publisher = bench_publisher_open(publish->bus, context->topic, MESSAGE_BYTES, 0);
    return publish;
}

static void close_publish(void *opaque)
{
    struct publish *publish = opaque;

    peal_publisher_close(publish->publisher);
    peal_bus_close(publish->bus);
    free(publish);
}

static void publish_single(struct publish *publish)
{
    uint64_t message[MESSAGE_BYTES / 8];

    if (publish->context->setup.in_place) {
        void *data = NULL;
        bench_must(peal_publisher_loan(publish->publisher, MESSAGE_BYTES, &data), "loan");
        bench_payload_write(data, MESSAGE_BYTES, publish->number);
        bench_must(peal_publisher_commit(publish->publisher, MESSAGE_BYTES), "commit");
    } else {
        bench_payload_write(message, MESSAGE_BYTES, publish->number);
        bench_must(peal_publisher_publish(publish->publisher, message, MESSAGE_BYTES), "publish");
    }
    publish->number++;
}

static void publish_batch(struct publish *publish, size_t batch)
{
    uint64_t messages[BATCH_MAX][MESSAGE_BYTES / 8];
    struct peal_slice slices[BATCH_MAX];
    void *data[BATCH_MAX];
    size_t done = 0;

    if (publish->context->setup.in_place) {
        bench_must(peal_publisher_loan_batch(publish->publisher, MESSAGE_BYTES, batch, data, &done),
                   "loan_batch");
        for (size_t i = 0; i < done; i++)
            bench_payload_write(data[i], MESSAGE_BYTES, publish->number + i);
        bench_must(peal_publisher_commit_batch(publish->publisher, done), "commit_batch");
    } else {
        for (size_t i = 0; i < batch; i++) {
            bench_payload_write(messages[i], MESSAGE_BYTES, publish->number + i);
            slices[i].data = messages[i];
            slices[i].size_bytes = MESSAGE_BYTES;
        }
        bench_must(peal_publisher_publish_batch(publish->publisher, slices, batch, &done),
                   "publish_batch");
    }
    publish->number += done;
}

/* The first chunk is not timed. */
static void measure_publish(void *opaque, uint64_t count, struct bench_sample *sample)
{
    struct publish *publish = opaque;
    uint32_t batch = publish->context->setup.batch;

    sample->untimed = CHUNK;
    for (uint64_t chunk = 0; chunk <= (count + CHUNK - 1) / CHUNK; chunk++) {
        uint64_t first = publish->number, begin_ns = bench_clock_ns();
        while (publish->number - first < CHUNK) {
            bench_clock_plant(publish->delay_ns);
            if (batch > 1)
                publish_batch(publish, batch);
            else
                publish_single(publish);
        }
        uint64_t end_ns = bench_clock_ns();
        if (chunk > 0)
            bench_sample_add(sample, end_ns - begin_ns, publish->number - first);
    }
}

const struct bench_case bench_topic_publish = {
    .open = open_publish, .measure = measure_publish, .serve = NULL, .close = close_publish};
