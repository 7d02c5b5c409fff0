/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a look into a waitset costs over the number of its topics: one that finds the one message that there
 * is (in the topic that was added last), or finds nothing. One side; nobody sleeps.
 */
#include "bench/clock.h"
#include "bench/payload.h"
#include "bench/topic.h"

#include <stdio.h>
#include <stdlib.h>

enum { MESSAGE_BYTES = 48 };

struct waitset_state {
    const struct bench_context *context;
    struct peal_bus *bus;
    struct peal_waitset *waitset;
    struct peal_publisher *publisher;
    struct peal_subscriber **subscribers;
    uint64_t number;
};

static void *open_waitset(const struct bench_context *context)
{
    struct waitset_state *state = bench_allocate(sizeof *state);
    uint32_t topics = context->setup.topics;
    char topic[80];

    state->context = context;
    if (context->side == BENCH_SERVING)
        return state;
    state->bus = bench_bus_open(context, 0);
    state->subscribers = bench_allocate(topics * sizeof(struct peal_subscriber *));
    bench_must(peal_waitset_create(state->bus, &state->waitset), "waitset");
    for (uint32_t i = 0; i < topics; i++) {
        snprintf(topic, sizeof topic, "%s.%u", context->topic, (unsigned)i);
        state->subscribers[i] = bench_subscriber_open(state->bus, topic);
        bench_must(
            peal_waitset_add(state->waitset, state->subscribers[i], NULL, state->subscribers[i]),
            "waitset_add");
    }
    if (!context->setup.idle)
        state->publisher = bench_publisher_open(state->bus, topic, MESSAGE_BYTES, 0);
    return state;
}

static void close_waitset(void *opaque)
{
    struct waitset_state *state = opaque;

    peal_waitset_close(state->waitset);
    peal_publisher_close(state->publisher);
    for (uint32_t i = 0; state->subscribers != NULL && i < state->context->setup.topics; i++)
        peal_subscriber_close(state->subscribers[i]);
    peal_bus_close(state->bus);
    free(state->subscribers);
    free(state);
}

static void find_one(struct waitset_state *state, struct bench_sample *sample, bool counts)
{
    uint64_t words[MESSAGE_BYTES / 8];
    void *found = NULL;
    size_t count = 0;

    bench_payload_write(words, sizeof words, state->number);
    bench_payload_plant(words, sizeof words, state->number, state->context->fault_at);
    bench_must(peal_publisher_publish(state->publisher, words, sizeof words), "publish");
    uint64_t begin_ns = bench_clock_ns();
    bench_must(peal_waitset_wait(state->waitset, 0, &found, 1, &count), "waitset_wait");
    uint64_t end_ns = bench_clock_ns();
    if (count != 1 || found != state->subscribers[state->context->setup.topics - 1])
        bench_die("waitset: it has found what is not there");
    bench_take_copy(found, words, sizeof words);
    if (!bench_payload_right(words, sizeof words, state->number++))
        bench_die("waitset: message has wrong content");
    if (counts)
        bench_sample_add(sample, end_ns - begin_ns, 1);
}

static void find_nothing(struct waitset_state *state, struct bench_sample *sample, bool counts)
{
    void *found = NULL;
    size_t count = 0;

    uint64_t begin_ns = bench_clock_ns();
    enum peal_status status = peal_waitset_wait(state->waitset, 0, &found, 1, &count);
    uint64_t end_ns = bench_clock_ns();
    if (status != PEAL_TIMEDOUT)
        bench_die("waitset: %s instead of nothing", peal_status_text(status));
    if (counts)
        bench_sample_add(sample, end_ns - begin_ns, 1);
}

static void measure_waitset(void *opaque, uint64_t count, struct bench_sample *sample)
{
    struct waitset_state *state = opaque;
    uint64_t warm = bench_warm_up(count);

    sample->untimed = warm;
    for (uint64_t i = 0; i < warm + count; i++) {
        if (state->context->setup.idle)
            find_nothing(state, sample, i >= warm);
        else
            find_one(state, sample, i >= warm);
    }
}

const struct bench_case bench_waitset = {
    .open = open_waitset, .measure = measure_waitset, .serve = NULL, .close = close_waitset};
