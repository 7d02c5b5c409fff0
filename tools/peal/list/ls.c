/* SPDX-License-Identifier: Apache-2.0 */
/* peal ls: the buses of this machine, or the topics and queues of one. */
#include "tools/peal/command.h"
#include "tools/peal/kit/common.h"
#include "tools/peal/kit/fail.h"
#include "tools/peal/kit/units.h"
#include "tools/peal/list/buses.h"
#include "tools/peal/list/listing_json.h"
#include "tools/peal/list/topic_table.h"

#include <stdint.h>

static struct looks_span span = LOOKS_SPAN_DEFAULT;
static bool wants_buses;
static bool is_long;

static const struct option_entry options[] = {
    {.name = "buses",
     .letter = 'B',
     .help = "list the buses of this machine, though there be only one",
     .read = option_switch,
     .to = &wants_buses},
    {.name = "long",
     .letter = 'l',
     .help = "a row for each publisher and subscriber as well",
     .read = option_switch,
     .to = &is_long},
    LOOKS_OPTIONS(span),
    {0},
};

/* ---- buses ---- */

static void print_buses(const struct buses *buses)
{
    if (common.json)
        print_json(json_pack("{s:o}", "buses", buses_json(buses)));
    else if (buses->count == 0)
        note("there is no bus on this machine now: the program that opens one first makes it");
    else
        buses_print(buses);
}

/* *url becomes the only bus there is; NULL: there are several, or none, and they have been listed. */
static int choose_bus(const char **url)
{
    static struct buses buses; /* *url points into it */
    size_t regions = 0;
    *url = NULL;
    const int code = buses_find(&buses, BUSES_NODES);
    if (code != EXIT_DONE)
        return code;
    for (size_t i = 0; i < buses.count; i++) {
        if (buses.rows[i].is_node)
            continue;
        regions++;
        *url = buses.rows[i].url;
    }
    if (regions == 1 && !wants_buses)
        return EXIT_DONE;
    *url = NULL;
    print_buses(&buses);
    buses_free(&buses);
    return EXIT_DONE;
}

/* ---- topics of one ---- */

static void print_heading(const struct looks *looks)
{
    const struct snapshot *now = &looks->now;
    struct units_text size, left;
    size_t queues = 0, alive = 0;
    for (size_t i = 0; i < now->topic_count; i++)
        queues += now->topics[i].seen.is_queue;
    for (size_t i = 0; i < now->client_count; i++)
        alive += now->clients[i].seen.life == PEAL_AUDIT_ALIVE;
    const size_t topics = now->topic_count - queues;
    print("%s%s%s: %s, %s free, ", paint(PAINT_BOLD), looks->watch.url, paint(PAINT_NONE),
          units_bytes(&size, now->region.region_bytes),
          units_bytes(&left, (uint64_t)now->region.pages_free * SNAPSHOT_PAGE_BYTES));
    if (!now->region.members_known)
        print("a copy, ");
    else if (now->region.members == 0)
        print("nobody attached, ");
    else
        print("%zu %s, ", alive, alive == 1 ? "client" : "clients");
    print("%zu %s, %zu %s\n", topics, topics == 1 ? "topic" : "topics", queues,
          queues == 1 ? "queue" : "queues");
}

static int list_topics(const char *url, const struct patterns *patterns)
{
    struct looks looks = {0};
    int code = looks_take(&looks, url, &span);
    if (code != EXIT_DONE)
        return code;
    code = patterns_check(patterns, &looks.now, url);
    if (code == EXIT_DONE && common.json) {
        json_t *listing = region_json(&looks);
        (void)json_object_set_new(listing, "topics", topics_json(&looks, patterns, is_long));
        print_json(listing);
    } else if (code == EXIT_DONE) {
        print_heading(&looks);
        if (looks.now.topic_count > 0)
            topic_table_print(&looks, patterns, is_long);
    }
    looks_free(&looks);
    return code;
}

static int ls_run(char **operands, size_t count)
{
    const struct patterns patterns = {.texts = operands, .count = count};
    const char *url = NULL;
    int code = EXIT_DONE;
    if (wants_buses && count > 0)
        return fail(EXIT_USAGE, "--buses lists buses; what is '%s' for?", operands[0]);
    if (!wants_buses && (common_bus_is_named() || count > 0))
        code = common_url(&url);
    else
        code = choose_bus(&url);
    return code == EXIT_DONE && url ? list_topics(url, &patterns) : code;
}

const struct command command_ls = {
    .name = "ls",
    .operands = "[TOPIC]...",
    .summary = "list buses, or the topics and queues of one",
    .details = "Without a bus, and with several on this machine, lists those; with one, or with "
               "--bus, its\n"
               "topics and queues. TOPIC is a name or a pattern, such as 'wheel*'.\n\n"
               "  peal ls                          what is there?\n"
               "  peal ls --bus posix:vehicle -l   who publishes and subscribes to what?\n\n"
               "RATE and BANDWIDTH are those of a short look. MESSAGES were published so far; LAG "
               "is how far\n"
               "the slowest subscriber is behind, of a queue what waits to be taken, out of DEPTH. "
               "LOST were\n"
               "overwritten before a subscriber came to them; DROPPED were not taken in, for want "
               "of room.",
    .options = options,
    .operands_max = SIZE_MAX,
    .completes = COMPLETES_TOPIC,
    .has_json = true,
    .run = ls_run,
};
