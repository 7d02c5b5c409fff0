/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A topic: by copy (publish, take_copy), in place (loan and commit, take and release), and the latest
 * value. Subscribers are reliable but for the latest value; publishers answer PEAL_FULL at once.
 */
#include "bench/contest/peal.h"
#include "bench/contest/peal_spacer.h"

#include "core/cpu.h"

#include <inttypes.h>
#include <stdlib.h>

enum {
    LATEST_DEPTH = 16,      /* time enough to copy a value before it is written over */
    WARM_BYTES = 512 << 10, /* a quarter of the L2 cache of a usual server */
};

struct topic_end {
    struct bench_peal_bus bus;
    struct peal_publisher *publisher; /* or */
    struct peal_subscriber *subscriber;
    uint32_t size_bytes;
    unsigned char *buffers;
    struct peal_slice slices[BENCH_BATCH_MAX];
    struct peal_message messages[BENCH_BATCH_MAX];
    size_t next; /* of `slices` to send */
    size_t held;
};

static void open_publisher(struct topic_end *end, const struct bench_channel *channel)
{
    struct peal_publisher_options options = PEAL_PUBLISHER_OPTIONS_INIT;
    bool is_latest = channel->pattern == BENCH_PATTERN_LATEST;

    options.message_bytes_max = channel->size_bytes;
    options.depth = is_latest ? LATEST_DEPTH : channel->depth;
    options.full_policy = PEAL_FULL_REFUSE;
    /* Room for as many longest messages as the slots have; none needed if they fit in slots. */
    if (channel->size_bytes > 4096)
        options.payload_bytes = ((uint64_t)channel->size_bytes + 128) * options.depth;
    options.payload_warm_bytes = WARM_BYTES;
    struct peal_publisher *spacer = bench_spacer_take(end->bus.bus, channel->name);
    bench_peal_must(peal_publisher_create(end->bus.bus, channel->name, &options, &end->publisher),
                    "peal_publisher_create");
    peal_publisher_close(spacer);
}

static void open_subscriber(struct topic_end *end, const struct bench_channel *channel)
{
    struct peal_subscriber_options options = PEAL_SUBSCRIBER_OPTIONS_INIT;

    options.latest = channel->pattern == BENCH_PATTERN_LATEST;
    bench_peal_must(peal_subscriber_create(end->bus.bus, channel->name, &options, &end->subscriber),
                    "peal_subscriber_create");
}

static void *open_topic(const struct bench_channel *channel, bool sends, uint32_t index)
{
    struct topic_end *end = calloc(1, sizeof *end);

    (void)index;
    if (end == NULL)
        bench_contender_die("not enough memory");
    end->size_bytes = channel->size_bytes;
    bench_peal_bus_open(&end->bus, channel);
    end->buffers = bench_peal_buffers(channel->size_bytes);
    if (sends)
        open_publisher(end, channel);
    else
        open_subscriber(end, channel);
    for (size_t i = 0; i < BENCH_BATCH_MAX; i++)
        end->slices[i] =
            (struct peal_slice){end->buffers + i * channel->size_bytes, channel->size_bytes};
    return end;
}

static void close_topic(void *opaque)
{
    struct topic_end *end = opaque;

    peal_publisher_close(end->publisher);
    peal_subscriber_close(end->subscriber);
    peal_bus_close(end->bus.bus);
    free(end->buffers);
    free(end);
}

/* A reliable subscriber has no losses. */
static void check_lost(const struct peal_message *message)
{
    if (PEAL_UNLIKELY(message->lost != 0))
        bench_contender_die("%" PRIu64 " messages were lost before message %" PRIu64, message->lost,
                            message->number);
}

/* ---- by copy ---- */

static size_t prepare_copy(void *opaque, void *places[], size_t size_bytes, size_t count)
{
    struct topic_end *end = opaque;

    end->next = 0;
    for (size_t i = 0; i < count; i++)
        places[i] = end->buffers + i * size_bytes;
    return count;
}

static size_t send_copy(void *opaque, size_t count)
{
    struct topic_end *end = opaque;
    enum peal_status status;
    size_t sent = 0;

    if (count == 1) {
        status =
            peal_publisher_publish(end->publisher, end->slices[end->next].data, end->size_bytes);
        sent = status == PEAL_OK;
    } else {
        status =
            peal_publisher_publish_batch(end->publisher, &end->slices[end->next], count, &sent);
    }
    if (PEAL_UNLIKELY(status != PEAL_OK && status != PEAL_FULL))
        bench_peal_must(status, "peal_publisher_publish");
    end->next += sent;
    return sent;
}

static size_t receive_copy(void *opaque, struct bench_view views[], size_t max)
{
    struct topic_end *end = opaque;
    size_t count = 0;

    bench_peal_bus_disarm(&end->bus);
    for (; count < max; count++) {
        unsigned char *buffer = end->buffers + count * end->size_bytes;
        struct peal_message *message = end->messages;
        enum peal_status status =
            peal_subscriber_take_copy(end->subscriber, buffer, end->size_bytes, message);
        if (status == PEAL_EMPTY)
            break;
        if (PEAL_UNLIKELY(status != PEAL_OK))
            bench_peal_must(status, "peal_subscriber_take_copy");
        check_lost(message);
        views[count] = (struct bench_view){buffer, message->size_bytes};
    }
    return count;
}

