/* SPDX-License-Identifier: Apache-2.0 */
#include "core/queue_consumer.h"

#include "core/epoch.h"
#include "core/error.h"
#include "core/fault.h"
#include "core/owner.h"
#include "core/topic.h"

#include <string.h>

/* How often lanes may move under a consumer that looks for the order. */
#define ATTEMPTS 64u

/* ---- coming and going ---- */

/* Those behind it move up: nobody is passed over by a round that goes on. */
static void leave(struct peal_queue_consumer *consumer, uint32_t index)
{
    const struct peal_queue_joined gone = consumer->joined[index];
    const uint32_t behind = --consumer->joined_count - index;
    memmove(&consumer->joined[index], &consumer->joined[index + 1],
            behind * sizeof(consumer->joined[0]));
    if (consumer->turn > index)
        consumer->turn--;
    if (consumer->turn >= consumer->joined_count)
        consumer->turn = 0;
    peal_lane_leave(consumer->region, consumer->topic, gone.lane, consumer->entry, consumer->word,
                    (void *)gone.source.lane);
}

/* The lane as it is now is not looked at again. */
static void give_up(struct peal_queue_consumer *consumer, uint32_t lane)
{
    const struct peal_topic_shared *topic = &consumer->region->topics[consumer->topic];
    /* no fault point: private.
     * relaxed: other threads of ours only want to know whether it makes sense to wake us */
    peal_u64_store_relaxed(&consumer->given_up[lane], peal_owner_load(&topic->lanes[lane].owner));
}

static bool is_given_up(const struct peal_queue_consumer *consumer, uint32_t lane)
{
    const struct peal_topic_shared *topic = &consumer->region->topics[consumer->topic];
    uint64_t word = peal_owner_load(&topic->lanes[lane].owner);
    /* relaxed: only we write it */
    return peal_owner_state(word) != PEAL_LANE_FREE &&
           peal_u64_load_relaxed(&consumer->given_up[lane]) == word;
}

static struct peal_queue_joined *find_joined(struct peal_queue_consumer *consumer, uint32_t lane)
{
    for (uint32_t i = 0; i < consumer->joined_count; i++) {
        if (consumer->joined[i].lane == lane)
            return &consumer->joined[i];
    }
    return NULL;
}

static bool is_ended(uint64_t word)
{
    uint32_t state = peal_owner_state(word);
    return state == PEAL_LANE_ORPHAN || state == PEAL_LANE_RECLAIMING;
}

/* Looks at one entry: joins a lane that is new, notes that one has ended. False: look again. */
static bool look_at_lane(struct peal_queue_consumer *consumer, uint32_t lane)
{
    const struct peal_topic_shared *topic = &consumer->region->topics[consumer->topic];
    struct peal_queue_joined *joined = find_joined(consumer, lane);
    if (joined || is_given_up(consumer, lane)) /* our tag keeps it what it is */
        return true;
    struct peal_lane_found found;
    enum peal_status status = peal_queue_join(consumer->region, consumer->topic, lane,
                                              consumer->entry, consumer->word, &found);
    if (status != PEAL_OK)
        return status != PEAL_AGAIN;
    struct peal_queue_lane_shared *memory = (void *)found.memory;
    struct peal_queue_geometry geometry;
    bool is_sound = peal_queue_geometry_load(&geometry, memory, found.size_bytes) == PEAL_OK &&
                    geometry.message_bytes_max == consumer->message_bytes_max &&
                    (geometry.options == PEAL_QUEUE_STRICT) == consumer->is_strict;
    if (!is_sound)
        give_up(consumer, lane);
    if (!is_sound || (found.orphan && peal_queue_lane_is_done(topic, memory))) {
        peal_lane_leave(consumer->region, consumer->topic, lane, consumer->entry, consumer->word,
                        found.memory);
        return true;
    }
    joined = &consumer->joined[consumer->joined_count++];
    *joined = (struct peal_queue_joined){.lane = lane, .owner = &topic->lanes[lane].owner};
    peal_queue_source_init(&joined->source, &geometry, memory, consumer->entry);
    struct peal_queue_reader_shared *line = peal_queue_source_line(&joined->source);
    /* no fault point: figures, and what stands there is an earlier consumer's.
     * relaxed: for observers */
    peal_u64_store_relaxed(&line->popped, 0);
    peal_u64_store_relaxed(&line->redelivered, 0);
    return true;
}

