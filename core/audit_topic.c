/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Topics and their subscribers.
 */
#include "core/audit.h"
#include "core/text.h"
#include "core/topic.h"

#include <inttypes.h>

static const char *topic_state_text(uint32_t state)
{
    static const char *const texts[] = {"free", "claimed", "ready", "closing", "offered"};
    return state < sizeof(texts) / sizeof(texts[0]) ? texts[state] : "impossible";
}

static const char *subscriber_state_text(uint32_t state)
{
    static const char *const texts[] = {"free", "claimed", "active", "orphaned", "adopted"};
    return state < sizeof(texts) / sizeof(texts[0]) ? texts[state] : "impossible";
}

/* ---- subscribers ---- */

static void judge_subscriber(const struct peal_topic_shared *topic,
                             const struct peal_audit_item *item, struct peal_audit_verdict *verdict)
{
    /* relaxed: written before ACTIVE, which the caller has read */
    uint64_t flags = peal_u64_load_relaxed(&topic->subscriber_flags[item->index]);
    uint32_t last = peal_topic_is_queue(topic) ? PEAL_SUBSCRIBER_ADOPTED : PEAL_SUBSCRIBER_ACTIVE;
    if (item->state == PEAL_SUBSCRIBER_ORPHANED && last == PEAL_SUBSCRIBER_ADOPTED)
        return; /* messages of a dead consumer wait there for another */
    if (item->state > last)
        peal_audit_judge(verdict, PEAL_AUDIT_CORRUPT, "state %" PRIu32 " is impossible",
                         item->state);
    else if (item->life == PEAL_AUDIT_DEAD)
        peal_audit_judge(verdict, PEAL_AUDIT_REMAINS, "it was not cleared away");
    else if (item->state == PEAL_SUBSCRIBER_ACTIVE &&
             ((uint32_t)flags & ~PEAL_SUBSCRIBER_FLAGS_ALL) != 0)
        peal_audit_judge(verdict, PEAL_AUDIT_CORRUPT, "flags %08" PRIx32 " are impossible",
                         (uint32_t)flags);
    else if (item->state == PEAL_SUBSCRIBER_ACTIVE &&
             peal_owner_state(peal_owner_load(&topic->owner)) == PEAL_TOPIC_FREE)
        peal_audit_judge(verdict, PEAL_AUDIT_CORRUPT, "its topic is gone");
}

static void audit_subscriber(struct peal_audit_walk *walk, uint32_t topic, uint32_t entry)
{
    const struct peal_topic_shared *shared = &walk->region.topics[topic];
    struct peal_audit_item item = {0};
    for (uint32_t look = 0; look < PEAL_AUDIT_LOOKS; look++) {
        uint64_t word = peal_owner_load(&shared->subscribers[entry]);
        bool is_held = peal_owner_state(word) != PEAL_SUBSCRIBER_FREE;
        if (!is_held)
            return;
        struct peal_audit_verdict verdict = {0};
        item = peal_audit_item_of(walk, PEAL_AUDIT_SUBSCRIBER, word, is_held);
        item.object = topic;
        item.index = entry;
        item.state_text = subscriber_state_text(item.state);
        judge_subscriber(shared, &item, &verdict);
        if (peal_owner_load(&shared->subscribers[entry]) != word)
            continue;
        walk->audit->subscribers++;
        peal_audit_show(walk, &item);
        peal_audit_report(walk, &item, &verdict);
        return;
    }
    peal_audit_unsettled(walk, &item);
}

/* ---- the entry itself ---- */

/* The lower READY entry of the same name, or topics_max. Bounded over the whole walk. */
static uint32_t namesake_below(struct peal_audit_walk *walk, uint32_t topic, const uint64_t *name)
{
    const struct peal_region *region = &walk->region;
    for (uint32_t i = 0; i < topic && walk->name_looks_left > 0; i++) {
        walk->name_looks_left--;
        uint64_t word = peal_owner_load(&region->topics[i].owner);
        if (peal_owner_state(word) == PEAL_TOPIC_READY &&
            peal_text_equals(region->topics[i].name, name, PEAL_TOPIC_NAME_WORDS) &&
            peal_owner_load(&region->topics[i].owner) == word)
            return i;
    }
    return region->topics_max;
}

