/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/region_rig.h"

#include "core/client.h"
#include "core/owner.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

uint64_t rig_random(uint64_t *state)
{
    uint64_t mixed = *state += UINT64_C(0x9e3779b97f4a7c15);
    mixed = (mixed ^ mixed >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    mixed = (mixed ^ mixed >> 27) * UINT64_C(0x94d049bb133111eb);
    return mixed ^ mixed >> 31;
}

static uint64_t members(void *context)
{
    struct region_rig *rig = context;
    (void)peal_u64_add_relaxed(&rig->asked, 1);
    return peal_u64_load_seq_cst(&rig->members);
}

struct peal_authority rig_authority(struct region_rig *rig)
{
    return (struct peal_authority){.members = members, .context = rig};
}

void rig_scramble(struct region_rig *rig)
{
    for (uint64_t i = 0; i < rig->size_bytes; i += 8) {
        uint64_t word = rig_random(&rig->random);
        memcpy(rig->base + i, &word, sizeof(word));
    }
}

void rig_open(struct region_rig *rig, uint32_t pages, uint32_t topics_max, uint64_t seed)
{
    memset(rig, 0, sizeof(*rig));
    rig->size_bytes = (uint64_t)pages * PEAL_PAGE_BYTES;
    rig->random = seed;
    rig->base = aligned_alloc(PEAL_PAGE_BYTES, (size_t)rig->size_bytes);
    assert_non_null(rig->base);
    rig->wish =
        (struct peal_region_wish){.topics_max = topics_max, .generation = rig_random(&rig->random)};
    rig_scramble(rig);
}

void rig_close(struct region_rig *rig)
{
    free(rig->base);
}

enum peal_status rig_attach(struct region_rig *rig, uint32_t index, struct peal_region *region)
{
    struct peal_authority authority = rig_authority(rig);
    (void)peal_u64_or_seq_cst(&rig->members, UINT64_C(1) << index);
    uint64_t incarnation = rig_random(&rig->random) | 1;
    return peal_region_attach(region, rig->base, rig->size_bytes, index, incarnation, &rig->wish,
                              &authority);
}

void rig_join(struct region_rig *rig, uint32_t index, struct peal_region *region)
{
    assert_int_equal(rig_attach(rig, index, region), PEAL_OK);
    assert_int_equal(peal_client_register(region, "rig", 1), PEAL_OK);
}

void rig_kill(struct region_rig *rig, uint32_t index)
{
    (void)peal_u64_and_seq_cst(&rig->members, ~(UINT64_C(1) << index));
}

struct rig_census rig_count(const struct peal_region *region)
{
    struct rig_census census = {0};
    for (uint32_t t = 0; t < region->topics_max; t++) {
        struct peal_topic_shared *topic = &region->topics[t];
        uint32_t type_state = peal_owner_state(peal_u64_load_relaxed(&topic->type_owner));
        census.topics += peal_owner_state(peal_u64_load_relaxed(&topic->owner)) != PEAL_TOPIC_FREE;
        census.types_in_the_making +=
            type_state != PEAL_TOPIC_FREE && type_state != PEAL_TOPIC_READY;
        for (uint32_t i = 0; i < PEAL_TOPIC_SUBSCRIBERS_MAX; i++)
            census.subscribers +=
                peal_owner_state(peal_u64_load_relaxed(&topic->subscribers[i])) != 0;
        for (uint32_t i = 0; i < PEAL_TOPIC_LANES_MAX; i++)
            census.lanes += peal_owner_state(peal_u64_load_relaxed(&topic->lanes[i].owner)) != 0;
    }
    for (uint32_t page = region->first_data_page; page < region->page_count; page++)
        census.pages += peal_u64_load_relaxed(&region->page_map[page]) != 0;
    for (uint32_t i = 0; i < PEAL_CLIENTS_MAX; i++)
        census.clients += peal_owner_state(peal_u64_load_relaxed(&region->clients[i].owner)) != 0;
    return census;
}

void rig_assert_empty(const struct peal_region *region, uint32_t clients)
{
    struct rig_census census = rig_count(region);
    assert_int_equal(census.topics, 0);
    assert_int_equal(census.types_in_the_making, 0);
    assert_int_equal(census.subscribers, 0);
    assert_int_equal(census.lanes, 0);
    assert_int_equal(census.pages, 0);
    assert_int_equal(census.clients, clients);
}
