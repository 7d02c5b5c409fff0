/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/peal/record/recording.h"

#include "tools/peal/kit/fail.h"
#include "tools/peal/kit/stop.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Of one topic before the next has its turn. */
#define PORTION 32
#define LOSSES_AGE_NS NS_PER_S

static struct recording_channel *channel_of(struct recording *recording,
                                            struct recording_topic *topic,
                                            const struct peal_message *message)
{
    struct recording_channel *channel = NULL;
    /* The latest are the likeliest: those before are mostly of publishers that have gone. */
    for (size_t i = topic->channel_count; i-- > 0;)
        if (topic->channels[i]->publisher == message->publisher)
            return topic->channels[i];
    return recording_add_channel(recording, topic, message, &channel) ? channel : NULL;
}

static bool lose(struct recording *recording, const struct recording_topic *topic,
                 struct recording_channel *channel, uint64_t first, uint64_t last)
{
    if (losses_full(&channel->losses) && !recording_write_losses(recording, topic, channel))
        return false;
    losses_add(&channel->losses, first, last);
    recording->lost += last - first + 1;
    return true;
}

/* What was lost before a message, and whether it is lost itself. There is an open chunk, so that nothing waits. */
static bool account(struct recording *recording, const struct recording_held *taken, bool is_lost)
{
    struct recording_channel *channel = taken->channel;
    struct losses *losses = &channel->losses;
    const uint64_t number = taken->message.number, before = losses->lost;
    if (losses_full(losses) && !recording_write_losses(recording, taken->topic, channel))
        return false;
    taken->topic->told += taken->message.lost;
    losses_before(losses, channel->has_expected, channel->expected, number, taken->message.lost);
    recording->lost += losses->lost - before;
    channel->has_expected = true;
    channel->expected = number + 1;
    if (is_lost && !lose(recording, taken->topic, channel, number, number))
        return false;
    const uint64_t now_ns = losses->pending_lost > 0 ? clock_now_ns() : 0;
    if (losses->pending_lost > 0 && now_ns - recording->flushed_ns >= LOSSES_AGE_NS) {
        recording->flushed_ns = now_ns;
        return recording_write_losses(recording, taken->topic, channel);
    }
    return true;
}

/* A message that the file cannot have. */
static enum recording_took refuse(struct recording *recording, const struct recording_held *taken)
{
    if (peal_subscriber_release(taken->topic->subscriber, &taken->message) != PEAL_OK)
        taken->topic->told++;
    return account(recording, taken, true) ? RECORDING_SOME : RECORDING_FAILED;
}

static enum recording_took store(struct recording *recording, const struct recording_held *taken)
{
    struct recording_channel *channel = taken->channel;
    const struct peal_message *message = &taken->message;
    const size_t size_bytes = message->size_bytes;
    void *room;
    if (channel->id == 0)
        return refuse(recording, taken);
    const enum mcap_status status = mcap_writer_reserve(recording->writer, channel->id, size_bytes,
                                                        MCAP_NO_WAIT, &room, &recording->error);
    if (status == MCAP_BUSY) {
        recording->held = *taken;
        return RECORDING_BUSY;
    }
    if (status == MCAP_INVALID)
        return refuse(recording, taken);
    if (status != MCAP_OK)
        return RECORDING_FAILED;
    if (size_bytes > 0)
        memcpy(room, message->data, size_bytes);
    const uint64_t log_ns = clock_now_ns() + recording->to_realtime_ns;
    const bool is_whole = peal_subscriber_release(taken->topic->subscriber, message) == PEAL_OK;
    taken->topic->told += !is_whole;
    if (is_whole) {
        const struct mcap_message record = {.channel_id = channel->id,
                                            .sequence = (uint32_t)message->number,
                                            .log_time_ns = log_ns,
                                            .publish_time_ns = message->timestamp_ns != 0
                                                                   ? message->timestamp_ns +
                                                                         recording->to_realtime_ns
                                                                   : log_ns,
                                            .data = room,
                                            .size_bytes = size_bytes};
        mcap_writer_commit(recording->writer, &record);
        channel->messages++;
        channel->bytes += size_bytes;
        recording->messages++;
        recording->bytes += size_bytes;
    }
    if (!account(recording, taken, !is_whole))
        return RECORDING_FAILED;
    return recording->messages >= recording->messages_max ? RECORDING_FULL : RECORDING_SOME;
}

