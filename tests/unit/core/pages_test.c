/* SPDX-License-Identifier: Apache-2.0 */
#include "core/pages.h"

#include "core/owner.h"
#include "tests/support/region_rig.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define THREADS 4u
#define ROUNDS 4000u

static struct region_rig rig;
static struct peal_region region;
static struct peal_region clients[THREADS];

static uint32_t open_pages(uint32_t pages)
{
    rig_open(&rig, pages, 4, 1);
    rig_join(&rig, 1, &region);
    return region.page_count - region.first_data_page;
}

static void a_run_is_taken_first_fit_and_given_back_by_its_word(void **state)
{
    (void)state;
    uint32_t all = open_pages(64);
    uint64_t one = peal_pages_word(&region, 0, 1);
    uint64_t two = peal_pages_word(&region, 3, 31);
    uint32_t first;
    assert_int_equal(peal_pages_free_count(&region), all);
    assert_int_equal(peal_pages_take(&region, 5, one, &first), PEAL_OK);
    assert_int_equal(first, region.first_data_page);
    assert_int_equal(peal_pages_take(&region, 3, two, &first), PEAL_OK);
    assert_int_equal(first, region.first_data_page + 5);
    assert_int_equal(peal_pages_free_count(&region), all - 8);
    assert_int_equal(peal_pages_give(&region, region.first_data_page, 8, one), 5);
    assert_int_equal(peal_pages_give(&region, region.first_data_page, 8, one), 0);
    assert_int_equal(peal_pages_free_count(&region), all - 3);
    assert_int_equal(peal_pages_take(&region, 6, one, &first), PEAL_OK);
    assert_int_equal(first, region.first_data_page + 8);
    rig_close(&rig);
}

static void the_words_of_two_lanes_differ_and_name_their_owner(void **state)
{
    (void)state;
    (void)open_pages(64);
    struct peal_owner owner = peal_owner_unpack(peal_pages_word(&region, 3, 31));
    assert_int_equal(owner.state, PEAL_PAGE_LANE);
    assert_int_equal(owner.client, 1);
    assert_int_equal(owner.version, 3 << 5 | 31);
    assert_int_equal(owner.incarnation, (uint32_t)region.incarnation);
    assert_true(peal_pages_word(&region, 3, 30) != peal_pages_word(&region, 2, 30));
    rig_close(&rig);
}

static void a_full_and_a_fragmented_map_are_told_with_figures(void **state)
{
    (void)state;
    uint32_t all = open_pages(64);
    uint64_t word = peal_pages_word(&region, 0, 0);
    uint32_t first;
    assert_int_equal(peal_pages_take(&region, all + 1, word, &first), PEAL_ENOSPC);
    assert_int_equal(peal_pages_take(&region, 0, word, &first), PEAL_ENOSPC);
    assert_int_equal(peal_pages_take(&region, UINT32_MAX, word, &first), PEAL_ENOSPC);
    assert_int_equal(peal_pages_take(&region, all, word, &first), PEAL_OK);
    assert_int_equal(peal_pages_take(&region, 1, word, &first), PEAL_ENOSPC);
    for (uint32_t page = region.first_data_page; page < region.page_count; page += 2)
        assert_int_equal(peal_pages_give(&region, page, 1, word), 1);
    assert_int_equal(peal_pages_take(&region, 2, word, &first), PEAL_ENOSPC);
    assert_non_null(strstr(peal_error_message(), "no 2 consecutive pages"));
    assert_int_equal(peal_pages_take(&region, 1, word, &first), PEAL_OK);
    rig_close(&rig);
}

static void a_range_outside_the_data_pages_gives_nothing(void **state)
{
    (void)state;
    (void)open_pages(64);
    uint64_t word = peal_pages_word(&region, 0, 0);
    uint32_t first;
    assert_int_equal(peal_pages_take(&region, 1, word, &first), PEAL_OK);
    peal_u64_store_relaxed(&region.page_map[0], word);
    assert_int_equal(peal_pages_give(&region, 0, region.page_count, word), 0);
    assert_int_equal(peal_pages_give(&region, first, region.page_count, word), 0);
    assert_int_equal(peal_pages_give(&region, first, UINT32_MAX, word), 0);
    assert_int_equal(peal_pages_give(&region, UINT32_MAX, 2, word), 0);
    assert_int_equal(peal_pages_give(&region, region.page_count, 0, word), 0);
    assert_int_equal(peal_pages_give(&region, first, 1, PEAL_PAGE_FREE), 0);
    assert_int_equal(peal_pages_give(&region, first, 1, word), 1);
    rig_close(&rig);
}

struct taker {
    struct peal_region *region;
    uint64_t word;
    uint64_t random;
    uint32_t taken;
    uint32_t doubles;
};

/* Takes runs, writes its mark into each page, and finds the marks unchanged before it gives them back. */
static void *take_and_give(void *context)
{
    struct taker *taker = context;
    for (uint32_t round = 0; round < ROUNDS; round++) {
        uint32_t count = 1 + (uint32_t)(rig_random(&taker->random) % 20);
        uint32_t first;
        if (peal_pages_take(taker->region, count, taker->word, &first) != PEAL_OK)
            continue;
        taker->taken++;
        for (uint32_t i = 0; i < count; i++) {
            peal_u64 *mark =
                (peal_u64 *)(void *)(taker->region->base + (size_t)(first + i) * PEAL_PAGE_BYTES);
            peal_u64_store_relaxed(mark, taker->word);
        }
        for (uint32_t i = 0; i < count; i++) {
            peal_u64 *mark =
                (peal_u64 *)(void *)(taker->region->base + (size_t)(first + i) * PEAL_PAGE_BYTES);
            taker->doubles += peal_u64_load_relaxed(mark) != taker->word;
        }
        taker->doubles += peal_pages_give(taker->region, first, count, taker->word) != count;
    }
    return NULL;
}

static void no_page_is_ever_in_two_hands(void **state)
{
    (void)state;
    struct taker takers[THREADS];
    pthread_t threads[THREADS];
    uint32_t all = open_pages(48);
    for (uint32_t i = 0; i < THREADS; i++) {
        rig_join(&rig, 10 + i, &clients[i]);
        takers[i] = (struct taker){
            .region = &clients[i], .word = peal_pages_word(&clients[i], 0, i), .random = i};
        assert_int_equal(pthread_create(&threads[i], NULL, take_and_give, &takers[i]), 0);
    }
    for (uint32_t i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_int_equal(takers[i].doubles, 0);
        assert_true(takers[i].taken > 0);
    }
    assert_int_equal(peal_pages_free_count(&region), all);
    rig_close(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_run_is_taken_first_fit_and_given_back_by_its_word),
        cmocka_unit_test(the_words_of_two_lanes_differ_and_name_their_owner),
        cmocka_unit_test(a_full_and_a_fragmented_map_are_told_with_figures),
        cmocka_unit_test(a_range_outside_the_data_pages_gives_nothing),
        cmocka_unit_test(no_page_is_ever_in_two_hands),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
