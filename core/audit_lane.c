/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lanes: their entry, their pages, their readers' lines, their slots.
 */
#include "core/audit.h"
#include "core/lane_geometry.h"
#include "core/lane_reclaim.h"
#include "core/lane_stamp.h"
#include "core/queue_geometry.h"
#include "core/queue_life.h"
#include "core/text.h"
#include "core/topic.h"

#include <inttypes.h>

#define NAME_WORDS 4u

/* A lane under audit. */
struct lane_walk {
    struct peal_audit_walk *walk;
    const struct peal_topic_shared *topic;
    const struct peal_lane_shared *memory; /* NULL: its pages are not sound */
    struct peal_lane_geometry geometry;
    struct peal_lane_pages pages;
    struct peal_audit_item item;
    struct peal_audit_verdict verdict;
    uint64_t next;     /* one beyond the newest complete message */
    uint64_t oldest;   /* the lowest complete message that stands in a slot */
    uint32_t complete; /* slots */
    uint32_t writing;
    bool
        is_read; /* a subscriber that is not dead has its tag in it, or it holds a queue's messages */
    char name[NAME_WORDS * 8 + 1];
};

static const char *state_text(uint32_t state)
{
    static const char *const texts[] = {"free",   "claimed",    "active",
                                        "orphan", "reclaiming", "opening"};
    return state < sizeof(texts) / sizeof(texts[0]) ? texts[state] : "impossible";
}

static bool is_open(uint32_t state)
{
    return state == PEAL_LANE_OPENING || state == PEAL_LANE_ACTIVE || state == PEAL_LANE_ORPHAN;
}

/* A queue's lane has no slots and its readers no cursors: its shape, and what is left in it. */
static void judge_queue(struct lane_walk *lane, uint64_t size_bytes)
{
    struct peal_queue_lane_shared *memory =
        (void *)peal_lane_pages_memory(&lane->walk->region, &lane->pages);
    struct peal_queue_geometry geometry;
    if (peal_queue_geometry_load(&geometry, memory, size_bytes) != PEAL_OK)
        peal_audit_judge(&lane->verdict, PEAL_AUDIT_CORRUPT, "its geometry is impossible");
    else if (size_bytes - geometry.size_bytes >= PEAL_PAGE_BYTES)
        peal_audit_judge(&lane->verdict, PEAL_AUDIT_CORRUPT,
                         "it has more pages than its geometry needs");
    lane->item.messages.count = peal_queue_lane_pending(memory);
    lane->is_read = !peal_queue_lane_is_done(lane->topic, memory);
    /* An ended lane that nobody has looked at since goes when a consumer looks at it. */
    for (uint32_t i = 0; i < PEAL_TOPIC_SUBSCRIBERS_MAX; i++) {
        uint64_t word = peal_owner_load(&lane->topic->subscribers[i]);
        lane->is_read |= peal_owner_state(word) == PEAL_SUBSCRIBER_ACTIVE &&
                         peal_owner_load(&memory->readers[i].tag) == word;
    }
}

