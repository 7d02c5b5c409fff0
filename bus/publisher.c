/* SPDX-License-Identifier: Apache-2.0 */
#include "bus/publisher_internal.h"

#include "bus/options.h"
#include "core/directory.h"
#include "core/error.h"
#include "core/hash.h"

#include <stdlib.h>
#include <string.h>

#define DEPTH_DEFAULT 1024u

static void release_publisher(struct peal_endpoint *endpoint);

static const struct peal_endpoint_ops publisher_ops = {
    .kind = PEAL_ENDPOINT_PUBLISHER,
    .release = release_publisher,
};

static enum peal_status read_options(struct peal_publisher_options *known,
                                     const struct peal_publisher_options *given)
{
    enum peal_status status =
        peal_options_read(known, sizeof(*known), given, "peal_publisher_options");
    if (status != PEAL_OK)
        return status;
    if ((uint32_t)known->full_policy > PEAL_FULL_EVICT)
        return peal_fail(PEAL_EINVAL,
                         "full_policy %d is not one of enum peal_full_policy; choose "
                         "PEAL_FULL_WAIT, _REFUSE, _DROP_NEWEST or _EVICT",
                         (int)known->full_policy);
    if (known->payload_warm_bytes && known->full_policy == PEAL_FULL_EVICT)
        return peal_fail(PEAL_EINVAL,
                         "payload_warm_bytes reuses what subscribers are done with, and "
                         "PEAL_FULL_EVICT does not wait for them; choose one of the two");
    if (known->name && strlen(known->name) > PEAL_CLIENT_NAME_BYTES - 1)
        return peal_fail(PEAL_EINVAL,
                         "the publisher's name \"%.40s...\" is too long; use at most %u characters",
                         known->name, PEAL_CLIENT_NAME_BYTES - 1);
    if (!known->depth)
        known->depth = DEPTH_DEFAULT;
    if (!known->full_timeout_ns)
        known->full_timeout_ns = PEAL_FOREVER;
    return PEAL_OK;
}

static uint32_t lane_options(const struct peal_publisher_options *options)
{
    return (options->timestamp ? (uint32_t)PEAL_LANE_TIMESTAMP : 0u) |
           (options->crc32c ? (uint32_t)PEAL_LANE_CRC32C : 0u) |
           (options->full_policy == PEAL_FULL_EVICT ? (uint32_t)PEAL_LANE_EVICT : 0u);
}

/* Takes pages for the claimed lane, lays it out and opens it; gives the claim back on failure. */
static enum peal_status open_lane(struct peal_publisher *publisher, struct peal_bus *bus,
                                  const struct peal_lane_geometry *geometry, const char *name)
{
    struct peal_region *region = &bus->region;
    struct peal_lane_shared *lane;
    enum peal_status status = peal_lane_allocate(region, &publisher->place, geometry->size_bytes,
                                                 peal_hash_text(name), &lane);
    if (status == PEAL_OK) {
        publisher->incarnation = peal_random_incarnation();
        peal_lane_geometry_store(geometry, publisher->incarnation, name, lane);
        peal_lane_writer_init(&publisher->writer, geometry, lane,
                              &region->topics[publisher->place.topic], publisher->starts);
        status = peal_lane_open(region, &publisher->place);
    }
    if (status != PEAL_OK) {
        peal_lane_abandon(region, &publisher->place);
        peal_topic_remove_if_unused(region, publisher->place.topic);
    }
    return status;
}

static enum peal_status join_topic(struct peal_publisher *publisher, struct peal_bus *bus,
                                   const char *topic, const struct peal_publisher_options *options,
                                   const struct peal_lane_geometry *geometry)
{
    const struct peal_topic_type type = {.name = options->type_name,
                                         .schema_hash = options->schema_hash};
    const char *name = options->name && *options->name ? options->name : bus->client_name;
    enum peal_status status =
        peal_topic_claim_lane(&bus->region, topic, &type, &publisher->place.topic,
                              &publisher->place.lane, &publisher->place.word);
    if (status != PEAL_OK)
        return status;
    return open_lane(publisher, bus, geometry, name);
}

