/* SPDX-License-Identifier: Apache-2.0 */
/*
 * peal-bench: Peal beside its peers and the floors of the machine.
 *
 * Three kinds of processes: the guard waits for signals and clears up (guard.h); the conductor runs one
 * scenario after the other and collects the results (run.h, guide.h); the workers, forked by the scenarios,
 * do what is measured. What the figures mean: docs/performance.md.
 */
#include "bench/bus.h"
#include "bench/clock.h"
#include "bench/contest/account.h"
#include "bench/contest/contender.h"
#include "bench/contest/ledger.h"
#include "bench/contest/realtime.h"
#include "bench/cpus.h"
#include "bench/environment.h"
#include "bench/gbench.h"
#include "bench/guard.h"
#include "bench/guide.h"
#include "bench/line.h"
#include "bench/options.h"
#include "bench/outputs.h"
#include "bench/report/report.h"
#include "bench/run.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct {
    struct bench_options options;
    struct bench_run run;
    struct bench_guide guide;
    struct bench_bus bus;
    struct bench_bus also; /* --also-bus */
    char **argv;
    bool is_printed[BENCH_GROUPS];
} program;

static void print_group(enum bench_group group)
{
    if (program.is_printed[group] || bench_guard_hurries())
        return;
    program.is_printed[group] = true;
    bench_text_group(stdout, &program.run.results, group);
    fflush(stdout);
}

/* The scenarios come group by group. */
static void print_group_if_done(enum bench_group group)
{
    const struct bench_guide *guide = &program.guide;

    if (guide->current >= guide->count || guide->scenarios[guide->current]->group != group)
        print_group(group);
}

/* What an interruption has kept from being printed when it was done. */
static void print_rest(void)
{
    for (size_t i = 0; i < program.run.results.count; i++)
        print_group(program.run.results.records[i]->group);
}

/* Of a scenario that has more rounds to come, the records so far are but a part. */
static void remark_partial(struct bench_results *results)
{
    for (size_t i = 0; i < results->count; i++)
        results->records[i]->remarks |= BENCH_REMARK_PARTIAL;
}

/* A sweep's part of a scenario. */
static void run_scenario(struct gbench_state *state, void *context)
{
    const struct bench_scenario *scenario = context;
    struct bench_run *run = &program.run;
    struct bench_results whole = run->results;
    uint64_t begin_ns = bench_clock_ns();

    if (bench_interrupted() != 0) {
        gbench_report(state, 0, 0);
        return;
    }
    bool is_last_sweep = bench_guide_is_last_sweep(&program.guide);
    bench_guide_begin(&program.guide, run);
    bench_guide_progress(run, 0);
    if (run->verbose)
        fprintf(stderr, "%s\n", scenario->name);
    run->results = (struct bench_results){.clock_cost_ns = whole.clock_cost_ns};
    scenario->run(run, scenario);
    if (!is_last_sweep)
        remark_partial(&run->results);
    size_t records = run->results.count;
    bench_results_take(&whole, &run->results);
    run->results = whole;
    bench_ledger_rest();
    bench_guide_wipe(&program.guide);
    bench_guide_end(&program.guide);
    if (is_last_sweep && bench_interrupted() == 0)
        print_group_if_done(scenario->group);
    gbench_report(state, (double)(bench_clock_ns() - begin_ns), records);
}

