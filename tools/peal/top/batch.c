/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/peal/top/batch.h"

#include "tools/peal/kit/exit_code.h"
#include "tools/peal/kit/stop.h"
#include "tools/peal/kit/table.h"
#include "tools/peal/kit/units.h"
#include "tools/peal/list/listing_json.h"
#include "tools/peal/top/face.h"

/* ---- text ---- */

static void print_heading(const struct top_scene *scene)
{
    const struct top_totals *totals = &scene->totals;
    struct units_text time, rate, bytes, lost, dropped;
    print("%s  %s", units_time(&time, scene->now_ns), scene->watch.url);
    if (scene->status != PEAL_OK) {
        print("  %s\n", top_scene_trouble(scene));
        return;
    }
    print("  topics %zu  queues %zu  clients %zu  %s  %s  lost %s  dropped %s\n", totals->topics,
          totals->queues, totals->clients, units_rate(&rate, totals->published_hz),
          units_bandwidth(&bytes, totals->bytes_per_s), units_count(&lost, totals->lost),
          units_count(&dropped, totals->dropped));
}

/* Bars are for screens. */
static bool is_printed(const struct top_column *column)
{
    return column->kind != TOP_BAR && column->kind != TOP_HISTORY;
}

static void print_grid(const struct top_grid *grid)
{
    struct table_column columns[TOP_COLUMNS_MAX];
    struct top_cell_text text;
    size_t count = 0;
    for (size_t i = 0; i < grid->column_count; i++)
        if (is_printed(&grid->columns[i])) {
            const bool left = top_kind_is_text(grid->columns[i].kind);
            columns[count++] =
                (struct table_column){grid->columns[i].title, left ? TABLE_LEFT : TABLE_RIGHT};
        }
    struct table *table = table_new(columns, count);
    for (size_t r = 0; r < grid->shown_count; r++)
        for (size_t i = 0; i < grid->column_count; i++)
            if (is_printed(&grid->columns[i]))
                table_cell(table, grid->rows[r].values[i].paint, "%s",
                           top_cell_text(&text, &grid->columns[i], &grid->rows[r].values[i]));
    table_print(table);
}

static void print_text(const struct top_scene *scene, const struct top_state *state)
{
    struct top_grid grid = {0};
    print_heading(scene);
    if (scene->status == PEAL_OK) {
        if (top_face_fill(&grid, state, scene))
            print_grid(&grid);
        else
            print("topic %s is not there now\n", state->topic_name);
        print("\n");
    }
    top_grid_free(&grid);
}

/* ---- JSON, as that of ls and info ---- */

/* Each topic with those who take part in it. */
static json_t *topics_as_json(const struct looks *looks, const struct top_scene *scene,
                              const struct top_choice *choice, uint64_t only_id)
{
    struct top_grid grid = {0};
    json_t *array = json_array();
    top_topics_fill(&grid, scene);
    top_grid_arrange(&grid, choice->filter, choice->sort, choice->descending);
    for (size_t i = 0; i < grid.shown_count; i++) {
        const int at = top_scene_find(scene, grid.rows[i].id);
        if (at >= 0 && (only_id == 0 || only_id == grid.rows[i].id))
            (void)json_array_append_new(array, topic_json(looks, &looks->now.topics[at], true));
    }
    top_grid_free(&grid);
    return array;
}

static json_t *clients_as_json(const struct top_scene *scene, const struct top_choice *choice)
{
    struct top_grid grid = {0};
    json_t *array = json_array();
    top_clients_fill(&grid, scene);
    top_grid_arrange(&grid, choice->filter, choice->sort, choice->descending);
    for (size_t i = 0; i < grid.shown_count; i++) {
        const struct snapshot_client *client =
            snapshot_client(scene->now, (uint32_t)(grid.rows[i].id >> TOP_CLIENT_INDEX_SHIFT));
        if (client)
            (void)json_array_append_new(array, client_json(scene->now, client));
    }
    top_grid_free(&grid);
    return array;
}

static void print_look_json(const struct top_scene *scene, const struct top_state *state)
{
    /* It borrows the snapshots: they stay ours. */
    const struct looks looks = {
        .watch.url = scene->watch.url, .now = *scene->now, .before = scene->before};
    const struct top_choice *choices = state->choices;
    json_t *look = json_object();
    (void)json_object_set_new(look, "time_ns", json_u64(scene->now_ns));
    (void)json_object_set_new(look, "bus", json_string(scene->watch.url));
    (void)json_object_set_new(look, "status", json_string(peal_status_name(scene->status)));
    if (scene->status == PEAL_OK) {
        (void)json_object_set_new(look, "region", region_json(&looks));
        if (state->view != TOP_LIST_CLIENTS)
            (void)json_object_set_new(
                look, "topics",
                topics_as_json(&looks, scene, &choices[TOP_LIST_TOPICS],
                               state->view == TOP_LIST_PARTS ? state->topic_id : 0));
        if (state->view != TOP_LIST_PARTS)
            (void)json_object_set_new(look, "clients",
                                      clients_as_json(scene, &choices[TOP_LIST_CLIENTS]));
    }
    print_json_line(look);
}

int top_batch(struct top_scene *scene, const struct top_state *state, uint64_t count, bool json)
{
    uint64_t next_ns = clock_now_ns();
    int code = EXIT_DONE;
    for (uint64_t done = 0; code == EXIT_DONE && (count == 0 || done < count); done++) {
        next_ns += state->interval_ns;
        if (!stop_wait_until(next_ns))
            break;
        (void)top_scene_look(scene);
        if (json)
            print_look_json(scene, state);
        else
            print_text(scene, state);
        code = output_flush();
    }
    return code;
}
