/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The end of a lane, seen from inside: what core/lane_life.c, core/topic_join.c and core/recover.c
 * share. Nobody else includes this.
 */
#ifndef PEAL_CORE_LANE_RECLAIM_H
#define PEAL_CORE_LANE_RECLAIM_H

#include "core/lane_life.h"

/* What an entry says about its pages, read once. */
struct peal_lane_pages {
    uint64_t word;
    uint32_t first;
    uint32_t count;
};

/* Reads it; true if it is sound: the word names this lane, the pages lie in the region and all carry
 * the word. While the lane is pinned, tagged, ours, or being reclaimed by us it then stays so. */
bool peal_lane_pages_read(const struct peal_region *region, uint32_t topic, uint32_t lane,
                          struct peal_lane_pages *pages);

/* The memory of sound pages. */
struct peal_lane_shared *peal_lane_pages_memory(const struct peal_region *region,
                                                const struct peal_lane_pages *pages);

/* If the lane's publisher is dead (asks the authority): CLAIMED -> FREE, OPENING and ACTIVE -> ORPHAN. True
 * if it did so. */
bool peal_lane_bury(struct peal_region *region, uint32_t topic, uint32_t lane);

/* The same for a lane whose publisher was found dead after `word` was read: what the authority has once said
 * of a word's owner is final, even if it then has a successor at the same index. */
bool peal_lane_bury_dead(struct peal_region *region, uint32_t topic, uint32_t lane, uint64_t word);

/* Bit i: a live subscriber of client i keeps this ORPHAN lane from being reclaimed. */
uint64_t peal_lane_reading_clients(struct peal_region *region, uint32_t topic, uint32_t lane);

/*
 * Keeps the lane's pages for the owner of subscriber entry `entry`, who then looks at the lane's state
 * again: a lane that it finds joinable stays until the pin goes. EMPTY: no lane there; AGAIN: it is
 * just being reclaimed; not pinned then.
 */
enum peal_status peal_lane_pin(struct peal_region *region, uint32_t topic, uint32_t lane,
                               uint32_t entry);
void peal_lane_unpin(struct peal_region *region, uint32_t topic, uint32_t lane, uint32_t entry);

#endif
