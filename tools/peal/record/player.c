/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/peal/record/player.h"

#include "tools/peal/kit/common.h"
#include "tools/peal/kit/fail.h"
#include "tools/peal/kit/memory.h"
#include "tools/peal/kit/stop.h"
#include "tools/peal/kit/units.h"
#include "tools/peal/look/joined.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A publisher that waits for room looks so often whether it shall stop. */
#define WAIT_NS (50 * NS_PER_MS)
#define SUBSCRIBERS_NS (5 * NS_PER_MS)
/* Of a file that does not tell: it grows as messages want it. */
#define MESSAGE_BYTES_DEFAULT 4096
/* Shorter messages may lie in the slots; only beyond is a lane's memory mostly payload. */
#define PAYLOAD_SURE_BYTES 4096
#define SLOT_BYTES 64

static bool find_text(const struct mcap_channel *channel, const char *key, char *text,
                      size_t text_bytes)
{
    struct mcap_span value;
    if (!mcap_map_find(channel->metadata, key, &value) || value.size_bytes >= text_bytes)
        return false;
    if (value.size_bytes > 0)
        memcpy(text, value.bytes, value.size_bytes);
    text[value.size_bytes] = '\0';
    return true;
}

static uint64_t find_number(const struct mcap_channel *channel, const char *key, uint64_t otherwise)
{
    char text[32];
    uint64_t number;
    return find_text(channel, key, text, sizeof(text)) && units_read_count(text, &number)
               ? number
               : otherwise;
}

void player_describe(struct player_channel *described, const struct mcap_channel *channel,
                     const struct mcap_schema *schema)
{
    char hash[32] = "";
    struct peal_publisher_options *options = &described->options;
    const uint64_t longest = find_number(channel, "peal:message_bytes_max", MESSAGE_BYTES_DEFAULT);
    const uint64_t depth = find_number(channel, "peal:depth", 0);
    const uint64_t lane_bytes = find_number(channel, "peal:lane_bytes", 0);
    *options = (struct peal_publisher_options)PEAL_PUBLISHER_OPTIONS_INIT;
    options->message_bytes_max = longest <= UINT32_MAX ? (uint32_t)longest : UINT32_MAX;
    /* A depth that cannot be is the library's to refuse. */
    options->depth = depth <= UINT32_MAX ? (uint32_t)depth : UINT32_MAX;
    if (longest > PAYLOAD_SURE_BYTES && depth <= UINT32_MAX && lane_bytes / SLOT_BYTES > depth)
        options->payload_bytes = lane_bytes - depth * SLOT_BYTES;
    options->timestamp = find_number(channel, "peal:timestamped", 1) != 0;
    described->restarted = find_number(channel, "peal:restarted", 0) != 0;
    if (!find_text(channel, "peal:publisher", described->name, sizeof(described->name)) ||
        described->name[0] == '\0')
        (void)snprintf(described->name, sizeof(described->name), "replay.%u", channel->id);
    options->name = described->name;
    if (schema && strlen(schema->name) < sizeof(described->type_name)) {
        (void)snprintf(described->type_name, sizeof(described->type_name), "%s", schema->name);
        options->type_name = described->type_name;
    }
    if (find_text(channel, "peal:schema_hash", hash, sizeof(hash)) && hash[0] != '\0')
        options->schema_hash = strtoull(hash, NULL, 16);
}

/* ---- publishers ------------------------------------------------------------------------------------------------------ */

/* Whoever has the same name on the same topic ends. */
static void close_namesakes(struct player *player, const struct player_channel *channel)
{
    for (size_t id = 0; id < MCAP_CHANNELS_MAX; id++) {
        struct player_channel *other = player->channels[id];
        if (!other || other == channel || !other->publisher ||
            strcmp(other->name, channel->name) != 0 || strcmp(other->topic, channel->topic) != 0)
            continue;
        peal_publisher_close(other->publisher);
        other->publisher = NULL;
    }
}

static int open_channel(struct player *player, struct player_channel *channel)
{
    static const enum peal_full_policy policies[] = {
        [PLAYER_WAIT] = PEAL_FULL_WAIT,
        [PLAYER_REFUSE] = PEAL_FULL_REFUSE,
        [PLAYER_DROP] = PEAL_FULL_DROP_NEWEST,
        [PLAYER_EVICT] = PEAL_FULL_EVICT,
    };
    struct peal_publisher_options *options = &channel->options;
    options->full_policy = policies[player->policy];
    options->full_timeout_ns = WAIT_NS;
    if (channel->restarted || channel->was_open)
        close_namesakes(player, channel);
    enum peal_status status =
        peal_publisher_create(player->bus, channel->topic, options, &channel->publisher);
    if (status != PEAL_OK && options->payload_bytes > 0) {
        options->payload_bytes = 0; /* the region may be smaller than the one that was recorded */
        status = peal_publisher_create(player->bus, channel->topic, options, &channel->publisher);
    }
    channel->was_open = true;
    return status == PEAL_OK ? EXIT_DONE : fail_peal(status, "cannot publish '%s'", channel->topic);
}

