/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The messages of the chunks of an index in the order of their log times; of equal ones, in that of the file. Only those chunks
 * are in memory whose times overlap where reading stands, and only as many as the caller allows.
 */
#ifndef PEAL_TOOLS_PEAL_MCAP_MCAP_ORDER_H
#define PEAL_TOOLS_PEAL_MCAP_MCAP_ORDER_H

#include "tools/peal/mcap/mcap_index.h"

struct mcap_loaded;

struct mcap_order {
    const struct mcap_index *index;
    const struct mcap_source *source;
    struct mcap_catalog *catalog;
    uint64_t from_ns;
    uint64_t until_ns; /* the last that is wanted */
    size_t memory_max_bytes;

    size_t next_chunk;
    size_t memory_bytes;
    struct mcap_loaded **heap; /* the one with the earliest message first */
    size_t heap_count;
    size_t heap_room;
    bool shown; /* the first message was given out already */
};

/* The message is valid until the next call. After MCAP_BROKEN, MCAP_TORN and MCAP_LIMIT the next call goes on without that chunk. */
enum mcap_status mcap_order_next(struct mcap_order *order, struct mcap_message *message,
                                 struct mcap_error *error);

/* Frees what is loaded; the next message is the first again. */
void mcap_order_rewind(struct mcap_order *order);
void mcap_order_end(struct mcap_order *order);

#endif
