/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/peal/list/buses.h"

#include "tools/peal/kit/fail.h"
#include "tools/peal/kit/memory.h"
#include "tools/peal/kit/table.h"
#include "tools/peal/kit/units.h"
#include "tools/peal/list/people.h"
#include "tools/peal/look/watch.h"

#include <glob.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const char *bus_state_text(enum bus_state state)
{
    static const char *const texts[] = {
        [BUS_OK] = "ok",
        [BUS_EMPTY] = "nobody attached",
        [BUS_DEVICE] = "device",
        [BUS_SPOILT] = "spoilt",
        [BUS_DENIED] = "no permission",
        [BUS_WRONG_FORMAT] = "wrong format",
        [BUS_FAILED] = "cannot be opened",
    };
    return texts[state];
}

static enum bus_state state_of(enum peal_status status)
{
    switch (status) {
    case PEAL_OK:
        return BUS_OK;
    case PEAL_EPERM:
        return BUS_DENIED;
    case PEAL_EFORMAT:
        return BUS_WRONG_FORMAT;
    case PEAL_ECORRUPT:
        return BUS_SPOILT;
    default:
        return BUS_FAILED;
    }
}

static void count_all(struct bus_row *row, const struct snapshot *snapshot)
{
    size_t spoilt = 0;
    row->is_seen = true;
    row->region_bytes = snapshot->region.region_bytes;
    row->free_bytes = (uint64_t)snapshot->region.pages_free * SNAPSHOT_PAGE_BYTES;
    for (size_t i = 0; i < snapshot->client_count; i++) {
        row->alive += snapshot->clients[i].seen.life == PEAL_AUDIT_ALIVE;
        row->dead += snapshot->clients[i].seen.life == PEAL_AUDIT_DEAD;
    }
    for (size_t i = 0; i < snapshot->topic_count; i++) {
        row->queues += snapshot->topics[i].seen.is_queue;
        row->topics += !snapshot->topics[i].seen.is_queue;
        spoilt += topic_spoilt_lanes(&snapshot->topics[i]);
    }
    if (spoilt > 0) {
        row->state = BUS_SPOILT;
        free(row->reason);
        row->reason = memory_text("%zu %s no sense; peal audit tells more", spoilt,
                                  spoilt == 1 ? "lane makes" : "lanes make");
    } else if (snapshot->region.members_known && snapshot->region.members == 0) {
        row->state = BUS_EMPTY;
    }
}

static struct bus_row *add_row(struct buses *buses, char *url)
{
    buses->rows = memory_room(buses->rows, buses->count, &buses->room, sizeof(*buses->rows));
    struct bus_row *row = &buses->rows[buses->count++];
    *row = (struct bus_row){.url = url};
    return row;
}

void buses_add(struct buses *buses, const char *url)
{
    struct bus_row *row = add_row(buses, memory_text("%s", url));
    struct watch watch = {.url = row->url};
    struct snapshot snapshot = {0};
    const enum peal_status status = watch_look(&watch, &snapshot);
    row->state = state_of(status);
    row->reason = memory_text("%s", watch.reason);
    if (status == PEAL_OK)
        count_all(row, &snapshot);
    if (status == PEAL_ENOENT) { /* it has gone since it was listed */
        free(row->url);
        free(row->reason);
        buses->count--;
    }
    snapshot_free(&snapshot);
    watch_close(&watch);
}

static void add_node(struct buses *buses, const char *path)
{
    struct bus_row *row = add_row(buses, memory_text("vdev:NAME?device=%s", path));
    row->is_node = true;
    const bool is_denied = access(path, R_OK | W_OK) != 0;
    row->state = is_denied ? BUS_DENIED : BUS_DEVICE;
    row->reason =
        memory_text("%s", is_denied ? "its owner lets others use it: chmod or chgrp the node"
                                    : "its buses cannot be listed; put the name of one for NAME");
}

static void on_region(void *context, const char *url)
{
    buses_add(context, url);
}

