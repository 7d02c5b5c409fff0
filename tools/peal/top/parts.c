/* SPDX-License-Identifier: Apache-2.0 */
/* Who takes part in one topic or queue: first those who publish or push, then those who subscribe or pop. */
#include "tools/peal/look/rates.h"
#include "tools/peal/top/lists.h"

#include <stdio.h>

enum {
    ROLE,
    NAME,
    CLIENT,
    LANE,
    RATE,
    TOTAL,
    LAG,
    BAR,
    LOST,
    DROPPED,
    STATE,
    DEPTH,
    SIZE,
    INCARNATION,
    COLUMNS
};

static const struct top_column columns[COLUMNS] = {
    [ROLE] = {"ROLE", "role", TOP_TEXT, 4, 0},
    [NAME] = {"NAME", "name", TOP_TEXT, 10, 0},
    [CLIENT] = {"#", "index", TOP_COUNT, 2, 4},
    [LANE] = {"LANE", "lane", TOP_COUNT, 4, 3},
    [RATE] = {"RATE", "rate", TOP_RATE, 7, 0},
    [TOTAL] = {"TOTAL", "total", TOP_COUNT, 5, 3},
    [LAG] = {"LAG", "lag", TOP_COUNT, 5, 0},
    [BAR] = {"FILLED", "filled", TOP_BAR, 8, 1},
    [LOST] = {"LOST", "lost", TOP_COUNT, 5, 1},
    [DROPPED] = {"DROP", "dropped", TOP_COUNT, 5, 1},
    [STATE] = {"STATE", "state", TOP_TEXT, 11, 2},
    [DEPTH] = {"DEPTH", "depth", TOP_COUNT, 5, 5},
    [SIZE] = {"SIZE", "size", TOP_BYTES, 7, 6},
    [INCARNATION] = {"INCARNATION", "incarnation", TOP_PLAIN, 16, 7},
};

const struct top_columns top_parts_columns = {columns, COLUMNS};

static void add_state(struct top_value *value, const char *more)
{
    const size_t length = value->known ? __builtin_strlen(value->text) : 0;
    (void)snprintf(value->text + length, sizeof(value->text) - length, "%s%s",
                   length > 0 ? ", " : "", more);
    value->known = true;
}

static void add_life(struct top_value *value, enum peal_audit_life life)
{
    if (life == PEAL_AUDIT_DEAD) {
        add_state(value, "dead");
        value->paint = PAINT_RED;
    }
}

static void fill_publisher_state(struct top_value *value,
                                 const struct peal_observer_publisher *seen)
{
    if (seen->is_spoilt)
        add_state(value, "spoilt");
    if (seen->has_ended)
        add_state(value, "ended");
    if (seen->waits)
        add_state(value, "waits for room");
    value->paint = seen->is_spoilt ? PAINT_RED : PAINT_YELLOW;
    add_life(value, seen->life);
    if (!value->known) {
        top_value_text(value, "ok");
        value->paint = PAINT_NONE;
    }
}

static void fill_subscriber_state(struct top_value *value,
                                  const struct peal_observer_subscriber *seen, bool is_queue)
{
    char held[32];
    if (!is_queue)
        add_state(value, seen->reliable ? "reliable" : "best effort");
    if (seen->is_remains) {
        add_state(value, "remains");
        value->paint = PAINT_YELLOW;
    }
    if (seen->held > 0) {
        (void)snprintf(held, sizeof(held), "holds %u", (unsigned)seen->held);
        add_state(value, held);
    }
    add_life(value, seen->life);
    if (!value->known)
        top_value_text(value, "ok");
}

static void fill_filled(struct top_row *row, uint64_t lag, uint64_t depth)
{
    const double part = depth > 0 ? (double)lag / (double)depth : 0;
    top_value_count(&row->values[LAG], lag);
    top_value_real(&row->values[BAR], part > 1 ? 1 : part);
    row->values[BAR].paint = part >= 1                 ? PAINT_RED
                             : lag_is_near(lag, depth) ? PAINT_YELLOW
                                                       : PAINT_GREEN;
}

/* How far the last of its readers is behind. */
static uint64_t lane_lag(const struct snapshot_topic *topic, uint32_t lane)
{
    uint64_t lag = 0;
    for (size_t i = 0; i < topic->subscriber_count; i++) {
        const struct peal_observer_subscriber *seen = &topic->subscribers[i].seen;
        if (seen->lane == lane && seen->lag > lag)
            lag = seen->lag;
    }
    return lag;
}

