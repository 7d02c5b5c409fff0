/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/results/results.h"

/* The benchmarks are a program and no library: what is tested comes along. */
#include "bench/results/figures.c"
#include "bench/results/results.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static int close_to(double value, double wanted)
{
    return fabs(value - wanted) < 1e-9;
}

static struct bench_record *added(struct bench_results *results, const char *contender,
                                  enum bench_unit unit)
{
    return bench_results_add(results, BENCH_GROUP_LATENCY, "ping/64", contender, BENCH_PARTY_PEAL,
                             unit);
}

static void a_new_record_is_empty_and_has_its_name(void **state)
{
    struct bench_results results = {0};
    struct bench_record *record = added(&results, "peal", BENCH_NS);

    (void)state;
    assert_string_equal(record->name, "latency/ping/64/peal");
    assert_int_equal(record->rounds, 0);
    assert_true(isnan(record->x));
    assert_true(isnan(record->cpu_ns));
    assert_true(isnan(bench_record_values(record).median));
    assert_true(isnan(bench_record_ratio(record).min));
    assert_ptr_equal(bench_results_find(&results, "latency/ping/64/peal"), record);
    assert_null(bench_results_find(&results, "latency/ping/64"));
    bench_results_free(&results);
}

static void the_group_is_not_named_twice(void **state)
{
    struct bench_results results = {0};

    (void)state;
    bench_results_add(&results, BENCH_GROUP_LATENCY, "latency/64", "a", BENCH_PARTY_PEER, BENCH_NS);
    bench_results_add(&results, BENCH_GROUP_LATENCY, "latency_net/64", "a", BENCH_PARTY_PEER,
                      BENCH_NS);
    assert_string_equal(results.records[0]->name, "latency/64/a");
    assert_string_equal(results.records[1]->name, "latency/latency_net/64/a");
    bench_results_free(&results);
}

static void records_keep_their_place_while_more_arrive(void **state)
{
    struct bench_results results = {0};
    struct bench_record *first = added(&results, "first", BENCH_NS);
    char name[32];

    (void)state;
    for (unsigned i = 0; i < 300; i++) {
        snprintf(name, sizeof(name), "other %u", i);
        added(&results, name, BENCH_NS);
    }
    assert_int_equal(results.count, 301);
    assert_ptr_equal(results.records[0], first);
    assert_string_equal(results.records[300]->contender, "other 299");
    bench_results_free(&results);
    assert_int_equal(results.count, 0);
}

static void strings_are_copied_replaced_and_taken_away(void **state)
{
    struct bench_results results = {0};
    struct bench_record *record = added(&results, "peal", BENCH_NS);
    char note[] = "slow, since it is copied";

    (void)state;
    bench_record_note(record, note);
    note[0] = 'X';
    assert_string_equal(record->note, "slow, since it is copied");
    bench_record_note(record, record->note); /* its own */
    assert_string_equal(record->note, "slow, since it is copied");
    bench_record_note(record, NULL);
    assert_null(record->note);
    bench_record_place(record, "publish", "subscribers", 8);
    bench_record_floor(record, "raw", 1.1);
    assert_string_equal(record->series, "publish");
    assert_string_equal(record->x_name, "subscribers");
    assert_true(close_to(record->x, 8));
    assert_string_equal(record->floor, "raw");
    assert_true(close_to(record->target, 1.1));
    bench_results_fact(&results, "cpu", "one");
    bench_results_fact(&results, "kernel", "6.1");
    bench_results_fact(&results, "cpu", "another");
    assert_int_equal(results.facts_count, 2);
    assert_string_equal(results.facts[0].value, "another");
    bench_results_free(&results);
}

static void the_median_is_the_middle_and_of_two_their_mean(void **state)
{
    struct bench_results results = {0};
    struct bench_record *record = added(&results, "peal", BENCH_NS);

    (void)state;
    bench_record_round(record, 30, NAN, false);
    assert_true(close_to(bench_record_values(record).median, 30));
    bench_record_round(record, 10, NAN, true);
    assert_true(close_to(bench_record_values(record).median, 20));
    bench_record_round(record, 11, NAN, true);
    struct bench_spread spread = bench_record_values(record);
    assert_true(close_to(spread.median, 11));
    assert_true(close_to(spread.min, 10));
    assert_true(close_to(spread.max, 30));
    assert_true(close_to(record->values[0], 30)); /* the order of the rounds is as it was */
    assert_int_equal(bench_record_drifted(record), 2);
    assert_true(isnan(bench_record_ratio(record).median));
    bench_results_free(&results);
}

