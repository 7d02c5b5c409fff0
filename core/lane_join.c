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

/* One try to get the tag into our line of a pinned lane in state `word`. AGAIN: look once more. */
static enum peal_status set_tag(struct peal_lane_reader_shared *line, uint64_t word, uint64_t tag,
                                bool *invited)
{
    uint64_t seen = peal_owner_load(&line->tag);
    *invited = true;
    if (seen == tag)
        return PEAL_OK;
    uint32_t state = peal_owner_state(word);
    if (state == PEAL_LANE_ORPHAN)
        return PEAL_EMPTY;
    if (state == PEAL_LANE_OPENING)
        /* No message was sent when we looked, the cursor is 0: as good as an invitation. Should the
         * lane have become ACTIVE before our swap, then we are just being created, any start is
         * right, and what is overwritten already is reported as lost. */
        return peal_owner_swap(&line->tag, seen, tag) ? PEAL_OK : PEAL_AGAIN;
    /* ACTIVE: no invitation comes any more, so a line without our tag is ours alone. What stands in
     * its cursor is by an earlier subscriber and must not be taken for ours. */
    if (seen != 0 && !peal_owner_swap(&line->tag, seen, 0))
        return PEAL_AGAIN;
    PEAL_FAULT("join.line_cleared");
    peal_u64_store_relaxed(&line->cursor, PEAL_LANE_NOT_GATING); /* relaxed: published by the tag */
    PEAL_FAULT("join.cursor");
    *invited = false;
    return peal_owner_swap(&line->tag, 0, tag) ? PEAL_OK : PEAL_AGAIN;
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
        uint64_t word = peal_owner_load(&shared->owner);
        if (!is_joinable(word))
            return PEAL_AGAIN;
        bool invited;
        enum peal_status status = set_tag(&memory->readers[entry], word, tag, &invited);
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

enum peal_status peal_lane_join(struct peal_region *region, uint32_t topic, uint32_t lane,
                                uint32_t entry, uint64_t tag, struct peal_lane_found *found)
{
    if (topic >= region->topics_max || lane >= PEAL_TOPIC_LANES_MAX ||
        entry >= PEAL_TOPIC_SUBSCRIBERS_MAX || tag == 0)
        return PEAL_EMPTY;
    struct peal_topic_shared *shared = &region->topics[topic];
    uint64_t word = peal_owner_load(&shared->lanes[lane].owner);
    if (!is_joinable(word))
        return peal_owner_state(word) == PEAL_LANE_RECLAIMING ? PEAL_AGAIN : PEAL_EMPTY;

    uint64_t pin = UINT64_C(1) << (PEAL_SUBSCRIBER_PIN_SHIFT + lane);
    /* LIFE-R2: pairs with LIFE-A1 in lane_reclaim.c:reads() */
    (void)peal_u64_or_seq_cst(&shared->subscriber_flags[entry], pin);
    PEAL_FAULT("join.pinned");
    /* LIFE-F3: pairs with LIFE-F2 in peal_lane_reclaim() */
    peal_fence_seq_cst();
    enum peal_status status = join_pinned(region, topic, lane, entry, tag, found);
    /* The tag comes before the pin goes.
     * LIFE-R1: pairs with LIFE-A1 in lane_reclaim.c:reads() */
    (void)peal_u64_and_acq_rel(&shared->subscriber_flags[entry], ~pin);
    PEAL_FAULT("join.unpinned");
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
     * LIFE-F4: pairs with LIFE-F2 and LIFE-F5 in peal_lane_reclaim(), LIFE-F6 in peal_lane_close() */
    peal_fence_seq_cst();
    (void)peal_lane_reclaim(region, topic, lane);
}
