/* SPDX-License-Identifier: Apache-2.0 */
#include "core/recover.h"

#include "core/client.h"
#include "core/directory.h"
#include "core/lane_life.h"
#include "core/owner.h"
#include "core/pages.h"
#include "tests/support/region_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define LANE_BYTES (2u * PEAL_PAGE_BYTES)

static struct region_rig rig;
static struct peal_region own;
static struct peal_region other;

static void open_two(void)
{
    rig_open(&rig, 96, 4, 1);
    rig_join(&rig, 1, &own);
    rig_join(&rig, 2, &other);
}

static void set(peal_u64 *shared, struct peal_region *region, uint32_t state)
{
    peal_u64_store_relaxed(shared, peal_region_own_word(region, state));
}

/* Something of `region` in every state that a death can leave behind. */
static void scatter(struct peal_region *region)
{
    set(&own.topics[0].owner, region, PEAL_TOPIC_CLAIMED);
    set(&own.topics[1].owner, region, PEAL_TOPIC_OFFERED);
    set(&own.topics[2].owner, region, PEAL_TOPIC_READY);
    set(&own.topics[3].owner, region, PEAL_TOPIC_CLOSING);
    set(&own.topics[2].type_owner, region, PEAL_TOPIC_CLAIMED);
    set(&own.topics[2].subscribers[0], region, PEAL_SUBSCRIBER_CLAIMED);
    set(&own.topics[2].subscribers[31], region, PEAL_SUBSCRIBER_ACTIVE);
    set(&own.topics[0].lanes[0].owner, region, PEAL_LANE_CLAIMED);
    set(&own.topics[0].lanes[1].owner, region, PEAL_LANE_OPENING);
    set(&own.topics[0].lanes[2].owner, region, PEAL_LANE_ACTIVE);
    set(&own.topics[0].lanes[31].owner, region, PEAL_LANE_RECLAIMING);
    uint32_t page = own.first_data_page;
    peal_u64_store_relaxed(&own.page_map[page], peal_pages_word(region, 0, 0));
    peal_u64_store_relaxed(&own.page_map[page + 1], peal_pages_word(region, 0, 2));
    peal_u64_store_relaxed(&own.page_map[own.page_count - 1], peal_pages_word(region, 3, 31));
}

static void all_that_the_dead_left_is_cleared_and_counted(void **state)
{
    (void)state;
    open_two();
    scatter(&other);
    rig_kill(&rig, 2);
    assert_int_equal(peal_recover(&own), 1);
    rig_assert_empty(&own, 1);
    assert_int_equal(peal_recover(&own), 0);
    rig_close(&rig);
}

static void nothing_is_taken_from_the_living(void **state)
{
    (void)state;
    open_two();
    scatter(&other);
    /* A topic that is READY and unused is the directory's, not its maker's: give it a user. */
    set(&own.topics[2].subscribers[5], &other, PEAL_SUBSCRIBER_ACTIVE);
    set(&own.topics[3].subscribers[5], &other, PEAL_SUBSCRIBER_ACTIVE);
    struct rig_census before = rig_count(&own);
    assert_int_equal(peal_recover(&own), 0);
    struct rig_census after = rig_count(&own);
    assert_memory_equal(&before, &after, sizeof(before));
    assert_int_equal(after.lanes, 4);
    assert_int_equal(after.pages, 3);
    rig_close(&rig);
}

