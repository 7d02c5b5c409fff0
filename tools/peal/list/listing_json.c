/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/peal/list/listing_json.h"

#include "tools/peal/kit/stop.h"
#include "tools/peal/list/people.h"
#include "tools/peal/look/age.h"
#include "tools/peal/look/rates.h"

#include <stdlib.h>

static void set(json_t *object, const char *key, json_t *value)
{
    (void)json_object_set_new(object, key,
                              value); /* an object that misses one is told by print_json() */
}

static void set_u64(json_t *object, const char *key, uint64_t figure)
{
    set(object, key, json_u64(figure));
}

static void set_text(json_t *object, const char *key, const char *text)
{
    set(object, key, json_string(text));
}

static void set_bool(json_t *object, const char *key, bool is_so)
{
    set(object, key, json_boolean(is_so));
}

static void set_rate(json_t *object, const char *key, const struct looks *looks, double rate)
{
    set(object, key, looks->before ? json_finite(rate) : json_null());
}

static void set_age(json_t *object, const char *key, bool is_known, uint64_t age_ns)
{
    set(object, key, is_known ? json_u64(age_ns) : json_null());
}

static void set_message_age(json_t *object, const struct looks *looks, uint64_t newest_ns)
{
    uint64_t age_ns = 0;
    const bool is_known = age_of_message(&looks->now, newest_ns, looks->now.taken_ns, &age_ns);
    set_age(object, "newest_age_ns", is_known, age_ns);
}

/* ---- the region and its clients ---- */

json_t *region_json(const struct looks *looks)
{
    const struct peal_observer_region *seen = &looks->now.region;
    json_t *region = json_object();
    set_text(region, "bus", looks->watch.url);
    set_u64(region, "region_bytes", seen->region_bytes);
    set_u64(region, "data_bytes", (uint64_t)seen->pages * SNAPSHOT_PAGE_BYTES);
    set_u64(region, "free_bytes", (uint64_t)seen->pages_free * SNAPSHOT_PAGE_BYTES);
    set(region, "generation", json_id(seen->generation));
    set_u64(region, "format", seen->format);
    set_u64(region, "topics_max", seen->topics_max);
    set_u64(region, "topic_count", looks->now.topic_count);
    set_bool(region, "members_known", seen->members_known);
    set(region, "members", seen->members_known ? json_id(seen->members) : json_null());
    set(region, "sleeping", json_id(seen->armed));
    set(region, "interval_ns",
        looks->before ? json_u64(looks->now.taken_ns - looks->before->taken_ns) : json_null());
    return region;
}

json_t *client_json(const struct snapshot *snapshot, const struct snapshot_client *client)
{
    const struct peal_observer_client *seen = &client->seen;
    const uint64_t since_1970_ns = clock_since_1970_ns();
    uint64_t age_ns = 0;
    json_t *object = json_object();
    set_u64(object, "client", seen->index);
    set_text(object, "name", client->name);
    set_text(object, "life", snapshot_life_text(seen->life));
    set(object, "incarnation", json_id(seen->incarnation));
    const bool has_age = age_since(seen->attached_ns, since_1970_ns, &age_ns);
    set_age(object, "age_ns", has_age, age_ns);
    const bool has_beat =
        age_of_heartbeat(snapshot, client, snapshot->taken_ns, since_1970_ns, &age_ns);
    set_age(object, "heartbeat_age_ns", has_beat, age_ns);
    set_u64(object, "bells_rung", seen->bells_rung);
    set_u64(object, "bells_suppressed", seen->bells_suppressed);
    set_u64(object, "sleeps", seen->sleeps);
    set_u64(object, "wakes", seen->wakes);
    set_u64(object, "spurious_wakes", seen->spurious_wakes);
    set_u64(object, "safety_net_finds", seen->safety_net_finds);
    set_u64(object, "recovered_clients", seen->recovered_clients);
    set_u64(object, "corruptions", seen->corruptions);
    return object;
}

json_t *clients_json(const struct snapshot *snapshot)
{
    json_t *array = json_array();
    for (size_t i = 0; i < snapshot->client_count; i++)
        (void)json_array_append_new(array, client_json(snapshot, &snapshot->clients[i]));
    return array;
}

/* ---- who takes part ---- */

static json_t *publisher_json(const struct looks *looks, const struct snapshot_topic *topic,
                              const struct snapshot_publisher *publisher)
{
    const struct peal_observer_publisher *seen = &publisher->seen;
    json_t *object = json_object();
    set_text(object, "name", publisher->name);
    set_u64(object, "client", seen->client);
    set_text(object, "life", snapshot_life_text(seen->life));
    set_u64(object, "lane", seen->lane);
    set(object, "incarnation", json_id(seen->incarnation));
    set_bool(object, "ended", seen->has_ended);
    set_bool(object, "spoilt", seen->is_spoilt);
    set_bool(object, "waits", seen->waits);
    set_bool(object, "evicts", !seen->is_spoilt && !seen->gates);
    set_u64(object, "published", seen->published);
    set_rate(object, "rate_hz", looks,
             publisher_rate_hz(looks->before, &looks->now, topic, publisher));
    set_message_age(object, looks, seen->newest_ns);
    set_u64(object, "dropped", seen->dropped);
    if (topic->seen.is_queue) {
        set_u64(object, "dropped_oldest", seen->dropped_oldest);
        set_u64(object, "lost", seen->lost);
        set_u64(object, "pending", seen->pending);
    }
    set(object, "mean_message_bytes", json_finite(seen->bytes_per_message));
    set_u64(object, "message_bytes_max", seen->message_bytes_max);
    set_u64(object, "memory_bytes", seen->lane_bytes);
    set_u64(object, "depth", seen->depth);
    return object;
}

