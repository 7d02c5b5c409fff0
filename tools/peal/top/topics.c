/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/peal/kit/units.h"
#include "tools/peal/look/age.h"
#include "tools/peal/top/lists.h"

#include <stdio.h>
#include <string.h>

enum {
    TOPIC,
    KIND,
    PUBLISHERS,
    SUBSCRIBERS,
    RATE,
    BANDWIDTH,
    LAG,
    LOST,
    DROPPED,
    HISTORY,
    LAGS,
    TAKEN,
    LOSING,
    SIZE,
    AGE,
    TYPE,
    COLUMNS
};

static const struct top_column columns[COLUMNS] = {
    [TOPIC] = {"TOPIC", "topic", TOP_TEXT, 12, 0},
    [KIND] = {"KIND", "kind", TOP_TEXT, 5, 4},
    [PUBLISHERS] = {"PUB", "publishers", TOP_COUNT, 3, 2},
    [SUBSCRIBERS] = {"SUB", "subscribers", TOP_COUNT, 3, 2},
    [RATE] = {"RATE", "rate", TOP_RATE, 7, 0},
    [BANDWIDTH] = {"BYTES/S", "bandwidth", TOP_BANDWIDTH, 9, 1},
    [LAG] = {"LAG", "lag", TOP_COUNT, 5, 0},
    [LOST] = {"LOST", "lost", TOP_COUNT, 5, 1},
    [DROPPED] = {"DROP", "dropped", TOP_COUNT, 5, 1},
    [HISTORY] = {"HISTORY", "history", TOP_HISTORY, TOP_HISTORY_LOOKS, 3},
    [LAGS] = {"LAG OF EACH", "lags", TOP_PLAIN, 14, 5},
    [TAKEN] = {"TAKEN", "taken", TOP_RATE, 7, 6},
    [LOSING] = {"LOSING", "losing", TOP_RATE, 7, 7},
    [SIZE] = {"SIZE", "size", TOP_BYTES, 7, 8},
    [AGE] = {"NEWEST", "newest", TOP_DURATION, 7, 9},
    [TYPE] = {"TYPE", "type", TOP_TEXT, 8, 10},
};

const struct top_columns top_topics_columns = {columns, COLUMNS};

/* "0 12 3.4k": the lag of one subscriber after the other, each over all lanes that it reads. */
static void lags_write(const struct snapshot_topic *topic, char *to, size_t room_bytes)
{
    size_t length = 0;
    to[0] = '\0';
    for (size_t i = 0; i < topic->subscriber_count;) {
        const uint32_t entry = topic->subscribers[i].seen.entry;
        uint64_t lag = 0;
        struct units_text text;
        for (; i < topic->subscriber_count && topic->subscribers[i].seen.entry == entry; i++)
            if (__builtin_add_overflow(lag, topic->subscribers[i].seen.lag, &lag))
                lag = UINT64_MAX;
        const int written = snprintf(to + length, room_bytes - length, "%s%s",
                                     length > 0 ? " " : "", units_count(&text, lag));
        if (written < 0 || (size_t)written >= room_bytes - length)
            return;
        length += (size_t)written;
    }
}

/* Nearly all of a lane behind; and what comes next is lost, dropped or waited for. */
static enum paint lag_paint(const struct topic_sums *sums)
{
    if (!lag_is_near(sums->lag_max, sums->lag_depth))
        return PAINT_NONE;
    return sums->lag_max < sums->lag_depth ? PAINT_YELLOW : PAINT_RED;
}

static enum paint loss_paint(uint64_t total, double now_hz)
{
    return now_hz > 0 ? PAINT_RED : total > 0 ? PAINT_YELLOW : PAINT_NONE;
}

static void fill_sums(struct top_row *row, const struct snapshot_topic *topic,
                      const struct top_figures *figures)
{
    const struct topic_sums *sums = &figures->sums;
    char lags[TOP_TEXT_BYTES];
    top_value_count(&row->values[PUBLISHERS], sums->publishers);
    top_value_count(&row->values[SUBSCRIBERS], sums->subscribers);
    top_value_count(&row->values[LAG], sums->lag_max);
    row->values[LAG].paint = lag_paint(sums);
    top_value_count(&row->values[LOST], sums->lost);
    row->values[LOST].paint = loss_paint(sums->lost, figures->rates.lost_hz);
    top_value_count(&row->values[DROPPED], sums->dropped);
    row->values[DROPPED].paint = loss_paint(sums->dropped, figures->rates.dropped_hz);
    if (!topic->seen.is_queue) {
        lags_write(topic, lags, sizeof(lags));
        top_value_text(&row->values[LAGS], lags);
    }
    if (sums->bytes_per_message > 0)
        top_value_real(&row->values[SIZE], sums->bytes_per_message);
}

static void fill_rates(struct top_row *row, const struct top_figures *figures)
{
    char bars[TOP_TEXT_BYTES];
    top_value_real(&row->values[RATE], figures->rates.published_hz);
    row->values[RATE].paint = figures->rates.published_hz > 0 ? PAINT_GREEN : PAINT_DIM;
    top_value_real(&row->values[BANDWIDTH], figures->rates.bytes_per_s);
    top_value_real(&row->values[TAKEN], figures->rates.taken_hz);
    top_value_real(&row->values[LOSING], figures->rates.lost_hz);
    if (figures->history) {
        top_history_text(figures->history, TOP_HISTORY_LOOKS, bars, sizeof(bars));
        top_value_text(&row->values[HISTORY], bars);
        row->values[HISTORY].paint = PAINT_CYAN;
    }
}

void top_topics_fill(struct top_grid *grid, const struct top_scene *scene)
{
    top_grid_begin(grid, columns, COLUMNS);
    for (size_t i = 0; i < scene->now->topic_count; i++) {
        const struct snapshot_topic *topic = &scene->now->topics[i];
        const struct top_figures *figures = &scene->figures[i];
        struct top_row *row = top_grid_add(grid, figures->id);
        top_value_text(&row->values[TOPIC], topic->name);
        top_value_text(&row->values[KIND], topic->seen.is_queue ? "queue" : "topic");
        if (topic->seen.is_queue)
            row->values[TOPIC].paint = PAINT_CYAN;
        top_value_text(&row->values[TYPE], topic->type_name);
        fill_sums(row, topic, figures);
        if (scene->before)
            fill_rates(row, figures);
        uint64_t age_ns;
        if (age_of_message(scene->now, figures->sums.newest_ns, scene->now->taken_ns, &age_ns))
            top_value_count(&row->values[AGE], age_ns);
    }
}
