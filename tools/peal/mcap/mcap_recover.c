/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/peal/mcap/mcap_recover.h"

#include "tools/peal/mcap/mcap_scan.h"

#include <stdlib.h>
#include <string.h>

struct recovery {
    struct mcap_source source;
    struct mcap_catalog catalog;
    struct mcap_scan scan;
    struct mcap_writer *writer;
    uint16_t *schemas; /* new ids by old ones; 0: not written yet */
    uint16_t *channels;
    struct mcap_recovered *recovered;
};

/* Pairs with terminated texts, as the writer wants them. */
struct pairs {
    struct mcap_pair *pairs;
    size_t count;
    char *texts;
};

static void pairs_free(struct pairs *pairs)
{
    free(pairs->pairs);
    free(pairs->texts);
}

static char *put_text(char *at, struct mcap_span text)
{
    if (text.size_bytes > 0)
        memcpy(at, text.bytes, text.size_bytes);
    at[text.size_bytes] = '\0';
    return at + text.size_bytes + 1;
}

/* Each text of a map has a length of 4 bytes before it: more than its end needs here. */
static bool pairs_of(struct mcap_span map, struct pairs *pairs)
{
    struct mcap_cursor cursor = mcap_cursor_over(map);
    struct mcap_span key;
    struct mcap_span value;
    size_t count = 0;
    while (mcap_map_next(&cursor, &key, &value))
        count++;
    *pairs = (struct pairs){.pairs = calloc(count + 1, sizeof(*pairs->pairs)),
                            .texts = malloc(map.size_bytes + 1)};
    if (!pairs->pairs || !pairs->texts) {
        pairs_free(pairs);
        return false;
    }
    char *at = pairs->texts;
    cursor = mcap_cursor_over(map);
    while (mcap_map_next(&cursor, &key, &value)) {
        struct mcap_pair *pair = &pairs->pairs[pairs->count++];
        pair->key = at;
        at = put_text(at, key);
        pair->value = at;
        at = put_text(at, value);
    }
    return true;
}

static enum mcap_status no_memory(struct mcap_error *error)
{
    return mcap_fail(error, MCAP_NOMEM, MCAP_NOWHERE, "no memory to recover a file");
}

static enum mcap_status copy_schema(struct recovery *recovery, uint16_t id,
                                    struct mcap_error *error)
{
    const struct mcap_schema *schema = mcap_catalog_schema(&recovery->catalog, id);
    if (!schema || recovery->schemas[id] != 0)
        return MCAP_OK;
    return mcap_writer_schema(recovery->writer, schema->name, schema->encoding, schema->data,
                              &recovery->schemas[id], error);
}

static enum mcap_status copy_channel(struct recovery *recovery, uint16_t id,
                                     struct mcap_error *error)
{
    const struct mcap_channel *channel = mcap_catalog_channel(&recovery->catalog, id);
    struct pairs pairs;
    if (recovery->channels[id] != 0)
        return MCAP_OK;
    enum mcap_status status = copy_schema(recovery, channel->schema_id, error);
    if (status != MCAP_OK)
        return status;
    if (!pairs_of(channel->metadata, &pairs))
        return no_memory(error);
    status = mcap_writer_channel(recovery->writer, recovery->schemas[channel->schema_id],
                                 channel->topic, channel->encoding, pairs.pairs, pairs.count,
                                 &recovery->channels[id], error);
    pairs_free(&pairs);
    return status;
}

static enum mcap_status copy_message(struct recovery *recovery, const struct mcap_item *item,
                                     struct mcap_error *error)
{
    struct mcap_message message = item->message;
    enum mcap_status status = copy_channel(recovery, message.channel_id, error);
    if (status != MCAP_OK)
        return status;
    message.channel_id = recovery->channels[message.channel_id];
    status = mcap_writer_message(recovery->writer, &message, MCAP_WAIT, error);
    if (status != MCAP_OK)
        return status;
    recovery->recovered->messages++;
    recovery->recovered->unchecked += item->in_chunk && recovery->scan.block.salvaged;
    return MCAP_OK;
}

