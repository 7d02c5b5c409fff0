/* SPDX-License-Identifier: Apache-2.0 */
#include "core/lane_life.h"

#include "core/epoch.h"
#include "core/error.h"
#include "core/fault.h"
#include "core/lane_reclaim.h"
#include "core/pages.h"
#include "core/topic.h"

#include <inttypes.h>

static bool is_place(const struct peal_region *region, const struct peal_lane_place *place)
{
    return place->topic < region->topics_max && place->lane < PEAL_TOPIC_LANES_MAX;
}

static peal_u64 *owner_of(const struct peal_region *region, const struct peal_lane_place *place)
{
    return &region->topics[place->topic].lanes[place->lane].owner;
}

static enum peal_status fail_taken(const struct peal_lane_place *place)
{
    return peal_fail(PEAL_ECORRUPT,
                     "lane %" PRIu32 " of topic %" PRIu32
                     " was taken from us while we live; a peer has "
                     "spoilt the region",
                     place->lane, place->topic);
}

/* Slots and payload stay as they are: the publisher clears the stamps when it lays the lane out, and
 * a payload ring may be larger than anybody wants to touch. */
static void zero_head(struct peal_lane_shared *lane)
{
    peal_u64 *words = (peal_u64 *)(void *)lane;
    for (size_t i = 0; i < sizeof(*lane) / sizeof(*words); i++)
        peal_u64_store_relaxed(&words[i], 0); /* relaxed: ours alone until the lane opens */
    PEAL_FAULT("lane.zeroed");
}

enum peal_status peal_lane_allocate(struct peal_region *region, struct peal_lane_place *place,
                                    uint64_t size_bytes, uint64_t name_hash,
                                    struct peal_lane_shared **memory)
{
    if (!is_place(region, place) || size_bytes < sizeof(struct peal_lane_shared))
        return peal_fail(PEAL_EINVAL, "a lane has %zu bytes at least, not %" PRIu64,
                         sizeof(struct peal_lane_shared), size_bytes);
    if (peal_owner_load(owner_of(region, place)) != place->word)
        return fail_taken(place);
    uint64_t wanted = size_bytes / PEAL_PAGE_BYTES + (size_bytes % PEAL_PAGE_BYTES != 0);
    uint32_t count = wanted > UINT32_MAX ? UINT32_MAX : (uint32_t)wanted;
    uint64_t word = peal_pages_word(region, place->topic, place->lane);
    uint32_t first;
    enum peal_status status = peal_pages_take(region, count, word, &first);
    if (status != PEAL_OK)
        return peal_fail_context(status, "the publisher's lane needs %" PRIu64 " bytes",
                                 size_bytes);
    PEAL_FAULT("lane.pages_taken");

    struct peal_lane_entry_shared *entry = &region->topics[place->topic].lanes[place->lane];
    /* relaxed: the entry is ours; published by its owner word in peal_lane_open() */
    peal_u32_store_relaxed(&entry->first_page, first);
    peal_u32_store_relaxed(&entry->page_count, count);
    peal_u64_store_relaxed(&entry->name_hash, name_hash);
    peal_u64_store_relaxed(&entry->page_word, word);
    PEAL_FAULT("lane.pages_noted");
    struct peal_lane_pages pages = {.word = word, .first = first, .count = count};
    *memory = peal_lane_pages_memory(region, &pages);
    zero_head(*memory);
    return PEAL_OK;
}

void peal_lane_abandon(struct peal_region *region, struct peal_lane_place *place)
{
    if (!is_place(region, place))
        return;
    const struct peal_lane_entry_shared *entry = &region->topics[place->topic].lanes[place->lane];
    if (peal_owner_load(&entry->owner) != place->word)
        return;
    /* Whatever the entry says, only pages that carry our word for this lane are given.
     * relaxed: the entry is ours */
    uint32_t first = peal_u32_load_relaxed(&entry->first_page);
    uint32_t count = peal_u32_load_relaxed(&entry->page_count);
    (void)peal_pages_give(region, first, count, peal_pages_word(region, place->topic, place->lane));
    (void)peal_owner_swap(owner_of(region, place), place->word,
                          peal_owner_next(place->word, PEAL_LANE_FREE));
    PEAL_FAULT("lane.abandoned");
    peal_topic_remove_if_unused(region, place->topic);
}

