/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/peal/list/topic_details.h"

#include "tools/peal/kit/table.h"
#include "tools/peal/kit/units.h"
#include "tools/peal/list/people.h"
#include "tools/peal/look/age.h"
#include "tools/peal/look/rates.h"

#include <inttypes.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* ---- cells ---- */

static void count_cell(struct table *table, enum paint paint, uint64_t count)
{
    struct units_text text;
    table_cell(table, paint, "%s", units_count(&text, count));
}

static void loss_cell(struct table *table, enum paint row, uint64_t lost)
{
    count_cell(table, paint_losses(row, lost), lost);
}

static void rate_cell(struct table *table, enum paint paint, const struct looks *looks, double hz)
{
    struct units_text text;
    table_cell(table, paint, "%s", looks->before ? units_rate(&text, hz) : "-");
}

static void name_cell(struct table *table, enum paint paint, const char *name)
{
    table_cell(table, paint, "%s", name[0] != '\0' ? name : "-");
}

static const char *newest_age(struct units_text *text, const struct looks *looks,
                              uint64_t newest_ns)
{
    uint64_t age_ns;
    return age_of_message(&looks->now, newest_ns, looks->now.taken_ns, &age_ns)
               ? units_duration(text, age_ns)
               : "-";
}

/* ---- the topic itself ---- */

/* All its figures stand at one column. */
static void begin(const char *what)
{
    print("  %-12s ", what);
}

static void print_type(const struct snapshot_topic *topic)
{
    begin("type");
    if (topic->type_name[0] == '\0')
        print("none\n");
    else
        print("%s, schema 0x%016" PRIx64 "\n", topic->type_name, topic->seen.schema_hash);
}

static void print_messages(const struct looks *looks, const struct snapshot_topic *topic,
                           const struct topic_sums *sums)
{
    const struct topic_rates rates = topic_rates(looks->before, &looks->now, topic);
    struct units_text count, bytes, hz, bandwidth;
    uint64_t age_ns;
    begin(topic->seen.is_queue ? "pushed" : "published");
    print("%s", units_count(&count, sums->published));
    if (looks->before)
        print(", now %s and %s", units_rate(&hz, rates.published_hz),
              units_bandwidth(&bandwidth, rates.bytes_per_s));
    if (age_of_message(&looks->now, sums->newest_ns, looks->now.taken_ns, &age_ns))
        print(", newest %s ago", units_duration(&hz, age_ns));
    print("\n");
    begin("messages");
    if (sums->bytes_per_message > 0)
        print("%s on average", units_bytes(&bytes, (uint64_t)(sums->bytes_per_message + 0.5)));
    else
        print("none held");
    if (topic->seen.is_queue)
        print(", %s at most", units_bytes(&bytes, topic->seen.message_bytes_max));
    print("\n");
}

static void print_loss(const char *what, uint64_t lost, const char *why)
{
    struct units_text text;
    begin(what);
    if (lost > 0)
        print("%s%s%s%s\n", paint(PAINT_RED), units_count(&text, lost), paint(PAINT_NONE), why);
    else
        print("0\n");
}

static void print_queue(const struct snapshot_topic *topic, const struct topic_sums *sums)
{
    struct units_text pending, depth;
    begin("order");
    print("%s\n", topic->seen.strict ? "strict: over all who push" : "of each who pushes");
    begin("on a death");
    print("%s\n", topic->seen.drops_held ? "what the dead one held is dropped"
                                         : "what the dead one held is given to another");
    begin("pending");
    print("%s of %s\n", units_count(&pending, sums->pending), units_count(&depth, sums->depth));
    begin("popped");
    print("%s, %s of them redelivered\n", units_count(&pending, sums->taken),
          units_count(&depth, sums->redelivered));
}

