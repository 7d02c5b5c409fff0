/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/peal/list/region_details.h"

#include "tools/peal/kit/table.h"
#include "tools/peal/kit/units.h"
#include "tools/peal/list/people.h"
#include "tools/peal/look/age.h"

#include <inttypes.h>

static unsigned bits(uint64_t set)
{
    return (unsigned)__builtin_popcountll(set);
}

static void print_region(const struct snapshot *snapshot, const char *url)
{
    const struct peal_observer_region *seen = &snapshot->region;
    struct units_text size, left, data;
    size_t queues = 0;
    for (size_t i = 0; i < snapshot->topic_count; i++)
        queues += snapshot->topics[i].seen.is_queue;
    print("%s%s%s\n", paint(PAINT_BOLD), url, paint(PAINT_NONE));
    print("  size        %s, of which %s for data, %s of them free\n",
          units_bytes(&size, seen->region_bytes),
          units_bytes(&data, (uint64_t)seen->pages * SNAPSHOT_PAGE_BYTES),
          units_bytes(&left, (uint64_t)seen->pages_free * SNAPSHOT_PAGE_BYTES));
    print("  layout      format %" PRIu32 ", generation 0x%016" PRIx64 "\n", seen->format,
          seen->generation);
    print("  topics      %zu, and %zu %s; %" PRIu32 " at most\n", snapshot->topic_count - queues,
          queues, queues == 1 ? "queue" : "queues", seen->topics_max);
    if (seen->members_known)
        print("  attached    %u, %u of them %s\n", bits(seen->members),
              bits(seen->armed & seen->members),
              bits(seen->armed & seen->members) == 1 ? "sleeps" : "sleep");
    else
        print("  attached    not known: this is a copy\n");
}

static void figure_cell(struct table *table, enum paint paint, uint64_t count)
{
    struct units_text text;
    table_cell(table, paint, "%s", units_count(&text, count));
}

static void age_cell(struct table *table, enum paint paint, bool is_known, uint64_t age_ns)
{
    struct units_text text;
    table_cell(table, paint, "%s", is_known ? units_duration(&text, age_ns) : "-");
}

static void add_client(struct table *table, const struct snapshot *snapshot,
                       const struct snapshot_client *client)
{
    const struct peal_observer_client *seen = &client->seen;
    const enum paint row = paint_life(seen->life);
    const uint64_t since_1970_ns = clock_since_1970_ns();
    uint64_t age_ns = 0;
    table_cell(table, row, "%" PRIu32, seen->index);
    table_cell(table, row, "%s", client->name[0] != '\0' ? client->name : "-");
    table_cell(table, row, "%s", snapshot_life_text(seen->life));
    const bool has_age = age_since(seen->attached_ns, since_1970_ns, &age_ns);
    age_cell(table, row, has_age, age_ns);
    const bool has_beat =
        age_of_heartbeat(snapshot, client, snapshot->taken_ns, since_1970_ns, &age_ns);
    age_cell(table, row, has_beat, age_ns);
    figure_cell(table, row, seen->bells_rung);
    figure_cell(table, row, seen->bells_suppressed);
    figure_cell(table, row, seen->sleeps);
    figure_cell(table, row, seen->wakes);
    figure_cell(table, row, seen->spurious_wakes);
    figure_cell(table, row, seen->safety_net_finds);
    figure_cell(table, row, seen->recovered_clients);
    figure_cell(table, paint_losses(row, seen->corruptions), seen->corruptions);
}

static void print_clients(const struct snapshot *snapshot)
{
    static const struct table_column columns[] = {
        {"CLIENT", TABLE_RIGHT},      {"NAME", TABLE_LEFT},       {"LIFE", TABLE_LEFT},
        {"AGE", TABLE_RIGHT},         {"HEARTBEAT", TABLE_RIGHT}, {"RUNG", TABLE_RIGHT},
        {"HELD BACK", TABLE_RIGHT},   {"SLEEPS", TABLE_RIGHT},    {"WAKES", TABLE_RIGHT},
        {"SPURIOUS", TABLE_RIGHT},    {"NET FINDS", TABLE_RIGHT}, {"RECOVERED", TABLE_RIGHT},
        {"CORRUPTIONS", TABLE_RIGHT},
    };
    if (snapshot->client_count == 0) {
        print("  no clients\n");
        return;
    }
    print("  clients\n");
    struct table *table = table_new(columns, sizeof(columns) / sizeof(columns[0]));
    for (size_t i = 0; i < snapshot->client_count; i++)
        add_client(table, snapshot, &snapshot->clients[i]);
    table_print_indented(table, 4);
}

void region_details_print(const struct snapshot *snapshot, const char *url)
{
    print_region(snapshot, url);
    print_clients(snapshot);
}
