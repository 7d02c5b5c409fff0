/* SPDX-License-Identifier: Apache-2.0 */
/* The schemas and channels of a file that is read. What they hold is checked, and their memory is bounded. */
#ifndef PEAL_TOOLS_PEAL_MCAP_MCAP_CATALOG_H
#define PEAL_TOOLS_PEAL_MCAP_MCAP_CATALOG_H

#include "tools/peal/mcap/mcap_error.h"
#include "tools/peal/mcap/mcap_records.h"

#include <stdbool.h>

#define MCAP_CATALOG_BYTES_MAX ((size_t)64 << 20)

struct mcap_schema {
    char *name;
    char *encoding;
    struct mcap_span data;
    unsigned char *record; /* content as it stood in the file */
    size_t record_bytes;
    uint16_t id;
};

struct mcap_channel {
    char *topic;
    char *encoding;
    struct mcap_span metadata; /* for mcap_map_find() */
    unsigned char *record;
    size_t record_bytes;
    uint16_t id;
    uint16_t schema_id; /* 0: none */
    bool wanted;        /* by the filter */
};

/* Whether messages of a topic are wanted. */
struct mcap_filter {
    bool (*wants)(void *context, const char *topic); /* NULL: all are */
    void *context;
};

struct mcap_catalog {
    struct mcap_filter filter;      /* asked once for each channel */
    struct mcap_schema **schemas;   /* by id */
    struct mcap_channel **channels; /* by id */
    uint32_t schema_count;
    uint32_t channel_count;
    size_t used_bytes;
};

bool mcap_catalog_init(struct mcap_catalog *catalog, struct mcap_filter filter);
void mcap_catalog_end(struct mcap_catalog *catalog);

/* Forgets all, but for the filter. */
void mcap_catalog_clear(struct mcap_catalog *catalog);

/* The content of a schema's or channel's record. The same once more is nothing new; another under a known id is MCAP_BROKEN. */
enum mcap_status mcap_catalog_add_schema(struct mcap_catalog *catalog, struct mcap_span content,
                                         uint64_t offset, struct mcap_error *error);
enum mcap_status mcap_catalog_add_channel(struct mcap_catalog *catalog, struct mcap_span content,
                                          uint64_t offset, struct mcap_error *error);

/* NULL if there is none. */
const struct mcap_schema *mcap_catalog_schema(const struct mcap_catalog *catalog, uint16_t id);
const struct mcap_channel *mcap_catalog_channel(const struct mcap_catalog *catalog, uint16_t id);

#endif
