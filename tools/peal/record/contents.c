/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/peal/record/contents.h"

#include "tools/peal/kit/common.h"
#include "tools/peal/kit/output.h"
#include "tools/peal/kit/table.h"
#include "tools/peal/kit/units.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void copy(const struct mcap_span *span, char *text, size_t text_bytes)
{
    const size_t length = span->size_bytes < text_bytes ? span->size_bytes : text_bytes - 1;
    if (length > 0)
        memcpy(text, span->bytes, length);
    text[length] = '\0';
    /* Foreign files may hold anything; the terminal gets none of it. */
    for (size_t i = 0; i < length; i++)
        if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f)
            text[i] = '?';
}

static void value_of(struct mcap_span map, const char *key, char *text, size_t text_bytes)
{
    struct mcap_span value;
    if (!mcap_map_find(map, key, &value))
        value = (struct mcap_span){0};
    copy(&value, text, text_bytes);
}

/* Messages that were published and are not in the file, as it tells. */
static uint64_t lost_in(struct mcap_reader *reader)
{
    uint64_t lost = 0;
    struct mcap_error error;
    for (size_t i = 0; i < mcap_reader_info(reader)->metadata_count; i++) {
        struct mcap_metadata_view metadata;
        char text[32], name[32];
        uint64_t more;
        if (mcap_reader_metadata(reader, i, &metadata, &error) != MCAP_OK)
            continue;
        copy(&metadata.name, name, sizeof(name));
        value_of(metadata.map, "lost", text, sizeof(text));
        if (strcmp(name, "peal:losses") == 0 && units_read_count(text, &more))
            lost += more;
    }
    return lost;
}

struct row {
    char *topic;
    char publisher[64];
    char type_name[64];
    uint64_t messages;
};

static struct row row_of(const struct mcap_reader *reader, const struct mcap_channel *channel,
                         const struct topic_map *map)
{
    struct row row = {.messages = mcap_reader_channel_messages(reader, channel->id)};
    const struct mcap_schema *schema =
        mcap_catalog_schema(mcap_reader_catalog(reader), channel->schema_id);
    row.topic = topic_map_apply(map, channel->topic);
    copy(&(struct mcap_span){(unsigned char *)row.topic, strlen(row.topic)}, row.topic,
         strlen(row.topic) + 1);
    value_of(channel->metadata, "peal:publisher", row.publisher, sizeof(row.publisher));
    if (schema)
        copy(&(struct mcap_span){(unsigned char *)schema->name, strlen(schema->name)},
             row.type_name, sizeof(row.type_name));
    return row;
}

/* Of each channel that is wanted. */
static void each_row(const struct mcap_reader *reader, const struct topic_map *map,
                     void (*use)(void *context, const struct row *row), void *context)
{
    for (uint32_t id = 0; id < MCAP_CHANNELS_MAX; id++) {
        const struct mcap_channel *channel =
            mcap_catalog_channel(mcap_reader_catalog(reader), (uint16_t)id);
        if (!channel || !channel->wanted)
            continue;
        struct row row = row_of(reader, channel, map);
        use(context, &row);
        free(row.topic);
    }
}

static void add_to_table(void *context, const struct row *row)
{
    struct table *table = context;
    table_cell(table, PAINT_NONE, "%s", row->topic);
    table_cell(table, PAINT_NONE, "%s", row->publisher[0] != '\0' ? row->publisher : "-");
    table_cell(table, PAINT_NONE, "%s", row->type_name[0] != '\0' ? row->type_name : "-");
    table_cell(table, PAINT_NONE, "%" PRIu64, row->messages);
}

static void add_to_json(void *context, const struct row *row)
{
    json_t *channels = context;
    (void)json_array_append_new(channels,
                                json_pack("{s:s, s:s, s:s, s:I}", "topic", row->topic, "publisher",
                                          row->publisher, "type_name", row->type_name, "messages",
                                          (json_int_t)row->messages));
}

void contents_print(const char *path, struct mcap_reader *reader, const struct topic_map *map)
{
    static const struct table_column columns[] = {{"TOPIC", TABLE_LEFT},
                                                  {"PUBLISHER", TABLE_LEFT},
                                                  {"TYPE", TABLE_LEFT},
                                                  {"MESSAGES", TABLE_RIGHT}};
    const struct mcap_reader_info *info = mcap_reader_info(reader);
    const uint64_t duration_ns = info->end_ns > info->start_ns ? info->end_ns - info->start_ns : 0;
    const uint64_t lost = lost_in(reader);
    const bool is_whole = info->damage.status == MCAP_OK;
    if (common.json) {
        json_t *channels = json_array();
        each_row(reader, map, add_to_json, channels);
        print_json(json_pack("{s:s, s:b, s:I, s:I, s:I, s:I, s:I, s:o}", "file", path, "whole",
                             is_whole, "start_ns", (json_int_t)info->start_ns, "duration_ns",
                             (json_int_t)duration_ns, "messages", (json_int_t)info->messages,
                             "lost", (json_int_t)lost, "chunks", (json_int_t)info->chunk_count,
                             "channels", channels));
        return;
    }
    struct units_text time, duration;
    print("%s: %" PRIu64 " messages in %s from %s on; %zu chunks", path, info->messages,
          units_duration(&duration, duration_ns), units_time(&time, info->start_ns),
          info->chunk_count);
    if (lost > 0)
        print("; %s%" PRIu64 " were lost%s", paint(PAINT_YELLOW), lost, paint(PAINT_NONE));
    print("\n");
    struct table *table = table_new(columns, 4);
    each_row(reader, map, add_to_table, table);
    table_print(table);
}
