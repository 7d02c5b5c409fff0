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

void bench_ranking_each(FILE *out, const struct bench_results *results, void *context,
                        void (*each)(FILE *out, const struct bench_ranking *ranking, void *context))
{
    for (unsigned group = 0; group < BENCH_GROUPS; group++) {
        const char *scenario;
        for (unsigned i = 0;
             (scenario = bench_ranking_scenario(results, (enum bench_group)group, i)) != NULL;
             i++) {
            struct bench_ranking ranking =
                bench_ranking_of(results, (enum bench_group)group, scenario);
            each(out, &ranking, context);
        }
    }
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
    if (left->wedged_ns > 0 && bench_record_wedged(left) != bench_record_wedged(right))
        return bench_record_wedged(left) < bench_record_wedged(right) ? -1 : 1;
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
    for (unsigned i = 0; i < ranking.count && ranking.peal != NULL; i++) {
        if (ranking.records[i]->party == BENCH_PARTY_PEER)
            ranking.pairs[i] = bench_record_pairs(ranking.peal, ranking.records[i]);
    }
    return ranking;
}

/* ---- verdicts ---- */

const char *bench_verdict_name(enum bench_verdict verdict)
{
    static const char *const names[BENCH_VERDICTS] = {
        [BENCH_VERDICT_ALONE] = "alone",   [BENCH_VERDICT_AHEAD] = "ahead",
        [BENCH_VERDICT_EVEN] = "even",     [BENCH_VERDICT_UNDECIDED] = "undecided",
        [BENCH_VERDICT_BEHIND] = "behind",
    };

    return (unsigned)verdict < BENCH_VERDICTS ? names[verdict] : "?";
}

enum bench_verdict bench_pairs_verdict(const struct bench_pairs *pairs)
{
    double median = pairs->times.median;

    if (pairs->rounds == 0)
        return BENCH_VERDICT_ALONE;
    if (pairs->decided == 0 || (isfinite(median) && median > 0.98 && median < 1.02))
        return BENCH_VERDICT_EVEN;
    if (pairs->chance > BENCH_CHANCE)
        return BENCH_VERDICT_UNDECIDED;
    return 2 * pairs->better > pairs->decided ? BENCH_VERDICT_AHEAD : BENCH_VERDICT_BEHIND;
}

bool bench_pairs_can_decide(const struct bench_pairs *pairs)
{
    return bench_sign_test(0, pairs->decided) <= BENCH_CHANCE;
}

enum bench_verdict bench_ranking_verdict(const struct bench_ranking *ranking)
{
    enum bench_verdict worst = BENCH_VERDICT_ALONE;

    for (unsigned i = 0; i < ranking->count; i++) {
        enum bench_verdict verdict = bench_pairs_verdict(&ranking->pairs[i]);
        if (verdict > worst)
            worst = verdict;
    }
    return worst;
}

/* ---- aims ---- */

static bool is_of_aim(const struct bench_ranking *ranking, const struct bench_record *record,
                      enum bench_aim aim)
{
    bool has_boundary = (ranking->peal->remarks & BENCH_REMARK_THREADS) != 0 ||
                        (record->remarks & BENCH_REMARK_THREADS) == 0;
    bool is_wedgeable = (record->remarks & BENCH_REMARK_WEDGEABLE) != 0;

    return record->party == BENCH_PARTY_PEER && record->rounds > 0 && has_boundary &&
           (record->remarks & BENCH_REMARK_KERNEL) == 0 &&
           (aim != BENCH_AIM_WEDGEABLE || is_wedgeable);
}

/* Of the peers in this round; NAN: Peal has no value in it, or nobody else. */
static double median_of_peers(const struct bench_ranking *ranking, unsigned round)
{
    double values[BENCH_RANKING_MAX];
    struct bench_record peers = {.values = values};

    for (unsigned i = 0; i < ranking->count; i++) {
        const struct bench_record *record = ranking->records[i];
        if (is_of_aim(ranking, record, BENCH_AIM_MEDIAN) && round < record->rounds)
            values[peers.rounds++] = record->values[round];
    }
    return bench_record_values(&peers).median;
}

static struct bench_pairs against_median(const struct bench_ranking *ranking)
{
    const struct bench_record *peal = ranking->peal;
    double medians[BENCH_RECORD_ROUNDS_MAX];

    for (unsigned round = 0; round < peal->rounds; round++)
        medians[round] = median_of_peers(ranking, round);
    return bench_pairs_of(peal->values, medians, peal->rounds,
                          bench_unit_small_is_good(peal->unit));
}

/* Records are in the order of their medians, so the first that counts is the best. */
bool bench_ranking_aim(const struct bench_ranking *ranking, struct bench_aimed *aimed)
{
    *aimed = (struct bench_aimed){.aim = BENCH_AIM_NONE};
    if (ranking->peal == NULL || ranking->peal->aim == BENCH_AIM_NONE)
        return false;
    aimed->aim = ranking->peal->aim;
    for (unsigned i = 0; i < ranking->count; i++) {
        if (!is_of_aim(ranking, ranking->records[i], aimed->aim))
            continue;
        if (aimed->peers++ == 0 && aimed->aim != BENCH_AIM_MEDIAN)
            aimed->peer = ranking->records[i];
    }
    if (aimed->peers == 0)
        return false;
    aimed->pairs = aimed->peer != NULL ? bench_record_pairs(ranking->peal, aimed->peer)
                                       : against_median(ranking);
    double times = aimed->pairs.times.median;
    aimed->is_met = aimed->aim == BENCH_AIM_WEDGEABLE ? times > 1 : times >= 1;
    if (!isfinite(times))
        aimed->is_met = 2 * aimed->pairs.better > aimed->pairs.decided;
    aimed->is_open = aimed->pairs.chance > BENCH_CHANCE;
    return aimed->pairs.rounds > 0;
}

const char *bench_aim_name(enum bench_aim aim)
{
    switch (aim) {
    case BENCH_AIM_NONE:
        break;
    case BENCH_AIM_MEDIAN:
        return "at least the median of the peers";
    case BENCH_AIM_BEST:
        return "at least the best peer";
    case BENCH_AIM_WEDGEABLE:
        return "better than each peer that can be wedged";
    }
    return "none";
}

const char *bench_aimed_word(const struct bench_aimed *aimed)
{
    if (aimed->is_open)
        return aimed->is_met ? "met, may be chance" : "short, may be chance";
    return aimed->is_met ? "met" : "short";
}

/* ---- targets of ratios to a floor ---- */

int bench_record_target_met(const struct bench_record *record)
{
    double ratio = bench_record_ratio(record).median;

    if (record->target <= 0 || isnan(ratio))
        return -1;
    return bench_unit_small_is_good(record->unit) ? ratio <= record->target
                                                  : ratio >= record->target;
}
