/* SPDX-License-Identifier: Apache-2.0 */
/* The part of a recording that knows who takes part: topics that appear, and the publishers whose messages come. */
#include "tools/peal/kit/fail.h"
#include "tools/peal/kit/memory.h"
#include "tools/peal/kit/stop.h"
#include "tools/peal/record/recording.h"

#include <inttypes.h>
#include <peal/version.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* A region has some hundred; one that shows others at each look is not worth our memory. */
#define TOPICS_MAX 65536

bool recording_begin(struct recording *recording, const char *url)
{
    struct peal_bus_stats stats = {.struct_bytes = sizeof(stats)};
    struct timespec now;
    char offset[24];
    const uint64_t monotonic_ns = clock_now_ns();
    (void)clock_gettime(CLOCK_REALTIME, &now);
    recording->to_realtime_ns =
        (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec - monotonic_ns;
    (void)peal_bus_stats(recording->bus, &stats);
    (void)snprintf(offset, sizeof(offset), "%" PRId64, (int64_t)recording->to_realtime_ns);
    const struct mcap_pair bus[] = {{"url", url}, {"library", "peal " PEAL_VERSION_TEXT}};
    const struct mcap_pair clock[] = {{"realtime_minus_monotonic_ns", offset},
                                      {"one_clock", stats.one_clock ? "1" : "0"}};
    struct mcap_error *error = &recording->error;
    return mcap_writer_metadata(recording->writer, "peal:bus", bus, 2, error) == MCAP_OK &&
           mcap_writer_metadata(recording->writer, "peal:clock", clock, 2, error) == MCAP_OK;
}

/* ---- topics ---------------------------------------------------------------------------------------------------------- */

static bool is_known(const struct recording *recording, const char *name)
{
    for (size_t i = 0; i < recording->topic_count; i++)
        if (strcmp(recording->topics[i].name, name) == 0)
            return true;
    return false;
}

static void join(struct recording *recording, struct recording_topic *topic)
{
    struct peal_subscriber_options options = PEAL_SUBSCRIBER_OPTIONS_INIT;
    options.reliability = recording->reliable ? PEAL_RELIABLE : PEAL_BEST_EFFORT;
    /* Who came while we recorded is wanted from the first message on, as far as there is. */
    options.history = topic->is_late ? UINT32_MAX : recording->history;
    const enum peal_status status =
        peal_subscriber_create(recording->bus, topic->name, &options, &topic->subscriber);
    if (status == PEAL_OK)
        return;
    recording->not_recorded++;
    (void)fail_peal(status, "topic '%s' is not recorded", topic->name);
}

static void add_topic(struct recording *recording, const struct snapshot_topic *seen)
{
    if (recording->topic_count == TOPICS_MAX)
        return;
    recording->topics = memory_room(recording->topics, recording->topic_count,
                                    &recording->topic_room, sizeof(*recording->topics));
    struct recording_topic *topic = &recording->topics[recording->topic_count++];
    *topic = (struct recording_topic){.is_late = recording->has_begun};
    memcpy(topic->name, seen->name, sizeof(topic->name));
    if (seen->seen.is_queue)
        note("queue '%s' is not recorded: what is taken from a queue nobody else gets", seen->name);
    else
        join(recording, topic);
}

enum peal_status recording_look(struct recording *recording)
{
    const struct recording_topic *before = recording->topics;
    const size_t held = recording->held.topic ? (size_t)(recording->held.topic - before) : 0;
    const enum peal_status status = watch_look(&recording->watch, &recording->seen);
    if (status != PEAL_OK)
        return status;
    for (size_t i = 0; i < recording->seen.topic_count; i++) {
        const struct snapshot_topic *seen = &recording->seen.topics[i];
        if (patterns_match(&recording->patterns, seen->name) && !is_known(recording, seen->name))
            add_topic(recording, seen);
    }
    recording->has_begun = true;
    if (recording->held.topic)
        recording->held.topic = &recording->topics[held];
    return PEAL_OK;
}

/* ---- publishers ------------------------------------------------------------------------------------------------------ */

static const struct snapshot_publisher *find_publisher(const struct recording *recording,
                                                       const char *topic, uint64_t incarnation,
                                                       const struct snapshot_topic **found)
{
    *found = snapshot_topic(&recording->seen, topic);
    for (size_t i = 0; *found && i < (*found)->publisher_count; i++)
        if ((*found)->publishers[i].seen.incarnation == incarnation)
            return &(*found)->publishers[i];
    return NULL;
}

static bool schema_id(struct recording *recording, const char *type_name, uint16_t *id)
{
    *id = 0;
    if (type_name[0] == '\0')
        return true;
    for (size_t i = 0; i < recording->schema_count; i++) {
        if (strcmp(recording->schemas[i], type_name) == 0) {
            *id = (uint16_t)(i + 1);
            return true;
        }
    }
    if (mcap_writer_schema(recording->writer, type_name, "", (struct mcap_span){0}, id,
                           &recording->error) != MCAP_OK)
        return recording->error.status == MCAP_INVALID; /* 65535 types: without one, then */
    recording->schemas = memory_room(recording->schemas, recording->schema_count,
                                     &recording->schema_room, sizeof(*recording->schemas));
    recording->schemas[recording->schema_count++] = memory_text("%s", type_name);
    return true;
}

/* What replaying needs to set up a publisher of the kind. */
struct channel_texts {
    char schema_hash[24];
    char incarnation[24];
    char message_bytes_max[16];
    char depth[16];
    char lane_bytes[24];
};

static size_t describe(const struct recording_channel *channel, const struct snapshot_topic *topic,
                       const struct snapshot_publisher *publisher,
                       const struct peal_message *message, struct channel_texts *texts,
                       struct mcap_pair pairs[8])
{
    size_t count = 0;
    const bool restarted = (message->flags & PEAL_MESSAGE_RESTARTED) != 0;
    (void)snprintf(texts->incarnation, sizeof(texts->incarnation), "0x%016" PRIx64,
                   channel->publisher);
    pairs[count++] = (struct mcap_pair){"peal:incarnation", texts->incarnation};
    pairs[count++] = (struct mcap_pair){"peal:restarted", restarted ? "1" : "0"};
    pairs[count++] = (struct mcap_pair){"peal:timestamped", message->timestamp_ns ? "1" : "0"};
    if (topic) {
        (void)snprintf(texts->schema_hash, sizeof(texts->schema_hash), "0x%016" PRIx64,
                       topic->seen.schema_hash);
        pairs[count++] = (struct mcap_pair){"peal:schema_hash", texts->schema_hash};
    }
    if (publisher) {
        (void)snprintf(texts->message_bytes_max, sizeof(texts->message_bytes_max), "%" PRIu32,
                       publisher->seen.message_bytes_max);
        (void)snprintf(texts->depth, sizeof(texts->depth), "%" PRIu32, publisher->seen.depth);
        (void)snprintf(texts->lane_bytes, sizeof(texts->lane_bytes), "%" PRIu64,
                       publisher->seen.lane_bytes);
        pairs[count++] = (struct mcap_pair){"peal:publisher", channel->name};
        pairs[count++] = (struct mcap_pair){"peal:message_bytes_max", texts->message_bytes_max};
        pairs[count++] = (struct mcap_pair){"peal:depth", texts->depth};
        pairs[count++] = (struct mcap_pair){"peal:lane_bytes", texts->lane_bytes};
    }
    return count;
}

bool recording_add_channel(struct recording *recording, struct recording_topic *topic,
                           const struct peal_message *message, struct recording_channel **channel)
{
    struct channel_texts texts;
    struct mcap_pair pairs[8];
    const struct snapshot_topic *seen;
    const struct snapshot_publisher *publisher =
        find_publisher(recording, topic->name, message->publisher, &seen);
    if (!publisher && watch_look(&recording->watch, &recording->seen) == PEAL_OK)
        publisher = find_publisher(recording, topic->name, message->publisher, &seen);
    struct recording_channel *added = memory_zeroed(1, sizeof(*added));
    added->publisher = message->publisher;
    added->has_expected = topic->is_late;
    if (publisher)
        memcpy(added->name, publisher->name, sizeof(added->name));
    topic->channels = memory_room(topic->channels, topic->channel_count, &topic->channel_room,
                                  sizeof(struct recording_channel *));
    topic->channels[topic->channel_count++] = added;
    *channel = added;
    uint16_t schema;
    if (!schema_id(recording, seen ? seen->type_name : "", &schema))
        return false;
    const size_t count = describe(added, seen, publisher, message, &texts, pairs);
    if (mcap_writer_channel(recording->writer, schema, topic->name, "application/octet-stream",
                            pairs, count, &added->id, &recording->error) == MCAP_OK)
        return true;
    added->id = 0;
    return recording->error.status == MCAP_INVALID;
}