static void words_with_impossible_values_are_nobodys(void **state)
{
    (void)state;
    open_two();
    for (uint32_t i = 0; i < 2; i++) {
        uint64_t word = peal_region_own_word(&other, 9 + i);
        peal_u64_store_relaxed(&own.topics[0].owner, word);
        peal_u64_store_relaxed(&own.topics[1].type_owner, word);
        peal_u64_store_relaxed(&own.topics[1].subscribers[3], word);
        peal_u64_store_relaxed(&own.topics[1].lanes[3].owner, word);
        peal_u64_store_relaxed(&own.page_map[own.first_data_page], word);
        peal_u64_store_relaxed(&own.page_map[own.first_data_page + 1],
                               peal_pages_word(&other, 4, 0));
        peal_u64_store_relaxed(&own.clients[7].owner, word);
        peal_u64_store_relaxed(&own.clients[8].owner,
                               peal_region_own_word(&other, PEAL_CLIENT_ACTIVE));
        assert_int_equal(peal_recover(&own), 0);
        rig_assert_empty(&own, 2);
    }
    rig_close(&rig);
}

static void metadata_pages_are_left_alone(void **state)
{
    (void)state;
    open_two();
    uint64_t word = peal_pages_word(&other, 0, 0);
    peal_u64_store_relaxed(&own.page_map[0], word);
    rig_kill(&rig, 2);
    (void)peal_recover(&own);
    assert_int_equal(peal_u64_load_relaxed(&own.page_map[0]), word);
    rig_close(&rig);
}

static void a_dead_publishers_lane_is_kept_while_it_is_read(void **state)
{
    (void)state;
    struct peal_lane_place place;
    struct peal_lane_shared *memory;
    struct peal_lane_found found;
    uint32_t topic;
    uint32_t entry;
    uint64_t word;
    open_two();
    assert_int_equal(peal_topic_subscribe(&own, "t", NULL, 0, &topic, &entry, &word), PEAL_OK);
    assert_int_equal(
        peal_topic_claim_lane(&other, "t", NULL, &place.topic, &place.lane, &place.word), PEAL_OK);
    assert_int_equal(peal_lane_allocate(&other, &place, LANE_BYTES, 1, &memory), PEAL_OK);
    assert_int_equal(peal_lane_open(&other, &place), PEAL_OK);
    rig_kill(&rig, 2);
    for (uint32_t pass = 0; pass < 3; pass++) {
        assert_int_equal(peal_recover(&own), pass == 0);
        assert_int_equal(rig_count(&own).pages, 2);
        assert_int_equal(rig_count(&own).lanes, 1);
    }
    assert_int_equal(peal_lane_join(&own, topic, place.lane, entry, word, &found), PEAL_OK);
    assert_true(found.invited && found.orphan);
    peal_lane_leave(&own, topic, place.lane, entry, word, found.memory);
    assert_int_equal(rig_count(&own).pages, 0);
    rig_close(&rig);
}

static void the_authority_is_asked_little_while_all_live(void **state)
{
    (void)state;
    open_two();
    scatter(&other);
    set(&own.topics[2].subscribers[5], &other, PEAL_SUBSCRIBER_ACTIVE);
    set(&own.topics[3].owner, &other, PEAL_TOPIC_READY);
    set(&own.topics[3].subscribers[5], &other, PEAL_SUBSCRIBER_ACTIVE);
    peal_u64_store_relaxed(&own.topics[0].lanes[31].owner, 0);
    peal_u64_store_relaxed(&rig.asked, 0);
    (void)peal_recover(&own);
    assert_int_equal(peal_u64_load_relaxed(&rig.asked), 1);
    rig_close(&rig);
}

static void the_armed_bit_of_a_successor_is_not_wiped_out(void **state)
{
    (void)state;
    open_two();
    (void)peal_u64_or_seq_cst(&own.header->sleepers.armed, 1u << 2);
    rig_kill(&rig, 2);
    (void)peal_recover(&own);
    assert_int_equal(peal_u64_load_relaxed(&own.header->sleepers.armed), 1u << 2);
    rig_close(&rig);
}

