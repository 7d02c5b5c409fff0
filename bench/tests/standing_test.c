/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is said of Peal and its peers, from made-up rounds: the sign test against known values, who is ahead,
 * behind or neither, what becomes of targets, who was wedged, and that tables and files say so.
 */
#include "bench/report/ranking.h"
#include "bench/report/report.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { ROUNDS = 11 };

static struct bench_results results;

static struct bench_record *add(const char *contender, enum bench_party party, enum bench_unit unit,
                                const double *values, unsigned rounds)
{
    struct bench_record *record =
        bench_results_add(&results, BENCH_GROUP_PATTERNS, "queue/4:4", contender, party, unit);

    for (unsigned i = 0; i < rounds; i++)
        bench_record_round(record, values[i], NAN, false);
    return record;
}

/* `value` in each round, but `odd` in the first `count` ones. */
static struct bench_record *add_odd(const char *contender, enum bench_party party, double value,
                                    unsigned count, double odd)
{
    double values[ROUNDS];

    for (unsigned i = 0; i < ROUNDS; i++)
        values[i] = i < count ? odd : value;
    return add(contender, party, BENCH_PER_S, values, ROUNDS);
}

static struct bench_record *add_peal(double value)
{
    return add_odd("peal queue", BENCH_PARTY_PEAL, value, 0, 0);
}

static struct bench_ranking ranking_of(void)
{
    return bench_ranking_of(&results, BENCH_GROUP_PATTERNS, "queue/4:4");
}

/* Of the contender of that name. */
static struct bench_pairs pairs_with(const char *contender)
{
    struct bench_ranking ranking = ranking_of();

    for (unsigned i = 0; i < ranking.count; i++) {
        if (strcmp(ranking.records[i]->contender, contender) == 0)
            return ranking.pairs[i];
    }
    fail_msg("there is no '%s'", contender);
    return ranking.pairs[0];
}

static enum bench_verdict verdict_with(const char *contender)
{
    struct bench_pairs pairs = pairs_with(contender);

    return bench_pairs_verdict(&pairs);
}

static enum bench_verdict verdict(void)
{
    struct bench_ranking ranking = ranking_of();

    return bench_ranking_verdict(&ranking);
}

static int forget(void **state)
{
    (void)state;
    bench_results_free(&results);
    results = (struct bench_results){.count = 0};
    return 0;
}

/* ---- pairs of rounds ---- */

static void is_about(double value, double wanted)
{
    if (fabs(value - wanted) > 1e-9)
        fail_msg("%.12g instead of %.12g", value, wanted);
}

/* From the binomial coefficients, by hand. */
static void the_sign_test_gives_known_values(void **state)
{
    (void)state;
    is_about(bench_sign_test(0, 0), 1);
    is_about(bench_sign_test(0, 1), 1);
    is_about(bench_sign_test(0, 3), 0.25);
    is_about(bench_sign_test(0, 5), 0.0625);
    is_about(bench_sign_test(0, 6), 0.03125);
    is_about(bench_sign_test(0, 11), 2.0 / 2048);
    is_about(bench_sign_test(1, 10), 24.0 / 2048);
    is_about(bench_sign_test(10, 1), 24.0 / 2048);
    is_about(bench_sign_test(2, 9), 134.0 / 2048);
    is_about(bench_sign_test(3, 8), 464.0 / 2048);
    is_about(bench_sign_test(5, 6), 1);
    is_about(bench_sign_test(5, 5), 1);
    assert_true(bench_sign_test(0, 999) < 1e-299);
    is_about(bench_sign_test(499, 500), 1);
}

static void pairs_are_of_the_same_round_and_only_of_those_that_both_have(void **state)
{
    static const double ours[] = {10, 20, NAN, 40, 50}, theirs[] = {20, 10, 30, 40};
    struct bench_record *left = add("peal queue", BENCH_PARTY_PEAL, BENCH_NS, ours, 5);
    struct bench_record *right = add("ck_ring", BENCH_PARTY_PEER, BENCH_NS, theirs, 4);
    struct bench_pairs pairs = bench_record_pairs(left, right);

    (void)state;
    assert_int_equal(pairs.rounds, 3);
    assert_int_equal(pairs.better, 1);
    assert_int_equal(pairs.decided, 2);
    is_about(pairs.times.median, 1);
    is_about(pairs.times.max, 2);
    right->unit = BENCH_PER_S;
    assert_int_equal(bench_record_pairs(left, right).rounds, 0);
}

