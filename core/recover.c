/* SPDX-License-Identifier: Apache-2.0 */
#include "core/recover.h"

#include "core/epoch.h"
#include "core/fault.h"
#include "core/lane_reclaim.h"
#include "core/owner.h"
#include "core/pages.h"
#include "core/queue_life.h"
#include "core/topic.h"

/* Page words that are judged by one answer of the authority. */
#define PAGES_AT_ONCE 128u

/*
 * Most owners live, and asking the authority may cost a system call. So a first answer, from before
 * the pass, finds the suspects; for them the authority is asked again, after their words were read.
 */
static bool is_dead(const struct peal_region *region, uint64_t word, uint64_t members)
{
    return peal_region_is_dead_by(region, word, members) && peal_region_is_dead(region, word);
}

static bool is_topic_state(uint32_t state)
{
    return state <= PEAL_TOPIC_OFFERED;
}

static void free_word(peal_u64 *shared, uint64_t word)
{
    (void)peal_owner_swap(shared, word, peal_owner_next(word, 0));
    PEAL_FAULT("recover.freed");
}

static void recover_lanes(struct peal_region *region, uint32_t topic, uint64_t members)
{
    struct peal_topic_shared *shared = &region->topics[topic];
    for (uint32_t i = 0; i < PEAL_TOPIC_LANES_MAX; i++) {
        uint64_t word = peal_owner_load(&shared->lanes[i].owner);
        uint32_t state = peal_owner_state(word);
        if (state == PEAL_LANE_FREE)
            continue;
        if (!peal_lane_is_held(word))
            free_word(&shared->lanes[i].owner, word);
        else if (peal_lane_is_published(word) && peal_region_is_dead_by(region, word, members))
            (void)peal_lane_bury(region, topic, i); /* asks the authority itself */
    }
}

static void recover_subscribers(struct peal_region *region, uint32_t topic, uint64_t members)
{
    struct peal_topic_shared *shared = &region->topics[topic];
    for (uint32_t i = 0; i < PEAL_TOPIC_SUBSCRIBERS_MAX; i++) {
        uint64_t word = peal_owner_load(&shared->subscribers[i]);
        if (peal_owner_state(word) == PEAL_SUBSCRIBER_FREE)
            continue;
        if (peal_topic_is_queue(shared)) {
            if (peal_owner_state(word) == PEAL_SUBSCRIBER_ORPHANED ||
                peal_region_is_dead_by(region, word, members))
                (void)peal_queue_bury(region, topic, i); /* asks the authority itself */
            if (peal_subscriber_is_held(word))
                continue;
        }
        bool is_possible = peal_owner_state(word) <= PEAL_SUBSCRIBER_ACTIVE;
        if (is_possible && !is_dead(region, word, members))
            continue;
        free_word(&shared->subscribers[i], word);
        peal_epoch_move(&shared->subscriber_epoch);
        PEAL_FAULT("recover.announced");
    }
}

static void recover_topic(struct peal_region *region, uint32_t topic, uint64_t members)
{
    struct peal_topic_shared *shared = &region->topics[topic];
    recover_lanes(region, topic, members);
    recover_subscribers(region, topic, members);
    for (uint32_t i = 0; i < PEAL_TOPIC_LANES_MAX; i++)
        (void)peal_lane_reclaim(region, topic, i);

    uint64_t type_word = peal_owner_load(&shared->type_owner);
    uint32_t type_state = peal_owner_state(type_word);
    bool is_type_claimed = type_state == PEAL_TOPIC_CLAIMED;
    if ((is_type_claimed && is_dead(region, type_word, members)) ||
        (!is_type_claimed && type_state != PEAL_TOPIC_READY && type_state != PEAL_TOPIC_FREE))
        free_word(&shared->type_owner, type_word);

    uint64_t word = peal_owner_load(&shared->owner);
    uint32_t state = peal_owner_state(word);
    bool is_in_the_making = state == PEAL_TOPIC_CLAIMED || state == PEAL_TOPIC_OFFERED;
    if (!is_topic_state(state) || (is_in_the_making && is_dead(region, word, members)))
        free_word(&shared->owner, word);
    else if (state == PEAL_TOPIC_READY || state == PEAL_TOPIC_CLOSING)
        peal_topic_remove_if_unused(region, topic);
}

