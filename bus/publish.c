/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Publishing: the lane's short way, then one look at who sleeps. This is the hot path of a publisher;
 * what is rare stands in functions of its own.
 */
#include "bus/publisher_internal.h"

#include "core/epoch.h"
#include "core/owner.h"

/* Which clients have a subscriber of the topic. */
static uint64_t subscribing_clients(const struct peal_topic_shared *topic)
{
    uint64_t clients = 0;
    for (uint32_t entry = 0; entry < PEAL_TOPIC_SUBSCRIBERS_MAX; entry++) {
        struct peal_owner owner = peal_owner_unpack(peal_owner_load(&topic->subscribers[entry]));
        if (owner.state == PEAL_SUBSCRIBER_ACTIVE)
            clients |= 1ull << owner.client;
    }
    return clients;
}

/* Somebody sleeps: rings those who wait for this topic. */
static __attribute__((noinline)) enum peal_status ring_sleepers(struct peal_publisher *publisher,
                                                                uint64_t armed)
{
    const struct peal_topic_shared *topic = publisher->writer.topic;
    /* Who set its bit in `armed` had moved the epoch before; so this sees at least as much. */
    uint64_t epoch = peal_epoch_read(&topic->subscriber_epoch);
    if (!publisher->targets_known || epoch != publisher->targets_epoch) {
        publisher->targets = subscribing_clients(topic);
        publisher->targets_epoch = epoch;
        publisher->targets_known = true;
    }
    uint64_t targets = armed & publisher->targets;
    if (targets)
        peal_bus_ring(publisher->endpoint.bus, targets);
    return PEAL_OK;
}

/* After one message or one batch of them: wakes who sleeps. Always OK, so that hot paths can end
 * with it. */
static inline enum peal_status look_for_sleepers(struct peal_publisher *publisher)
{
    PEAL_FAULT("publish.before_bell");
    uint64_t armed = peal_bell_armed(publisher->armed, publisher->fences);
    if (PEAL_LIKELY(!armed))
        return PEAL_OK;
    return ring_sleepers(publisher, armed);
}

/* What a publisher that waits for room tries again and again. */
struct attempt {
    struct peal_publisher *publisher;
    const void *data; /* NULL with a loan */
    size_t size_bytes;
    uint64_t timestamp_ns;
    void **loan; /* NULL with a copy */
    enum peal_status status;
};

static enum peal_status try_once(struct attempt *attempt)
{
    struct peal_lane_writer *writer = &attempt->publisher->writer;
    if (attempt->loan)
        return peal_lane_reserve(writer, attempt->size_bytes, attempt->loan);
    return peal_lane_put(writer, attempt->data, attempt->size_bytes, attempt->timestamp_ns);
}

static bool attempt_succeeds(void *context)
{
    struct attempt *attempt = context;
    peal_lane_gate(&attempt->publisher->writer);
    attempt->status = try_once(attempt);
    return attempt->status != PEAL_FULL;
}

/* Tells subscribers that their acknowledgement shall ring us. */
static void announce_waiting(void *context, bool asleep)
{
    struct attempt *attempt = context;
    /* relaxed: the fence below, or the waiter's membarrier after it, orders it before our looks */
    peal_u64_store_relaxed(&attempt->publisher->writer.shared->writer.waiting, asleep ? 1 : 0);
    PEAL_FAULT("publish.waiting");
    /* ROOM-F1: pairs with LANE-F4 in lane_reader.c:peal_lane_acknowledge(), and pairs with LANE-F5
     * there by the membarrier of peal_bus_sleep() that follows */
    peal_fence_seq_cst();
}

static enum peal_status wait_for_room(struct attempt *attempt)
{
    struct peal_publisher *publisher = attempt->publisher;
    struct peal_bus *bus = publisher->endpoint.bus;
    const struct peal_sleeper_condition condition = {
        .ready = attempt_succeeds,
        .context = attempt,
        .announce = announce_waiting,
    };
    publisher->waits++;
    /* In the middle of a batch: who is to make room may sleep, and has not been told of the rest. */
    (void)look_for_sleepers(publisher);
    enum peal_status status = peal_bus_sleep(bus, &condition, publisher->full_timeout_ns);
    if (status == PEAL_OK)
        return attempt->status;
    publisher->refused++;
    return status == PEAL_TIMEDOUT ? PEAL_FULL : status;
}

/* The gate is shut: does what the policy says. */
static __attribute__((noinline)) enum peal_status when_full(struct attempt *attempt)
{
    struct peal_publisher *publisher = attempt->publisher;
    struct peal_bus *bus = publisher->endpoint.bus;
    /* Who holds us up may be dead; whoever does not wait has to look himself now and then. */
    if (peal_bus_look_for_dead(bus, bus->safety_net_ns) && attempt_succeeds(attempt))
        return attempt->status;
    switch (publisher->full_policy) {
    case PEAL_FULL_WAIT:
        return wait_for_room(attempt);
    case PEAL_FULL_DROP_NEWEST:
        peal_lane_drop(&publisher->writer);
        return PEAL_DROPPED;
    case PEAL_FULL_REFUSE:
    case PEAL_FULL_EVICT:
        break;
    }
    publisher->refused++;
    return PEAL_FULL;
}

/* Any message: with options, through the payload ring, at a shut gate. */
static enum peal_status put(struct peal_publisher *publisher, const void *data, size_t size_bytes)
{
    uint64_t now_ns = publisher->timestamp ? peal_clock_ns() : 0;
    enum peal_status status = peal_lane_put(&publisher->writer, data, size_bytes, now_ns);
    if (status != PEAL_FULL)
        return status;
    struct attempt attempt = {
        .publisher = publisher, .data = data, .size_bytes = size_bytes, .timestamp_ns = now_ns};
    return when_full(&attempt);
}

