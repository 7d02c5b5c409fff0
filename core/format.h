/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The bytes of an empty region: where its parts lie, which headers are sound, how one is written.
 * Private to core/region.c and the tests; the tables are in docs/format.md.
 */
#ifndef PEAL_CORE_FORMAT_H
#define PEAL_CORE_FORMAT_H

#include "core/region_shared.h"

/* The header's fields, as one snapshot. */
struct peal_format_fields {
    uint64_t magic;
    uint32_t format_version;
    uint32_t topics_max;
    uint64_t size_bytes;
    uint64_t generation;
};

/* Where the parts lie, in bytes from the region's base. */
struct peal_format_places {
    size_t clients;
    size_t directory;
    size_t page_map;
    uint32_t page_count;
    uint32_t first_data_page;
};

uint64_t peal_format_checksum(const struct peal_format_fields *fields);

/* Do version, topics and size make a region with at least one page of data? Overflow-safe. */
bool peal_format_is_sound(const struct peal_format_fields *fields);

/* For sound fields only. */
void peal_format_places(uint32_t topics_max, uint64_t size_bytes,
                        struct peal_format_places *places);

/* 256, or what fits in a quarter of the region; at least 1. */
uint32_t peal_format_default_topics(uint64_t size_bytes);

/* Reads each field once. */
void peal_format_read(const struct peal_region_header *header, struct peal_format_fields *fields,
                      uint64_t *checksum);

/* Writes everything but the state word and the data pages, for the one client that lays out. */
void peal_format_write(unsigned char *base, const struct peal_format_fields *fields);

#endif
