/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/peal/top/messages.h"

#include "tools/peal/kit/memory.h"
#include "tools/peal/kit/stop.h"
#include "tools/peal/look/age.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A look copies so much: looking must not fill the caches of those who work. One message may be longer. */
#define BYTES_A_LOOK (UINT64_C(1) << 20)
#define MESSAGE_BYTES_MAX (UINT64_C(16) << 20)

void top_messages_free(struct top_messages *messages)
{
    free(messages->kept);
    free(messages->lanes);
    free(messages->buffer);
    memset(messages, 0, sizeof(*messages));
}

const struct top_message *top_messages_at(const struct top_messages *messages, uint64_t back)
{
    if (back >= messages->count || back >= TOP_MESSAGES_KEPT)
        return NULL;
    return &messages->kept[(messages->count - 1 - back) % TOP_MESSAGES_KEPT];
}

static void begin(struct top_messages *messages, uint64_t topic_id, uint64_t generation)
{
    messages->topic_id = topic_id;
    messages->generation = generation;
    messages->count = 0;
    messages->passed_by = 0;
    messages->lane_count = 0;
    if (!messages->kept)
        messages->kept = memory_zeroed(TOP_MESSAGES_KEPT, sizeof(*messages->kept));
}

/* ---- one look ---- */

struct look {
    struct top_messages *messages;
    const struct top_scene *scene;
    const struct snapshot_topic *topic;
    uint64_t bytes;  /* copied so far */
    uint64_t a_lane; /* so many messages of each lane */
};

static struct top_lane *lane_of(struct top_messages *messages,
                                const struct peal_observer_publisher *seen)
{
    for (size_t i = 0; i < messages->lane_count; i++)
        if (messages->lanes[i].lane == seen->lane) {
            if (messages->lanes[i].incarnation != seen->incarnation)
                messages->lanes[i] = (struct top_lane){seen->lane, seen->incarnation, 0};
            return &messages->lanes[i];
        }
    messages->lanes = memory_room(messages->lanes, messages->lane_count, &messages->lane_room,
                                  sizeof(*messages->lanes));
    struct top_lane *lane = &messages->lanes[messages->lane_count++];
    *lane = (struct top_lane){seen->lane, seen->incarnation, 0};
    return lane;
}

static uint64_t time_of(const struct top_scene *scene, uint64_t timestamp_ns)
{
    uint64_t ago_ns;
    if (!age_of_message(scene->now, timestamp_ns, clock_now_ns(), &ago_ns) ||
        ago_ns > scene->now_ns)
        return 0;
    return clock_since_1970_ns() - ago_ns;
}

static void keep(struct look *look, const struct snapshot_publisher *publisher,
                 const struct peal_message *message, enum peal_status status)
{
    struct top_messages *messages = look->messages;
    struct top_message *to = &messages->kept[messages->count++ % TOP_MESSAGES_KEPT];
    to->number = message->number;
    to->size_bytes = message->size_bytes;
    to->timestamp_ns = message->timestamp_ns;
    to->time_ns = time_of(look->scene, message->timestamp_ns);
    to->status = status;
    to->lane = publisher->seen.lane;
    (void)snprintf(to->publisher, sizeof(to->publisher), "%s", publisher->name);
    to->kept_bytes = status == PEAL_ETRUNC                          ? 0
                     : message->size_bytes < TOP_MESSAGE_KEPT_BYTES ? message->size_bytes
                                                                    : TOP_MESSAGE_KEPT_BYTES;
    memcpy(to->kept, messages->buffer, to->kept_bytes);
}

static void make_room(struct top_messages *messages, size_t bytes)
{
    if (bytes <= messages->buffer_bytes)
        return;
    free(messages->buffer);
    messages->buffer = memory_zeroed(1, bytes);
    messages->buffer_bytes = bytes;
}

