/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/report/ranking.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *bench_ranking_scenario(const struct bench_results *results, enum bench_group group,
                                   unsigned index)
{
    unsigned seen = 0;

    for (size_t i = 0; i < results->count; i++) {
        const struct bench_record *record = results->records[i];
        bool is_first = record->group == group;
        for (size_t k = 0; k < i && is_first; k++) {
            is_first = results->records[k]->group != group ||
                       strcmp(results->records[k]->scenario, record->scenario) != 0;
        }
        if (is_first && seen++ == index)
            return record->scenario;
    }
    return NULL;
}

struct bench_title bench_ranking_title(enum bench_group group, const char *scenario)
{
    const char *first = bench_group_name(group);
    size_t length = strlen(first);
    struct bench_title title;

    if (strncmp(scenario, first, length) == 0 && scenario[length] == '/')
        scenario += length + 1;
    snprintf(title.text, sizeof(title.text), "%s/%s", first, scenario);
    return title;
}

bool bench_ranking_wants_one_table(const struct bench_results *results, enum bench_group group)
{
    unsigned scenarios = 0, records = 0;

    while (bench_ranking_scenario(results, group, scenarios) != NULL)
        scenarios++;
    for (size_t i = 0; i < results->count; i++)
        records += results->records[i]->group == group;
    return records < 3 * scenarios && scenarios > 1;
}

/* Below 0: `left` comes first. */
static int order(const struct bench_record *left, const struct bench_record *right)
{
    bool left_floor = left->party == BENCH_PARTY_FLOOR;
    bool right_floor = right->party == BENCH_PARTY_FLOOR;

    if (left_floor || right_floor)
        return (int)left_floor - (int)right_floor;
    double a = bench_record_values(left).median, b = bench_record_values(right).median;
    if (isnan(a) || isnan(b))
        return (int)isnan(a) - (int)isnan(b);
    return bench_unit_small_is_good(left->unit) ? (a > b) - (a < b) : (a < b) - (a > b);
}

/* Insertion keeps the order of arrival among equals; there are some twenty. */
static void insert(struct bench_ranking *ranking, const struct bench_record *record)
{
    unsigned place = ranking->count;

    if (ranking->count == BENCH_RANKING_MAX)
        return;
    while (place > 0 && order(record, ranking->records[place - 1]) < 0) {
        ranking->records[place] = ranking->records[place - 1];
        place--;
    }
    ranking->records[place] = record;
    ranking->count++;
    ranking->floors += record->party == BENCH_PARTY_FLOOR;
}

struct bench_ranking bench_ranking_of(const struct bench_results *results, enum bench_group group,
                                      const char *scenario)
{
    struct bench_ranking ranking = {.scenario = scenario, .group = group, .ahead = {NAN, NAN, NAN}};

    for (size_t i = 0; i < results->count; i++) {
        const struct bench_record *record = results->records[i];
        if (record->group == group && strcmp(record->scenario, scenario) == 0)
            insert(&ranking, record);
    }
    for (unsigned i = 0; i < ranking.count - ranking.floors; i++) {
        const struct bench_record *record = ranking.records[i];
        if (isnan(bench_record_values(record).median))
            continue;
        if (ranking.best == NULL)
            ranking.best = record;
        if (ranking.peal == NULL && record->party == BENCH_PARTY_PEAL)
            ranking.peal = record;
        if (ranking.peer == NULL && record->party == BENCH_PARTY_PEER)
            ranking.peer = record;
    }
    if (ranking.peal != NULL && ranking.peer != NULL)
        ranking.ahead = bench_record_against(ranking.peal, ranking.peer);
    return ranking;
}

enum bench_verdict bench_ranking_verdict(const struct bench_ranking *ranking)
{
    double median = ranking->ahead.median;

    if (!isfinite(median))
        return BENCH_VERDICT_ALONE;
    return median > 1.02   ? BENCH_VERDICT_AHEAD
           : median < 0.98 ? BENCH_VERDICT_BEHIND
                           : BENCH_VERDICT_EVEN;
}

int bench_record_target_met(const struct bench_record *record)
{
    double ratio = bench_record_ratio(record).median;

    if (record->target <= 0 || isnan(ratio))
        return -1;
    return bench_unit_small_is_good(record->unit) ? ratio <= record->target
                                                  : ratio >= record->target;
}