/* As it was typed, with quotes around what the shell would not leave alone. */
static void record_command(struct bench_results *results, char **argv)
{
    char command[1024];
    size_t used = 0;

    for (unsigned i = 0; argv[i] != NULL && used < sizeof(command); i++) {
        bool is_plain = strspn(argv[i], "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                        "0123456789-_=+./,:@%") == strlen(argv[i]);
        const char *quote = is_plain && argv[i][0] != '\0' ? "" : "'";
        const char *word = i == 0 ? "peal-bench" : argv[i];
        used += (size_t)snprintf(command + used, sizeof(command) - used, "%s%s%s%s",
                                 i == 0 ? "" : " ", i == 0 ? "" : quote, word, i == 0 ? "" : quote);
    }
    bench_results_fact(results, "command", command);
}

/* All that was asked for, whatever has been measured; false: a file could not be written. */
static bool write_results(const struct bench_results *results)
{
    const struct bench_options *options = &program.options;
    bool is_written = true;

    if (options->json != NULL)
        is_written = bench_json_write(results, options->json);
    if (options->report != NULL)
        is_written = bench_report_write(results, options->report) && is_written;
    return is_written;
}

/* Once for the whole run: in the scenarios they are not tried. */
static void record_limits(struct bench_results *results)
{
    char text[200];

    for (size_t i = 0; bench_contenders[i] != NULL; i++) {
        const struct bench_contender *contender = bench_contenders[i];
        uint32_t size_bytes = 0;
        const char *reason = contender->limit != NULL ? contender->limit(&size_bytes) : NULL;
        if (reason == NULL)
            continue;
        snprintf(text, sizeof text, "%s: messages of at most %u bytes here (see %s)",
                 contender->name, size_bytes, reason);
        bench_results_fact(results, "left out above", text);
    }
}

static int conduct(void *context)
{
    struct bench_run *run = &program.run;
    char *arguments[] = {program.argv[0], NULL};
    int count = 1;

    (void)context;
    run->results.clock_cost_ns = bench_clock_cost_ns();
    record_command(&run->results, program.argv);
    bench_environment_record(&run->results, run);
    record_limits(&run->results);
    if (!gbench_initialize(&count, arguments))
        return 2;
    for (size_t i = 0; i < program.guide.sweeps * program.guide.count; i++) {
        const struct bench_scenario *scenario = program.guide.scenarios[i % program.guide.count];
        gbench_add(scenario->name, run_scenario, (void *)(uintptr_t)scenario);
    }
    bench_text_head(stdout, &run->results);
    fflush(stdout);
    gbench_run(false);
    if (bench_guard_hurries())
        return 1;
    print_rest();
    run->results.is_interrupted = bench_interrupted() != 0;
    bench_environment_finish(&run->results);
    bench_text_foot(stdout, &run->results);
    fflush(stdout);
    bool is_written = write_results(&run->results);
    if (run->verbose) {
        bench_account_print(stderr);
        bench_guide_print_times(&program.guide, stderr);
    }
    if (run->has_failed)
        fputs("peal-bench: FAILED: see above\n", stderr);
    return run->has_failed || !is_written ? 1 : 0;
}

static void clear(void *context)
{
    (void)context;
    bench_ledger_clear();
    bench_bus_clear(&program.bus);
    bench_bus_clear(&program.also);
}

/* --verbose: with the seconds that each is planned to take. */
static int list(void)
{
    const struct bench_guide *guide = &program.guide;

    if (program.run.verbose)
        bench_guide_plan(&program.guide, &program.run, &program.options);
    for (size_t i = 0; i < guide->count; i++) {
        if (program.run.verbose)
            printf("%7.2f  ", guide->planned[i]);
        puts(guide->scenarios[i]->name);
    }
    return 0;
}

/* Before anything is measured: that it may not is no reason to stop half-way. */
static bool may_be_realtime(void)
{
    if (!bench_realtime_begin()) {
        fprintf(stderr, "peal-bench: --realtime: %s; it needs CAP_SYS_NICE\n", strerror(errno));
        return false;
    }
    bench_realtime_end();
    return true;
}

static void set_up_run(void)
{
    const struct bench_options *options = &program.options;

    program.run.filter = options->filter;
    program.run.contenders = options->contenders;
    program.run.threads = options->threads;
    program.run.shares_depth = options->shares_depth;
    program.run.is_realtime = options->is_realtime;
    program.run.plants_fault = options->plants_fault;
    program.run.delay_ns = options->delay_ns;
    program.run.verbose = options->verbose;
    program.run.guide = &program.guide;
    program.run.progress = bench_guide_progress;
}

int main(int argc, char **argv)
{
    const struct bench_options *options = &program.options;

    if (argc > 1 && strcmp(argv[1], "compare") == 0)
        return bench_compare_main(argc - 1, argv + 1);
    int code = bench_options_parse(&program.options, argc, argv);
    if (code >= 0)
        return code;
    program.argv = argv;
    set_up_run();
    if (!bench_guide_select(&program.guide, &program.run))
        return 2;
    if (options->list)
        return list();
    memcpy(program.run.cpus, options->cpus, sizeof(program.run.cpus));
    bench_cpus_choose(program.run.cpus);
    bench_one_core = program.run.cpus[0] == program.run.cpus[1];
    if (options->json != NULL && !bench_outputs_file("--json", options->json))
        return 2;
    if (options->report != NULL && !bench_outputs_folder("--report", options->report))
        return 2;
    if (options->is_realtime && !may_be_realtime())
        return 1;
    if (!bench_bus_prepare(&program.bus, options->url))
        return 1;
    program.run.url = program.bus.url;
    if (options->also_url != NULL && !bench_bus_prepare(&program.also, options->also_url)) {
        bench_bus_clear(&program.bus);
        return 1;
    }
    program.run.also_url = options->also_url;
    bench_ledger_share();
    bench_guide_plan(&program.guide, &program.run, options);
    return bench_guard_run(&(struct bench_guarded){.conduct = conduct, .clear = clear});
}
