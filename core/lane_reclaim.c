/* SPDX-License-Identifier: Apache-2.0 */
#include "core/lane_reclaim.h"

#include "core/epoch.h"
#include "core/fault.h"
#include "core/pages.h"
#include "core/queue_life.h"
#include "core/topic.h"

/* Each time round, a subscriber has left meanwhile; there are not more of them than that. */
#define ATTEMPTS (2u * PEAL_TOPIC_SUBSCRIBERS_MAX)

bool peal_lane_pages_read(const struct peal_region *region, uint32_t topic, uint32_t lane,
                          struct peal_lane_pages *pages)
{
    const struct peal_lane_entry_shared *entry = &region->topics[topic].lanes[lane];
    /* relaxed: published by the entry's owner word, which the caller has read */
    pages->word = peal_u64_load_relaxed(&entry->page_word);
    pages->first = peal_u32_load_relaxed(&entry->first_page);
    pages->count = peal_u32_load_relaxed(&entry->page_count);
    struct peal_owner owner = peal_owner_unpack(pages->word);
    if (owner.state != PEAL_PAGE_LANE || owner.version != (topic << 5 | lane) ||
        pages->first < region->first_data_page || pages->first >= region->page_count ||
        pages->count > region->page_count - pages->first ||
        (uint64_t)pages->count * PEAL_PAGE_BYTES < sizeof(struct peal_lane_shared))
        return false;
    for (uint32_t i = 0; i < pages->count; i++) {
        if (peal_owner_load(&region->page_map[pages->first + i]) != pages->word)
            return false;
    }
    return true;
}

struct peal_lane_shared *peal_lane_pages_memory(const struct peal_region *region,
                                                const struct peal_lane_pages *pages)
{
    return (struct peal_lane_shared *)(void *)(region->base +
                                               (size_t)pages->first * PEAL_PAGE_BYTES);
}

/* Does subscriber entry `reader`, whose owner word is `word`, read the lane or is about to? */
static bool reads(const struct peal_topic_shared *topic, uint32_t lane,
                  const struct peal_lane_shared *memory, uint32_t reader, uint64_t word)
{
    /* The pin is looked at before the tag: it goes only after the tag has come.
     * LIFE-A1: pairs with LIFE-R2 and LIFE-R3 in lane_join.c:peal_lane_join() */
    uint64_t flags = peal_u64_load_acquire(&topic->subscriber_flags[reader]);
    if (flags >> (PEAL_SUBSCRIBER_PIN_SHIFT + lane) & 1)
        return true;
    return peal_owner_load(&memory->readers[reader].tag) == word;
}

/* Clients whose live subscribers read the lane. Lanes whose pages are not sound are read by nobody:
 * either a reclaimer died while it gave them back, or the entry is spoilt. */
static uint64_t reading_clients(const struct peal_region *region, uint32_t topic, uint32_t lane,
                                const struct peal_lane_pages *pages, bool are_sound)
{
    uint64_t clients = 0;
    if (!are_sound)
        return 0;
    const struct peal_topic_shared *shared = &region->topics[topic];
    const struct peal_lane_shared *memory = peal_lane_pages_memory(region, pages);
    for (uint32_t i = 0; i < PEAL_TOPIC_SUBSCRIBERS_MAX; i++) {
        uint64_t word = peal_owner_load(&shared->subscribers[i]);
        uint32_t state = peal_owner_state(word);
        if ((state == PEAL_SUBSCRIBER_ACTIVE || state == PEAL_SUBSCRIBER_ADOPTED) &&
            reads(shared, lane, memory, i, word) && !peal_region_is_dead(region, word))
            clients |= UINT64_C(1) << peal_owner_unpack(word).client;
    }
    return clients;
}

uint64_t peal_lane_reading_clients(struct peal_region *region, uint32_t topic, uint32_t lane)
{
    uint64_t word = peal_owner_load(&region->topics[topic].lanes[lane].owner);
    if (peal_owner_state(word) != PEAL_LANE_ORPHAN)
        return 0;
    struct peal_lane_pages pages;
    bool are_sound = peal_lane_pages_read(region, topic, lane, &pages);
    return reading_clients(region, topic, lane, &pages, are_sound);
}

/* Does a queue's lane hold messages that nobody has had yet? */
static bool is_owed(const struct peal_region *region, uint32_t topic, uint32_t lane)
{
    struct peal_lane_pages pages;
    return peal_topic_is_queue(&region->topics[topic]) &&
           peal_lane_pages_read(region, topic, lane, &pages) &&
           !peal_queue_lane_is_done(&region->topics[topic],
                                    (void *)peal_lane_pages_memory(region, &pages));
}

