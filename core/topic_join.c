/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Taking part in a topic: as a subscriber, or with a lane. Both claim an entry, make sure that the
 * topic is still the one they meant, check the type, and start over if it went away.
 */
#include "core/client.h"
#include "core/epoch.h"
#include "core/error.h"
#include "core/fault.h"
#include "core/lane_life.h"
#include "core/lane_reclaim.h"
#include "core/queue_life.h"
#include "core/text.h"
#include "core/topic.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* The topic we want and where we are in getting it. */
struct join {
    struct peal_topic_name name;
    const struct peal_topic_type *type;
    uint32_t attempt;
    uint32_t topic;
    uint64_t topic_word;
};

static enum peal_status join_begin(struct join *join, const char *name,
                                   const struct peal_topic_type *type)
{
    enum peal_status status = peal_topic_check_name(name);
    if (status != PEAL_OK)
        return status;
    if (type && type->name && strnlen(type->name, PEAL_TOPIC_NAME_BYTES) >= PEAL_TOPIC_NAME_BYTES)
        return peal_fail(PEAL_EINVAL, "a type's name has at most %u characters",
                         PEAL_TOPIC_NAME_BYTES - 1);
    *join = (struct join){.type = type};
    peal_text_pack(name, join->name.words, PEAL_TOPIC_NAME_WORDS);
    if (type && type->queue)
        join->name.queue = *type->queue;
    return PEAL_OK;
}

/* Is the entry of the kind, and the queue of the shape, that is meant? */
static enum peal_status check_kind(const struct peal_topic_shared *topic,
                                   const struct peal_queue_wish *wish)
{
    /* relaxed: published by the topic's owner word */
    uint32_t kind = peal_u32_load_relaxed(&topic->queue.kind);
    uint32_t options = peal_u32_load_relaxed(&topic->queue.options);
    uint32_t bytes = peal_u32_load_relaxed(&topic->queue.message_bytes_max);
    if (kind != wish->kind)
        return peal_fail(PEAL_EMISMATCH, "the name belongs to a %s; use another one",
                         kind == PEAL_TOPIC_IS_QUEUE ? "queue" : "topic");
    if (kind != PEAL_TOPIC_IS_QUEUE)
        return PEAL_OK;
    if (wish->message_bytes_max && wish->message_bytes_max != bytes)
        return peal_fail(PEAL_EMISMATCH,
                         "the queue's messages have up to %" PRIu32 " bytes, not %" PRIu32
                         "; ask for that size, or for 0 to take it as it is",
                         bytes, wish->message_bytes_max);
    if (options != wish->options)
        return peal_fail(PEAL_EMISMATCH,
                         "the queue was made with other options; all of its users must agree "
                         "about order, and about what becomes of messages that the dead held");
    return PEAL_OK;
}

/* With an entry claimed: is the topic the one, and of our type? AGAIN without message: start over. */
static enum peal_status join_confirm(struct peal_region *region, const struct join *join)
{
    if (!peal_topic_hold(region, join->topic, &join->name, join->topic_word))
        return PEAL_AGAIN;
    enum peal_status status = check_kind(&region->topics[join->topic], &join->name.queue);
    return status == PEAL_OK ? peal_topic_check_type(region, join->topic, join->type) : status;
}

static bool topic_has_changed(const struct peal_region *region, const struct join *join)
{
    return peal_owner_load(&region->topics[join->topic].owner) != join->topic_word;
}

static enum peal_status fail_contended(const char *name)
{
    return peal_fail(PEAL_AGAIN, "topic '%s' is made and removed by others all the time; try again",
                     name);
}

static uint64_t own_word(const struct peal_region *region, uint64_t from, uint32_t state)
{
    return peal_owner_take(from, state, region->index, (uint32_t)region->incarnation);
}

/* ---- subscribers ---- */

void peal_topic_tidy(struct peal_region *region, uint32_t topic)
{
    /* DIR-F7: pairs with LIFE-F2 and LIFE-F6 in peal_lane_reclaim(), peal_lane_close() */
    peal_fence_seq_cst();
    for (uint32_t i = 0; i < PEAL_TOPIC_LANES_MAX; i++)
        (void)peal_lane_reclaim(region, topic, i);
    peal_topic_remove_if_unused(region, topic);
}

static void free_subscriber(struct peal_region *region, uint32_t topic, uint32_t entry,
                            uint64_t word)
{
    struct peal_topic_shared *shared = &region->topics[topic];
    uint64_t freed = peal_owner_next(word, PEAL_SUBSCRIBER_FREE);
    if (peal_owner_swap(&shared->subscribers[entry], word, freed)) {
        PEAL_FAULT("subscriber.freed");
        peal_epoch_move(&shared->subscriber_epoch);
        PEAL_FAULT("subscriber.end_announced");
    }
    peal_topic_tidy(region, topic);
}