/* Is the page of a lane that still refers to it? The lane's own end gives it back then. */
static bool is_referred_to(const struct peal_region *region, uint32_t page, struct peal_owner owner,
                           uint64_t word)
{
    uint32_t topic = owner.version >> 5;
    uint32_t lane = owner.version & (PEAL_TOPIC_LANES_MAX - 1);
    if (topic >= region->topics_max)
        return false;
    const struct peal_lane_entry_shared *entry = &region->topics[topic].lanes[lane];
    uint64_t entry_word = peal_owner_load(&entry->owner);
    /* CLAIMED is no reference: if the claimant lives its pages' owner lives, and they are not asked about. */
    if (!peal_lane_is_held(entry_word) || peal_owner_state(entry_word) == PEAL_LANE_CLAIMED)
        return false;
    /* relaxed: published by the entry's owner word */
    uint32_t first = peal_u32_load_relaxed(&entry->first_page);
    uint32_t count = peal_u32_load_relaxed(&entry->page_count);
    return peal_u64_load_relaxed(&entry->page_word) == word && page >= first &&
           page - first < count;
}

static bool is_impossible_page(const struct peal_region *region, struct peal_owner owner)
{
    return owner.state != PEAL_PAGE_LANE || owner.version >> 5 >= region->topics_max;
}

/* Judges a block of words that were all read before the authority is asked once. */
static void recover_page_block(struct peal_region *region, uint32_t first, uint32_t count,
                               uint64_t members)
{
    uint64_t words[PAGES_AT_ONCE];
    bool is_any_suspect = false;
    for (uint32_t i = 0; i < count; i++) {
        words[i] = peal_owner_load(&region->page_map[first + i]);
        is_any_suspect = is_any_suspect || (words[i] != PEAL_PAGE_FREE &&
                                            peal_region_is_dead_by(region, words[i], members));
    }
    uint64_t now = is_any_suspect ? peal_authority_members(&region->authority) : members;
    for (uint32_t i = 0; i < count; i++) {
        if (words[i] == PEAL_PAGE_FREE)
            continue;
        struct peal_owner owner = peal_owner_unpack(words[i]);
        bool is_nobodys = is_impossible_page(region, owner) ||
                          (is_any_suspect && peal_region_is_dead_by(region, words[i], now) &&
                           !is_referred_to(region, first + i, owner, words[i]));
        if (is_nobodys)
            (void)peal_pages_give(region, first + i, 1, words[i]);
    }
}

static void recover_pages(struct peal_region *region, uint64_t members)
{
    for (uint32_t page = region->first_data_page; page < region->page_count;) {
        uint32_t left = region->page_count - page;
        uint32_t count = left < PAGES_AT_ONCE ? left : PAGES_AT_ONCE;
        recover_page_block(region, page, count, members);
        page += count;
    }
}

/* The armed bits of the dead stay: to clear one here could wipe out that of a successor who has just
 * gone to sleep. They harm nobody, for the dead subscribe to nothing, and the successor clears its own. */
static uint32_t recover_clients(struct peal_region *region, uint64_t members)
{
    uint32_t cleared = 0;
    for (uint32_t i = 0; i < PEAL_CLIENTS_MAX; i++) {
        peal_u64 *owner = &region->clients[i].owner;
        uint64_t word = peal_owner_load(owner);
        struct peal_owner is = peal_owner_unpack(word);
        if (is.state == PEAL_CLIENT_FREE)
            continue;
        bool is_possible = is.state == PEAL_CLIENT_ACTIVE && is.client == i;
        if (is_possible && !is_dead(region, word, members))
            continue;
        if (peal_owner_swap(owner, word, peal_owner_next(word, PEAL_CLIENT_FREE)))
            cleared += is_possible;
        PEAL_FAULT("recover.client");
    }
    return cleared;
}

uint32_t peal_recover(struct peal_region *region)
{
    uint64_t members = peal_authority_members(&region->authority);
    for (uint32_t i = 0; i < region->topics_max; i++)
        recover_topic(region, i, members);
    recover_pages(region, members);
    return recover_clients(region, members);
}
