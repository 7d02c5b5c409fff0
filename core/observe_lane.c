/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lanes as an observer sees them: their figures, and a message of them.
 *
 * How many messages were published is not stored: the stamps of the slots tell. To find it costs the
 * logarithm of the depth in looks, and the mean length of messages a bounded sample, so that a publisher
 * whose lines an observer has looked at has few of them to fetch back.
 */
#include "core/crc32c.h"
#include "core/error.h"
#include "core/lane_reader.h"
#include "core/lane_reclaim.h"
#include "core/observe.h"
#include "core/queue_claim.h"
#include "core/queue_life.h"
#include "core/text.h"
#include "core/topic.h"

#include <inttypes.h>

#define NAME_WORDS 4u
#define SAMPLES_MAX 64u

static bool is_open(uint32_t state)
{
    return state == PEAL_LANE_OPENING || state == PEAL_LANE_ACTIVE || state == PEAL_LANE_ORPHAN;
}

/* A reader of nobody's, which looks and never acknowledges. */
static struct peal_lane_reader looker_of(const struct peal_lane_geometry *geometry,
                                         const struct peal_lane_shared *memory)
{
    unsigned char *base = (unsigned char *)(uintptr_t)memory;
    return (struct peal_lane_reader){
        .slots = base + PEAL_LANE_SLOTS_OFFSET,
        .mask = geometry->depth - 1,
        .stride_bytes = geometry->stride_bytes,
        .inline_bytes_max = geometry->inline_bytes_max < geometry->message_bytes_max
                                ? geometry->inline_bytes_max
                                : geometry->message_bytes_max,
        .meta_words = geometry->meta_bytes / 8,
        .safe_from = UINT64_MAX,
        .geometry = *geometry,
        .shared = (struct peal_lane_shared *)(void *)base,
        .payload = base + geometry->payload_offset,
    };
}

/* ---- a topic's lane ---- */

/* Every so many of the messages that a lane holds is looked at. */
struct sample {
    uint64_t step;
    uint32_t count;
};

static struct sample sample_of(uint64_t published, uint64_t depth)
{
    uint64_t held = published < depth ? published : depth;
    uint32_t count = held < SAMPLES_MAX ? (uint32_t)held : SAMPLES_MAX;
    return (struct sample){.step = count ? held / count : 0, .count = count};
}

static double mean_length(const struct peal_lane_reader *looker, uint64_t published)
{
    struct sample sample = sample_of(published, (uint64_t)looker->mask + 1);
    uint64_t sum = 0;
    uint32_t found = 0;
    for (uint32_t i = 0; i < sample.count; i++) {
        uint64_t number = published - 1 - i * sample.step;
        const struct peal_slot_shared *slot =
            peal_lane_slot(looker->slots, looker->mask, looker->stride_bytes, number);
        if (peal_stamp_look(slot) != peal_stamp_complete(number))
            continue;
        /* relaxed: behind the stamp; read this once */
        uint32_t length = peal_u32_load_relaxed(&slot->length);
        if (length > looker->geometry.message_bytes_max || !peal_stamp_is_still(slot, number))
            continue;
        sum += length;
        found++;
    }
    return found ? (double)sum / found : 0;
}

static uint64_t newest_timestamp(const struct peal_lane_reader *looker, uint64_t published)
{
    if (!(looker->geometry.options & PEAL_LANE_TIMESTAMP) || published == 0)
        return 0;
    const struct peal_slot_shared *slot =
        peal_lane_slot(looker->slots, looker->mask, looker->stride_bytes, published - 1);
    if (peal_stamp_look(slot) != peal_stamp_complete(published - 1))
        return 0;
    uint64_t stamped = peal_u64_load_relaxed(slot->body); /* relaxed: confirmed below */
    return peal_stamp_is_still(slot, published - 1) ? stamped : 0;
}

static void read_topic_lines(const struct peal_topic_shared *topic,
                             const struct peal_lane_shared *memory, struct peal_observe_lane *lane)
{
    for (uint32_t i = 0; i < PEAL_TOPIC_SUBSCRIBERS_MAX; i++) {
        uint64_t word = peal_owner_load(&topic->subscribers[i]);
        const struct peal_lane_reader_shared *line = &memory->readers[i];
        if (peal_owner_state(word) != PEAL_SUBSCRIBER_ACTIVE || peal_owner_load(&line->tag) != word)
            continue;
        /* relaxed: figures; a cursor that is ahead of the messages that are then found makes no lag */
        lane->lines[i] = (struct peal_observe_line){
            .is_joined = true,
            .cursor = peal_u64_load_relaxed(&line->cursor),
            .taken = peal_u64_load_relaxed(&line->delivered),
            .lost = peal_u64_load_relaxed(&line->lost),
        };
    }
}