static void print_figures(const struct looks *looks, const struct snapshot_topic *topic)
{
    const struct topic_sums sums = topic_sums(topic);
    struct units_text text;
    print("%s%s%s: %s on %s\n", paint(PAINT_BOLD), topic->name, paint(PAINT_NONE),
          topic->seen.is_queue ? "queue" : "topic", looks->watch.url);
    print_type(topic);
    print_messages(looks, topic, &sums);
    if (topic->seen.is_queue)
        print_queue(topic, &sums);
    print_loss("lost", sums.lost,
               topic->seen.is_queue ? ", held by who died" : ", overwritten before they were read");
    print_loss("dropped", sums.dropped, ", for want of room");
    begin("memory");
    print("%s in %zu %s\n", units_bytes(&text, sums.lane_bytes), topic->publisher_count,
          topic->publisher_count == 1 ? "lane" : "lanes");
}

/* ---- who publishes or pushes ---- */

static const char *publisher_state(const struct peal_observer_publisher *seen)
{
    return seen->is_spoilt   ? "spoilt"
           : seen->has_ended ? "ended"
           : seen->waits     ? "waits for room"
           : seen->gates     ? "waits or refuses"
                             : "evicts";
}

static void add_publisher(struct table *table, const struct looks *looks,
                          const struct snapshot_topic *topic,
                          const struct snapshot_publisher *publisher)
{
    const struct peal_observer_publisher *seen = &publisher->seen;
    const enum paint row = seen->is_spoilt ? PAINT_RED : paint_life(seen->life);
    struct units_text text;
    table_cell(table, row, "%" PRIu32, seen->lane);
    name_cell(table, row, publisher->name);
    table_cell(table, row, "%" PRIu32, seen->client);
    table_cell(table, row, "%s", snapshot_life_text(seen->life));
    table_cell(table, row, "%s", publisher_state(seen));
    count_cell(table, row, seen->published);
    rate_cell(table, row, looks, publisher_rate_hz(looks->before, &looks->now, topic, publisher));
    if (topic->seen.is_queue) {
        count_cell(table, paint_lag(row, seen->pending, seen->depth), seen->pending);
        count_cell(table, row, seen->depth);
        loss_cell(table, row, seen->lost);
        loss_cell(table, row, seen->dropped);
        loss_cell(table, row, seen->dropped_oldest);
    } else {
        table_cell(table, row, "%s", newest_age(&text, looks, seen->newest_ns));
        count_cell(table, row, seen->depth);
        loss_cell(table, row, seen->dropped);
        table_cell(table, row, "%s", units_bytes(&text, seen->message_bytes_max));
    }
    table_cell(table, row, "%s", units_bytes(&text, seen->lane_bytes));
    table_cell(table, row, "0x%016" PRIx64, seen->incarnation);
}

static void print_publishers(const struct looks *looks, const struct snapshot_topic *topic)
{
    static const struct table_column of_topic[] = {
        {"LANE", TABLE_RIGHT},       {"NAME", TABLE_LEFT},      {"CLIENT", TABLE_RIGHT},
        {"LIFE", TABLE_LEFT},        {"WHEN FULL", TABLE_LEFT}, {"PUBLISHED", TABLE_RIGHT},
        {"RATE", TABLE_RIGHT},       {"NEWEST", TABLE_RIGHT},   {"DEPTH", TABLE_RIGHT},
        {"DROPPED", TABLE_RIGHT},    {"LARGEST", TABLE_RIGHT},  {"MEMORY", TABLE_RIGHT},
        {"INCARNATION", TABLE_LEFT},
    };
    static const struct table_column of_queue[] = {
        {"LANE", TABLE_RIGHT},   {"NAME", TABLE_LEFT},        {"CLIENT", TABLE_RIGHT},
        {"LIFE", TABLE_LEFT},    {"STATE", TABLE_LEFT},       {"PUSHED", TABLE_RIGHT},
        {"RATE", TABLE_RIGHT},   {"PENDING", TABLE_RIGHT},    {"DEPTH", TABLE_RIGHT},
        {"LOST", TABLE_RIGHT},   {"REFUSED", TABLE_RIGHT},    {"DROPPED", TABLE_RIGHT},
        {"MEMORY", TABLE_RIGHT}, {"INCARNATION", TABLE_LEFT},
    };
    if (topic->publisher_count == 0) {
        print("  nobody %s\n", topic->seen.is_queue ? "pushes" : "publishes");
        return;
    }
    print("  publishers\n");
    struct table *table = topic->seen.is_queue ? table_new(of_queue, COUNT(of_queue))
                                               : table_new(of_topic, COUNT(of_topic));
    for (size_t i = 0; i < topic->publisher_count; i++)
        add_publisher(table, looks, topic, &topic->publishers[i]);
    table_print_indented(table, 4);
}

