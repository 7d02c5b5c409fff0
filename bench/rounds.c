/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/rounds.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    RAW_TRIPS = 40000,
    RAW_TRIPS_MIN = 10000, /* its two modes alternate every few hundred trips (floors.c) */
    TRIES = 3,
};

#define MIDDLE 0.8

/* What one round found. */
struct round {
    double subject_ns;
    double floor_ns;
    double raw_before_ns;
    double raw_after_ns;
};

/* Per kept round; [rounds] each. */
struct series {
    double *subject_ns;
    double *floor_ns;
    double *raw_ns;
    double *ratio;
    double *ratio_net;
};

static uint64_t scaled(uint64_t count, const struct bench_plan *plan)
{
    uint64_t part = count * plan->percent / 100;

    return part < 8 ? 8 : part;
}

static double probe(struct bench_pair *pair, size_t row, enum bench_place place, uint64_t count,
                    struct bench_sample *sample)
{
    bench_pair_run(pair, row, place, count, sample);
    return bench_middle_mean(sample->ns, sample->count, MIDDLE);
}

/* `subject` gets the subject's samples; `other` is for those of the probes around it. */
static struct round run_round(struct bench_pair *pair, size_t index, const struct bench_plan *plan,
                              struct bench_sample *subject, struct bench_sample *other)
{
    const struct bench_row *row = &bench_rows[index];
    bool has_floor = row->floor.what != NULL;
    uint64_t raw_count = scaled(RAW_TRIPS, plan);
    if (raw_count < RAW_TRIPS_MIN)
        raw_count = RAW_TRIPS_MIN;
    double floor_before_ns = 0, floor_after_ns = 0;
    struct round round;

    round.raw_before_ns = probe(pair, index, BENCH_RAW, raw_count, other);
    if (has_floor)
        floor_before_ns = probe(pair, index, BENCH_FLOOR, scaled(row->floor.count, plan), other);
    round.subject_ns = probe(pair, index, BENCH_SUBJECT, scaled(row->subject.count, plan), subject);
    if (has_floor)
        floor_after_ns = probe(pair, index, BENCH_FLOOR, scaled(row->floor.count, plan), other);
    round.raw_after_ns = probe(pair, index, BENCH_RAW, raw_count, other);
    round.floor_ns = has_floor ? (floor_before_ns + floor_after_ns) / 2
                               : (round.raw_before_ns + round.raw_after_ns) / 2;
    return round;
}

static void keep(struct series *series, unsigned index, const struct round *round,
                 enum bench_kind kind, double clock_cost_ns)
{
    double subject_net_ns = round->subject_ns - clock_cost_ns;
    double floor_net_ns = round->floor_ns - clock_cost_ns;

    series->subject_ns[index] = round->subject_ns;
    series->floor_ns[index] = round->floor_ns;
    series->raw_ns[index] = (round->raw_before_ns + round->raw_after_ns) / 2;
    series->ratio[index] = kind == BENCH_RATE ? round->floor_ns / round->subject_ns
                                              : round->subject_ns / round->floor_ns;
    series->ratio_net[index] =
        kind == BENCH_LATENCY && floor_net_ns > 0 ? subject_net_ns / floor_net_ns : 0;
}

static struct series series_make(double *memory, unsigned rounds)
{
    return (struct series){.subject_ns = memory,
                           .floor_ns = memory + rounds,
                           .raw_ns = memory + 2 * (size_t)rounds,
                           .ratio = memory + 3 * (size_t)rounds,
                           .ratio_net = memory + 4 * (size_t)rounds};
}

static void summarise(struct bench_result *result, const struct series *series)
{
    unsigned kept = result->kept;

    result->typical_ns = bench_quantile(series->subject_ns, kept, 0.5);
    result->floor_ns = bench_quantile(series->floor_ns, kept, 0.5);
    result->raw_ns = bench_quantile(series->raw_ns, kept, 0.5);
    result->ratio = bench_quantile(series->ratio, kept, 0.5);
    result->ratio_net = bench_quantile(series->ratio_net, kept, 0.5);
    result->ratio_min = kept > 0 ? series->ratio[0] : 0; /* sorted by now */
    result->ratio_max = kept > 0 ? series->ratio[kept - 1] : 0;
}

static void print_round(const char *name, const struct round *round, bool kept)
{
    fprintf(stderr, "%s: raw %.1f, floor %.1f, subject %.1f, raw %.1f: %s\n", name,
            round->raw_before_ns, round->floor_ns, round->subject_ns, round->raw_after_ns,
            kept ? "kept" : "dropped");
}

struct bench_result bench_rounds_run(struct bench_pair *pair, size_t row,
                                     const struct bench_plan *plan, double clock_cost_ns)
{
    struct bench_result result = {.kept = 0};
    struct bench_sample subject = {.ns = NULL}, other = {.ns = NULL};
    double *memory = bench_allocate(5 * (size_t)plan->rounds * sizeof *memory);
    struct series series = series_make(memory, plan->rounds);
    bool has_floor = bench_rows[row].floor.what != NULL;

    if (has_floor)
        bench_pair_open(pair, row, BENCH_FLOOR);
    bench_pair_open(pair, row, BENCH_SUBJECT);
    for (unsigned try = 0; try < TRIES * plan->rounds && result.kept < plan->rounds; try++) {
        struct round round = run_round(pair, row, plan, &subject, &other);
        bool steady =
            bench_probes_agree(round.raw_before_ns, round.raw_after_ns, BENCH_TOLERANCE) &&
            round.floor_ns > 0 && round.subject_ns > 0;
        if (plan->verbose)
            print_round(bench_rows[row].name, &round, steady);
        if (!steady) {
            result.dropped++;
            continue;
        }
        keep(&series, result.kept++, &round, bench_rows[row].kind, clock_cost_ns);
        if (!bench_sample_append(&result.pooled, &subject))
            bench_die("not enough memory for the samples of %s", bench_rows[row].name);
    }
    bench_pair_close(pair, row, BENCH_SUBJECT);
    if (has_floor)
        bench_pair_close(pair, row, BENCH_FLOOR);
    summarise(&result, &series);
    bench_sample_free(&subject);
    bench_sample_free(&other);
    free(memory);
    return result;
}

bool bench_target_met(const struct bench_row *row, double ratio)
{
    if (row->target <= 0)
        return true;
    return row->kind == BENCH_RATE ? ratio >= row->target : ratio <= row->target;
}