static bool read_topic_lane(const struct peal_topic_shared *topic,
                            const struct peal_lane_shared *memory, uint64_t size_bytes,
                            struct peal_observe_lane *lane)
{
    struct peal_observer_publisher *seen = &lane->publisher;
    struct peal_lane_geometry geometry;
    if (peal_lane_geometry_load(&geometry, &seen->incarnation, memory, size_bytes) != PEAL_OK)
        return false;
    const struct peal_lane_reader looker = looker_of(&geometry, memory);
    read_topic_lines(topic, memory, lane);
    seen->published = peal_lane_reader_tail(&looker);
    seen->depth = geometry.depth;
    seen->message_bytes_max = geometry.message_bytes_max;
    seen->gates = !(geometry.options & PEAL_LANE_EVICT);
    /* relaxed: figures */
    seen->dropped = peal_u64_load_relaxed(&memory->writer.dropped);
    seen->waits = peal_u64_load_relaxed(&memory->writer.waiting) != 0;
    seen->bytes_per_message = mean_length(&looker, seen->published);
    seen->newest_ns = newest_timestamp(&looker, seen->published);
    uint64_t name[NAME_WORDS];
    peal_text_load(memory->geometry.name, name, NAME_WORDS);
    peal_text_unpack(name, NAME_WORDS, lane->name, sizeof(lane->name));
    peal_text_clean(lane->name);
    return true;
}

/* ---- a queue's lane ---- */

static double mean_cell_length(const struct peal_queue_geometry *geometry,
                               const struct peal_queue_lane_shared *memory, uint64_t published)
{
    const peal_u32 *lengths =
        (const void *)((const unsigned char *)memory + PEAL_QUEUE_LENGTHS_OFFSET);
    struct sample sample = sample_of(published, geometry->depth);
    uint64_t sum = 0;
    uint32_t found = 0;
    for (uint32_t i = 0; i < sample.count; i++) {
        uint64_t number = published - 1 - i * sample.step;
        /* relaxed: a figure, of this message or of a later one in its place */
        uint32_t length = peal_u32_load_relaxed(&lengths[number & (geometry->depth - 1)]);
        if (length > geometry->message_bytes_max)
            continue;
        sum += length;
        found++;
    }
    return found ? (double)sum / found : 0;
}

static void read_queue_lines(const struct peal_topic_shared *topic,
                             const struct peal_queue_lane_shared *memory, uint32_t depth,
                             struct peal_observe_lane *lane)
{
    uint64_t cursor = peal_queue_cursor_load(memory);
    for (uint32_t i = 0; i < PEAL_TOPIC_SUBSCRIBERS_MAX; i++) {
        uint64_t word = peal_owner_load(&topic->subscribers[i]);
        const struct peal_queue_reader_shared *line = &memory->readers[i];
        if (!peal_subscriber_is_held(word))
            continue;
        uint64_t claim = peal_queue_claim_load(&line->claim);
        uint32_t count = peal_queue_claim_count(claim);
        /* relaxed: figures */
        lane->lines[i] = (struct peal_observe_line){
            .is_joined = peal_owner_load(&line->tag) == word,
            .taken = peal_u64_load_relaxed(&line->popped),
            .lost = peal_u64_load_relaxed(&line->lost),
            .redelivered = peal_u64_load_relaxed(&line->redelivered),
            .held = count <= depth && peal_queue_is_won(cursor, claim, i) ? count : 0,
        };
    }
}

static bool read_queue_lane(const struct peal_topic_shared *topic,
                            const struct peal_queue_lane_shared *memory, uint64_t size_bytes,
                            struct peal_observe_lane *lane)
{
    struct peal_observer_publisher *seen = &lane->publisher;
    struct peal_queue_geometry geometry;
    if (peal_queue_geometry_load(&geometry, memory, size_bytes) != PEAL_OK)
        return false;
    read_queue_lines(topic, memory, geometry.depth, lane);
    seen->pending = peal_queue_lane_pending(memory);
    seen->published = peal_queue_published_load(memory);
    seen->lost = peal_queue_lane_lost(memory);
    seen->depth = geometry.depth;
    seen->message_bytes_max = geometry.message_bytes_max;
    seen->gates = true;
    /* relaxed: figures */
    seen->incarnation = peal_u64_load_relaxed(&memory->geometry.incarnation);
    seen->dropped = peal_u64_load_relaxed(&memory->drops.newest);
    seen->dropped_oldest = peal_u64_load_relaxed(&memory->drops.oldest);
    seen->waits = peal_u64_load_relaxed(&memory->consumers.waiting) != 0;
    seen->bytes_per_message = mean_cell_length(&geometry, memory, seen->published);
    return true;
}

