/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/peal/talk/peek.h"

#include "tools/peal/kit/common.h"
#include "tools/peal/kit/fail.h"
#include "tools/peal/kit/memory.h"
#include "tools/peal/kit/output.h"
#include "tools/peal/kit/stop.h"

#include <stdlib.h>

#define BUFFER_BYTES 65536
#define ATTEMPTS 8 /* at a message that changes meanwhile */

int peek_open(struct subscription *subscription, char **topics, size_t count)
{
    *subscription = (struct subscription){.topic_count = count};
    subscription->topics = memory_zeroed(count, sizeof(*subscription->topics));
    subscription->buffer = memory_zeroed(BUFFER_BYTES, 1);
    subscription->buffer_bytes = BUFFER_BYTES;
    for (size_t i = 0; i < count; i++)
        subscription->topics[i].name = topics[i];
    const int code = common_url(&subscription->url);
    subscription->watch.url = subscription->url;
    return code;
}

/* ---- one message ---- */

struct spot {
    struct subscription *subscription;
    uint32_t topic;
    uint32_t lane;
    uint64_t number;
};

static enum peal_status peek_at(struct peal_observer *observer, void *context)
{
    const struct spot *spot = context;
    struct subscription *subscription = spot->subscription;
    return peal_observer_peek(observer, spot->topic, spot->lane, spot->number, subscription->buffer,
                              subscription->buffer_bytes, &subscription->message);
}

static enum peal_status look_at(struct spot *spot)
{
    struct subscription *subscription = spot->subscription;
    enum peal_status status = PEAL_AGAIN;
    for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
        status = watch_do(&subscription->watch, peek_at, spot);
        if (status == PEAL_ETRUNC) {
            subscription->buffer_bytes = subscription->message.size_bytes;
            free(subscription->buffer);
            subscription->buffer = memory_zeroed(subscription->buffer_bytes, 1);
        } else if (status != PEAL_AGAIN) {
            break;
        }
    }
    return status;
}

/* ---- lanes ---- */

struct look {
    struct subscription *subscription;
    const struct peek *peek;
    uint64_t region_bytes;
    uint64_t count;
};

static bool is_over(const struct look *look)
{
    return look->count >= look->peek->count || stop_requested() || output_flush() != EXIT_DONE;
}

static void on_answer(struct look *look, enum peal_status status)
{
    struct subscription *subscription = look->subscription;
    subscription->now_ns = clock_now_ns();
    if (status == PEAL_OK) {
        look->count++;
        subscription->topic->count++;
        look->peek->message(look->peek->context, subscription);
    } else if (status == PEAL_ECORRUPT) {
        subscription->topic->spoilt++;
        look->peek->spoilt(look->peek->context, subscription);
    } /* otherwise it has just been overwritten */
}

static void look_at_lane(struct look *look, const struct peal_observer_publisher *publisher)
{
    struct spot spot = {
        .subscription = look->subscription, .topic = publisher->topic, .lane = publisher->lane};
    uint64_t count = publisher->published;
    if (count > publisher->depth)
        count = publisher->depth;
    if (count > look->region_bytes / 64) /* no lane holds as many, whatever it says */
        count = look->region_bytes / 64;
    if (look->peek->history > 0 && count > look->peek->history)
        count = look->peek->history;
    for (; count > 0 && !is_over(look); count--) {
        spot.number = publisher->published - count;
        const enum peal_status status = look_at(&spot);
        if (status == PEAL_ENOENT || status == PEAL_EFORMAT)
            return; /* it has gone meanwhile */
        on_answer(look, status);
    }
}

static int look_at_topic(struct look *look, const struct snapshot *now)
{
    const char *name = look->subscription->topic->name;
    const struct snapshot_topic *topic = snapshot_topic(now, name);
    if (!topic)
        return fail(EXIT_NOT_FOUND, "there is no topic '%s' on %s; peal ls shows those there are",
                    name, look->subscription->url);
    if (topic->seen.is_queue)
        return fail(EXIT_USAGE, "'%s' is a queue, and --peek cannot look into it", name);
    for (size_t i = 0; i < topic->publisher_count && !is_over(look); i++)
        if (!topic->publishers[i].seen.is_spoilt)
            look_at_lane(look, &topic->publishers[i].seen);
    return output_flush();
}

int peek_run(struct subscription *subscription, const struct peek *peek)
{
    struct snapshot now = {0};
    struct look look = {.subscription = subscription, .peek = peek};
    const enum peal_status status = watch_look(&subscription->watch, &now);
    int code = EXIT_DONE;
    if (status != PEAL_OK)
        code = fail_peal(status, "cannot look at %s", subscription->url);
    look.region_bytes = now.region.region_bytes;
    for (size_t i = 0; i < subscription->topic_count && code == EXIT_DONE; i++) {
        subscription->topic = &subscription->topics[i];
        code = look_at_topic(&look, &now);
    }
    snapshot_free(&now);
    return code;
}