static enum recording_took take_one(struct recording *recording, struct recording_topic *topic)
{
    struct recording_held taken = {.topic = topic};
    const enum peal_status status = peal_subscriber_take(topic->subscriber, &taken.message);
    if (status == PEAL_ECORRUPT) /* counted by the subscriber, and told at the end */
        return RECORDING_SOME;
    if (status != PEAL_OK)
        return RECORDING_NOTHING;
    taken.channel = channel_of(recording, topic, &taken.message);
    if (taken.channel)
        return store(recording, &taken);
    (void)peal_subscriber_release(topic->subscriber, &taken.message);
    return RECORDING_FAILED;
}

enum recording_took recording_take(struct recording *recording)
{
    bool some = false;
    if (recording->held.topic) {
        const struct recording_held held = recording->held;
        recording->held.topic = NULL;
        const enum recording_took took = store(recording, &held);
        if (took != RECORDING_SOME)
            return took;
        some = true;
    }
    for (size_t i = 0; i < recording->topic_count; i++) {
        struct recording_topic *topic = &recording->topics[i];
        for (unsigned n = 0; topic->subscriber && n < PORTION; n++) {
            const enum recording_took took = take_one(recording, topic);
            if (took == RECORDING_NOTHING)
                break;
            if (took != RECORDING_SOME)
                return took;
            some = true;
        }
    }
    return some ? RECORDING_SOME : RECORDING_NOTHING;
}

/* ---- the end --------------------------------------------------------------------------------------------------------- */

bool recording_write_losses(struct recording *recording, const struct recording_topic *topic,
                            struct recording_channel *channel)
{
    struct losses *losses = &channel->losses;
    char ranges[LOSSES_TEXT_BYTES], lost[24], unnumbered[24], incarnation[24];
    const struct mcap_pair pairs[] = {
        {"topic", topic->name}, {"publisher", channel->name}, {"incarnation", incarnation},
        {"lost", lost},         {"ranges", ranges},           {"unnumbered", unnumbered},
    };
    if (losses->pending_lost == 0)
        return true;
    losses_pending_text(losses, ranges);
    (void)snprintf(lost, sizeof(lost), "%" PRIu64, losses->pending_lost);
    (void)snprintf(unnumbered, sizeof(unnumbered), "%" PRIu64, losses->pending_unnumbered);
    (void)snprintf(incarnation, sizeof(incarnation), "0x%016" PRIx64, channel->publisher);
    losses_written(losses);
    return mcap_writer_metadata(recording->writer, "peal:losses", pairs,
                                sizeof(pairs) / sizeof(pairs[0]), &recording->error) == MCAP_OK;
}

/* Losses that came with no message: of a publisher of whom nothing was taken, or behind the last that was. */
static bool end_topic(struct recording *recording, struct recording_topic *topic)
{
    struct peal_subscriber_stats stats = {.struct_bytes = sizeof(stats)};
    char lost[24];
    bool written = true;
    if (!topic->subscriber || peal_subscriber_stats(topic->subscriber, &stats) != PEAL_OK)
        return true;
    topic->corrupt = stats.corrupt;
    if (stats.lost > topic->told) {
        topic->lost_elsewhere = stats.lost - topic->told;
        recording->lost += topic->lost_elsewhere;
        const struct mcap_pair pairs[] = {{"topic", topic->name}, {"lost", lost}};
        (void)snprintf(lost, sizeof(lost), "%" PRIu64, topic->lost_elsewhere);
        written = mcap_writer_metadata(recording->writer, "peal:losses", pairs, 2,
                                       &recording->error) == MCAP_OK;
    }
    peal_subscriber_close(topic->subscriber);
    topic->subscriber = NULL;
    return written;
}

static bool end_channels(struct recording *recording, const struct recording_topic *topic)
{
    for (size_t i = 0; i < topic->channel_count; i++)
        if (!recording_write_losses(recording, topic, topic->channels[i]))
            return false;
    return true;
}

bool recording_end(struct recording *recording)
{
    bool done = true;
    if (recording->held.topic) {
        const struct recording_held held = recording->held;
        recording->held.topic = NULL;
        done = refuse(recording, &held) != RECORDING_FAILED;
    }
    for (size_t i = 0; i < recording->topic_count; i++) {
        done = end_topic(recording, &recording->topics[i]) && done;
        done = done && end_channels(recording, &recording->topics[i]);
    }
    return done;
}

void recording_free(struct recording *recording)
{
    for (size_t i = 0; i < recording->topic_count; i++) {
        struct recording_topic *topic = &recording->topics[i];
        for (size_t j = 0; j < topic->channel_count; j++)
            free(topic->channels[j]);
        free(topic->channels);
        peal_subscriber_close(topic->subscriber);
    }
    for (size_t i = 0; i < recording->schema_count; i++)
        free(recording->schemas[i]);
    free(recording->schemas);
    free(recording->topics);
    snapshot_free(&recording->seen);
    watch_close(&recording->watch);
}
