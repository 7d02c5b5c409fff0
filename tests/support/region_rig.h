/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A region in memory of this process, several clients of it, and an authority that the test plays:
 * a client is dead when the test says so. Death is simulated by never calling anything with that
 * client's struct peal_region again.
 */
#ifndef PEAL_TESTS_SUPPORT_REGION_RIG_H
#define PEAL_TESTS_SUPPORT_REGION_RIG_H

#include "core/region.h"

struct region_rig {
    unsigned char *base;
    uint64_t size_bytes;
    peal_u64 members;
    peal_u64 asked; /* how often the authority was asked */
    uint64_t random;
    struct peal_region_wish wish;
};

/* splitmix64 over *state. */
uint64_t rig_random(uint64_t *state);

/* Memory of `pages` pages filled with random bytes from `seed`; `topics_max` when it is laid out. */
void rig_open(struct region_rig *rig, uint32_t pages, uint32_t topics_max, uint64_t seed);
void rig_close(struct region_rig *rig);

/* Fills the memory anew with random bytes. */
void rig_scramble(struct region_rig *rig);

struct peal_authority rig_authority(struct region_rig *rig);

/* Makes `index` a member with a new incarnation and attaches; registers it too. Asserts success. */
void rig_join(struct region_rig *rig, uint32_t index, struct peal_region *region);

/* The same without registering; returns what peal_region_attach() says. */
enum peal_status rig_attach(struct region_rig *rig, uint32_t index, struct peal_region *region);

/* The authority calls it a member no more. */
void rig_kill(struct region_rig *rig, uint32_t index);

/* What is held in a region, counted from the ground truth. */
struct rig_census {
    uint32_t topics;
    uint32_t types_in_the_making;
    uint32_t subscribers;
    uint32_t lanes;
    uint32_t pages;
    uint32_t clients;
};
struct rig_census rig_count(const struct peal_region *region);

/* Asserts that nothing is held but the entries of `clients` clients. */
void rig_assert_empty(const struct peal_region *region, uint32_t clients);

#endif
