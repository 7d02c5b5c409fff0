/* SPDX-License-Identifier: Apache-2.0 */
/* peal info: everything that is known of a topic or queue; of the region and its clients. */
#include "tools/peal/command.h"
#include "tools/peal/kit/common.h"
#include "tools/peal/kit/fail.h"
#include "tools/peal/list/listing_json.h"
#include "tools/peal/list/people.h"
#include "tools/peal/list/region_details.h"
#include "tools/peal/list/topic_details.h"

#include <stdint.h>
#include <stdlib.h>

static struct looks_span span = LOOKS_SPAN_DEFAULT;

static const struct option_entry options[] = {
    LOOKS_OPTIONS(span),
    {0},
};

static void print_region(const struct looks *looks)
{
    if (common.json) {
        json_t *region = region_json(looks);
        (void)json_object_set_new(region, "clients", clients_json(&looks->now));
        print_json(region);
    } else {
        region_details_print(&looks->now, looks->watch.url);
    }
}

static void print_topics(const struct looks *looks, const struct patterns *patterns)
{
    size_t count;
    if (common.json) {
        json_t *listing = region_json(looks);
        (void)json_object_set_new(listing, "topics", topics_json(looks, patterns, true));
        print_json(listing);
        return;
    }
    const struct snapshot_topic **topics = topics_meant(&looks->now, patterns, &count);
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            print("\n");
        topic_details_print(looks, topics[i]);
    }
    free(topics);
}

static int info_run(char **operands, size_t count)
{
    static const struct looks_span once = {0};
    const struct patterns patterns = {.texts = operands, .count = count};
    struct looks looks = {0};
    const char *url;
    int code = common_url(&url);
    if (code == EXIT_DONE) /* of a region there are no rates */
        code = looks_take(&looks, url, count > 0 ? &span : &once);
    if (code != EXIT_DONE)
        return code;
    code = patterns_check(&patterns, &looks.now, url);
    if (code == EXIT_DONE && count > 0)
        print_topics(&looks, &patterns);
    else if (code == EXIT_DONE)
        print_region(&looks);
    looks_free(&looks);
    return code;
}

const struct command command_info = {
    .name = "info",
    .operands = "[TOPIC]...",
    .summary = "tell all about topics and queues, or about the bus and its clients",
    .details =
        "TOPIC is a name or a pattern, such as 'wheel*'. Without any, tells about the region and "
        "who is\n"
        "attached to it: how long, when it last slept or rang (HEARTBEAT), how many bells it rang "
        "and\n"
        "the rate limit held back, how often it slept and woke, and what only the safety net "
        "found.\n\n"
        "  peal info                                    who is there?\n"
        "  peal info wheel_speed                        who is behind, and who loses messages?\n"
        "  peal info --bus file:crash.bin wheel_speed   on the copy of a region\n\n"
        "Of a lane, WHEN FULL says what its publisher does when reliable subscribers are too slow.",
    .options = options,
    .operands_max = SIZE_MAX,
    .completes = COMPLETES_TOPIC,
    .has_json = true,
    .run = info_run,
};
