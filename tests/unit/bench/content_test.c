/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/contest/content.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { WORDS = 128 };

static void a_message_is_read_as_it_was_written(void **state)
{
    static const size_t sizes[] = {8, 16, 64, 72, 1024};
    uint64_t words[WORDS], sender, number;

    (void)state;
    for (size_t s = 0; s < sizeof sizes / sizeof sizes[0]; s++) {
        for (uint64_t i = 0; i < 1000; i++) {
            bench_content_write(words, sizes[s], i % 33, i * i);
            assert_true(bench_content_read(words, sizes[s], &sender, &number));
            assert_int_equal(sender, i % 33);
            assert_int_equal(number, i * i);
        }
    }
}

static void no_head_is_zero(void **state)
{
    (void)state;
    for (uint64_t number = 0; number < 100000; number++)
        assert_true(bench_content_head(0, number) != 0);
}

static void a_planted_fault_is_in_a_word_that_is_read(void **state)
{
    static const size_t sizes[] = {8, 16, 64, 1024};
    uint64_t words[WORDS], sender, number;

    (void)state;
    for (size_t s = 0; s < sizeof sizes / sizeof sizes[0]; s++) {
        for (uint64_t i = 0; i < 100; i++) {
            bench_content_write(words, sizes[s], 1, i);
            bench_content_spoil(words, sizes[s], i);
            assert_false(bench_content_read(words, sizes[s], &sender, &number));
        }
    }
}

/* How many of eight messages in a row are seen to be wrong if one word of each is. */
static unsigned times_seen(size_t size_bytes, size_t word)
{
    uint64_t words[WORDS], sender, number;
    unsigned seen = 0;

    for (uint64_t i = 100; i < 108; i++) {
        bench_content_write(words, size_bytes, 0, i);
        words[word] ^= UINT64_C(1) << (i % 64);
        seen += !bench_content_read(words, size_bytes, &sender, &number);
    }
    return seen;
}

static void each_word_is_looked_at_within_eight_messages(void **state)
{
    static const size_t sizes[] = {8, 24, 64, 200, 1024};

    (void)state;
    for (size_t s = 0; s < sizeof sizes / sizeof sizes[0]; s++) {
        for (size_t word = 0; word < sizes[s] / 8; word++)
            assert_true(times_seen(sizes[s], word) > 0);
        assert_int_equal(times_seen(sizes[s], 0), 8);
    }
}

static void a_message_of_another_number_is_none(void **state)
{
    uint64_t words[8], other[8], sender, number;

    (void)state;
    bench_content_write(words, sizeof words, 0, 7);
    bench_content_write(other, sizeof other, 0, 8);
    memcpy(&words[1], &other[1], sizeof words - 8); /* torn */
    assert_false(bench_content_read(words, sizeof words, &sender, &number));
}

static void tallies_of_all_numbers_are_what_adding_them_gives(void **state)
{
    struct bench_tally tally = {0};

    (void)state;
    for (uint64_t count = 0; count < 3000; count++) {
        struct bench_tally all = bench_tally_of(count);
        assert_memory_equal(&tally, &all, sizeof all);
        assert_true(bench_tally_add(&tally, count));
    }
}

static void what_comes_again_or_late_is_out_of_order(void **state)
{
    struct bench_tally tally = {0};

    (void)state;
    assert_true(bench_tally_add(&tally, 3)); /* others may be with another receiver */
    assert_false(bench_tally_add(&tally, 3));
    assert_false(bench_tally_add(&tally, 2));
    assert_true(bench_tally_add(&tally, 4));
}

static void a_swap_of_two_numbers_for_two_others_is_seen_by_the_squares(void **state)
{
    struct bench_tally wanted = bench_tally_of(6), got = {0};
    static const uint64_t numbers[] = {0, 2, 2,
                                       3, 3, 5}; /* 1 and 4 are lost: the sum is the same */

    (void)state;
    for (size_t i = 0; i < 6; i++)
        (void)bench_tally_add(&got, numbers[i]);
    assert_int_equal(got.count, wanted.count);
    assert_int_equal(got.sum, wanted.sum);
    assert_int_not_equal(got.squares, wanted.squares);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_message_is_read_as_it_was_written),
        cmocka_unit_test(no_head_is_zero),
        cmocka_unit_test(a_planted_fault_is_in_a_word_that_is_read),
        cmocka_unit_test(each_word_is_looked_at_within_eight_messages),
        cmocka_unit_test(a_message_of_another_number_is_none),
        cmocka_unit_test(tallies_of_all_numbers_are_what_adding_them_gives),
        cmocka_unit_test(what_comes_again_or_late_is_out_of_order),
        cmocka_unit_test(a_swap_of_two_numbers_for_two_others_is_seen_by_the_squares),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
