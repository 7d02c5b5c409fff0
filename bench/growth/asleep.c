/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a publish costs its caller with some number of subscribers that all sleep: each is a client of its own,
 * so that each has to be rung. The subscribers are threads of the serving side, all on its CPU.
 *
 * Timed is the call alone; before each, all must have announced that they are going to wait, and be asleep
 * (bench/asleep.h). Each message is checked.
 */
#include "bench/asleep.h"
#include "bench/clock.h"
#include "bench/payload.h"
#include "bench/topic.h"

#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

enum { MESSAGE_BYTES = 48, SLEEPERS_MAX = 32 };

#define WAIT_NS 60000000000u

/* In the scratch memory. */
struct sleeper_shared {
    struct bench_line thread;        /* its id */
    struct bench_line about_to_wait; /* 1 + messages taken */
};

struct sleeper {
    struct peal_bus *bus;
    struct peal_subscriber *subscriber;
    struct sleeper_shared *shared;
    uint64_t number;
    uint64_t end;
    pthread_t thread;
};

struct asleep {
    const struct bench_context *context;
    struct sleeper_shared *shared;
    struct peal_bus *bus;
    struct peal_publisher *publisher;
    uint64_t number;
    uint32_t count;
    struct sleeper sleepers[SLEEPERS_MAX];
};

static void *open_asleep(const struct bench_context *context)
{
    struct asleep *asleep = bench_allocate(sizeof *asleep);

    asleep->context = context;
    asleep->shared = context->scratch;
    asleep->count = context->setup.subscribers;
    if (asleep->count > SLEEPERS_MAX)
        bench_die("asleep: %u subscribers are too many", (unsigned)asleep->count);
    if (context->side == BENCH_MEASURING) {
        asleep->bus = bench_bus_open(context, 0);
        asleep->publisher = bench_publisher_open(asleep->bus, context->topic, MESSAGE_BYTES, 0);
        return asleep;
    }
    for (uint32_t i = 0; i < asleep->count; i++) {
        asleep->sleepers[i].shared = &asleep->shared[i];
        asleep->sleepers[i].bus = bench_bus_open(context, 1); /* no spinning before it sleeps */
        asleep->sleepers[i].subscriber =
            bench_subscriber_open(asleep->sleepers[i].bus, context->topic);
    }
    return asleep;
}

static void close_asleep(void *opaque)
{
    struct asleep *asleep = opaque;

    peal_publisher_close(asleep->publisher);
    for (uint32_t i = 0; i < asleep->count; i++) {
        peal_subscriber_close(asleep->sleepers[i].subscriber);
        peal_bus_close(asleep->sleepers[i].bus);
    }
    peal_bus_close(asleep->bus);
    free(asleep);
}

static void await_all_asleep(const struct asleep *asleep)
{
    for (uint32_t i = 0; i < asleep->count; i++)
        bench_word_await(&asleep->shared[i].about_to_wait.word, asleep->number + 1);
    for (uint32_t i = 0; i < asleep->count; i++)
        bench_asleep_await((pid_t)bench_word_read(&asleep->shared[i].thread.word));
}

/* The first is not timed. */
static void measure_asleep(void *opaque, uint64_t count, struct bench_sample *sample)
{
    struct asleep *asleep = opaque;
    uint32_t delay_ns = asleep->context->pair->delay_ns;
    uint64_t message[MESSAGE_BYTES / 8];

    for (uint64_t i = 0; i <= count; i++, asleep->number++) {
        await_all_asleep(asleep);
        bench_payload_write(message, sizeof message, asleep->number);
        bench_payload_plant(message, sizeof message, asleep->number, asleep->context->fault_at);
        uint64_t begin_ns = bench_clock_ns();
        bench_clock_plant(delay_ns);
        bench_must(peal_publisher_publish(asleep->publisher, message, sizeof message), "publish");
        uint64_t end_ns = bench_clock_ns();
        if (i > 0)
            bench_sample_add(sample, end_ns - begin_ns, 1);
    }
}

static void *sleep_and_take(void *opaque)
{
    struct sleeper *sleeper = opaque;
    uint64_t received[MESSAGE_BYTES / 8];

    bench_word_write(&sleeper->shared->thread.word, (uint64_t)gettid());
    for (; sleeper->number < sleeper->end; sleeper->number++) {
        bench_word_write(&sleeper->shared->about_to_wait.word, sleeper->number + 1);
        bench_must(peal_subscriber_wait(sleeper->subscriber, WAIT_NS), "wait");
        bench_take_copy(sleeper->subscriber, received, sizeof received);
        if (!bench_payload_right(received, sizeof received, sleeper->number))
            bench_die("asleep: message %llu has wrong content",
                      (unsigned long long)sleeper->number);
    }
    return NULL;
}

static void serve_asleep(void *opaque, uint64_t count)
{
    struct asleep *asleep = opaque;

    for (uint32_t i = 0; i < asleep->count; i++) {
        struct sleeper *sleeper = &asleep->sleepers[i];
        sleeper->end = sleeper->number + count + 1;
        if (pthread_create(&sleeper->thread, NULL, sleep_and_take, sleeper) != 0)
            bench_die("asleep: cannot start a thread");
    }
    for (uint32_t i = 0; i < asleep->count; i++)
        pthread_join(asleep->sleepers[i].thread, NULL);
}

const struct bench_case bench_topic_asleep = {.open = open_asleep,
                                              .measure = measure_asleep,
                                              .serve = serve_asleep,
                                              .close = close_asleep,
                                              .polls_proc = true};
