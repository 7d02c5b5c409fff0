/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/queue/report.h"

#include <inttypes.h>

/* Held up for at least this part of the stop: wedged. Without that it is a few milliseconds. */
#define WEDGED_PART 0.5

static bool any_row(const struct bench_results *results, enum bench_contest contest)
{
    for (unsigned row = 0; bench_queue_rows[row].name != NULL; row++) {
        if (results->is_chosen[row] && bench_queue_rows[row].contest == contest)
            return true;
    }
    return false;
}

/* Calls `cell` for each chosen row of the contest, and ends the line. */
static void each_column(FILE *out, const struct bench_results *results, enum bench_contest contest,
                        unsigned peer,
                        void (*cell)(FILE *out, const struct bench_results *results, unsigned row,
                                     unsigned peer))
{
    for (unsigned row = 0; bench_queue_rows[row].name != NULL; row++) {
        if (results->is_chosen[row] && bench_queue_rows[row].contest == contest)
            cell(out, results, row, peer);
    }
    fputc('\n', out);
}

/* ---- throughput ---- */

static void head_rate(FILE *out, const struct bench_results *results, unsigned row, unsigned peer)
{
    (void)results;
    (void)peer;
    fprintf(out, " %s |", bench_queue_rows[row].title);
}

static void rule(FILE *out, const struct bench_results *results, unsigned row, unsigned peer)
{
    (void)results;
    (void)row;
    (void)peer;
    fputs("---|", out);
}

static void cell_rate(FILE *out, const struct bench_results *results, unsigned row, unsigned peer)
{
    const struct bench_cell *cell = &results->cells[row][peer];
    struct bench_spread spread = bench_spread_of(cell->value, results->rounds[row]);

    fprintf(out, " %.2f [%.2f..%.2f]", spread.median * 1e-6, spread.min * 1e-6, spread.max * 1e-6);
    if (cell->cut > 0)
        fprintf(out, ", %u cut", cell->cut);
    fputs(" |", out);
}

static void report_rates(FILE *out, const struct bench_results *results)
{
    fputs("Million messages a second, median [min..max] over the rounds; \"n cut\": rounds in "
          "which the queue did\nnot come to an end and was killed.\n\n| queue |",
          out);
    each_column(out, results, BENCH_THROUGHPUT, 0, head_rate);
    fputs("|---|", out);
    each_column(out, results, BENCH_THROUGHPUT, 0, rule);
    for (unsigned i = 0; bench_peers[i] != NULL; i++) {
        fprintf(out, "| %s |", bench_peers[i]->name);
        each_column(out, results, BENCH_THROUGHPUT, i, cell_rate);
    }
    fputc('\n', out);
}

/* ---- latency ---- */

static void head_latency(FILE *out, const struct bench_results *results, unsigned row,
                         unsigned peer)
{
    const char *title = bench_queue_rows[row].title;

    (void)results;
    (void)peer;
    fprintf(out, " %s p50 | p99.9 in the queue | of all rounds | from due | max | never popped |",
            title);
}

static void rule_latency(FILE *out, const struct bench_results *results, unsigned row,
                         unsigned peer)
{
    (void)results;
    (void)row;
    (void)peer;
    fputs("---|---|---|---|---|---|", out);
}

static void cell_latency(FILE *out, const struct bench_results *results, unsigned row,
                         unsigned peer)
{
    const struct bench_cell *cell = &results->cells[row][peer];
    struct bench_spread spread = bench_spread_of(cell->value, results->rounds[row]);

    fprintf(out, " %.1f | %.0f [%.0f..%.0f] | %.0f | %.0f | %.0f | %" PRIu64 " |",
            bench_histogram_quantile(&cell->latency, 0.5) * 1e-3, spread.median * 1e-3,
            spread.min * 1e-3, spread.max * 1e-3,
            bench_histogram_quantile(&cell->in_queue, 0.999) * 1e-3,
            bench_histogram_quantile(&cell->latency, 0.999) * 1e-3,
            bench_histogram_quantile(&cell->latency, 1) * 1e-3, cell->missing);
}

