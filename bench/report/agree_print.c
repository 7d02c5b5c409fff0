/* SPDX-License-Identifier: Apache-2.0 */
/* peal-bench compare --agree A B */
#include "bench/report/agree.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FLOOR_MOVED_PERCENT = 20 };

static const char *contender_of(const struct bench_loaded *record)
{
    const char *slash = strrchr(record->name, '/');

    return slash == NULL ? record->name : slash + 1;
}

static void print_row(const struct bench_agreed *agreed)
{
    static const char *const words[] = {"", "outside", "APART"};
    const struct bench_range *before = &agreed->before, *after = &agreed->after;
    char name[256];

    if (agreed->peer == NULL)
        snprintf(name, sizeof(name), "%s / floor", agreed->record->name);
    else
        snprintf(name, sizeof(name), "%s / %s", agreed->record->name, contender_of(agreed->peer));
    printf("%-78s %8.4g [%.4g..%.4g]  %8.4g [%.4g..%.4g]  %+6.1f %%  %s", name, before->median,
           before->min, before->max, after->median, after->min, after->max,
           100 * (after->median / before->median - 1), words[agreed->agreement]);
    if (fabs(agreed->floor) * 100 > FLOOR_MOVED_PERCENT)
        printf("%sthe floor itself: %+.0f %%", agreed->agreement == BENCH_AGREE ? "" : "; ",
               100 * agreed->floor);
    putchar('\n');
}

static void print_rows(const struct bench_agreed *agreed, size_t count, bool is_all)
{
    for (size_t i = 0; i < count; i++) {
        if (is_all || agreed[i].agreement != BENCH_AGREE)
            print_row(&agreed[i]);
    }
}

static void print_missing(const struct bench_archive *in, const struct bench_archive *not_in,
                          const char *where)
{
    for (size_t i = 0; i < in->count; i++) {
        if (bench_archive_find(not_in, in->records[i].name) == NULL)
            printf("only in %s: %s\n", where, in->records[i].name);
    }
}

/* More are outside, or apart, than chance explains. */
static int print_verdict(const struct bench_concord *concord, double alpha)
{
    bool do_agree = concord->p_outside > alpha && concord->p_apart > alpha;

    printf("By chance alone, if rounds had nothing in common, %.1f would not, %.2g of them with "
           "spreads that are apart; so many or\nmore: p = %.2g, and p = %.2g for the %u that are "
           "apart. %s\n",
           concord->outside_expected, concord->apart_expected, concord->p_outside, concord->p_apart,
           concord->apart,
           do_agree ? "The runs agree."
                    : "That is more than chance explains: the runs do not agree.");
    return do_agree ? 0 : 1;
}

static int print_all(const struct bench_agreed *agreed, size_t count, double alpha, bool is_brief)
{
    struct bench_concord concord = bench_agree_sum_up(agreed, count);

    if (!is_brief) {
        printf("%-78s %8s %16s %8s %16s\n", "ratio, round by round", "A", "[least..most]", "B",
               "[least..most]");
        print_rows(agreed, count, true);
        putchar('\n');
    }
    printf("%u of %u ratios agree: each run's median lies within the least and the most of the "
           "other's rounds%s\n",
           concord.count - concord.outside, concord.count,
           concord.outside > 0 ? "; these do not:" : ".");
    print_rows(agreed, count, false);
    return print_verdict(&concord, alpha);
}

int bench_agree_print(const struct bench_archive *before, const struct bench_archive *after,
                      double alpha, bool is_brief)
{
    struct bench_agreed *agreed = calloc(2 * before->count + 1, sizeof(*agreed));
    int code = 2;

    if (agreed == NULL) {
        fputs("peal-bench: compare: no memory left\n", stderr);
        return 2;
    }
    size_t count = bench_agree(before, after, agreed);
    if (count == 0)
        fputs("peal-bench: compare: the two have no ratio in common; runs with floors or peers "
              "have some\n",
              stderr);
    else
        code = print_all(agreed, count, alpha, is_brief);
    print_missing(before, after, "A");
    print_missing(after, before, "B");
    free(agreed);
    return code;
}
