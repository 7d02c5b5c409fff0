/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The parts of index.html. page.c puts them together; each writes its elements and nothing else.
 */
#ifndef PEAL_BENCH_REPORT_PAGE_H
#define PEAL_BENCH_REPORT_PAGE_H

#include "bench/report/ranking.h"
#include "bench/results/results.h"

#include <stdio.h>

enum { BENCH_CONTENDERS_MAX = 64 };

/* A contender keeps its colour through the whole page. */
struct bench_colour {
    const char *contender;
    enum bench_party party;
    char style[16]; /* "k k-p0": Peal's are p0.., peers c0.., floors f0.. */
    uint32_t remarks;
};

struct bench_page {
    FILE *out;
    const struct bench_results *results;
    struct bench_colour colours[BENCH_CONTENDERS_MAX];
    unsigned colours_count;
};

/* ---- page_colours.c ---- */
void bench_page_colour(struct bench_page *page);
const char *bench_page_style(const struct bench_page *page, const char *contender);
void bench_page_legend(const struct bench_page *page);

/* ---- page_plots.c ---- */
/* Of one scenario: its percentiles, or its bars. False: there is nothing to draw. */
bool bench_page_scenario_plots(const struct bench_page *page, const struct bench_ranking *ranking);
/* CPU time beside each way of waiting. */
void bench_page_scenario_cpu(const struct bench_page *page, const struct bench_ranking *ranking);

/* ---- page_curves.c ---- */
/* All curves over an axis that the group has. */
void bench_page_curves(const struct bench_page *page, enum bench_group group);

/* ---- page_tables.c ---- */
void bench_page_scenario_table(const struct bench_page *page, const struct bench_ranking *ranking);
void bench_page_group_table(const struct bench_page *page, enum bench_group group); /* all in one */
/* Numbers first: how often ahead, how many targets met, what drifted. */
void bench_page_summary(const struct bench_page *page);

/* ---- page_standing.c ---- */
/* All scenarios of all groups, one after the other, beginning with {0, 0}; false: there are no more. */
struct bench_page_walk {
    unsigned group, index;
};
bool bench_page_next(const struct bench_page *page, struct bench_page_walk *walk,
                     struct bench_ranking *ranking);
/* Peal's best against the best peer, scenario by scenario. */
void bench_page_standing(const struct bench_page *page);

/* ---- page_behind.c ---- */
/* Where Peal is behind and why, and where that is undecided, peer by peer; then what scenarios aim at. */
void bench_page_behind(const struct bench_page *page);
void bench_page_aims(const struct bench_page *page);
void bench_page_short(const struct bench_page *page);   /* targets that were not met */
void bench_page_drifted(const struct bench_page *page); /* and what was cut, or is partial */

/* ---- page_facts.c ---- */
void bench_page_facts(const struct bench_page *page);
void bench_page_method(const struct bench_page *page);
void bench_page_reproduce(const struct bench_page *page);
const char *bench_page_fact(const struct bench_page *page, const char *key); /* NULL: none */

/* ---- page_style.c ---- */
extern const char bench_page_css[];
extern const char bench_page_script[];

#endif