static void look_at_lanes(struct peal_queue_consumer *consumer)
{
    consumer->lane_epoch_seen = peal_epoch_read(consumer->lane_epoch);
    consumer->is_look_due = false;
    for (uint32_t lane = 0; lane < PEAL_TOPIC_LANES_MAX; lane++)
        consumer->is_look_due |= !look_at_lane(consumer, lane);
}

enum peal_status peal_queue_consumer_open(struct peal_queue_consumer *consumer,
                                          struct peal_region *region, const char *name,
                                          const struct peal_topic_type *type)
{
    *consumer =
        (struct peal_queue_consumer){.region = region, .adopted_entry = PEAL_QUEUE_ENTRY_NONE};
    enum peal_status status =
        peal_topic_subscribe(region, name, type, PEAL_SUBSCRIBER_IS_RELIABLE, &consumer->topic,
                             &consumer->entry, &consumer->word);
    if (status != PEAL_OK)
        return status;
    const struct peal_topic_shared *topic = &region->topics[consumer->topic];
    /* relaxed: published by the topic's owner word */
    consumer->message_bytes_max = peal_u32_load_relaxed(&topic->queue.message_bytes_max);
    /* relaxed: as above */
    consumer->is_strict = peal_u32_load_relaxed(&topic->queue.options) & PEAL_QUEUE_STRICT;
    consumer->lane_epoch = &topic->lane_epoch;
    consumer->subscriber_epoch = &topic->subscriber_epoch;
    /* One before the present one: whom the dead left behind is looked for at the first take. */
    consumer->subscriber_epoch_seen = peal_epoch_read(consumer->subscriber_epoch) - 1;
    look_at_lanes(consumer);
    if (consumer->joined_count)
        consumer->turn = consumer->entry % consumer->joined_count;
    return PEAL_OK;
}

void peal_queue_consumer_close(struct peal_queue_consumer *consumer)
{
    struct peal_region *region = consumer->region;
    if (consumer->adopted_entry != PEAL_QUEUE_ENTRY_NONE)
        peal_queue_release(region, consumer->topic, consumer->adopted_entry, consumer->adopted_word,
                           true);
    while (consumer->joined_count)
        leave(consumer, consumer->joined_count - 1);
    if (consumer->is_busy) {
        /* As if we had died, but that nobody needs to find out. */
        peal_queue_release(region, consumer->topic, consumer->entry, consumer->word, true);
        (void)peal_queue_bury(region, consumer->topic, consumer->entry);
    }
    peal_topic_unsubscribe(region, consumer->topic, consumer->entry, consumer->word);
}

/* ---- what the dead left ---- */

/* A message that the adopted entry still holds in one of our lanes. */
static bool take_adopted(struct peal_queue_consumer *consumer, uint32_t wanted,
                         struct peal_queue_batch *batch)
{
    const struct peal_topic_shared *topic = &consumer->region->topics[consumer->topic];
    for (uint32_t i = 0; i < consumer->joined_count; i++) {
        struct peal_queue_source *source = &consumer->joined[i].source;
        if (!peal_queue_settle(topic, source->lane, consumer->adopted_entry))
            continue;
        /* relaxed: behind the entry's owner word; ours alone while we have adopted it */
        uint64_t claim =
            peal_u64_load_relaxed(&source->lane->readers[consumer->adopted_entry].claim);
        uint32_t count = peal_queue_claim_count(claim);
        if (count == 0 || count > source->mask + 1)
            continue;
        *batch = (struct peal_queue_batch){
            .source = source,
            .range = {.from = peal_queue_claim_from(claim),
                      .count = count < wanted ? count : wanted},
            .lane = consumer->joined[i].lane,
            .is_redelivered = true,
        };
        return true;
    }
    return false;
}

/* Adopts the next orphaned entry, or is done with the one at hand. False: there is none. */
static bool adopt_next(struct peal_queue_consumer *consumer)
{
    if (consumer->adopted_entry != PEAL_QUEUE_ENTRY_NONE) {
        /* All lanes that we could look at; if one could not be looked at somebody looks later. */
        peal_queue_release(consumer->region, consumer->topic, consumer->adopted_entry,
                           consumer->adopted_word, consumer->is_look_due);
        consumer->adopted_entry = PEAL_QUEUE_ENTRY_NONE;
        if (consumer->is_look_due)
            return false;
    }
    consumer->subscriber_epoch_seen = peal_epoch_read(consumer->subscriber_epoch);
    if (!peal_queue_adopt(consumer->region, consumer->topic, &consumer->adopted_entry,
                          &consumer->adopted_word))
        return false;
    look_at_lanes(consumer);
    return true;
}

/* ---- taking ---- */

