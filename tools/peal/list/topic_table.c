/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/peal/list/topic_table.h"

#include "tools/peal/kit/table.h"
#include "tools/peal/kit/units.h"
#include "tools/peal/list/people.h"
#include "tools/peal/look/rates.h"

#include <inttypes.h>
#include <stdlib.h>

static const struct table_column with_rates[] = {
    {"NAME", TABLE_LEFT},       {"KIND", TABLE_LEFT},      {"TYPE", TABLE_LEFT},
    {"PUBS", TABLE_RIGHT},      {"SUBS", TABLE_RIGHT},     {"RATE", TABLE_RIGHT},
    {"BANDWIDTH", TABLE_RIGHT}, {"MESSAGES", TABLE_RIGHT}, {"LAG", TABLE_RIGHT},
    {"DEPTH", TABLE_RIGHT},     {"LOST", TABLE_RIGHT},     {"DROPPED", TABLE_RIGHT},
};

static const struct table_column without_rates[] = {
    {"NAME", TABLE_LEFT},  {"KIND", TABLE_LEFT},      {"TYPE", TABLE_LEFT}, {"PUBS", TABLE_RIGHT},
    {"SUBS", TABLE_RIGHT}, {"MESSAGES", TABLE_RIGHT}, {"LAG", TABLE_RIGHT}, {"DEPTH", TABLE_RIGHT},
    {"LOST", TABLE_RIGHT}, {"DROPPED", TABLE_RIGHT},
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* One row; what a row does not have is a dash. */
struct row {
    enum paint paint;
    const char *name;
    const char *kind;
    const char *type;
    bool is_topic; /* otherwise of one who takes part: no numbers of them */
    bool is_taker; /* it takes: no messages published, none dropped */
    uint32_t publishers;
    uint32_t subscribers;
    double hz;
    double bytes_per_s;
    uint64_t published;
    uint64_t lag;
    bool has_lag;
    uint64_t depth;
    uint64_t lost;
    bool has_lost;
    uint64_t dropped;
};

static void count_cell(struct table *table, enum paint paint, bool has, uint64_t count)
{
    struct units_text text;
    table_cell(table, paint, "%s", has ? units_count(&text, count) : "-");
}

static void add_row(struct table *table, const struct row *row, bool has_rates)
{
    struct units_text text;
    table_cell(table, row->paint, "%s%s", row->is_topic ? "" : "  ",
               row->name[0] != '\0' ? row->name : "-");
    table_cell(table, row->paint, "%s", row->kind);
    table_cell(table, row->paint, "%s", row->type[0] != '\0' ? row->type : "-");
    if (row->is_topic) {
        table_cell(table, row->paint, "%" PRIu32, row->publishers);
        table_cell(table, row->paint, "%" PRIu32, row->subscribers);
    } else {
        table_cell(table, PAINT_NONE, "%s", "");
        table_cell(table, PAINT_NONE, "%s", "");
    }
    if (has_rates) {
        table_cell(table, row->paint, "%s", units_rate(&text, row->hz));
        table_cell(table, row->paint, "%s",
                   row->is_taker ? "-" : units_bandwidth(&text, row->bytes_per_s));
    }
    count_cell(table, row->paint, true, row->published);
    count_cell(table, row->has_lag ? paint_lag(row->paint, row->lag, row->depth) : row->paint,
               row->has_lag, row->lag);
    count_cell(table, row->paint, true, row->depth);
    count_cell(table, paint_losses(row->paint, row->lost), row->has_lost, row->lost);
    count_cell(table, paint_losses(row->paint, row->dropped), !row->is_taker, row->dropped);
}

static void add_topic(struct table *table, const struct looks *looks,
                      const struct snapshot_topic *topic)
{
    const struct topic_sums sums = topic_sums(topic);
    const struct topic_rates rates = topic_rates(looks->before, &looks->now, topic);
    const struct row row = {
        .paint = topic_spoilt_lanes(topic) > 0 ? PAINT_RED : paint_topic(topic),
        .name = topic->name,
        .kind = topic->seen.is_queue ? "queue" : "topic",
        .type = topic->type_name,
        .is_topic = true,
        .publishers = sums.publishers,
        .subscribers = sums.subscribers,
        .hz = rates.published_hz,
        .bytes_per_s = rates.bytes_per_s,
        .published = sums.published,
        .lag = sums.lag_max,
        .has_lag = true,
        .depth = sums.lag_depth,
        .lost = sums.lost,
        .has_lost = true,
        .dropped = sums.dropped,
    };
    add_row(table, &row, looks->before != NULL);
}

static const char *publisher_type(const struct snapshot_publisher *publisher)
{
    return publisher->seen.is_spoilt   ? "spoilt"
           : publisher->seen.has_ended ? "ended"
           : publisher->seen.waits     ? "waits for room"
                                       : "";
}

static void add_publisher(struct table *table, const struct looks *looks,
                          const struct snapshot_topic *topic,
                          const struct snapshot_publisher *publisher)
{
    const struct peal_observer_publisher *seen = &publisher->seen;
    const double hz = publisher_rate_hz(looks->before, &looks->now, topic, publisher);
    uint64_t dropped;
    if (__builtin_add_overflow(seen->dropped, seen->dropped_oldest, &dropped))
        dropped = UINT64_MAX;
    const struct row row = {
        .paint = seen->is_spoilt ? PAINT_RED : paint_life(seen->life),
        .name = publisher->name,
        .kind = "publisher",
        .type = publisher_type(publisher),
        .hz = hz,
        .bytes_per_s = hz * seen->bytes_per_message,
        .published = seen->published,
        .lag = seen->pending,
        .has_lag = topic->seen.is_queue,
        .depth = seen->depth,
        .lost = seen->lost,
        .has_lost = topic->seen.is_queue,
        .dropped = dropped,
    };
    add_row(table, &row, looks->before != NULL);
}

/* Its messages are those that it took. */
static void add_taker(struct table *table, const struct snapshot_topic *topic,
                      const struct taker *taker, bool has_rates)
{
    const struct peal_observer_subscriber *seen = &taker->lines->seen;
    const struct row row = {
        .paint = paint_life(seen->life),
        .name = taker->lines->name,
        .kind = "subscriber",
        .type = seen->is_remains       ? "remains"
                : topic->seen.is_queue ? ""
                : seen->reliable       ? "reliable"
                                       : "best effort",
        .is_taker = true,
        .hz = taker->taken_hz,
        .published = taker->taken,
        .lag = topic->seen.is_queue ? taker->held : taker->lag_max,
        .has_lag = true,
        .depth = taker->lag_depth,
        .lost = taker->lost,
        .has_lost = true,
    };
    add_row(table, &row, has_rates);
}

static void add_people(struct table *table, const struct looks *looks,
                       const struct snapshot_topic *topic)
{
    struct taker taker;
    for (size_t i = 0; i < topic->publisher_count; i++)
        add_publisher(table, looks, topic, &topic->publishers[i]);
    for (size_t at = 0; taker_next(looks, topic, &at, &taker);)
        add_taker(table, topic, &taker, looks->before != NULL);
}

static void print_spoilt(size_t lanes)
{
    if (lanes > 0)
        print("%s%zu %s no sense; peal audit tells more%s\n", paint(PAINT_RED), lanes,
              lanes == 1 ? "lane makes" : "lanes make", paint(PAINT_NONE));
}

void topic_table_print(const struct looks *looks, const struct patterns *patterns, bool is_long)
{
    size_t count, spoilt = 0;
    const struct snapshot_topic **topics = topics_meant(&looks->now, patterns, &count);
    struct table *table = looks->before ? table_new(with_rates, COUNT(with_rates))
                                        : table_new(without_rates, COUNT(without_rates));
    for (size_t i = 0; i < count; i++) {
        add_topic(table, looks, topics[i]);
        if (is_long)
            add_people(table, looks, topics[i]);
        spoilt += topic_spoilt_lanes(topics[i]);
    }
    table_print(table);
    print_spoilt(spoilt);
    free(topics);
}
