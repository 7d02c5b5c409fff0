/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/report/format.h"
#include "bench/report/page.h"
#include "bench/report/svg.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *name;
    double fraction;
} quantiles[] = {{"p50", 0.5}, {"p99", 0.99}, {"p99.9", 0.999}, {"p99.99", 0.9999}, {"max", 1}};

enum { QUANTILES = sizeof(quantiles) / sizeof(quantiles[0]) };

struct columns {
    bool scenario, latency, cpu, floor, target, pairs, wedged;
};

static void add_columns(struct columns *columns, const struct bench_record *record)
{
    columns->latency |= record->latency != NULL && record->latency->total > 0;
    columns->cpu |= isfinite(record->cpu_ns);
    columns->floor |= isfinite(bench_record_ratio(record).median);
    columns->target |= record->target > 0;
    columns->wedged |= record->wedged_ns > 0;
}

static void head(FILE *out, const struct columns *columns)
{
    fputs("<div class=\"scroll\"><table class=\"sortable\"><thead><tr>", out);
    if (columns->scenario)
        fputs("<th scope=\"col\">scenario</th>", out);
    fputs("<th scope=\"col\">contender</th><th scope=\"col\" class=\"n\">median</th>"
          "<th scope=\"col\" class=\"n\">least – most</th>",
          out);
    if (columns->floor)
        fputs("<th scope=\"col\" class=\"n\">of floor</th>", out);
    if (columns->target)
        fputs("<th scope=\"col\">target</th>", out);
    if (columns->wedged)
        fputs("<th scope=\"col\" class=\"n\">wedged</th>", out);
    if (columns->pairs)
        fputs("<th scope=\"col\" class=\"n\">Peal's best beside it</th>", out);
    for (unsigned i = 0; i < QUANTILES && columns->latency; i++)
        fprintf(out, "<th scope=\"col\" class=\"n\">%s</th>", quantiles[i].name);
    if (columns->cpu)
        fputs("<th scope=\"col\" class=\"n\">CPU/msg</th>", out);
    fputs("<th scope=\"col\">remarks</th></tr></thead><tbody>\n", out);
}

/* data-v is what sorting goes by. */
static void number_cell(FILE *out, double value, struct bench_text text)
{
    if (isfinite(value))
        fprintf(out, "<td class=\"n\" data-v=\"%.10g\">%s</td>", value, text.text);
    else
        fputs("<td class=\"n\"></td>", out);
}

/* "277 – 295 ns": the unit once, where it is the same. */
static void spread_cell(FILE *out, struct bench_spread spread, enum bench_unit unit)
{
    if (isnan(spread.median)) {
        fputs("<td class=\"n\"></td>", out);
        return;
    }
    struct bench_text min = bench_format_value(spread.min, unit);
    struct bench_text max = bench_format_value(spread.max, unit);
    char *min_unit = strrchr(min.text, ' ');
    const char *max_unit = strrchr(max.text, ' ');
    if (min_unit != NULL && max_unit != NULL && strcmp(min_unit, max_unit) == 0)
        *min_unit = '\0';
    fprintf(out, "<td class=\"n dim\" data-v=\"%.10g\">%s – %s</td>", spread.max - spread.min,
            min.text, max.text);
}

static void target_cell(FILE *out, const struct bench_record *record)
{
    int is_met = bench_record_target_met(record);

    if (is_met < 0) {
        fputs("<td></td>", out);
        return;
    }
    fprintf(out, "<td class=\"%s\">%s %s %s</td>", is_met ? "good" : "bad",
            bench_unit_small_is_good(record->unit) ? "≤" : "≥",
            bench_format_ratio(record->target).text, is_met ? "met" : "short");
}

static void wedged_cell(FILE *out, const struct bench_record *record)
{
    unsigned wedged = bench_record_wedged(record);

    fprintf(out, "<td class=\"n%s\" data-v=\"%u\">%u of %u</td>", wedged > 0 ? " bad" : "", wedged,
            wedged, record->rounds);
}

/* "1.83 ×, 11 of 11, p 0.001" */
static void pairs_cell(FILE *out, const struct bench_pairs *pairs)
{
    static const char *const styles[BENCH_VERDICTS] = {[BENCH_VERDICT_AHEAD] = " good",
                                                       [BENCH_VERDICT_UNDECIDED] = " warn",
                                                       [BENCH_VERDICT_BEHIND] = " bad"};
    const char *style = styles[bench_pairs_verdict(pairs)];
    double times = pairs->times.median;

    if (pairs->rounds == 0) {
        fputs("<td></td>", out);
        return;
    }
    fprintf(out, "<td class=\"n%s\" data-v=\"%.10g\">", style != NULL ? style : "",
            isfinite(times) ? times : (double)pairs->better - (double)pairs->decided);
    if (isfinite(times))
        fprintf(out, "%s ×, ", bench_format_ratio(times).text);
    fprintf(out, "%u of %u, p %.3f</td>", pairs->better, pairs->decided, pairs->chance);
}

