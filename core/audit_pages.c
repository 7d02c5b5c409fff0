/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The page map: whose each page is, and whether that object knows of it.
 */
#include "core/audit.h"
#include "core/owner.h"
#include "core/pages.h"
#include "core/topic.h"

#include <inttypes.h>

enum page_lot { LOT_FREE, LOT_USED, LOT_MOVING, LOT_REMAINS, LOT_LOST, LOT_SPOILT, LOT_UNSETTLED };

/* Does the lane entry, whose owner word was read before, refer to the page? */
static bool is_in_span(const struct peal_lane_entry_shared *entry, uint32_t page, uint64_t word)
{
    /* relaxed: published by the entry's owner word */
    uint32_t first = peal_u32_load_relaxed(&entry->first_page);
    uint32_t count = peal_u32_load_relaxed(&entry->page_count);
    return peal_u64_load_relaxed(&entry->page_word) == word && page >= first &&
           page - first < count;
}

/* A page of a lane: what its entry says of it. */
static enum page_lot lot_of_lane_page(struct peal_audit_walk *walk, uint32_t page, uint64_t word,
                                      enum peal_audit_life life)
{
    struct peal_owner owner = peal_owner_unpack(word);
    uint32_t topic = owner.version >> 5;
    uint32_t lane = owner.version & (PEAL_TOPIC_LANES_MAX - 1);
    if (topic >= walk->region.topics_max)
        return LOT_SPOILT;
    const struct peal_lane_entry_shared *entry = &walk->region.topics[topic].lanes[lane];
    uint64_t entry_word = peal_owner_load(&entry->owner);
    struct peal_owner holder = peal_owner_unpack(entry_word);
    enum page_lot lot = life == PEAL_AUDIT_DEAD ? LOT_REMAINS : LOT_LOST;
    if (holder.state == PEAL_LANE_CLAIMED && holder.client == owner.client &&
        holder.incarnation == owner.incarnation) {
        /* Taken one by one before they are noted. */
        bool is_noted = peal_u64_load_relaxed(&entry->page_word) == word; /* relaxed: as above */
        if (life != PEAL_AUDIT_DEAD && (!is_noted || is_in_span(entry, page, word)))
            lot = LOT_MOVING;
    } else if (peal_lane_is_held(entry_word) && holder.state != PEAL_LANE_CLAIMED &&
               is_in_span(entry, page, word)) {
        lot = LOT_USED;
    }
    return peal_owner_load(&entry->owner) == entry_word ? lot : LOT_UNSETTLED;
}

/* By the kind of object that the word names; further kinds join here. */
static enum page_lot lot_of_word(struct peal_audit_walk *walk, uint32_t page, uint64_t word,
                                 enum peal_audit_life life)
{
    switch (peal_owner_state(word)) {
    case PEAL_PAGE_LANE:
        return lot_of_lane_page(walk, page, word, life);
    default:
        return LOT_SPOILT;
    }
}

static enum page_lot lot_of_page(struct peal_audit_walk *walk, uint32_t page, uint64_t *word)
{
    enum page_lot lot = LOT_UNSETTLED;
    for (uint32_t look = 0; look < PEAL_AUDIT_LOOKS; look++) {
        *word = peal_owner_load(&walk->region.page_map[page]);
        if (*word == PEAL_PAGE_FREE)
            return LOT_FREE;
        struct peal_audit_item item = peal_audit_item_of(walk, PEAL_AUDIT_PAGES, *word, true);
        lot = lot_of_word(walk, page, *word, item.life);
        if (lot != LOT_UNSETTLED && peal_owner_load(&walk->region.page_map[page]) == *word)
            return lot;
        lot = LOT_UNSETTLED;
    }
    return lot;
}

static void count_run(struct peal_audit *audit, enum page_lot lot, uint32_t count)
{
    switch (lot) {
    case LOT_FREE:
        audit->pages_free += count;
        break;
    case LOT_USED:
        audit->pages_used += count;
        break;
    case LOT_MOVING:
    case LOT_UNSETTLED:
        audit->pages_moving += count;
        break;
    case LOT_REMAINS:
        audit->pages_remains += count;
        break;
    case LOT_LOST:
    case LOT_SPOILT:
        audit->pages_lost += count;
        break;
    }
}

static void judge_run(enum page_lot lot, uint64_t word, struct peal_audit_verdict *verdict)
{
    if (lot == LOT_REMAINS)
        peal_audit_judge(verdict, PEAL_AUDIT_REMAINS, "no object refers to them");
    else if (lot == LOT_LOST)
        peal_audit_judge(verdict, PEAL_AUDIT_LOST, "no object refers to them");
    else if (lot == LOT_SPOILT)
        peal_audit_judge(verdict, PEAL_AUDIT_CORRUPT, "their word %016" PRIx64 " is impossible",
                         word);
    else if (lot == LOT_UNSETTLED)
        peal_audit_judge(verdict, PEAL_AUDIT_UNSETTLED, "they kept changing");
}

static const char *lot_text(enum page_lot lot)
{
    static const char *const texts[] = {"free", "used",   "moving",   "remains",
                                        "lost", "spoilt", "unsettled"};
    return texts[lot];
}

static void tell_run(struct peal_audit_walk *walk, uint32_t first, uint32_t count,
                     enum page_lot lot, uint64_t word)
{
    count_run(walk->audit, lot, count);
    if (lot == LOT_FREE)
        return;
    struct peal_audit_verdict verdict = {0};
    struct peal_audit_item item = peal_audit_item_of(walk, PEAL_AUDIT_PAGES, word, true);
    item.state_text = lot_text(lot);
    item.span = (struct peal_audit_span){first, count};
    if (peal_owner_state(word) == PEAL_PAGE_LANE) {
        uint32_t version = peal_owner_unpack(word).version;
        item.object = version >> 5;
        item.index = version & (PEAL_TOPIC_LANES_MAX - 1);
    }
    judge_run(lot, word, &verdict);
    peal_audit_show(walk, &item);
    peal_audit_report(walk, &item, &verdict);
}

void peal_audit_pages(struct peal_audit_walk *walk)
{
    const struct peal_region *region = &walk->region;
    uint32_t first = region->first_data_page;
    enum page_lot run_lot = LOT_FREE;
    uint64_t run_word = PEAL_PAGE_FREE;
    for (uint32_t page = region->first_data_page; page < region->page_count; page++) {
        uint64_t word;
        enum page_lot lot = lot_of_page(walk, page, &word);
        if (lot == run_lot && word == run_word)
            continue;
        tell_run(walk, first, page - first, run_lot, run_word);
        first = page;
        run_lot = lot;
        run_word = word;
    }
    tell_run(walk, first, region->page_count - first, run_lot, run_word);
}