static void report_latency(FILE *out, const struct bench_results *results)
{
    fputs("Microseconds to after the pop. p50 and max: from when the push was due. p99.9 in the "
          "queue: "
          "without what\nthe producer lost between its pushes; median [min..max] over the rounds, "
          "then of "
          "all rounds together; then\nof all rounds from when it was due.\n\n| queue |",
          out);
    each_column(out, results, BENCH_PUSH_TO_POP, 0, head_latency);
    fputs("|---|", out);
    each_column(out, results, BENCH_PUSH_TO_POP, 0, rule_latency);
    for (unsigned i = 0; bench_peers[i] != NULL; i++) {
        fprintf(out, "| %s |", bench_peers[i]->name);
        each_column(out, results, BENCH_PUSH_TO_POP, i, cell_latency);
    }
    fputc('\n', out);
}

/* Peal's queue beside each of the others, round by round. */
static void head_pairs(FILE *out, const struct bench_results *results, unsigned row, unsigned peer)
{
    (void)results;
    (void)peer;
    fprintf(out, " %s |", bench_queue_rows[row].title);
}

static void cell_pairs(FILE *out, const struct bench_results *results, unsigned row, unsigned peer)
{
    struct bench_pairs pairs = bench_compare_pairs(results, row, 0, peer);

    fprintf(out, " %.2f, %u of %u (%.3f)", pairs.times.median, pairs.better, pairs.decided,
            pairs.chance);
    fputs(pairs.chance > BENCH_CHANCE ? " |"
          : pairs.times.median > 1    ? " **+** |"
                                      : " **-** |",
          out);
}

static void report_pairs(FILE *out, const struct bench_results *results)
{
    fprintf(out,
            "p99.9 in the queue beside that of %s in the same round: the median of the ratios "
            "(above 1: %s is better),\nthe rounds in which %s was better, and how probable a "
            "count so uneven is by chance alone (sign test);\n\"+\", \"-\": not by chance.\n\n"
            "| queue | by design |",
            bench_peers[0]->name, bench_peers[0]->name, bench_peers[0]->name);
    each_column(out, results, BENCH_PUSH_TO_POP, 0, head_pairs);
    fputs("|---|---|", out);
    each_column(out, results, BENCH_PUSH_TO_POP, 0, rule);
    for (unsigned i = 1; bench_peers[i] != NULL; i++) {
        fprintf(out, "| %s | %s |", bench_peers[i]->name,
                bench_peers[i]->can_be_wedged ? "can be wedged" : "cannot");
        each_column(out, results, BENCH_PUSH_TO_POP, i, cell_pairs);
    }
    fputc('\n', out);
}

/* ---- stopped ---- */

static void head_stopped(FILE *out, const struct bench_results *results, unsigned row,
                         unsigned peer)
{
    (void)results;
    (void)peer;
    fprintf(out, " %s is stopped: held up, median (max) | before, median (max) | wedged |",
            bench_queue_rows[row].title);
}

static void rule_stopped(FILE *out, const struct bench_results *results, unsigned row,
                         unsigned peer)
{
    (void)results;
    (void)row;
    (void)peer;
    fputs("---|---|---|", out);
}

/* Rounds in which all were held up for nearly the whole stop. */
static unsigned wedged(const struct bench_results *results, unsigned row, unsigned peer)
{
    const struct bench_cell *cell = &results->cells[row][peer];
    unsigned count = 0;

    for (unsigned round = 0; round < results->rounds[row]; round++)
        count += cell->value[round] >= WEDGED_PART * results->stop_ns;
    return count;
}

