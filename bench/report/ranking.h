/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The records of one scenario side by side: who is best, and where Peal stands.
 */
#ifndef PEAL_BENCH_REPORT_RANKING_H
#define PEAL_BENCH_REPORT_RANKING_H

#include "bench/results/results.h"

enum { BENCH_RANKING_MAX = 64 };

struct bench_ranking {
    const char *scenario;
    enum bench_group group;
    /* Peal's and peers, best median first; those without a value last, then the floors in their order. */
    const struct bench_record *records[BENCH_RANKING_MAX];
    unsigned count;
    unsigned floors;                 /* how many of them, at the end, are floors */
    const struct bench_record *best; /* of all but floors; NULL: there is none with a value */
    const struct bench_record *peal; /* the best of Peal's; NULL: none */
    const struct bench_record *peer; /* the best peer; NULL: none */
    struct bench_spread ahead;       /* how many times better peal is than peer; NAN: not both */
};

/* Scenarios of a group, in order of arrival: the `index`th; NULL: there are no more. */
const char *bench_ranking_scenario(const struct bench_results *results, enum bench_group group,
                                   unsigned index);

struct bench_ranking bench_ranking_of(const struct bench_results *results, enum bench_group group,
                                      const char *scenario);

/* "latency/64": the group and the scenario, which may begin with the group's name already. */
struct bench_title {
    char text[160];
};
struct bench_title bench_ranking_title(enum bench_group group, const char *scenario);

/* Scenarios of one or two records (floors, points of a curve) are better rows of one table. */
bool bench_ranking_wants_one_table(const struct bench_results *results, enum bench_group group);

enum bench_verdict {
    BENCH_VERDICT_ALONE,  /* no peer, or no Peal */
    BENCH_VERDICT_AHEAD,  /* median above 1.02 */
    BENCH_VERDICT_EVEN,   /* within 2 % of 1: a tie for anybody who has to decide */
    BENCH_VERDICT_BEHIND, /* below 0.98 */
};

enum bench_verdict bench_ranking_verdict(const struct bench_ranking *ranking);

/* 1: the record meets its target, 0: it is short of it, -1: it has none, or no value. */
int bench_record_target_met(const struct bench_record *record);

#endif