/* What is rarely to be done before a take. True: *batch holds something redelivered. */
static bool take_care(struct peal_queue_consumer *consumer, uint32_t wanted,
                      struct peal_queue_batch *batch)
{
    if (peal_epoch_read(consumer->lane_epoch) != consumer->lane_epoch_seen || consumer->is_look_due)
        look_at_lanes(consumer);
    for (uint32_t i = 0; i <= PEAL_TOPIC_SUBSCRIBERS_MAX; i++) {
        if (consumer->adopted_entry != PEAL_QUEUE_ENTRY_NONE &&
            take_adopted(consumer, wanted, batch))
            return true;
        if (!adopt_next(consumer))
            return false;
    }
    return false;
}

static void turn_on(struct peal_queue_consumer *consumer)
{
    consumer->turn = consumer->turn + 1 < consumer->joined_count ? consumer->turn + 1 : 0;
    consumer->stay = 0;
}

/* The lane at `index` gave a batch. */
static enum peal_status give(struct peal_queue_consumer *consumer, uint32_t index,
                             struct peal_queue_batch *batch)
{
    struct peal_queue_joined *joined = &consumer->joined[index];
    batch->source = &joined->source;
    batch->lane = joined->lane;
    batch->is_redelivered = false;
    consumer->is_busy = true;
    return PEAL_OK;
}

static enum peal_status lose_lane(struct peal_queue_consumer *consumer, uint32_t index)
{
    give_up(consumer, consumer->joined[index].lane);
    leave(consumer, index);
    return PEAL_ECORRUPT;
}

/* A lane was found empty: if it had ended before, it is done with. True: it has been left. */
static bool leave_if_ended(struct peal_queue_consumer *consumer, uint32_t index)
{
    struct peal_queue_joined *joined = &consumer->joined[index];
    if (joined->is_ended) {
        leave(consumer, index);
        return true;
    }
    /* What was published before it ended is there at the next look. */
    joined->is_ended = is_ended(peal_owner_load(joined->owner));
    return false;
}

/* Looks at the heads of all lanes. *first: the lane with the lowest ticket, *end: the lowest ticket of
 * the others. A spoilt lane is given up. */
static enum peal_status look_at_heads(struct peal_queue_consumer *consumer,
                                      struct peal_queue_head *heads, uint32_t *first, uint64_t *end)
{
    uint64_t lowest = UINT64_MAX;
    *end = UINT64_MAX;
    for (uint32_t i = 0; i < consumer->joined_count; i++) {
        PEAL_FAULT("queue.looking");
        if (peal_queue_source_head(&consumer->joined[i].source, &heads[i]) != PEAL_OK)
            return lose_lane(consumer, i);
        if (heads[i].ticket < lowest) {
            *end = lowest;
            lowest = heads[i].ticket;
            *first = i;
        } else if (heads[i].ticket < *end) {
            *end = heads[i].ticket;
        }
    }
    return lowest == UINT64_MAX ? PEAL_EMPTY : PEAL_OK;
}

/*
 * In one order over all producers: the lowest ticket first. Two looks, for lanes are not looked at all at
 * once: what was pushed, to its end, before the push of a message that the first look saw began, is seen
 * by the second. So a message is taken only if it was there at the first look and nothing that came
 * before it is there at the second.
 */
static enum peal_status take_in_order(struct peal_queue_consumer *consumer, uint32_t wanted,
                                      struct peal_queue_batch *batch)
{
    for (uint32_t attempt = 0; attempt < ATTEMPTS; attempt++) {
        struct peal_queue_head seen[PEAL_TOPIC_LANES_MAX];
        struct peal_queue_head now[PEAL_TOPIC_LANES_MAX];
        uint32_t first = 0;
        uint32_t again = 0;
        uint64_t end;
        enum peal_status status = look_at_heads(consumer, seen, &first, &end);
        if (status == PEAL_OK &&
            peal_epoch_read(consumer->lane_epoch) != consumer->lane_epoch_seen) {
            look_at_lanes(consumer); /* what came before may be in a lane that we do not know */
            continue;
        }
        if (status == PEAL_OK)
            status = look_at_heads(consumer, now, &again, &end);
        if (status != PEAL_OK)
            return status;
        if (first != again || seen[first].cursor != now[first].cursor)
            continue;
        struct peal_queue_source *source = &consumer->joined[first].source;
        uint32_t count = peal_queue_source_run(source, &seen[first], end, wanted);
        if (peal_queue_source_claim_head(source, &seen[first], count, &batch->range) == PEAL_OK)
            return give(consumer, first, batch);
    }
    return PEAL_EMPTY;
}