/* Sets the tags of all subscribers that are there, where they have not done so themselves, and notes
 * that they have the lane from its beginning. */
static void invite(struct peal_topic_shared *topic, struct peal_lane_shared *memory)
{
    for (uint32_t i = 0; i < PEAL_TOPIC_SUBSCRIBERS_MAX; i++) {
        uint64_t word = peal_owner_load(&topic->subscribers[i]);
        if (peal_owner_state(word) != PEAL_SUBSCRIBER_ACTIVE)
            continue;
        struct peal_lane_reader_shared *line = &memory->readers[i];
        if (!peal_owner_swap(&line->tag, 0, word) && peal_owner_load(&line->tag) != word)
            continue; /* a predecessor's, who has gone since: its successor came while we open */
        PEAL_FAULT("lane.tagged");
        peal_u64_store_relaxed(&line->invited, word); /* relaxed: published by ACTIVE */
        PEAL_FAULT("lane.invited");
    }
}

enum peal_status peal_lane_open(struct peal_region *region, struct peal_lane_place *place)
{
    struct peal_lane_pages pages;
    if (!is_place(region, place) ||
        !peal_lane_pages_read(region, place->topic, place->lane, &pages) ||
        pages.word != peal_pages_word(region, place->topic, place->lane))
        return fail_taken(place);
    struct peal_topic_shared *topic = &region->topics[place->topic];
    uint64_t opening = peal_owner_next(place->word, PEAL_LANE_OPENING);
    if (!peal_owner_swap(owner_of(region, place), place->word, opening))
        return fail_taken(place);
    place->word = opening;
    PEAL_FAULT("lane.opening");
    /* LIFE-F1: pairs with DIR-F6 in activate_subscriber() */
    peal_fence_seq_cst();
    invite(topic, peal_lane_pages_memory(region, &pages));
    uint64_t active = peal_owner_next(opening, PEAL_LANE_ACTIVE);
    if (!peal_owner_swap(owner_of(region, place), opening, active))
        return fail_taken(place);
    place->word = active;
    PEAL_FAULT("lane.active");
    peal_epoch_move(&topic->lane_epoch);
    PEAL_FAULT("lane.announced");
    return PEAL_OK;
}

void peal_lane_close(struct peal_region *region, struct peal_lane_place *place)
{
    if (!is_place(region, place))
        return;
    struct peal_topic_shared *topic = &region->topics[place->topic];
    uint64_t orphan = peal_owner_next(place->word, PEAL_LANE_ORPHAN);
    if (!peal_owner_swap(owner_of(region, place), place->word, orphan))
        return;
    PEAL_FAULT("lane.closed");
    peal_epoch_move(&topic->lane_epoch);
    PEAL_FAULT("lane.close_announced");
    /* A leaver clears its tag, then looks whether the lane is an orphan.
     * LIFE-F6: pairs with LIFE-F4 and DIR-F7 in peal_lane_leave(), free_subscriber() */
    peal_fence_seq_cst();
    (void)peal_lane_reclaim(region, place->topic, place->lane);
}

bool peal_lane_is_live(struct peal_region *region, uint32_t topic, uint32_t lane, uint64_t word)
{
    if (topic >= region->topics_max || lane >= PEAL_TOPIC_LANES_MAX)
        return false;
    uint64_t present = peal_owner_load(&region->topics[topic].lanes[lane].owner);
    bool is_opening = peal_owner_state(present) == PEAL_LANE_OPENING &&
                      peal_owner_next(present, PEAL_LANE_ACTIVE) == word;
    if (peal_owner_state(word) != PEAL_LANE_ACTIVE || (present != word && !is_opening))
        return false;
    if (!peal_region_is_dead(region, present))
        return true;
    /* Not left to a second question: a reader that left a lane which is ACTIVE still would join it again. */
    (void)peal_lane_bury_dead(region, topic, lane, present);
    return false;
}
