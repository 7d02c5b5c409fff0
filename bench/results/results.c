/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/results/results.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A bench that has measured for minutes has nothing better to do without memory than to say so. */
static void *grown(void *old, size_t count, size_t size_bytes)
{
    void *memory = reallocarray(old, count, size_bytes);

    if (memory == NULL) {
        fputs("peal-bench: no memory left for the results\n", stderr);
        exit(1);
    }
    return memory;
}

static char *copied(const char *text)
{
    size_t size_bytes = strlen(text) + 1;

    return memcpy(grown(NULL, size_bytes, 1), text, size_bytes);
}

static void replace(char **text, const char *by)
{
    char *copy = by == NULL ? NULL : copied(by); /* before free(): it may be the old one */

    free(*text);
    *text = copy;
}

/* "latency/64" in group latency stays as it is; "stream/64" in throughput becomes "throughput/stream/64". */
static char *named(enum bench_group group, const char *scenario, const char *contender)
{
    const char *first = bench_group_name(group);
    size_t length = strlen(first);
    bool has_it = strncmp(scenario, first, length) == 0 && scenario[length] == '/';
    size_t size_bytes = length + strlen(scenario) + strlen(contender) + 3;
    char *name = grown(NULL, size_bytes, 1);

    snprintf(name, size_bytes, "%s%s%s/%s", has_it ? "" : first, has_it ? "" : "/", scenario,
             contender);
    return name;
}

static struct bench_record *look_up(const struct bench_results *results, const char *name)
{
    for (size_t i = 0; i < results->count; i++) {
        if (strcmp(results->records[i]->name, name) == 0)
            return results->records[i];
    }
    return NULL;
}

static void keep_record(struct bench_results *results, struct bench_record *record)
{
    if (results->count == results->capacity) {
        results->capacity = results->capacity == 0 ? 64 : 2 * results->capacity;
        results->records = grown(results->records, results->capacity, sizeof(*results->records));
    }
    results->records[results->count++] = record;
}

struct bench_record *bench_results_add(struct bench_results *results, enum bench_group group,
                                       const char *scenario, const char *contender,
                                       enum bench_party party, enum bench_unit unit)
{
    struct bench_record *record = grown(NULL, 1, sizeof(*record));

    *record = (struct bench_record){.name = named(group, scenario, contender),
                                    .group = group,
                                    .scenario = copied(scenario),
                                    .contender = copied(contender),
                                    .party = party,
                                    .unit = unit,
                                    .x = NAN,
                                    .cpu_ns = NAN};
    if (look_up(results, record->name) != NULL) {
        fprintf(stderr, "peal-bench: two records of the name '%s'\n", record->name);
        abort();
    }
    keep_record(results, record);
    return record;
}

void bench_record_round(struct bench_record *record, double value, double floor, bool drifted)
{
    unsigned rounds = record->rounds;

    if (rounds == BENCH_RECORD_ROUNDS_MAX)
        return;
    /* Full at each power of two, and at none. */
    if ((rounds & (rounds - 1)) == 0) {
        size_t capacity = rounds == 0 ? 1 : 2 * (size_t)rounds;
        record->values = grown(record->values, capacity, sizeof(*record->values));
        record->floors = grown(record->floors, capacity, sizeof(*record->floors));
        record->drifted = grown(record->drifted, capacity, sizeof(*record->drifted));
    }
    record->values[rounds] = value;
    record->floors[rounds] = floor;
    record->drifted[rounds] = drifted;
    record->rounds++;
}

void bench_record_note(struct bench_record *record, const char *note)
{
    replace(&record->note, note);
}

void bench_record_reason(struct bench_record *record, const char *reason)
{
    replace(&record->reason, reason);
}

void bench_record_place(struct bench_record *record, const char *series, const char *x_name,
                        double x)
{
    replace(&record->series, series);
    replace(&record->x_name, x_name);
    record->x = x;
}

void bench_record_floor(struct bench_record *record, const char *floor, double target)
{
    replace(&record->floor, floor);
    record->target = target;
}

struct bench_histogram *bench_record_latency(struct bench_record *record)
{
    if (record->latency == NULL) {
        record->latency = grown(NULL, 1, sizeof(*record->latency));
        memset(record->latency, 0, sizeof(*record->latency));
    }
    return record->latency;
}

const struct bench_record *bench_results_find(const struct bench_results *results, const char *name)
{
    return look_up(results, name);
}

void bench_results_fact(struct bench_results *results, const char *key, const char *value)
{
    for (size_t i = 0; i < results->facts_count; i++) {
        if (strcmp(results->facts[i].key, key) == 0) {
            replace(&results->facts[i].value, value);
            return;
        }
    }
    if (results->facts_count == results->facts_capacity) {
        results->facts_capacity = results->facts_capacity == 0 ? 32 : 2 * results->facts_capacity;
        results->facts = grown(results->facts, results->facts_capacity, sizeof(*results->facts));
    }
    results->facts[results->facts_count++] =
        (struct bench_fact){.key = copied(key), .value = copied(value)};
}

static void record_free(struct bench_record *record)
{
    free(record->name);
    free(record->scenario);
    free(record->contender);
    free(record->note);
    free(record->reason);
    free(record->series);
    free(record->x_name);
    free(record->floor);
    free(record->values);
    free(record->floors);
    free(record->drifted);
    free(record->latency);
    free(record);
}

/* By rounds; what was not taken in one of the two is left to the other. */
static double mean_cpu_ns(const struct bench_record *one, const struct bench_record *other)
{
    if (isnan(one->cpu_ns) || one->rounds == 0)
        return other->cpu_ns;
    if (isnan(other->cpu_ns) || other->rounds == 0)
        return one->cpu_ns;
    return (one->cpu_ns * one->rounds + other->cpu_ns * other->rounds) /
           (one->rounds + other->rounds);
}

static void append(struct bench_record *record, const struct bench_record *more)
{
    record->cpu_ns = mean_cpu_ns(record, more);
    for (unsigned i = 0; i < more->rounds; i++)
        bench_record_round(record, more->values[i], more->floors[i], more->drifted[i]);
    record->cut += more->cut;
    record->operations += more->operations;
    record->remarks = more->remarks | (record->remarks & BENCH_REMARK_CUT);
    bench_record_note(record, more->note);
    bench_record_reason(record, more->reason);
    if (more->floor != NULL)
        bench_record_floor(record, more->floor, more->target);
    if (more->latency != NULL)
        bench_histogram_merge(bench_record_latency(record), more->latency);
}

void bench_results_take(struct bench_results *whole, struct bench_results *part)
{
    for (size_t i = 0; i < part->count; i++) {
        struct bench_record *record = part->records[i];
        struct bench_record *there = look_up(whole, record->name);
        if (there == NULL) {
            keep_record(whole, record);
        } else {
            append(there, record);
            record_free(record);
        }
    }
    part->count = 0;
    for (size_t i = 0; i < part->facts_count; i++)
        bench_results_fact(whole, part->facts[i].key, part->facts[i].value);
    bench_results_free(part);
}

void bench_results_free(struct bench_results *results)
{
    for (size_t i = 0; i < results->count; i++)
        record_free(results->records[i]);
    for (size_t i = 0; i < results->facts_count; i++) {
        free(results->facts[i].key);
        free(results->facts[i].value);
    }
    free(results->records);
    free(results->facts);
    *results = (struct bench_results){0};
}