static void large_is_good_where_it_is(void **state)
{
    struct bench_pairs pairs;

    (void)state;
    add_peal(30);
    add_odd("ck_ring", BENCH_PARTY_PEER, 10, 0, 0);
    pairs = pairs_with("ck_ring");
    is_about(pairs.times.median, 3);
    assert_int_equal(pairs.better, ROUNDS);
}

/* A peer that was cut in all rounds has 0 in each, and no ratio. */
static void who_got_nothing_in_a_round_has_lost_it(void **state)
{
    (void)state;
    add_peal(30);
    add_odd("rte_ring", BENCH_PARTY_PEER, 0, 0, 0);
    assert_int_equal(pairs_with("rte_ring").better, ROUNDS);
    assert_int_equal(verdict_with("rte_ring"), BENCH_VERDICT_AHEAD);
}

/* ---- verdicts ---- */

static void behind_is_only_who_is_so_beyond_chance(void **state)
{
    (void)state;
    add_peal(10);
    add_odd("in all rounds", BENCH_PARTY_PEER, 12, 0, 0);
    add_odd("in ten of eleven", BENCH_PARTY_PEER, 12, 1, 5);
    add_odd("in nine of eleven", BENCH_PARTY_PEER, 12, 2, 5);
    add_odd("in six of eleven", BENCH_PARTY_PEER, 12, 5, 0.1);
    add_odd("within two per cent", BENCH_PARTY_PEER, 10.1, 0, 0);
    add_odd("the same", BENCH_PARTY_PEER, 10, 0, 0);
    add_odd("in no round", BENCH_PARTY_PEER, 8, 0, 0);
    assert_int_equal(verdict_with("in all rounds"), BENCH_VERDICT_BEHIND);
    assert_int_equal(verdict_with("in ten of eleven"), BENCH_VERDICT_BEHIND);
    assert_int_equal(verdict_with("in nine of eleven"), BENCH_VERDICT_UNDECIDED);
    assert_int_equal(verdict_with("in six of eleven"), BENCH_VERDICT_UNDECIDED);
    assert_int_equal(verdict_with("within two per cent"), BENCH_VERDICT_EVEN);
    assert_int_equal(verdict_with("the same"), BENCH_VERDICT_EVEN);
    assert_int_equal(verdict_with("in no round"), BENCH_VERDICT_AHEAD);
    assert_int_equal(verdict_with("peal queue"), BENCH_VERDICT_ALONE);
}

static void of_all_peers_the_worst_verdict_counts(void **state)
{
    (void)state;
    add_peal(10);
    assert_int_equal(verdict(), BENCH_VERDICT_ALONE);
    add_odd("slow", BENCH_PARTY_PEER, 8, 0, 0);
    assert_int_equal(verdict(), BENCH_VERDICT_AHEAD);
    add_odd("same", BENCH_PARTY_PEER, 10, 0, 0);
    assert_int_equal(verdict(), BENCH_VERDICT_EVEN);
    add_odd("fast at times", BENCH_PARTY_PEER, 12, 5, 1);
    assert_int_equal(verdict(), BENCH_VERDICT_UNDECIDED);
    add_odd("fast", BENCH_PARTY_PEER, 11, 0, 0);
    assert_int_equal(verdict(), BENCH_VERDICT_BEHIND);
    add_odd("peal queue, in place", BENCH_PARTY_PEAL, 20, 0, 0); /* the best of Peal's is asked */
    assert_int_equal(verdict(), BENCH_VERDICT_AHEAD);
}

static void five_rounds_decide_nothing_and_six_do(void **state)
{
    static const double ours[] = {10, 10, 10, 10, 10, 10}, theirs[] = {9, 9, 9, 9, 9, 9};

    for (unsigned rounds = 5; rounds <= 6; rounds++) {
        add("peal queue", BENCH_PARTY_PEAL, BENCH_PER_S, ours, rounds);
        add("ck_ring", BENCH_PARTY_PEER, BENCH_PER_S, theirs, rounds);
        assert_int_equal(verdict(), rounds == 5 ? BENCH_VERDICT_UNDECIDED : BENCH_VERDICT_AHEAD);
        (void)forget(state);
    }
}

/* ---- who was wedged ---- */

/* 100 ms in the first `count` rounds, else `held_ns`. */
static struct bench_record *add_stopped(const char *contender, enum bench_party party,
                                        unsigned count, double held_ns)
{
    struct bench_record *record = add_odd(contender, party, held_ns, count, 100e6);

    record->unit = BENCH_NS;
    record->wedged_ns = 50e6;
    return record;
}

