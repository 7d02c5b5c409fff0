/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The page map: one owner word per page is the whole truth of allocation. There is no free list and
 * no counter that could disagree with it.
 *
 * A page's word is FREE (0) or an owner word whose version field names the object that the page
 * belongs to: topic index << 5 | lane index. Taking a run of pages claims them one by one with
 * compare-and-swap and gives them back if another was faster; a taker that dies on the way leaves
 * pages whose owner is dead and whose object does not refer to them, which recovery frees.
 */
#ifndef PEAL_CORE_PAGES_H
#define PEAL_CORE_PAGES_H

#include "core/region.h"

enum peal_page_state {
    PEAL_PAGE_FREE = 0,
    PEAL_PAGE_LANE = 1,
};

/* The word for pages of lane `lane` of topic `topic`, taken by us. */
uint64_t peal_pages_word(const struct peal_region *region, uint32_t topic, uint32_t lane);

/*
 * Takes `count` consecutive pages under `word`. First fit, at most two passes over the map.
 * OK: *first_page; ENOSPC: no such run (fragmented or full).
 */
enum peal_status peal_pages_take(struct peal_region *region, uint32_t count, uint64_t word,
                                 uint32_t *first_page);

/* Frees those of the pages [first_page, first_page + count) that carry exactly `word`. The range is
 * validated; any client may do this. Returns how many were freed. */
uint32_t peal_pages_give(struct peal_region *region, uint32_t first_page, uint32_t count,
                         uint64_t word);

/* How many pages nobody owns. */
uint32_t peal_pages_free_count(const struct peal_region *region);

#endif