/* ---- both ---- */

/* The pages of an open lane; false if they make no sense, or have been looked at too often. */
static bool find_pages(struct peal_observe_walk *walk, uint32_t topic, uint32_t lane,
                       struct peal_lane_pages *pages)
{
    const struct peal_lane_entry_shared *entry = &walk->region.topics[topic].lanes[lane];
    /* relaxed: a bound for the look that follows, which reads it for good */
    uint32_t count = peal_u32_load_relaxed(&entry->page_count);
    if (count > walk->page_looks_left)
        return false;
    walk->page_looks_left -= count;
    return peal_lane_pages_read(&walk->region, topic, lane, pages);
}

static void read_lane(struct peal_observe_walk *walk, uint32_t topic, uint32_t index, uint64_t word)
{
    const struct peal_topic_shared *shared = &walk->region.topics[topic];
    struct peal_observe_lane *lane = &walk->lanes[index];
    struct peal_observer_publisher *seen = &lane->publisher;
    *lane = (struct peal_observe_lane){
        .publisher = {.struct_bytes = sizeof(*seen), .topic = topic, .lane = index},
    };
    const struct peal_observer_publisher nothing = *seen;
    struct peal_lane_pages pages;
    bool is_sound = false;
    if (find_pages(walk, topic, index, &pages)) {
        const struct peal_lane_shared *memory = peal_lane_pages_memory(&walk->region, &pages);
        uint64_t size_bytes = (uint64_t)pages.count * PEAL_PAGE_BYTES;
        is_sound = peal_topic_is_queue(shared)
                       ? read_queue_lane(shared, (const void *)memory, size_bytes, lane)
                       : read_topic_lane(shared, memory, size_bytes, lane);
        seen->lane_bytes = size_bytes;
    }
    if (!is_sound)
        *seen = nothing;
    seen->is_spoilt = !is_sound;
    seen->name = lane->name;
    seen->life = peal_observe_life(walk, word);
    seen->client = peal_owner_unpack(word).client;
    seen->has_ended = peal_owner_state(word) == PEAL_LANE_ORPHAN;
}

void peal_observe_lane(struct peal_observe_walk *walk, uint32_t topic, uint32_t lane)
{
    const peal_u64 *owner = &walk->region.topics[topic].lanes[lane].owner;
    walk->lanes[lane].is_seen = false;
    for (uint32_t look = 0; look < PEAL_OBSERVE_LOOKS; look++) {
        uint64_t word = peal_owner_load(owner);
        if (!is_open(peal_owner_state(word)))
            return;
        read_lane(walk, topic, lane, word);
        walk->lanes[lane].is_seen = peal_owner_load(owner) == word;
        if (walk->lanes[lane].is_seen)
            return;
    }
}

/* ---- a message ---- */

