/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/contest/peal_spacer.h"

#include <peal/peal.h>

enum { MESSAGE_BYTES = 4096, BYTES_MAX = 2 << 20, PART_OF_FREE = 8 };

/* splitmix64: neighbours get sizes that have nothing to do with each other. */
static uint64_t mixed(uint64_t number)
{
    uint64_t z = (number + 1) * 0x9e3779b97f4a7c15u;

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

/* A small region keeps most of what it has for what is measured. */
static uint64_t size_bytes(struct peal_bus *bus, uint64_t number)
{
    struct peal_bus_stats stats = {.struct_bytes = sizeof stats};
    uint64_t most = BYTES_MAX;

    if (peal_bus_stats(bus, &stats) != PEAL_OK)
        return 0;
    if (stats.region_free_bytes / PART_OF_FREE < most)
        most = stats.region_free_bytes / PART_OF_FREE;
    return mixed(number) % (most / MESSAGE_BYTES + 1) * MESSAGE_BYTES;
}

static struct peal_publisher *take(struct peal_bus *bus, uint64_t number)
{
    struct peal_publisher_options options = PEAL_PUBLISHER_OPTIONS_INIT;
    struct peal_publisher *publisher = NULL;

    options.message_bytes_max = MESSAGE_BYTES;
    options.depth = 2;
    options.payload_bytes = 2 * MESSAGE_BYTES + size_bytes(bus, number);
    (void)peal_publisher_create(bus, "bench.spacer", &options, &publisher);
    return publisher;
}

struct peal_publisher *bench_spacer_take(struct peal_bus *bus, const char *name)
{
    uint64_t number = 0;

    for (; *name != '\0'; name++)
        number = number * 31 + (unsigned char)*name;
    return take(bus, number);
}

void bench_spacer_open(struct bench_spacer *spacer, const char *url, uint64_t number)
{
    *spacer = (struct bench_spacer){.bus = NULL};
    if (peal_bus_open(&spacer->bus, url, NULL) == PEAL_OK) /* what is measured will say why not */
        spacer->publisher = take(spacer->bus, number);
}

void bench_spacer_close(struct bench_spacer *spacer)
{
    peal_publisher_close(spacer->publisher);
    peal_bus_close(spacer->bus);
    *spacer = (struct bench_spacer){.bus = NULL};
}
