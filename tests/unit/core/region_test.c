/* SPDX-License-Identifier: Apache-2.0 */
#include "core/region.h"

#include "core/client.h"
#include "core/format.h"
#include "core/owner.h"
#include "tests/support/region_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static struct region_rig rig;
static struct peal_region first;
static struct peal_region second;

static uint64_t header_word(uint32_t state, uint32_t client, uint32_t incarnation)
{
    return peal_owner_pack((struct peal_owner){
        .state = state, .client = client, .version = PEAL_REGION_TAG, .incarnation = incarnation});
}

static peal_u64 *state_word(void)
{
    return &((struct peal_region_header *)(void *)rig.base)->layout.state;
}

static void random_memory_is_laid_out_by_the_first_and_kept_by_the_second(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 200; seed++) {
        rig_open(&rig, 32 + (uint32_t)seed, 0, seed);
        assert_int_equal(rig_attach(&rig, 5, &first), PEAL_OK);
        assert_int_equal(first.generation, rig.wish.generation);
        assert_int_equal(first.page_count, 32 + seed);
        rig_assert_empty(&first, 0);
        assert_int_equal(peal_u64_load_relaxed(&first.header->sleepers.armed), 0);
        rig.wish.generation++;
        rig.wish.topics_max = 1;
        assert_int_equal(rig_attach(&rig, 6, &second), PEAL_OK);
        assert_int_equal(second.generation, first.generation);
        assert_int_equal(second.topics_max, first.topics_max);
        assert_int_equal(second.first_data_page, first.first_data_page);
        rig_close(&rig);
    }
}

static void the_parts_do_not_overlap_and_end_inside_the_region(void **state)
{
    (void)state;
    for (uint32_t topics = 1; topics < 2000; topics += 7) {
        for (uint64_t more = 0; more < 3; more++) {
            struct peal_format_fields fields = {.magic = PEAL_REGION_MAGIC,
                                                .format_version = PEAL_FORMAT_VERSION,
                                                .topics_max = topics,
                                                .size_bytes = peal_region_min_bytes(topics) +
                                                              more * 511 * PEAL_PAGE_BYTES};
            struct peal_format_places places;
            assert_true(peal_format_is_sound(&fields));
            peal_format_places(topics, fields.size_bytes, &places);
            assert_int_equal(places.clients, 4096);
            assert_int_equal(places.directory, 20480);
            assert_true(places.page_map >= places.directory + (uint64_t)topics * 2048);
            assert_true((uint64_t)places.first_data_page * 4096 >=
                        places.page_map + (uint64_t)places.page_count * 8);
            assert_true(places.first_data_page < places.page_count);
        }
    }
}

static void the_smallest_region_works_and_one_page_less_is_refused(void **state)
{
    (void)state;
    for (uint32_t topics = 1; topics < 600; topics += 13) {
        uint32_t pages = (uint32_t)(peal_region_min_bytes(topics) / PEAL_PAGE_BYTES);
        rig_open(&rig, pages, topics, topics);
        assert_int_equal(rig_attach(&rig, 0, &first), PEAL_OK);
        assert_int_equal(first.page_count - first.first_data_page, 1);
        rig_scramble(&rig);
        rig.size_bytes -= PEAL_PAGE_BYTES;
        assert_int_equal(rig_attach(&rig, 0, &first), PEAL_EINVAL);
        rig_close(&rig);
    }
}

static void the_number_of_topics_by_default_fits_the_region(void **state)
{
    (void)state;
    assert_int_equal(peal_format_default_topics(UINT64_C(1) << 30), 256);
    assert_int_equal(peal_format_default_topics(1 << 20), 128);
    assert_int_equal(peal_format_default_topics(peal_region_min_bytes(1)), 2);
    assert_int_equal(peal_format_default_topics(0), 1);
}

static void bad_arguments_are_refused_with_a_message(void **state)
{
    (void)state;
    struct peal_authority authority = rig_authority(&rig);
    rig_open(&rig, 64, 0, 1);
    assert_int_equal(
        peal_region_attach(&first, rig.base + 8, rig.size_bytes, 0, 1, NULL, &authority),
        PEAL_EINVAL);
    assert_int_equal(peal_region_attach(&first, NULL, rig.size_bytes, 0, 1, NULL, &authority),
                     PEAL_EINVAL);
    assert_int_equal(peal_region_attach(&first, rig.base, 6 * 4096, 0, 1, NULL, &authority),
                     PEAL_EINVAL);
    assert_int_equal(peal_region_attach(&first, rig.base, rig.size_bytes, 64, 1, NULL, &authority),
                     PEAL_EINVAL);
    assert_int_equal(peal_region_attach(&first, rig.base, rig.size_bytes, 0, UINT64_C(1) << 32,
                                        NULL, &authority),
                     PEAL_EINVAL);
    rig.wish.topics_max = 1000;
    assert_int_equal(rig_attach(&rig, 0, &first), PEAL_EINVAL);
    assert_non_null(strstr(peal_error_message(), "too small for 1000 topics"));
    rig.wish.topics_max = PEAL_TOPICS_MAX + 1;
    assert_int_equal(rig_attach(&rig, 0, &first), PEAL_EINVAL);
    rig_close(&rig);
}

