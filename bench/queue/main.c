/* SPDX-License-Identifier: Apache-2.0 */
/*
 * peal-bench-queue: Peal's queue beside others, between processes.
 *
 * In each round every queue has its turn, one after the other, with another one first each time; so
 * what else the machine does meets all of them. How one turn goes: trial.h. What is measured: rows.c.
 * What the figures mean: docs/performance.md.
 */
#include "bench/queue/options.h"
#include "bench/queue/report.h"

#include "bench/clock.h"
#include "bench/cpus.h"

#include <peal/bus.h>
#include <regex.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define MILLISECOND UINT64_C(1000000)

/* Where anybody is stopped: for how long, and how long after the one before, on the average. */
#define STOPS_NS (5 * MILLISECOND)
#define STOPS_LEAD_NS (15 * MILLISECOND)

bool bench_one_core; /* bench/line.h asks for it */

static volatile sig_atomic_t interrupted;

static struct {
    struct bench_queue_options options;
    struct bench_results results;
    struct bench_arena *arena;
    void *memory[BENCH_PEERS_MAX];
} program;

void bench_queue_die(const char *format, ...)
{
    va_list arguments;

    fputs("peal-bench-queue: ", stderr);
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
    _exit(1); /* not exit(): of a worker's, nothing is to be written; ends with it: its siblings */
}

int bench_interrupted(void)
{
    return interrupted;
}

static void interrupt(int signal_number)
{
    interrupted = signal_number;
}

static void catch_signals(void)
{
    struct sigaction action = {.sa_handler = interrupt};

    (void)sigaction(SIGINT, &action, NULL);
    (void)sigaction(SIGTERM, &action, NULL);
    (void)sigaction(SIGHUP, &action, NULL);
}

/* ---- one turn ---- */

static uint64_t scaled(uint64_t duration_ms)
{
    return duration_ms * MILLISECOND * program.options.percent / 100;
}

static struct bench_trial trial_of(const struct bench_queue_row *row, unsigned peer)
{
    const struct bench_queue_options *options = &program.options;
    bool is_latency = row->contest == BENCH_PUSH_TO_POP;
    bool is_stops = row->victim == BENCH_ANYBODY;

    return (struct bench_trial){
        .peer = bench_peers[peer],
        .memory = program.memory[peer],
        .setup = {.url = options->url,
                  .depth = options->shares_depth ? BENCH_PEER_DEPTH / row->ends : BENCH_PEER_DEPTH},
        .producers = row->ends,
        .consumers = row->ends,
        .batch = row->batch,
        .warm_ns = scaled(20),
        .measure_ns = scaled(is_stops     ? 500
                             : is_latency ? 300
                                          : 100),
        .period_ns = is_latency ? UINT64_C(1000000) * row->ends / options->rate_khz : 0,
        .is_busy = row->is_busy,
        .is_timed = row->contest != BENCH_THROUGHPUT,
        .victim = row->victim,
        .lead_ns = is_stops ? STOPS_LEAD_NS : scaled(40),
        .stop_ns = is_stops ? STOPS_NS : scaled(100),
        .plants_fault = options->plants_fault,
    };
}

static void keep(unsigned row, unsigned peer, unsigned round, const struct bench_outcome *outcome)
{
    struct bench_cell *cell = &program.results.cells[row][peer];

    switch (bench_queue_rows[row].contest) {
    case BENCH_THROUGHPUT:
        cell->value[round] = outcome->rate;
        break;
    case BENCH_PUSH_TO_POP:
        cell->value[round] = bench_histogram_quantile(&outcome->in_queue, 0.999);
        bench_histogram_merge(&cell->latency, &outcome->latency);
        bench_histogram_merge(&cell->in_queue, &outcome->in_queue);
        break;
    case BENCH_STOPPED:
        cell->value[round] = outcome->quiet_stopped_ns;
        cell->before[round] = outcome->quiet_before_ns;
        break;
    }
    cell->cut += outcome->is_cut;
    cell->missing += outcome->missing;
}

/* Who has kept the CPUs from all others leaves them as long. The kernel takes 5 % of each second for them
 * if they get nothing, and that would be seen. */
static void make_up_for(uint64_t begin_ns)
{
    uint64_t took_ns = bench_clock_ns() - begin_ns;
    struct timespec pause = {.tv_sec = (time_t)(took_ns / (1000 * MILLISECOND)),
                             .tv_nsec = (long)(took_ns % (1000 * MILLISECOND))};

    (void)nanosleep(&pause, NULL);
}

