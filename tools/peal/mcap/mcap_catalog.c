/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/peal/mcap/mcap_catalog.h"

#include "tools/peal/mcap/mcap_parse.h"
#include "tools/peal/mcap/mcap_text.h"

#include <stdlib.h>
#include <string.h>

bool mcap_catalog_init(struct mcap_catalog *catalog, struct mcap_filter filter)
{
    *catalog = (struct mcap_catalog){.filter = filter};
    catalog->schemas = calloc(MCAP_CHANNELS_MAX, sizeof(struct mcap_schema *));
    catalog->channels = calloc(MCAP_CHANNELS_MAX, sizeof(struct mcap_channel *));
    return catalog->schemas && catalog->channels;
}

static void schema_free(struct mcap_schema *schema)
{
    if (!schema)
        return;
    free(schema->name);
    free(schema->encoding);
    free(schema->record);
    free(schema);
}

static void channel_free(struct mcap_channel *channel)
{
    if (!channel)
        return;
    free(channel->topic);
    free(channel->encoding);
    free(channel->record);
    free(channel);
}

void mcap_catalog_clear(struct mcap_catalog *catalog)
{
    for (size_t id = 0; catalog->schema_count > 0; id++) {
        if (catalog->schemas[id])
            catalog->schema_count--;
        schema_free(catalog->schemas[id]);
        catalog->schemas[id] = NULL;
    }
    for (size_t id = 0; catalog->channel_count > 0; id++) {
        if (catalog->channels[id])
            catalog->channel_count--;
        channel_free(catalog->channels[id]);
        catalog->channels[id] = NULL;
    }
    catalog->used_bytes = 0;
}

void mcap_catalog_end(struct mcap_catalog *catalog)
{
    mcap_catalog_clear(catalog);
    free(catalog->schemas);
    free(catalog->channels);
    *catalog = (struct mcap_catalog){.schemas = NULL};
}

static bool same(const unsigned char *record, size_t record_bytes, struct mcap_span content)
{
    return record_bytes == content.size_bytes && memcmp(record, content.bytes, record_bytes) == 0;
}

/* The copy's memory is counted roughly: twice the record, and some for the structure. */
static enum mcap_status account(struct mcap_catalog *catalog, struct mcap_span content,
                                uint64_t offset, struct mcap_error *error)
{
    if (content.size_bytes > MCAP_CATALOG_BYTES_MAX ||
        catalog->used_bytes + content.size_bytes * 2 + 128 > MCAP_CATALOG_BYTES_MAX)
        return mcap_fail(error, MCAP_LIMIT, offset, "schemas and channels of more than %zu MiB",
                         MCAP_CATALOG_BYTES_MAX >> 20);
    catalog->used_bytes += content.size_bytes * 2 + 128;
    return MCAP_OK;
}

static unsigned char *copy_of(struct mcap_span content)
{
    unsigned char *copy = malloc(content.size_bytes + 1);
    if (copy)
        memcpy(copy, content.bytes, content.size_bytes);
    return copy;
}

enum mcap_status mcap_catalog_add_schema(struct mcap_catalog *catalog, struct mcap_span content,
                                         uint64_t offset, struct mcap_error *error)
{
    struct mcap_schema_view view;
    if (!mcap_parse_schema(content, &view))
        return mcap_fail(error, MCAP_BROKEN, offset, "a schema whose parts are longer than itself");
    if (view.id == 0)
        return MCAP_OK; /* to be ignored, says the specification */
    const struct mcap_schema *known = catalog->schemas[view.id];
    if (known && same(known->record, known->record_bytes, content))
        return MCAP_OK;
    if (known)
        return mcap_fail(error, MCAP_BROKEN, offset, "schema %u is told in two ways", view.id);
    if (!mcap_text_valid(view.name) || !mcap_text_valid(view.encoding))
        return mcap_fail(error, MCAP_BROKEN, offset, "name or encoding of schema %u is no UTF-8",
                         view.id);
    if (account(catalog, content, offset, error) != MCAP_OK)
        return error->status;
    struct mcap_schema *schema = calloc(1, sizeof(*schema));
    if (schema) {
        schema->id = view.id;
        schema->record = copy_of(content);
        schema->record_bytes = content.size_bytes;
        schema->name = mcap_text_copy(view.name);
        schema->encoding = mcap_text_copy(view.encoding);
    }
    if (!schema || !schema->record || !schema->name || !schema->encoding) {
        schema_free(schema);
        return mcap_fail(error, MCAP_NOMEM, offset, "no memory for a schema");
    }
    struct mcap_span kept = {schema->record, schema->record_bytes};
    (void)mcap_parse_schema(kept, &view);
    schema->data = view.data;
    catalog->schemas[view.id] = schema;
    catalog->schema_count++;
    return MCAP_OK;
}

static enum mcap_status check_channel(const struct mcap_catalog *catalog,
                                      const struct mcap_channel_view *view, uint64_t offset,
                                      struct mcap_error *error)
{
    if (catalog->channels[view->id])
        return mcap_fail(error, MCAP_BROKEN, offset, "channel %u is told in two ways", view->id);
    if (view->schema_id != 0 && !catalog->schemas[view->schema_id])
        return mcap_fail(error, MCAP_BROKEN, offset, "channel %u has schema %u, which is not there",
                         view->id, view->schema_id);
    if (!mcap_text_valid(view->topic) || !mcap_text_valid(view->encoding))
        return mcap_fail(error, MCAP_BROKEN, offset, "topic or encoding of channel %u is no UTF-8",
                         view->id);
    return MCAP_OK;
}

enum mcap_status mcap_catalog_add_channel(struct mcap_catalog *catalog, struct mcap_span content,
                                          uint64_t offset, struct mcap_error *error)
{
    struct mcap_channel_view view;
    if (!mcap_parse_channel(content, &view))
        return mcap_fail(error, MCAP_BROKEN, offset,
                         "a channel whose parts are longer than itself");
    const struct mcap_channel *known = catalog->channels[view.id];
    if (known && same(known->record, known->record_bytes, content))
        return MCAP_OK;
    if (check_channel(catalog, &view, offset, error) != MCAP_OK ||
        account(catalog, content, offset, error) != MCAP_OK)
        return error->status;
    struct mcap_channel *channel = calloc(1, sizeof(*channel));
    if (channel) {
        channel->id = view.id;
        channel->schema_id = view.schema_id;
        channel->record = copy_of(content);
        channel->record_bytes = content.size_bytes;
        channel->topic = mcap_text_copy(view.topic);
        channel->encoding = mcap_text_copy(view.encoding);
    }
    if (!channel || !channel->record || !channel->topic || !channel->encoding) {
        channel_free(channel);
        return mcap_fail(error, MCAP_NOMEM, offset, "no memory for a channel");
    }
    struct mcap_span kept = {channel->record, channel->record_bytes};
    (void)mcap_parse_channel(kept, &view);
    channel->metadata = view.metadata;
    channel->wanted =
        !catalog->filter.wants || catalog->filter.wants(catalog->filter.context, channel->topic);
    catalog->channels[view.id] = channel;
    catalog->channel_count++;
    return MCAP_OK;
}

const struct mcap_schema *mcap_catalog_schema(const struct mcap_catalog *catalog, uint16_t id)
{
    return catalog->schemas[id];
}

const struct mcap_channel *mcap_catalog_channel(const struct mcap_catalog *catalog, uint16_t id)
{
    return catalog->channels[id];
}
