/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A chunk while it is filled: its records, the message index of each channel in it, and the records that follow it in the file
 * (metadata does not belong into chunks). Who fills a chunk reserves first, so that nothing fails in the middle.
 */
#ifndef PEAL_TOOLS_PEAL_MCAP_MCAP_CHUNK_H
#define PEAL_TOOLS_PEAL_MCAP_MCAP_CHUNK_H

#include "tools/peal/mcap/mcap_buffer.h"

struct mcap_chunk_slot {
    uint16_t channel_id;
    uint64_t messages;
    struct mcap_buffer entries; /* log time (8 bytes), place of the message (8), and so on */
};

struct mcap_chunk {
    struct mcap_chunk *next;
    uint64_t number;   /* of all chunks of a writer: no two have the same */
    uint64_t since_ns; /* when its first record came, CLOCK_MONOTONIC */
    struct mcap_buffer records;
    struct mcap_buffer loose;
    struct mcap_chunk_slot *slots;
    uint32_t slot_count;
    uint32_t slot_room;
    uint64_t messages;
    uint64_t start_ns;
    uint64_t end_ns;
};

/* NULL without memory. */
struct mcap_chunk *mcap_chunk_new(size_t records_bytes);
void mcap_chunk_free(struct mcap_chunk *chunk);

/* Empties it; memory for records beyond `keep_bytes`, which one large message took, is given back. */
void mcap_chunk_clear(struct mcap_chunk *chunk, size_t keep_bytes);

bool mcap_chunk_is_empty(const struct mcap_chunk *chunk);

/* The index for a channel that is not in this chunk yet. */
bool mcap_chunk_add_slot(struct mcap_chunk *chunk, uint16_t channel_id, uint32_t *slot);

/* Room for one message in a slot and for `records_bytes` of records. */
bool mcap_chunk_reserve(struct mcap_chunk *chunk, uint32_t slot, size_t records_bytes);

/* Where the data of the next message goes, within room that was reserved. */
void *mcap_chunk_data_place(struct mcap_chunk *chunk);

/* Into room that was reserved. Its data is copied, unless it is at its place already. */
void mcap_chunk_put_message(struct mcap_chunk *chunk, uint32_t slot,
                            const struct mcap_message *message);

#endif
