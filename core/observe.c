/* SPDX-License-Identifier: Apache-2.0 */
#include "core/observe.h"

#include "core/directory.h"
#include "core/owner.h"
#include "core/pages.h"
#include "core/text.h"
#include "core/topic.h"

#define CLIENT_NAME_WORDS (PEAL_CLIENT_NAME_BYTES / 8)

enum peal_audit_life peal_observe_life(struct peal_observe_walk *walk, uint64_t word)
{
    if (!walk->authority)
        return PEAL_AUDIT_UNKNOWN;
    if (!peal_region_is_dead_by(&walk->region, word, walk->members))
        return PEAL_AUDIT_ALIVE;
    /* It may have come after the first answer. */
    walk->members = peal_authority_members(walk->authority);
    return peal_region_is_dead_by(&walk->region, word, walk->members) ? PEAL_AUDIT_DEAD
                                                                      : PEAL_AUDIT_ALIVE;
}

static void observe_header(const struct peal_observe_walk *walk)
{
    const struct peal_region *region = &walk->region;
    const struct peal_observer_region seen = {
        .struct_bytes = sizeof(seen),
        .region_bytes = region->size_bytes,
        .generation = region->generation,
        .format = PEAL_FORMAT_VERSION,
        .topics_max = region->topics_max,
        .pages = region->page_count - region->first_data_page,
        .pages_free = peal_pages_free_count(region),
        .members = walk->members,
        /* relaxed: a bit is on its way at any time */
        .armed = peal_u64_load_relaxed(&region->header->sleepers.armed),
        .members_known = walk->authority != NULL,
    };
    walk->visitor->region(walk->visitor->context, &seen);
}

/* ---- clients ---- */

static void read_client(const struct peal_client_shared *client, char *name,
                        struct peal_observer_client *seen)
{
    uint64_t words[CLIENT_NAME_WORDS];
    peal_text_load(client->name, words, CLIENT_NAME_WORDS);
    peal_text_unpack(words, CLIENT_NAME_WORDS, name, PEAL_CLIENT_NAME_BYTES + 1);
    peal_text_clean(name);
    seen->name = name;
    /* relaxed: figures, here and below */
#define READ(field) peal_u64_load_relaxed(&client->field)
    seen->incarnation = READ(incarnation);
    seen->attached_ns = READ(started_ns);
    seen->heartbeat_ns = READ(counters.heartbeat_ns);
    seen->bells_rung = READ(counters.bells_rung);
    seen->bells_suppressed = READ(counters.bells_suppressed);
    seen->sleeps = READ(counters.sleeps);
    seen->wakes = READ(counters.wakes);
    seen->spurious_wakes = READ(counters.spurious_wakes);
    seen->safety_net_finds = READ(counters.safety_net_finds);
    seen->recovered_clients = READ(counters.recovered_clients);
    seen->corruptions = READ(counters.corruptions);
#undef READ
}

static void observe_client(struct peal_observe_walk *walk, uint32_t index)
{
    const struct peal_client_shared *client = &walk->region.clients[index];
    for (uint32_t look = 0; look < PEAL_OBSERVE_LOOKS; look++) {
        uint64_t word = peal_owner_load(&client->owner);
        struct peal_owner owner = peal_owner_unpack(word);
        if (owner.state != PEAL_CLIENT_ACTIVE || owner.client != index)
            return;
        char name[PEAL_CLIENT_NAME_BYTES + 1];
        struct peal_observer_client seen = {.struct_bytes = sizeof(seen), .index = index};
        read_client(client, name, &seen);
        seen.life = peal_observe_life(walk, word);
        if (peal_owner_load(&client->owner) != word)
            continue;
        walk->visitor->client(walk->visitor->context, &seen);
        return;
    }
}

/* ---- subscribers ---- */

static void show_line(const struct peal_observe_walk *walk,
                      const struct peal_observer_subscriber *entry, uint32_t lane, bool is_queue)
{
    const struct peal_observe_lane *of = &walk->lanes[lane];
    const struct peal_observe_line *line = &of->lines[entry->entry];
    struct peal_observer_subscriber seen = *entry;
    seen.lane = lane;
    seen.taken = line->taken;
    seen.lost = line->lost;
    seen.redelivered = line->redelivered;
    seen.held = line->held;
    if (!is_queue && line->cursor != UINT64_MAX) {
        seen.cursor_known = true;
        seen.cursor = line->cursor;
        /* A publisher that discards loans or lies may stand before its readers. */
        if (of->publisher.published > line->cursor)
            seen.lag = of->publisher.published - line->cursor;
    }
    walk->visitor->subscriber(walk->visitor->context, &seen);
}

