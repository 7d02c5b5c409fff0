/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pushing: the lane's short way, then one look at who sleeps.
 */
#include "bus/queue_internal.h"
#include "core/bell.h"
#include "core/owner.h"

static_assert(sizeof(struct peal_slice) == sizeof(struct peal_queue_piece) &&
                  offsetof(struct peal_slice, data) == offsetof(struct peal_queue_piece, data) &&
                  offsetof(struct peal_slice, size_bytes) ==
                      offsetof(struct peal_queue_piece, size_bytes),
              "the one is cast to the other");

/* Somebody sleeps: rings those who pop from this queue. */
static __attribute__((noinline)) void ring_sleepers(struct peal_queue *queue, uint64_t armed)
{
    struct peal_bus *bus = queue->endpoint.bus;
    const struct peal_topic_shared *topic = &bus->region.topics[queue->topic];
    uint64_t clients = 0;
    for (uint32_t entry = 0; entry < PEAL_TOPIC_SUBSCRIBERS_MAX; entry++) {
        struct peal_owner owner = peal_owner_unpack(peal_owner_load(&topic->subscribers[entry]));
        if (owner.state == PEAL_SUBSCRIBER_ACTIVE)
            clients |= UINT64_C(1) << owner.client;
    }
    if (armed & clients)
        peal_bus_ring(bus, armed & clients);
}

static inline void look_for_sleepers(struct peal_queue *queue)
{
    PEAL_FAULT("queue.before_bell");
    uint64_t armed =
        peal_bell_armed(&queue->endpoint.bus->region.header->sleepers.armed, queue->fences);
    if (PEAL_UNLIKELY(armed))
        ring_sleepers(queue, armed);
}

/* What a pusher that waits for room tries again and again. */
struct attempt {
    struct peal_queue *queue;
    enum peal_status status;
};

static bool has_room(void *context)
{
    struct attempt *attempt = context;
    attempt->status = peal_queue_producer_room(&attempt->queue->producer, 1);
    return attempt->status != PEAL_FULL;
}

/* Tells those who pop that they shall ring us when they are done with a message. */
static void announce_waiting(void *context, bool asleep)
{
    struct attempt *attempt = context;
    /* relaxed: the fence below, or the waiter's membarrier after it, orders it before our looks */
    peal_u64_store_relaxed(&attempt->queue->producer.lane->consumers.waiting, asleep ? 1 : 0);
    PEAL_FAULT("queue.waiting");
    /* ROOM-F2: pairs with QUEUE-F1 in bus/queue_pop.c:finish(), and pairs with QUEUE-F2 there by the
     * membarrier of peal_bus_sleep() that follows */
    peal_fence_seq_cst();
}

static enum peal_status wait_for_room(struct peal_queue *queue)
{
    struct attempt attempt = {.queue = queue};
    const struct peal_sleeper_condition condition = {
        .ready = has_room,
        .context = &attempt,
        .announce = announce_waiting,
    };
    queue->waits++;
    /* In the middle of a batch: who is to make room may sleep, and has not been told of the rest. */
    look_for_sleepers(queue);
    enum peal_status status =
        peal_bus_sleep(queue->endpoint.bus, &condition, queue->full_timeout_ns);
    if (status == PEAL_OK)
        return attempt.status;
    return status == PEAL_TIMEDOUT ? PEAL_FULL : status;
}

/* The lane is full: OK if there is room now. */
static __attribute__((noinline)) enum peal_status when_full(struct peal_queue *queue)
{
    struct peal_bus *bus = queue->endpoint.bus;
    /* Who holds us up may be dead; whoever does not wait has to look himself now and then. */
    if (peal_bus_look_for_dead(bus, bus->safety_net_ns) &&
        peal_queue_producer_room(&queue->producer, 1) == PEAL_OK)
        return PEAL_OK;
    enum peal_status status = PEAL_FULL;
    if (queue->full_policy == PEAL_QUEUE_FULL_WAIT)
        status = wait_for_room(queue);
    queue->refused += status == PEAL_FULL;
    return status;
}

static enum peal_status push_all(struct peal_queue *queue, const struct peal_queue_cargo *cargo,
                                 size_t count, size_t *pushed)
{
    struct peal_queue_producer *producer = &queue->producer;
    uint64_t dropped = producer->dropped_newest;
    uint64_t first = producer->next;
    size_t done = 0;
    enum peal_status status = PEAL_OK;
    if (PEAL_UNLIKELY(!(queue->uses & PEAL_QUEUE_PUSH)))
        status = PEAL_EINVAL;
    else if (peal_queue_producer_is_too_long(producer, cargo, count))
        status = PEAL_EMSGSIZE;
    while (status == PEAL_OK && done < count) {
        size_t some = 0;
        status = peal_queue_producer_push_cargo(producer, cargo, done, count, &some);
        done += some;
        if (status == PEAL_OK)
            break;
        if (status == PEAL_FULL)
            status = when_full(queue);
    }
    if (producer->next != first)
        look_for_sleepers(queue);
    if (pushed)
        *pushed = done;
    return status == PEAL_OK && producer->dropped_newest != dropped ? PEAL_DROPPED : status;
}

enum peal_status peal_queue_push_batch(struct peal_queue *queue, const void *data,
                                       size_t size_bytes, size_t count, size_t *pushed)
{
    const struct peal_queue_cargo cargo = {.data = data, .size_bytes = size_bytes};
    return push_all(queue, &cargo, count, pushed);
}

enum peal_status peal_queue_push_slices(struct peal_queue *queue, const struct peal_slice *messages,
                                        size_t count, size_t *pushed)
{
    const struct peal_queue_cargo cargo = {.pieces = (const void *)messages};
    return push_all(queue, &cargo, count, pushed);
}

enum peal_status peal_queue_push(struct peal_queue *queue, const void *data, size_t size_bytes)
{
    struct peal_queue_producer *producer = &queue->producer;
    /* A handle that does not push has a limit of 0. */
    if (PEAL_UNLIKELY(size_bytes > producer->message_bytes_max ||
                      producer->next >= producer->limit))
        return peal_queue_push_batch(queue, data, size_bytes, 1, NULL);
    peal_queue_producer_put(producer, data, size_bytes);
    look_for_sleepers(queue);
    return PEAL_OK;
}