bool peal_lane_bury_dead(struct peal_region *region, uint32_t topic, uint32_t lane, uint64_t word)
{
    struct peal_topic_shared *shared = &region->topics[topic];
    peal_u64 *owner = &shared->lanes[lane].owner;
    bool is_claimed = peal_owner_state(word) == PEAL_LANE_CLAIMED;
    uint32_t state = is_claimed ? PEAL_LANE_FREE : PEAL_LANE_ORPHAN;
    if (!peal_owner_swap(owner, word, peal_owner_next(word, state)))
        return false;
    PEAL_FAULT("lane.buried");
    peal_epoch_move(&shared->lane_epoch);
    PEAL_FAULT("lane.burial_announced");
    return true;
}

bool peal_lane_bury(struct peal_region *region, uint32_t topic, uint32_t lane)
{
    uint64_t word = peal_owner_load(&region->topics[topic].lanes[lane].owner);
    return peal_lane_is_published(word) && peal_region_is_dead(region, word) &&
           peal_lane_bury_dead(region, topic, lane, word);
}

/* ORPHAN again, in the name of the publisher, whom the pages still know. */
static bool put_back(struct peal_topic_shared *shared, uint32_t lane, uint64_t reclaiming,
                     const struct peal_lane_pages *pages)
{
    struct peal_owner publisher = peal_owner_unpack(pages->word);
    uint64_t orphan =
        peal_owner_take(reclaiming, PEAL_LANE_ORPHAN, publisher.client, publisher.incarnation);
    if (!peal_owner_swap(&shared->lanes[lane].owner, reclaiming, orphan))
        return false;
    PEAL_FAULT("lane.spared");
    /* Somebody may have met RECLAIMING and wait for what comes of it. */
    peal_epoch_move(&shared->lane_epoch);
    PEAL_FAULT("lane.spared_announced");
    return true;
}

/* An orphan, or left half-reclaimed by the dead? */
static bool may_reclaim(const struct peal_region *region, uint64_t word)
{
    uint32_t state = peal_owner_state(word);
    return state == PEAL_LANE_ORPHAN ||
           (state == PEAL_LANE_RECLAIMING && peal_region_is_dead(region, word));
}

bool peal_lane_reclaim(struct peal_region *region, uint32_t topic, uint32_t lane)
{
    if (topic >= region->topics_max || lane >= PEAL_TOPIC_LANES_MAX)
        return false;
    struct peal_topic_shared *shared = &region->topics[topic];
    peal_u64 *owner = &shared->lanes[lane].owner;
    for (uint32_t attempt = 0; attempt < ATTEMPTS; attempt++) {
        uint64_t word = peal_owner_load(owner);
        if (!may_reclaim(region, word))
            return peal_owner_state(word) == PEAL_LANE_FREE;
        /* A look first: no need to disturb a lane that is plainly read. */
        if (peal_owner_state(word) == PEAL_LANE_ORPHAN &&
            (peal_lane_reading_clients(region, topic, lane) || is_owed(region, topic, lane)))
            return false;
        uint64_t reclaiming = peal_owner_take(word, PEAL_LANE_RECLAIMING, region->index,
                                              (uint32_t)region->incarnation);
        if (!peal_owner_swap(owner, word, reclaiming))
            continue;
        PEAL_FAULT("lane.reclaiming");
        /* LIFE-F2: pairs with LIFE-F3, LIFE-F4 and DIR-F7: who joins, leaves, unsubscribes */
        peal_fence_seq_cst();
        struct peal_lane_pages pages;
        bool are_sound = peal_lane_pages_read(region, topic, lane, &pages);
        if (reading_clients(region, topic, lane, &pages, are_sound) ||
            is_owed(region, topic, lane)) {
            if (!put_back(shared, lane, reclaiming, &pages))
                return false;
            /* LIFE-F5: pairs with LIFE-F4 in peal_lane_leave() */
            peal_fence_seq_cst();
            continue;
        }
        if (are_sound && peal_topic_is_queue(shared))
            peal_queue_lane_retire(shared, (void *)peal_lane_pages_memory(region, &pages));
        if (peal_owner_unpack(pages.word).version == (topic << 5 | lane))
            (void)peal_pages_give(region, pages.first, pages.count, pages.word);
        PEAL_FAULT("lane.given");
        if (!peal_owner_swap(owner, reclaiming, peal_owner_next(reclaiming, PEAL_LANE_FREE)))
            return false;
        PEAL_FAULT("lane.freed");
        peal_epoch_move(&shared->lane_epoch);
        PEAL_FAULT("lane.end_announced");
        peal_topic_remove_if_unused(region, topic);
        return true;
    }
    return false;
}