/* Looks at pages and geometry of a lane that must have both. */
static void judge_memory(struct lane_walk *lane)
{
    struct peal_audit_walk *walk = lane->walk;
    struct peal_audit_item *item = &lane->item;
    const struct peal_lane_entry_shared *entry = &lane->topic->lanes[item->index];
    /* relaxed: published by the owner word */
    uint32_t count = peal_u32_load_relaxed(&entry->page_count);
    if (count > walk->page_looks_left) {
        peal_audit_judge(&lane->verdict, PEAL_AUDIT_CORRUPT, "it overlaps with other lanes");
        return;
    }
    walk->page_looks_left -= count;
    if (!peal_lane_pages_read(&walk->region, item->object, item->index, &lane->pages)) {
        peal_audit_judge(&lane->verdict, PEAL_AUDIT_CORRUPT,
                         "its pages (%" PRIu32 " +%" PRIu32
                         ") are not in the region or not its own",
                         lane->pages.first, lane->pages.count);
        return;
    }
    item->span = (struct peal_audit_span){lane->pages.first, lane->pages.count};
    struct peal_owner owner = peal_owner_unpack(lane->pages.word);
    if (owner.client != item->client || owner.incarnation != item->incarnation)
        peal_audit_judge(&lane->verdict, PEAL_AUDIT_CORRUPT, "its pages are client %" PRIu32 "'s",
                         owner.client);
    const struct peal_lane_shared *memory = peal_lane_pages_memory(&walk->region, &lane->pages);
    uint64_t size_bytes = (uint64_t)lane->pages.count * PEAL_PAGE_BYTES;
    uint64_t incarnation;
    if (peal_topic_is_queue(lane->topic))
        judge_queue(lane, size_bytes);
    else if (peal_lane_geometry_load(&lane->geometry, &incarnation, memory, size_bytes) != PEAL_OK)
        peal_audit_judge(&lane->verdict, PEAL_AUDIT_CORRUPT, "its geometry is impossible");
    else if (size_bytes - lane->geometry.size_bytes >= PEAL_PAGE_BYTES)
        peal_audit_judge(&lane->verdict, PEAL_AUDIT_CORRUPT,
                         "it has more pages than its geometry needs");
    else
        lane->memory = memory;
}

/* ---- slots ---- */

/* Does what a complete slot says about its message lie inside? False also for one that is torn. */
static bool is_body_sound(const struct lane_walk *lane, const struct peal_slot_shared *slot)
{
    const struct peal_lane_geometry *geometry = &lane->geometry;
    /* relaxed: behind the stamp; each is read this once */
    uint32_t length = peal_u32_load_relaxed(&slot->length);
    uint32_t kind = peal_u32_load_relaxed(&slot->kind) & 0xffu;
    if (length > geometry->message_bytes_max)
        return false;
    if (kind == PEAL_SLOT_INLINE)
        return length <= geometry->inline_bytes_max;
    if (kind != PEAL_SLOT_RING || geometry->payload_bytes == 0)
        return false;
    /* relaxed: as above */
    uint64_t position = peal_u64_load_relaxed(&slot->body[geometry->meta_bytes / 8]);
    uint64_t offset = position % geometry->payload_bytes;
    return offset % PEAL_LINE_BYTES == 0 && offset + length <= geometry->payload_bytes;
}

/* Is what was read of the slot that of message `number`, and has it its bytes still? A batch of loans overwrites
 * bodies under complete stamps, and says so in `oldest`. */
static bool is_kept(const struct lane_walk *lane, const struct peal_slot_shared *slot,
                    uint64_t number)
{
    /* relaxed: the fence in there orders it after the body */
    return peal_stamp_is_still(slot, number) &&
           peal_u64_load_relaxed(&lane->memory->writer.oldest) <= number;
}

/* One pass over the slots. */
static void count_slots(struct lane_walk *lane, bool judges)
{
    const uint32_t depth = lane->geometry.depth;
    unsigned char *slots = (unsigned char *)(uintptr_t)lane->memory + PEAL_LANE_SLOTS_OFFSET;
    lane->next = 0;
    lane->oldest = UINT64_MAX;
    lane->complete = lane->writing = 0;
    for (uint32_t i = 0; i < depth; i++) {
        const struct peal_slot_shared *slot =
            peal_lane_slot(slots, depth - 1, lane->geometry.stride_bytes, i);
        uint64_t stamp = peal_stamp_look(slot);
        if (stamp == 0)
            continue;
        uint64_t number = (stamp - 1) / 2;
        if ((number & (depth - 1)) != i) {
            if (judges)
                peal_audit_judge(&lane->verdict, PEAL_AUDIT_CORRUPT,
                                 "slot %" PRIu32 " has the stamp %" PRIu64 " of another", i, stamp);
            continue;
        }
        if (stamp & 1u) {
            lane->writing++;
            /* What stood in the slot before was published. */
            if (number >= depth && number - depth + 1 > lane->next)
                lane->next = number - depth + 1;
            continue;
        }
        lane->complete++;
        lane->next = number + 1 > lane->next ? number + 1 : lane->next;
        lane->oldest = number < lane->oldest ? number : lane->oldest;
        if (judges && !is_body_sound(lane, slot) && is_kept(lane, slot, number))
            peal_audit_judge(&lane->verdict, PEAL_AUDIT_CORRUPT,
                             "message %" PRIu64 " lies outside of the lane", number);
    }
    if (lane->complete == 0)
        lane->oldest = 0;
}

