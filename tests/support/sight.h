/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an observer has seen in one visit, kept for assertions.
 */
#ifndef PEAL_TESTS_SUPPORT_SIGHT_H
#define PEAL_TESTS_SUPPORT_SIGHT_H

#include <peal/observer.h>
#include <stdio.h>
#include <string.h>

#define SIGHT_MAX 16u

struct sight {
    struct peal_observer_region region;
    uint32_t clients, topics, publishers,
        subscribers; /* all of them, also those beyond SIGHT_MAX */
    struct peal_observer_client client[SIGHT_MAX];
    struct peal_observer_topic topic[SIGHT_MAX];
    struct peal_observer_publisher publisher[SIGHT_MAX];
    struct peal_observer_subscriber subscriber[SIGHT_MAX];
    char client_names[SIGHT_MAX][64];
    char topic_names[SIGHT_MAX][64];
    char type_names[SIGHT_MAX][64];
    char publisher_names[SIGHT_MAX][64];
};

/* Copies a text; NULL, too long or with control characters: "\n", which nothing equals. */
static inline void sight_text(char *to, const char *text)
{
    size_t bytes = text != NULL ? strlen(text) : 64;
    for (size_t i = 0; bytes < 64 && i < bytes; i++)
        if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f)
            bytes = 64;
    (void)snprintf(to, 64, "%s", bytes < 64 ? text : "\n");
}

static inline void sight_region(void *context, const struct peal_observer_region *region)
{
    ((struct sight *)context)->region = *region;
}

static inline void sight_client(void *context, const struct peal_observer_client *client)
{
    struct sight *sight = context;
    uint32_t i = sight->clients++;
    if (i >= SIGHT_MAX)
        return;
    sight->client[i] = *client;
    sight_text(sight->client_names[i], client->name);
}

static inline void sight_topic(void *context, const struct peal_observer_topic *topic)
{
    struct sight *sight = context;
    uint32_t i = sight->topics++;
    if (i >= SIGHT_MAX)
        return;
    sight->topic[i] = *topic;
    sight_text(sight->topic_names[i], topic->name);
    sight_text(sight->type_names[i], topic->type_name);
}

static inline void sight_publisher(void *context, const struct peal_observer_publisher *publisher)
{
    struct sight *sight = context;
    uint32_t i = sight->publishers++;
    if (i >= SIGHT_MAX)
        return;
    sight->publisher[i] = *publisher;
    sight_text(sight->publisher_names[i], publisher->name);
}

static inline void sight_subscriber(void *context,
                                    const struct peal_observer_subscriber *subscriber)
{
    struct sight *sight = context;
    uint32_t i = sight->subscribers++;
    if (i < SIGHT_MAX)
        sight->subscriber[i] = *subscriber;
}

static inline struct peal_observer_visitor sight_visitor(struct sight *sight)
{
    struct peal_observer_visitor visitor = PEAL_OBSERVER_VISITOR_INIT;
    memset(sight, 0, sizeof(*sight));
    visitor.context = sight;
    visitor.region = sight_region;
    visitor.client = sight_client;
    visitor.topic = sight_topic;
    visitor.publisher = sight_publisher;
    visitor.subscriber = sight_subscriber;
    return visitor;
}

static inline enum peal_status sight_take(struct sight *sight, struct peal_observer *observer)
{
    const struct peal_observer_visitor visitor = sight_visitor(sight);
    return peal_observer_visit(observer, &visitor);
}

#endif
