/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The answers that a reader comes for: where Peal is ahead, where it is not, what to doubt.
 */
#include "bench/report/axis.h"
#include "bench/report/format.h"
#include "bench/report/page.h"
#include "bench/report/svg.h"

#include <math.h>

bool bench_page_next(const struct bench_page *page, struct bench_page_walk *walk,
                     struct bench_ranking *ranking)
{
    for (; walk->group < BENCH_GROUPS; walk->group++, walk->index = 0) {
        enum bench_group group = (enum bench_group)walk->group;
        const char *scenario = bench_ranking_scenario(page->results, group, walk->index);
        if (scenario == NULL)
            continue;
        walk->index++;
        *ranking = bench_ranking_of(page->results, group, scenario);
        return true;
    }
    return false;
}

static void tile(FILE *out, const char *style, unsigned count, unsigned of, const char *text)
{
    fprintf(out, "<div class=\"tile %s\"><b>%u", style, count);
    if (of > 0)
        fprintf(out, "<small> of %u</small>", of);
    fprintf(out, "</b><span>%s</span></div>\n", text);
}

/* How often each verdict is of Peal beside all peers, and what became of the aims. */
static void count_verdicts(const struct bench_page *page, unsigned verdicts[BENCH_VERDICTS],
                           unsigned *aims, unsigned *aims_met)
{
    struct bench_page_walk walk = {0, 0};
    struct bench_ranking ranking;
    struct bench_aimed aimed;

    while (bench_page_next(page, &walk, &ranking)) {
        verdicts[bench_ranking_verdict(&ranking)]++;
        if (!bench_ranking_aim(&ranking, &aimed))
            continue;
        (*aims)++;
        *aims_met += aimed.is_met;
    }
}

static void standing_tiles(const struct bench_page *page)
{
    unsigned verdicts[BENCH_VERDICTS] = {0}, aims = 0, aims_met = 0, contested = 0;

    count_verdicts(page, verdicts, &aims, &aims_met);
    for (unsigned i = BENCH_VERDICT_AHEAD; i < BENCH_VERDICTS; i++)
        contested += verdicts[i];
    unsigned ahead = verdicts[BENCH_VERDICT_AHEAD], behind = verdicts[BENCH_VERDICT_BEHIND];
    tile(page->out, ahead + verdicts[BENCH_VERDICT_EVEN] == contested ? "good" : "", ahead,
         contested, "scenarios in which Peal is ahead of every peer, beyond chance");
    tile(page->out, "", verdicts[BENCH_VERDICT_EVEN], 0, "in which the nearest peer is within 2 %");
    tile(page->out, verdicts[BENCH_VERDICT_UNDECIDED] > 0 ? "warn" : "",
         verdicts[BENCH_VERDICT_UNDECIDED], 0, "in which the rounds do not decide it");
    tile(page->out, behind > 0 ? "bad" : "", behind, 0,
         "in which Peal is behind a peer, beyond chance");
    if (aims > 0)
        tile(page->out, aims_met == aims ? "good" : "bad", aims_met, aims,
             "targets of queues beside their peers are met");
}

void bench_page_summary(const struct bench_page *page)
{
    unsigned met = 0, targets = 0, drifted = 0, rounds = 0, cut = 0;

    for (size_t i = 0; i < page->results->count; i++) {
        const struct bench_record *record = page->results->records[i];
        int is_met = bench_record_target_met(record);
        targets += is_met >= 0;
        met += is_met > 0;
        drifted += bench_record_drifted(record);
        rounds += record->rounds;
        cut += record->cut;
    }
    fputs("<div class=\"tiles\">\n", page->out);
    standing_tiles(page);
    if (targets > 0)
        tile(page->out, met == targets ? "good" : "bad", met, targets,
             "targets of ratios to a floor are met");
    tile(page->out, drifted > 0 ? "warn" : "", drifted, rounds,
         "measured values from rounds in which the machine drifted");
    tile(page->out, cut > 0 ? "warn" : "", cut, 0, "rounds did not end and were killed");
    fputs("</div>\n", page->out);
}