static void judge_ready(struct peal_audit_walk *walk, const struct peal_topic_shared *shared,
                        const struct peal_audit_item *item, struct peal_audit_verdict *verdict)
{
    uint64_t name[PEAL_TOPIC_NAME_WORDS];
    peal_text_load(shared->name, name, PEAL_TOPIC_NAME_WORDS);
    if ((name[0] & 0xffu) == 0 || name[PEAL_TOPIC_NAME_WORDS - 1] >> 56 != 0)
        peal_audit_judge(verdict, PEAL_AUDIT_CORRUPT, "its name is empty or without an end");
    uint32_t namesake = namesake_below(walk, item->object, name);
    if (namesake < walk->region.topics_max)
        peal_audit_judge(verdict, PEAL_AUDIT_CORRUPT, "topic %" PRIu32 " has the same name",
                         namesake);
    if (!peal_topic_is_used(shared))
        peal_audit_judge(verdict,
                         item->life == PEAL_AUDIT_DEAD ? PEAL_AUDIT_REMAINS : PEAL_AUDIT_UNSETTLED,
                         "nobody uses it");
}

static void judge_topic(struct peal_audit_walk *walk, const struct peal_topic_shared *shared,
                        const struct peal_audit_item *item, struct peal_audit_verdict *verdict)
{
    switch (item->state) {
    case PEAL_TOPIC_READY:
        judge_ready(walk, shared, item, verdict);
        break;
    case PEAL_TOPIC_CLAIMED:
    case PEAL_TOPIC_OFFERED:
    case PEAL_TOPIC_CLOSING:
        if (item->life == PEAL_AUDIT_DEAD)
            peal_audit_judge(verdict, PEAL_AUDIT_REMAINS, "its maker or remover died half-way");
        break;
    default:
        peal_audit_judge(verdict, PEAL_AUDIT_CORRUPT, "state %" PRIu32 " is impossible",
                         item->state);
    }
}

/* The type word has an owner of its own. */
static void audit_type(struct peal_audit_walk *walk, struct peal_audit_item *topic)
{
    uint64_t word = peal_owner_load(&walk->region.topics[topic->object].type_owner);
    uint32_t state = peal_owner_state(word);
    struct peal_audit_verdict verdict = {0};
    if (state == PEAL_TOPIC_FREE || state == PEAL_TOPIC_READY)
        return;
    struct peal_audit_item item = peal_audit_item_of(walk, PEAL_AUDIT_TOPIC, word, true);
    item.object = topic->object;
    item.name = topic->name;
    item.state_text = topic_state_text(state);
    if (state != PEAL_TOPIC_CLAIMED)
        peal_audit_judge(&verdict, PEAL_AUDIT_CORRUPT,
                         "state %" PRIu32 " of its type is impossible", state);
    else if (item.life == PEAL_AUDIT_DEAD)
        peal_audit_judge(&verdict, PEAL_AUDIT_REMAINS, "who set its type died half-way");
    peal_audit_report(walk, &item, &verdict);
}

static void audit_topic(struct peal_audit_walk *walk, uint32_t topic)
{
    const struct peal_topic_shared *shared = &walk->region.topics[topic];
    char name[PEAL_TOPIC_NAME_BYTES];
    char type_name[PEAL_TOPIC_NAME_BYTES];
    struct peal_audit_item item = {0};
    for (uint32_t look = 0; look < PEAL_AUDIT_LOOKS; look++) {
        uint64_t word = peal_owner_load(&shared->owner);
        bool is_held = peal_owner_state(word) != PEAL_TOPIC_FREE;
        if (!is_held)
            return;
        struct peal_audit_verdict verdict = {0};
        if (!peal_topic_names(&walk->region, topic, name, type_name))
            name[0] = type_name[0] = '\0';
        peal_text_clean(name);
        peal_text_clean(type_name);
        item = peal_audit_item_of(walk, PEAL_AUDIT_TOPIC, word, is_held);
        item.object = topic;
        item.index = topic;
        item.state_text = topic_state_text(item.state);
        item.name = name;
        item.type_name = type_name;
        judge_topic(walk, shared, &item, &verdict);
        if (peal_owner_load(&shared->owner) != word)
            continue;
        walk->audit->topics++;
        peal_audit_show(walk, &item);
        peal_audit_report(walk, &item, &verdict);
        audit_type(walk, &item);
        return;
    }
    peal_audit_unsettled(walk, &item);
}

void peal_audit_topics(struct peal_audit_walk *walk)
{
    for (uint32_t topic = 0; topic < walk->region.topics_max; topic++) {
        audit_topic(walk, topic);
        for (uint32_t entry = 0; entry < PEAL_TOPIC_SUBSCRIBERS_MAX; entry++)
            audit_subscriber(walk, topic, entry);
        for (uint32_t lane = 0; lane < PEAL_TOPIC_LANES_MAX; lane++)
            peal_audit_lane(walk, topic, lane);
    }
}
