/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/rounds.h"

#include "bench/contest/peal_spacer.h"
#include "bench/supervisor.h"

#include <math.h>
#include <stdio.h>

enum {
    RAW_TRIPS = 40000,
    RAW_TRIPS_MIN = 10000, /* its two modes alternate every few hundred trips (floors.c) */
    COUNT_MIN = 8,
};

#define MIDDLE 0.8

static uint64_t scaled(const struct bench_pair *pair, uint64_t count, uint64_t least)
{
    double part = (double)count * pair->run->scale;

    /* A longer run gets more rounds first (bench/guide.c); samples must fit in memory. */
    if (part > 10.0 * (double)count)
        part = 10.0 * (double)count;
    return part < (double)least ? least : (uint64_t)part;
}

static double probe(struct bench_pair *pair, enum bench_place place, uint64_t count,
                    struct bench_sample *sample)
{
    bench_pair_run(pair, place, count, sample);
    return bench_middle_mean(sample->ns, sample->count, MIDDLE);
}

static bool has_raw(const struct bench_pair *pair)
{
    return pair->row->kind != BENCH_MEMORY;
}

static bool has_floor(const struct bench_pair *pair)
{
    return pair->row->floor.what != NULL;
}

/* `subject` gets the subject's samples; `other` is for those of the probes around it. */
static struct bench_round run_round(struct bench_pair *pair, struct bench_sample *subject,
                                    struct bench_sample *other)
{
    const struct bench_row *row = pair->row;
    uint64_t raw_count = scaled(pair, RAW_TRIPS, RAW_TRIPS_MIN);
    uint64_t floor_count = scaled(pair, row->floor.count, COUNT_MIN);
    double floor_before_ns = 0, floor_after_ns = 0;
    struct bench_round round = {.cpu_ns = NAN};

    if (has_raw(pair))
        round.raw_before_ns = probe(pair, BENCH_RAW, raw_count, other);
    if (has_floor(pair))
        floor_before_ns = probe(pair, BENCH_FLOOR, floor_count, other);
    round.cpu_ns =
        bench_pair_run(pair, BENCH_SUBJECT, scaled(pair, row->subject.count, COUNT_MIN), subject);
    round.subject_ns = bench_middle_mean(subject->ns, subject->count, MIDDLE);
    if (has_floor(pair))
        floor_after_ns = probe(pair, BENCH_FLOOR, floor_count, other);
    if (has_raw(pair))
        round.raw_after_ns = probe(pair, BENCH_RAW, raw_count, other);
    round.floor_ns = has_floor(pair) ? (floor_before_ns + floor_after_ns) / 2
                                     : (round.raw_before_ns + round.raw_after_ns) / 2;
    return round;
}

static bool has_drifted(const struct bench_round *round)
{
    return round->raw_before_ns > 0 &&
           !bench_probes_agree(round->raw_before_ns, round->raw_after_ns, BENCH_TOLERANCE);
}

static void print_round(const struct bench_pair *pair, const struct bench_round *round)
{
    fprintf(stderr, "%s: raw %.1f, floor %.1f, subject %.1f, raw %.1f%s\n", pair->name,
            round->raw_before_ns, round->floor_ns, round->subject_ns, round->raw_after_ns,
            has_drifted(round) ? ": drifted" : "");
}

static void hand_in(struct bench_outcome *outcome, unsigned index, const struct bench_round *round,
                    const struct bench_sample *subject)
{
    outcome->round[index] = *round;
    outcome->operations += subject->operations;
    for (size_t i = 0; i < subject->count; i++)
        bench_histogram_add(&outcome->latency, (uint64_t)subject->ns[i], 1);
    bench_word_write(&outcome->rounds.word, index + 1);
}

static unsigned rounds_of(const struct bench_pair *pair)
{
    return pair->row->kind == BENCH_MEMORY ? 1 : pair->run->rounds;
}

/* Of neighbouring rows the same round is elsewhere, too. */
static void open_parts(struct bench_pair *pair, unsigned round)
{
    struct bench_spacer spacer = {.bus = NULL};

    if (has_raw(pair))
        bench_spacer_open(&spacer, pair->run->url, (uint64_t)pair->serial << 32 | round);
    bench_pair_open(pair, BENCH_RAW, round);
    if (has_floor(pair))
        bench_pair_open(pair, BENCH_FLOOR, round);
    bench_pair_open(pair, BENCH_SUBJECT, round);
    bench_spacer_close(&spacer);
}

