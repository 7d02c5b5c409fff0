/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One way to a sleeper: from just before the publish (or the bare FUTEX_WAKE) to just after the
 * sleeper has the message, by the clock that both sides share. The serving side sleeps and takes the
 * end times, the measuring side wakes.
 *
 * "Asleep" is a precondition and is seen to: the sleeper announces that it is about to wait, the
 * waker then asks /proc until its state is S, and lets it rest a moment. The count of voluntary
 * context switches tells at the end that it did sleep every time.
 */
#include "bench/asleep.h"
#include "bench/clock.h"
#include "bench/futex.h"
#include "bench/payload.h"
#include "bench/topic.h"

#include <stdlib.h>
#include <sys/resource.h>

enum {
    REST_NS = 50000, /* the same for the floor: deeper idle states wake later */
    SAMPLES_MAX = 65536,
};

struct wake_shared {
    struct bench_line about_to_wait; /* 1 + how often it has been answered */
    struct bench_line begin_ns;      /* of the bare futex's message */
    _Alignas(PEAL_WRITER_BYTES) peal_u32 futex;
    struct bench_line switches;                                 /* of the sleeper, in this run */
    _Alignas(PEAL_WRITER_BYTES) uint64_t taken_ns[SAMPLES_MAX]; /* read after the run */
};

static_assert(sizeof(struct wake_shared) <= BENCH_SCRATCH_BYTES, "fits in the scratch memory");

struct wake {
    const struct bench_context *context;
    struct wake_shared *shared;
    struct peal_bus *bus; /* and the ends: NULL for the bare futex */
    struct peal_publisher *publisher;
    struct peal_subscriber *subscriber;
    uint64_t number;
};

/* A message of the topic. */
struct wake_message {
    uint64_t begin_ns;
    uint64_t number;
};

static void *open_futex(const struct bench_context *context)
{
    struct wake *wake = bench_allocate(sizeof *wake);

    wake->context = context;
    wake->shared = context->scratch;
    return wake;
}

static void *open_topic(const struct bench_context *context)
{
    struct wake *wake = open_futex(context);

    wake->bus = bench_bus_open(context, 1); /* no spinning before it sleeps */
    if (context->side == BENCH_MEASURING)
        wake->publisher =
            bench_publisher_open(wake->bus, context->topic, sizeof(struct wake_message), 0);
    else
        wake->subscriber = bench_subscriber_open(wake->bus, context->topic);
    return wake;
}

static void close_wake(void *opaque)
{
    struct wake *wake = opaque;

    peal_publisher_close(wake->publisher);
    peal_subscriber_close(wake->subscriber);
    peal_bus_close(wake->bus);
    free(wake);
}

static void await_asleep(const struct wake *wake)
{
    bench_word_await(&wake->shared->about_to_wait.word, wake->number + 1);
    bench_asleep_await(wake->context->pair->serving_thread);
    bench_clock_spin(REST_NS);
}

static void send(struct wake *wake)
{
    struct wake_message message = {.number = wake->number};

    bench_payload_plant(&message.number, sizeof message.number, wake->number,
                        wake->context->fault_at);
    message.begin_ns = bench_clock_ns();
    if (wake->publisher != NULL) {
        bench_clock_plant(wake->context->pair->delay_ns);
        bench_publish(wake->publisher, &message, sizeof message);
    } else {
        bench_word_write(&wake->shared->begin_ns.word, message.begin_ns);
        bench_futex_post(&wake->shared->futex, (uint32_t)wake->number + 1);
    }
}

static void measure_wake(void *opaque, uint64_t count, struct bench_sample *sample)
{
    struct wake *wake = opaque;
    uint64_t first = wake->number;

    if (count > SAMPLES_MAX)
        bench_die("wake: %llu samples are too many", (unsigned long long)count);
    for (uint64_t i = 0; i < count; i++) {
        await_asleep(wake);
        send(wake);
        wake->number++;
    }
    bench_word_await(&wake->shared->about_to_wait.word, first + count + 1);
    uint64_t switches = bench_word_read(&wake->shared->switches.word);
    if (switches < count)
        bench_die("wake: slept %llu times only, of %llu", (unsigned long long)switches,
                  (unsigned long long)count);
    for (uint64_t i = 0; i < count; i++)
        bench_sample_add(sample, wake->shared->taken_ns[i], 1);
}

static uint64_t voluntary_switches(void)
{
    struct rusage usage;

    return getrusage(RUSAGE_THREAD, &usage) == 0 ? (uint64_t)usage.ru_nvcsw : 0;
}

/* When the message was sent. */
static uint64_t sleep_and_take(struct wake *wake)
{
    struct wake_message message;

    if (wake->subscriber == NULL) {
        if (!bench_futex_await(&wake->shared->futex, (uint32_t)wake->number + 1))
            bench_die("wake: nobody wakes");
        return bench_word_read(&wake->shared->begin_ns.word);
    }
    bench_must(peal_subscriber_wait(wake->subscriber, BENCH_FUTEX_WAIT_S * 1000000000ull), "wait");
    bench_take_copy(wake->subscriber, &message, sizeof message);
    if (message.number != wake->number)
        bench_die("wake: message has wrong content");
    return message.begin_ns;
}

static void serve_wake(void *opaque, uint64_t count)
{
    struct wake *wake = opaque;
    uint64_t switches = voluntary_switches();

    for (uint64_t i = 0; i < count; i++) {
        bench_word_write(&wake->shared->about_to_wait.word, wake->number + 1);
        uint64_t begin_ns = sleep_and_take(wake);
        wake->shared->taken_ns[i] = bench_clock_ns() - begin_ns;
        wake->number++;
    }
    bench_word_write(&wake->shared->switches.word, voluntary_switches() - switches);
    bench_word_write(&wake->shared->about_to_wait.word, wake->number + 1);
}

const struct bench_case bench_futex_wake = {.open = open_futex,
                                            .measure = measure_wake,
                                            .serve = serve_wake,
                                            .close = close_wake,
                                            .polls_proc = true};

const struct bench_case bench_topic_wake = {.open = open_topic,
                                            .measure = measure_wake,
                                            .serve = serve_wake,
                                            .close = close_wake,
                                            .polls_proc = true};
