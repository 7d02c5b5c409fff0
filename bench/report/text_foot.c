/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The end of the tables: where Peal is not ahead and why, what targets came to, what to doubt.
 */
#include "bench/report/format.h"
#include "bench/report/ranking.h"
#include "bench/report/report.h"

#include <math.h>

static void behind_line(FILE *out, const struct bench_ranking *ranking, unsigned index)
{
    const struct bench_record *peer = ranking->records[index];
    const struct bench_pairs *pairs = &ranking->pairs[index];
    struct bench_spread times = bench_record_against(peer, ranking->peal);

    fprintf(out, "  %s: ", bench_ranking_title(ranking->group, ranking->scenario).text);
    if (peer->wedged_ns > 0)
        fprintf(out, "%s was wedged in %u of %u rounds, %s in %u of %u", peer->contender,
                bench_record_wedged(peer), peer->rounds, ranking->peal->contender,
                bench_record_wedged(ranking->peal), ranking->peal->rounds);
    else
        fprintf(out, "%s is %s times [%s..%s] as good as %s", peer->contender,
                bench_format_ratio(times.median).text, bench_format_ratio(times.min).text,
                bench_format_ratio(times.max).text, ranking->peal->contender);
    fprintf(out, ", better in %u of %u rounds (p %.3f). %s\n", pairs->decided - pairs->better,
            pairs->decided, pairs->chance,
            peer->reason != NULL ? peer->reason : "No reason has been noted.");
}

static void behind_lines(FILE *out, const struct bench_ranking *ranking, void *context)
{
    unsigned *count = context;

    for (unsigned i = 0; i < ranking->count; i++) {
        if (bench_pairs_verdict(&ranking->pairs[i]) != BENCH_VERDICT_BEHIND)
            continue;
        if ((*count)++ == 0)
            fprintf(out, "Not ahead: behind, beyond chance (sign test, p <= %.2f):\n",
                    BENCH_CHANCE);
        behind_line(out, ranking, i);
    }
}

/* "iceoryx 1.07 times [0.90..1.20], 7/11" */
static void undecided_pair(FILE *out, const struct bench_ranking *ranking, unsigned index)
{
    const struct bench_record *peer = ranking->records[index];
    const struct bench_pairs *pairs = &ranking->pairs[index];
    struct bench_spread times = bench_record_against(peer, ranking->peal);

    if (peer->wedged_ns > 0)
        fprintf(out, "%s wedged in %u of %u", peer->contender, bench_record_wedged(peer),
                peer->rounds);
    else
        fprintf(out, "%s %s times [%s..%s]", peer->contender, bench_format_ratio(times.median).text,
                bench_format_ratio(times.min).text, bench_format_ratio(times.max).text);
    fprintf(out, ", %u/%u", pairs->decided - pairs->better, pairs->decided);
}

struct undecided {
    unsigned contradict; /* pairs */
    unsigned too_few;
};

static void undecided_lines(FILE *out, const struct bench_ranking *ranking, void *context)
{
    struct undecided *undecided = context;
    unsigned of_scenario = 0;

    for (unsigned i = 0; i < ranking->count; i++) {
        const struct bench_pairs *pairs = &ranking->pairs[i];
        if (bench_pairs_verdict(pairs) != BENCH_VERDICT_UNDECIDED)
            continue;
        if (!bench_pairs_can_decide(pairs)) {
            undecided->too_few++;
            continue;
        }
        if (undecided->contradict++ == 0)
            fputs("Not ahead: undecided, the rounds contradict each other. How many times as good "
                  "as Peal's best, in how many rounds better:\n",
                  out);
        if (of_scenario++ == 0)
            fprintf(out, "  %s, beside %s: ",
                    bench_ranking_title(ranking->group, ranking->scenario).text,
                    ranking->peal->contender);
        else
            fputs("; ", out);
        undecided_pair(out, ranking, i);
    }
    if (of_scenario > 0)
        fputc('\n', out);
}

static void say_undecided(FILE *out, const struct bench_results *results)
{
    struct undecided undecided = {.contradict = 0};

    bench_ranking_each(out, results, &undecided, undecided_lines);
    if (undecided.too_few > 0)
        fprintf(out,
                "Not ahead: undecided, for want of rounds: %u pairs of Peal and a peer; less than "
                "six rounds that differ decide nothing (--rounds).\n",
                undecided.too_few);
}

struct tally {
    unsigned scenarios[BENCH_VERDICTS], pairs[BENCH_VERDICTS];
    unsigned aims_met, aims_short, aims_open;
};

static void count(FILE *out, const struct bench_ranking *ranking, void *context)
{
    struct tally *tally = context;
    struct bench_aimed aimed;

    (void)out;
    tally->scenarios[bench_ranking_verdict(ranking)]++;
    for (unsigned i = 0; i < ranking->count; i++)
        tally->pairs[bench_pairs_verdict(&ranking->pairs[i])]++;
    if (!bench_ranking_aim(ranking, &aimed))
        return;
    tally->aims_met += aimed.is_met;
    tally->aims_short += !aimed.is_met;
    tally->aims_open += aimed.is_open;
}

static void say_verdicts(FILE *out, const char *what, const unsigned verdicts[BENCH_VERDICTS])
{
    fprintf(out, "%s: ahead %u, even %u, undecided %u, behind %u.", what,
            verdicts[BENCH_VERDICT_AHEAD], verdicts[BENCH_VERDICT_EVEN],
            verdicts[BENCH_VERDICT_UNDECIDED], verdicts[BENCH_VERDICT_BEHIND]);
}

void bench_text_foot(FILE *out, const struct bench_results *results)
{
    unsigned drifted = 0, cut = 0, met = 0, short_of = 0, behind = 0;
    struct tally tally = {.aims_met = 0};

    for (size_t i = 0; i < results->count; i++) {
        int is_met = bench_record_target_met(results->records[i]);
        drifted += bench_record_drifted(results->records[i]) > 0;
        cut += results->records[i]->cut;
        met += is_met == 1;
        short_of += is_met == 0;
    }
    bench_ranking_each(out, results, &behind, behind_lines);
    say_undecided(out, results);
    bench_ranking_each(out, results, &tally, count);
    fprintf(out, "%zu records; targets: %u met, %u short.\n", results->count, met, short_of);
    if (tally.aims_met + tally.aims_short > 0)
        fprintf(out, "Targets of queues: %u met, %u short; of these %u may be chance.\n",
                tally.aims_met, tally.aims_short, tally.aims_open);
    say_verdicts(out, "Peal's best beside all peers, by scenarios", tally.scenarios);
    say_verdicts(out, " Beside each peer, by pairs", tally.pairs);
    fprintf(out, "\n%u records with drifted rounds; %u rounds cut.%s\n", drifted, cut,
            results->is_interrupted ? " INTERRUPTED: not everything was measured." : "");
}
