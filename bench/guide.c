/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/guide.h"

#include "bench/clock.h"
#include "bench/contest/contender.h"
#include "bench/contest/contest.h"
#include "bench/contest/plan.h"

#include <math.h>
#include <regex.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { NAME_BYTES = 256, COLUMNS = 78, ROUNDS_QUICK = 3, ROUNDS_MANY = 199 };

/* Into how many sweeps the rounds are divided, if each has enough of them. */
enum { SWEEPS = 3, SWEEP_ROUNDS_MIN = 3 };

#define SCALE_QUICK 0.1
#define SCALE_MIN 0.02
#define SCALE_MAX 5.0

/* Of a row of pairs, what is no round: forking, opening, closing. */
#define PAIR_AROUND_S 0.06

static const struct bench_scenario none = {.name = NULL};

static const struct bench_scenario *const tables[] = {
    bench_pair_scenarios,
#ifdef PEAL_BENCH_HAS_CONTEST_SCENARIOS_C
    bench_contest_scenarios,
#endif
#ifdef PEAL_BENCH_HAS_GROWTH_SCENARIOS_C
    bench_growth_scenarios,
#endif
    &none,
};

const char *bench_scenario_title(const struct bench_scenario *scenario)
{
    const char *slash = strchr(scenario->name, '/');

    return slash != NULL ? slash + 1 : scenario->name;
}

/* NULL matches everything. That it compiles has been seen to by the parser of the options. */
static bool matches(const char *expression, const char *text)
{
    regex_t compiled;

    if (expression == NULL)
        return true;
    if (regcomp(&compiled, expression, REG_EXTENDED | REG_NOSUB) != 0)
        return false;
    bool does = regexec(&compiled, text, 0, NULL, 0) == 0;
    regfree(&compiled);
    return does;
}

bool bench_run_wants(const struct bench_run *run, const struct bench_scenario *scenario,
                     const char *contender)
{
    char name[NAME_BYTES];

    if (!matches(run->contenders, contender))
        return false;
    snprintf(name, sizeof(name), "%s/%s", scenario->name, contender);
    if (matches(run->filter, scenario->name) || matches(run->filter, name))
        return true;
    if (scenario->also == NULL)
        return false;
    snprintf(name, sizeof(name), "%s/%s", scenario->also, contender);
    return matches(run->filter, scenario->also) || matches(run->filter, name);
}

/* Of those that a scenario may have, is one wanted? What is no contest has Peal and floors only. */
static bool is_wanted(const struct bench_run *run, const struct bench_scenario *scenario,
                      bool is_contest)
{
#ifdef PEAL_BENCH_HAS_CONTEST_SCENARIOS_C
    for (size_t i = 0; is_contest && bench_contenders[i] != NULL; i++) {
        if (bench_run_wants(run, scenario, bench_contenders[i]->name))
            return true;
    }
#endif
    if (is_contest)
        return matches(run->filter, scenario->name) && run->contenders == NULL;
    return bench_run_wants(run, scenario, "peal");
}

bool bench_guide_select(struct bench_guide *guide, const struct bench_run *run)
{
    guide->count = 0;
    /* The chapters in their order, and in each the tables in theirs. */
    for (int group = 0; group < BENCH_GROUPS; group++) {
        for (size_t table = 0; tables[table] != &none; table++) {
            for (const struct bench_scenario *scenario = tables[table]; scenario->name != NULL;
                 scenario++) {
                bool is_contest =
                    tables[table] != bench_pair_scenarios && scenario->group != BENCH_GROUP_GROWTH;
                if ((int)scenario->group == group && guide->count < BENCH_SCENARIOS_MAX &&
                    is_wanted(run, scenario, is_contest))
                    guide->scenarios[guide->count++] = scenario;
            }
        }
    }
    if (guide->count == 0)
        fputs("peal-bench: no scenario has such a name or contender; see --list\n", stderr);
    return guide->count > 0;
}

/* Of so many rounds, at the scale 1. */
static struct bench_plan plan_of(const struct bench_run *run, const struct bench_scenario *scenario,
                                 unsigned rounds)
{
    double seconds = scenario->seconds;
    double around_s = seconds < PAIR_AROUND_S ? seconds : PAIR_AROUND_S;

#ifdef PEAL_BENCH_HAS_CONTEST_SCENARIOS_C
    if (scenario->run == bench_contest_run)
        return bench_contest_plan(run, scenario, rounds);
#endif
    return (struct bench_plan){.measured_s = (seconds - around_s) * rounds / BENCH_ROUNDS_FULL,
                               .around_s = around_s};
}

static struct bench_plan plan_all(const struct bench_guide *guide, const struct bench_run *run,
                                  unsigned rounds)
{
    struct bench_plan sum = {0, 0};

    for (size_t i = 0; i < guide->count; i++) {
        struct bench_plan plan = plan_of(run, guide->scenarios[i], rounds);
        sum.measured_s += plan.measured_s;
        sum.around_s += plan.around_s;
    }
    return sum;
}

static double clamp(double value, double least, double most)
{
    return value < least ? least : value > most ? most : value;
}

/* Rounds of a run of about this length: in less time fewer and shorter ones, both by the root. */
static unsigned rounds_for(const struct bench_guide *guide, const struct bench_run *run,
                           double duration_s)
{
    struct bench_plan full = plan_all(guide, run, BENCH_ROUNDS_FULL);
    double factor = duration_s / (full.measured_s + full.around_s);
    double rounds = BENCH_ROUNDS_FULL * (factor < 1 ? sqrt(factor) : factor);

    return (unsigned)clamp(round(rounds), ROUNDS_QUICK, ROUNDS_MANY);
}