/*
 * Numbers follow one another: what is older than two turns of the ring stands there by no honest hand.
 * (One turn, and another one for the holes that a batch has while it is committed from its end.) Only
 * said of a lane that rests, for a scan of a moving one mixes old and new.
 */
static void judge_slots(struct lane_walk *lane)
{
    count_slots(lane, true);
    uint64_t next = lane->next;
    count_slots(lane, false);
    uint64_t reach = 2 * (uint64_t)lane->geometry.depth;
    if (lane->next == next && lane->complete > 0 && next - lane->oldest > reach)
        peal_audit_judge(&lane->verdict, PEAL_AUDIT_CORRUPT,
                         "messages %" PRIu64 " and %" PRIu64 " stand in it at once", lane->oldest,
                         next - 1);
}

/* ---- readers ---- */

/* A subscriber's line; its cursor was read before the slots were. */
static void audit_reader(struct lane_walk *lane, uint32_t reader, uint64_t cursor)
{
    struct peal_audit_walk *walk = lane->walk;
    const struct peal_lane_reader_shared *line = &lane->memory->readers[reader];
    uint64_t word = peal_owner_load(&lane->topic->subscribers[reader]);
    if (peal_owner_state(word) != PEAL_SUBSCRIBER_ACTIVE || peal_owner_load(&line->tag) != word)
        return; /* a line of nobody: whatever it says is not looked at by anyone */
    struct peal_audit_verdict verdict = {0};
    struct peal_audit_item item = peal_audit_item_of(walk, PEAL_AUDIT_READER, word, true);
    item.object = lane->item.object;
    item.index = lane->item.index;
    item.state_text = "reads";
    item.span = (struct peal_audit_span){reader, 1};
    item.messages = (struct peal_audit_span){cursor, cursor < lane->next ? lane->next - cursor : 0};
    /* A publisher that discarded loans, or was told of a loss, is never behind its readers. */
    if (cursor != PEAL_LANE_NOT_GATING && cursor > lane->next)
        peal_audit_judge(&verdict, PEAL_AUDIT_CORRUPT,
                         "entry %" PRIu32 " has read up to %" PRIu64 ", but only %" PRIu64
                         " were published",
                         reader, cursor, lane->next);
    lane->is_read = lane->is_read || item.life != PEAL_AUDIT_DEAD;
    peal_audit_show(walk, &item);
    peal_audit_report(walk, &item, &verdict);
}

/* Does a subscriber that is not dead just join it? */
static bool is_pinned(const struct lane_walk *lane)
{
    for (uint32_t i = 0; i < PEAL_TOPIC_SUBSCRIBERS_MAX; i++) {
        /* relaxed: a look at what is on its way */
        uint64_t flags = peal_u64_load_relaxed(&lane->topic->subscriber_flags[i]);
        if (flags >> (PEAL_SUBSCRIBER_PIN_SHIFT + lane->item.index) & 1 &&
            peal_owner_state(peal_owner_load(&lane->topic->subscribers[i])) ==
                PEAL_SUBSCRIBER_ACTIVE)
            return true;
    }
    return false;
}

/* ---- the lane ---- */

/* What its state and its owner say by themselves. */
static void judge_state(struct lane_walk *lane)
{
    const struct peal_audit_item *item = &lane->item;
    if (item->state > PEAL_LANE_OPENING)
        peal_audit_judge(&lane->verdict, PEAL_AUDIT_CORRUPT, "state %" PRIu32 " is impossible",
                         item->state);
    else if (item->state != PEAL_LANE_ORPHAN && item->life == PEAL_AUDIT_DEAD)
        peal_audit_judge(&lane->verdict, PEAL_AUDIT_REMAINS, "it is %s, and nobody has ended it",
                         item->state_text);
}

