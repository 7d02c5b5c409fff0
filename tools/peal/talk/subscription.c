/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/peal/talk/subscription.h"

#include "tools/peal/kit/common.h"
#include "tools/peal/kit/fail.h"
#include "tools/peal/kit/memory.h"
#include "tools/peal/kit/stop.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>

#define LOOK_AGAIN_NS (20 * NS_PER_MS)
#define SLEEP_NS (100 * NS_PER_MS)       /* a ring that got lost costs no more */
#define SLEEP_UNARMED_NS (2 * NS_PER_MS) /* where nobody may ring us */
#define TURN 64                          /* messages of one topic, then it is another's turn */
#define BUFFER_BYTES 65536
#define GROWTHS 8

uint64_t deadline_after(uint64_t duration_ns)
{
    const uint64_t now_ns = clock_now_ns();
    return duration_ns > UINT64_MAX - now_ns ? UINT64_MAX : now_ns + duration_ns;
}

/* ---- opening ---- */

static int refuse_absent(const struct subscription *subscription, const char *name)
{
    return fail(EXIT_NOT_FOUND,
                "there is no topic '%s' on %s; peal ls shows those there are, --wait waits for it",
                name, subscription->url);
}

/* What is there of what is asked for? *missing: not all of it yet, and it may come. */
static int examine(struct subscription *subscription, const struct snapshot *now, bool *missing)
{
    const struct subscription_options *options = &subscription->options;
    *missing = false;
    for (size_t i = 0; i < subscription->topic_count; i++) {
        const char *name = subscription->topics[i].name;
        const struct snapshot_topic *topic = snapshot_topic(now, name);
        if (topic && topic->seen.is_queue && !options->pop)
            return fail(EXIT_USAGE, "'%s' is a queue; %s", name, options->instead);
        if (!topic && !options->wait)
            return refuse_absent(subscription, name);
        /* A topic can be subscribed to before it is there, and then nothing of it is missed. What a queue will be like
         * its maker says. */
        *missing |= !topic && options->pop;
    }
    return EXIT_DONE;
}

/* Waits for the region, and for queues. EXIT_DONE with *found false: stop was requested. */
static int find(struct subscription *subscription, struct snapshot *now, bool *found, bool *waited)
{
    const uint64_t deadline_ns = deadline_after(subscription->options.timeout_ns);
    *found = false;
    *waited = false;
    for (;;) {
        bool missing = true;
        const enum peal_status status = watch_look(&subscription->watch, now);
        if (status == PEAL_OK) {
            const int code = examine(subscription, now, &missing);
            if (code != EXIT_DONE)
                return code;
        } else if (status != PEAL_ENOENT || !subscription->options.wait) {
            return fail_peal(status, "cannot look at %s", subscription->url);
        }
        if (!missing) {
            *found = true;
            return EXIT_DONE;
        }
        *waited = true;
        if (clock_now_ns() >= deadline_ns)
            return fail(EXIT_TIMED_OUT, "%s did not come in time",
                        status == PEAL_OK ? "not all that was asked for" : subscription->url);
        if (!stop_wait_until(clock_now_ns() + LOOK_AGAIN_NS))
            return EXIT_DONE;
    }
}

static int join_queue(struct subscription *subscription, struct subscription_topic *topic,
                      const struct snapshot_topic *seen)
{
    struct peal_queue_options options = PEAL_QUEUE_OPTIONS_INIT;
    options.uses = PEAL_QUEUE_POP;
    options.strict = seen->seen.strict;
    options.drops_held = seen->seen.drops_held;
    const enum peal_status status =
        peal_queue_create(subscription->bus, topic->name, &options, &topic->queue);
    if (status != PEAL_OK)
        return fail_peal(status, "cannot pop from '%s'", topic->name);
    const size_t bytes = peal_queue_message_bytes_max(topic->queue);
    if (bytes > subscription->buffer_bytes) {
        free(subscription->buffer);
        subscription->buffer = memory_zeroed(bytes, 1);
        subscription->buffer_bytes = bytes;
    }
    return EXIT_DONE;
}