/* The median as a dot on a logarithmic axis around 1, with the spread of the rounds. */
static void mark(FILE *out, struct bench_spread ahead, const struct bench_axis *axis)
{
    if (!isfinite(ahead.median)) {
        fputs("<td class=\"mark\"></td>", out);
        return;
    }
    double one = bench_axis_at(axis, 1), median = bench_axis_at(axis, ahead.median);
    fputs("<td class=\"mark\">", out);
    bench_svg_begin(out, ahead.median < 0.98 ? "marker behind" : "marker", 220, 18,
                    "Where the ratio lies");
    bench_svg_line(out, "grid", 0, 9, 220, 9);
    bench_svg_line(out, "one", one, 1, one, 17);
    bench_svg_line(out, "range", bench_axis_at(axis, ahead.min), 9, bench_axis_at(axis, ahead.max),
                   9);
    bench_svg_dot(out, "median", median, 9, 4.5);
    bench_svg_end(out);
    fputs("</td>", out);
}

static void name_cell(const struct bench_page *page, const char *contender)
{
    fprintf(page->out, "<td class=\"%s\"><i class=\"dot\"></i>", bench_page_style(page, contender));
    bench_markup_text(page->out, contender);
    fputs("</td>", page->out);
}

/* "1.83 ×" and its spread; of a stop: how often either was wedged. */
static void times_cells(FILE *out, const struct bench_ranking *ranking)
{
    if (ranking->peal->wedged_ns > 0)
        fprintf(out,
                "<td class=\"n\" data-v=\"%u\"><b>%u</b> of %u</td><td class=\"n dim\">wedged; "
                "the peer in %u of %u</td>",
                bench_record_wedged(ranking->peal), bench_record_wedged(ranking->peal),
                ranking->peal->rounds, bench_record_wedged(ranking->peer), ranking->peer->rounds);
    else
        fprintf(out,
                "<td class=\"n\" data-v=\"%.10g\"><b>%s ×</b></td><td class=\"n dim\" "
                "data-v=\"%.10g\">%s – %s</td>",
                ranking->ahead.median, bench_format_ratio(ranking->ahead.median).text,
                ranking->ahead.max - ranking->ahead.min,
                bench_format_ratio(ranking->ahead.min).text,
                bench_format_ratio(ranking->ahead.max).text);
}

static void standing_row(const struct bench_page *page, const struct bench_ranking *ranking,
                         const struct bench_axis *axis)
{
    static const char *const styles[BENCH_VERDICTS] = {[BENCH_VERDICT_AHEAD] = "good",
                                                       [BENCH_VERDICT_UNDECIDED] = "warn",
                                                       [BENCH_VERDICT_BEHIND] = "bad"};
    enum bench_verdict verdict = bench_ranking_verdict(ranking);
    struct bench_pairs pairs = bench_record_pairs(ranking->peal, ranking->peer);
    bool is_of_wedges = ranking->peal->wedged_ns > 0;
    FILE *out = page->out;

    fprintf(out, "<tr><th scope=\"row\"><a href=\"#s-%u-", (unsigned)ranking->group);
    bench_markup_text(out, ranking->scenario);
    fputs("\">", out);
    bench_markup_text(out, bench_ranking_title(ranking->group, ranking->scenario).text);
    fputs("</a></th>", out);
    mark(out, is_of_wedges ? pairs.times : ranking->ahead, axis);
    times_cells(out, ranking);
    fprintf(out, "<td class=\"n dim\" data-v=\"%.10g\">%u of %u, p %.3f</td>", pairs.chance,
            pairs.better, pairs.decided, pairs.chance);
    fprintf(out, "<td class=\"%s\">%s</td>", styles[verdict] != NULL ? styles[verdict] : "",
            bench_verdict_name(verdict));
    name_cell(page, ranking->peal->contender);
    name_cell(page, ranking->peer->contender);
    fputs("</tr>\n", out);
}

static struct bench_axis common_axis(const struct bench_page *page, unsigned *contested)
{
    double low = 0.5, high = 2;
    struct bench_page_walk walk = {0, 0};
    struct bench_ranking ranking;

    *contested = 0;
    while (bench_page_next(page, &walk, &ranking)) {
        if (bench_ranking_verdict(&ranking) == BENCH_VERDICT_ALONE)
            continue;
        (*contested)++;
        if (ranking.peal->wedged_ns > 0 || !isfinite(ranking.ahead.median))
            continue;
        low = fmin(low, fmax(ranking.ahead.min, 1e-3));
        high = fmax(high, ranking.ahead.max);
    }
    return bench_axis_tight(low, high, true, 7, 213);
}

