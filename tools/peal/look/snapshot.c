/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/peal/look/snapshot.h"

#include "tools/peal/kit/memory.h"
#include "tools/peal/kit/stop.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void copy_name(char *to, const char *from)
{
    (void)snprintf(to, SNAPSHOT_NAME_BYTES, "%s", from);
}

/* ---- what the observer calls ---- */

static void on_region(void *context, const struct peal_observer_region *region)
{
    struct snapshot *snapshot = context;
    snapshot->region = *region;
}

static void on_client(void *context, const struct peal_observer_client *client)
{
    struct snapshot *snapshot = context;
    snapshot->clients = memory_room(snapshot->clients, snapshot->client_count,
                                    &snapshot->client_room, sizeof(*snapshot->clients));
    struct snapshot_client *to = &snapshot->clients[snapshot->client_count++];
    to->seen = *client;
    copy_name(to->name, client->name);
}

static void on_topic(void *context, const struct peal_observer_topic *topic)
{
    struct snapshot *snapshot = context;
    const size_t before = snapshot->topic_room;
    snapshot->topics = memory_room(snapshot->topics, snapshot->topic_count, &snapshot->topic_room,
                                   sizeof(*snapshot->topics));
    if (snapshot->topic_room > before)
        memset(&snapshot->topics[before], 0,
               (snapshot->topic_room - before) * sizeof(*snapshot->topics));
    struct snapshot_topic *to = &snapshot->topics[snapshot->topic_count++];
    to->seen = *topic;
    to->publisher_count = 0;
    to->subscriber_count = 0;
    copy_name(to->name, topic->name);
    copy_name(to->type_name, topic->type_name);
}

/* They follow their topic. */
static void on_publisher(void *context, const struct peal_observer_publisher *publisher)
{
    struct snapshot *snapshot = context;
    if (snapshot->topic_count == 0)
        return;
    struct snapshot_topic *topic = &snapshot->topics[snapshot->topic_count - 1];
    topic->publishers = memory_room(topic->publishers, topic->publisher_count,
                                    &topic->publisher_room, sizeof(*topic->publishers));
    struct snapshot_publisher *to = &topic->publishers[topic->publisher_count++];
    to->seen = *publisher;
    copy_name(to->name, publisher->name);
}

static void on_subscriber(void *context, const struct peal_observer_subscriber *subscriber)
{
    struct snapshot *snapshot = context;
    if (snapshot->topic_count == 0)
        return;
    struct snapshot_topic *topic = &snapshot->topics[snapshot->topic_count - 1];
    topic->subscribers = memory_room(topic->subscribers, topic->subscriber_count,
                                     &topic->subscriber_room, sizeof(*topic->subscribers));
    struct snapshot_subscriber *to = &topic->subscribers[topic->subscriber_count++];
    to->seen = *subscriber;
    to->name[0] = '\0';
}

/* ---- joining ---- */

const struct snapshot_client *snapshot_client(const struct snapshot *snapshot, uint32_t index)
{
    for (size_t i = 0; i < snapshot->client_count; i++)
        if (snapshot->clients[i].seen.index == index)
            return &snapshot->clients[i];
    return NULL;
}

const struct snapshot_topic *snapshot_topic(const struct snapshot *snapshot, const char *name)
{
    for (size_t i = 0; i < snapshot->topic_count; i++)
        if (strcmp(snapshot->topics[i].name, name) == 0)
            return &snapshot->topics[i];
    return NULL;
}

static void name_after_client(const struct snapshot *snapshot, uint32_t index,
                              enum peal_audit_life life, char *name)
{
    const struct snapshot_client *client = snapshot_client(snapshot, index);
    /* The index of a dead one may be another's by now. */
    if (client && name[0] == '\0' && life != PEAL_AUDIT_DEAD)
        copy_name(name, client->name);
}

/* The arrays do not move any more: now what points can point. */
static void join(struct snapshot *snapshot)
{
    for (size_t i = 0; i < snapshot->client_count; i++)
        snapshot->clients[i].seen.name = snapshot->clients[i].name;
    for (size_t t = 0; t < snapshot->topic_count; t++) {
        struct snapshot_topic *topic = &snapshot->topics[t];
        topic->seen.name = topic->name;
        topic->seen.type_name = topic->type_name;
        for (size_t i = 0; i < topic->publisher_count; i++) {
            struct snapshot_publisher *publisher = &topic->publishers[i];
            name_after_client(snapshot, publisher->seen.client, publisher->seen.life,
                              publisher->name);
            publisher->seen.name = publisher->name;
        }
        for (size_t i = 0; i < topic->subscriber_count; i++) {
            struct snapshot_subscriber *subscriber = &topic->subscribers[i];
            name_after_client(snapshot, subscriber->seen.client, subscriber->seen.life,
                              subscriber->name);
        }
    }
}

enum peal_status snapshot_take(struct snapshot *snapshot, struct peal_observer *observer)
{
    struct peal_observer_visitor visitor = PEAL_OBSERVER_VISITOR_INIT;
    visitor.context = snapshot;
    visitor.region = on_region;
    visitor.client = on_client;
    visitor.topic = on_topic;
    visitor.publisher = on_publisher;
    visitor.subscriber = on_subscriber;
    snapshot_clear(snapshot);
    const enum peal_status status = peal_observer_visit(observer, &visitor);
    snapshot->taken_ns = clock_now_ns();
    if (status != PEAL_OK)
        snapshot_clear(snapshot);
    join(snapshot);
    return status;
}

void snapshot_clear(struct snapshot *snapshot)
{
    snapshot->client_count = 0;
    snapshot->topic_count = 0;
    memset(&snapshot->region, 0, sizeof(snapshot->region));
}

void snapshot_free(struct snapshot *snapshot)
{
    for (size_t i = 0; i < snapshot->topic_room; i++) {
        free(snapshot->topics[i].publishers);
        free(snapshot->topics[i].subscribers);
    }
    free(snapshot->topics);
    free(snapshot->clients);
    memset(snapshot, 0, sizeof(*snapshot));
}

const char *snapshot_life_text(enum peal_audit_life life)
{
    switch (life) {
    case PEAL_AUDIT_NOBODY:
        return "nobody";
    case PEAL_AUDIT_ALIVE:
        return "alive";
    case PEAL_AUDIT_DEAD:
        return "dead";
    default:
        return "unknown";
    }
}
