/* SPDX-License-Identifier: Apache-2.0 */
#include "core/pages.h"

#include "core/error.h"
#include "core/fault.h"
#include "core/owner.h"

#include <inttypes.h>

uint64_t peal_pages_word(const struct peal_region *region, uint32_t topic, uint32_t lane)
{
    struct peal_owner owner = peal_owner_unpack(peal_region_own_word(region, PEAL_PAGE_LANE));
    owner.version = topic << 5 | (lane & (PEAL_TOPIC_LANES_MAX - 1));
    return peal_owner_pack(owner);
}

/* Claims [first, first + count). Returns how many it got before it met a page that is not free. */
static uint32_t claim_run(struct peal_region *region, uint32_t first, uint32_t count, uint64_t word)
{
    for (uint32_t i = 0; i < count; i++) {
        if (!peal_owner_swap(&region->page_map[first + i], PEAL_PAGE_FREE, word))
            return i;
        PEAL_FAULT("pages.claimed");
    }
    return count;
}

static bool take_first_fit(struct peal_region *region, uint32_t count, uint64_t word,
                           uint32_t *first_page)
{
    uint32_t run = 0;
    for (uint32_t page = region->first_data_page; page < region->page_count; page++) {
        /* relaxed: a hint where to claim; the claim itself decides */
        run = peal_u64_load_relaxed(&region->page_map[page]) == PEAL_PAGE_FREE ? run + 1 : 0;
        if (run < count)
            continue;
        uint32_t first = page + 1 - count;
        uint32_t got = claim_run(region, first, count, word);
        if (got == count) {
            *first_page = first;
            return true;
        }
        (void)peal_pages_give(region, first, got, word);
        /* Somebody has the page first + got; those behind it may be free still. */
        run = page - (first + got);
    }
    return false;
}

enum peal_status peal_pages_take(struct peal_region *region, uint32_t count, uint64_t word,
                                 uint32_t *first_page)
{
    uint32_t data_pages = region->page_count - region->first_data_page;
    if (count > 0 && count <= data_pages) {
        /* Twice: a rival that we met may have given back what it had. */
        for (uint32_t pass = 0; pass < 2; pass++) {
            if (take_first_fit(region, count, word, first_page))
                return PEAL_OK;
        }
    }
    return peal_fail(PEAL_ENOSPC,
                     "no %" PRIu32 " consecutive pages (of %u bytes) are free; %" PRIu32
                     " of %" PRIu32
                     " are free; make the region larger or the messages or the depth smaller",
                     count, PEAL_PAGE_BYTES, peal_pages_free_count(region), data_pages);
}

uint32_t peal_pages_give(struct peal_region *region, uint32_t first_page, uint32_t count,
                         uint64_t word)
{
    uint32_t given = 0;
    if (first_page < region->first_data_page || first_page > region->page_count ||
        count > region->page_count - first_page || word == PEAL_PAGE_FREE)
        return 0;
    for (uint32_t i = 0; i < count; i++) {
        if (peal_owner_swap(&region->page_map[first_page + i], word, PEAL_PAGE_FREE)) {
            given++;
            PEAL_FAULT("pages.given");
        }
    }
    return given;
}

uint32_t peal_pages_free_count(const struct peal_region *region)
{
    uint32_t count = 0;
    for (uint32_t page = region->first_data_page; page < region->page_count; page++) {
        /* relaxed: a figure for messages and observers, old when it is read */
        if (peal_u64_load_relaxed(&region->page_map[page]) == PEAL_PAGE_FREE)
            count++;
    }
    return count;
}