/* Calls everything there is, with what it gets and with what it makes up. */
static void use_everything(struct peal_region *region, uint64_t *random)
{
    static const struct peal_topic_type type = {.name = "wheel", .schema_hash = 7};
    struct peal_lane_place place = {0};
    struct peal_lane_found found = {0};
    struct peal_lane_shared *memory;
    struct peal_client_view view;
    char name[PEAL_TOPIC_NAME_BYTES];
    char type_name[PEAL_TOPIC_NAME_BYTES];
    uint32_t topic = (uint32_t)(rig_random(random) % 5);
    uint32_t entry = (uint32_t)(rig_random(random) % 33);
    uint64_t word = rig_random(random);
    (void)peal_client_register(region, "hostile", 1);
    (void)peal_topic_subscribe(region, "t", &type, 1, &topic, &entry, &word);
    if (peal_topic_claim_lane(region, "t", NULL, &place.topic, &place.lane, &place.word) ==
            PEAL_OK &&
        peal_lane_allocate(region, &place, LANE_BYTES, 1, &memory) == PEAL_OK)
        (void)peal_lane_open(region, &place);
    for (uint32_t lane = 0; lane < 33; lane++) {
        if (peal_lane_join(region, topic, lane, entry, word, &found) != PEAL_OK)
            continue;
        unsigned char *begin = (unsigned char *)found.memory;
        assert_true(begin >= region->base + (size_t)region->first_data_page * PEAL_PAGE_BYTES);
        assert_true(found.size_bytes >= sizeof(struct peal_lane_shared));
        assert_true(begin + found.size_bytes <= region->base + region->size_bytes);
        (void)peal_lane_is_live(region, topic, lane, found.word);
        peal_lane_leave(region, topic, lane, entry, word, found.memory);
    }
    for (uint32_t i = 0; i < 5; i++)
        (void)peal_topic_names(region, i, name, type_name);
    for (uint32_t i = 0; i < 65; i++)
        peal_client_view(region, i, &view);
    (void)peal_recover(region);
    peal_lane_abandon(region, &place);
    peal_lane_close(region, &place);
    peal_topic_unsubscribe(region, topic, entry, word);
}

/* A word that is likely to be taken for something. */
static uint64_t hostile_word(uint64_t *random)
{
    uint64_t word = rig_random(random);
    switch (rig_random(random) % 5) {
    case 0:
        return word;
    case 1:
        return word & 0xff;
    case 2:
        return UINT64_MAX;
    case 3:
        return peal_region_own_word(word & 1 ? &own : &other, (uint32_t)(word >> 8 & 15)) |
               (word & 0xfffc00);
    default:
        return word & UINT64_C(0x0000000700000007);
    }
}

static void whatever_a_peer_writes_we_stay_in_bounds_and_return(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 400; seed++) {
        uint64_t random = seed;
        rig_open(&rig, 96, 4, seed);
        rig_join(&rig, 1, &own);
        rig_join(&rig, 2, &other);
        use_everything(&other, &random);
        size_t words = (size_t)own.first_data_page * PEAL_PAGE_BYTES / 8;
        for (uint32_t round = 0; round < 4; round++) {
            uint32_t dirty = 1u << rig_random(&random) % 13;
            for (uint32_t i = 0; i < dirty; i++) {
                size_t at = (size_t)(rig_random(&random) % words);
                peal_u64_store_relaxed((peal_u64 *)(void *)(rig.base + at * 8),
                                       hostile_word(&random));
            }
            use_everything(&own, &random);
            use_everything(&other, &random);
        }
        struct peal_region fresh;
        (void)rig_attach(&rig, 3, &fresh);
        rig_close(&rig);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_that_the_dead_left_is_cleared_and_counted),
        cmocka_unit_test(nothing_is_taken_from_the_living),
        cmocka_unit_test(words_with_impossible_values_are_nobodys),
        cmocka_unit_test(metadata_pages_are_left_alone),
        cmocka_unit_test(a_dead_publishers_lane_is_kept_while_it_is_read),
        cmocka_unit_test(the_authority_is_asked_little_while_all_live),
        cmocka_unit_test(the_armed_bit_of_a_successor_is_not_wiped_out),
        cmocka_unit_test(whatever_a_peer_writes_we_stay_in_bounds_and_return),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
