/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hands the finished figures to Google Benchmark, for its JSON: one benchmark for each cell.
 */
#include "bench/queue/report.h"

#include "bench/gbench.h"

#include <stdlib.h>

/* A cell that is to be written, found again by the callback. */
struct place {
    const struct bench_results *results;
    unsigned row;
    unsigned peer;
};

static void report_spread(struct gbench_state *state, const char *const names[3],
                          const struct bench_spread *spread, double unit)
{
    gbench_counter(state, names[0], spread->median * unit);
    gbench_counter(state, names[1], spread->min * unit);
    gbench_counter(state, names[2], spread->max * unit);
}

static void report_value(struct gbench_state *state, const struct place *place,
                         const struct bench_cell *cell)
{
    static const char *const rate[] = {"rate", "rate_min", "rate_max"};
    static const char *const late[] = {"p999_median_ns", "p999_min_ns", "p999_max_ns"};
    static const char *const held[] = {"held_up_ns", "held_up_min_ns", "held_up_max_ns"};
    static const char *const before[] = {"before_ns", "before_min_ns", "before_max_ns"};
    unsigned rounds = place->results->rounds[place->row];
    struct bench_spread spread = bench_spread_of(cell->value, rounds);

    switch (bench_queue_rows[place->row].contest) {
    case BENCH_THROUGHPUT:
        gbench_report(state, spread.median > 0 ? 1e9 / spread.median : 0, rounds);
        report_spread(state, rate, &spread, 1);
        break;
    case BENCH_PUSH_TO_POP:
        gbench_report(state, bench_histogram_quantile(&cell->latency, 0.5), cell->latency.total);
        gbench_counter(state, "p50_ns", bench_histogram_quantile(&cell->latency, 0.5));
        gbench_counter(state, "p99_ns", bench_histogram_quantile(&cell->latency, 0.99));
        gbench_counter(state, "p999_ns", bench_histogram_quantile(&cell->latency, 0.999));
        gbench_counter(state, "max_ns", bench_histogram_quantile(&cell->latency, 1));
        gbench_counter(state, "in_queue_p999_ns", bench_histogram_quantile(&cell->in_queue, 0.999));
        report_spread(state, late, &spread, 1);
        break;
    case BENCH_STOPPED:
        gbench_report(state, spread.median, rounds);
        report_spread(state, held, &spread, 1);
        spread = bench_spread_of(cell->before, rounds);
        report_spread(state, before, &spread, 1);
        break;
    }
}

static void report_cell(struct gbench_state *state, void *context)
{
    static const char *const best[] = {"to_best", "to_best_min", "to_best_max"};
    static const char *const median[] = {"to_median", "to_median_min", "to_median_max"};
    const struct place *place = context;
    const struct bench_cell *cell = &place->results->cells[place->row][place->peer];
    struct bench_comparison comparison;

    report_value(state, place, cell);
    gbench_counter(state, "rounds", place->results->rounds[place->row]);
    gbench_counter(state, "cut", cell->cut);
    gbench_counter(state, "missing", (double)cell->missing);
    if (!bench_peers[place->peer]->is_peal ||
        !bench_compare(place->results, place->row, place->peer, &comparison))
        return;
    gbench_label(state, comparison.best->name);
    report_spread(state, best, &comparison.to_best, 1);
    report_spread(state, median, &comparison.to_median, 1);
    if (comparison.target != NULL)
        gbench_counter(state, "target_met", comparison.is_met ? 1 : 0);
}

bool bench_queue_write_json(const struct bench_results *results, const char *program,
                            const char *file)
{
    static struct place places[BENCH_QUEUE_ROWS_MAX][BENCH_PEERS_MAX];
    char self[256], out[4096], format[] = "--benchmark_out_format=json", name[128];
    char *arguments[] = {self, out, format, NULL};
    int count = 3;

    snprintf(self, sizeof(self), "%s", program);
    snprintf(out, sizeof(out), "--benchmark_out=%s", file);
    if (!gbench_initialize(&count, arguments))
        return false;
    for (unsigned row = 0; bench_queue_rows[row].name != NULL; row++) {
        for (unsigned i = 0; results->is_chosen[row] && bench_peers[i] != NULL; i++) {
            places[row][i] = (struct place){results, row, i};
            snprintf(name, sizeof(name), "%s/%s", bench_queue_rows[row].name, bench_peers[i]->name);
            gbench_add(name, report_cell, &places[row][i]);
        }
    }
    return gbench_run(false) > 0;
}