static void of_stops_it_counts_how_often_all_were_wedged(void **state)
{
    struct bench_ranking ranking;

    (void)state;
    add_stopped("wedged twice", BENCH_PARTY_PEER, 2, 0);
    add_stopped("wedged often", BENCH_PARTY_PEER, 10, 0);
    add_stopped("never, and quick", BENCH_PARTY_PEER, 0, 1e5);
    add_stopped("peal queue", BENCH_PARTY_PEAL, 0, 4e5);
    ranking = ranking_of();
    assert_string_equal(ranking.records[0]->contender, "never, and quick");
    assert_string_equal(ranking.records[1]->contender, "peal queue");
    assert_string_equal(ranking.records[2]->contender, "wedged twice");
    assert_string_equal(ranking.records[3]->contender, "wedged often");
    assert_int_equal(bench_record_wedged(ranking.records[2]), 2);
    assert_int_equal(verdict_with("never, and quick"), BENCH_VERDICT_EVEN);
    assert_int_equal(verdict_with("wedged twice"), BENCH_VERDICT_UNDECIDED);
    assert_int_equal(verdict_with("wedged often"), BENCH_VERDICT_AHEAD);
    assert_int_equal(pairs_with("wedged often").better, 10);
    assert_int_equal(pairs_with("wedged often").decided, 10);
}

static void half_of_the_stop_is_wedged(void **state)
{
    static const double held[] = {49.9e6, 50e6, 100e6, NAN};
    struct bench_record *record = add("rte_ring", BENCH_PARTY_PEER, BENCH_NS, held, 4);

    (void)state;
    assert_int_equal(bench_record_wedged(record), 0); /* it is not about that */
    record->wedged_ns = 50e6;
    assert_int_equal(bench_record_wedged(record), 2);
}

/* ---- targets ---- */

static struct bench_aimed aimed_at(enum bench_aim aim)
{
    struct bench_ranking ranking = ranking_of();
    struct bench_aimed aimed;

    ((struct bench_record *)(uintptr_t)ranking.peal)->aim = aim;
    assert_true(bench_ranking_aim(&ranking, &aimed));
    assert_int_equal(aimed.aim, aim);
    return aimed;
}

static void singles_are_to_reach_the_median_and_batches_the_best(void **state)
{
    struct bench_aimed aimed;

    (void)state;
    add_peal(10);
    add_odd("best", BENCH_PARTY_PEER, 20, 0, 0);
    add_odd("middle", BENCH_PARTY_PEER, 5, 0, 0);
    add_odd("last", BENCH_PARTY_PEER, 1, 0, 0);
    aimed = aimed_at(BENCH_AIM_MEDIAN);
    assert_true(aimed.is_met && !aimed.is_open && aimed.peer == NULL && aimed.peers == 3);
    is_about(aimed.pairs.times.median, 2);
    assert_string_equal(bench_aimed_word(&aimed), "met");
    aimed = aimed_at(BENCH_AIM_BEST);
    assert_true(!aimed.is_met && !aimed.is_open);
    assert_string_equal(aimed.peer->contender, "best");
    is_about(aimed.pairs.times.median, 0.5);
    assert_string_equal(bench_aimed_word(&aimed), "short");
}

static void what_rounds_contradict_may_be_chance(void **state)
{
    struct bench_aimed aimed;

    (void)state;
    add_peal(10);
    add_odd("now and then", BENCH_PARTY_PEER, 9, 3, 30);
    aimed = aimed_at(BENCH_AIM_BEST);
    assert_true(aimed.is_met && aimed.is_open);
    assert_string_equal(bench_aimed_word(&aimed), "met, may be chance");
    (void)forget(state);
    add_peal(10);
    add_odd("mostly", BENCH_PARTY_PEER, 11, 3, 5);
    aimed = aimed_at(BENCH_AIM_BEST);
    assert_string_equal(bench_aimed_word(&aimed), "short, may be chance");
}