static void a_header_with_any_bit_flipped_is_not_taken_for_a_region(void **state)
{
    (void)state;
    for (uint32_t bit = 0; bit < 40 * 8; bit++) {
        rig_open(&rig, 112, 4, bit); /* 112: a smaller size is sound too */
        assert_int_equal(rig_attach(&rig, 1, &first), PEAL_OK);
        rig_kill(&rig, 1);
        rig.base[8 + bit / 8] ^= (unsigned char)(1u << bit % 8);
        rig.wish.generation++;
        assert_int_equal(rig_attach(&rig, 2, &second), PEAL_OK);
        assert_int_equal(second.generation, rig.wish.generation);
        assert_int_equal(second.topics_max, 4);
        rig_close(&rig);
    }
}

static void a_state_word_with_any_bit_of_tag_or_state_flipped_is_raw(void **state)
{
    (void)state;
    for (uint32_t bit = 0; bit < 32; bit++) {
        if (bit >= 4 && bit < 10)
            continue; /* who laid it out does not matter */
        rig_open(&rig, 64, 4, bit);
        assert_int_equal(rig_attach(&rig, 1, &first), PEAL_OK);
        uint64_t word = peal_u64_load_relaxed(state_word());
        peal_u64_store_relaxed(state_word(), word ^ UINT64_C(1) << bit);
        rig.wish.generation++;
        assert_int_equal(rig_attach(&rig, 2, &second), PEAL_OK);
        assert_int_equal(second.generation, rig.wish.generation);
        rig_close(&rig);
    }
}

static void who_is_laying_out_is_waited_for_while_it_lives(void **state)
{
    (void)state;
    rig_open(&rig, 64, 4, 1);
    peal_u64_store_relaxed(state_word(), header_word(PEAL_REGION_LAYING_OUT, 3, 77));
    peal_u64_store_relaxed(&rig.members, 1u << 3);
    assert_int_equal(rig_attach(&rig, 1, &first), PEAL_AGAIN);
    assert_non_null(strstr(peal_error_message(), "client 3"));
    assert_int_equal(peal_u64_load_relaxed(state_word()),
                     header_word(PEAL_REGION_LAYING_OUT, 3, 77));
    rig_kill(&rig, 3);
    assert_int_equal(rig_attach(&rig, 1, &first), PEAL_OK);
    rig_assert_empty(&first, 0);
    rig_close(&rig);
}

static void a_predecessor_at_our_index_that_died_laying_out_is_taken_over(void **state)
{
    (void)state;
    rig_open(&rig, 64, 4, 1);
    peal_u64_store_relaxed(state_word(), header_word(PEAL_REGION_LAYING_OUT, 1, 77));
    assert_int_equal(rig_attach(&rig, 1, &first), PEAL_OK);
    rig_assert_empty(&first, 0);
    rig_close(&rig);
}

static void spoil_version(void)
{
    peal_u32_store_relaxed(&first.header->layout.format_version, PEAL_FORMAT_VERSION + 1);
}

static void another_format_version_is_refused_while_others_use_it(void **state)
{
    (void)state;
    rig_open(&rig, 64, 4, 1);
    assert_int_equal(rig_attach(&rig, 1, &first), PEAL_OK);
    spoil_version();
    uint64_t word = peal_u64_load_relaxed(state_word());
    assert_int_equal(rig_attach(&rig, 2, &second), PEAL_EFORMAT);
    assert_non_null(strstr(peal_error_message(), "format version 3"));
    assert_int_equal(peal_u64_load_relaxed(state_word()), word);
    rig_kill(&rig, 1);
    assert_int_equal(rig_attach(&rig, 2, &second), PEAL_OK);
    rig_close(&rig);
}

static void a_header_larger_than_the_mapping_is_refused_while_others_use_it(void **state)
{
    (void)state;
    rig_open(&rig, 64, 4, 1);
    assert_int_equal(rig_attach(&rig, 1, &first), PEAL_OK);
    rig.size_bytes = 40 * PEAL_PAGE_BYTES;
    assert_int_equal(rig_attach(&rig, 2, &second), PEAL_EFORMAT);
    assert_non_null(strstr(peal_error_message(), "full size"));
    rig_kill(&rig, 1);
    assert_int_equal(rig_attach(&rig, 2, &second), PEAL_OK);
    assert_int_equal(second.page_count, 40);
    rig_close(&rig);
}