static void fill_concern(struct top_value *value, uint64_t count)
{
    top_value_count(value, count);
    value->paint = count > 0 ? PAINT_YELLOW : PAINT_NONE;
}

static void fill_publisher(struct top_row *row, const struct top_scene *scene,
                           const struct snapshot_topic *topic,
                           const struct snapshot_publisher *publisher)
{
    const struct peal_observer_publisher *seen = &publisher->seen;
    const bool is_queue = topic->seen.is_queue;
    char incarnation[24];
    top_value_text(&row->values[ROLE], is_queue ? "push" : "pub");
    top_value_text(&row->values[NAME], publisher->name);
    top_value_count(&row->values[CLIENT], seen->client);
    top_value_count(&row->values[LANE], seen->lane);
    fill_publisher_state(&row->values[STATE], seen);
    if (seen->is_spoilt)
        return;
    if (scene->before)
        top_value_real(&row->values[RATE],
                       publisher_rate_hz(scene->before, scene->now, topic, publisher));
    top_value_count(&row->values[TOTAL], seen->published);
    fill_filled(row, is_queue ? seen->pending : lane_lag(topic, seen->lane), seen->depth);
    if (is_queue)
        fill_concern(&row->values[LOST], seen->lost);
    fill_concern(&row->values[DROPPED], seen->dropped > UINT64_MAX - seen->dropped_oldest
                                            ? UINT64_MAX
                                            : seen->dropped + seen->dropped_oldest);
    top_value_count(&row->values[DEPTH], seen->depth);
    if (seen->bytes_per_message > 0)
        top_value_real(&row->values[SIZE], seen->bytes_per_message);
    (void)snprintf(incarnation, sizeof(incarnation), "%016llx",
                   (unsigned long long)seen->incarnation);
    top_value_text(&row->values[INCARNATION], incarnation);
}

static uint64_t lane_depth(const struct snapshot_topic *topic, uint32_t lane)
{
    for (size_t i = 0; i < topic->publisher_count; i++)
        if (topic->publishers[i].seen.lane == lane)
            return topic->publishers[i].seen.depth;
    return 0;
}

static void fill_subscriber(struct top_row *row, const struct top_scene *scene,
                            const struct snapshot_topic *topic,
                            const struct snapshot_subscriber *subscriber)
{
    const struct peal_observer_subscriber *seen = &subscriber->seen;
    const bool is_queue = topic->seen.is_queue;
    top_value_text(&row->values[ROLE], is_queue ? "pop" : "sub");
    top_value_text(&row->values[NAME], subscriber->name);
    top_value_count(&row->values[CLIENT], seen->client);
    fill_subscriber_state(&row->values[STATE], seen, is_queue);
    if (seen->lane == UINT32_MAX)
        return;
    top_value_count(&row->values[LANE], seen->lane);
    if (scene->before)
        top_value_real(&row->values[RATE],
                       subscriber_rate_hz(scene->before, scene->now, topic, subscriber));
    top_value_count(&row->values[TOTAL], seen->taken);
    if (seen->cursor_known) /* those of a queue share what is pending */
        fill_filled(row, seen->lag, lane_depth(topic, seen->lane));
    fill_concern(&row->values[LOST], seen->lost);
}

void top_parts_fill(struct top_grid *grid, const struct top_scene *scene, size_t at)
{
    const struct snapshot_topic *topic = &scene->now->topics[at];
    top_grid_begin(grid, columns, COLUMNS);
    for (size_t i = 0; i < topic->publisher_count; i++) {
        const struct snapshot_publisher *publisher = &topic->publishers[i];
        fill_publisher(top_grid_add(grid, publisher->seen.lane), scene, topic, publisher);
    }
    for (size_t i = 0; i < topic->subscriber_count; i++) {
        const struct snapshot_subscriber *subscriber = &topic->subscribers[i];
        const uint64_t id =
            UINT64_C(1) << 63 | (uint64_t)subscriber->seen.entry << 32 | subscriber->seen.lane;
        fill_subscriber(top_grid_add(grid, id), scene, topic, subscriber);
    }
}
