/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/report/format.h"
#include "bench/report/ranking.h"
#include "bench/report/report.h"

#include <math.h>
#include <string.h>

/* Columns, not bytes: "µ" and "–" are two and three bytes wide and one column. */
static int columns(const char *text)
{
    int count = 0;

    for (; *text != '\0'; text++)
        count += ((unsigned char)*text & 0xC0) != 0x80;
    return count;
}

/* width < 0: flush left. */
static void cell(FILE *out, const char *text, int width)
{
    int room = (width < 0 ? -width : width) - columns(text);

    fprintf(out, " %*s%s%*s", width > 0 && room > 0 ? room : 0, "", text,
            width < 0 && room > 0 ? room : 0, "");
}

static void spread_cell(FILE *out, struct bench_spread spread, enum bench_unit unit)
{
    char text[3 * BENCH_FORMAT_SIZE];

    snprintf(text, sizeof(text), "[%s .. %s]", bench_format_value(spread.min, unit).text,
             bench_format_value(spread.max, unit).text);
    cell(out, bench_format_value(spread.median, unit).text, 10);
    cell(out, isnan(spread.median) ? "" : text, -23);
}

static void ratio_cell(FILE *out, const struct bench_record *record)
{
    struct bench_spread ratio = bench_record_ratio(record);
    char text[3 * BENCH_FORMAT_SIZE];
    int is_met = bench_record_target_met(record);

    cell(out, isnan(ratio.median) ? "" : bench_format_ratio(ratio.median).text, 7);
    snprintf(text, sizeof(text), "[%s..%s]", bench_format_ratio(ratio.min).text,
             bench_format_ratio(ratio.max).text);
    cell(out, isnan(ratio.median) ? "" : text, -14);
    snprintf(text, sizeof(text), "%s %s %s", bench_unit_small_is_good(record->unit) ? "<=" : ">=",
             bench_format_ratio(record->target).text, is_met == 1 ? "met" : "SHORT");
    cell(out, is_met < 0 ? "" : text, -14);
}

static void latency_cells(FILE *out, const struct bench_record *record)
{
    static const double fractions[] = {0.5, 0.99, 0.999, 0.9999, 1};

    for (size_t i = 0; i < sizeof(fractions) / sizeof(fractions[0]); i++) {
        double ns = record->latency == NULL || record->latency->total == 0
                        ? NAN
                        : bench_histogram_quantile(record->latency, fractions[i]);
        cell(out, isnan(ns) ? "" : bench_format_value(ns, BENCH_NS).text, 8);
    }
}

static void remarks_cell(FILE *out, const struct bench_record *record)
{
    unsigned drifted = bench_record_drifted(record);

    if (record->wedged_ns > 0)
        fprintf(out, " WEDGED %u/%u;", bench_record_wedged(record), record->rounds);
    for (unsigned bit = 0; bench_remark_name(bit) != NULL; bit++) {
        if ((record->remarks >> bit & 1) == 0)
            continue;
        if (1u << bit == BENCH_REMARK_CUT)
            fprintf(out, " %u %s;", record->cut, bench_remark_name(bit));
        else
            fprintf(out, " %s;", bench_remark_name(bit));
    }
    if (drifted > 0)
        fprintf(out, " DRIFT %u/%u;", drifted, record->rounds);
}

/* Peal's best beside this peer: "1.83x 10/11 .012 +", times better, rounds ahead of rounds decided, how
 * probable that is by chance. */
static void pairs_cell(FILE *out, const struct bench_pairs *pairs)
{
    static const char *const signs[BENCH_VERDICTS] = {
        [BENCH_VERDICT_AHEAD] = " +", [BENCH_VERDICT_EVEN] = " =", [BENCH_VERDICT_BEHIND] = " -"};
    const char *sign = signs[bench_pairs_verdict(pairs)];
    char text[2 * BENCH_FORMAT_SIZE];

    snprintf(text, sizeof(text), "%s%s %u/%u %.3f%s",
             isfinite(pairs->times.median) ? bench_format_ratio(pairs->times.median).text : "",
             isfinite(pairs->times.median) ? "x" : "", pairs->better, pairs->decided, pairs->chance,
             sign != NULL ? sign : "");
    cell(out, pairs->rounds > 0 ? text : "", -23);
}

static bool any_has(const struct bench_ranking *ranking, bool latency)
{
    for (unsigned i = 0; i < ranking->count; i++) {
        const struct bench_record *record = ranking->records[i];
        if (latency ? record->latency != NULL && record->latency->total > 0
                    : isfinite(record->cpu_ns))
            return true;
    }
    return false;
}

struct columns {
    bool latency, cpu, pairs;
};

static void head_line(FILE *out, const struct columns *columns)
{
    fputs("   ", out);
    cell(out, "", -26);
    cell(out, "median", 10);
    cell(out, "[min .. max]", -23);
    cell(out, "/ floor", 7);
    cell(out, "", -14);
    cell(out, "target", -14);
    if (columns->pairs)
        cell(out, "Peal's best beside it", -23);
    if (columns->cpu)
        cell(out, "CPU/msg", 8);
    if (columns->latency) {
        static const char *const names[] = {"p50", "p99", "p99.9", "p99.99", "max"};
        for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
            cell(out, names[i], 8);
    }
    fputc('\n', out);
}

