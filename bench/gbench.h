/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Google Benchmark for C: what the benchmarks need of it, and nothing more.
 *
 *      gbench_initialize(&argc, argv);
 *      gbench_add("ping_pong/48", run_ping_pong, &row);
 *      gbench_run();
 *
 *      static void run_ping_pong(struct gbench_state *state, void *context)
 *      {
 *          double ns = ...measure...;
 *          gbench_report(state, ns, operations);
 *          gbench_counter(state, "p99", p99_ns);
 *      }
 *
 * The benchmarks time themselves, between two processes and over interleaved rounds, so each is
 * called once ("manual time", one iteration) and hands in its result; Google Benchmark selects by
 * name, collects, and writes JSON or CSV. Behind it stands gbench.cc, the only C++ of the benchmarks.
 *
 * Threads: all calls by one thread. Nothing here fails but gbench_initialize().
 */
#ifndef PEAL_BENCH_GBENCH_H
#define PEAL_BENCH_GBENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct gbench_state;

typedef void (*gbench_function)(struct gbench_state *state, void *context);

/* Takes the --benchmark_* arguments; false if one of them (or any other that is left) is unknown. */
bool gbench_initialize(int *argc, char **argv);

/* Registers one benchmark; `name` is copied, `context` must outlive gbench_run(). */
void gbench_add(const char *name, gbench_function function, void *context);

/* A line of the JSON's "context" object; the first value of a key stays. */
void gbench_context(const char *key, const char *value);

/*
 * Runs what the filter selects and returns how many that was. `console`: Google Benchmark prints its
 * own table (or JSON) to stdout as well; without it only the --benchmark_out file is written.
 */
size_t gbench_run(bool console);

/* Once per run: the typical time of one operation, and how many operations were measured. */
void gbench_report(struct gbench_state *state, double operation_ns, uint64_t operations);

/* A named number beside the time; may be called after gbench_report(). */
void gbench_counter(struct gbench_state *state, const char *name, double value);

/* A remark beside the name. */
void gbench_label(struct gbench_state *state, const char *text);

/*
 * Results that were not measured inside gbench_run(), written by Google Benchmark's own JSON reporter, so
 * that whatever reads its files reads these.
 *
 *      struct gbench_json *json = gbench_json_begin("results.json", "peal-bench");
 *      gbench_json_add(json, &line, counters, count);   for each round, and each aggregate
 *      if (!gbench_json_end(json)) ...errno
 */
struct gbench_json;

struct gbench_counter {
    const char *name;
    double value; /* NaN and infinity are left out: JSON has no such numbers */
};

struct gbench_line {
    const char *name;
    const char *aggregate; /* "median"; NULL: a repetition */
    const char *label;     /* NULL: none */
    unsigned family;       /* the same for all lines of one name */
    unsigned repetition;
    unsigned repetitions;
    uint64_t iterations;
    double real_ns; /* an operation */
    double cpu_ns;
};

/* NULL, and errno, if the file cannot be made. What gbench_context() was told before goes in. */
struct gbench_json *gbench_json_begin(const char *path, const char *program);
void gbench_json_add(struct gbench_json *json, const struct gbench_line *line,
                     const struct gbench_counter counters[], size_t count);
bool gbench_json_end(struct gbench_json *json);

#ifdef __cplusplus
}
#endif

#endif
