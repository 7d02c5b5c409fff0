/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/gbench.h"
#include "bench/report/format.h"
#include "bench/report/ranking.h"
#include "bench/report/report.h"

#include <errno.h>
#include <math.h>
#include <string.h>

enum { COUNTERS_MAX = 32 };

struct counters {
    struct gbench_counter list[COUNTERS_MAX];
    size_t count;
};

static void counter(struct counters *counters, const char *name, double value)
{
    if (counters->count < COUNTERS_MAX)
        counters->list[counters->count++] = (struct gbench_counter){name, value};
}

/* The schema is about times: a rate is also the time of one message (or byte), memory has none. */
static double time_of(const struct bench_record *record, double value)
{
    switch (record->unit) {
    case BENCH_NS:
        return value;
    case BENCH_PER_S:
    case BENCH_BYTES_PER_S:
        return value > 0 ? 1e9 / value : 0;
    case BENCH_BYTES:
        break;
    }
    return 0;
}

static void value_counters(struct counters *counters, const struct bench_record *record,
                           double value)
{
    counter(counters, "value", value);
    counter(counters, "small_is_good", bench_unit_small_is_good(record->unit));
    if (record->unit == BENCH_PER_S)
        counter(counters, "items_per_second", value);
    if (record->unit == BENCH_BYTES_PER_S)
        counter(counters, "bytes_per_second", value);
}

/* What has no number in this round has no line: a schema without "no value" would make a zero of it. */
static void write_round(struct gbench_json *json, const struct bench_record *record,
                        struct gbench_line line, unsigned round)
{
    struct counters counters = {.count = 0};
    double value = record->values[round], floor = record->floors[round];

    if (!isfinite(value))
        return;
    value_counters(&counters, record, value);
    counter(&counters, "floor", floor);
    if (isfinite(floor) && floor > 0)
        counter(&counters, "ratio", value / floor);
    counter(&counters, "drifted", record->drifted[round]);
    line.repetition = round;
    line.real_ns = time_of(record, value);
    gbench_json_add(json, &line, counters.list, counters.count);
}

static void latency_counters(struct counters *counters, const struct bench_histogram *latency)
{
    static const struct {
        const char *name;
        double fraction;
    } quantiles[] = {{"p50", 0.5},     {"p90", 0.9},       {"p99", 0.99},
                     {"p99.9", 0.999}, {"p99.99", 0.9999}, {"max", 1}};

    if (latency == NULL || latency->total == 0)
        return;
    for (size_t i = 0; i < sizeof(quantiles) / sizeof(quantiles[0]); i++)
        counter(counters, quantiles[i].name,
                bench_histogram_quantile(latency, quantiles[i].fraction));
}

/* Of a peer: Peal's best beside it. Of Peal's best: what became of the scenario's target. */
static void standing_counters(struct counters *counters, const struct bench_record *record,
                              const struct bench_ranking *ranking)
{
    struct bench_aimed aimed;

    if (record->wedged_ns > 0)
        counter(counters, "wedged", bench_record_wedged(record));
    for (unsigned i = 0; i < ranking->count; i++) {
        const struct bench_pairs *pairs = &ranking->pairs[i];
        if (ranking->records[i] != record || pairs->rounds == 0)
            continue;
        counter(counters, "peal_times", pairs->times.median);
        counter(counters, "peal_better", pairs->better);
        counter(counters, "peal_decided", pairs->decided);
        counter(counters, "peal_chance", pairs->chance);
    }
    if (record != ranking->peal || !bench_ranking_aim(ranking, &aimed))
        return;
    counter(counters, "aim_times", aimed.pairs.times.median);
    counter(counters, "aim_chance", aimed.pairs.chance);
    counter(counters, "aim_met", aimed.is_met);
    counter(counters, "aim_open", aimed.is_open);
}