static void ratios_are_taken_round_by_round(void **state)
{
    struct bench_results results = {0};
    struct bench_record *record = added(&results, "peal", BENCH_NS);

    (void)state;
    /* The machine became three times slower in between; the ratio of medians would be 1.1 / 3. */
    bench_record_round(record, 110, 100, false);
    bench_record_round(record, 360, 300, false);
    bench_record_round(record, 330, 300, true);
    struct bench_spread spread = bench_record_ratio(record);
    assert_true(close_to(spread.median, 1.1));
    assert_true(close_to(spread.min, 1.1));
    assert_true(close_to(spread.max, 1.2));
    bench_results_free(&results);
}

static void rounds_without_a_number_are_left_out(void **state)
{
    struct bench_results results = {0};
    struct bench_record *record = added(&results, "peal", BENCH_NS);
    struct bench_record *other = added(&results, "other", BENCH_NS);

    (void)state;
    bench_record_round(record, NAN, 100, false);
    bench_record_round(record, 200, 100, false);
    bench_record_round(record, 300, NAN, false);
    bench_record_round(record, 400, 0, false);
    bench_record_round(record, INFINITY, 100, false);
    bench_record_round(record, 300, INFINITY, false);
    assert_true(close_to(bench_record_values(record).median, 300));
    assert_true(close_to(bench_record_values(record).max, 400));
    assert_true(close_to(bench_record_ratio(record).median, 2));
    assert_true(close_to(bench_record_ratio(record).min, 2));
    assert_true(close_to(bench_record_ratio(record).max, 2));
    bench_record_round(other, 1, NAN, false);
    bench_record_round(other, NAN, NAN, false);
    assert_true(isnan(bench_record_against(record, other).median));
    bench_results_free(&results);
}

static void against_says_how_many_times_better_whatever_the_unit(void **state)
{
    struct bench_results results = {0};
    struct bench_record *fast = added(&results, "fast", BENCH_NS);
    struct bench_record *slow = added(&results, "slow", BENCH_NS);
    struct bench_record *many = added(&results, "many", BENCH_PER_S);
    struct bench_record *few = added(&results, "few", BENCH_PER_S);

    (void)state;
    for (unsigned i = 1; i <= 3; i++) {
        bench_record_round(fast, 10 * i, NAN, false);
        bench_record_round(slow, 20 * i * i, NAN, false);
        bench_record_round(many, 1e6, NAN, false);
        bench_record_round(few, 1e5 * i, NAN, false);
    }
    bench_record_round(slow, 1, NAN, false); /* a round that the other has not */
    struct bench_spread spread = bench_record_against(fast, slow);
    assert_true(close_to(spread.median, 4));
    assert_true(close_to(spread.min, 2));
    assert_true(close_to(spread.max, 6));
    assert_true(close_to(bench_record_against(slow, fast).median, 0.25));
    assert_true(close_to(bench_record_against(many, few).median, 5));
    assert_true(isnan(bench_record_against(many, fast).median));
    bench_results_free(&results);
}

static void rounds_end_at_their_limit(void **state)
{
    struct bench_results results = {0};
    struct bench_record *record = added(&results, "peal", BENCH_NS);

    (void)state;
    for (unsigned i = 0; i < BENCH_RECORD_ROUNDS_MAX + 5; i++)
        bench_record_round(record, i, 1, i % 2 == 0);
    assert_int_equal(record->rounds, BENCH_RECORD_ROUNDS_MAX);
    assert_true(close_to(bench_record_values(record).max, BENCH_RECORD_ROUNDS_MAX - 1));
    assert_true(close_to(bench_record_values(record).median, (BENCH_RECORD_ROUNDS_MAX - 1) / 2.0));
    bench_results_free(&results);
}