static int join(struct subscription *subscription, const struct snapshot *now, bool waited)
{
    struct peal_subscriber_options options = PEAL_SUBSCRIBER_OPTIONS_INIT;
    options.reliability = subscription->options.reliable ? PEAL_RELIABLE : PEAL_BEST_EFFORT;
    options.latest = subscription->options.latest;
    /* Whoever waited for the region wants what was published since. */
    options.history = waited ? UINT32_MAX : subscription->options.history;
    for (size_t i = 0; i < subscription->topic_count; i++) {
        struct subscription_topic *topic = &subscription->topics[i];
        const struct snapshot_topic *seen = snapshot_topic(now, topic->name);
        if (seen && seen->seen.is_queue) {
            const int code = join_queue(subscription, topic, seen);
            if (code != EXIT_DONE)
                return code;
            continue;
        }
        const enum peal_status status =
            peal_subscriber_create(subscription->bus, topic->name, &options, &topic->subscriber);
        if (status != PEAL_OK)
            return fail_peal(status, "cannot subscribe to '%s'", topic->name);
    }
    return EXIT_DONE;
}

int subscription_open(struct subscription *subscription, const struct subscription_options *options,
                      char **topics, size_t count)
{
    struct snapshot now = {0};
    bool found, waited;
    *subscription = (struct subscription){.options = *options, .topic_count = count};
    subscription->topics = memory_zeroed(count, sizeof(*subscription->topics));
    subscription->buffer = memory_zeroed(BUFFER_BYTES, 1);
    subscription->buffer_bytes = BUFFER_BYTES;
    for (size_t i = 0; i < count; i++)
        subscription->topics[i].name = topics[i];
    int code = common_url(&subscription->url);
    if (code != EXIT_DONE)
        return code;
    subscription->watch.url = subscription->url;
    code = find(subscription, &now, &found, &waited);
    if (code == EXIT_DONE && found) {
        code = common_open(&subscription->bus, false);
        if (code == EXIT_DONE)
            code = join(subscription, &now, waited);
        if (code == EXIT_DONE) {
            const enum peal_status status = peal_bus_fd(subscription->bus, &subscription->fd);
            if (status != PEAL_OK)
                code = fail_peal(status, "cannot wait for messages");
        }
    }
    snapshot_free(&now);
    subscription->now_ns = clock_now_ns();
    return code;
}

/* ---- the next one ---- */

static enum peal_status take_header(struct subscription *subscription,
                                    struct subscription_topic *topic)
{
    struct peal_message *message = &subscription->message;
    for (int attempt = 0; attempt < TURN; attempt++) {
        const enum peal_status status = peal_subscriber_take(topic->subscriber, message);
        if (status != PEAL_OK)
            return status;
        message->data = NULL;
        if (peal_subscriber_release(topic->subscriber, message) == PEAL_OK)
            return PEAL_OK;
        topic->elapsed++; /* its header was perhaps another's */
    }
    return PEAL_EMPTY;
}

static enum peal_status take_copy(struct subscription *subscription,
                                  struct subscription_topic *topic)
{
    for (int growth = 0; growth < GROWTHS; growth++) {
        const enum peal_status status =
            peal_subscriber_take_copy(topic->subscriber, subscription->buffer,
                                      subscription->buffer_bytes, &subscription->message);
        if (status != PEAL_ETRUNC)
            return status;
        subscription->buffer_bytes = subscription->message.size_bytes;
        free(subscription->buffer);
        subscription->buffer = memory_zeroed(subscription->buffer_bytes, 1);
    }
    return PEAL_EMPTY; /* it keeps growing: somebody is playing with us */
}

static enum peal_status pop(struct subscription *subscription, struct subscription_topic *topic)
{
    struct peal_queue_message popped;
    const enum peal_status status =
        peal_queue_pop(topic->queue, subscription->buffer, subscription->buffer_bytes, &popped);
    if (status != PEAL_OK)
        return status;
    subscription->message = (struct peal_message){.data = popped.data,
                                                  .size_bytes = popped.size_bytes,
                                                  .number = popped.number,
                                                  .lane = popped.lane};
    subscription->is_redelivered = popped.is_redelivered;
    return PEAL_OK;
}