static void write_median(struct gbench_json *json, const struct bench_record *record,
                         const struct bench_ranking *ranking, struct gbench_line line)
{
    struct counters counters = {.count = 0};
    double floors[BENCH_RECORD_ROUNDS_MAX];
    struct bench_record floor = {.rounds = record->rounds, .values = floors};
    double median = bench_record_values(record).median;

    for (unsigned i = 0; i < record->rounds; i++)
        floors[i] = record->floors[i];
    value_counters(&counters, record, median);
    counter(&counters, "floor", bench_record_values(&floor).median);
    counter(&counters, "ratio", bench_record_ratio(record).median);
    counter(&counters, "target", record->target > 0 ? record->target : NAN);
    counter(&counters, "x", record->x);
    counter(&counters, "cpu_ns", record->cpu_ns);
    counter(&counters, "drifted", bench_record_drifted(record));
    counter(&counters, "cut", record->cut);
    counter(&counters, "operations", (double)record->operations);
    latency_counters(&counters, record->latency);
    standing_counters(&counters, record, ranking);
    line.aggregate = "median";
    line.real_ns = time_of(record, median);
    gbench_json_add(json, &line, counters.list, counters.count);
}

static void write_end(struct gbench_json *json, const struct bench_record *record,
                      struct gbench_line line, const char *aggregate, double value, double ratio)
{
    struct counters counters = {.count = 0};

    value_counters(&counters, record, value);
    counter(&counters, "ratio", ratio);
    line.aggregate = aggregate;
    line.real_ns = time_of(record, value);
    gbench_json_add(json, &line, counters.list, counters.count);
}

/* "ns; peer; copies; kernel": the unit, the party, the remarks. */
static void label_of(const struct bench_record *record, char *label, size_t size_bytes)
{
    static const char *const parties[] = {"peal", "peer", "floor"};
    size_t used = (size_t)snprintf(label, size_bytes, "%s; %s", bench_unit_name(record->unit),
                                   parties[record->party]);

    for (unsigned bit = 0; bench_remark_name(bit) != NULL && used < size_bytes; bit++) {
        if ((record->remarks >> bit & 1) != 0)
            used +=
                (size_t)snprintf(label + used, size_bytes - used, "; %s", bench_remark_name(bit));
    }
}

static void write_record(struct gbench_json *json, const struct bench_record *record,
                         const struct bench_ranking *ranking, unsigned family)
{
    char label[128];
    struct gbench_line line = {.name = record->name,
                               .label = label,
                               .family = family,
                               .repetitions = record->rounds,
                               .iterations =
                                   record->rounds > 0 ? record->operations / record->rounds : 0,
                               .cpu_ns = isfinite(record->cpu_ns) ? record->cpu_ns : 0};
    struct bench_spread values = bench_record_values(record);
    struct bench_spread ratio = bench_record_ratio(record);

    label_of(record, label, sizeof(label));
    if (isnan(values.median))
        return;
    for (unsigned i = 0; i < record->rounds; i++)
        write_round(json, record, line, i);
    write_median(json, record, ranking, line);
    write_end(json, record, line, "min", values.min, ratio.min);
    write_end(json, record, line, "max", values.max, ratio.max);
}

bool bench_json_write(const struct bench_results *results, const char *path)
{
    char text[128];

    /* Google Benchmark has a "date" and more of its own. */
    for (size_t i = 0; i < results->facts_count; i++) {
        snprintf(text, sizeof(text), "peal_%s", results->facts[i].key);
        gbench_context(text, results->facts[i].value);
    }
    snprintf(text, sizeof(text), "%.2f", results->clock_cost_ns);
    gbench_context("peal_clock_cost_ns", text);
    gbench_context("peal_interrupted", results->is_interrupted ? "yes" : "no");
    struct gbench_json *json = gbench_json_begin(path, "peal-bench");
    if (json == NULL) {
        fprintf(stderr, "peal-bench: cannot write '%s': %s\n", path, strerror(errno));
        return false;
    }
    for (size_t i = 0; i < results->count; i++) {
        const struct bench_record *record = results->records[i];
        struct bench_ranking ranking = bench_ranking_of(results, record->group, record->scenario);
        write_record(json, record, &ranking, (unsigned)i);
    }
    if (!gbench_json_end(json)) {
        fprintf(stderr, "peal-bench: could not write all of '%s'; is the disk full?\n", path);
        return false;
    }
    return true;
}
