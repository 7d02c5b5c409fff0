/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where Peal is not ahead, peer by peer: what is certain with its reason, and what the rounds leave open.
 */
#include "bench/report/format.h"
#include "bench/report/page.h"
#include "bench/report/svg.h"

#include <math.h>

static void pair_entry(const struct bench_page *page, const struct bench_ranking *ranking,
                       unsigned index, bool has_reason)
{
    const struct bench_record *peer = ranking->records[index];
    const struct bench_pairs *pairs = &ranking->pairs[index];
    struct bench_spread times = bench_record_against(peer, ranking->peal);
    FILE *out = page->out;

    fputs("<div><dt>", out);
    bench_markup_text(out, bench_ranking_title(ranking->group, ranking->scenario).text);
    fputs("</dt><dd>", out);
    bench_markup_text(out, peer->contender);
    if (peer->wedged_ns > 0)
        fprintf(out, " was wedged in %u of %u rounds, ", bench_record_wedged(peer), peer->rounds);
    else
        fprintf(out, " is %s times [%s .. %s] as good as ", bench_format_ratio(times.median).text,
                bench_format_ratio(times.min).text, bench_format_ratio(times.max).text);
    bench_markup_text(out, ranking->peal->contender);
    if (peer->wedged_ns > 0)
        fprintf(out, " in %u of %u", bench_record_wedged(ranking->peal), ranking->peal->rounds);
    fprintf(out, ", better in %u of %u rounds (p %.3f). ", pairs->decided - pairs->better,
            pairs->decided, pairs->chance);
    if (has_reason)
        bench_markup_text(out, peer->reason != NULL ? peer->reason : "No reason has been noted.");
    fputs("</dd></div>\n", out);
}

static void pair_entries(const struct bench_page *page, enum bench_verdict verdict)
{
    struct bench_page_walk walk = {0, 0};
    struct bench_ranking ranking;
    unsigned count = 0, too_few = 0;

    fputs("<dl class=\"why\">", page->out);
    while (bench_page_next(page, &walk, &ranking)) {
        for (unsigned i = 0; i < ranking.count; i++) {
            if (bench_pairs_verdict(&ranking.pairs[i]) != verdict)
                continue;
            if (verdict == BENCH_VERDICT_UNDECIDED && !bench_pairs_can_decide(&ranking.pairs[i])) {
                too_few++;
                continue;
            }
            pair_entry(page, &ranking, i, verdict == BENCH_VERDICT_BEHIND);
            count++;
        }
    }
    fputs("</dl>", page->out);
    if (count + too_few == 0)
        fputs("<p>Nowhere in this run.</p>", page->out);
    if (too_few > 0)
        fprintf(page->out, "<p>%u pairs of Peal and a peer, for want of rounds.</p>", too_few);
}

void bench_page_behind(const struct bench_page *page)
{
    fprintf(page->out,
            "<section id=\"behind\"><h2>Where Peal is not ahead, and why</h2>\n"
            "<p>The best of Peal's ways in a scenario beside each peer in the same rounds.</p>\n"
            "<h3>Behind, beyond chance</h3><p>A sign test over the rounds, two-sided, with p of at "
            "most %.2f; medians that differ by more than 2 %%.</p>\n",
            BENCH_CHANCE);
    pair_entries(page, BENCH_VERDICT_BEHIND);
    fputs("<h3>Undecided</h3><p>The rounds contradict each other, or are too few: less than six "
          "decide nothing.</p>\n",
          page->out);
    pair_entries(page, BENCH_VERDICT_UNDECIDED);
    fputs("</section>\n", page->out);
}

static void aim_row(const struct bench_page *page, const struct bench_ranking *ranking,
                    const struct bench_aimed *aimed)
{
    const struct bench_pairs *pairs = &aimed->pairs;
    FILE *out = page->out;

    fputs("<tr><th scope=\"row\">", out);
    bench_markup_text(out, bench_ranking_title(ranking->group, ranking->scenario).text);
    fputs("</th><td>", out);
    bench_markup_text(out, ranking->peal->contender);
    fprintf(out, "</td><td>%s</td><td>", bench_aim_name(aimed->aim));
    bench_markup_text(out, aimed->peer != NULL ? aimed->peer->contender : "their median");
    fprintf(out,
            ", of %u</td><td class=\"n\" data-v=\"%.10g\"><b>%s ×</b></td><td class=\"n dim\">%s – "
            "%s</td><td class=\"n dim\">%u of %u, p %.3f</td><td class=\"%s\">%s</td></tr>\n",
            aimed->peers, isfinite(pairs->times.median) ? pairs->times.median : 0,
            bench_format_ratio(pairs->times.median).text, bench_format_ratio(pairs->times.min).text,
            bench_format_ratio(pairs->times.max).text, pairs->better, pairs->decided, pairs->chance,
            aimed->is_open  ? "warn"
            : aimed->is_met ? "good"
                            : "bad",
            bench_aimed_word(aimed));
}

void bench_page_aims(const struct bench_page *page)
{
    struct bench_page_walk walk = {0, 0};
    struct bench_ranking ranking;
    struct bench_aimed aimed;
    bool is_begun = false;

    while (bench_page_next(page, &walk, &ranking)) {
        if (!bench_ranking_aim(&ranking, &aimed))
            continue;
        if (!is_begun)
            fputs("<section id=\"aims\"><h2>Targets of queues</h2>\n<p>The best of Peal's ways "
                  "beside the peers, round by round. Peers that run as threads of one process, and "
                  "those that make a system call of each message, are no part of a target.</p>\n"
                  "<div class=\"scroll\"><table class=\"sortable\"><thead><tr><th scope=\"col\">"
                  "scenario</th><th scope=\"col\">Peal's best</th><th scope=\"col\">target</th>"
                  "<th scope=\"col\">decided by</th><th scope=\"col\" class=\"n\">times better</th>"
                  "<th scope=\"col\" class=\"n\">least – most</th><th scope=\"col\" class=\"n\">"
                  "rounds ahead</th><th scope=\"col\"></th></tr></thead><tbody>\n",
                  page->out);
        is_begun = true;
        aim_row(page, &ranking, &aimed);
    }
    if (is_begun)
        fputs("</tbody></table></div></section>\n", page->out);
}
