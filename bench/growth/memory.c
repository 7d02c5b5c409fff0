/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What things take of a region, by its own counters. Samples are bytes. All but the size of the run's own
 * region is looked up in a region of this process (local:), which is laid out as all others are; posix: has
 * 64 KiB of its own beside it.
 */
#include "bench/pair.h"
#include "bench/topic.h"

#include <stdio.h>
#include <stdlib.h>

struct memory {
    const struct bench_context *context;
};

static void *open_memory(const struct bench_context *context)
{
    struct memory *memory = bench_allocate(sizeof *memory);

    memory->context = context;
    return memory;
}

static struct peal_bus_stats stats_of(struct peal_bus *bus)
{
    struct peal_bus_stats stats = {.struct_bytes = sizeof stats};

    bench_must(peal_bus_stats(bus, &stats), "stats");
    return stats;
}

static struct peal_bus *open_local(uint32_t topics)
{
    struct peal_bus *bus;
    char url[64];

    snprintf(url, sizeof url, "local:memory-%u?size=64M&topics=%u", (unsigned)topics,
             (unsigned)topics);
    if (peal_bus_open(&bus, url, NULL) != PEAL_OK)
        bench_die("%s: %s", url, peal_error_message());
    return bus;
}

static uint64_t used_bytes(struct peal_bus *bus)
{
    struct peal_bus_stats stats = stats_of(bus);

    return stats.region_bytes - stats.region_free_bytes;
}

static uint64_t empty_bytes(uint32_t topics)
{
    struct peal_bus *bus = open_local(topics);
    uint64_t used = used_bytes(bus);

    peal_bus_close(bus);
    return used;
}

/* Of the run's bus. */
static void measure_region(void *opaque, uint64_t count, struct bench_sample *sample)
{
    struct memory *memory = opaque;
    struct peal_bus *bus = bench_bus_open(memory->context, 0);

    (void)count;
    bench_sample_add(sample, stats_of(bus).region_bytes, 1);
    peal_bus_close(bus);
}

static void measure_empty(void *opaque, uint64_t count, struct bench_sample *sample)
{
    struct memory *memory = opaque;

    (void)count;
    bench_sample_add(sample, empty_bytes(memory->context->setup.topics), 1);
}

/* A topic is an entry of a directory that has its size from the beginning. */
static void measure_topic(void *opaque, uint64_t count, struct bench_sample *sample)
{
    enum { FEW = 256, MORE = 4096 };

    (void)opaque;
    (void)count;
    bench_sample_add(sample, (empty_bytes(MORE) - empty_bytes(FEW)) / (MORE - FEW), 1);
}

static void measure_publisher(void *opaque, uint64_t count, struct bench_sample *sample)
{
    struct memory *memory = opaque;
    struct peal_bus *bus = open_local(memory->context->setup.topics);
    uint64_t before = used_bytes(bus);
    struct peal_publisher *publisher =
        bench_publisher_open(bus, "memory", memory->context->setup.size_bytes, 0);

    (void)count;
    bench_sample_add(sample, used_bytes(bus) - before, 1);
    peal_publisher_close(publisher);
    peal_bus_close(bus);
}

/* Its entries in the topic and in each lane are there already: 0 unless that changes. */
static void measure_subscriber(void *opaque, uint64_t count, struct bench_sample *sample)
{
    struct memory *memory = opaque;
    struct peal_bus *bus = open_local(memory->context->setup.topics);
    struct peal_publisher *publisher = bench_publisher_open(bus, "memory", 48, 0);
    uint64_t before = used_bytes(bus);
    struct peal_subscriber *subscriber = bench_subscriber_open(bus, "memory");

    (void)count;
    bench_sample_add(sample, used_bytes(bus) - before, 1);
    peal_subscriber_close(subscriber);
    peal_publisher_close(publisher);
    peal_bus_close(bus);
}

#define MEMORY_CASE(function)                                                                      \
    {                                                                                              \
        .open = open_memory, .measure = function, .serve = NULL, .close = free                     \
    }

const struct bench_case bench_region_bytes = MEMORY_CASE(measure_region);
const struct bench_case bench_empty_bytes = MEMORY_CASE(measure_empty);
const struct bench_case bench_topic_bytes = MEMORY_CASE(measure_topic);
const struct bench_case bench_publisher_bytes = MEMORY_CASE(measure_publisher);
const struct bench_case bench_subscriber_bytes = MEMORY_CASE(measure_subscriber);
