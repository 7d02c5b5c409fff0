/* SPDX-License-Identifier: Apache-2.0 */
#include "core/queue_life.h"

#include "core/epoch.h"
#include "core/fault.h"
#include "core/lane_reclaim.h"
#include "core/queue_claim.h"
#include "core/queue_geometry.h"
#include "core/topic.h"

/* How often a claim is looked at again; only one helper's step can come between. */
#define LOOKS 4u

/* ---- lanes ---- */

/* Is the claim of entry `reader` one that was won and is not done with? */
static bool is_standing(const struct peal_topic_shared *topic, struct peal_queue_lane_shared *lane,
                        uint64_t cursor, uint32_t reader)
{
    uint64_t claim = peal_queue_claim_load(&lane->readers[reader].claim);
    return peal_queue_claim_count(claim) > 0 && peal_queue_is_won(cursor, claim, reader) &&
           peal_subscriber_is_held(peal_owner_load(&topic->subscribers[reader]));
}

bool peal_queue_lane_is_done(const struct peal_topic_shared *topic,
                             struct peal_queue_lane_shared *lane)
{
    uint64_t cursor = peal_queue_cursor_load(lane);
    uint64_t published = peal_queue_published_load(lane);
    uint64_t left = peal_queue_distance(peal_queue_cursor_position(cursor), published);
    if (left > 0 && left <= PEAL_QUEUE_DEPTH_MAX)
        return false;
    for (uint32_t i = 0; i < PEAL_TOPIC_SUBSCRIBERS_MAX; i++) {
        if (is_standing(topic, lane, cursor, i))
            return false;
    }
    return true;
}

uint64_t peal_queue_lane_lost(const struct peal_queue_lane_shared *lane)
{
    uint64_t lost = 0;
    for (uint32_t i = 0; i < PEAL_TOPIC_SUBSCRIBERS_MAX; i++)
        lost += peal_u64_load_relaxed(&lane->readers[i].lost); /* relaxed: a figure */
    return lost;
}

uint64_t peal_queue_lane_pending(const struct peal_queue_lane_shared *lane)
{
    uint64_t cursor = peal_queue_cursor_load(lane);
    uint64_t published = peal_queue_published_load(lane);
    uint64_t left = peal_queue_distance(peal_queue_cursor_position(cursor), published);
    return left <= PEAL_QUEUE_DEPTH_MAX ? left : 0;
}

bool peal_queue_has_work(const struct peal_region *region, uint32_t topic, const peal_u64 *given_up)
{
    const struct peal_topic_shared *shared = &region->topics[topic];
    for (uint32_t i = 0; i < PEAL_TOPIC_SUBSCRIBERS_MAX; i++) {
        if (peal_owner_state(peal_owner_load(&shared->subscribers[i])) == PEAL_SUBSCRIBER_ORPHANED)
            return true;
    }
    for (uint32_t i = 0; i < PEAL_TOPIC_LANES_MAX; i++) {
        uint64_t word = peal_owner_load(&shared->lanes[i].owner);
        uint32_t state = peal_owner_state(word);
        /* relaxed: the consumer's own note; an old one costs a look */
        if ((state != PEAL_LANE_ACTIVE && state != PEAL_LANE_ORPHAN) ||
            peal_u64_load_relaxed(&given_up[i]) == word)
            continue;
        /* Whatever lies there: it is read, and nothing but the answer depends on it.
         * relaxed: behind the owner word */
        uint32_t first = peal_u32_load_relaxed(&shared->lanes[i].first_page);
        const uint32_t pages = sizeof(struct peal_queue_lane_shared) / PEAL_PAGE_BYTES + 1;
        if (first < region->first_data_page || first >= region->page_count ||
            region->page_count - first < pages)
            continue;
        if (peal_queue_lane_pending((const void *)(region->base + (size_t)first * PEAL_PAGE_BYTES)))
            return true;
    }
    return false;
}

void peal_queue_lane_retire(struct peal_topic_shared *topic, struct peal_queue_lane_shared *lane)
{
    uint64_t cursor = peal_queue_cursor_load(lane);
    uint64_t claim = peal_queue_claim_load(&lane->drops.claim);
    bool is_won = claim && peal_queue_is_won(cursor, claim, PEAL_QUEUE_PRODUCER);
    const peal_u64 *oldest = is_won ? &lane->drops.oldest_after : &lane->drops.oldest;
    struct peal_topic_queue_shared *sums = &topic->queue;
    uint64_t lost = peal_queue_lane_lost(lane);
    /* relaxed: figures for observers, and the lane is ours alone */
    (void)peal_u64_add_relaxed(&sums->published, peal_u64_load_relaxed(&lane->producer.published));
    PEAL_FAULT("queue.retiring");
    /* relaxed: as above */
    (void)peal_u64_add_relaxed(&sums->dropped_oldest, peal_u64_load_relaxed(oldest));
    PEAL_FAULT("queue.retiring");
    /* relaxed: as above */
    (void)peal_u64_add_relaxed(&sums->dropped_newest, peal_u64_load_relaxed(&lane->drops.newest));
    PEAL_FAULT("queue.retiring");
    /* relaxed: as above */
    (void)peal_u64_add_relaxed(&sums->lost, lost);
    PEAL_FAULT("queue.retired");
}

