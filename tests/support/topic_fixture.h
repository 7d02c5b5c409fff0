/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Topics for tests: a bus, its endpoints, and an account of what a subscriber is told. Functions that
 * may run in a child answer instead of asserting.
 */
#ifndef PEAL_TESTS_SUPPORT_TOPIC_FIXTURE_H
#define PEAL_TESTS_SUPPORT_TOPIC_FIXTURE_H

#include "tests/support/random.h"

#include <peal/peal.h>

#include <string.h>

static inline struct peal_bus *topic_bus(const char *url)
{
    struct peal_bus_options options = PEAL_BUS_OPTIONS_INIT;
    struct peal_bus *bus = NULL;
    options.size_bytes = UINT64_C(8) << 20;
    options.topics_max = 16;
    if (peal_bus_open(&bus, url, &options) != PEAL_OK)
        fprintf(stderr, "%s: %s\n", url, peal_error_message());
    return bus;
}

static inline struct peal_publisher_options topic_publisher_options(uint32_t depth,
                                                                    enum peal_full_policy policy)
{
    struct peal_publisher_options options = PEAL_PUBLISHER_OPTIONS_INIT;
    options.depth = depth;
    options.full_policy = policy;
    return options;
}

static inline struct peal_publisher *topic_publish(struct peal_bus *bus, const char *topic,
                                                   const struct peal_publisher_options *options)
{
    struct peal_publisher *publisher = NULL;
    if (peal_publisher_create(bus, topic, options, &publisher) != PEAL_OK)
        fprintf(stderr, "%s: %s\n", topic, peal_error_message());
    return publisher;
}

static inline struct peal_subscriber *topic_subscribe(struct peal_bus *bus, const char *topic,
                                                      enum peal_reliability reliability)
{
    struct peal_subscriber_options options = PEAL_SUBSCRIBER_OPTIONS_INIT;
    struct peal_subscriber *subscriber = NULL;
    options.reliability = reliability;
    if (peal_subscriber_create(bus, topic, &options, &subscriber) != PEAL_OK)
        fprintf(stderr, "%s: %s\n", topic, peal_error_message());
    return subscriber;
}

static inline struct peal_publisher_stats topic_published(struct peal_publisher *publisher)
{
    struct peal_publisher_stats stats = {.struct_bytes = sizeof(stats)};
    (void)peal_publisher_stats(publisher, &stats);
    return stats;
}

static inline struct peal_subscriber_stats topic_taken(struct peal_subscriber *subscriber)
{
    struct peal_subscriber_stats stats = {.struct_bytes = sizeof(stats)};
    (void)peal_subscriber_stats(subscriber, &stats);
    return stats;
}

/* Publishes message `number` of sender 0, of 8 bytes. */
static inline enum peal_status topic_put(struct peal_publisher *publisher, uint64_t number)
{
    unsigned char bytes[8];
    content_fill(bytes, sizeof(bytes), 0, number);
    return peal_publisher_publish(publisher, bytes, sizeof(bytes));
}

/* Takes a message of topic_put() and checks its content; ECORRUPT if it is wrong. */
static inline enum peal_status topic_take(struct peal_subscriber *subscriber,
                                          struct peal_message *message)
{
    unsigned char bytes[8];
    enum peal_status status = peal_subscriber_take_copy(subscriber, bytes, sizeof(bytes), message);
    if (status == PEAL_OK && !content_is(bytes, message->size_bytes, 0, message->number))
        return PEAL_ECORRUPT;
    message->data = NULL;
    return status;
}

#endif
