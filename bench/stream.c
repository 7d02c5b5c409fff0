/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Messages one way, as fast as they go: the serving side publishes, the measuring side takes, for
 * what counts is what has arrived. Every payload is written by the one and read by the other.
 *
 *              singles                     batches
 *      copy    publish, take_copy          publish_batch, take_copy
 *      place   loan and commit, take       loan_batch and commit_batch, take_batch
 *
 * A sample is the mean over a chunk of messages, so that the clock does not weigh.
 */
#include "bench/clock.h"
#include "bench/payload.h"
#include "bench/topic.h"

#include <stdlib.h>
#include <string.h>

enum { BATCH_MAX = 64 };

struct stream {
    const struct bench_context *context;
    struct peal_bus *bus;
    struct peal_publisher *publisher;
    struct peal_subscriber *subscriber;
    unsigned char *buffers; /* one a message of a batch */
    uint64_t number;
    uint64_t fault_at;
    uint32_t delay_ns;
};

static uint32_t batch_of(const struct bench_setup *setup)
{
    return setup->batch > 1 ? setup->batch : 1;
}

static void *open_stream(const struct bench_context *context)
{
    struct stream *stream = bench_allocate(sizeof *stream);
    const struct bench_setup *setup = &context->setup;

    if (setup->batch > BATCH_MAX)
        bench_die("stream: batches of %u are too large", (unsigned)setup->batch);
    stream->context = context;
    stream->delay_ns = context->pair->delay_ns;
    stream->fault_at = context->fault_at;
    stream->bus = bench_bus_open(context, 0);
    if (context->side == BENCH_SERVING) {
        size_t batch = setup->size_bytes > 4096 && setup->batch > 1 ? setup->batch : 0;
        stream->publisher =
            bench_publisher_open(stream->bus, context->topic, setup->size_bytes, batch);
    } else {
        stream->subscriber = bench_subscriber_open(stream->bus, context->topic);
    }
    stream->buffers = bench_allocate((size_t)setup->size_bytes * batch_of(setup));
    return stream;
}

static void close_stream(void *opaque)
{
    struct stream *stream = opaque;

    peal_publisher_close(stream->publisher);
    peal_subscriber_close(stream->subscriber);
    peal_bus_close(stream->bus);
    free(stream->buffers);
    free(stream);
}

BENCH_INLINE void fill_loan(struct stream *stream, void *data, size_t size_bytes, uint64_t number)
{
    if (size_bytes <= BENCH_PAYLOAD_SMALL) {
        bench_payload_write(data, size_bytes, number);
        return;
    }
    bench_payload_refresh(stream->buffers, size_bytes, number);
    memcpy(data, stream->buffers, size_bytes);
}

BENCH_INLINE void send_batch_in_place(struct stream *stream, size_t size_bytes, size_t wanted)
{
    void *data[BATCH_MAX];
    size_t loaned = 0;
    enum peal_status status;

    while ((status = peal_publisher_loan_batch(stream->publisher, size_bytes, wanted, data,
                                               &loaned)) == PEAL_FULL)
        bench_poll_gently();
    bench_must(status, "loan_batch");
    for (size_t i = 0; i < loaned; i++) {
        fill_loan(stream, data[i], size_bytes, stream->number + i);
        bench_payload_plant(data[i], size_bytes, stream->number + i, stream->fault_at);
    }
    bench_must(peal_publisher_commit_batch(stream->publisher, loaned), "commit_batch");
    stream->number += loaned;
}

BENCH_INLINE void send_batch_by_copy(struct stream *stream, size_t size_bytes, size_t wanted)
{
    struct peal_slice slices[BATCH_MAX];
    size_t sent = 0;

    for (size_t i = 0; i < wanted; i++) {
        slices[i].data = stream->buffers + i * size_bytes;
        slices[i].size_bytes = size_bytes;
        bench_payload_write(stream->buffers + i * size_bytes, size_bytes, stream->number + i);
        bench_payload_plant(stream->buffers + i * size_bytes, size_bytes, stream->number + i,
                            stream->fault_at);
    }
    while (sent < wanted) {
        size_t published = 0;
        enum peal_status status = peal_publisher_publish_batch(stream->publisher, slices + sent,
                                                               wanted - sent, &published);
        sent += published;
        if (status == PEAL_FULL)
            bench_poll_gently();
        else
            bench_must(status, "publish_batch");
    }
    stream->number += wanted;
}

BENCH_INLINE void send_one(struct stream *stream, size_t size_bytes)
{
    if (stream->context->setup.in_place) {
        void *loan = bench_loan(stream->publisher, size_bytes);
        fill_loan(stream, loan, size_bytes, stream->number);
        bench_payload_plant(loan, size_bytes, stream->number, stream->fault_at);
        bench_must(peal_publisher_commit(stream->publisher, size_bytes), "commit");
    } else {
        bench_payload_refresh(stream->buffers, size_bytes, stream->number);
        bench_payload_plant(stream->buffers, size_bytes, stream->number, stream->fault_at);
        bench_publish(stream->publisher, stream->buffers, size_bytes);
    }
    stream->number++;
}

