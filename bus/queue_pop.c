/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Popping: claim, copy or look in place, be done.
 */
#include "bus/queue_internal.h"
#include "core/bell.h"
#include "core/owner.h"

#include <string.h>

/* A poller looks for the dead after so many times that there was nothing, and then as often as the
 * bus's safety net says. */
#define IDLE_LOOKS 1024u

/* Done with the batch; rings its pusher if that waits for room. */
static void finish(struct peal_queue *queue)
{
    struct peal_queue_lane_shared *lane = queue->batch.source->lane;
    uint32_t entry = queue->batch.lane;
    peal_queue_consumer_finish(&queue->consumer, &queue->batch);
    if (queue->fences)
        peal_fence_seq_cst(); /* QUEUE-F1: pairs with ROOM-F2 in bus/queue_push.c */
    else
        peal_fence_compiler(); /* QUEUE-F2: pairs with ROOM-F2 and its membarrier */
    /* relaxed: the fences make one of us see the other */
    if (PEAL_LIKELY(peal_u64_load_relaxed(&lane->consumers.waiting) == 0))
        return;
    struct peal_bus *bus = queue->endpoint.bus;
    const struct peal_topic_shared *topic = &bus->region.topics[queue->topic];
    struct peal_owner owner = peal_owner_unpack(peal_owner_load(&topic->lanes[entry].owner));
    peal_bus_ring(bus, UINT64_C(1) << owner.client);
}

static __attribute__((noinline)) enum peal_status when_nothing(struct peal_queue *queue,
                                                               enum peal_status status)
{
    struct peal_bus *bus = queue->endpoint.bus;
    if (status == PEAL_ECORRUPT) {
        queue->corrupt++;
        peal_bus_note_corruption(bus);
    }
    if (peal_bus_is_closed(bus))
        return PEAL_CLOSED;
    /* What the dead held comes to light by recovery. */
    if (++queue->idle % IDLE_LOOKS == 0)
        (void)peal_bus_look_for_dead(bus, bus->safety_net_ns);
    return status;
}

/* Claims up to `max` messages, of which *count are sound. */
static enum peal_status take(struct peal_queue *queue, struct peal_queue_message *messages,
                             size_t max, size_t *count)
{
    *count = 0;
    if (PEAL_UNLIKELY(!(queue->uses & PEAL_QUEUE_POP) || queue->consumer.is_busy || !max))
        return PEAL_EINVAL;
    uint32_t wanted = max > PEAL_QUEUE_COUNT_MAX ? PEAL_QUEUE_COUNT_MAX : (uint32_t)max;
    struct peal_queue_batch *batch = &queue->batch;
    enum peal_status status = peal_queue_consumer_take(&queue->consumer, wanted, batch);
    if (PEAL_UNLIKELY(status != PEAL_OK))
        return when_nothing(queue, status);
    queue->idle = 0;
    size_t sound = 0;
    for (uint32_t i = 0; i < batch->range.count; i++) {
        struct peal_queue_message *message = &messages[sound];
        sound += peal_queue_batch_message(batch, i, &message->data, &message->size_bytes);
        message->number = (batch->range.from + i) & PEAL_QUEUE_POSITION_MASK;
        message->lane = batch->lane;
        message->is_redelivered = batch->is_redelivered;
    }
    queue->corrupt += batch->range.count - sound;
    queue->popped += sound;
    if (batch->is_redelivered)
        queue->redelivered += sound;
    if (PEAL_UNLIKELY(sound == 0)) {
        finish(queue);
        peal_bus_note_corruption(queue->endpoint.bus);
        return PEAL_ECORRUPT;
    }
    *count = sound;
    return PEAL_OK;
}

enum peal_status peal_queue_take(struct peal_queue *queue, struct peal_queue_message *messages,
                                 size_t max, size_t *count)
{
    return take(queue, messages, max, count);
}

enum peal_status peal_queue_done(struct peal_queue *queue)
{
    if (!(queue->uses & PEAL_QUEUE_POP) || !queue->consumer.is_busy)
        return PEAL_EINVAL;
    finish(queue);
    return PEAL_OK;
}

enum peal_status peal_queue_pop_batch(struct peal_queue *queue, void *buffer, size_t stride_bytes,
                                      struct peal_queue_message *messages, size_t max,
                                      size_t *count)
{
    unsigned char *bytes = buffer;
    *count = 0;
    if (PEAL_UNLIKELY(stride_bytes < queue->message_bytes_max))
        return PEAL_ETRUNC;
    enum peal_status status = take(queue, messages, max, count);
    if (status != PEAL_OK)
        return status;
    for (size_t i = 0; i < *count; i++) {
        memcpy(bytes + i * stride_bytes, messages[i].data, messages[i].size_bytes);
        messages[i].data = bytes + i * stride_bytes;
    }
    finish(queue);
    return PEAL_OK;
}

enum peal_status peal_queue_pop(struct peal_queue *queue, void *buffer, size_t capacity_bytes,
                                struct peal_queue_message *message)
{
    size_t count;
    return peal_queue_pop_batch(queue, buffer, capacity_bytes, message, 1, &count);
}