static void observe_subscriber(struct peal_observe_walk *walk, uint32_t topic, uint32_t entry,
                               bool is_queue)
{
    const struct peal_topic_shared *shared = &walk->region.topics[topic];
    uint64_t word = peal_owner_load(&shared->subscribers[entry]);
    uint32_t state = peal_owner_state(word);
    bool is_remains =
        is_queue && (state == PEAL_SUBSCRIBER_ORPHANED || state == PEAL_SUBSCRIBER_ADOPTED);
    if (state != PEAL_SUBSCRIBER_ACTIVE && !is_remains)
        return;
    const struct peal_observer_subscriber seen = {
        .struct_bytes = sizeof(seen),
        .topic = topic,
        .entry = entry,
        .life = peal_observe_life(walk, word),
        .client = peal_owner_unpack(word).client,
        /* relaxed: published by the owner word */
        .reliable = peal_u64_load_relaxed(&shared->subscriber_flags[entry]) & 1u,
        .is_remains = is_remains,
        .lane = PEAL_OBSERVE_NO_LANE,
    };
    bool is_shown = false;
    for (uint32_t lane = 0; lane < PEAL_TOPIC_LANES_MAX; lane++) {
        const struct peal_observe_line *line = &walk->lanes[lane].lines[entry];
        if (!walk->lanes[lane].is_seen || (is_remains ? line->held == 0 : !line->is_joined))
            continue;
        show_line(walk, &seen, lane, is_queue);
        is_shown = true;
    }
    if (!is_shown)
        walk->visitor->subscriber(walk->visitor->context, &seen);
}

/* ---- topics ---- */

struct topic_view {
    struct peal_observer_topic topic;
    char name[PEAL_TOPIC_NAME_BYTES];
    char type_name[PEAL_TOPIC_NAME_BYTES];
};

static void read_topic(const struct peal_topic_shared *shared, struct topic_view *view)
{
    struct peal_observer_topic *seen = &view->topic;
    seen->name = view->name;
    seen->type_name = view->type_name;
    seen->is_queue = peal_topic_is_queue(shared);
    if (view->type_name[0]) /* relaxed: behind the type's owner word */
        seen->schema_hash = peal_u64_load_relaxed(&shared->schema_hash);
    if (!seen->is_queue)
        return;
    /* relaxed: published by the topic's owner word, and figures */
    uint32_t options = peal_u32_load_relaxed(&shared->queue.options);
    seen->strict = options & PEAL_QUEUE_STRICT;
    seen->drops_held = options & PEAL_QUEUE_DROPS_HELD;
    seen->message_bytes_max = peal_u32_load_relaxed(&shared->queue.message_bytes_max);
    seen->ended_pushed = peal_u64_load_relaxed(&shared->queue.published);
    seen->ended_dropped_oldest = peal_u64_load_relaxed(&shared->queue.dropped_oldest);
    seen->ended_dropped_newest = peal_u64_load_relaxed(&shared->queue.dropped_newest);
    seen->ended_lost = peal_u64_load_relaxed(&shared->queue.lost); /* relaxed: as above */
}

/* False: there is none, or it does not rest. */
static bool look_at_topic(const struct peal_region *region, uint32_t topic, struct topic_view *view)
{
    const struct peal_topic_shared *shared = &region->topics[topic];
    for (uint32_t look = 0; look < PEAL_OBSERVE_LOOKS; look++) {
        uint64_t word = peal_owner_load(&shared->owner);
        uint32_t state = peal_owner_state(word);
        if (state != PEAL_TOPIC_READY && state != PEAL_TOPIC_CLOSING)
            return false;
        *view = (struct topic_view){
            .topic = {.struct_bytes = sizeof(view->topic), .index = topic},
        };
        if (!peal_topic_names(region, topic, view->name, view->type_name))
            continue;
        peal_text_clean(view->name);
        peal_text_clean(view->type_name);
        read_topic(shared, view);
        if (peal_owner_load(&shared->owner) == word)
            return true;
    }
    return false;
}

static void observe_topic(struct peal_observe_walk *walk, uint32_t topic)
{
    const struct peal_observer_visitor *visitor = walk->visitor;
    struct topic_view view;
    if (!look_at_topic(&walk->region, topic, &view))
        return;
    if (visitor->topic)
        visitor->topic(visitor->context, &view.topic);
    if (!visitor->publisher && !visitor->subscriber)
        return;
    for (uint32_t lane = 0; lane < PEAL_TOPIC_LANES_MAX; lane++) {
        peal_observe_lane(walk, topic, lane);
        if (visitor->publisher && walk->lanes[lane].is_seen)
            visitor->publisher(visitor->context, &walk->lanes[lane].publisher);
    }
    for (uint32_t entry = 0; visitor->subscriber && entry < PEAL_TOPIC_SUBSCRIBERS_MAX; entry++)
        observe_subscriber(walk, topic, entry, view.topic.is_queue);
}

enum peal_status peal_observe_region(const void *memory, uint64_t size_bytes,
                                     const struct peal_observer_visitor *visitor,
                                     const struct peal_authority *authority)
{
    struct peal_observe_walk walk;
    enum peal_status status = peal_region_look(&walk.region, memory, size_bytes);
    if (status != PEAL_OK)
        return status;
    walk.authority = authority;
    walk.members = authority ? peal_authority_members(authority) : 0;
    walk.visitor = visitor;
    walk.page_looks_left = 2u * PEAL_OBSERVE_LOOKS * (uint64_t)walk.region.page_count;
    if (visitor->region)
        observe_header(&walk);
    for (uint32_t i = 0; visitor->client && i < PEAL_CLIENTS_MAX; i++)
        observe_client(&walk, i);
    if (!visitor->topic && !visitor->publisher && !visitor->subscriber)
        return PEAL_OK;
    for (uint32_t topic = 0; topic < walk.region.topics_max; topic++)
        observe_topic(&walk, topic);
    return PEAL_OK;
}