BENCH_INLINE void serve_size(struct stream *stream, size_t size_bytes, uint64_t end)
{
    const struct bench_setup *setup = &stream->context->setup;
    size_t batch = batch_of(setup);

    while (stream->number < end) {
        size_t wanted = end - stream->number < batch ? (size_t)(end - stream->number) : batch;
        bench_clock_plant(stream->delay_ns);
        if (batch == 1)
            send_one(stream, size_bytes);
        else if (setup->in_place)
            send_batch_in_place(stream, size_bytes, wanted);
        else
            send_batch_by_copy(stream, size_bytes, wanted);
    }
}

BENCH_INLINE void must_be_right(const void *data, size_t size_bytes, uint64_t number, bool copied)
{
    bool right = copied ? bench_payload_plausible(data, size_bytes, number)
                        : bench_payload_right(data, size_bytes, number);

    if (PEAL_UNLIKELY(!right))
        bench_die("stream: message %llu has wrong content", (unsigned long long)number);
}

BENCH_INLINE void receive_batch(struct stream *stream, size_t size_bytes, size_t wanted)
{
    struct peal_message messages[BATCH_MAX];
    size_t taken = 0;
    enum peal_status status;

    while ((status = peal_subscriber_take_batch(stream->subscriber, messages, wanted, &taken)) ==
           PEAL_EMPTY)
        bench_poll_gently();
    bench_must(status, "take_batch");
    for (size_t i = 0; i < taken; i++) {
        if (PEAL_UNLIKELY(messages[i].size_bytes != size_bytes || messages[i].lost != 0))
            bench_wrong_message(&messages[i], size_bytes);
        must_be_right(messages[i].data, size_bytes, stream->number + i, false);
    }
    bench_must(peal_subscriber_release_batch(stream->subscriber, messages, taken, NULL),
               "release_batch");
    stream->number += taken;
}

BENCH_INLINE void receive_one(struct stream *stream, size_t size_bytes)
{
    struct peal_message message;

    if (stream->context->setup.in_place) {
        const void *data = bench_take(stream->subscriber, size_bytes, &message);
        must_be_right(data, size_bytes, stream->number, false);
        bench_must(peal_subscriber_release(stream->subscriber, &message), "release");
    } else {
        bench_take_copy(stream->subscriber, stream->buffers, size_bytes);
        must_be_right(stream->buffers, size_bytes, stream->number, true);
    }
    stream->number++;
}

BENCH_INLINE void receive_size(struct stream *stream, size_t size_bytes, uint64_t end)
{
    const struct bench_setup *setup = &stream->context->setup;
    size_t batch = batch_of(setup);

    while (stream->number < end) {
        size_t wanted = end - stream->number < batch ? (size_t)(end - stream->number) : batch;
        if (batch == 1 || !setup->in_place)
            receive_one(stream, size_bytes);
        else
            receive_batch(stream, size_bytes, wanted);
    }
}

static uint64_t chunk_of(size_t size_bytes)
{
    if (size_bytes <= BENCH_PAYLOAD_SMALL)
        return 1024;
    return size_bytes <= 4096 ? 256 : 8;
}

/* The first chunk is not timed: it finds the ring empty. */
BENCH_INLINE void measure_size(struct stream *stream, size_t size_bytes, uint64_t count,
                               struct bench_sample *sample)
{
    uint64_t chunk = chunk_of(size_bytes), chunks = (count + chunk - 1) / chunk, begin_ns = 0;

    sample->untimed = chunk;
    for (uint64_t i = 0; i <= chunks; i++) {
        receive_size(stream, size_bytes, stream->number + chunk);
        uint64_t end_ns = bench_clock_ns();
        if (i > 0)
            bench_sample_add(sample, end_ns - begin_ns, chunk);
        begin_ns = end_ns;
    }
}

static void measure_stream(void *opaque, uint64_t count, struct bench_sample *sample)
{
    struct stream *stream = opaque;

    switch (stream->context->setup.size_bytes) {
    case 48:
        measure_size(stream, 48, count, sample);
        break;
    case 64:
        measure_size(stream, 64, count, sample);
        break;
    default:
        measure_size(stream, stream->context->setup.size_bytes, count, sample);
    }
}

static void serve_stream(void *opaque, uint64_t count)
{
    struct stream *stream = opaque;
    size_t size_bytes = stream->context->setup.size_bytes;
    uint64_t chunk = chunk_of(size_bytes);
    uint64_t end = stream->number + ((count + chunk - 1) / chunk + 1) * chunk;

    switch (size_bytes) {
    case 48:
        serve_size(stream, 48, end);
        break;
    case 64:
        serve_size(stream, 64, end);
        break;
    default:
        serve_size(stream, size_bytes, end);
    }
}

const struct bench_case bench_topic_stream = {
    .open = open_stream, .measure = measure_stream, .serve = serve_stream, .close = close_stream};
