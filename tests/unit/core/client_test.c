/* SPDX-License-Identifier: Apache-2.0 */
#include "core/client.h"

#include "core/directory.h"
#include "core/owner.h"
#include "tests/support/region_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static struct region_rig rig;
static struct peal_region own;
static struct peal_region other;
static struct peal_client_view view;

static void a_registered_client_is_seen_by_others(void **state)
{
    (void)state;
    rig_open(&rig, 64, 4, 1);
    assert_int_equal(rig_attach(&rig, 9, &own), PEAL_OK);
    peal_client_view(&own, 9, &view);
    assert_false(view.active);
    assert_int_equal(peal_client_register(&own, "cluster", 42), PEAL_OK);
    rig_join(&rig, 3, &other);
    peal_client_view(&other, 9, &view);
    assert_true(view.active);
    assert_string_equal(view.name, "cluster");
    assert_int_equal(view.incarnation, own.incarnation);
    assert_int_equal(peal_u64_load_relaxed(&own.clients[9].started_ns), 42);
    peal_client_unregister(&own);
    peal_client_view(&other, 9, &view);
    assert_false(view.active);
    rig_close(&rig);
}

static void a_long_name_is_cut_and_a_hostile_one_is_made_harmless(void **state)
{
    (void)state;
    rig_open(&rig, 64, 4, 1);
    assert_int_equal(rig_attach(&rig, 0, &own), PEAL_OK);
    assert_int_equal(peal_client_register(&own, "0123456789abcdef0123456789abcdefXYZ", 1), PEAL_OK);
    peal_client_view(&own, 0, &view);
    assert_string_equal(view.name, "0123456789abcdef0123456789abcde");
    peal_u64_store_relaxed(&own.clients[0].name[0], UINT64_C(0x41411b0741414141));
    for (uint32_t i = 1; i < 4; i++)
        peal_u64_store_relaxed(&own.clients[0].name[i], UINT64_C(0x4242424242424242));
    peal_client_view(&own, 0, &view);
    assert_string_equal(view.name, "AAAA??AABBBBBBBBBBBBBBBBBBBBBBBB");
    peal_client_view(&own, 64, &view);
    assert_false(view.active);
    rig_close(&rig);
}

static void an_heir_takes_over_the_entry_and_clears_what_the_dead_one_left(void **state)
{
    (void)state;
    uint32_t topic;
    uint32_t entry;
    uint64_t word;
    rig_open(&rig, 64, 4, 1);
    rig_join(&rig, 5, &own);
    rig_join(&rig, 6, &other);
    assert_int_equal(peal_topic_subscribe(&own, "t", NULL, 0, &topic, &entry, &word), PEAL_OK);
    (void)peal_u64_or_seq_cst(&own.header->sleepers.armed, 1u << 5 | 1u << 6);
    peal_u64_store_relaxed(&own.clients[5].counters.corruptions, 7);
    rig_join(&rig, 5, &own);
    rig_assert_empty(&own, 2);
    assert_int_equal(peal_u64_load_relaxed(&own.header->sleepers.armed), 1u << 6);
    assert_int_equal(peal_u64_load_relaxed(&own.clients[5].counters.corruptions), 0);
    peal_client_view(&other, 5, &view);
    assert_true(view.active);
    assert_int_equal(view.incarnation, own.incarnation);
    rig_close(&rig);
}

static void an_entry_with_an_impossible_state_is_taken_by_its_holder(void **state)
{
    (void)state;
    rig_open(&rig, 64, 4, 1);
    assert_int_equal(rig_attach(&rig, 5, &own), PEAL_OK);
    peal_u64_store_relaxed(&own.clients[5].owner, UINT64_MAX);
    assert_int_equal(peal_client_register(&own, "x", 1), PEAL_OK);
    peal_client_view(&own, 5, &view);
    assert_true(view.active);
    rig_close(&rig);
}

static void one_does_not_unregister_ones_successor(void **state)
{
    (void)state;
    rig_open(&rig, 64, 4, 1);
    rig_join(&rig, 5, &own);
    rig_join(&rig, 5, &other);
    peal_client_unregister(&own);
    peal_client_view(&other, 5, &view);
    assert_true(view.active);
    rig_close(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_registered_client_is_seen_by_others),
        cmocka_unit_test(a_long_name_is_cut_and_a_hostile_one_is_made_harmless),
        cmocka_unit_test(an_heir_takes_over_the_entry_and_clears_what_the_dead_one_left),
        cmocka_unit_test(an_entry_with_an_impossible_state_is_taken_by_its_holder),
        cmocka_unit_test(one_does_not_unregister_ones_successor),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