/* ---- who subscribes or pops ---- */

/* Of a subscriber that reads no lane, all that follows is nothing. */
static void add_line(struct table *table, const struct looks *looks,
                     const struct snapshot_topic *topic,
                     const struct snapshot_subscriber *subscriber)
{
    const struct peal_observer_subscriber *seen = &subscriber->seen;
    const enum paint row = paint_life(seen->life);
    table_cell(table, row, "%" PRIu32, seen->entry);
    name_cell(table, row, subscriber->name);
    table_cell(table, row, "%" PRIu32, seen->client);
    table_cell(table, row, "%s", snapshot_life_text(seen->life));
    if (topic->seen.is_queue)
        table_cell(table, row, "%s", seen->is_remains ? "remains" : "pops");
    else
        table_cell(table, row, "%s", seen->reliable ? "reliable" : "best effort");
    if (seen->lane == UINT32_MAX)
        table_cell(table, row, "-");
    else
        table_cell(table, row, "%" PRIu32, seen->lane);
    count_cell(table, row, seen->taken);
    rate_cell(table, row, looks, subscriber_rate_hz(looks->before, &looks->now, topic, subscriber));
    if (topic->seen.is_queue) {
        count_cell(table, row, seen->held);
        count_cell(table, row, seen->redelivered);
    } else if (seen->cursor_known) {
        count_cell(table, paint_lag(row, seen->lag, lane_depth(topic, seen->lane)), seen->lag);
        table_cell(table, row, "%" PRIu64, seen->cursor);
    } else {
        table_cell(table, row, "-");
        table_cell(table, row, "-");
    }
    loss_cell(table, row, seen->lost);
}

static void print_subscribers(const struct looks *looks, const struct snapshot_topic *topic)
{
    static const struct table_column of_topic[] = {
        {"ENTRY", TABLE_RIGHT},  {"NAME", TABLE_LEFT},  {"CLIENT", TABLE_RIGHT},
        {"LIFE", TABLE_LEFT},    {"KIND", TABLE_LEFT},  {"LANE", TABLE_RIGHT},
        {"TAKEN", TABLE_RIGHT},  {"RATE", TABLE_RIGHT}, {"LAG", TABLE_RIGHT},
        {"CURSOR", TABLE_RIGHT}, {"LOST", TABLE_RIGHT},
    };
    static const struct table_column of_queue[] = {
        {"ENTRY", TABLE_RIGHT},  {"NAME", TABLE_LEFT},  {"CLIENT", TABLE_RIGHT},
        {"LIFE", TABLE_LEFT},    {"STATE", TABLE_LEFT}, {"LANE", TABLE_RIGHT},
        {"POPPED", TABLE_RIGHT}, {"RATE", TABLE_RIGHT}, {"HELD", TABLE_RIGHT},
        {"AGAIN", TABLE_RIGHT},  {"LOST", TABLE_RIGHT},
    };
    if (topic->subscriber_count == 0) {
        print("  nobody %s\n", topic->seen.is_queue ? "pops" : "subscribes");
        return;
    }
    print("  subscribers\n");
    struct table *table = topic->seen.is_queue ? table_new(of_queue, COUNT(of_queue))
                                               : table_new(of_topic, COUNT(of_topic));
    for (size_t i = 0; i < topic->subscriber_count; i++)
        add_line(table, looks, topic, &topic->subscribers[i]);
    table_print_indented(table, 4);
}

void topic_details_print(const struct looks *looks, const struct snapshot_topic *topic)
{
    print_figures(looks, topic);
    print_publishers(looks, topic);
    print_subscribers(looks, topic);
}
