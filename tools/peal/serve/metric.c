/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/peal/serve/metric.h"

#include "tools/peal/look/age.h"
#include "tools/peal/look/rates.h"

#include <inttypes.h>
#include <peal/version.h>
#include <stdarg.h>
#include <stdio.h>

#define PAGE_BYTES 4096

/* ---- values ---- */

static bool whole(struct metric_value *value, uint64_t figure)
{
    *value = (struct metric_value){.whole = figure};
    return true;
}

static bool real(struct metric_value *value, double figure)
{
    *value = (struct metric_value){.is_real = true, .real = figure};
    return true;
}

static bool flag(struct metric_value *value, enum peal_audit_life life, bool also)
{
    return life != PEAL_AUDIT_UNKNOWN && whole(value, life == PEAL_AUDIT_ALIVE && also);
}

/* `name`: the function; `has`: whether this one has such a figure; `figure`: it. */
#define WHOLE(name, has, figure)                                                                   \
    static bool name(const struct metric_subject *subject, struct metric_value *value)             \
    {                                                                                              \
        return (has) && whole(value, (figure));                                                    \
    }
#define ONE(name, has) WHOLE(name, ((void)subject, (has)), 1)

#define REGION subject->bus->now.region
#define CLIENT subject->client->seen
#define TOPIC subject->topic->seen
#define PUBLISHER subject->publisher->seen
#define SUBSCRIBER subject->subscriber->seen

ONE(one, true)

/* ---- buses ---- */

static uint32_t bits(uint64_t word)
{
    return (uint32_t)__builtin_popcountll(word);
}

WHOLE(bus_up, true, subject->bus->status == PEAL_OK)
ONE(bus_down, subject->bus->status != PEAL_OK)
#define LOOKED (subject->bus->status == PEAL_OK)
ONE(bus_looked, LOOKED)
WHOLE(region_size, LOOKED, REGION.region_bytes)
WHOLE(region_data, LOOKED, (uint64_t)REGION.pages *PAGE_BYTES)
WHOLE(region_free, LOOKED, (uint64_t)REGION.pages_free *PAGE_BYTES)
WHOLE(region_topics, LOOKED, subject->bus->now.topic_count)
WHOLE(region_topics_max, LOOKED, REGION.topics_max)
WHOLE(region_clients, LOOKED &&REGION.members_known, bits(REGION.members))
WHOLE(region_asleep, LOOKED, bits(REGION.armed))

static bool look_s(const struct metric_subject *subject, struct metric_value *value)
{
    return LOOKED && real(value, subject->bus->look_s);
}

/* ---- clients ---- */

WHOLE(bells_rung, true, CLIENT.bells_rung)
WHOLE(bells_suppressed, true, CLIENT.bells_suppressed)
WHOLE(sleeps, true, CLIENT.sleeps)
WHOLE(wakes, true, CLIENT.wakes)
WHOLE(spurious_wakes, true, CLIENT.spurious_wakes)
WHOLE(safety_net_finds, true, CLIENT.safety_net_finds)
WHOLE(recovered_clients, true, CLIENT.recovered_clients)
WHOLE(corruptions, true, CLIENT.corruptions)
WHOLE(client_asleep, CLIENT.index < 64, REGION.armed >> (CLIENT.index & 63u) & 1u)

static bool client_alive(const struct metric_subject *subject, struct metric_value *value)
{
    return flag(value, CLIENT.life, true);
}

static bool client_start(const struct metric_subject *subject, struct metric_value *value)
{
    return real(value, (double)CLIENT.attached_ns / 1e9);
}

static bool heartbeat_age(const struct metric_subject *subject, struct metric_value *value)
{
    uint64_t age_ns;
    return age_of_heartbeat(&subject->bus->now, subject->client, subject->now_ns,
                            subject->since_1970_ns, &age_ns) &&
           real(value, (double)age_ns / 1e9);
}

/* ---- topics ---- */

WHOLE(topic_published, true, subject->sums->published)
WHOLE(topic_dropped, true, subject->sums->dropped)
WHOLE(topic_publishers, true, subject->sums->publishers)
WHOLE(topic_subscribers, true, subject->sums->subscribers)
WHOLE(topic_memory, true, subject->sums->lane_bytes)
WHOLE(queue_pending, TOPIC.is_queue, subject->sums->pending)
WHOLE(queue_lost, TOPIC.is_queue, subject->sums->lost)
WHOLE(queue_message_max, TOPIC.is_queue, TOPIC.message_bytes_max)