static void read_cursors(const struct lane_walk *lane, uint64_t *cursors)
{
    for (uint32_t i = 0; i < PEAL_TOPIC_SUBSCRIBERS_MAX; i++) {
        /* AUDIT-A1: pairs with LANE-R2 in lane_reader.c: the messages below it are seen to be complete */
        cursors[i] = peal_u64_load_acquire(&lane->memory->readers[i].cursor);
    }
}

static void add_to_counts(const struct lane_walk *lane)
{
    struct peal_audit *audit = lane->walk->audit;
    audit->lanes++;
    audit->lanes_ended += lane->item.state == PEAL_LANE_ORPHAN;
    if (!lane->memory)
        return;
    audit->slots += lane->geometry.depth;
    audit->slots_complete += lane->complete;
    audit->slots_writing += lane->writing;
}

static void show_slots(struct lane_walk *lane)
{
    struct peal_audit_item item = lane->item;
    item.kind = PEAL_AUDIT_SLOTS;
    item.span = (struct peal_audit_span){0, lane->complete + lane->writing};
    peal_audit_show(lane->walk, &item);
}

/* The lane held still while it was judged: tells what was found. */
static void settle(struct lane_walk *lane, const uint64_t *cursors)
{
    struct peal_audit_walk *walk = lane->walk;
    add_to_counts(lane);
    peal_audit_show(walk, &lane->item);
    if (lane->memory) {
        show_slots(lane);
        for (uint32_t i = 0; i < PEAL_TOPIC_SUBSCRIBERS_MAX; i++)
            audit_reader(lane, i, cursors[i]);
    }
    if (lane->item.state == PEAL_LANE_ORPHAN && !lane->is_read && !is_pinned(lane))
        peal_audit_judge(&lane->verdict,
                         lane->item.life == PEAL_AUDIT_DEAD ? PEAL_AUDIT_REMAINS
                                                            : PEAL_AUDIT_UNSETTLED,
                         "it has ended and nobody reads it");
    peal_audit_report(walk, &lane->item, &lane->verdict);
}

void peal_audit_lane(struct peal_audit_walk *walk, uint32_t topic, uint32_t index)
{
    const struct peal_topic_shared *shared = &walk->region.topics[topic];
    const peal_u64 *owner = &shared->lanes[index].owner;
    struct lane_walk lane = {0};
    for (uint32_t look = 0; look < PEAL_AUDIT_LOOKS; look++) {
        uint64_t cursors[PEAL_TOPIC_SUBSCRIBERS_MAX] = {0};
        uint64_t word = peal_owner_load(owner);
        if (peal_owner_state(word) == PEAL_LANE_FREE)
            return;
        lane = (struct lane_walk){.walk = walk, .topic = shared};
        lane.item = peal_audit_item_of(walk, PEAL_AUDIT_LANE, word, true);
        lane.item.object = topic;
        lane.item.index = index;
        lane.item.state_text = state_text(lane.item.state);
        lane.item.name = lane.name;
        judge_state(&lane);
        if (is_open(lane.item.state))
            judge_memory(&lane);
        if (lane.memory) {
            uint64_t name[NAME_WORDS];
            peal_text_load(lane.memory->geometry.name, name, NAME_WORDS);
            peal_text_unpack(name, NAME_WORDS, lane.name, sizeof(lane.name));
            peal_text_clean(lane.name);
            read_cursors(&lane, cursors);
            judge_slots(&lane);
            lane.item.messages = (struct peal_audit_span){lane.oldest, lane.next - lane.oldest};
            lane.item.writing = lane.writing;
        }
        if (peal_owner_load(owner) != word)
            continue;
        settle(&lane, cursors);
        return;
    }
    peal_audit_unsettled(walk, &lane.item);
}