static void fit_duration(const struct bench_guide *guide, struct bench_run *run, double duration_s,
                         bool has_rounds)
{
    if (!has_rounds)
        run->rounds = rounds_for(guide, run, duration_s);
    struct bench_plan plan = plan_all(guide, run, run->rounds);
    double scale = (duration_s - plan.around_s) / (plan.measured_s > 0 ? plan.measured_s : 1);
    run->scale = clamp(scale, SCALE_MIN, SCALE_MAX);
}

static void plan_scenarios(struct bench_guide *guide, const struct bench_run *run)
{
    guide->planned_s = 0;
    for (size_t i = 0; i < guide->count; i++) {
        struct bench_plan plan = plan_of(run, guide->scenarios[i], run->rounds);
        guide->planned[i] = plan.around_s + plan.measured_s * run->scale;
        guide->planned_s += guide->planned[i];
    }
}

void bench_guide_plan(struct bench_guide *guide, struct bench_run *run,
                      const struct bench_options *options)
{
    run->rounds = options->quick ? ROUNDS_QUICK : BENCH_ROUNDS_FULL;
    run->scale = options->quick ? SCALE_QUICK : 1;
    if (options->rounds > 0)
        run->rounds = options->rounds;
    if (options->duration_s > 0)
        fit_duration(guide, run, options->duration_s, options->rounds > 0);
    plan_scenarios(guide, run);
    if (options->duration_s > 0 && (guide->planned_s > 1.25 * options->duration_s ||
                                    guide->planned_s < 0.75 * options->duration_s))
        fprintf(stderr, "peal-bench: --duration: %u rounds take about %.0f s, whatever is wanted\n",
                run->rounds, guide->planned_s);
    if (run->verbose)
        fprintf(stderr, "%zu scenarios, %u rounds: about %.0f s\n", guide->count, run->rounds,
                guide->planned_s);
    guide->rounds = run->rounds;
    guide->sweeps = run->rounds < SWEEPS * SWEEP_ROUNDS_MIN ? 1 : SWEEPS;
    guide->is_shown = isatty(STDERR_FILENO) != 0;
    guide->begin_ns = bench_clock_ns();
}

void bench_guide_wipe(const struct bench_guide *guide)
{
    if (guide->is_shown)
        fprintf(stderr, "\r\033[K");
}

/* What is left, from what has been so far once that says something, before from the plan. */
static double left_seconds(const struct bench_guide *guide, double done_s)
{
    double elapsed_s = (double)(bench_clock_ns() - guide->begin_ns) * 1e-9;
    double rest_s = guide->planned_s - done_s;

    if (done_s > 0.05 * guide->planned_s && elapsed_s > 2)
        rest_s *= elapsed_s / done_s;
    return rest_s > 0 ? rest_s : 0;
}

void bench_guide_progress(struct bench_run *run, double part)
{
    struct bench_guide *guide = run->guide;
    char line[COLUMNS + 1];

    if (!guide->is_shown || guide->current >= guide->count)
        return;
    const struct bench_scenario *scenario = guide->scenarios[guide->current];
    double within = part < 0 ? 0 : part > 1 ? 1 : part;
    double done_s = guide->done_s + within * guide->planned[guide->current] / guide->sweeps;
    unsigned left_s = (unsigned)(left_seconds(guide, done_s) + 0.5);
    double percent = guide->planned_s > 0 ? 100 * done_s / guide->planned_s : 100;
    snprintf(line, sizeof(line), "%3.0f %%, %u:%02u left, %zu of %zu: %s",
             percent > 100 ? 100 : percent, left_s / 60, left_s % 60,
             guide->sweep * guide->count + guide->current + 1, guide->sweeps * guide->count,
             scenario->name);
    fprintf(stderr, "\r\033[K%s", line);
    fflush(stderr);
}

/* Of 11 rounds in 3 sweeps: 4, 4 and 3. */
void bench_guide_begin(struct bench_guide *guide, struct bench_run *run)
{
    unsigned left = guide->rounds, done = 0;

    for (unsigned sweep = 0;; sweep++) {
        run->rounds_done = done;
        run->rounds = (left + guide->sweeps - sweep - 1) / (guide->sweeps - sweep);
        if (sweep == guide->sweep)
            break;
        done += run->rounds;
        left -= run->rounds;
    }
    guide->scenario_ns = bench_clock_ns();
}

void bench_guide_end(struct bench_guide *guide)
{
    guide->taken[guide->current] += (double)(bench_clock_ns() - guide->scenario_ns) * 1e-9;
    guide->done_s += guide->planned[guide->current] / guide->sweeps;
    guide->current++;
    if (guide->current == guide->count && !bench_guide_is_last_sweep(guide)) {
        guide->current = 0;
        guide->sweep++;
    }
}

void bench_guide_print_times(const struct bench_guide *guide, FILE *file)
{
    double planned_s = 0, taken_s = 0;

    fprintf(file, "%-44s %9s %9s\n", "scenario [s]", "planned", "taken");
    for (size_t i = 0; i < guide->count; i++) {
        planned_s += guide->planned[i];
        taken_s += guide->taken[i];
        fprintf(file, "%-44s %9.2f %9.2f\n", guide->scenarios[i]->name, guide->planned[i],
                guide->taken[i]);
    }
    fprintf(file, "%-44s %9.2f %9.2f\n", "all", planned_s, taken_s);
}