/* Claims a free entry, or failing that one of a dead client. */
static bool claim_subscriber(struct peal_region *region, uint32_t topic, uint32_t *entry,
                             uint64_t *word)
{
    struct peal_topic_shared *shared = &region->topics[topic];
    for (uint32_t pass = 0; pass < 2; pass++) {
        for (uint32_t i = 0; i < PEAL_TOPIC_SUBSCRIBERS_MAX; i++) {
            uint64_t seen = peal_owner_load(&shared->subscribers[i]);
            bool is_free = peal_owner_state(seen) == PEAL_SUBSCRIBER_FREE;
            if (!is_free && (pass == 0 || !peal_region_is_dead(region, seen)))
                continue;
            if (!is_free && peal_topic_is_queue(shared)) {
                (void)peal_queue_bury(region, topic, i); /* it may hold messages */
                seen = peal_owner_load(&shared->subscribers[i]);
                if (peal_owner_state(seen) != PEAL_SUBSCRIBER_FREE)
                    continue;
            }
            *entry = i;
            *word = own_word(region, seen, PEAL_SUBSCRIBER_CLAIMED);
            if (peal_owner_swap(&shared->subscribers[i], seen, *word)) {
                PEAL_FAULT("subscriber.claimed");
                return true;
            }
        }
    }
    return false;
}

/* CLAIMED -> ACTIVE. False: the entry was taken from us, which no honest peer does. */
static bool activate_subscriber(struct peal_region *region, uint32_t topic, uint32_t entry,
                                uint32_t flags, uint64_t *word)
{
    struct peal_topic_shared *shared = &region->topics[topic];
    /* relaxed: published by the owner word */
    peal_u64_store_relaxed(&shared->subscriber_flags[entry], flags & PEAL_SUBSCRIBER_FLAGS_ALL);
    PEAL_FAULT("subscriber.flags");
    uint64_t active = peal_owner_next(*word, PEAL_SUBSCRIBER_ACTIVE);
    /* DIR-R1: pairs with GATE-A1 in lane_writer.c:list_subscribers() */
    if (!peal_owner_swap(&shared->subscribers[entry], *word, active))
        return false;
    PEAL_FAULT("subscriber.active");
    *word = active;
    /* DIR-R2: pairs with GATE-A4 in lane_writer.c:peal_lane_gate() */
    peal_epoch_move(&shared->subscriber_epoch);
    PEAL_FAULT("subscriber.announced");
    /* The caller now looks at all lanes: those that it finds not yet OPENING will invite it.
     * DIR-F6: pairs with LIFE-F1 in peal_lane_open() */
    peal_fence_seq_cst();
    return true;
}

enum peal_status peal_topic_subscribe(struct peal_region *region, const char *name,
                                      const struct peal_topic_type *type, uint32_t flags,
                                      uint32_t *topic, uint32_t *entry, uint64_t *word)
{
    struct join join;
    enum peal_status status = join_begin(&join, name, type);
    if (status != PEAL_OK)
        return status;
    for (; join.attempt < PEAL_TOPIC_ATTEMPTS; join.attempt++) {
        status = peal_topic_find_or_make(region, &join.name, join.attempt, &join.topic,
                                         &join.topic_word);
        if (status == PEAL_AGAIN)
            continue;
        if (status != PEAL_OK)
            return status;
        if (!claim_subscriber(region, join.topic, entry, word)) {
            if (topic_has_changed(region, &join))
                continue;
            return peal_fail(PEAL_ELIMIT,
                             "topic '%s' has %u subscribers already, which is the limit", name,
                             PEAL_TOPIC_SUBSCRIBERS_MAX);
        }
        status = join_confirm(region, &join);
        if (status == PEAL_OK && activate_subscriber(region, join.topic, *entry, flags, word)) {
            *topic = join.topic;
            return PEAL_OK;
        }
        free_subscriber(region, join.topic, *entry, *word);
        if (status == PEAL_EMISMATCH)
            return peal_fail_context(status, "topic '%s'", name);
    }
    return fail_contended(name);
}

void peal_topic_unsubscribe(struct peal_region *region, uint32_t topic, uint32_t entry,
                            uint64_t word)
{
    if (topic < region->topics_max && entry < PEAL_TOPIC_SUBSCRIBERS_MAX)
        free_subscriber(region, topic, entry, word);
}

/* ---- lanes ---- */

static uint32_t count_published(const struct peal_topic_shared *shared)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < PEAL_TOPIC_LANES_MAX; i++)
        count += peal_lane_is_published(peal_owner_load(&shared->lanes[i].owner));
    return count;
}