static void a_header_smaller_than_the_mapping_is_believed(void **state)
{
    (void)state;
    rig_open(&rig, 64, 4, 1);
    rig.size_bytes = 40 * PEAL_PAGE_BYTES;
    assert_int_equal(rig_attach(&rig, 1, &first), PEAL_OK);
    rig.size_bytes = 64 * PEAL_PAGE_BYTES;
    assert_int_equal(rig_attach(&rig, 2, &second), PEAL_OK);
    assert_int_equal(second.page_count, 40);
    assert_int_equal(second.size_bytes, 40 * PEAL_PAGE_BYTES);
    rig_close(&rig);
}

/* An authority that learns of another member between its first answer and its second. */
static uint64_t members_grow(void *context)
{
    unsigned *calls = context;
    return ++*calls < 2 ? 1u << 2 : 1u << 2 | 1u << 1;
}

static void a_foreign_region_is_put_back_when_somebody_else_comes_meanwhile(void **state)
{
    (void)state;
    unsigned calls = 0;
    struct peal_authority authority = {.members = members_grow, .context = &calls};
    rig_open(&rig, 64, 4, 1);
    assert_int_equal(rig_attach(&rig, 1, &first), PEAL_OK);
    spoil_version();
    uint64_t word = peal_u64_load_relaxed(state_word());
    uint64_t generation = peal_u64_load_relaxed(&first.header->layout.generation);
    assert_int_equal(
        peal_region_attach(&second, rig.base, rig.size_bytes, 2, 9, &rig.wish, &authority),
        PEAL_EFORMAT);
    assert_int_equal(calls, 2);
    assert_int_equal(peal_u64_load_relaxed(state_word()), word);
    assert_int_equal(peal_u64_load_relaxed(&first.header->layout.generation), generation);
    rig_close(&rig);
}

static void the_dead_are_told_from_the_living(void **state)
{
    (void)state;
    rig_open(&rig, 64, 4, 1);
    rig_join(&rig, 1, &first);
    rig_join(&rig, 2, &second);
    uint64_t word = peal_region_own_word(&second, 1);
    assert_false(peal_region_is_dead(&first, word));
    assert_false(peal_region_is_dead(&first, peal_region_own_word(&first, 1)));
    rig_kill(&rig, 2);
    assert_true(peal_region_is_dead(&first, word));
    /* A successor that has not registered may be the one that wrote the word, as far as anybody knows. */
    peal_client_unregister(&second);
    assert_int_equal(rig_attach(&rig, 2, &second), PEAL_OK);
    assert_false(peal_region_is_dead(&first, word));
    rig_join(&rig, 2, &second);
    assert_true(peal_region_is_dead(&first, word));
    assert_false(peal_region_is_dead(&first, peal_region_own_word(&second, 1)));
    rig_join(&rig, 2, &second);
    rig_close(&rig);
}

static void our_index_with_a_foreign_incarnation_is_a_dead_predecessor(void **state)
{
    (void)state;
    rig_open(&rig, 64, 4, 1);
    rig_join(&rig, 1, &first);
    uint64_t word = peal_region_own_word(&first, 1);
    assert_int_equal(rig_attach(&rig, 1, &second), PEAL_OK);
    assert_true(peal_region_is_dead(&second, word));
    rig_close(&rig);
}

static void an_owner_without_incarnation_is_nobody(void **state)
{
    (void)state;
    rig_open(&rig, 64, 4, 1);
    rig_join(&rig, 1, &first);
    rig_join(&rig, 2, &second);
    assert_true(
        peal_region_is_dead(&first, peal_owner_pack((struct peal_owner){.state = 1, .client = 2})));
    rig_close(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_memory_is_laid_out_by_the_first_and_kept_by_the_second),
        cmocka_unit_test(the_parts_do_not_overlap_and_end_inside_the_region),
        cmocka_unit_test(the_smallest_region_works_and_one_page_less_is_refused),
        cmocka_unit_test(the_number_of_topics_by_default_fits_the_region),
        cmocka_unit_test(bad_arguments_are_refused_with_a_message),
        cmocka_unit_test(a_header_with_any_bit_flipped_is_not_taken_for_a_region),
        cmocka_unit_test(a_state_word_with_any_bit_of_tag_or_state_flipped_is_raw),
        cmocka_unit_test(who_is_laying_out_is_waited_for_while_it_lives),
        cmocka_unit_test(a_predecessor_at_our_index_that_died_laying_out_is_taken_over),
        cmocka_unit_test(another_format_version_is_refused_while_others_use_it),
        cmocka_unit_test(a_header_larger_than_the_mapping_is_refused_while_others_use_it),
        cmocka_unit_test(a_header_smaller_than_the_mapping_is_believed),
        cmocka_unit_test(a_foreign_region_is_put_back_when_somebody_else_comes_meanwhile),
        cmocka_unit_test(the_dead_are_told_from_the_living),
        cmocka_unit_test(our_index_with_a_foreign_incarnation_is_a_dead_predecessor),
        cmocka_unit_test(an_owner_without_incarnation_is_nobody),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