static void row(FILE *out, const struct bench_record *record, const char *mark,
                const struct columns *columns, const struct bench_pairs *pairs)
{
    fputs(mark, out);
    cell(out, record->contender, -26);
    spread_cell(out, bench_record_values(record), record->unit);
    ratio_cell(out, record);
    if (columns->pairs)
        pairs_cell(out, pairs);
    if (columns->cpu)
        cell(out, isfinite(record->cpu_ns) ? bench_format_value(record->cpu_ns, BENCH_NS).text : "",
             8);
    if (columns->latency)
        latency_cells(out, record);
    remarks_cell(out, record);
    fputc('\n', out);
}

static void aim_line(FILE *out, const struct bench_ranking *ranking)
{
    struct bench_aimed aimed;

    if (!bench_ranking_aim(ranking, &aimed))
        return;
    fprintf(out,
            "    target: %s (of %u%s%s): %s times [%s..%s], ahead in %u of %u rounds, p %.3f: %s\n",
            bench_aim_name(aimed.aim), aimed.peers, aimed.peer != NULL ? "; " : "",
            aimed.peer != NULL ? aimed.peer->contender : "",
            bench_format_ratio(aimed.pairs.times.median).text,
            bench_format_ratio(aimed.pairs.times.min).text,
            bench_format_ratio(aimed.pairs.times.max).text, aimed.pairs.better, aimed.pairs.decided,
            aimed.pairs.chance, bench_aimed_word(&aimed));
}

void bench_text_scenario(FILE *out, const struct bench_results *results, enum bench_group group,
                         const char *scenario)
{
    struct bench_ranking ranking = bench_ranking_of(results, group, scenario);
    struct columns columns = {.latency = any_has(&ranking, true),
                              .cpu = any_has(&ranking, false),
                              .pairs = ranking.peal != NULL && ranking.peer != NULL};

    fprintf(out, "%s\n", bench_ranking_title(group, scenario).text);
    head_line(out, &columns);
    for (unsigned i = 0; i < ranking.count; i++) {
        const struct bench_record *record = ranking.records[i];
        const char *mark = record == ranking.best               ? " * "
                           : record->party == BENCH_PARTY_FLOOR ? " _ "
                                                                : "   ";
        row(out, record, mark, &columns, &ranking.pairs[i]);
    }
    aim_line(out, &ranking);
    fputc('\n', out);
}

static void one_table(FILE *out, const struct bench_results *results, enum bench_group group)
{
    struct columns columns = {.latency = false};
    const char *scenario;

    for (unsigned i = 0; (scenario = bench_ranking_scenario(results, group, i)) != NULL; i++) {
        struct bench_ranking ranking = bench_ranking_of(results, group, scenario);
        columns.latency |= any_has(&ranking, true);
        columns.cpu |= any_has(&ranking, false);
    }
    cell(out, "", -26);
    head_line(out, &columns);
    for (unsigned i = 0; (scenario = bench_ranking_scenario(results, group, i)) != NULL; i++) {
        struct bench_ranking ranking = bench_ranking_of(results, group, scenario);
        for (unsigned k = 0; k < ranking.count; k++) {
            cell(out, scenario, -26);
            row(out, ranking.records[k],
                ranking.records[k]->party == BENCH_PARTY_FLOOR ? " _ " : "   ", &columns,
                &ranking.pairs[k]);
        }
    }
    fputc('\n', out);
}

void bench_text_head(FILE *out, const struct bench_results *results)
{
    for (size_t i = 0; i < results->facts_count; i++)
        fprintf(out, "%-18s %s\n", results->facts[i].key, results->facts[i].value);
    fprintf(out,
            "\nMedian [min .. max] of the rounds; /floor: ratio, round by round. * best, _ floor, "
            "DRIFT: rounds around which the raw\nping-pong moved by more than 20 %%. Beside a "
            "peer: how many times better the best of Peal's ways is, in how many rounds\nof those "
            "that differ, and how probable so uneven a count is by chance (sign test); + ahead, - "
            "behind, = within 2 %%, no\nmark: undecided. One reading of the clock costs %.1f "
            "ns.\n\n",
            results->clock_cost_ns);
}

void bench_text_group(FILE *out, const struct bench_results *results, enum bench_group group)
{
    const char *scenario;

    if (bench_ranking_scenario(results, group, 0) == NULL)
        return;
    fprintf(out, "== %s ==\n\n", bench_group_name(group));
    if (bench_ranking_wants_one_table(results, group)) {
        one_table(out, results, group);
        return;
    }
    for (unsigned i = 0; (scenario = bench_ranking_scenario(results, group, i)) != NULL; i++)
        bench_text_scenario(out, results, group, scenario);
}