/* ---- pins ---- */

static bool is_joinable(uint64_t word)
{
    uint32_t state = peal_owner_state(word);
    return state == PEAL_LANE_OPENING || state == PEAL_LANE_ACTIVE || state == PEAL_LANE_ORPHAN;
}

/* Pins the lane and looks what is there. OK: pinned, and *pages are sound. Else not pinned: EMPTY,
 * ECORRUPT, AGAIN as in peal_queue_join(). */
static enum peal_status pin(struct peal_region *region, uint32_t topic, uint32_t lane,
                            uint32_t entry, struct peal_lane_pages *pages)
{
    enum peal_status status = peal_lane_pin(region, topic, lane, entry);
    if (status != PEAL_OK)
        return status;
    if (!is_joinable(peal_owner_load(&region->topics[topic].lanes[lane].owner)))
        status = PEAL_AGAIN;
    else if (!peal_lane_pages_read(region, topic, lane, pages))
        status = PEAL_ECORRUPT;
    if (status != PEAL_OK)
        peal_lane_unpin(region, topic, lane, entry);
    return status;
}

enum peal_status peal_queue_join(struct peal_region *region, uint32_t topic, uint32_t lane,
                                 uint32_t entry, uint64_t tag, struct peal_lane_found *found)
{
    if (topic >= region->topics_max || lane >= PEAL_TOPIC_LANES_MAX ||
        entry >= PEAL_TOPIC_SUBSCRIBERS_MAX || tag == 0)
        return PEAL_EMPTY;
    struct peal_lane_pages pages;
    enum peal_status status = pin(region, topic, lane, entry, &pages);
    if (status == PEAL_AGAIN || status == PEAL_ECORRUPT)
        (void)peal_lane_reclaim(region, topic, lane); /* our pin may have spared it */
    if (status != PEAL_OK)
        return status;
    const struct peal_lane_entry_shared *shared = &region->topics[topic].lanes[lane];
    uint64_t word = peal_owner_load(&shared->owner);
    struct peal_lane_shared *memory = peal_lane_pages_memory(region, &pages);
    peal_u64 *line = &memory->readers[entry].tag;
    /* Only we and the producer's invitation of us write here. */
    for (uint32_t look = 0; look < LOOKS; look++) {
        uint64_t seen = peal_owner_load(line);
        if (seen == tag || peal_owner_swap(line, seen, tag))
            break;
    }
    PEAL_FAULT("queue.joined");
    peal_lane_unpin(region, topic, lane, entry);
    *found = (struct peal_lane_found){
        .memory = memory,
        .size_bytes = (uint64_t)pages.count * PEAL_PAGE_BYTES,
        .name_hash = peal_u64_load_relaxed(&shared->name_hash), /* relaxed: behind the owner word */
        .word = word,
        .page_word = pages.word,
        .orphan = peal_owner_state(word) == PEAL_LANE_ORPHAN,
    };
    return PEAL_OK;
}

/* ---- entries of the dead ---- */

/* Drops what the claim holds and counts it, such that it is counted once if we die on the way and
 * another goes on. The entry is ours. */
static void drop_held(struct peal_queue_reader_shared *line, uint64_t claim)
{
    bool is_noted = peal_queue_claim_load(&line->lost_claim) == claim;
    /* relaxed: the line is ours alone, and claims order it for the next adopter */
    uint64_t after = peal_u64_load_relaxed(&line->lost_after);
    if (!is_noted) {
        /* relaxed: as above */
        after = peal_u64_load_relaxed(&line->lost) + peal_queue_claim_count(claim);
        peal_u64_store_relaxed(&line->lost_after, after);
        PEAL_FAULT("queue.lost_noted");
        peal_queue_claim_store(&line->lost_claim, claim); /* the sum before the claim it is for */
        PEAL_FAULT("queue.lost_claim");
    }
    peal_u64_store_relaxed(&line->lost, after); /* relaxed: as above */
    PEAL_FAULT("queue.lost");
    peal_queue_claim_store(&line->claim, 0);
    PEAL_FAULT("queue.dropped");
}

