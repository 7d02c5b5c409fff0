/* SPDX-License-Identifier: Apache-2.0 */
#include "bus/bus_internal.h"
#include "tests/abi/peer.h"

#include <poll.h>
#include <sched.h>

static enum peal_status open_bus(struct peer *peer, const uint64_t *argument, uint64_t *value)
{
    struct peal_bus_options options = PEAL_BUS_OPTIONS_INIT;
    options.client_name = "abi";
    options.size_bytes = argument[0];
    options.topics_max = (uint32_t)argument[1];
    options.safety_net_ns = argument[2];
    options.always_fence = argument[3] != 0;
    enum peal_status status = peal_bus_open(&peer->bus, peer->url, &options);
    if (status != PEAL_OK)
        return status;
    value[ABI_INDEX] = peer->bus->region.index;
    value[ABI_INCARNATION] = peer->bus->region.incarnation;
    value[ABI_GENERATION] = peer->bus->region.generation;
    value[ABI_TOPICS_MAX] = peer->bus->region.topics_max;
    return PEAL_OK;
}

static enum peal_status read_stats(struct peer *peer, uint64_t *value)
{
    struct peal_bus_stats stats = {.struct_bytes = sizeof(stats)};
    enum peal_status status = peal_bus_stats(peer->bus, &stats);
    value[ABI_BELLS_RUNG] = stats.bells_rung;
    value[ABI_SLEEPS] = stats.sleeps;
    value[ABI_WAKES] = stats.wakes;
    value[ABI_SAFETY_NET_FINDS] = stats.safety_net_finds;
    value[ABI_RECOVERED] = stats.recovered_clients;
    value[ABI_MEMBERS] = stats.members;
    value[ABI_REGION_BYTES] = stats.region_bytes;
    value[ABI_FREE_BYTES] = stats.region_free_bytes;
    return status;
}

static enum peal_status recover(struct peer *peer, uint64_t *value)
{
    uint32_t recovered = 0;
    enum peal_status status = peal_bus_recover(peer->bus, &recovered);
    value[0] = recovered;
    return status;
}

static enum peal_status await_armed(struct peer *peer, uint64_t client)
{
    const peal_u64 *armed = &peer->bus->region.header->sleepers.armed;
    const uint64_t deadline_ns = peer_now_ns() + ABI_TIMEOUT_NS;
    while ((peal_u64_load_acquire(armed) >> client & 1u) == 0) {
        if (peer_now_ns() > deadline_ns)
            return PEAL_TIMEDOUT;
        (void)sched_yield();
    }
    return PEAL_OK;
}

/* The event loop of peal/bus.h, until there is something to take; other rings come as well. */
static enum peal_status poll_descriptor(struct peer *peer, uint64_t handle)
{
    struct pollfd polled = {.events = POLLIN};
    enum peal_status status = peal_bus_fd(peer->bus, &polled.fd);
    while (status == PEAL_OK) {
        status = peal_bus_arm(peer->bus);
        if (status != PEAL_OK)
            return status;
        const int ready = poll(&polled, 1, (int)(ABI_TIMEOUT_NS / 1000000));
        status = peal_bus_disarm(peer->bus);
        if (ready != 1)
            return PEAL_TIMEDOUT;
        if (peal_subscriber_wait(peer->subscribers[handle], 0) == PEAL_OK)
            return status;
    }
    return status;
}

bool peer_do_bus(struct peer *peer, const struct abi_request *request, struct abi_answer *answer)
{
    enum peal_status status = PEAL_OK;
    switch (request->operation) {
    case ABI_OPEN:
        status = open_bus(peer, request->argument, answer->value);
        break;
    case ABI_CLOSE:
        peal_bus_close(peer->bus);
        peer->bus = NULL;
        break;
    case ABI_BUS_STATS:
        status = read_stats(peer, answer->value);
        break;
    case ABI_RECOVER:
        status = recover(peer, answer->value);
        break;
    case ABI_AWAIT_ARMED:
        status = await_armed(peer, request->argument[0]);
        break;
    case ABI_POLL:
        status = poll_descriptor(peer, request->argument[0]);
        break;
    default:
        return false;
    }
    answer->status = (uint64_t)status;
    return true;
}