static struct peal_publisher *new_publisher(const struct peal_lane_geometry *geometry)
{
    size_t size_bytes = (sizeof(struct peal_publisher) + PEAL_WRITER_BYTES - 1) /
                        PEAL_WRITER_BYTES * PEAL_WRITER_BYTES;
    struct peal_publisher *publisher = aligned_alloc(PEAL_WRITER_BYTES, size_bytes);
    if (!publisher)
        return NULL;
    memset(publisher, 0, size_bytes);
    size_t starts_bytes = peal_lane_writer_starts_bytes(geometry);
    if (starts_bytes) {
        publisher->starts = calloc(1, starts_bytes);
        if (!publisher->starts) {
            free(publisher);
            return NULL;
        }
    }
    return publisher;
}

static void free_publisher(struct peal_publisher *publisher)
{
    free(publisher->starts);
    free(publisher);
}

enum peal_status peal_publisher_create(struct peal_bus *bus, const char *topic,
                                       const struct peal_publisher_options *given,
                                       struct peal_publisher **publisher)
{
    struct peal_publisher_options options;
    struct peal_lane_geometry geometry;
    if (!publisher)
        return peal_fail(PEAL_EINVAL, "give an address for the publisher, not NULL");
    *publisher = NULL;
    if (!bus)
        return peal_fail(PEAL_EINVAL, "give an open bus, not NULL");
    enum peal_status status = read_options(&options, given);
    if (status == PEAL_OK)
        status = peal_topic_check_name(topic);
    if (status == PEAL_OK)
        status = peal_lane_geometry_make(&geometry, options.depth, options.message_bytes_max,
                                         options.payload_bytes, lane_options(&options));
    if (status != PEAL_OK)
        return status;
    struct peal_publisher *made = new_publisher(&geometry);
    if (!made)
        return peal_fail(PEAL_ENOMEM, "no memory for a publisher of \"%s\"", topic);
    made->armed = &bus->region.header->sleepers.armed;
    made->fences = bus->fences;
    made->timestamp = options.timestamp;
    made->full_policy = options.full_policy;
    made->full_timeout_ns = options.full_timeout_ns;
    status = join_topic(made, bus, topic, &options, &geometry);
    if (status != PEAL_OK) {
        free_publisher(made);
        return status;
    }
    made->writer.payload_warm_bytes = options.payload_warm_bytes;
    status = peal_endpoint_register(&made->endpoint, bus, &publisher_ops);
    if (status != PEAL_OK) {
        peal_lane_close(&bus->region, &made->place);
        peal_topic_remove_if_unused(&bus->region, made->place.topic);
        free_publisher(made);
        return status;
    }
    *publisher = made;
    return PEAL_OK;
}

static void release_publisher(struct peal_endpoint *endpoint)
{
    struct peal_publisher *publisher = (struct peal_publisher *)(void *)endpoint;
    struct peal_region *region = &endpoint->bus->region;
    peal_lane_discard(&publisher->writer);
    peal_lane_close(region, &publisher->place);
    peal_topic_remove_if_unused(region, publisher->place.topic);
    free_publisher(publisher);
}

void peal_publisher_close(struct peal_publisher *publisher)
{
    if (publisher)
        peal_endpoint_close(&publisher->endpoint);
}

enum peal_status peal_publisher_stats(struct peal_publisher *publisher,
                                      struct peal_publisher_stats *stats)
{
    peal_lane_gate(&publisher->writer); /* who subscribes now */
    const struct peal_publisher_stats known = {
        .published = publisher->writer.next,
        .dropped = publisher->writer.dropped,
        .refused = publisher->refused,
        .waits = publisher->waits,
        .incarnation = publisher->incarnation,
        .subscribers = publisher->writer.subscriber_count,
        .reliable = publisher->writer.reliable_count,
    };
    return peal_stats_write(stats, &known, sizeof(known), "peal_publisher_stats");
}
