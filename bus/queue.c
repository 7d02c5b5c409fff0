/* SPDX-License-Identifier: Apache-2.0 */
#include "bus/queue_internal.h"

#include "bus/membership.h"
#include "bus/options.h"
#include "core/error.h"

#include <stdlib.h>

#define DEPTH_DEFAULT 1024u

static bool queue_ready(struct peal_endpoint *endpoint);
static void release_queue(struct peal_endpoint *endpoint);

static const struct peal_endpoint_ops queue_ops = {
    .kind = PEAL_ENDPOINT_QUEUE,
    .ready = queue_ready,
    .release = release_queue,
};

static struct peal_queue *queue_of(struct peal_endpoint *endpoint)
{
    return (struct peal_queue *)(void *)endpoint;
}

static enum peal_status read_options(struct peal_queue_options *known,
                                     const struct peal_queue_options *given)
{
    enum peal_status status = peal_options_read(known, sizeof(*known), given, "peal_queue_options");
    if (status != PEAL_OK)
        return status;
    if (!known->uses)
        known->uses = PEAL_QUEUE_PUSH | PEAL_QUEUE_POP;
    if (known->uses & ~(uint32_t)(PEAL_QUEUE_PUSH | PEAL_QUEUE_POP))
        return peal_fail(PEAL_EINVAL, "uses %#x has bits that are not of enum peal_queue_use",
                         known->uses);
    if ((uint32_t)known->full_policy > PEAL_QUEUE_FULL_DROP_NEWEST)
        return peal_fail(PEAL_EINVAL,
                         "full_policy %d is not one of enum peal_queue_full_policy; choose "
                         "PEAL_QUEUE_FULL_WAIT, _REFUSE, _DROP_OLDEST or _DROP_NEWEST",
                         (int)known->full_policy);
    if (known->message_bytes_max > PEAL_QUEUE_MESSAGE_MAX)
        return peal_fail(PEAL_EINVAL, "a queue's messages have at most %u bytes, not %u",
                         PEAL_QUEUE_MESSAGE_MAX, known->message_bytes_max);
    if (!known->depth)
        known->depth = DEPTH_DEFAULT;
    if (!known->full_timeout_ns)
        known->full_timeout_ns = PEAL_FOREVER;
    return PEAL_OK;
}

static enum peal_queue_full_action action_of(enum peal_queue_full_policy policy)
{
    switch (policy) {
    case PEAL_QUEUE_FULL_DROP_OLDEST:
        return PEAL_QUEUE_DROP_OLDEST;
    case PEAL_QUEUE_FULL_DROP_NEWEST:
        return PEAL_QUEUE_DROP_NEWEST;
    case PEAL_QUEUE_FULL_WAIT:
    case PEAL_QUEUE_FULL_REFUSE:
        break;
    }
    return PEAL_QUEUE_REFUSE;
}

static void close_ends(struct peal_queue *queue, struct peal_region *region)
{
    if (queue->uses & PEAL_QUEUE_PUSH)
        peal_queue_producer_close(region, &queue->place);
    if (queue->uses & PEAL_QUEUE_POP)
        peal_queue_consumer_close(&queue->consumer);
}

static enum peal_status open_ends(struct peal_queue *queue, struct peal_region *region,
                                  const char *name, const struct peal_queue_options *options)
{
    const struct peal_queue_wish wish = {
        .kind = PEAL_TOPIC_IS_QUEUE,
        .options = (options->drops_held ? (uint32_t)PEAL_QUEUE_DROPS_HELD : 0u) |
                   (options->strict ? (uint32_t)PEAL_QUEUE_STRICT : 0u),
        .message_bytes_max = options->message_bytes_max,
    };
    const struct peal_topic_type type = {
        .name = options->type_name, .schema_hash = options->schema_hash, .queue = &wish};
    enum peal_status status = PEAL_OK;
    if (options->uses & PEAL_QUEUE_POP) {
        status = peal_queue_consumer_open(&queue->consumer, region, name, &type);
        if (status != PEAL_OK)
            return status;
        queue->uses |= PEAL_QUEUE_POP;
        queue->topic = queue->consumer.topic;
    }
    if (options->uses & PEAL_QUEUE_PUSH) {
        status = peal_queue_producer_open(&queue->producer, &queue->place, region, name, &type,
                                          options->depth, action_of(options->full_policy));
        if (status != PEAL_OK) {
            close_ends(queue, region);
            return status;
        }
        queue->uses |= PEAL_QUEUE_PUSH;
        queue->topic = queue->place.topic;
    }
    /* What the ends have read, not the shared word again: a peer may have changed it between, and a
     * buffer is judged by this. */
    queue->message_bytes_max = options->uses & PEAL_QUEUE_POP ? queue->consumer.message_bytes_max
                                                              : queue->producer.message_bytes_max;
    return PEAL_OK;
}

