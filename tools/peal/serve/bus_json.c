/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/peal/serve/bus_json.h"

#include "tools/peal/look/age.h"
#include "tools/peal/look/rates.h"

#include <inttypes.h>
#include <stdio.h>

#define PAGE_BYTES 4096

/* JSON's integers have a sign; a figure so large is a lie anyway. */
static json_t *count(uint64_t figure)
{
    return json_integer(figure > INT64_MAX ? INT64_MAX : (json_int_t)figure);
}

static json_t *hex(uint64_t id)
{
    char text[20];
    (void)snprintf(text, sizeof(text), "%016" PRIx64, id);
    return json_string(text);
}

static json_t *region_json(const struct snapshot *now)
{
    const struct peal_observer_region *region = &now->region;
    return json_pack("{s:o, s:I, s:o, s:o, s:o, s:I}", "generation", hex(region->generation),
                     "format", (json_int_t)region->format, "size_bytes",
                     count(region->region_bytes), "data_bytes",
                     count((uint64_t)region->pages * PAGE_BYTES), "free_bytes",
                     count((uint64_t)region->pages_free * PAGE_BYTES), "topics_max",
                     (json_int_t)region->topics_max);
}

static json_t *seconds(uint64_t ns)
{
    return json_real((double)ns / 1e9);
}

static json_t *client_json(const struct snapshot *now, const struct snapshot_client *client,
                           uint64_t wall_ns)
{
    const struct peal_observer_client *seen = &client->seen;
    const bool asleep = seen->index < 64 && (now->region.armed >> (seen->index & 63u) & 1u);
    uint64_t attached_ns, heartbeat_ns;
    const bool came = age_since(seen->attached_ns, wall_ns, &attached_ns);
    const bool beats = age_of_heartbeat(now, client, now->taken_ns, wall_ns, &heartbeat_ns);
    return json_pack("{s:I, s:s, s:s, s:b, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}",
                     "index", (json_int_t)seen->index, "name", client->name, "life",
                     snapshot_life_text(seen->life), "asleep", asleep, "incarnation",
                     hex(seen->incarnation), "age_s", came ? seconds(attached_ns) : json_null(),
                     "heartbeat_age_s", beats ? seconds(heartbeat_ns) : json_null(), "bells_rung",
                     count(seen->bells_rung), "bells_suppressed", count(seen->bells_suppressed),
                     "sleeps", count(seen->sleeps), "wakes", count(seen->wakes), "spurious_wakes",
                     count(seen->spurious_wakes), "safety_net_finds", count(seen->safety_net_finds),
                     "recovered_clients", count(seen->recovered_clients), "corruptions",
                     count(seen->corruptions));
}

static json_t *publisher_json(const struct snapshot_publisher *publisher)
{
    const struct peal_observer_publisher *seen = &publisher->seen;
    return json_pack(
        "{s:s, s:I, s:I, s:s, s:b, s:b, s:b, s:b, s:o, s:o, s:o, s:o, s:o, s:o, s:f}", "name",
        publisher->name, "lane", (json_int_t)seen->lane, "client", (json_int_t)seen->client, "life",
        snapshot_life_text(seen->life), "ended", seen->has_ended, "spoilt", seen->is_spoilt,
        "waiting", seen->waits, "gated", seen->gates, "incarnation", hex(seen->incarnation),
        "published_messages", count(seen->published), "dropped_messages", count(seen->dropped),
        "dropped_oldest_messages", count(seen->dropped_oldest), "lost_messages", count(seen->lost),
        "pending_messages", count(seen->pending), "message_mean_bytes", seen->bytes_per_message);
}

static json_t *subscriber_json(const struct snapshot_subscriber *subscriber)
{
    const struct peal_observer_subscriber *seen = &subscriber->seen;
    const bool reads = seen->lane != UINT32_MAX;
    return json_pack(
        "{s:s, s:I, s:I, s:s, s:b, s:b, s:o, s:o, s:o, s:o, s:o, s:I}", "name", subscriber->name,
        "entry", (json_int_t)seen->entry, "client", (json_int_t)seen->client, "life",
        snapshot_life_text(seen->life), "reliable", seen->reliable, "remains", seen->is_remains,
        "lane", reads ? json_integer((json_int_t)seen->lane) : json_null(), "lag_messages",
        count(seen->lag), "taken_messages", count(seen->taken), "lost_messages", count(seen->lost),
        "redelivered_messages", count(seen->redelivered), "held_messages", (json_int_t)seen->held);
}

static json_t *topic_json(const struct snapshot_topic *topic)
{
    const struct topic_sums sums = topic_sums(topic);
    json_t *publishers = json_array(), *subscribers = json_array();
    for (size_t i = 0; i < topic->publisher_count; i++)
        (void)json_array_append_new(publishers, publisher_json(&topic->publishers[i]));
    for (size_t i = 0; i < topic->subscriber_count; i++)
        (void)json_array_append_new(subscribers, subscriber_json(&topic->subscribers[i]));
    return json_pack("{s:I, s:s, s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "index",
                     (json_int_t)topic->seen.index, "name", topic->name, "kind",
                     topic->seen.is_queue ? "queue" : "topic", "type", topic->type_name,
                     "published_messages", count(sums.published), "dropped_messages",
                     count(sums.dropped), "lost_messages", count(sums.lost), "pending_messages",
                     count(sums.pending), "memory_bytes", count(sums.lane_bytes), "publishers",
                     publishers, "subscribers", subscribers);
}

json_t *bus_json(const struct scene_bus *bus)
{
    const struct snapshot *now = &bus->now;
    json_t *clients = json_array(), *topics = json_array();
    const bool up = bus->status == PEAL_OK;
    const size_t shown =
        now->topic_count < BUS_JSON_TOPICS_MAX ? now->topic_count : BUS_JSON_TOPICS_MAX;
    const uint64_t wall_ns = clock_since_1970_ns();
    for (size_t i = 0; i < now->client_count; i++)
        (void)json_array_append_new(clients, client_json(now, &now->clients[i], wall_ns));
    for (size_t i = 0; i < shown; i++)
        (void)json_array_append_new(topics, topic_json(&now->topics[i]));
    return json_pack("{s:s, s:b, s:o, s:o, s:o, s:o, s:o, s:I}", "bus", bus->url, "up", up,
                     "reason", up ? json_null() : json_string(peal_status_text(bus->status)),
                     "taken_ns", count(now->taken_ns), "region",
                     up ? region_json(now) : json_null(), "clients", clients, "topics", topics,
                     "topics_left_out", (json_int_t)(now->topic_count - shown));
}