static void every_group_and_unit_has_a_name_of_its_own(void **state)
{
    (void)state;
    for (int i = 0; i < BENCH_GROUPS; i++) {
        for (int k = 0; k < i; k++)
            assert_string_not_equal(bench_group_name((enum bench_group)i),
                                    bench_group_name((enum bench_group)k));
    }
    assert_true(bench_unit_small_is_good(BENCH_NS));
    assert_true(bench_unit_small_is_good(BENCH_BYTES));
    assert_false(bench_unit_small_is_good(BENCH_PER_S));
    assert_false(bench_unit_small_is_good(BENCH_BYTES_PER_S));
}

/* Two sweeps: rounds of a record come one after the other, new records at the end. */
static void a_part_is_taken_over_round_by_round(void **state)
{
    struct bench_results whole = {0}, part = {0};
    struct bench_record *record;

    (void)state;
    record = bench_results_add(&whole, BENCH_GROUP_LATENCY, "64", "a", BENCH_PARTY_PEAL, BENCH_NS);
    bench_record_round(record, 1, 10, false);
    bench_record_round(record, 2, 20, true);
    record->cpu_ns = 100;
    record->operations = 5;
    record->remarks = BENCH_REMARK_PARTIAL | BENCH_REMARK_CUT;
    record->cut = 1;
    bench_histogram_add(bench_record_latency(record), 50, 3);
    bench_results_fact(&whole, "cpu", "one");
    record = bench_results_add(&part, BENCH_GROUP_LATENCY, "64", "b", BENCH_PARTY_PEER, BENCH_NS);
    bench_record_round(record, 7, NAN, false);
    record = bench_results_add(&part, BENCH_GROUP_LATENCY, "64", "a", BENCH_PARTY_PEAL, BENCH_NS);
    bench_record_round(record, 3, 30, false);
    record->cpu_ns = 400;
    record->operations = 7;
    record->remarks = BENCH_REMARK_COPIES;
    bench_record_note(record, "later");
    bench_record_floor(record, "line", 1.5);
    bench_histogram_add(bench_record_latency(record), 60, 4);
    bench_results_fact(&part, "limit", "two");

    bench_results_take(&whole, &part);
    assert_int_equal(part.count, 0);
    assert_int_equal(part.facts_count, 0);
    assert_int_equal(whole.count, 2);
    assert_string_equal(whole.records[1]->contender, "b");
    assert_int_equal(whole.records[1]->rounds, 1);
    record = whole.records[0];
    assert_int_equal(record->rounds, 3);
    for (unsigned i = 0; i < 3; i++) {
        assert_true(record->values[i] == i + 1 && record->floors[i] == 10 * (i + 1));
        assert_int_equal(record->drifted[i], i == 1);
    }
    assert_true(record->cpu_ns == 200);
    assert_int_equal(record->operations, 12);
    assert_int_equal(record->remarks, BENCH_REMARK_COPIES | BENCH_REMARK_CUT);
    assert_int_equal(record->cut, 1);
    assert_string_equal(record->note, "later");
    assert_string_equal(record->floor, "line");
    assert_true(record->target == 1.5);
    assert_int_equal(record->latency->total, 7);
    assert_int_equal(whole.facts_count, 2);
    bench_results_free(&whole);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_new_record_is_empty_and_has_its_name),
        cmocka_unit_test(the_group_is_not_named_twice),
        cmocka_unit_test(records_keep_their_place_while_more_arrive),
        cmocka_unit_test(strings_are_copied_replaced_and_taken_away),
        cmocka_unit_test(the_median_is_the_middle_and_of_two_their_mean),
        cmocka_unit_test(ratios_are_taken_round_by_round),
        cmocka_unit_test(rounds_without_a_number_are_left_out),
        cmocka_unit_test(against_says_how_many_times_better_whatever_the_unit),
        cmocka_unit_test(rounds_end_at_their_limit),
        cmocka_unit_test(every_group_and_unit_has_a_name_of_its_own),
        cmocka_unit_test(a_part_is_taken_over_round_by_round),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
