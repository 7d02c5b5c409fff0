/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A subscriber's coming to a lane and going from it. See the essay in core/lane_life.h.
 */
#include "core/fault.h"
#include "core/lane_reclaim.h"
#include "core/topic.h"

/* How often the tag is looked at again; only the publisher's invitation and our own steps move it. */
#define ATTEMPTS 8u

static bool is_joinable(uint64_t word)
{
    uint32_t state = peal_owner_state(word);
    return state == PEAL_LANE_OPENING || state == PEAL_LANE_ACTIVE || state == PEAL_LANE_ORPHAN;
}

/* Has the publisher noted that the holder of `tag` has the lane from its beginning? */
static bool is_invited(const struct peal_lane_reader_shared *line, uint64_t tag)
{
    return peal_u64_load_relaxed(&line->invited) == tag; /* relaxed: published by ACTIVE */
}

/*
 * One try to get the tag into our line of a pinned lane, whose state word *word is looked at anew.
 * AGAIN: look once more; EMPTY: an orphan that we have no part in.
 */
static enum peal_status set_tag(const peal_u64 *owner, struct peal_lane_reader_shared *line,
                                uint64_t tag, uint64_t *word, bool *invited)
{
    *word = peal_owner_load(owner);
    if (!is_joinable(*word))
        return PEAL_AGAIN;
    uint32_t state = peal_owner_state(*word);
    uint64_t seen = peal_owner_load(&line->tag);
    if (state == PEAL_LANE_OPENING) {
        /* Nothing was sent when we looked, and the cursor is 0. If the lane is OPENING still once our tag
         * is there, then we are as good as invited. Else its publisher may have passed us by.
         * LIFE-R1: pairs with GATE-A2 in lane_writer.c:lowest_needed() */
        if (seen != tag && !peal_owner_swap(&line->tag, seen, tag))
            return PEAL_AGAIN;
        PEAL_FAULT("join.tagged_early");
        /* LIFE-F7: pairs with GATE-F1 in lane_writer.c:peal_lane_gate() */
        peal_fence_seq_cst();
        *invited = true;
        return peal_owner_load(owner) == *word ? PEAL_OK : PEAL_AGAIN;
    }
    *invited = seen == tag && is_invited(line, tag);
    if (*invited)
        return PEAL_OK;
    /* No invitation comes any more, so the line is ours alone. What stands in its cursor is by an
     * earlier subscriber, or the 0 of a beginning that we missed, and must not be taken for ours. */
    if (seen != 0 && (state == PEAL_LANE_ACTIVE || seen == tag))
        (void)peal_owner_swap(&line->tag, seen, 0);
    PEAL_FAULT("join.line_cleared");
    if (state == PEAL_LANE_ORPHAN)
        return PEAL_EMPTY;
    peal_u64_store_relaxed(&line->cursor, PEAL_LANE_NOT_GATING); /* relaxed: published by the tag */
    PEAL_FAULT("join.cursor");
    bool is_set = peal_owner_swap(&line->tag, 0, tag);
    PEAL_FAULT("join.tag_set");
    return is_set ? PEAL_OK : PEAL_AGAIN;
}

/* The lane is pinned by us: what we find ORPHAN or better can't be reclaimed now. */
static enum peal_status join_pinned(struct peal_region *region, uint32_t topic, uint32_t lane,
                                    uint32_t entry, uint64_t tag, struct peal_lane_found *found)
{
    const struct peal_lane_entry_shared *shared = &region->topics[topic].lanes[lane];
    if (!is_joinable(peal_owner_load(&shared->owner)))
        return PEAL_AGAIN;
    struct peal_lane_pages pages;
    if (!peal_lane_pages_read(region, topic, lane, &pages))
        return PEAL_ECORRUPT;
    struct peal_lane_shared *memory = peal_lane_pages_memory(region, &pages);
    for (uint32_t attempt = 0; attempt < ATTEMPTS; attempt++) {
        uint64_t word;
        bool invited;
        enum peal_status status =
            set_tag(&shared->owner, &memory->readers[entry], tag, &word, &invited);
        if (status == PEAL_AGAIN)
            continue;
        if (status != PEAL_OK)
            return status;
        PEAL_FAULT("join.tagged");
        bool is_opening = peal_owner_state(word) == PEAL_LANE_OPENING;
        *found = (struct peal_lane_found){
            .memory = memory,
            .size_bytes = (uint64_t)pages.count * PEAL_PAGE_BYTES,
            .name_hash =
                peal_u64_load_relaxed(&shared->name_hash), /* relaxed: behind the owner word */
            .word = is_opening ? peal_owner_next(word, PEAL_LANE_ACTIVE) : word,
            .page_word = pages.word,
            .invited = invited,
            .orphan = peal_owner_state(word) == PEAL_LANE_ORPHAN,
        };
        return PEAL_OK;
    }
    return PEAL_AGAIN;
}

