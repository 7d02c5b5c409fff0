/* SPDX-License-Identifier: Apache-2.0 */
#include "core/format.h"

#include "core/fault.h"
#include "core/hash.h"
#include "core/region.h"

#define CLIENTS_PAGES (PEAL_CLIENTS_MAX * sizeof(struct peal_client_shared) / PEAL_PAGE_BYTES)
#define WORDS_PER_PAGE (PEAL_PAGE_BYTES / sizeof(peal_u64))
#define FIXED_PAGES (1 + CLIENTS_PAGES)

/* The parts follow one another at places that docs/format.md names. */
static_assert(FIXED_PAGES * PEAL_PAGE_BYTES == 20480, "format");
static_assert(PEAL_PAGE_BYTES % sizeof(struct peal_topic_shared) == 0, "format");

static uint64_t directory_pages(uint32_t topics_max)
{
    uint64_t bytes = (uint64_t)topics_max * sizeof(struct peal_topic_shared);
    return (bytes + PEAL_PAGE_BYTES - 1) / PEAL_PAGE_BYTES;
}

static uint64_t page_map_pages(uint64_t page_count)
{
    return page_count / WORDS_PER_PAGE + (page_count % WORDS_PER_PAGE != 0);
}

uint64_t peal_region_min_bytes(uint32_t topics_max)
{
    uint64_t pages = FIXED_PAGES + directory_pages(topics_max) + 1;
    /* One page of map serves itself and WORDS_PER_PAGE - 1 others. */
    pages += (pages + WORDS_PER_PAGE - 2) / (WORDS_PER_PAGE - 1);
    return pages * PEAL_PAGE_BYTES;
}

uint64_t peal_format_checksum(const struct peal_format_fields *fields)
{
    uint64_t hash = peal_hash_word(0, fields->magic);
    hash = peal_hash_word(hash, (uint64_t)fields->topics_max << 32 | fields->format_version);
    hash = peal_hash_word(hash, fields->size_bytes);
    return peal_hash_word(hash, fields->generation);
}

bool peal_format_is_sound(const struct peal_format_fields *fields)
{
    if (fields->format_version != PEAL_FORMAT_VERSION || fields->topics_max == 0 ||
        fields->topics_max > PEAL_TOPICS_MAX || fields->size_bytes % PEAL_PAGE_BYTES != 0)
        return false;
    uint64_t page_count = fields->size_bytes / PEAL_PAGE_BYTES;
    /* Below 2^32 pages none of the sums overflows; a 32-bit program can't map more than SIZE_MAX. */
    if (page_count > UINT32_MAX || fields->size_bytes > SIZE_MAX)
        return false;
    return FIXED_PAGES + directory_pages(fields->topics_max) + page_map_pages(page_count) <
           page_count;
}

void peal_format_places(uint32_t topics_max, uint64_t size_bytes, struct peal_format_places *places)
{
    uint64_t page_count = size_bytes / PEAL_PAGE_BYTES;
    uint64_t map_page = FIXED_PAGES + directory_pages(topics_max);
    places->clients = PEAL_PAGE_BYTES;
    places->directory = FIXED_PAGES * PEAL_PAGE_BYTES;
    places->page_map = (size_t)(map_page * PEAL_PAGE_BYTES);
    places->page_count = (uint32_t)page_count;
    places->first_data_page = (uint32_t)(map_page + page_map_pages(page_count));
}

uint32_t peal_format_default_topics(uint64_t size_bytes)
{
    uint64_t fits = size_bytes / 4 / sizeof(struct peal_topic_shared);
    uint32_t topics = fits < PEAL_TOPICS_DEFAULT ? (uint32_t)fits : PEAL_TOPICS_DEFAULT;
    while (topics > 1 && peal_region_min_bytes(topics) > size_bytes)
        topics--;
    return topics ? topics : 1;
}

void peal_format_read(const struct peal_region_header *header, struct peal_format_fields *fields,
                      uint64_t *checksum)
{
    /* relaxed: ordered by the state word, which the caller reads before and after */
    fields->magic = peal_u64_load_relaxed(&header->layout.magic);
    fields->format_version = peal_u32_load_relaxed(&header->layout.format_version);
    fields->topics_max = peal_u32_load_relaxed(&header->layout.topics_max);
    fields->size_bytes = peal_u64_load_relaxed(&header->layout.size_bytes);
    fields->generation = peal_u64_load_relaxed(&header->layout.generation);
    *checksum = peal_u64_load_relaxed(&header->layout.checksum);
}

static void zero_words(unsigned char *from, const unsigned char *to)
{
    size_t count = (size_t)(to - from) / sizeof(peal_u64);
    peal_u64 *words = (peal_u64 *)(void *)from;
    for (size_t i = 0; i < count; i++)
        /* relaxed: published by the state word. no fault point: one after each part, below */
        peal_u64_store_relaxed(&words[i], 0);
}

void peal_format_write(unsigned char *base, const struct peal_format_fields *fields)
{
    struct peal_format_places places;
    peal_format_places(fields->topics_max, fields->size_bytes, &places);
    struct peal_region_header *header = (struct peal_region_header *)(void *)base;
    const size_t after_state = sizeof(header->layout.state);

    zero_words(base + after_state, base + places.clients);
    PEAL_FAULT("format.header_zeroed");
    zero_words(base + places.clients, base + places.directory);
    PEAL_FAULT("format.clients");
    zero_words(base + places.directory, base + places.page_map);
    PEAL_FAULT("format.directory");
    zero_words(base + places.page_map, base + (size_t)places.first_data_page * PEAL_PAGE_BYTES);
    PEAL_FAULT("format.page_map");

    /* relaxed: this and all below are published by the state word */
    peal_u64_store_relaxed(&header->layout.magic, fields->magic);
    PEAL_FAULT("format.magic");
    peal_u32_store_relaxed(&header->layout.format_version, fields->format_version);
    peal_u32_store_relaxed(&header->layout.topics_max, fields->topics_max);
    PEAL_FAULT("format.topics");
    peal_u64_store_relaxed(&header->layout.size_bytes, fields->size_bytes);
    peal_u64_store_relaxed(&header->layout.generation, fields->generation);
    PEAL_FAULT("format.generation");
    /* relaxed: as above */
    peal_u64_store_relaxed(&header->layout.checksum, peal_format_checksum(fields));
    PEAL_FAULT("format.checksum");
}