void bench_page_standing(const struct bench_page *page)
{
    unsigned contested;
    struct bench_axis axis = common_axis(page, &contested);
    struct bench_page_walk walk = {0, 0};
    struct bench_ranking ranking;

    fputs("<section id=\"standing\"><h2>Peal and the best peer</h2>\n", page->out);
    if (contested == 0) {
        fputs("<p>No scenario of this run has both a peer and Peal.</p></section>\n", page->out);
        return;
    }
    fprintf(
        page->out,
        "<p>In each scenario the best of Peal's ways against the best of the peers, by medians: "
        "how many times better, round by round, with the least and the most of the rounds; in how "
        "many of the rounds that differ Peal was ahead, and how probable so uneven a count is by "
        "chance (sign test). Right of the upright line, which is 1, Peal is ahead. \"Peal is\" "
        "takes all peers together: behind as soon as one is better beyond chance, undecided as "
        "soon "
        "as the rounds contradict each other about one. Of stops it counts in how many rounds "
        "everybody was wedged.</p>\n"
        "<div class=\"scroll\"><table class=\"sortable\"><thead><tr><th "
        "scope=\"col\">scenario</th><th scope=\"col\"><div class=\"mark\"><span>%s ×</span> "
        "<span>logarithmic</span> <span>%s ×</span></div></th><th scope=\"col\" class=\"n\">times "
        "better</th>"
        "<th scope=\"col\" class=\"n\">least – most</th><th scope=\"col\" class=\"n\">rounds "
        "ahead</th><th scope=\"col\">Peal is</th>"
        "<th scope=\"col\">Peal's best</th><th scope=\"col\">best peer</th></tr></thead><tbody>\n",
        bench_format_ratio(axis.low).text, bench_format_ratio(axis.high).text);
    while (bench_page_next(page, &walk, &ranking)) {
        if (bench_ranking_verdict(&ranking) != BENCH_VERDICT_ALONE)
            standing_row(page, &ranking, &axis);
    }
    fputs("</tbody></table></div></section>\n", page->out);
}

void bench_page_short(const struct bench_page *page)
{
    unsigned count = 0;

    fputs("<section id=\"short\"><h2>Targets that were missed</h2>\n<dl class=\"why\">", page->out);
    for (size_t i = 0; i < page->results->count; i++) {
        const struct bench_record *record = page->results->records[i];
        struct bench_spread ratio = bench_record_ratio(record);
        if (bench_record_target_met(record) != 0)
            continue;
        count++;
        fputs("<div><dt>", page->out);
        bench_markup_text(page->out, record->name);
        fprintf(page->out, "</dt><dd>%s [%s .. %s] of ", bench_format_ratio(ratio.median).text,
                bench_format_ratio(ratio.min).text, bench_format_ratio(ratio.max).text);
        bench_markup_text(page->out, record->floor != NULL ? record->floor : "its floor");
        fprintf(page->out, ", wanted %s %s. ", bench_unit_small_is_good(record->unit) ? "≤" : "≥",
                bench_format_ratio(record->target).text);
        if (record->note != NULL)
            bench_markup_text(page->out, record->note);
        fputs("</dd></div>\n", page->out);
    }
    fputs("</dl>", page->out);
    if (count == 0)
        fputs("<p>None.</p>", page->out);
    fputs("</section>\n", page->out);
}

void bench_page_drifted(const struct bench_page *page)
{
    unsigned count = 0;

    fputs(
        "<section id=\"doubt\"><h2>What drifted, or was cut</h2>\n<p>Around each round the raw "
        "ping-pong of one "
        "cache line is measured. Where it moved by more than 20 % the machine itself changed; the "
        "rounds are kept and marked.</p>\n<div class=\"scroll\"><table class=\"sortable\"><thead>"
        "<tr><th scope=\"col\">record</th><th scope=\"col\" class=\"n\">rounds</th>"
        "<th scope=\"col\" class=\"n\">drifted</th><th scope=\"col\" class=\"n\">cut</th>"
        "<th scope=\"col\">interrupted</th></tr></thead><tbody>\n",
        page->out);
    for (size_t i = 0; i < page->results->count; i++) {
        const struct bench_record *record = page->results->records[i];
        unsigned drifted = bench_record_drifted(record);
        bool is_partial = (record->remarks & BENCH_REMARK_PARTIAL) != 0;
        if (drifted == 0 && record->cut == 0 && !is_partial)
            continue;
        count++;
        fputs("<tr><td>", page->out);
        bench_markup_text(page->out, record->name);
        fprintf(page->out,
                "</td><td class=\"n\">%u</td><td class=\"n\">%u</td><td class=\"n\">%u</td>"
                "<td>%s</td></tr>\n",
                record->rounds, drifted, record->cut, is_partial ? "yes" : "");
    }
    fprintf(page->out, "</tbody></table></div><p>%u of %zu records.</p></section>\n", count,
            page->results->count);
}