static __attribute__((noinline)) enum peal_status
publish_slowly(struct peal_publisher *publisher, const void *data, size_t size_bytes)
{
    if (publisher->writer.loaned)
        return PEAL_EINVAL;
    enum peal_status status = put(publisher, data, size_bytes);
    if (status == PEAL_OK)
        (void)look_for_sleepers(publisher);
    return status;
}

/* The hot path: the message's line, and one look at a line that nobody writes while all are awake. */
enum peal_status peal_publisher_publish(struct peal_publisher *publisher, const void *data,
                                        size_t size_bytes)
{
    if (PEAL_UNLIKELY(!peal_lane_is_plain(&publisher->writer, size_bytes)))
        return publish_slowly(publisher, data, size_bytes);
    peal_lane_put_plain(&publisher->writer, data, size_bytes);
    return look_for_sleepers(publisher);
}

enum peal_status peal_publisher_publish_batch(struct peal_publisher *publisher,
                                              const struct peal_slice *messages, size_t count,
                                              size_t *published)
{
    enum peal_status status = publisher->writer.loaned ? PEAL_EINVAL : PEAL_OK;
    bool dropped = false;
    size_t done = 0;
    const uint64_t first = publisher->writer.next;
    while (status == PEAL_OK && done < count) {
        if (PEAL_LIKELY(peal_lane_is_plain(&publisher->writer, messages[done].size_bytes))) {
            peal_lane_put_plain(&publisher->writer, messages[done].data, messages[done].size_bytes);
            done++;
            continue;
        }
        status = put(publisher, messages[done].data, messages[done].size_bytes);
        if (status == PEAL_DROPPED) {
            dropped = true;
            status = PEAL_OK;
        }
        done += status == PEAL_OK;
    }
    if (publisher->writer.next != first)
        (void)look_for_sleepers(publisher);
    if (published)
        *published = done;
    return status == PEAL_OK && dropped ? PEAL_DROPPED : status;
}

enum peal_status peal_publisher_loan_batch(struct peal_publisher *publisher, size_t size_bytes,
                                           size_t count, void **data, size_t *loaned)
{
    *loaned = 0;
    if (PEAL_UNLIKELY(publisher->writer.loaned || !count))
        return PEAL_EINVAL;
    if (count > 1 && peal_lane_fits_slot(&publisher->writer, size_bytes)) {
        *loaned = peal_lane_reserve_batch(&publisher->writer, size_bytes, count, data);
        if (PEAL_LIKELY(*loaned))
            return PEAL_OK;
    }
    for (size_t i = 0; i < count; i++) {
        enum peal_status status = peal_lane_reserve(&publisher->writer, size_bytes, &data[i]);
        if (PEAL_UNLIKELY(status == PEAL_FULL)) {
            if (i)
                break; /* what there is will do; the caller comes again for the rest */
            struct attempt attempt = {
                .publisher = publisher, .size_bytes = size_bytes, .loan = &data[0]};
            status = when_full(&attempt);
        }
        if (PEAL_UNLIKELY(status != PEAL_OK))
            return status;
        *loaned = i + 1;
    }
    return PEAL_OK;
}

enum peal_status peal_publisher_loan(struct peal_publisher *publisher, size_t size_bytes,
                                     void **data)
{
    if (PEAL_LIKELY(peal_lane_is_plain(&publisher->writer, size_bytes))) {
        *data = peal_lane_reserve_plain(&publisher->writer, size_bytes);
        return PEAL_OK;
    }
    size_t loaned;
    return peal_publisher_loan_batch(publisher, size_bytes, 1, data, &loaned);
}

static __attribute__((noinline)) enum peal_status commit_slowly(struct peal_publisher *publisher,
                                                                size_t size_bytes)
{
    struct peal_lane_writer *writer = &publisher->writer;
    if (writer->loaned != 1 || size_bytes > writer->loan_bytes)
        return PEAL_EINVAL;
    peal_lane_commit(writer, size_bytes, publisher->timestamp ? peal_clock_ns() : 0);
    (void)look_for_sleepers(publisher);
    return PEAL_OK;
}

enum peal_status peal_publisher_commit(struct peal_publisher *publisher, size_t size_bytes)
{
    struct peal_lane_writer *writer = &publisher->writer;
    if (PEAL_UNLIKELY(!peal_lane_commits_plainly(writer) || size_bytes > writer->loan_bytes))
        return commit_slowly(publisher, size_bytes);
    peal_lane_commit_plain(writer, size_bytes);
    return look_for_sleepers(publisher);
}

enum peal_status peal_publisher_commit_batch(struct peal_publisher *publisher, size_t count)
{
    struct peal_lane_writer *writer = &publisher->writer;
    if (PEAL_UNLIKELY(count > writer->loaned))
        return PEAL_EINVAL;
    uint64_t now_ns = PEAL_UNLIKELY(publisher->timestamp) ? peal_clock_ns() : 0;
    peal_lane_commit_batch(writer, count, now_ns);
    peal_lane_discard(writer);
    if (count)
        (void)look_for_sleepers(publisher);
    return PEAL_OK;
}

enum peal_status peal_publisher_discard(struct peal_publisher *publisher)
{
    peal_lane_discard(&publisher->writer);
    return PEAL_OK;
}