/* Sums of lanes; what has ended is added, so that they go on where they were. */
static uint64_t sum(uint64_t sum, uint64_t more)
{
    return sum > UINT64_MAX - more ? UINT64_MAX : sum + more;
}

static bool queue_dropped_oldest(const struct metric_subject *subject, struct metric_value *value)
{
    uint64_t total = TOPIC.ended_dropped_oldest;
    for (size_t i = 0; i < subject->topic->publisher_count; i++)
        total = sum(total, subject->topic->publishers[i].seen.dropped_oldest);
    return TOPIC.is_queue && whole(value, total);
}

static bool queue_dropped_newest(const struct metric_subject *subject, struct metric_value *value)
{
    uint64_t total = TOPIC.ended_dropped_newest;
    for (size_t i = 0; i < subject->topic->publisher_count; i++)
        total = sum(total, subject->topic->publishers[i].seen.dropped);
    return TOPIC.is_queue && whole(value, total);
}

/* ---- publishers: of a spoilt lane nothing is known, and a counter of it would step back to 0 ---- */

#define SOUND (!PUBLISHER.is_spoilt)
#define SOUND_QUEUE (SOUND && TOPIC.is_queue)
WHOLE(publisher_spoilt, true, PUBLISHER.is_spoilt)
WHOLE(publisher_ended, true, PUBLISHER.has_ended)
WHOLE(publisher_waits, SOUND, PUBLISHER.waits)
WHOLE(publisher_gates, SOUND, PUBLISHER.gates)
WHOLE(published, SOUND, PUBLISHER.published)
WHOLE(dropped, SOUND, PUBLISHER.dropped)
WHOLE(dropped_oldest, SOUND_QUEUE, PUBLISHER.dropped_oldest)
WHOLE(publisher_lost, SOUND_QUEUE, PUBLISHER.lost)
WHOLE(publisher_pending, SOUND_QUEUE, PUBLISHER.pending)
WHOLE(lane_bytes, SOUND, PUBLISHER.lane_bytes)
WHOLE(lane_depth, SOUND, PUBLISHER.depth)
WHOLE(message_max, SOUND, PUBLISHER.message_bytes_max)

static bool publisher_alive(const struct metric_subject *subject, struct metric_value *value)
{
    return flag(value, PUBLISHER.life, !PUBLISHER.has_ended);
}

static bool message_mean(const struct metric_subject *subject, struct metric_value *value)
{
    return SOUND && real(value, PUBLISHER.bytes_per_message);
}

static bool newest_age(const struct metric_subject *subject, struct metric_value *value)
{
    uint64_t age_ns;
    return SOUND &&
           age_of_message(&subject->bus->now, PUBLISHER.newest_ns, subject->now_ns, &age_ns) &&
           real(value, (double)age_ns / 1e9);
}

/* ---- subscribers, and each in each lane ---- */

static bool subscriber_alive(const struct metric_subject *subject, struct metric_value *value)
{
    return flag(value, SUBSCRIBER.life, true);
}

WHOLE(lag, SUBSCRIBER.cursor_known, SUBSCRIBER.lag)
WHOLE(cursor, SUBSCRIBER.cursor_known, SUBSCRIBER.cursor)
WHOLE(taken, true, SUBSCRIBER.taken)
WHOLE(lost, true, SUBSCRIBER.lost)
WHOLE(redelivered, TOPIC.is_queue, SUBSCRIBER.redelivered)
WHOLE(held, TOPIC.is_queue, SUBSCRIBER.held)

/* ---- texts ---- */