static bool claim_free_lane(struct peal_region *region, uint32_t topic, uint32_t *lane,
                            uint64_t *word)
{
    struct peal_topic_shared *shared = &region->topics[topic];
    for (uint32_t i = 0; i < PEAL_TOPIC_LANES_MAX; i++) {
        struct peal_lane_entry_shared *entry = &shared->lanes[i];
        uint64_t seen = peal_owner_load(&entry->owner);
        if (peal_owner_state(seen) != PEAL_LANE_FREE)
            continue;
        *word = own_word(region, seen, PEAL_LANE_CLAIMED);
        if (!peal_owner_swap(&entry->owner, seen, *word))
            continue;
        PEAL_FAULT("lane.claimed");
        /* relaxed: ours while CLAIMED; published by the owner word */
        peal_u64_store_relaxed(&entry->page_word, 0);
        peal_u32_store_relaxed(&entry->first_page, 0);
        peal_u32_store_relaxed(&entry->page_count, 0);
        peal_u64_store_relaxed(&entry->name_hash, 0);
        PEAL_FAULT("lane.entry_cleared");
        *lane = i;
        return true;
    }
    return false;
}

/* All entries hold lanes: names up to two of the clients that have not drained the ended ones. */
static enum peal_status fail_undrained(struct peal_region *region, uint32_t topic, const char *name)
{
    uint64_t clients = 0;
    for (uint32_t i = 0; i < PEAL_TOPIC_LANES_MAX; i++)
        clients |= peal_lane_reading_clients(region, topic, i);
    char text[2 * (PEAL_CLIENT_NAME_BYTES + 24)] = "";
    size_t length = 0;
    uint32_t named = 0;
    for (uint32_t i = 0; i < PEAL_CLIENTS_MAX && named < 2; i++) {
        if (!(clients >> i & 1))
            continue;
        struct peal_client_view view;
        peal_client_view(region, i, &view);
        int written = snprintf(text + length, sizeof(text) - length, "%s%" PRIu32 " ('%s')",
                               named ? ", " : "", i, view.name);
        length += written > 0 ? (size_t)written : 0;
        named++;
    }
    return peal_fail(
        PEAL_ELIMIT,
        "topic '%s' keeps %u lanes of publishers, the ended ones until their subscribers have "
        "read them; these clients have not: %s",
        name, PEAL_TOPIC_LANES_MAX, named ? text : "none; try again");
}

/*
 * How many may publish at once. A topic's ended lanes stay while slow subscribers read them, and who is
 * restarted must find an entry nevertheless: half of them are kept for that. A queue's ended lanes go
 * as soon as somebody pops.
 */
static uint32_t publishers_max(const struct peal_topic_shared *topic)
{
    return peal_topic_is_queue(topic) ? PEAL_TOPIC_LANES_MAX : PEAL_TOPIC_PUBLISHERS_MAX;
}

/* Claims a lane entry. ELIMIT with message. */
static enum peal_status claim_lane(struct peal_region *region, uint32_t topic, const char *name,
                                   uint32_t *lane, uint64_t *word)
{
    const struct peal_topic_shared *shared = &region->topics[topic];
    const uint32_t most = publishers_max(shared);
    if (count_published(shared) >= most) {
        for (uint32_t i = 0; i < PEAL_TOPIC_LANES_MAX; i++)
            (void)peal_lane_bury(region, topic, i);
        if (count_published(shared) >= most)
            return peal_fail(PEAL_ELIMIT,
                             "topic '%s' has %u publishers already, which is the limit", name,
                             most);
    }
    if (claim_free_lane(region, topic, lane, word))
        return PEAL_OK;
    for (uint32_t i = 0; i < PEAL_TOPIC_LANES_MAX; i++)
        (void)peal_lane_reclaim(region, topic, i);
    if (claim_free_lane(region, topic, lane, word))
        return PEAL_OK;
    return fail_undrained(region, topic, name);
}

enum peal_status peal_topic_claim_lane(struct peal_region *region, const char *name,
                                       const struct peal_topic_type *type, uint32_t *topic,
                                       uint32_t *lane, uint64_t *word)
{
    struct join join;
    enum peal_status status = join_begin(&join, name, type);
    if (status != PEAL_OK)
        return status;
    for (; join.attempt < PEAL_TOPIC_ATTEMPTS; join.attempt++) {
        status = peal_topic_find_or_make(region, &join.name, join.attempt, &join.topic,
                                         &join.topic_word);
        if (status == PEAL_AGAIN)
            continue;
        if (status != PEAL_OK)
            return status;
        status = claim_lane(region, join.topic, name, lane, word);
        if (status != PEAL_OK) {
            if (topic_has_changed(region, &join))
                continue;
            return status;
        }
        status = join_confirm(region, &join);
        /* Two may have claimed the last place at once; then both look, and both may give up. */
        const struct peal_topic_shared *joined = &region->topics[join.topic];
        bool is_crowded = count_published(joined) > publishers_max(joined);
        if (status == PEAL_OK && !is_crowded) {
            *topic = join.topic;
            return PEAL_OK;
        }
        struct peal_lane_place place = {.topic = join.topic, .lane = *lane, .word = *word};
        peal_lane_abandon(region, &place);
        if (status == PEAL_EMISMATCH)
            return peal_fail_context(status, "topic '%s'", name);
    }
    return fail_contended(name);
}