/* ---- in place ---- */

static size_t prepare_loan(void *opaque, void *places[], size_t size_bytes, size_t count)
{
    struct topic_end *end = opaque;
    enum peal_status status;
    size_t loaned = 0;

    if (count == 1) {
        status = peal_publisher_loan(end->publisher, size_bytes, places);
        loaned = status == PEAL_OK;
    } else {
        status = peal_publisher_loan_batch(end->publisher, size_bytes, count, places, &loaned);
    }
    if (PEAL_UNLIKELY(status != PEAL_OK && status != PEAL_FULL))
        bench_peal_must(status, "peal_publisher_loan");
    end->held = loaned;
    return status == PEAL_OK ? loaned : 0;
}

static size_t send_loan(void *opaque, size_t count)
{
    struct topic_end *end = opaque;

    if (end->held == 1)
        bench_peal_must(peal_publisher_commit(end->publisher, end->size_bytes),
                        "peal_publisher_commit");
    else
        bench_peal_must(peal_publisher_commit_batch(end->publisher, count),
                        "peal_publisher_commit_batch");
    return count;
}

static size_t receive_take(void *opaque, struct bench_view views[], size_t max)
{
    struct topic_end *end = opaque;
    enum peal_status status;
    size_t count = 0;

    bench_peal_bus_disarm(&end->bus);
    if (max == 1) {
        status = peal_subscriber_take(end->subscriber, end->messages);
        count = status == PEAL_OK;
    } else {
        status = peal_subscriber_take_batch(end->subscriber, end->messages, max, &count);
    }
    if (PEAL_UNLIKELY(status != PEAL_OK && status != PEAL_EMPTY))
        bench_peal_must(status, "peal_subscriber_take");
    for (size_t i = 0; i < count; i++) {
        check_lost(&end->messages[i]);
        views[i] = (struct bench_view){end->messages[i].data, end->messages[i].size_bytes};
    }
    end->held = count;
    return count;
}

static void release_take(void *opaque)
{
    struct topic_end *end = opaque;

    if (end->held == 1)
        bench_peal_must(peal_subscriber_release(end->subscriber, end->messages),
                        "peal_subscriber_release");
    else
        bench_peal_must(
            peal_subscriber_release_batch(end->subscriber, end->messages, end->held, NULL),
            "peal_subscriber_release_batch");
}

/* ---- latest ---- */

static size_t receive_latest(void *opaque, struct bench_view views[], size_t max)
{
    struct topic_end *end = opaque;
    enum peal_status status;

    (void)max;
    bench_peal_bus_disarm(&end->bus);
    status =
        peal_subscriber_take_copy(end->subscriber, end->buffers, end->size_bytes, end->messages);
    if (status == PEAL_EMPTY)
        return 0;
    if (PEAL_UNLIKELY(status != PEAL_OK))
        bench_peal_must(status, "peal_subscriber_take_copy");
    views[0] = (struct bench_view){end->buffers, end->messages[0].size_bytes};
    return 1;
}

/* ---- waiting ---- */

static void wait_topic(void *opaque, uint64_t timeout_ns)
{
    struct topic_end *end = opaque;

    (void)peal_subscriber_wait(end->subscriber, timeout_ns);
}

static int descriptor(void *opaque)
{
    const struct topic_end *end = opaque;

    return bench_peal_bus_descriptor(&end->bus);
}

static bool arm(void *opaque)
{
    struct topic_end *end = opaque;

    bench_peal_bus_arm(&end->bus);
    return false;
}

#define TOPIC_PATTERNS                                                                             \
    (BENCH_PATTERN_PAIR | BENCH_PATTERN_FAN_OUT | BENCH_PATTERN_FAN_IN | BENCH_PATTERN_MESH)

const struct bench_contender bench_peal_topic_copy = {
    .name = "peal topic, copy",
    .is_peal = true,
    .turn_ms = 4.2,
    .patterns = TOPIC_PATTERNS,
    .has_batches = true,
    .open = open_topic,
    .close = close_topic,
    .prepare = prepare_copy,
    .send = send_copy,
    .receive = receive_copy,
    .wait = wait_topic,
    .descriptor = descriptor,
    .arm = arm,
};

const struct bench_contender bench_peal_topic_loan = {
    .name = "peal topic, loan",
    .is_peal = true,
    .turn_ms = 4.2,
    .patterns = TOPIC_PATTERNS,
    .has_batches = true,
    .has_loans = true,
    .open = open_topic,
    .close = close_topic,
    .prepare = prepare_loan,
    .send = send_loan,
    .receive = receive_take,
    .release = release_take,
    .wait = wait_topic,
    .descriptor = descriptor,
    .arm = arm,
};

const struct bench_contender bench_peal_topic_latest = {
    .name = "peal topic, latest",
    .is_peal = true,
    .turn_ms = 4.2,
    .patterns = BENCH_PATTERN_LATEST,
    .open = open_topic,
    .close = close_topic,
    .prepare = prepare_copy,
    .send = send_copy,
    .receive = receive_latest,
    .wait = wait_topic,
    .descriptor = descriptor,
    .arm = arm,
};
