/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Topics: one publisher, one reliable subscriber, one message (or batch) under way.
 */
#include "bench/account/account.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct topic {
    struct peal_publisher *publisher;
    struct peal_subscriber *subscriber;
    uint32_t size_bytes;
    unsigned char from[ACCOUNT_BYTES_MAX];
    unsigned char to[ACCOUNT_BYTES_MAX];
    struct peal_slice slices[ACCOUNT_BATCH];
    void *loans[ACCOUNT_BATCH];
    struct peal_message messages[ACCOUNT_BATCH];
};

static void *account_topic_open(struct peal_bus *bus, uint32_t size_bytes)
{
    struct peal_publisher_options options = PEAL_PUBLISHER_OPTIONS_INIT;
    struct topic *topic = account_allocate(sizeof(*topic));
    options.message_bytes_max = size_bytes;
    options.depth = ACCOUNT_DEPTH;
    account_must(peal_subscriber_create(bus, "account", NULL, &topic->subscriber), PEAL_OK,
                 "subscriber");
    account_must(peal_publisher_create(bus, "account", &options, &topic->publisher), PEAL_OK,
                 "publisher");
    topic->size_bytes = size_bytes;
    for (uint32_t i = 0; i < ACCOUNT_BATCH; i++)
        topic->slices[i] = (struct peal_slice){.data = topic->from, .size_bytes = size_bytes};
    return topic;
}

static void account_topic_close(void *state)
{
    struct topic *topic = state;
    peal_publisher_close(topic->publisher);
    peal_subscriber_close(topic->subscriber);
    free(topic);
}

static void account_topic_copy(void *state)
{
    struct topic *topic = state;
    ACCOUNT_CALL(0, PEAL_OK,
                 peal_publisher_publish(topic->publisher, topic->from, topic->size_bytes));
    ACCOUNT_CALL(1, PEAL_OK,
                 peal_subscriber_take_copy(topic->subscriber, topic->to, sizeof(topic->to),
                                           topic->messages));
}

static void account_topic_in_place(void *state)
{
    struct topic *topic = state;
    ACCOUNT_CALL(0, PEAL_OK,
                 peal_publisher_loan(topic->publisher, topic->size_bytes, topic->loans));
    memcpy(topic->loans[0], topic->from, topic->size_bytes);
    ACCOUNT_CALL(1, PEAL_OK, peal_publisher_commit(topic->publisher, topic->size_bytes));
    ACCOUNT_CALL(2, PEAL_OK, peal_subscriber_take(topic->subscriber, topic->messages));
    ACCOUNT_CALL(3, PEAL_OK, peal_subscriber_release(topic->subscriber, topic->messages));
}

static void account_topic_copy_batch(void *state)
{
    struct topic *topic = state;
    size_t done = 0;
    ACCOUNT_CALL(
        0, PEAL_OK,
        peal_publisher_publish_batch(topic->publisher, topic->slices, ACCOUNT_BATCH, &done));
    for (size_t i = 0; i < done; i++)
        account_must(peal_subscriber_take_copy(topic->subscriber, topic->to, sizeof(topic->to),
                                               topic->messages),
                     PEAL_OK, "take_copy");
}

static void account_topic_in_place_batch(void *state)
{
    struct topic *topic = state;
    size_t loaned = 0, taken = 0;
    ACCOUNT_CALL(0, PEAL_OK,
                 peal_publisher_loan_batch(topic->publisher, topic->size_bytes, ACCOUNT_BATCH,
                                           topic->loans, &loaned));
    if (loaned != ACCOUNT_BATCH)
        account_die("not all loans");
    for (size_t i = 0; i < loaned; i++)
        memcpy(topic->loans[i], topic->from, topic->size_bytes);
    ACCOUNT_CALL(1, PEAL_OK, peal_publisher_commit_batch(topic->publisher, loaned));
    ACCOUNT_CALL(
        2, PEAL_OK,
        peal_subscriber_take_batch(topic->subscriber, topic->messages, ACCOUNT_BATCH, &taken));
    if (taken != ACCOUNT_BATCH)
        account_die("not all messages");
    ACCOUNT_CALL(3, PEAL_OK,
                 peal_subscriber_release_batch(topic->subscriber, topic->messages, taken, NULL));
}