static enum peal_status take(struct subscription *subscription, struct subscription_topic *topic)
{
    subscription->is_redelivered = false;
    if (topic->queue)
        return pop(subscription, topic);
    return subscription->options.headers_only ? take_header(subscription, topic)
                                              : take_copy(subscription, topic);
}

/* From the topic whose turn it is, else from the others. EMPTY: none has anything. */
static enum peal_status take_any(struct subscription *subscription)
{
    for (size_t tried = 0; tried <= subscription->topic_count; tried++) {
        struct subscription_topic *topic = &subscription->topics[subscription->turn];
        const enum peal_status status =
            subscription->turn_left > 0 ? take(subscription, topic) : PEAL_EMPTY;
        if (status != PEAL_EMPTY) {
            subscription->turn_left--;
            subscription->topic = topic;
            return status;
        }
        subscription->turn = (subscription->turn + 1) % subscription->topic_count;
        subscription->turn_left = TURN;
    }
    return PEAL_EMPTY;
}

/* Until a bell, the deadline, or stop; not longer than some ms. */
static enum peal_status wait_for_bell(struct subscription *subscription, uint64_t deadline_ns)
{
    struct pollfd waits[] = {{.fd = subscription->fd, .events = POLLIN},
                             {.fd = stop_fd(), .events = POLLIN}};
    if (subscription->options.spin)
        return PEAL_OK;
    const bool armed = peal_bus_arm(subscription->bus) == PEAL_OK;
    const uint64_t now_ns = clock_now_ns();
    uint64_t left_ns = deadline_ns > now_ns ? deadline_ns - now_ns : 0;
    const uint64_t most_ns = armed ? SLEEP_NS : SLEEP_UNARMED_NS;
    if (left_ns > most_ns)
        left_ns = most_ns;
    const struct timespec left = {.tv_nsec = (long)left_ns};
    (void)ppoll(waits, 2, &left, NULL);
    return peal_bus_disarm(subscription->bus);
}

enum subscription_event subscription_next(struct subscription *subscription, uint64_t deadline_ns)
{
    for (;;) {
        if (stop_requested())
            return SUBSCRIPTION_STOPPED;
        if (subscription->now_ns >= deadline_ns)
            return SUBSCRIPTION_DEADLINE;
        const enum peal_status status = take_any(subscription);
        subscription->now_ns = clock_now_ns();
        if (status == PEAL_OK) {
            subscription->is_idle = false;
            subscription->topic->count++;
            return SUBSCRIPTION_MESSAGE;
        }
        if (status == PEAL_ECORRUPT) {
            subscription->topic->spoilt++;
            return SUBSCRIPTION_SPOILT;
        }
        if (status != PEAL_EMPTY) {
            (void)fail_status(status, "cannot take from '%s'", subscription->topic->name);
            return SUBSCRIPTION_GONE;
        }
        if (!subscription->is_idle) {
            subscription->is_idle = true;
            return SUBSCRIPTION_IDLE;
        }
        const enum peal_status woken = wait_for_bell(subscription, deadline_ns);
        if (woken != PEAL_OK) {
            (void)fail_peal(woken, "cannot wait for messages");
            return SUBSCRIPTION_GONE;
        }
    }
}

/* ---- what is known at the end ---- */

uint64_t subscription_lost(const struct subscription_topic *topic)
{
    struct peal_subscriber_stats stats = {.struct_bytes = sizeof(stats)};
    if (!topic->subscriber || peal_subscriber_stats(topic->subscriber, &stats) != PEAL_OK)
        return 0;
    return stats.lost;
}

bool subscription_has_one_clock(const struct subscription *subscription)
{
    struct peal_bus_stats stats = {.struct_bytes = sizeof(stats)};
    return peal_bus_stats(subscription->bus, &stats) == PEAL_OK && stats.one_clock == 1;
}

void subscription_close(struct subscription *subscription)
{
    for (size_t i = 0; i < subscription->topic_count; i++) {
        peal_subscriber_close(subscription->topics[i].subscriber);
        peal_queue_close(subscription->topics[i].queue);
    }
    peal_bus_close(subscription->bus);
    watch_close(&subscription->watch);
    free(subscription->topics);
    free(subscription->buffer);
}
