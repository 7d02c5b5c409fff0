/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/peal/look/age.h"
#include "tools/peal/top/lists.h"

enum {
    INDEX,
    NAME,
    LIFE,
    AGE,
    BEAT,
    RUNG,
    SUPPRESSED,
    SLEEPS,
    FINDS,
    RECOVERED,
    RINGING,
    WAKES,
    SPURIOUS,
    CORRUPTIONS,
    COLUMNS
};

static const struct top_column columns[COLUMNS] = {
    [INDEX] = {"#", "index", TOP_COUNT, 2, 1},
    [NAME] = {"CLIENT", "client", TOP_TEXT, 12, 0},
    [LIFE] = {"LIFE", "life", TOP_TEXT, 7, 3},
    [AGE] = {"AGE", "age", TOP_DURATION, 8, 0},
    [BEAT] = {"BEAT", "heartbeat", TOP_DURATION, 7, 0},
    [RUNG] = {"RUNG", "rung", TOP_COUNT, 5, 1},
    [SUPPRESSED] = {"SUPPR", "suppressed", TOP_COUNT, 5, 2},
    [SLEEPS] = {"SLEEPS", "sleeps", TOP_COUNT, 6, 2},
    [FINDS] = {"FINDS", "finds", TOP_COUNT, 5, 1},
    [RECOVERED] = {"RECOV", "recovered", TOP_COUNT, 5, 3},
    [RINGING] = {"RINGS", "rings", TOP_RATE, 7, 4},
    [WAKES] = {"WAKES", "wakes", TOP_COUNT, 5, 5},
    [SPURIOUS] = {"SPUR", "spurious", TOP_COUNT, 5, 6},
    [CORRUPTIONS] = {"SPOILT", "corruptions", TOP_COUNT, 6, 7},
};

const struct top_columns top_clients_columns = {columns, COLUMNS};

static const struct peal_observer_client *seen_before(const struct top_scene *scene,
                                                      const struct peal_observer_client *client)
{
    const struct snapshot_client *before =
        scene->before ? snapshot_client(scene->before, client->index) : NULL;
    return before && before->seen.incarnation == client->incarnation ? &before->seen : NULL;
}

static void fill_rate(struct top_row *row, const struct top_scene *scene,
                      const struct peal_observer_client *seen)
{
    const struct peal_observer_client *before = seen_before(scene, seen);
    if (!scene->before || scene->now->taken_ns <= scene->before->taken_ns)
        return;
    const uint64_t from = before ? before->bells_rung : 0;
    const double span_s = (double)(scene->now->taken_ns - scene->before->taken_ns) / 1e9;
    top_value_real(&row->values[RINGING],
                   seen->bells_rung > from ? (double)(seen->bells_rung - from) / span_s : 0);
}

static void fill_ages(struct top_row *row, const struct top_scene *scene,
                      const struct snapshot_client *client)
{
    uint64_t age_ns;
    if (age_since(client->seen.attached_ns, scene->now_ns, &age_ns))
        top_value_count(&row->values[AGE], age_ns);
    if (age_of_heartbeat(scene->now, client, scene->now->taken_ns, scene->now_ns, &age_ns))
        top_value_count(&row->values[BEAT], age_ns);
}

/* What is not 0 in a sound system is painted. */
static void fill_concern(struct top_value *value, uint64_t count)
{
    top_value_count(value, count);
    value->paint = count > 0 ? PAINT_YELLOW : PAINT_NONE;
}

void top_clients_fill(struct top_grid *grid, const struct top_scene *scene)
{
    top_grid_begin(grid, columns, COLUMNS);
    for (size_t i = 0; i < scene->now->client_count; i++) {
        const struct snapshot_client *client = &scene->now->clients[i];
        const struct peal_observer_client *seen = &client->seen;
        struct top_row *row = top_grid_add(grid, (uint64_t)seen->index << TOP_CLIENT_INDEX_SHIFT |
                                                     seen->incarnation >> 8);
        top_value_count(&row->values[INDEX], seen->index);
        top_value_text(&row->values[NAME], client->name);
        top_value_text(&row->values[LIFE], snapshot_life_text(seen->life));
        row->values[LIFE].paint = seen->life == PEAL_AUDIT_DEAD    ? PAINT_RED
                                  : seen->life == PEAL_AUDIT_ALIVE ? PAINT_GREEN
                                                                   : PAINT_NONE;
        fill_ages(row, scene, client);
        fill_rate(row, scene, seen);
        top_value_count(&row->values[RUNG], seen->bells_rung);
        top_value_count(&row->values[SLEEPS], seen->sleeps);
        top_value_count(&row->values[WAKES], seen->wakes);
        top_value_count(&row->values[SPURIOUS], seen->spurious_wakes);
        fill_concern(&row->values[SUPPRESSED], seen->bells_suppressed);
        fill_concern(&row->values[FINDS], seen->safety_net_finds);
        fill_concern(&row->values[RECOVERED], seen->recovered_clients);
        fill_concern(&row->values[CORRUPTIONS], seen->corruptions);
    }
}