static void account_topic_empty(void *state)
{
    struct topic *topic = state;
    ACCOUNT_CALL(0, PEAL_EMPTY, peal_subscriber_take(topic->subscriber, topic->messages));
    ACCOUNT_CALL(1, PEAL_EMPTY,
                 peal_subscriber_take_copy(topic->subscriber, topic->to, sizeof(topic->to),
                                           topic->messages));
    ACCOUNT_CALL(2, PEAL_TIMEDOUT, peal_subscriber_wait(topic->subscriber, 0));
}

/* A topic on a bus of its own. */
struct apart {
    struct topic *topic;
    struct peal_bus *bus;
    struct peal_bus *sleeper; /* another client, or NULL */
};

static const char *account_url(void)
{
    static char url[96];
    snprintf(url, sizeof(url), "posix:peal-account-apart-%d?size=16M&topics=64", (int)getpid());
    return url;
}

static struct apart *account_apart_open(bool always_fence, bool with_sleeper, uint32_t size_bytes)
{
    struct peal_bus_options options = PEAL_BUS_OPTIONS_INIT;
    struct apart *apart = account_allocate(sizeof(*apart));
    options.always_fence = always_fence;
    account_must(peal_bus_open(&apart->bus, account_url(), &options), PEAL_OK, "bus");
    if (with_sleeper)
        account_must(peal_bus_open(&apart->sleeper, account_url(), NULL), PEAL_OK, "other bus");
    (void)peal_unlink(account_url());
    apart->topic = account_topic_open(apart->bus, size_bytes);
    return apart;
}

/* Another client sleeps, but with no subscriber of the topic: it need not be rung. */
static void *account_asleep_open(struct peal_bus *bus, uint32_t size_bytes)
{
    struct apart *apart = account_apart_open(false, true, size_bytes);
    int fd;
    (void)bus;
    account_must(peal_bus_fd(apart->sleeper, &fd), PEAL_OK, "descriptor");
    account_must(peal_bus_arm(apart->sleeper), PEAL_OK, "arm");
    return apart;
}

static void *account_fencing_open(struct peal_bus *bus, uint32_t size_bytes)
{
    (void)bus;
    return account_apart_open(true, false, size_bytes);
}

static void account_apart_close(void *state)
{
    struct apart *apart = state;
    account_topic_close(apart->topic);
    if (apart->sleeper)
        peal_bus_close(apart->sleeper);
    peal_bus_close(apart->bus);
    free(apart);
}

static void account_apart_copy(void *state)
{
    struct apart *apart = state;
    account_topic_copy(apart->topic);
}

#define COPY(size, name_)                                                                          \
    {                                                                                              \
        .name = name_, .open = account_topic_open, .step = account_topic_copy,                     \
        .close = account_topic_close, .calls = {"publish", "take_copy"}, .messages = 1,            \
        .value = size                                                                              \
    }

const struct account_scenario account_topics[] = {
    COPY(8, "topic/copy/8"),
    COPY(48, "topic/copy/48"),
    COPY(64, "topic/copy/64"),
    COPY(1024, "topic/copy/1024"),
    {.name = "topic/in_place/48",
     .open = account_topic_open,
     .step = account_topic_in_place,
     .close = account_topic_close,
     .calls = {"loan", "commit", "take", "release"},
     .messages = 1,
     .value = 48},
    {.name = "topic/copy_batch32/48",
     .open = account_topic_open,
     .step = account_topic_copy_batch,
     .close = account_topic_close,
     .calls = {"publish_batch"},
     .messages = ACCOUNT_BATCH,
     .value = 48},
    {.name = "topic/in_place_batch32/48",
     .open = account_topic_open,
     .step = account_topic_in_place_batch,
     .close = account_topic_close,
     .calls = {"loan_batch", "commit_batch", "take_batch", "release_batch"},
     .messages = ACCOUNT_BATCH,
     .value = 48},
    {.name = "topic/empty",
     .open = account_topic_open,
     .step = account_topic_empty,
     .close = account_topic_close,
     .calls = {"take", "take_copy", "wait"},
     .messages = 1,
     .value = 48},
    {.name = "topic/other_client_asleep/48",
     .open = account_asleep_open,
     .step = account_apart_copy,
     .close = account_apart_close,
     .calls = {"publish", "take_copy"},
     .messages = 1,
     .value = 48},
    {.name = "topic/always_fence/48",
     .open = account_fencing_open,
     .step = account_apart_copy,
     .close = account_apart_close,
     .calls = {"publish", "take_copy"},
     .messages = 1,
     .value = 48},
    {0},
};