static void tails_are_to_be_shorter_than_those_of_all_that_can_be_wedged(void **state)
{
    struct bench_aimed aimed;

    (void)state;
    add_peal(10)->unit = BENCH_NS;
    add_odd("lock-free", BENCH_PARTY_PEER, 5, 0, 0)->unit = BENCH_NS;
    struct bench_ranking ranking = ranking_of();
    ((struct bench_record *)(uintptr_t)ranking.peal)->aim = BENCH_AIM_WEDGEABLE;
    assert_false(bench_ranking_aim(&ranking, &aimed)); /* nobody can be */
    struct bench_record *record = add_odd("slow", BENCH_PARTY_PEER, 30, 0, 0);
    record->unit = BENCH_NS;
    record->remarks = BENCH_REMARK_WEDGEABLE;
    aimed = aimed_at(BENCH_AIM_WEDGEABLE);
    assert_true(aimed.is_met && aimed.peers == 1);
    record = add_odd("fast", BENCH_PARTY_PEER, 8, 0, 0);
    record->unit = BENCH_NS;
    record->remarks = BENCH_REMARK_WEDGEABLE;
    aimed = aimed_at(BENCH_AIM_WEDGEABLE);
    assert_false(aimed.is_met);
    assert_string_equal(aimed.peer->contender, "fast");
}

static void threads_of_one_process_and_system_calls_are_no_part_of_a_target(void **state)
{
    struct bench_aimed aimed;

    (void)state;
    add_peal(10);
    add_odd("threads", BENCH_PARTY_PEER, 40, 0, 0)->remarks = BENCH_REMARK_THREADS;
    add_odd("kernel", BENCH_PARTY_PEER, 1, 0, 0)->remarks = BENCH_REMARK_KERNEL;
    add_odd("same kind", BENCH_PARTY_PEER, 20, 0, 0);
    aimed = aimed_at(BENCH_AIM_MEDIAN);
    assert_int_equal(aimed.peers, 1);
    is_about(aimed.pairs.times.median, 0.5);
    assert_int_equal(verdict_with("threads"), BENCH_VERDICT_BEHIND); /* and yet it is told */
    /* With threads for all, they are of the same kind. */
    ((struct bench_record *)(uintptr_t)ranking_of().peal)->remarks = BENCH_REMARK_THREADS;
    assert_int_equal(aimed_at(BENCH_AIM_MEDIAN).peers, 2);
}

/* ---- what is written ---- */

static char *text_of(void (*write)(FILE *out))
{
    static char *text; /* the stream writes to it when it is closed */
    static size_t size_bytes;
    FILE *out = open_memstream(&text, &size_bytes);

    assert_non_null(out);
    write(out);
    assert_int_equal(fclose(out), 0);
    return text;
}

static char *text_in(const char *path)
{
    static char text[1 << 17];
    FILE *file = fopen(path, "r");

    assert_non_null(file);
    size_t size_bytes = fread(text, 1, sizeof(text) - 1, file);
    fclose(file);
    (void)remove(path);
    text[size_bytes] = '\0';
    return text;
}

static void write_foot(FILE *out)
{
    bench_text_foot(out, &results);
}

static void write_group(FILE *out)
{
    bench_text_group(out, &results, BENCH_GROUP_PATTERNS);
}

static void has(const char *text, const char *part)
{
    if (strstr(text, part) == NULL)
        fail_msg("'%s' is not in:\n%s", part, text);
}

static void has_not(const char *text, const char *part)
{
    if (strstr(text, part) != NULL)
        fail_msg("'%s' is in:\n%s", part, text);
}

static void add_all_kinds(void)
{
    add_peal(10)->aim = BENCH_AIM_BEST;
    bench_record_reason(add_odd("fast", BENCH_PARTY_PEER, 12, 0, 0), "It is <on> the heap.");
    bench_record_reason(add_odd("fast at times", BENCH_PARTY_PEER, 14, 5, 0.1), "Not to be told.");
    add_odd("slow", BENCH_PARTY_PEER, 5, 0, 0);
}

static void the_end_of_the_tables_tells_behind_from_undecided_and_why(void **state)
{
    (void)state;
    add_all_kinds();
    char *text = text_of(write_foot);
    const char *behind = strstr(text, "Not ahead: behind, beyond chance");
    const char *undecided = strstr(text, "Not ahead: undecided");

    assert_true(behind != NULL && undecided != NULL && behind < undecided);
    has(text,
        "patterns/queue/4:4: fast is 1.20 times [1.20..1.20] as good as peal queue, better in "
        "11 of 11 rounds (p 0.001). It is <on> the heap.\n");
    has(undecided,
        "  patterns/queue/4:4, beside peal queue: fast at times 1.40 times [0.010..1.40], 6/11\n");
    has_not(text, "Not to be told");
    has_not(text, "slow is");
    has(text, "Targets of queues: 0 met, 1 short; of these 1 may be chance.");
    has(text, "by scenarios: ahead 0, even 0, undecided 0, behind 1.");
    has(text, "by pairs: ahead 1, even 0, undecided 1, behind 1.");
    free(text);
}

