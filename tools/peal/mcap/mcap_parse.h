/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Decoding the content of records. Each answers whether the content is as the specification says; fields behind those that are
 * known are ignored, as it wants.
 */
#ifndef PEAL_TOOLS_PEAL_MCAP_MCAP_PARSE_H
#define PEAL_TOOLS_PEAL_MCAP_MCAP_PARSE_H

#include "tools/peal/mcap/mcap_cursor.h"

bool mcap_parse_schema(struct mcap_span content, struct mcap_schema_view *schema);
bool mcap_parse_channel(struct mcap_span content, struct mcap_channel_view *channel);
bool mcap_parse_message(struct mcap_span content, struct mcap_message *message);
bool mcap_parse_metadata(struct mcap_span content, struct mcap_metadata_view *metadata);
bool mcap_parse_statistics(struct mcap_span content, struct mcap_statistics_view *statistics);
bool mcap_parse_chunk_index(struct mcap_span content, struct mcap_chunk_index_view *index);
bool mcap_parse_metadata_index(struct mcap_span content, struct mcap_metadata_index_view *index);
bool mcap_parse_footer(struct mcap_span content, struct mcap_footer_view *footer);

/* A chunk's record may end early: `stored` is then what there is. */
bool mcap_parse_chunk(struct mcap_span content, struct mcap_chunk_view *chunk);

/* A whole record, its content behind it. False at the end, and when the rest is none: `cursor->bad` tells which. */
bool mcap_parse_record(struct mcap_cursor *cursor, uint8_t *opcode, struct mcap_span *content);

/* The next pair of a map of texts; false at the end. A map in a record that was parsed is sound. */
bool mcap_map_next(struct mcap_cursor *map, struct mcap_span *key, struct mcap_span *value);

/* The value of a key; false if there is none. */
bool mcap_map_find(struct mcap_span map, const char *key, struct mcap_span *value);

#endif