bool peal_queue_settle(const struct peal_topic_shared *topic, struct peal_queue_lane_shared *lane,
                       uint32_t entry)
{
    /* relaxed: published by the topic's owner word */
    bool drops = peal_u32_load_relaxed(&topic->queue.options) & PEAL_QUEUE_DROPS_HELD;
    struct peal_queue_reader_shared *line = &lane->readers[entry];
    for (uint32_t look = 0; look < LOOKS; look++) {
        uint64_t cursor = peal_queue_cursor_load(lane);
        uint64_t claim = peal_queue_claim_load(&line->claim);
        if (claim == 0)
            return false;
        uint64_t from = peal_queue_claim_from(claim);
        uint32_t count = peal_queue_claim_count(claim);
        bool is_won = count > 0 && peal_queue_is_won(cursor, claim, entry);
        uint64_t settled = is_won ? peal_queue_claim_pack(PEAL_QUEUE_CLAIMED, from, count) : 0;
        /* By swap, for a helper may make it CLAIMED at this moment. */
        if (claim != settled && !peal_queue_claim_swap(&line->claim, claim, settled))
            continue;
        PEAL_FAULT("queue.settled");
        if (!is_won)
            return false;
        if (!drops)
            return true;
        drop_held(line, settled);
        return false;
    }
    return true;
}

static bool settle_all(struct peal_region *region, uint32_t topic, uint32_t entry)
{
    const struct peal_topic_shared *shared = &region->topics[topic];
    bool is_left = false;
    for (uint32_t lane = 0; lane < PEAL_TOPIC_LANES_MAX; lane++) {
        struct peal_lane_pages pages;
        enum peal_status status = pin(region, topic, lane, entry, &pages);
        if (status == PEAL_OK) {
            is_left |=
                peal_queue_settle(shared, (void *)peal_lane_pages_memory(region, &pages), entry);
            peal_lane_unpin(region, topic, lane, entry);
        }
        /* Just being reclaimed: it will be seen whether a claim stands there. */
        is_left |= status == PEAL_AGAIN;
    }
    return is_left;
}

/* ADOPTED by us, from `seen`. */
static bool take_over(struct peal_region *region, uint32_t topic, uint32_t entry, uint64_t seen,
                      uint64_t *word)
{
    struct peal_topic_shared *shared = &region->topics[topic];
    *word = peal_owner_take(seen, PEAL_SUBSCRIBER_ADOPTED, region->index,
                            (uint32_t)region->incarnation);
    if (!peal_owner_swap(&shared->subscribers[entry], seen, *word))
        return false;
    PEAL_FAULT("queue.adopted");
    /* Pins of the dead are no pins. Relaxed: the entry is ours, and a stale pin spares a lane once. */
    peal_u64_store_relaxed(&shared->subscriber_flags[entry], 0);
    PEAL_FAULT("queue.unpinned");
    return true;
}

void peal_queue_release(struct peal_region *region, uint32_t topic, uint32_t entry, uint64_t word,
                        bool is_left)
{
    struct peal_topic_shared *shared = &region->topics[topic];
    uint32_t state = is_left ? PEAL_SUBSCRIBER_ORPHANED : PEAL_SUBSCRIBER_FREE;
    if (!peal_owner_swap(&shared->subscribers[entry], word, peal_owner_next(word, state)))
        return;
    PEAL_FAULT("queue.released");
    peal_epoch_move(&shared->subscriber_epoch);
    PEAL_FAULT("queue.release_announced");
    peal_topic_tidy(region, topic);
}

bool peal_queue_bury(struct peal_region *region, uint32_t topic, uint32_t entry)
{
    struct peal_topic_shared *shared = &region->topics[topic];
    uint64_t seen = peal_owner_load(&shared->subscribers[entry]);
    bool is_orphaned = peal_owner_state(seen) == PEAL_SUBSCRIBER_ORPHANED;
    if (!peal_subscriber_is_held(seen) || (!is_orphaned && !peal_region_is_dead(region, seen)))
        return false;
    uint64_t word;
    if (!take_over(region, topic, entry, seen, &word))
        return false;
    bool is_left = settle_all(region, topic, entry);
    peal_queue_release(region, topic, entry, word, is_left);
    return !is_left;
}

bool peal_queue_adopt(struct peal_region *region, uint32_t topic, uint32_t *entry, uint64_t *word)
{
    struct peal_topic_shared *shared = &region->topics[topic];
    for (uint32_t i = 0; i < PEAL_TOPIC_SUBSCRIBERS_MAX; i++) {
        uint64_t seen = peal_owner_load(&shared->subscribers[i]);
        if (peal_owner_state(seen) != PEAL_SUBSCRIBER_ORPHANED)
            continue;
        if (!take_over(region, topic, i, seen, word))
            continue;
        *entry = i;
        return true;
    }
    return false;
}