static void too_few_rounds_are_told_and_not_listed(void **state)
{
    static const double ours[] = {10, 10, 10, 10, 10}, theirs[] = {9, 9, 9, 9, 9};

    (void)state;
    add("peal queue", BENCH_PARTY_PEAL, BENCH_PER_S, ours, 5);
    add("ck_ring", BENCH_PARTY_PEER, BENCH_PER_S, theirs, 5);
    char *text = text_of(write_foot);
    has(text, "Not ahead: undecided, for want of rounds: 1 pairs");
    has_not(text, "contradict");
    free(text);
    (void)forget(state);
    add_stopped("peal queue", BENCH_PARTY_PEAL, 0, 0); /* eleven rounds, of which two differ */
    add_stopped("rte_ring", BENCH_PARTY_PEER, 2, 0);
    text = text_of(write_foot);
    has(text, "Not ahead: undecided, for want of rounds: 1 pairs");
    has_not(text, "contradict");
    free(text);
}

static void tables_tell_pairs_targets_and_wedges(void **state)
{
    (void)state;
    add_all_kinds();
    char *text = text_of(write_group);
    has(text, "0.83x 0/11 0.001 -");
    has(text, "2.00x 11/11 0.001 +");
    has(text, "target: at least the best peer (of 3; fast at times): ");
    has(text, "short, may be chance");
    free(text);
    (void)forget(state);
    add_stopped("peal queue", BENCH_PARTY_PEAL, 0, 0);
    add_stopped("rte_ring", BENCH_PARTY_PEER, 7, 0);
    text = text_of(write_group);
    has(text, "WEDGED 7/11;");
    has(text, "WEDGED 0/11;");
    has(text, " 7/7 0.016 +");
    free(text);
}

static void files_tell_the_same(void **state)
{
    static const char path[] = "standing_test.out";

    (void)state;
    add_all_kinds();
    assert_true(bench_standing_write(&results, path));
    const char *text = text_in(path);
    has(text, "\"patterns/queue/4:4\",\"peer\",\"peal queue\",\"fast\",0.8333333333,0.8333333333,"
              "0.8333333333,11,0,11,0.000976562,\"behind\",\"It is <on> the heap.\"\r\n");
    has(text, "\"undecided\",\"\"\r\n");
    has(text, "\"at least the best peer\",\"peal queue\",\"fast at times\"");
    assert_true(bench_html_write(&results, path));
    text = text_in(path);
    has(text, "Behind, beyond chance");
    has(text, "It is &lt;on&gt; the heap.");
    has(text, "Targets of queues");
    has(text, "short, may be chance");
    has_not(text, "Not to be told");
    assert_true(bench_json_write(&results, path));
    text = text_in(path);
    has(text, "\"peal_chance\":");
    has(text, "\"aim_met\":");
    (void)forget(state);
    add_stopped("peal queue", BENCH_PARTY_PEAL, 0, 0);
    add_stopped("rte_ring", BENCH_PARTY_PEER, 7, 0);
    assert_true(bench_html_write(&results, path));
    has(text_in(path), "wedged; the peer in 7 of 11");
    assert_true(bench_json_write(&results, path));
    has(text_in(path), "\"wedged\": 7.0");
    assert_true(bench_csv_write(&results, path));
    has(text_in(path), ",0,0,1\r\n");
}

#define TEST(name) cmocka_unit_test_teardown(name, forget)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_sign_test_gives_known_values),
        TEST(pairs_are_of_the_same_round_and_only_of_those_that_both_have),
        TEST(large_is_good_where_it_is),
        TEST(who_got_nothing_in_a_round_has_lost_it),
        TEST(behind_is_only_who_is_so_beyond_chance),
        TEST(of_all_peers_the_worst_verdict_counts),
        TEST(five_rounds_decide_nothing_and_six_do),
        TEST(of_stops_it_counts_how_often_all_were_wedged),
        TEST(half_of_the_stop_is_wedged),
        TEST(singles_are_to_reach_the_median_and_batches_the_best),
        TEST(what_rounds_contradict_may_be_chance),
        TEST(tails_are_to_be_shorter_than_those_of_all_that_can_be_wedged),
        TEST(threads_of_one_process_and_system_calls_are_no_part_of_a_target),
        TEST(the_end_of_the_tables_tells_behind_from_undecided_and_why),
        TEST(too_few_rounds_are_told_and_not_listed),
        TEST(tables_tell_pairs_targets_and_wedges),
        TEST(files_tell_the_same),
    };

    return cmocka_run_group_tests_name("bench.standing", tests, NULL, NULL);
}
