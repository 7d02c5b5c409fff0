/* SPDX-License-Identifier: Apache-2.0 */
#include "core/copy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#define SIZE_MAX_BYTES 1200u
#define GUARD 0x5aa5c33c0ff0f00full

/* Word-aligned shared memory with a guard word behind it. */
struct area {
    peal_u64 words[SIZE_MAX_BYTES / 8 + 2];
};

static void area_guard(struct area *area)
{
    for (size_t i = 0; i < sizeof(area->words) / sizeof(area->words[0]); i++)
        peal_u64_store_relaxed(&area->words[i], GUARD);
}

static void fill(unsigned char *bytes, size_t size_bytes)
{
    for (size_t i = 0; i < size_bytes; i++)
        bytes[i] = (unsigned char)(i * 7 + size_bytes);
}

static void every_size_comes_back_as_it_went_in(void **state)
{
    (void)state;
    for (size_t size = 0; size <= SIZE_MAX_BYTES; size++) {
        struct area area;
        area_guard(&area);
        /* Exact allocations, so that a sanitizer sees a byte too many. */
        unsigned char *from = malloc(size ? size : 1);
        unsigned char *to = malloc(size ? size : 1);
        assert_true(from && to);
        fill(from, size);
        peal_copy_in(area.words, from, size);
        peal_copy_out(to, area.words, size);
        assert_memory_equal(from, to, size);
        /* Nothing beyond the last begun word is touched. */
        assert_true(peal_u64_load_relaxed(&area.words[(size + 7) / 8]) == GUARD);
        free(from);
        free(to);
    }
}

static void the_rest_of_the_last_word_becomes_zero(void **state)
{
    (void)state;
    for (size_t size = 1; size <= 64; size++) {
        struct area area;
        unsigned char from[64], to[72];
        area_guard(&area);
        fill(from, size);
        peal_copy_in_words(area.words, from, size);
        peal_copy_out_words(to, area.words, (size + 7) / 8 * 8);
        for (size_t i = size; i < (size + 7) / 8 * 8; i++)
            assert_int_equal(to[i], 0);
    }
}

static void private_memory_needs_no_alignment(void **state)
{
    (void)state;
    static const size_t sizes[] = {1, 7, 8, 9, 48, 63, 512, 513, 1024};
    for (size_t offset = 0; offset < 8; offset++) {
        for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
            struct area area;
            unsigned char from[SIZE_MAX_BYTES], to[SIZE_MAX_BYTES];
            fill(from, sizeof(from));
            memset(to, 0xee, sizeof(to));
            peal_copy_in(area.words, from + offset, sizes[i]);
            peal_copy_out(to + offset, area.words, sizes[i]);
            assert_memory_equal(from + offset, to + offset, sizes[i]);
            assert_int_equal(to[offset + sizes[i]], 0xee);
        }
    }
}

static void both_ways_of_copying_agree(void **state)
{
    (void)state;
    for (size_t size = 0; size <= SIZE_MAX_BYTES; size += 13) {
        struct area words, bulk;
        unsigned char from[SIZE_MAX_BYTES], to[SIZE_MAX_BYTES];
        fill(from, size);
        peal_copy_in_words(words.words, from, size);
        peal_copy_bulk_out(to, words.words, size);
        assert_memory_equal(from, to, size);
        peal_copy_bulk_in(bulk.words, from, size);
        memset(to, 0, sizeof(to));
        peal_copy_out_words(to, bulk.words, size);
        assert_memory_equal(from, to, size);
    }
}

static void an_empty_copy_needs_no_memory(void **state)
{
    (void)state;
    struct area area;
    area_guard(&area);
    peal_copy_in_words(area.words, NULL, 0);
    peal_copy_out_words(NULL, area.words, 0);
    assert_true(peal_u64_load_relaxed(&area.words[0]) == GUARD);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_size_comes_back_as_it_went_in),
        cmocka_unit_test(the_rest_of_the_last_word_becomes_zero),
        cmocka_unit_test(private_memory_needs_no_alignment),
        cmocka_unit_test(both_ways_of_copying_agree),
        cmocka_unit_test(an_empty_copy_needs_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