/* False: enough of this lane. */
static bool peek(struct look *look, struct peal_observer *observer,
                 const struct snapshot_publisher *publisher, uint64_t number)
{
    struct top_messages *messages = look->messages;
    struct peal_message message = {.number = number};
    enum peal_status status =
        peal_observer_peek(observer, look->topic->seen.index, publisher->seen.lane, number,
                           messages->buffer, messages->buffer_bytes, &message);
    if (status == PEAL_OK || status == PEAL_ETRUNC || status == PEAL_ECORRUPT) {
        keep(look, publisher, &message, status);
        look->bytes += message.size_bytes;
    }
    return status != PEAL_EFORMAT && status != PEAL_ENOENT && status != PEAL_EMPTY;
}

/* From the oldest to the newest, so that what comes later is newer. */
static void look_at_lane(struct look *look, struct peal_observer *observer,
                         const struct snapshot_publisher *publisher)
{
    struct top_lane *lane = lane_of(look->messages, &publisher->seen);
    const uint64_t end = publisher->seen.published;
    const uint64_t each = publisher->seen.message_bytes_max;
    uint64_t count = end > lane->next ? end - lane->next : 0;
    uint64_t most = look->a_lane;
    if (each > BYTES_A_LOOK / most)
        most = each < BYTES_A_LOOK ? BYTES_A_LOOK / each : 1;
    if (count > most) {
        if (lane->next > 0)
            look->messages->passed_by += count - most;
        count = most;
    }
    if (look->bytes > BYTES_A_LOOK)
        count = count > 0 ? 1 : 0;
    lane->next = end;
    for (uint64_t number = end - count; number < end; number++)
        if (!peek(look, observer, publisher, number))
            return;
}

static int compare_times(const void *a, const void *b)
{
    const struct top_message *left = a, *right = b;
    if (left->timestamp_ns != right->timestamp_ns)
        return left->timestamp_ns > right->timestamp_ns ? 1 : -1;
    if (left->lane != right->lane)
        return left->lane > right->lane ? 1 : -1;
    return (left->number > right->number) - (left->number < right->number);
}

/* What this look brought from several lanes, in order of time. */
static void sort_newest(struct top_messages *messages, uint64_t count)
{
    struct top_message *sorted = memory_zeroed(count, sizeof(*sorted));
    const uint64_t from = messages->count - count;
    for (uint64_t i = 0; i < count; i++)
        sorted[i] = messages->kept[(from + i) % TOP_MESSAGES_KEPT];
    qsort(sorted, count, sizeof(*sorted), compare_times);
    for (uint64_t i = 0; i < count; i++)
        messages->kept[(from + i) % TOP_MESSAGES_KEPT] = sorted[i];
    free(sorted);
}

static enum peal_status look_at_topic(struct peal_observer *observer, void *context)
{
    struct look *look = context;
    for (size_t i = 0; i < look->topic->publisher_count; i++)
        if (!look->topic->publishers[i].seen.is_spoilt)
            look_at_lane(look, observer, &look->topic->publishers[i]);
    return PEAL_OK;
}

static uint64_t longest(const struct snapshot_topic *topic)
{
    uint64_t bytes = 64;
    for (size_t i = 0; i < topic->publisher_count; i++)
        if (topic->publishers[i].seen.message_bytes_max > bytes)
            bytes = topic->publishers[i].seen.message_bytes_max;
    return bytes < MESSAGE_BYTES_MAX ? bytes : MESSAGE_BYTES_MAX;
}

void top_messages_look(struct top_messages *messages, struct top_scene *scene, size_t at)
{
    const struct snapshot_topic *topic = &scene->now->topics[at];
    const uint64_t generation = scene->now->region.generation;
    if (messages->topic_id != scene->figures[at].id || messages->generation != generation)
        begin(messages, scene->figures[at].id, generation);
    if (topic->seen.is_queue || topic->publisher_count == 0)
        return;
    struct look look = {.messages = messages, .scene = scene, .topic = topic};
    look.a_lane = TOP_MESSAGES_A_LOOK / topic->publisher_count;
    look.a_lane = look.a_lane > 0 ? look.a_lane : 1;
    make_room(messages, longest(topic)); /* not within the look: that may be left in the middle */
    const uint64_t before = messages->count;
    (void)watch_do(&scene->watch, look_at_topic, &look);
    const uint64_t more = messages->count - before;
    if (topic->publisher_count > 1 && more > 1 && more <= TOP_MESSAGES_KEPT)
        sort_newest(messages, more);
}
