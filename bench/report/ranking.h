/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The records of one scenario side by side: who is best, and where Peal stands.
 */
#ifndef PEAL_BENCH_REPORT_RANKING_H
#define PEAL_BENCH_REPORT_RANKING_H

#include "bench/results/results.h"

#include <stdio.h>

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
    /* Peal's best beside each peer, by the indices of `records`; without rounds for all others. */
    struct bench_pairs pairs[BENCH_RANKING_MAX];
};

/* Scenarios of a group, in order of arrival: the `index`th; NULL: there are no more. */
const char *bench_ranking_scenario(const struct bench_results *results, enum bench_group group,
                                   unsigned index);

struct bench_ranking bench_ranking_of(const struct bench_results *results, enum bench_group group,
                                      const char *scenario);

/* Calls `each` for every scenario of every group, in order of arrival within a group. */
void bench_ranking_each(FILE *out, const struct bench_results *results, void *context,
                        void (*each)(FILE *out, const struct bench_ranking *ranking,
                                     void *context));

/* "latency/64": the group and the scenario, which may begin with the group's name already. */
struct bench_title {
    char text[160];
};
struct bench_title bench_ranking_title(enum bench_group group, const char *scenario);

/* Scenarios of one or two records (floors, points of a curve) are better rows of one table. */
bool bench_ranking_wants_one_table(const struct bench_results *results, enum bench_group group);

/* Rising: of many peers the worst one counts. */
enum bench_verdict {
    BENCH_VERDICT_ALONE = 0, /* no peer, or no Peal, or no round that both have */
    BENCH_VERDICT_AHEAD,     /* more often than chance explains */
    BENCH_VERDICT_EVEN,      /* within 2 %: a tie for anybody who has to decide */
    BENCH_VERDICT_UNDECIDED, /* the rounds contradict each other, or are too few */
    BENCH_VERDICT_BEHIND,    /* more often than chance explains */
    BENCH_VERDICTS
};

const char *bench_verdict_name(enum bench_verdict verdict); /* "ahead", ... */

/* Of one pair of contenders. */
enum bench_verdict bench_pairs_verdict(const struct bench_pairs *pairs);

/* Whether as many rounds that differ could decide anything, were they of one mind. */
bool bench_pairs_can_decide(const struct bench_pairs *pairs);

/* Of Peal's best beside all peers. */
enum bench_verdict bench_ranking_verdict(const struct bench_ranking *ranking);

/* What became of the aim that a scenario has. Peers that run as threads of one process while Peal crosses
 * the boundary between two, and those that make a system call of each message, are no part of it: the
 * former would make it another thing, the latter would make it easy. */
struct bench_aimed {
    enum bench_aim aim;
    const struct bench_record *peer; /* the one that decides; NULL: the median of them */
    unsigned peers;
    struct bench_pairs pairs; /* Peal's best beside it */
    bool is_met;
    bool is_open; /* chance may have decided it */
};

/* False: it has none, or there is nobody to be judged by. */
bool bench_ranking_aim(const struct bench_ranking *ranking, struct bench_aimed *aimed);

const char *bench_aim_name(enum bench_aim aim); /* "at least the median of the peers" */
const char *bench_aimed_word(const struct bench_aimed *aimed); /* "met", "short, may be chance" */

/* 1: the record meets its target, 0: it is short of it, -1: it has none, or no value. */
int bench_record_target_met(const struct bench_record *record);

#endif
