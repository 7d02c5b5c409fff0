/* SPDX-License-Identifier: Apache-2.0 */
/*
 * peal-bench: Peal between two processes, next to the floors of the machine.
 *
 * The program forks a measuring and a serving side and watches both (bench/supervisor.h). All rows
 * are in rows.c; how one is measured, in rounds.h. What the figures mean: docs/performance.md.
 */
#include "bench/clock.h"
#include "bench/gbench.h"
#include "bench/options.h"
#include "bench/report.h"
#include "bench/supervisor.h"

#include <regex.h>
#include <stdlib.h>

/* The measuring process, and what it has seen so far. */
static struct {
    struct bench_options options;
    struct bench_pair *pair;
    FILE *out;
    double clock_cost_ns;
    unsigned rows;
    unsigned short_rows;
    unsigned unstable_rows;
} program;

static void run_row(struct gbench_state *state, void *context)
{
    const struct bench_row *row = context;
    struct bench_result result = bench_rounds_run(program.pair, (size_t)(row - bench_rows),
                                                  &program.options.plan, program.clock_cost_ns);
    struct bench_quantiles quantiles = bench_quantiles_of(&result.pooled);

    bench_report_counters(state, row, &result, &quantiles);
    bench_report_row(program.out, row, &result, &quantiles);
    program.rows++;
    program.unstable_rows += result.kept == 0;
    program.short_rows += result.kept > 0 && !bench_target_met(row, result.ratio);
    bench_sample_free(&result.pooled);
}

static void describe(void)
{
    char text[64];

    snprintf(text, sizeof text, "%d,%d", program.pair->cpus[0], program.pair->cpus[1]);
    gbench_context("peal_cpus", text);
    gbench_context("peal_one_core", bench_one_core ? "yes" : "no");
    snprintf(text, sizeof text, "%.1f", program.clock_cost_ns);
    gbench_context("peal_clock_cost_ns", text);
    snprintf(text, sizeof text, "%u", program.options.plan.rounds);
    gbench_context("peal_rounds", text);
    snprintf(text, sizeof text, "%u", program.options.plan.percent);
    gbench_context("peal_percent", text);
    gbench_context("peal_bus", program.pair->url);
}

/* Google Benchmark would match its own suffixes as well; false if the expression is none. */
static bool add_rows(const char *filter)
{
    regex_t expression;

    if (regcomp(&expression, filter != NULL ? filter : "", REG_EXTENDED | REG_NOSUB) != 0) {
        fprintf(stderr, "peal-bench: --filter '%s' is no regular expression\n", filter);
        return false;
    }
    for (const struct bench_row *row = bench_rows; row->name != NULL; row++) {
        if (regexec(&expression, row->name, 0, NULL, 0) == 0)
            gbench_add(row->name, run_row, (void *)(uintptr_t)row);
    }
    regfree(&expression);
    return true;
}

static int measure(struct bench_pair *pair)
{
    program.pair = pair;
    program.out = program.options.console ? stderr : stdout;
    program.clock_cost_ns = bench_clock_cost_ns();
    if (!gbench_initialize(&program.options.gbench_argc, program.options.gbench_argv))
        return 2;
    describe();
    if (!add_rows(program.options.filter))
        return 2;
    bench_report_head(program.out, pair, &program.options.plan, program.clock_cost_ns);
    bench_pair_open(pair, 0, BENCH_RAW);
    gbench_run(program.options.console);
    bench_pair_close(pair, 0, BENCH_RAW);
    bench_pair_end(pair);
    bench_report_foot(program.out, program.rows, program.short_rows, program.unstable_rows);
    if (program.rows == 0)
        fputs("peal-bench: no row has such a name; see --list\n", stderr);
    return program.rows == 0 ? 2 : 0;
}

int main(int argc, char **argv)
{
    struct bench_pair *pair = bench_allocate(sizeof *pair);
    int code = bench_options_parse(&program.options, argc, argv);

    if (code >= 0)
        return code;
    pair->cpus[0] = program.options.cpus[0];
    pair->cpus[1] = program.options.cpus[1];
    pair->url = program.options.url;
    pair->plant_fault = program.options.plant_fault;
    bench_pair_init(pair);
    code = bench_supervise(pair, measure);
    for (int i = 0; i < program.options.gbench_argc; i++)
        free(program.options.gbench_argv[i]);
    free(pair);
    return code;
}
