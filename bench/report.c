/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/report.h"

#include <inttypes.h>

struct bench_quantiles bench_quantiles_of(struct bench_sample *sample)
{
    return (struct bench_quantiles){.p50_ns = bench_quantile(sample->ns, sample->count, 0.5),
                                    .p99_ns = bench_quantile(sample->ns, sample->count, 0.99),
                                    .p999_ns = bench_quantile(sample->ns, sample->count, 0.999),
                                    .max_ns = bench_quantile(sample->ns, sample->count, 1)};
}

void bench_report_counters(struct gbench_state *state, const struct bench_row *row,
                           const struct bench_result *result,
                           const struct bench_quantiles *quantiles)
{
    gbench_report(state, result->typical_ns, result->pooled.operations);
    gbench_counter(state, "rounds_kept", result->kept);
    gbench_counter(state, "rounds_dropped", result->dropped);
    if (result->kept == 0)
        return;
    gbench_counter(state, "p50_ns", quantiles->p50_ns);
    gbench_counter(state, "p99_ns", quantiles->p99_ns);
    gbench_counter(state, "p999_ns", quantiles->p999_ns);
    gbench_counter(state, "max_ns", quantiles->max_ns);
    gbench_counter(state, "mean_ns", bench_sample_mean_ns(&result->pooled));
    gbench_counter(state, "floor_ns", result->floor_ns);
    gbench_counter(state, "raw_ns", result->raw_ns);
    gbench_counter(state, "ratio", result->ratio);
    gbench_counter(state, "ratio_min", result->ratio_min);
    gbench_counter(state, "ratio_max", result->ratio_max);
    if (row->kind == BENCH_LATENCY)
        gbench_counter(state, "ratio_net", result->ratio_net);
    if (row->target > 0) {
        gbench_counter(state, "target", row->target);
        gbench_counter(state, "target_met", bench_target_met(row, result->ratio) ? 1 : 0);
    }
    if (row->subject.setup.size_bytes > 0 && row->kind == BENCH_RATE)
        gbench_counter(state, "gigabytes_per_second",
                       row->subject.setup.size_bytes / result->typical_ns);
}

void bench_report_head(FILE *out, const struct bench_pair *pair, const struct bench_plan *plan,
                       double clock_cost_ns)
{
    fprintf(out, "Two processes on CPUs %d and %d%s, bus %s, %u rounds, %u %% of the operations.\n",
            pair->cpus[0], pair->cpus[1],
            bench_one_core ? " (ONE CORE: they take turns, the figures say little)" : "", pair->url,
            plan->rounds, plan->percent);
    fprintf(out, "Reading the clock costs %.1f ns; each single sample holds about one reading.\n",
            clock_cost_ns);
    fprintf(out,
            "Times in ns an operation. Latency and cost: ratio = time / floor's time, small is "
            "good; rate: floor's time / time,\nlarge is good. Median over the rounds kept "
            "[min..max].\n\n");
    fprintf(out, "%-40s %9s %9s %9s %9s %9s %7s %-15s %-12s %s\n", "subject", "p50", "p99", "p99.9",
            "max", "floor", "ratio", "[min..max]", "target", "kept/dropped");
}

void bench_report_row(FILE *out, const struct bench_row *row, const struct bench_result *result,
                      const struct bench_quantiles *quantiles)
{
    char range[32], target[32] = "";

    if (result->kept == 0) {
        fprintf(out, "%-40s no round in which the machine stood still, %u dropped\n", row->name,
                result->dropped);
        return;
    }
    snprintf(range, sizeof range, "[%.2f..%.2f]", result->ratio_min, result->ratio_max);
    if (row->target > 0)
        snprintf(target, sizeof target, "%s%.2f %s",
                 row->kind == BENCH_RATE ? ">=" : "<=", row->target,
                 bench_target_met(row, result->ratio) ? "met" : "SHORT");
    fprintf(out, "%-40s %9.1f %9.1f %9.1f %9.0f %9.1f %7.2f %-15s %-12s %u/%u\n", row->name,
            quantiles->p50_ns, quantiles->p99_ns, quantiles->p999_ns, quantiles->max_ns,
            result->floor_ns, result->ratio, range, target, result->kept, result->dropped);
    fflush(out);
}

void bench_report_foot(FILE *out, unsigned rows, unsigned short_rows, unsigned unstable_rows)
{
    fprintf(out,
            "\n%u rows; %u short of their target; %u without a stable round. All content was "
            "verified.\n",
            rows, short_rows, unstable_rows);
}