static json_t *subscriber_json(const struct looks *looks, const struct snapshot_topic *topic,
                               const struct snapshot_subscriber *subscriber)
{
    const struct peal_observer_subscriber *seen = &subscriber->seen;
    json_t *object = json_object();
    set_text(object, "name", subscriber->name);
    set_u64(object, "client", seen->client);
    set_text(object, "life", snapshot_life_text(seen->life));
    set_u64(object, "entry", seen->entry);
    set(object, "lane", seen->lane != UINT32_MAX ? json_u64(seen->lane) : json_null());
    set_u64(object, "taken", seen->taken);
    set_rate(object, "taken_hz", looks,
             subscriber_rate_hz(looks->before, &looks->now, topic, subscriber));
    set_u64(object, "lost", seen->lost);
    if (topic->seen.is_queue) {
        set_bool(object, "remains", seen->is_remains);
        set_u64(object, "held", seen->held);
        set_u64(object, "redelivered", seen->redelivered);
    } else {
        set_bool(object, "reliable", seen->reliable);
        set(object, "cursor", seen->cursor_known ? json_u64(seen->cursor) : json_null());
        set(object, "lag", seen->cursor_known ? json_u64(seen->lag) : json_null());
    }
    return object;
}

static void set_people(json_t *object, const struct looks *looks,
                       const struct snapshot_topic *topic)
{
    json_t *publishers = json_array();
    json_t *subscribers = json_array();
    for (size_t i = 0; i < topic->publisher_count; i++)
        (void)json_array_append_new(publishers,
                                    publisher_json(looks, topic, &topic->publishers[i]));
    for (size_t i = 0; i < topic->subscriber_count; i++)
        (void)json_array_append_new(subscribers,
                                    subscriber_json(looks, topic, &topic->subscribers[i]));
    set(object, "publishers", publishers);
    set(object, "subscribers", subscribers);
}

/* ---- topics ---- */

static void set_figures(json_t *object, const struct looks *looks,
                        const struct snapshot_topic *topic)
{
    const struct topic_sums sums = topic_sums(topic);
    const struct topic_rates rates = topic_rates(looks->before, &looks->now, topic);
    set_u64(object, "publisher_count", sums.publishers);
    set_u64(object, "subscriber_count", sums.subscribers);
    set_u64(object, "spoilt_lanes", topic_spoilt_lanes(topic));
    set_rate(object, "rate_hz", looks, rates.published_hz);
    set_rate(object, "bytes_per_s", looks, rates.bytes_per_s);
    set_rate(object, "taken_hz", looks, rates.taken_hz);
    set_rate(object, "lost_hz", looks, rates.lost_hz);
    set_rate(object, "dropped_hz", looks, rates.dropped_hz);
    set_u64(object, "published", sums.published);
    set_u64(object, "taken", sums.taken);
    set_u64(object, "lag", sums.lag_max);
    set_u64(object, "depth", sums.lag_depth);
    set_u64(object, "lost", sums.lost);
    set_u64(object, "dropped", sums.dropped);
    set_u64(object, "memory_bytes", sums.lane_bytes);
    set(object, "mean_message_bytes", json_finite(sums.bytes_per_message));
    set_message_age(object, looks, sums.newest_ns);
    if (topic->seen.is_queue) {
        set_u64(object, "pending", sums.pending);
        set_u64(object, "redelivered", sums.redelivered);
    }
}

json_t *topic_json(const struct looks *looks, const struct snapshot_topic *topic, bool with_people)
{
    const struct peal_observer_topic *seen = &topic->seen;
    const bool has_type = topic->type_name[0] != '\0';
    json_t *object = json_object();
    set_text(object, "name", topic->name);
    set_text(object, "kind", seen->is_queue ? "queue" : "topic");
    set(object, "type", has_type ? json_string(topic->type_name) : json_null());
    set(object, "schema_hash", has_type ? json_id(seen->schema_hash) : json_null());
    set_u64(object, "index", seen->index);
    if (seen->is_queue) {
        set_bool(object, "strict", seen->strict);
        set_bool(object, "drops_held", seen->drops_held);
        set_u64(object, "message_bytes_max", seen->message_bytes_max);
    }
    set_figures(object, looks, topic);
    if (with_people)
        set_people(object, looks, topic);
    return object;
}

json_t *topics_json(const struct looks *looks, const struct patterns *patterns, bool with_people)
{
    size_t count;
    const struct snapshot_topic **topics = topics_meant(&looks->now, patterns, &count);
    json_t *array = json_array();
    for (size_t i = 0; i < count; i++)
        (void)json_array_append_new(array, topic_json(looks, topics[i], with_people));
    free(topics);
    return array;
}