static void label(struct metric_label *label, const char *name, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void label(struct metric_label *label, const char *name, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    label->name = name;
    (void)vsnprintf(label->text, sizeof(label->text), format, arguments);
    va_end(arguments);
}

static const char *yes_no(bool yes)
{
    return yes ? "yes" : "no";
}

static size_t program_labels(const struct metric_subject *subject, struct metric_label *labels)
{
    (void)subject;
    label(&labels[0], "version", "%s", PEAL_VERSION_TEXT);
    return 1;
}

static size_t down_labels(const struct metric_subject *subject, struct metric_label *labels)
{
    label(&labels[0], "reason", "%s", peal_status_text(subject->bus->status));
    return 1;
}

static size_t region_labels(const struct metric_subject *subject, struct metric_label *labels)
{
    label(&labels[0], "format", "%" PRIu32, REGION.format);
    label(&labels[1], "generation", "%016" PRIx64, REGION.generation);
    return 2;
}

static size_t client_labels(const struct metric_subject *subject, struct metric_label *labels)
{
    label(&labels[0], "incarnation", "%016" PRIx64, CLIENT.incarnation);
    return 1;
}

static size_t topic_labels(const struct metric_subject *subject, struct metric_label *labels)
{
    label(&labels[0], "kind", "%s", TOPIC.is_queue ? "queue" : "topic");
    label(&labels[1], "type", "%s", TOPIC.type_name);
    label(&labels[2], "schema", "%016" PRIx64, TOPIC.schema_hash);
    label(&labels[3], "strict", "%s", yes_no(TOPIC.strict));
    label(&labels[4], "drops_held", "%s", yes_no(TOPIC.drops_held));
    return 5;
}

static size_t publisher_labels(const struct metric_subject *subject, struct metric_label *labels)
{
    label(&labels[0], "index", "%" PRIu32, PUBLISHER.client);
    label(&labels[1], "incarnation", "%016" PRIx64, PUBLISHER.incarnation);
    return 2;
}

static size_t subscriber_labels(const struct metric_subject *subject, struct metric_label *labels)
{
    label(&labels[0], "index", "%" PRIu32, SUBSCRIBER.client);
    label(&labels[1], "reliable", "%s", yes_no(SUBSCRIBER.reliable));
    label(&labels[2], "remains", "%s", yes_no(SUBSCRIBER.is_remains));
    return 3;
}

/* ---- the table ---- */

/* clang-format off */
#define TEXT(scope, name, function, labels, help) {"peal_" name, false, METRIC_##scope, help, function, labels}
#define GAUGE(scope, name, function, help) {"peal_" name, false, METRIC_##scope, help, function, NULL}
#define COUNTER(scope, name, function, help) {"peal_" name, true, METRIC_##scope, help, function, NULL}

const struct metric metric_table[] = {
    TEXT(PROGRAM, "build_info", one, program_labels, "The version of peal that tells all this."),
    GAUGE(BUS, "up", bus_up, "1 if the region can be looked at."),
    TEXT(BUS, "down_info", bus_down, down_labels, "Why the region cannot be looked at."),
    GAUGE(BUS, "look_duration_seconds", look_s, "How long this look at the region took."),

    TEXT(BUS, "region_info", bus_looked, region_labels, "Another generation is another region of the same name."),
    GAUGE(BUS, "region_size_bytes", region_size, "Size of the region."),
    GAUGE(BUS, "region_data_bytes", region_data, "Room for lanes, free or not."),
    GAUGE(BUS, "region_free_bytes", region_free, "Room for lanes that is free."),
    GAUGE(BUS, "region_topics", region_topics, "Topics and queues that there are."),
    GAUGE(BUS, "region_topics_max", region_topics_max, "Topics and queues that there can be."),
    GAUGE(BUS, "region_clients", region_clients, "Clients that are attached."),
    GAUGE(BUS, "region_clients_asleep", region_asleep, "Clients that sleep until their bell rings."),

    TEXT(CLIENT, "client_info", one, client_labels, "Another incarnation is another client of the same name."),
    GAUGE(CLIENT, "client_alive", client_alive, "1 if the client is attached, 0 if it has died and was not cleared away yet."),
    GAUGE(CLIENT, "client_asleep", client_asleep, "1 while the client sleeps until its bell rings."),
    GAUGE(CLIENT, "client_start_time_seconds", client_start, "When the client attached, since 1970."),
    GAUGE(CLIENT, "client_heartbeat_age_seconds", heartbeat_age, "How long ago the client last slept or rang a bell."),
    COUNTER(CLIENT, "client_bells_rung_total", bells_rung, "Bells of others that the client has rung."),
    COUNTER(CLIENT, "client_bells_suppressed_total", bells_suppressed, "Bells toward sleepers that the rate limit held back."),
    COUNTER(CLIENT, "client_sleeps_total", sleeps, "Times the client went to sleep."),
    COUNTER(CLIENT, "client_wakes_total", wakes, "Times its bell woke it."),
    COUNTER(CLIENT, "client_spurious_wakes_total", spurious_wakes, "Times it was woken for nothing."),
    COUNTER(CLIENT, "client_safety_net_finds_total", safety_net_finds, "Times its safety net found work that no bell had told of."),
    COUNTER(CLIENT, "client_recovered_clients_total", recovered_clients, "Dead clients that it has cleared away."),
    COUNTER(CLIENT, "client_corruptions_total", corruptions, "Times it met what no honest client writes."),

    TEXT(TOPIC, "topic_info", one, topic_labels, "What the topic or queue is."),
    GAUGE(TOPIC, "topic_publishers", topic_publishers, "Who publishes or pushes now."),
    GAUGE(TOPIC, "topic_subscribers", topic_subscribers, "Who subscribes or pops now."),
    GAUGE(TOPIC, "topic_memory_bytes", topic_memory, "Memory of all lanes."),
    COUNTER(TOPIC, "topic_messages_total", topic_published, "Messages published or pushed, over all lanes; see the notes on lanes that end."),
    COUNTER(TOPIC, "topic_dropped_messages_total", topic_dropped, "Messages dropped for want of room, over all lanes."),
    GAUGE(TOPIC, "queue_pending_messages", queue_pending, "Messages pushed and not taken yet."),
    GAUGE(TOPIC, "queue_message_max_bytes", queue_message_max, "Longest message that the queue takes."),
    COUNTER(TOPIC, "queue_dropped_oldest_messages_total", queue_dropped_oldest, "Messages dropped unread to make room, over all lanes there have been."),
    COUNTER(TOPIC, "queue_dropped_newest_messages_total", queue_dropped_newest, "Messages not taken in for want of room, over all lanes there have been."),
    COUNTER(TOPIC, "queue_lost_messages_total", queue_lost, "Messages dropped since who had taken them died, over all lanes there have been."),

    TEXT(PUBLISHER, "publisher_info", one, publisher_labels, "Which client publishes in this lane."),
    GAUGE(PUBLISHER, "publisher_alive", publisher_alive, "1 while the publisher is attached and its lane is open."),
    GAUGE(PUBLISHER, "publisher_ended", publisher_ended, "1 if the lane has ended and is still being read."),
    GAUGE(PUBLISHER, "publisher_spoilt", publisher_spoilt, "1 if the lane makes no sense; then nothing else of it is told."),
    GAUGE(PUBLISHER, "publisher_waiting", publisher_waits, "1 while the publisher sleeps until there is room."),
    GAUGE(PUBLISHER, "publisher_gated", publisher_gates, "1 if reliable subscribers can hold it up."),
    COUNTER(PUBLISHER, "publisher_messages_total", published, "Messages published or pushed."),
    COUNTER(PUBLISHER, "publisher_dropped_messages_total", dropped, "Messages not taken in for want of room."),
    COUNTER(PUBLISHER, "publisher_dropped_oldest_messages_total", dropped_oldest, "Of a queue: messages dropped unread to make room."),
    COUNTER(PUBLISHER, "publisher_lost_messages_total", publisher_lost, "Of a queue: messages dropped since who had taken them died."),
    GAUGE(PUBLISHER, "publisher_pending_messages", publisher_pending, "Of a queue: messages pushed and not taken yet."),
    GAUGE(PUBLISHER, "publisher_message_mean_bytes", message_mean, "Mean length of some of the messages that the lane holds now."),
    GAUGE(PUBLISHER, "publisher_message_max_bytes", message_max, "Longest message that the lane takes."),
    GAUGE(PUBLISHER, "publisher_lane_bytes", lane_bytes, "Memory of the lane."),
    GAUGE(PUBLISHER, "publisher_depth_messages", lane_depth, "Messages that the lane can hold."),
    GAUGE(PUBLISHER, "publisher_newest_message_age_seconds", newest_age, "How old the newest message is, if messages are stamped."),

    GAUGE(SUBSCRIBER, "subscriber_alive", subscriber_alive, "1 if the subscriber's client is attached."),
    TEXT(SUBSCRIBER, "subscriber_info", one, subscriber_labels, "Which client subscribes or pops, and how."),
    GAUGE(READER, "subscriber_lag_messages", lag, "Messages published and not done with."),
    GAUGE(READER, "subscriber_position_messages", cursor, "Messages of the lane up to here are done with."),
    COUNTER(READER, "subscriber_taken_messages_total", taken, "Messages that it has had; of a queue: that it is done with."),
    COUNTER(READER, "subscriber_lost_messages_total", lost, "Messages that it was told lost; of a queue: dropped, for it died with them."),
    COUNTER(READER, "subscriber_redelivered_messages_total", redelivered, "Of a queue: messages done with that a dead one had held."),
    GAUGE(READER, "subscriber_held_messages", held, "Of a queue: messages claimed and not done with."),
};
/* clang-format on */

const size_t metric_count = sizeof(metric_table) / sizeof(metric_table[0]);