static bool take_turn(unsigned row, unsigned peer, unsigned round)
{
    static struct bench_outcome outcome;
    struct bench_trial trial = trial_of(&bench_queue_rows[row], peer);
    uint64_t begin_ns = bench_clock_ns();

    if (!bench_trial_run(&trial, program.arena, program.options.cpus, &outcome))
        return false;
    keep(row, peer, round, &outcome);
    if (program.options.is_realtime)
        make_up_for(begin_ns);
    if (program.options.verbose)
        fprintf(stderr, "%s, %s, round %u: %.0f/s, p99.9 %.0f ns, held up %.0f ns%s\n",
                bench_queue_rows[row].name, bench_peers[peer]->name, round, outcome.rate,
                bench_histogram_quantile(&outcome.in_queue, 0.999), outcome.quiet_stopped_ns,
                outcome.is_cut ? ", cut off" : "");
    return true;
}

/* ---- all ---- */

static unsigned count_peers(void)
{
    unsigned count = 0;

    while (bench_peers[count] != NULL)
        count++;
    return count;
}

/* A round of all rows; false: something went wrong. */
static bool run_round(unsigned round, unsigned peers)
{
    struct bench_results *results = &program.results;

    for (unsigned row = 0; bench_queue_rows[row].name != NULL; row++) {
        for (unsigned i = 0; i < peers; i++) {
            if (results->is_chosen[row] && round < results->rounds[row] &&
                !take_turn(row, (i + round) % peers, round))
                return false;
        }
    }
    return true;
}

/* False: the expression is none, or no row has such a name. */
static bool choose_rows(void)
{
    struct bench_results *results = &program.results;
    const char *filter = program.options.filter;
    unsigned chosen = 0, rounds = program.options.rounds;
    regex_t expression;

    if (regcomp(&expression, filter != NULL ? filter : "", REG_EXTENDED | REG_NOSUB) != 0) {
        fprintf(stderr, "peal-bench-queue: --filter '%s' is no regular expression\n", filter);
        return false;
    }
    for (unsigned row = 0; bench_queue_rows[row].name != NULL; row++) {
        results->is_chosen[row] = regexec(&expression, bench_queue_rows[row].name, 0, NULL, 0) == 0;
        results->rounds[row] = rounds;
        chosen += results->is_chosen[row];
    }
    regfree(&expression);
    if (chosen == 0)
        fputs("peal-bench-queue: no row has such a name; see --list\n", stderr);
    return chosen > 0;
}

static void print_head(void)
{
    const struct bench_queue_options *options = &program.options;

    printf("Processes on CPUs %d and %d%s, bus %s, %u rounds, %u %% of the times, letters of %zu "
           "bytes, %d deep%s.\n",
           options->cpus[0], options->cpus[1],
           bench_one_core ? " (ONE CORE: they take turns, the figures say little)" : "",
           options->url, options->rounds, options->percent, sizeof(struct bench_letter),
           BENCH_PEER_DEPTH, options->shares_depth ? "" : " (Peal: for each producer)");
    if (bench_peers_missing != NULL)
        printf("NOT BUILT IN: %s\n", bench_peers_missing);
    putchar('\n');
    fflush(stdout);
}

/* Ends with the exit code. */
static int measure(void)
{
    unsigned peers = count_peers();

    program.arena = bench_share(sizeof(*program.arena));
    for (unsigned i = 0; i < peers; i++)
        program.memory[i] = bench_share(bench_peers[i]->memory_bytes + PEAL_WRITER_BYTES);
    program.results.stop_ns = (double)scaled(100);
    for (unsigned round = 0; round < program.options.rounds; round++) {
        if (!run_round(round, peers))
            return interrupted != 0 ? 128 + interrupted : 1;
    }
    unsigned missed = bench_queue_report(stdout, &program.results);
    if (!program.options.markdown)
        printf("%u targets missed. All content was verified.\n", missed);
    fflush(stdout);
    return 0;
}

static bool become_realtime(void)
{
    const struct sched_param parameters = {.sched_priority = 1};

    if (sched_setscheduler(0, SCHED_RR, &parameters) == 0)
        return true;
    perror("peal-bench-queue: --realtime needs CAP_SYS_NICE");
    return false;
}

int main(int argc, char **argv)
{
    struct bench_queue_options *options = &program.options;
    int code = bench_queue_options_parse(options, argc, argv);

    if (code >= 0)
        return code;
    if (!choose_rows())
        return 2;
    bench_cpus_choose(options->cpus);
    bench_one_core = options->cpus[0] == options->cpus[1];
    catch_signals();
    if (options->is_realtime && !become_realtime())
        return 1;
    if (!options->markdown)
        print_head();
    code = measure();
    (void)peal_unlink(options->url);
    if (code == 0 && options->json != NULL &&
        !bench_queue_write_json(&program.results, argv[0], options->json))
        code = 1;
    return code;
}