static void close_parts(struct bench_pair *pair)
{
    bench_pair_close(pair, BENCH_SUBJECT);
    if (has_floor(pair))
        bench_pair_close(pair, BENCH_FLOOR);
    bench_pair_close(pair, BENCH_RAW);
}

/* The measuring side. */
static int measure(struct bench_pair *pair)
{
    struct bench_sample subject = {.ns = NULL}, other = {.ns = NULL};
    struct bench_outcome *outcome = &pair->shared->outcome;

    for (unsigned i = 0; i < rounds_of(pair) && bench_interrupted() == 0; i++) {
        open_parts(pair, i);
        struct bench_round round = run_round(pair, &subject, &other);
        if (pair->run->verbose)
            print_round(pair, &round);
        hand_in(outcome, i, &round, &subject);
        close_parts(pair);
    }
    bench_pair_end(pair);
    bench_sample_free(&subject);
    bench_sample_free(&other);
    return 0;
}

/* Large messages are told by their bytes, as memory is. */
static enum bench_unit unit_of(const struct bench_row *row)
{
    enum { LARGE_BYTES = 1024 };

    if (row->kind == BENCH_MEMORY)
        return BENCH_BYTES;
    if (row->kind != BENCH_RATE)
        return BENCH_NS;
    return row->subject.setup.size_bytes >= LARGE_BYTES ? BENCH_BYTES_PER_S : BENCH_PER_S;
}

static double in_unit(const struct bench_row *row, enum bench_unit unit, double ns)
{
    if (unit == BENCH_PER_S)
        return ns > 0 ? 1e9 / ns : NAN;
    if (unit == BENCH_BYTES_PER_S)
        return ns > 0 ? 1e9 * row->subject.setup.size_bytes / ns : NAN;
    return ns;
}

/* Of the rounds; NAN: not taken. */
static double median_cpu_ns(const struct bench_outcome *outcome, unsigned rounds)
{
    double cpu_ns[BENCH_RECORD_ROUNDS_MAX];
    unsigned count = 0;

    for (unsigned i = 0; i < rounds; i++) {
        if (!isnan(outcome->round[i].cpu_ns))
            cpu_ns[count++] = outcome->round[i].cpu_ns;
    }
    return count > 0 ? bench_quantile(cpu_ns, count, 0.5) : (double)NAN;
}

static void add_record(struct bench_run *run, const struct bench_scenario *scenario,
                       const struct bench_outcome *outcome, unsigned planned)
{
    const struct bench_row *row = scenario->parameters;
    enum bench_unit unit = unit_of(row);
    unsigned rounds = (unsigned)bench_word_read(&outcome->rounds.word);
    /* Against the raw round trip: times only. */
    bool is_compared =
        row->kind != BENCH_MEMORY && (row->floor.what != NULL || row->kind != BENCH_RATE);
    struct bench_record *record;

    if (rounds == 0)
        return;
    record = bench_results_add(&run->results, scenario->group, bench_scenario_title(scenario),
                               row->contender, row->party, unit);
    for (unsigned i = 0; i < rounds; i++) {
        const struct bench_round *round = &outcome->round[i];
        double floor = is_compared ? in_unit(row, unit, round->floor_ns) : NAN;
        bench_record_round(record, in_unit(row, unit, round->subject_ns), floor,
                           has_drifted(round));
    }
    if (is_compared)
        bench_record_floor(record, row->floor.what != NULL ? row->floor_name : "raw ping-pong",
                           row->target);
    if (row->series != NULL)
        bench_record_place(record, row->series, row->x_name, row->x);
    if (rounds < planned)
        record->remarks |= BENCH_REMARK_PARTIAL;
    if (run->threads)
        record->remarks |= BENCH_REMARK_THREADS;
    record->operations = outcome->operations;
    if (row->kind != BENCH_MEMORY)
        record->cpu_ns = median_cpu_ns(outcome, rounds);
    if (row->kind == BENCH_LATENCY)
        bench_histogram_merge(bench_record_latency(record), &outcome->latency);
}

void bench_pair_scenario_run(struct bench_run *run, const struct bench_scenario *scenario)
{
    struct bench_pair pair;

    if (!bench_pair_init(&pair, run, scenario)) {
        run->has_failed = true;
        return;
    }
    int code = bench_supervise(&pair, run, measure);
    if (code == 0)
        add_record(run, scenario, &pair.shared->outcome, rounds_of(&pair));
    else if (code == BENCH_EXIT_IMPOSSIBLE)
        fprintf(stderr, "peal-bench: %s is left out\n", scenario->name);
    else
        run->has_failed = true;
    bench_pair_free(&pair);
}