/* A look at the lane's shape, and a looker at message `number`. */
static enum peal_status find_lane(const struct peal_region *region, uint32_t topic, uint32_t lane,
                                  uint64_t number, struct peal_lane_reader *looker)
{
    if (topic >= region->topics_max || lane >= PEAL_TOPIC_LANES_MAX)
        return peal_fail(PEAL_ENOENT, "there is no lane %" PRIu32 " of topic %" PRIu32, lane,
                         topic);
    const struct peal_topic_shared *shared = &region->topics[topic];
    uint32_t state = peal_owner_state(peal_owner_load(&shared->owner));
    uint64_t word = peal_owner_load(&shared->lanes[lane].owner);
    if ((state != PEAL_TOPIC_READY && state != PEAL_TOPIC_CLOSING) ||
        !is_open(peal_owner_state(word)))
        return peal_fail(PEAL_ENOENT, "topic %" PRIu32 " has no lane %" PRIu32 " now", topic, lane);
    if (peal_topic_is_queue(shared))
        return peal_fail(
            PEAL_ENOTSUP,
            "topic %" PRIu32 " is a queue; its messages are for one reader only: pop them", topic);
    struct peal_lane_pages pages;
    struct peal_lane_geometry geometry;
    uint64_t incarnation;
    bool is_sound = peal_lane_pages_read(region, topic, lane, &pages);
    const struct peal_lane_shared *memory = NULL;
    if (is_sound) {
        memory = peal_lane_pages_memory(region, &pages);
        is_sound = peal_lane_geometry_load(&geometry, &incarnation, memory,
                                           (uint64_t)pages.count * PEAL_PAGE_BYTES) == PEAL_OK;
    }
    if (peal_owner_load(&shared->lanes[lane].owner) != word)
        return PEAL_AGAIN;
    if (!is_sound)
        return peal_fail(PEAL_ECORRUPT, "lane %" PRIu32 " of topic %" PRIu32 " is spoilt", lane,
                         topic);
    *looker = looker_of(&geometry, memory);
    looker->incarnation = incarnation;
    peal_u64_store_relaxed(&looker->cursor, number); /* no fault point: private. relaxed: private */
    return PEAL_OK;
}

/* The message is not as it was when it was found. */
static enum peal_status moved(const struct peal_lane_reader *looker, uint64_t number)
{
    uint64_t stamp =
        peal_stamp_look(peal_lane_slot(looker->slots, looker->mask, looker->stride_bytes, number));
    /* relaxed: only tells which answer is the better one */
    bool is_retired = peal_u64_load_relaxed(&looker->shared->writer.oldest) > number;
    return is_retired || stamp > peal_stamp_complete(number) ? PEAL_ELAPPED : PEAL_AGAIN;
}

static enum peal_status copy(const struct peal_lane_reader *looker,
                             const struct peal_lane_view *view, void *buffer, size_t capacity_bytes,
                             struct peal_message *message)
{
    const struct peal_lane_geometry *geometry = &looker->geometry;
    bool in_ring = (view->kind & 0xffu) == PEAL_SLOT_RING;
    bool fits = view->length <= capacity_bytes;
    if (fits)
        peal_copy_out(buffer, view->data, view->length);
    bool has_crc = geometry->options & PEAL_LANE_CRC32C;
    /* relaxed: read before the confirmation, as all else of the message */
    uint64_t crc = has_crc ? peal_u64_load_relaxed(view->meta + (geometry->meta_bytes / 8 - 1)) : 0;
    bool is_stamped = geometry->options & PEAL_LANE_TIMESTAMP;
    uint64_t stamped = is_stamped ? peal_u64_load_relaxed(view->meta) : 0; /* relaxed: as above */
    if (!peal_lane_confirm(looker, view->slot, view->number, in_ring))
        return moved(looker, view->number);
    *message = (struct peal_message){
        .data = fits ? buffer : NULL,
        .size_bytes = view->length,
        .number = view->number,
        .timestamp_ns = stamped,
        .publisher = looker->incarnation,
    };
    if (!fits)
        return PEAL_ETRUNC;
    return has_crc && crc != peal_crc32c(buffer, view->length) ? PEAL_ECORRUPT : PEAL_OK;
}

enum peal_status peal_observe_message(const void *memory, uint64_t size_bytes, uint32_t topic,
                                      uint32_t lane, uint64_t number, void *buffer,
                                      size_t capacity_bytes, struct peal_message *message)
{
    struct peal_region region;
    struct peal_lane_reader looker;
    struct peal_lane_view view;
    enum peal_status status = peal_region_look(&region, memory, size_bytes);
    if (status == PEAL_OK)
        status = find_lane(&region, topic, lane, number, &looker);
    if (status != PEAL_OK)
        return status;
    if (number > UINT64_MAX / 2 - 2)
        return PEAL_EMPTY;
    uint64_t stamp =
        peal_stamp_look(peal_lane_slot(looker.slots, looker.mask, looker.stride_bytes, number));
    if (stamp != peal_stamp_complete(number))
        return stamp > peal_stamp_complete(number) ? PEAL_ELAPPED : PEAL_EMPTY;
    status = peal_lane_look(&looker, &view);
    if (status == PEAL_AGAIN || status == PEAL_EMPTY)
        return moved(&looker, number);
    if (status != PEAL_OK)
        return status;
    status = copy(&looker, &view, buffer, capacity_bytes, message);
    if (status == PEAL_OK || status == PEAL_ETRUNC)
        message->lane = lane;
    return status;
}