int player_begin(struct player *player, const struct mcap_reader *reader,
                 const struct topic_map *map)
{
    const struct mcap_catalog *catalog = mcap_reader_catalog(reader);
    player->channels = memory_zeroed(MCAP_CHANNELS_MAX, sizeof(struct player_channel *));
    int code = EXIT_DONE;
    for (uint32_t id = 0; id < MCAP_CHANNELS_MAX && code == EXIT_DONE; id++) {
        const struct mcap_channel *channel = mcap_catalog_channel(catalog, (uint16_t)id);
        if (!channel || !channel->wanted)
            continue;
        struct player_channel *made = memory_zeroed(1, sizeof(*made));
        player->channels[id] = made;
        made->topic = topic_map_apply(map, channel->topic);
        player_describe(made, channel, mcap_catalog_schema(catalog, channel->schema_id));
        if (!made->restarted && mcap_reader_channel_messages(reader, (uint16_t)id) > 0)
            code = open_channel(player, made);
    }
    return code;
}

static bool all_have(const struct player *player, const struct joined *joined, uint64_t count)
{
    for (size_t id = 0; id < MCAP_CHANNELS_MAX; id++) {
        const struct player_channel *channel = player->channels[id];
        if (channel && channel->publisher &&
            joined_count(joined, channel->topic, channel->publisher) < count)
            return false;
    }
    return true;
}

int player_wait_subscribers(struct player *player, uint64_t count)
{
    struct joined joined = {0};
    const int code = common_url(&joined.watch.url);
    while (code == EXIT_DONE) {
        joined_look(&joined);
        if (all_have(player, &joined, count) || !stop_wait_until(clock_now_ns() + SUBSCRIBERS_NS))
            break;
    }
    joined_end(&joined);
    return code;
}

/* A message that is longer than the file has told: its publisher begins anew, with room for it. */
static int make_room(struct player *player, struct player_channel *channel, size_t size_bytes)
{
    const uint64_t twice = (uint64_t)channel->options.message_bytes_max * 2;
    const uint64_t wanted = size_bytes > twice ? size_bytes : twice;
    peal_publisher_close(channel->publisher);
    channel->publisher = NULL;
    channel->options.message_bytes_max = wanted <= UINT32_MAX ? (uint32_t)wanted : UINT32_MAX;
    channel->options.payload_bytes = 0;
    return open_channel(player, channel);
}

static int publish(struct player *player, struct player_channel *channel,
                   const struct mcap_message *message)
{
    enum peal_status status;
    do {
        status = peal_publisher_publish(channel->publisher, message->data, message->size_bytes);
    } while (status == PEAL_FULL && player->policy == PLAYER_WAIT && !stop_requested());
    if (status == PEAL_OK) {
        player->published++;
        player->bytes += message->size_bytes;
        return EXIT_DONE;
    }
    if (status == PEAL_FULL && player->policy == PLAYER_WAIT)
        return EXIT_DONE; /* stopped: as if it had not been its turn yet */
    if (status != PEAL_FULL && status != PEAL_DROPPED)
        return fail_status(status, "cannot publish '%s'", channel->topic);
    player->not_published++;
    return EXIT_DONE;
}

int player_publish(struct player *player, const struct mcap_message *message)
{
    struct player_channel *channel = player->channels[message->channel_id];
    int code = EXIT_DONE;
    if (!channel)
        return EXIT_DONE;
    if (!channel->publisher)
        code = open_channel(player, channel);
    if (code == EXIT_DONE && message->size_bytes > channel->options.message_bytes_max)
        code = make_room(player, channel, message->size_bytes);
    return code == EXIT_DONE ? publish(player, channel, message) : code;
}

void player_end(struct player *player)
{
    for (size_t id = 0; player->channels && id < MCAP_CHANNELS_MAX; id++) {
        struct player_channel *channel = player->channels[id];
        if (!channel)
            continue;
        peal_publisher_close(channel->publisher);
        free(channel->topic);
        free(channel);
    }
    free(player->channels);
}