static void remarks_cell(FILE *out, const struct bench_record *record)
{
    unsigned drifted = bench_record_drifted(record);
    const char *between = "";

    fputs("<td class=\"remarks\">", out);
    for (unsigned bit = 0; bench_remark_name(bit) != NULL; bit++) {
        if ((record->remarks >> bit & 1) == 0)
            continue;
        fputs(between, out);
        if (1u << bit == BENCH_REMARK_CUT)
            fprintf(out, "%u ", record->cut);
        fputs(bench_remark_name(bit), out);
        between = ", ";
    }
    if (drifted > 0)
        fprintf(out, "%s<span class=\"warn\">drift %u/%u</span>", between, drifted, record->rounds);
    fputs("</td>", out);
}

static bool has_said(const struct bench_record *const *records, size_t count, const char *floor)
{
    for (size_t i = 0; i < count; i++) {
        if (records[i]->floor != NULL && strcmp(records[i]->floor, floor) == 0)
            return true;
    }
    return false;
}

static void foot_floors(FILE *out, const struct bench_record *const *records, size_t count)
{
    bool is_begun = false;

    for (size_t i = 0; i < count; i++) {
        const char *floor = records[i]->floor;
        if (floor == NULL || has_said(records, i, floor))
            continue;
        fputs(is_begun ? ", " : "<p class=\"foot\">Floor: ", out);
        bench_markup_text(out, floor);
        is_begun = true;
    }
    if (is_begun)
        fputs("</p>\n", out);
}

/* What the ratios are to, and the notes: below the table, where they do not stretch its rows. */
static void foot(FILE *out, const struct bench_record *const *records, size_t count)
{
    unsigned notes = 0;

    fputs("</tbody></table></div>\n", out);
    foot_floors(out, records, count);
    for (size_t i = 0; i < count; i++)
        notes += records[i]->note != NULL;
    if (notes == 0)
        return;
    fprintf(out, "<details class=\"foot\"><summary>Notes: %u</summary><dl>", notes);
    for (size_t i = 0; i < count; i++) {
        if (records[i]->note == NULL)
            continue;
        fputs("<div><dt>", out);
        bench_markup_text(out, records[i]->contender);
        fputs("</dt><dd>", out);
        bench_markup_text(out, records[i]->note);
        fputs("</dd></div>\n", out);
    }
    fputs("</dl></details>\n", out);
}

static void latency_cells(FILE *out, const struct bench_record *record)
{
    bool has = record->latency != NULL && record->latency->total > 0;

    for (unsigned i = 0; i < QUANTILES; i++) {
        double ns = has ? bench_histogram_quantile(record->latency, quantiles[i].fraction) : NAN;
        number_cell(out, ns, bench_format_value(ns, BENCH_NS));
    }
}

static void row(const struct bench_page *page, const struct columns *columns,
                const struct bench_record *record, const struct bench_pairs *pairs, bool is_best)
{
    FILE *out = page->out;
    struct bench_spread values = bench_record_values(record);
    double ratio = bench_record_ratio(record).median;

    fprintf(out, "<tr class=\"%s%s%s\">", record->party == BENCH_PARTY_PEAL ? "peal " : "",
            record->party == BENCH_PARTY_FLOOR ? "floor " : "", is_best ? "best" : "");
    if (columns->scenario) {
        fputs("<td>", out);
        bench_markup_text(out, record->scenario);
        fputs("</td>", out);
    }
    fprintf(out, "<th scope=\"row\" class=\"%s\"><i class=\"dot\"></i>",
            bench_page_style(page, record->contender));
    bench_markup_text(out, record->contender);
    fprintf(out, "%s</th>", is_best ? " <b class=\"star\" title=\"best\">★</b>" : "");
    number_cell(out, values.median, bench_format_value(values.median, record->unit));
    spread_cell(out, values, record->unit);
    if (columns->floor)
        number_cell(out, ratio, bench_format_ratio(ratio));
    if (columns->target)
        target_cell(out, record);
    if (columns->wedged)
        wedged_cell(out, record);
    if (columns->pairs)
        pairs_cell(out, pairs);
    if (columns->latency)
        latency_cells(out, record);
    if (columns->cpu)
        number_cell(out, record->cpu_ns, bench_format_value(record->cpu_ns, BENCH_NS));
    remarks_cell(out, record);
    fputs("</tr>\n", out);
}

void bench_page_scenario_table(const struct bench_page *page, const struct bench_ranking *ranking)
{
    struct columns columns = {.pairs = ranking->peal != NULL && ranking->peer != NULL};

    for (unsigned i = 0; i < ranking->count; i++)
        add_columns(&columns, ranking->records[i]);
    head(page->out, &columns);
    for (unsigned i = 0; i < ranking->count; i++)
        row(page, &columns, ranking->records[i], &ranking->pairs[i],
            ranking->records[i] == ranking->best && ranking->count - ranking->floors > 1);
    foot(page->out, ranking->records, ranking->count);
}

void bench_page_group_table(const struct bench_page *page, enum bench_group group)
{
    struct columns columns = {.scenario = true};
    const struct bench_record **records = calloc(page->results->count + 1, sizeof(*records));
    size_t count = 0;

    for (size_t i = 0; i < page->results->count && records != NULL; i++) {
        if (page->results->records[i]->group != group)
            continue;
        records[count++] = page->results->records[i];
        add_columns(&columns, page->results->records[i]);
    }
    head(page->out, &columns);
    for (size_t i = 0; i < count; i++)
        row(page, &columns, records[i], NULL, false);
    foot(page->out, records, count);
    free(records);
}