/* Lanes in turn, each once. */
static enum peal_status take_in_turn(struct peal_queue_consumer *consumer, uint32_t wanted,
                                     struct peal_queue_batch *batch)
{
    for (uint32_t left = consumer->joined_count; left > 0; left--) {
        uint32_t index = consumer->turn;
        struct peal_queue_source *source = &consumer->joined[index].source;
        enum peal_status status = PEAL_EMPTY;
        if (!peal_queue_source_is_idle(source))
            status = peal_queue_source_claim(source, wanted, &batch->range);
        if (status == PEAL_OK) {
            consumer->stay += batch->range.count;
            if (consumer->stay >= PEAL_QUEUE_STAY)
                turn_on(consumer);
            return give(consumer, index, batch);
        }
        if (status == PEAL_ECORRUPT)
            return lose_lane(consumer, index);
        if (status != PEAL_EMPTY || !leave_if_ended(consumer, index))
            turn_on(consumer);
    }
    return PEAL_EMPTY;
}

enum peal_status peal_queue_consumer_take_any(struct peal_queue_consumer *consumer, uint32_t wanted,
                                              struct peal_queue_batch *batch)
{
    if (wanted > PEAL_QUEUE_COUNT_MAX)
        wanted = PEAL_QUEUE_COUNT_MAX;
    if (PEAL_UNLIKELY(peal_queue_consumer_needs_care(consumer)) &&
        take_care(consumer, wanted, batch)) {
        consumer->is_busy = true;
        return PEAL_OK;
    }
    if (PEAL_LIKELY(!consumer->is_strict))
        return take_in_turn(consumer, wanted, batch);
    enum peal_status status = take_in_order(consumer, wanted, batch);
    for (uint32_t i = 0; status == PEAL_EMPTY && i < consumer->joined_count;) {
        const struct peal_queue_source *source = &consumer->joined[i].source;
        if (peal_queue_lane_pending(source->lane) || !leave_if_ended(consumer, i))
            i++;
    }
    return status;
}

void peal_queue_consumer_finish_redelivered(struct peal_queue_consumer *consumer,
                                            const struct peal_queue_batch *batch)
{
    struct peal_queue_source *source = batch->source;
    peal_u64 *word = &source->lane->readers[consumer->adopted_entry].claim;
    /* relaxed: ours alone. What is left of the claim stays claimed. */
    uint32_t held = peal_queue_claim_count(peal_u64_load_relaxed(word));
    uint32_t done = batch->range.count;
    source->redelivered += done;
    /* no fault point: a figure. relaxed: for observers */
    peal_u64_store_relaxed(&peal_queue_source_line(source)->redelivered, source->redelivered);
    uint64_t rest = held <= done ? 0
                                 : peal_queue_claim_pack(PEAL_QUEUE_CLAIMED,
                                                         batch->range.from + done, held - done);
    peal_queue_claim_store(word, rest);
    PEAL_FAULT("queue.redelivered");
}

/* ---- producers ---- */

enum peal_status peal_queue_producer_open(struct peal_queue_producer *producer,
                                          struct peal_lane_place *place, struct peal_region *region,
                                          const char *name, const struct peal_topic_type *type,
                                          uint32_t depth, enum peal_queue_full_action action)
{
    enum peal_status status =
        peal_topic_claim_lane(region, name, type, &place->topic, &place->lane, &place->word);
    if (status != PEAL_OK)
        return status;
    /* relaxed: published by the topic's owner word; checked like any other wish */
    uint32_t bytes = peal_u32_load_relaxed(&region->topics[place->topic].queue.message_bytes_max);
    uint32_t options = peal_u32_load_relaxed(&region->topics[place->topic].queue.options);
    struct peal_queue_geometry geometry;
    struct peal_lane_shared *memory;
    status = peal_queue_geometry_make(&geometry, depth, bytes, options);
    if (status == PEAL_OK)
        status = peal_lane_allocate(region, place, geometry.size_bytes, 0, &memory);
    if (status == PEAL_OK) {
        peal_queue_geometry_store(&geometry, region->incarnation, "", (void *)memory);
        peal_queue_producer_init(producer, &geometry, (void *)memory,
                                 &region->topics[place->topic].queue.ticket, action);
        status = peal_lane_open(region, place);
    }
    if (status != PEAL_OK)
        peal_lane_abandon(region, place);
    return status;
}

void peal_queue_producer_close(struct peal_region *region, struct peal_lane_place *place)
{
    peal_lane_close(region, place);
}