enum peal_status peal_queue_create(struct peal_bus *bus, const char *name,
                                   const struct peal_queue_options *given,
                                   struct peal_queue **queue)
{
    struct peal_queue_options options;
    if (!queue)
        return peal_fail(PEAL_EINVAL, "give an address for the queue, not NULL");
    *queue = NULL;
    if (!bus)
        return peal_fail(PEAL_EINVAL, "give an open bus, not NULL");
    enum peal_status status = read_options(&options, given);
    if (status != PEAL_OK)
        return status;
    struct peal_queue *made = calloc(1, sizeof(*made));
    if (!made)
        return peal_fail(PEAL_ENOMEM, "no memory for the queue \"%s\"", name ? name : "");
    made->fences = bus->fences;
    made->full_policy = options.full_policy;
    made->full_timeout_ns = options.full_timeout_ns;
    status = open_ends(made, &bus->region, name, &options);
    if (status != PEAL_OK) {
        free(made);
        return status;
    }
    status = peal_endpoint_register(&made->endpoint, bus, &queue_ops);
    if (status != PEAL_OK) {
        close_ends(made, &bus->region);
        free(made);
        return status;
    }
    *queue = made;
    return PEAL_OK;
}

static void release_queue(struct peal_endpoint *endpoint)
{
    struct peal_queue *queue = queue_of(endpoint);
    close_ends(queue, &endpoint->bus->region);
    free(queue);
}

void peal_queue_close(struct peal_queue *queue)
{
    if (queue)
        peal_endpoint_close(&queue->endpoint);
}

size_t peal_queue_message_bytes_max(const struct peal_queue *queue)
{
    return queue->message_bytes_max;
}

/* By any thread: looks at the region, not at what our own thread changes. */
static bool queue_ready(struct peal_endpoint *endpoint)
{
    const struct peal_queue *queue = queue_of(endpoint);
    return (queue->uses & PEAL_QUEUE_POP) &&
           peal_queue_has_work(&endpoint->bus->region, queue->topic, queue->consumer.given_up);
}

static bool wait_is_over(void *context)
{
    return queue_ready(context);
}

enum peal_status peal_queue_wait(struct peal_queue *queue, uint64_t timeout_ns)
{
    const struct peal_sleeper_condition condition = {
        .ready = wait_is_over,
        .context = &queue->endpoint,
    };
    if (!(queue->uses & PEAL_QUEUE_POP))
        return PEAL_EINVAL;
    return peal_bus_sleep(queue->endpoint.bus, &condition, timeout_ns);
}

enum peal_status peal_queue_stats(struct peal_queue *queue, struct peal_queue_stats *stats)
{
    const struct peal_topic_shared *topic = &queue->endpoint.bus->region.topics[queue->topic];
    struct peal_queue_stats known = {
        .pushed = queue->producer.next,
        .refused = queue->refused,
        .waits = queue->waits,
        .dropped_oldest = queue->producer.dropped_oldest,
        .dropped_newest = queue->producer.dropped_newest,
        .popped = queue->popped,
        .redelivered = queue->redelivered,
        .corrupt = queue->corrupt,
        /* relaxed: a figure */
        .lost = peal_u64_load_relaxed(&topic->queue.lost),
        .lanes = queue->consumer.joined_count,
    };
    for (uint32_t i = 0; i < queue->consumer.joined_count; i++) {
        struct peal_queue_lane_shared *lane = queue->consumer.joined[i].source.lane;
        known.pending += peal_queue_lane_pending(lane);
        known.lost += peal_queue_lane_lost(lane);
    }
    return peal_stats_write(stats, &known, sizeof(known), "peal_queue_stats");
}
