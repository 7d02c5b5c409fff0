/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The queues of the target `region`: a plain one, and a strict one that drops what the dead held. Each has a producer, a
 * consumer, and a second consumer who is dead and holds two messages.
 */
#ifndef PEAL_TESTS_FUZZ_REGION_QUEUE_H
#define PEAL_TESTS_FUZZ_REGION_QUEUE_H

#include "core/queue_consumer.h"

#include <stdlib.h>
#include <string.h>

#define QUEUE_MESSAGE_BYTES 16u
#define QUEUES 2u

struct queue_scene {
    struct peal_queue_producer producer;
    struct peal_lane_place place;
    struct peal_queue_consumer consumer;
    struct peal_queue_consumer dead;
    struct peal_queue_batch batch;
    bool is_open;
};

static struct queue_scene queues[QUEUES];
static struct queue_scene sound_queues[QUEUES];

static inline void queue_must(bool condition)
{
    if (!condition)
        abort();
}

static inline struct peal_queue_wish queue_wish(uint32_t which)
{
    return (struct peal_queue_wish){
        .kind = PEAL_TOPIC_IS_QUEUE,
        .options = which ? (uint32_t)(PEAL_QUEUE_STRICT | PEAL_QUEUE_DROPS_HELD) : 0u,
        .message_bytes_max = QUEUE_MESSAGE_BYTES,
    };
}

static inline void queue_open(uint32_t which, struct peal_region *pusher,
                              struct peal_region *popper, struct peal_region *dead)
{
    struct queue_scene *scene = &queues[which];
    const struct peal_queue_wish wanted = queue_wish(which);
    const struct peal_topic_type type = {.queue = &wanted};
    const char *name = which ? "s" : "q";
    uint64_t word = 0;
    queue_must(peal_queue_consumer_open(&scene->consumer, popper, name, &type) == PEAL_OK);
    queue_must(peal_queue_consumer_open(&scene->dead, dead, name, &type) == PEAL_OK);
    queue_must(peal_queue_producer_open(&scene->producer, &scene->place, pusher, name, &type, 8,
                                        which ? PEAL_QUEUE_DROP_OLDEST : PEAL_QUEUE_DROP_NEWEST) ==
               PEAL_OK);
    for (; word < 6; word++)
        queue_must(peal_queue_producer_push(&scene->producer, &word, sizeof(word)) == PEAL_OK);
    queue_must(peal_queue_consumer_take(&scene->dead, 2, &scene->batch) == PEAL_OK);
    queue_must(peal_queue_consumer_take(&scene->consumer, 1, &scene->batch) == PEAL_OK);
    peal_queue_consumer_finish(&scene->consumer, &scene->batch);
    scene->is_open = true;
}

/* Whatever was said: messages lie in the region. */
static inline void queue_take(struct queue_scene *scene, uint64_t how, const unsigned char *memory,
                              size_t region_bytes)
{
    struct peal_queue_consumer *consumer = &scene->consumer;
    if (consumer->is_busy && how % 2)
        peal_queue_consumer_finish(consumer, &scene->batch);
    if (consumer->is_busy ||
        peal_queue_consumer_take(consumer, 1 + (uint32_t)how % 11, &scene->batch) != PEAL_OK)
        return;
    queue_must(scene->batch.range.count >= 1 && scene->batch.range.count <= 11);
    for (uint32_t i = 0; i < scene->batch.range.count; i++) {
        const void *data;
        size_t size_bytes;
        if (!peal_queue_batch_message(&scene->batch, i, &data, &size_bytes))
            continue;
        const unsigned char *from = data;
        queue_must(from >= memory && size_bytes <= QUEUE_MESSAGE_BYTES &&
                   (size_t)(from - memory) <= region_bytes - size_bytes);
    }
    if (how % 3)
        peal_queue_consumer_finish(consumer, &scene->batch);
}

static inline void queue_push(struct queue_scene *scene, uint64_t how)
{
    static const unsigned char bytes[6 * QUEUE_MESSAGE_BYTES];
    size_t pushed = 0;
    if (how % 2)
        (void)peal_queue_producer_push(&scene->producer, bytes, how % (QUEUE_MESSAGE_BYTES + 2));
    else
        (void)peal_queue_producer_push_batch(&scene->producer, bytes,
                                             how % (QUEUE_MESSAGE_BYTES + 1), 1 + how % 6, &pushed);
    queue_must(pushed <= 6);
}

static inline void queue_figures(const struct queue_scene *scene, const struct peal_region *region)
{
    static const peal_u64 given_up[PEAL_TOPIC_LANES_MAX];
    for (uint32_t i = 0; i < scene->consumer.joined_count; i++) {
        const struct peal_queue_source *source = &scene->consumer.joined[i].source;
        (void)peal_queue_lane_pending(source->lane);
        (void)peal_queue_lane_lost(source->lane);
    }
    (void)peal_queue_has_work(region, scene->consumer.topic, given_up);
}

/* Another handle comes and goes. */
static inline void queue_visit(uint32_t which, uint64_t how, struct peal_region *region,
                               const unsigned char *memory, size_t region_bytes)
{
    const struct peal_queue_wish wanted = queue_wish(which);
    const struct peal_topic_type type = {.queue = &wanted};
    const char *name = which ? "s" : "q";
    static struct queue_scene visitor;
    visitor = (struct queue_scene){0};
    if (how % 2) {
        if (peal_queue_producer_open(&visitor.producer, &visitor.place, region, name, &type, 4,
                                     PEAL_QUEUE_REFUSE) != PEAL_OK)
            return;
        queue_push(&visitor, how / 2);
        peal_queue_producer_close(region, &visitor.place);
        return;
    }
    if (peal_queue_consumer_open(&visitor.consumer, region, name, &type) != PEAL_OK)
        return;
    queue_take(&visitor, how / 2, memory, region_bytes);
    peal_queue_consumer_close(&visitor.consumer);
}

/* A scene's own end; its handle is of no use after that. */
static inline void queue_leave(struct queue_scene *scene, uint64_t how, struct peal_region *pusher)
{
    if (!scene->is_open)
        return;
    scene->is_open = false;
    peal_queue_consumer_close(&scene->consumer);
    if (how % 2)
        peal_queue_producer_close(pusher, &scene->place);
}

static inline void queue_command(uint64_t command, uint64_t how, struct peal_region *pusher,
                                 struct peal_region *popper, const unsigned char *memory,
                                 size_t region_bytes)
{
    const uint32_t which = command % 2;
    struct queue_scene *scene = &queues[which];
    switch (command / 2 % 6) {
    case 0:
    case 1:
        if (scene->is_open)
            queue_take(scene, how, memory, region_bytes);
        break;
    case 2:
        if (scene->is_open)
            queue_push(scene, how);
        break;
    case 3:
        queue_visit(which, how, popper, memory, region_bytes);
        break;
    case 4:
        if (how % 8 == 0)
            queue_leave(scene, how / 8, pusher);
        break;
    default:
        if (scene->is_open)
            queue_figures(scene, popper);
    }
}

#endif
