/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/contest/peal.h"

#include "core/cpu.h"

#include <stdlib.h>

void bench_peal_bus_open(struct bench_peal_bus *bus, const struct bench_channel *channel)
{
    struct peal_bus_options options = PEAL_BUS_OPTIONS_INIT;

    bus->is_armed = false;
    options.spin_ns = channel->waits && channel->spin_ns == 0 ? 1 : channel->spin_ns;
    bench_peal_must(peal_bus_open(&bus->bus, channel->url, &options), channel->url);
}

int bench_peal_bus_descriptor(const struct bench_peal_bus *bus)
{
    int descriptor = -1;

    bench_peal_must(peal_bus_fd(bus->bus, &descriptor), "peal_bus_fd");
    return descriptor;
}

void bench_peal_bus_arm(struct bench_peal_bus *bus)
{
    bench_peal_must(peal_bus_arm(bus->bus), "peal_bus_arm");
    bus->is_armed = true;
}

void bench_peal_bus_disarm(struct bench_peal_bus *bus)
{
    if (PEAL_LIKELY(!bus->is_armed))
        return;
    bench_peal_must(peal_bus_disarm(bus->bus), "peal_bus_disarm");
    bus->is_armed = false;
}

unsigned char *bench_peal_buffers(size_t size_bytes)
{
    size_t all_bytes = size_bytes * BENCH_BATCH_MAX;
    unsigned char *buffers;

    all_bytes = (all_bytes + PEAL_LINE_BYTES - 1) / PEAL_LINE_BYTES * PEAL_LINE_BYTES;
    buffers = aligned_alloc(PEAL_LINE_BYTES, all_bytes);
    if (buffers == NULL)
        bench_contender_die("not enough memory for %zu bytes", all_bytes);
    return buffers;
}
