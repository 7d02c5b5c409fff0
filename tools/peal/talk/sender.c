/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/peal/talk/sender.h"

#include "tools/peal/kit/common.h"
#include "tools/peal/kit/fail.h"
#include "tools/peal/kit/stop.h"
#include "tools/peal/look/joined.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define PATIENCE_NS (20 * NS_PER_MS) /* so long it waits for room before it looks whether to stop */
#define QUEUE_LANE_BYTES (UINT64_C(4) << 20)
#define QUEUE_MESSAGE_BYTES 1024
#define LONG_BYTES (UINT64_C(1) << 20)
#define FEW 8
#define DEPTH_DEFAULT 1024
#define DEPTH_MIN 4

/* ---- opening ---- */

/* What is known of the name. */
struct known {
    bool exists;
    struct peal_observer_topic topic;
    uint64_t schema_hash; /* of the type that is meant */
};

static void look(const struct sender_options *options, struct known *known)
{
    struct snapshot now = {0};
    struct watch watch = {0};
    *known = (struct known){0};
    /* Who may not look finds out by what the bus answers. */
    if (common_url(&watch.url) == EXIT_DONE && watch_look(&watch, &now) == PEAL_OK) {
        const struct snapshot_topic *topic = snapshot_topic(&now, options->topic);
        if (topic) {
            known->exists = true;
            known->topic = topic->seen;
            if (options->type && strcmp(options->type, topic->type_name) == 0)
                known->schema_hash = topic->seen.schema_hash;
        }
    }
    snapshot_free(&now);
    watch_close(&watch);
}

/* Of few long messages: room for just these, so that one of half the region can be published. Else 0, the default. */
static uint64_t few_bytes(const struct sender_options *asked)
{
    const uint64_t line = 64; /* lanes are made of such */
    if (asked->message_bytes_max < LONG_BYTES || asked->count >= FEW)
        return 0;
    return asked->count * ((asked->message_bytes_max + line - 1) / line * line);
}

static int open_publisher(struct sender *sender, const struct sender_options *asked,
                          const struct known *known)
{
    static const enum peal_full_policy policies[] = {PEAL_FULL_WAIT, PEAL_FULL_REFUSE,
                                                     PEAL_FULL_DROP_NEWEST, PEAL_FULL_EVICT};
    struct peal_publisher_options options = PEAL_PUBLISHER_OPTIONS_INIT;
    char name[32];
    (void)snprintf(name, sizeof(name), "peal-pub.%ld", (long)getpid());
    options.message_bytes_max = (uint32_t)asked->message_bytes_max;
    options.depth = (uint32_t)asked->depth;
    options.payload_bytes = asked->payload_bytes > 0 ? asked->payload_bytes : few_bytes(asked);
    options.full_policy = policies[asked->policy];
    options.full_timeout_ns = PATIENCE_NS;
    options.timestamp = !asked->no_timestamp;
    options.crc32c = asked->crc;
    options.type_name = asked->type;
    options.schema_hash = known->schema_hash;
    options.name = asked->name ? asked->name : name;
    const enum peal_status status =
        peal_publisher_create(sender->bus, asked->topic, &options, &sender->publisher);
    return status == PEAL_OK ? EXIT_DONE : fail_peal(status, "cannot publish");
}

/* Its maker says it for all: the next message may be longer than this one. */
static uint32_t queue_bytes_max(const struct sender_options *asked)
{
    return asked->bytes_max_asked || asked->message_bytes_max > QUEUE_MESSAGE_BYTES
               ? (uint32_t)asked->message_bytes_max
               : QUEUE_MESSAGE_BYTES;
}

/*
 * A queue's lane holds `depth` longest messages, and stays until they are popped: no larger than what comes, so that the lanes
 * of many who pushed one message and went do not fill the region.
 */
static uint32_t queue_depth(const struct sender_options *asked, const struct known *known)
{
    const uint64_t bytes = known->exists ? known->topic.message_bytes_max : queue_bytes_max(asked);
    uint32_t depth = DEPTH_DEFAULT;
    if (asked->depth > 0)
        return (uint32_t)asked->depth;
    while (depth > DEPTH_MIN && depth * bytes > QUEUE_LANE_BYTES)
        depth /= 2;
    while (depth > DEPTH_MIN && depth / 2 >= asked->count)
        depth /= 2;
    return depth;
}

