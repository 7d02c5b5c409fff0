/* SPDX-License-Identifier: Apache-2.0 */
#include "bus/subscriber_internal.h"

#include "bus/options.h"
#include "core/directory.h"
#include "core/error.h"

#include <stdlib.h>
#include <string.h>

static bool subscriber_ready(struct peal_endpoint *endpoint);
static void release_subscriber(struct peal_endpoint *endpoint);

static const struct peal_endpoint_ops subscriber_ops = {
    .kind = PEAL_ENDPOINT_SUBSCRIBER,
    .ready = subscriber_ready,
    .release = release_subscriber,
};

static enum peal_status read_options(struct peal_subscriber_options *known,
                                     const struct peal_subscriber_options *given)
{
    enum peal_status status =
        peal_options_read(known, sizeof(*known), given, "peal_subscriber_options");
    if (status != PEAL_OK)
        return status;
    if ((uint32_t)known->reliability > PEAL_BEST_EFFORT)
        return peal_fail(PEAL_EINVAL,
                         "reliability %d is not one of enum peal_reliability; choose PEAL_RELIABLE "
                         "or PEAL_BEST_EFFORT",
                         (int)known->reliability);
    return PEAL_OK;
}

enum peal_status peal_subscriber_create(struct peal_bus *bus, const char *topic,
                                        const struct peal_subscriber_options *given,
                                        struct peal_subscriber **subscriber)
{
    struct peal_subscriber_options options;
    if (!subscriber)
        return peal_fail(PEAL_EINVAL, "give an address for the subscriber, not NULL");
    *subscriber = NULL;
    if (!bus)
        return peal_fail(PEAL_EINVAL, "give an open bus, not NULL");
    enum peal_status status = read_options(&options, given);
    if (status != PEAL_OK)
        return status;
    struct peal_subscriber *made = calloc(1, sizeof(*made));
    if (!made)
        return peal_fail(PEAL_ENOMEM, "no memory for a subscriber of \"%s\"", topic ? topic : "");
    bool reliable = options.reliability == PEAL_RELIABLE && !options.latest;
    const struct peal_topic_type type = {.name = options.type_name,
                                         .schema_hash = options.schema_hash};
    made->fences = bus->fences;
    made->wish = (struct peal_lane_reader_wish){
        .reliable = reliable, .latest = options.latest, .history = options.history};
    status =
        peal_topic_subscribe(&bus->region, topic, &type, reliable ? PEAL_SUBSCRIBER_IS_RELIABLE : 0,
                             &made->topic, &made->entry, &made->word);
    if (status != PEAL_OK) {
        free(made);
        return status;
    }
    made->topic_shared = &bus->region.topics[made->topic];
    status = peal_endpoint_register(&made->endpoint, bus, &subscriber_ops);
    if (status != PEAL_OK) {
        peal_topic_unsubscribe(&bus->region, made->topic, made->entry, made->word);
        free(made);
        return status;
    }
    /* Now, not at the first take: a message published after this returns must be ours. */
    (void)peal_subscriber_refresh(made, true);
    *subscriber = made;
    return PEAL_OK;
}

static void release_subscriber(struct peal_endpoint *endpoint)
{
    struct peal_subscriber *subscriber = (struct peal_subscriber *)(void *)endpoint;
    while (subscriber->lane_count)
        peal_subscriber_leave(subscriber, subscriber->lanes[0]);
    /* Also gives back ended lanes that had invited us and that we never looked at. */
    peal_topic_unsubscribe(&endpoint->bus->region, subscriber->topic, subscriber->entry,
                           subscriber->word);
    free(subscriber);
}

void peal_subscriber_close(struct peal_subscriber *subscriber)
{
    if (subscriber)
        peal_endpoint_close(&subscriber->endpoint);
}

/* By any thread, under RCU. */
static bool subscriber_ready(struct peal_endpoint *endpoint)
{
    struct peal_subscriber *subscriber = (struct peal_subscriber *)(void *)endpoint;
    if (peal_subscriber_is_stale(subscriber))
        return true;
    for (uint32_t entry = 0; entry < PEAL_TOPIC_LANES_MAX; entry++) {
        struct peal_joined_lane *lane = rcu_dereference(subscriber->by_entry[entry]);
        if (!lane)
            continue;
        PEAL_RCU_SEEN(lane);
        if (peal_lane_reader_ready(&lane->reader))
            return true;
    }
    return false;
}

/* For our own thread: joins what is new, so that a wait does not end just for that. */
static bool wait_is_over(void *context)
{
    struct peal_subscriber *subscriber = context;
    (void)peal_subscriber_refresh(subscriber, false);
    for (uint32_t i = 0; i < subscriber->lane_count; i++)
        if (peal_lane_reader_ready(&subscriber->lanes[i]->reader))
            return true;
    return false;
}

enum peal_status peal_subscriber_wait(struct peal_subscriber *subscriber, uint64_t timeout_ns)
{
    const struct peal_sleeper_condition condition = {
        .ready = wait_is_over,
        .context = subscriber,
    };
    /* Nobody is to wait for an acknowledgement of somebody who sleeps. */
    peal_subscriber_acknowledge_all(subscriber);
    return peal_bus_sleep(subscriber->endpoint.bus, &condition, timeout_ns);
}

enum peal_status peal_subscriber_stats(struct peal_subscriber *subscriber,
                                       struct peal_subscriber_stats *stats)
{
    struct peal_subscriber_stats known = {
        .delivered = subscriber->past.delivered,
        .lost = subscriber->past.lost,
        .corrupt = subscriber->past.corrupt,
        .restarts = subscriber->past.restarts,
        .publishers = subscriber->lane_count,
    };
    for (uint32_t i = 0; i < subscriber->lane_count; i++) {
        const struct peal_lane_reader *reader = &subscriber->lanes[i]->reader;
        known.delivered += reader->delivered;
        known.lost += peal_lane_reader_lost(reader);
        known.corrupt += reader->spoilt;
    }
    return peal_stats_write(stats, &known, sizeof(known), "peal_subscriber_stats");
}