static void cell_stopped(FILE *out, const struct bench_results *results, unsigned row,
                         unsigned peer)
{
    const struct bench_cell *cell = &results->cells[row][peer];
    unsigned rounds = results->rounds[row];
    struct bench_spread held = bench_spread_of(cell->value, rounds);
    struct bench_spread before = bench_spread_of(cell->before, rounds);

    fprintf(out, " %.1f (%.1f) | %.1f (%.1f) | %u of %u |", held.median * 1e-6, held.max * 1e-6,
            before.median * 1e-6, before.max * 1e-6, wedged(results, row, peer), rounds);
}

static void report_stopped(FILE *out, const struct bench_results *results)
{
    fprintf(
        out,
        "Milliseconds in which nobody got a message of the others, while one of two was stopped "
        "for %.0f ms,\nand in the time before; \"wedged\": rounds in which this was at least "
        "%.0f %% of the stop.\n\n| queue | by design |",
        results->stop_ns * 1e-6, WEDGED_PART * 100);
    each_column(out, results, BENCH_STOPPED, 0, head_stopped);
    fputs("|---|---|", out);
    each_column(out, results, BENCH_STOPPED, 0, rule_stopped);
    for (unsigned i = 0; bench_peers[i] != NULL; i++) {
        fprintf(out, "| %s | %s |", bench_peers[i]->name,
                bench_peers[i]->can_be_wedged ? "can be wedged" : "cannot");
        each_column(out, results, BENCH_STOPPED, i, cell_stopped);
    }
    fputc('\n', out);
}

/* ---- targets ---- */

static void print_spread(FILE *out, const struct bench_spread *spread)
{
    if (spread->max > spread->min)
        fprintf(out, " %.2f [%.2f..%.2f] |", spread->median, spread->min, spread->max);
    else if (spread->max > 0)
        fprintf(out, " %.2f |", spread->median);
    else
        fputs(" |", out);
}

static unsigned report_target(FILE *out, const struct bench_results *results, unsigned row,
                              unsigned peer)
{
    struct bench_comparison comparison;
    bool has_target = bench_compare(results, row, peer, &comparison) && comparison.target != NULL;

    if (comparison.best == NULL)
        return 0;
    fprintf(out, "| `%s` | %s | %s |", bench_queue_rows[row].name, bench_peers[peer]->name,
            comparison.best->name);
    print_spread(out, &comparison.to_best);
    print_spread(out, &comparison.to_median);
    if (has_target)
        fprintf(out, " %s | %s%s |\n", comparison.target, comparison.is_met ? "met" : "**short**",
                comparison.is_open ? ", may be chance" : "");
    else
        fputs(" | |\n", out);
    return has_target && !comparison.is_met;
}

static unsigned report_targets(FILE *out, const struct bench_results *results)
{
    unsigned missed = 0;

    fputs("Ratios are of the same round, above 1: Peal is better.\n\n"
          "| row | of | best peer | to the best | to the median of the peers | target | |\n"
          "|---|---|---|---|---|---|---|\n",
          out);
    for (unsigned row = 0; bench_queue_rows[row].name != NULL; row++) {
        for (unsigned i = 0; results->is_chosen[row] && bench_peers[i] != NULL; i++) {
            if (bench_peers[i]->is_peal)
                missed += report_target(out, results, row, i);
        }
    }
    fputc('\n', out);
    return missed;
}

unsigned bench_queue_report(FILE *out, const struct bench_results *results)
{
    unsigned missed = 0;

    if (any_row(results, BENCH_THROUGHPUT))
        report_rates(out, results);
    if (any_row(results, BENCH_PUSH_TO_POP))
        report_latency(out, results);
    if (any_row(results, BENCH_PUSH_TO_POP))
        report_pairs(out, results);
    if (any_row(results, BENCH_THROUGHPUT) || any_row(results, BENCH_PUSH_TO_POP))
        missed = report_targets(out, results);
    if (any_row(results, BENCH_STOPPED))
        report_stopped(out, results);
    return missed;
}