static int open_queue(struct sender *sender, const struct sender_options *asked,
                      const struct known *known)
{
    static const enum peal_queue_full_policy policies[] = {
        PEAL_QUEUE_FULL_WAIT, PEAL_QUEUE_FULL_REFUSE, PEAL_QUEUE_FULL_DROP_NEWEST,
        PEAL_QUEUE_FULL_DROP_OLDEST};
    struct peal_queue_options options = PEAL_QUEUE_OPTIONS_INIT;
    options.uses = PEAL_QUEUE_PUSH;
    if (!known->exists || asked->bytes_max_asked)
        options.message_bytes_max = queue_bytes_max(asked);
    options.depth = queue_depth(asked, known);
    options.full_policy = policies[asked->policy];
    options.full_timeout_ns = PATIENCE_NS;
    options.drops_held = known->topic.drops_held;
    options.strict = known->topic.strict;
    options.type_name = asked->type;
    options.schema_hash = known->schema_hash;
    const enum peal_status status =
        peal_queue_create(sender->bus, asked->topic, &options, &sender->queue);
    return status == PEAL_OK ? EXIT_DONE : fail_peal(status, "cannot push");
}

static int check(const struct sender_options *asked, const struct known *known)
{
    const bool queue = known->exists ? known->topic.is_queue : asked->queue;
    if (asked->queue && known->exists && !queue)
        return fail(EXIT_USAGE, "'%s' is a topic, not a queue; leave --queue out", asked->topic);
    if (queue && (asked->crc || asked->name || asked->payload_bytes > 0))
        return fail(EXIT_USAGE, "'%s' is a queue: --%s is for topics", asked->topic,
                    asked->crc    ? "crc"
                    : asked->name ? "name"
                                  : "payload-bytes");
    return EXIT_DONE;
}

int sender_open(struct sender *sender, const struct sender_options *options)
{
    struct known known;
    *sender = (struct sender){
        .topic = options->topic, .policy = options->policy, .timeout_ns = options->timeout_ns};
    int code = common_open(&sender->bus, true);
    if (code != EXIT_DONE)
        return code;
    look(options, &known);
    code = check(options, &known);
    if (code != EXIT_DONE)
        return code;
    return (known.exists ? known.topic.is_queue : options->queue)
               ? open_queue(sender, options, &known)
               : open_publisher(sender, options, &known);
}

/* ---- sending ---- */

static enum peal_status send_once(const struct sender *sender, const void *data, size_t size_bytes)
{
    return sender->publisher ? peal_publisher_publish(sender->publisher, data, size_bytes)
                             : peal_queue_push(sender->queue, data, size_bytes);
}

/* There was no room for some time. */
static enum peal_status send_patiently(const struct sender *sender, const void *data,
                                       size_t size_bytes)
{
    const uint64_t begin_ns = clock_now_ns();
    for (;;) {
        if (stop_requested())
            return PEAL_TIMEDOUT;
        if (clock_now_ns() - begin_ns >= sender->timeout_ns)
            return PEAL_FULL;
        const enum peal_status status = send_once(sender, data, size_bytes);
        if (status != PEAL_FULL)
            return status;
    }
}

enum peal_status sender_send(struct sender *sender, const void *data, size_t size_bytes)
{
    enum peal_status status = send_once(sender, data, size_bytes);
    if (status == PEAL_FULL && sender->policy == SENDER_WAIT)
        status = send_patiently(sender, data, size_bytes);
    switch (status) {
    case PEAL_OK:
        sender->published++;
        sender->published_bytes += size_bytes;
        return PEAL_OK;
    case PEAL_DROPPED:
        sender->dropped++;
        return PEAL_OK;
    case PEAL_FULL:
        sender->refused++;
        return PEAL_OK;
    default:
        return status;
    }
}

uint32_t sender_subscribers(struct sender *sender)
{
    struct peal_publisher_stats stats = {.struct_bytes = sizeof(stats)};
    if (!sender->publisher || peal_publisher_stats(sender->publisher, &stats) != PEAL_OK)
        return 0;
    sender->was_heard |= stats.subscribers > 0;
    return stats.subscribers;
}

int sender_wait_subscribers(struct sender *sender, uint64_t count, uint64_t deadline_ns)
{
    struct joined joined = {0};
    int code = common_url(&joined.watch.url);
    if (code == EXIT_DONE && count > 0 && sender->queue)
        code = fail(EXIT_USAGE, "a queue keeps what nobody has popped yet: leave "
                                "--wait-subscribers out");
    while (code == EXIT_DONE && count > 0) {
        joined_look(&joined);
        const uint32_t now = joined_count(&joined, sender->topic, sender->publisher);
        sender->was_heard |= now > 0;
        const uint64_t now_ns = clock_now_ns();
        if (now >= count)
            break;
        if (now_ns >= deadline_ns)
            code = fail(EXIT_TIMED_OUT, "%" PRIu32 " of %" PRIu64 " subscribers came in time", now,
                        count);
        const uint64_t next_ns = now_ns + 2 * NS_PER_MS;
        if (!stop_wait_until(next_ns < deadline_ns ? next_ns : deadline_ns))
            break;
    }
    joined_end(&joined);
    return code;
}

void sender_close(struct sender *sender)
{
    peal_publisher_close(sender->publisher);
    peal_queue_close(sender->queue);
    peal_bus_close(sender->bus);
}