static enum mcap_status copy_metadata(struct recovery *recovery, const struct mcap_item *item,
                                      struct mcap_error *error)
{
    struct pairs pairs;
    struct pairs name; /* the text alone */
    struct mcap_span text = item->metadata.name;
    name = (struct pairs){.texts = malloc(text.size_bytes + 1)};
    if (!name.texts || !pairs_of(item->metadata.map, &pairs)) {
        pairs_free(&name);
        return no_memory(error);
    }
    (void)put_text(name.texts, text);
    enum mcap_status status =
        mcap_writer_metadata(recovery->writer, name.texts, pairs.pairs, pairs.count, error);
    recovery->recovered->metadata += status == MCAP_OK;
    pairs_free(&name);
    pairs_free(&pairs);
    return status;
}

static enum mcap_status copy_item(struct recovery *recovery, const struct mcap_item *item,
                                  struct mcap_error *error)
{
    switch (item->kind) {
    case MCAP_ITEM_MESSAGE:
        return copy_message(recovery, item, error);
    case MCAP_ITEM_METADATA:
        return copy_metadata(recovery, item, error);
    case MCAP_ITEM_CHUNK:
        recovery->recovered->chunks += !item->chunk->salvaged;
        if (item->chunk->salvaged)
            recovery->recovered->torn_bytes = recovery->source.size_bytes - item->offset;
        break;
    case MCAP_ITEM_ATTACHMENT:
        recovery->recovered->attachments++;
        break;
    }
    return MCAP_OK;
}

/* Whether the rest of the file can still be had after this. MCAP_INVALID: the writer refuses what the file has. */
static bool note_damage(struct recovery *recovery, enum mcap_status status,
                        const struct mcap_error *error)
{
    struct mcap_recovered *recovered = recovery->recovered;
    if (status != MCAP_BROKEN && status != MCAP_LIMIT && status != MCAP_TORN &&
        status != MCAP_INVALID)
        return false;
    if (recovered->why.status == MCAP_OK)
        recovered->why = *error;
    if (status == MCAP_TORN)
        recovered->torn_bytes = recovery->source.size_bytes - error->offset;
    else if (!recovery->scan.reached_end || recovered->damaged == 0)
        recovered->damaged++; /* what is spoilt spoils the CRC of all data, which comes last, too */
    return true;
}

static enum mcap_status copy_all(struct recovery *recovery, struct mcap_error *error)
{
    struct mcap_item item;
    enum mcap_status status;
    recovery->scan.salvage = true;
    while ((status = mcap_scan_next(&recovery->scan, &item, error)) != MCAP_END) {
        if (status == MCAP_OK)
            status = copy_item(recovery, &item, error);
        if (status != MCAP_OK && !note_damage(recovery, status, error))
            return status;
    }
    recovery->recovered->was_whole =
        recovery->scan.reached_end && recovery->recovered->why.status == MCAP_OK;
    return MCAP_OK;
}

static enum mcap_status recover(struct recovery *recovery, int to_fd,
                                const struct mcap_writer_options *options, struct mcap_error *error)
{
    struct mcap_error closing;
    enum mcap_status status =
        mcap_scan_begin(&recovery->scan, &recovery->source, &recovery->catalog, error);
    if (status != MCAP_OK)
        return status;
    status = mcap_writer_open(&recovery->writer, to_fd, options, error);
    if (status == MCAP_OK) {
        status = copy_all(recovery, error);
        enum mcap_status closed = mcap_writer_close(recovery->writer, &closing);
        if (status == MCAP_OK || closed != MCAP_OK) {
            status = closed;
            *error = closed == MCAP_OK ? *error : closing;
        }
    }
    mcap_scan_end(&recovery->scan);
    return status;
}

enum mcap_status mcap_recover(int from_fd, int to_fd, const struct mcap_writer_options *options,
                              struct mcap_recovered *recovered, struct mcap_error *error)
{
    struct recovery recovery = {.recovered = recovered};
    *recovered = (struct mcap_recovered){0};
    enum mcap_status status = mcap_source_open(&recovery.source, from_fd, 0, error);
    if (status != MCAP_OK)
        return status;
    recovery.schemas = calloc(MCAP_CHANNELS_MAX, sizeof(*recovery.schemas));
    recovery.channels = calloc(MCAP_CHANNELS_MAX, sizeof(*recovery.channels));
    bool ready = mcap_catalog_init(&recovery.catalog, (struct mcap_filter){0});
    if (!ready || !recovery.schemas || !recovery.channels)
        status = no_memory(error);
    else
        status = recover(&recovery, to_fd, options, error);
    mcap_catalog_end(&recovery.catalog);
    free(recovery.schemas);
    free(recovery.channels);
    return status;
}