static int by_url(const void *left, const void *right)
{
    return strcmp(((const struct bus_row *)left)->url, ((const struct bus_row *)right)->url);
}

int buses_find(struct buses *buses, const char *nodes)
{
    glob_t found = {0};
    const enum peal_status status = peal_observer_regions("posix", on_region, buses);
    if (status != PEAL_OK)
        return fail_peal(status, "cannot look for regions; say --bus URL");
    if (glob(nodes, 0, NULL, &found) == 0)
        for (size_t i = 0; i < found.gl_pathc; i++)
            add_node(buses, found.gl_pathv[i]);
    globfree(&found);
    if (buses->count > 1)
        qsort(buses->rows, buses->count, sizeof(*buses->rows), by_url);
    return EXIT_DONE;
}

/* ---- showing ---- */

static enum paint paint_state(enum bus_state state)
{
    switch (state) {
    case BUS_OK:
        return PAINT_GREEN;
    case BUS_EMPTY:
    case BUS_DEVICE:
        return PAINT_DIM;
    case BUS_DENIED:
        return PAINT_YELLOW;
    default:
        return PAINT_RED;
    }
}

static void print_row(struct table *table, const struct bus_row *row)
{
    struct units_text text;
    table_cell(table, PAINT_NONE, "%s", row->url);
    if (row->is_seen) {
        table_cell(table, PAINT_NONE, "%s", units_bytes(&text, row->region_bytes));
        table_cell(table, PAINT_NONE, "%s", units_bytes(&text, row->free_bytes));
        if (row->dead > 0)
            table_cell(table, PAINT_YELLOW, "%" PRIu32 " (+%" PRIu32 " dead)", row->alive,
                       row->dead);
        else
            table_cell(table, PAINT_NONE, "%" PRIu32, row->alive);
        table_cell(table, PAINT_NONE, "%" PRIu32, row->topics);
        table_cell(table, PAINT_NONE, "%" PRIu32, row->queues);
    } else {
        for (int i = 0; i < 5; i++)
            table_cell(table, PAINT_DIM, "-");
    }
    table_cell(table, paint_state(row->state), "%s%s%s", bus_state_text(row->state),
               row->reason[0] != '\0' ? ": " : "", row->reason);
}

void buses_print(const struct buses *buses)
{
    static const struct table_column columns[] = {
        {"BUS", TABLE_LEFT},      {"SIZE", TABLE_RIGHT},   {"FREE", TABLE_RIGHT},
        {"CLIENTS", TABLE_RIGHT}, {"TOPICS", TABLE_RIGHT}, {"QUEUES", TABLE_RIGHT},
        {"STATE", TABLE_LEFT},
    };
    struct table *table = table_new(columns, sizeof(columns) / sizeof(columns[0]));
    for (size_t i = 0; i < buses->count; i++)
        print_row(table, &buses->rows[i]);
    table_print(table);
}

static json_t *figure(const struct bus_row *row, uint64_t value)
{
    return row->is_seen ? json_u64(value) : json_null();
}

json_t *buses_json(const struct buses *buses)
{
    json_t *array = json_array();
    for (size_t i = 0; i < buses->count; i++) {
        const struct bus_row *row = &buses->rows[i];
        (void)json_array_append_new(
            array, json_pack("{s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "bus", row->url,
                             "state", bus_state_text(row->state), "reason",
                             row->reason[0] != '\0' ? json_string(row->reason) : json_null(),
                             "region_bytes", figure(row, row->region_bytes), "free_bytes",
                             figure(row, row->free_bytes), "clients_alive", figure(row, row->alive),
                             "clients_dead", figure(row, row->dead), "topics",
                             figure(row, row->topics), "queues", figure(row, row->queues)));
    }
    return array;
}

void buses_free(struct buses *buses)
{
    for (size_t i = 0; i < buses->count; i++) {
        free(buses->rows[i].url);
        free(buses->rows[i].reason);
    }
    free(buses->rows);
    *buses = (struct buses){0};
}
