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

/* The usual sizes become a few moves; a memcpy of unknown size is a call of some nanoseconds. */
static inline void copy_out(void *to, const void *from, size_t size_bytes)
{
    switch (size_bytes) {
    case 8:
        memcpy(to, from, 8);
        return;
    case 16:
        memcpy(to, from, 16);
        return;
    case 32:
        memcpy(to, from, 32);
        return;
    case 64:
        memcpy(to, from, 64);
        return;
    default:
        memcpy(to, from, size_bytes);
    }
}

/* Done with the batch; rings its pusher if that waits for room. */
static inline void finish(struct peal_queue *queue)
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

/* None of the batch's messages has a length that can be. */
static __attribute__((noinline)) enum peal_status lose(struct peal_queue *queue, uint32_t count)
{
    queue->corrupt += count;
    finish(queue);
    peal_bus_note_corruption(queue->endpoint.bus);
    return PEAL_ECORRUPT;
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
    enum peal_status status = peal_queue_consumer_take_any(&queue->consumer, wanted, batch);
    if (PEAL_UNLIKELY(status != PEAL_OK))
        return when_nothing(queue, status);
    queue->idle = 0;
    const struct peal_queue_source *source = batch->source;
    const struct peal_queue_range range = batch->range;
    const uint32_t lane = batch->lane;
    const bool is_redelivered = batch->is_redelivered;
    size_t sound = 0;
    for (uint32_t i = 0; i < range.count; i++) {
        struct peal_queue_message *message = &messages[sound];
        sound += peal_queue_source_message(source, &range, i, &message->data, &message->size_bytes);
        message->number = (range.from + i) & PEAL_QUEUE_POSITION_MASK;
        message->lane = lane;
        message->is_redelivered = is_redelivered;
    }
    if (PEAL_UNLIKELY(sound == 0))
        return lose(queue, range.count);
    queue->corrupt += range.count - sound;
    queue->popped += sound;
    if (is_redelivered)
        queue->redelivered += sound;
    *count = sound;
    return PEAL_OK;
}

/* The short way of the usual single message: into the buffer, or in place if there is none. AGAIN: nothing
 * was done, take the long way. */
static inline enum peal_status take_next(struct peal_queue *queue, void *buffer,
                                         struct peal_queue_message *message)
{
    struct peal_queue_batch *batch = &queue->batch;
    if (PEAL_UNLIKELY(!(queue->uses & PEAL_QUEUE_POP) || queue->consumer.is_busy) ||
        !peal_queue_consumer_take_next(&queue->consumer, batch))
        return PEAL_AGAIN;
    const void *data;
    size_t size_bytes;
    queue->idle = 0;
    if (PEAL_UNLIKELY(!peal_queue_batch_message(batch, 0, &data, &size_bytes)))
        return lose(queue, 1);
    if (buffer) {
        copy_out(buffer, data, size_bytes);
        data = buffer;
    }
    *message = (struct peal_queue_message){
        .data = data, .size_bytes = size_bytes, .number = batch->range.from, .lane = batch->lane};
    queue->popped++;
    if (buffer)
        finish(queue);
    return PEAL_OK;
}

enum peal_status peal_queue_take(struct peal_queue *queue, struct peal_queue_message *messages,
                                 size_t max, size_t *count)
{
    if (max == 1) {
        enum peal_status status = take_next(queue, NULL, messages);
        *count = status == PEAL_OK;
        if (PEAL_LIKELY(status != PEAL_AGAIN))
            return status;
    }
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
        copy_out(bytes, messages[i].data, messages[i].size_bytes);
        messages[i].data = bytes;
        bytes += stride_bytes;
    }
    finish(queue);
    return PEAL_OK;
}

enum peal_status peal_queue_pop(struct peal_queue *queue, void *buffer, size_t capacity_bytes,
                                struct peal_queue_message *message)
{
    size_t count;
    if (PEAL_LIKELY(capacity_bytes >= queue->message_bytes_max)) {
        enum peal_status status = take_next(queue, buffer, message);
        if (PEAL_LIKELY(status != PEAL_AGAIN))
            return status;
    }
    return peal_queue_pop_batch(queue, buffer, capacity_bytes, message, 1, &count);
}