static peal_u64 *flags_of(struct peal_region *region, uint32_t topic, uint32_t entry)
{
    return &region->topics[topic].subscriber_flags[entry];
}

enum peal_status peal_lane_pin(struct peal_region *region, uint32_t topic, uint32_t lane,
                               uint32_t entry)
{
    uint64_t word = peal_owner_load(&region->topics[topic].lanes[lane].owner);
    if (!is_joinable(word))
        return peal_owner_state(word) == PEAL_LANE_RECLAIMING ? PEAL_AGAIN : PEAL_EMPTY;
    uint64_t pin = UINT64_C(1) << (PEAL_SUBSCRIBER_PIN_SHIFT + lane);
    /* LIFE-R2: pairs with LIFE-A1 in lane_reclaim.c:reads() */
    (void)peal_u64_or_seq_cst(flags_of(region, topic, entry), pin);
    PEAL_FAULT("join.pinned");
    /* LIFE-F3: pairs with LIFE-F2 in peal_lane_reclaim() */
    peal_fence_seq_cst();
    return PEAL_OK;
}

void peal_lane_unpin(struct peal_region *region, uint32_t topic, uint32_t lane, uint32_t entry)
{
    uint64_t pin = UINT64_C(1) << (PEAL_SUBSCRIBER_PIN_SHIFT + lane);
    /* The tag comes before the pin goes.
     * LIFE-R3: pairs with LIFE-A1 in lane_reclaim.c:reads() */
    (void)peal_u64_and_acq_rel(flags_of(region, topic, entry), ~pin);
    PEAL_FAULT("join.unpinned");
}

enum peal_status peal_lane_join(struct peal_region *region, uint32_t topic, uint32_t lane,
                                uint32_t entry, uint64_t tag, struct peal_lane_found *found)
{
    if (topic >= region->topics_max || lane >= PEAL_TOPIC_LANES_MAX ||
        entry >= PEAL_TOPIC_SUBSCRIBERS_MAX || tag == 0)
        return PEAL_EMPTY;
    enum peal_status status = peal_lane_pin(region, topic, lane, entry);
    if (status != PEAL_OK)
        return status;
    status = join_pinned(region, topic, lane, entry, tag, found);
    peal_lane_unpin(region, topic, lane, entry);
    /* A reclaimer that met only our pin has spared the lane; if it is an orphan that we do not read,
     * nobody else may come to give it back. */
    if (status != PEAL_OK)
        (void)peal_lane_reclaim(region, topic, lane);
    return status;
}

void peal_lane_leave(struct peal_region *region, uint32_t topic, uint32_t lane, uint32_t entry,
                     uint64_t tag, struct peal_lane_shared *memory)
{
    if (topic >= region->topics_max || lane >= PEAL_TOPIC_LANES_MAX ||
        entry >= PEAL_TOPIC_SUBSCRIBERS_MAX)
        return;
    /* Our tag keeps the pages ours to write to until this very swap. */
    (void)peal_owner_swap(&memory->readers[entry].tag, tag, 0);
    PEAL_FAULT("leave.untagged");
    /* Who ends or spares the lane looks at the tags after this, or we see that it is an orphan.
     * LIFE-F4: pairs with LIFE-F2, LIFE-F5 and LIFE-F6 in peal_lane_reclaim() and _close() */
    peal_fence_seq_cst();
    (void)peal_lane_reclaim(region, topic, lane);
}
