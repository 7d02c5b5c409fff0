/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/model/run.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define LABELS_MAX 64u

static const struct {
    const char *name;
    const char *model;
    int number;
} mutants[] = {
#include "mutants.inc"
    {NULL, NULL, 0}};

bool run_is_long(void)
{
    const char *wish = getenv("PEAL_MODEL_LONG");
    return wish && strcmp(wish, "0") != 0;
}

static double now_s(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static struct model_result run(const struct model_program *program, const char *without)
{
    double begin = now_s();
    struct model_result result = model_explore(program);
    (void)printf(
        "model: %s%s%s: %" PRIu64 " states, %" PRIu64 " steps, %" PRIu64 " ends, %.2f s%s%s%s\n",
        program->name, without ? " without " : "", without ? without : "", result.states,
        result.steps, result.ends, now_s() - begin, result.is_complete ? "" : ", not complete",
        result.violation ? ": " : "", result.violation ? result.violation : "");
    (void)fflush(stdout);
    return result;
}

void run_holds(const struct model_program *program)
{
    struct model_result result = run(program, NULL);
    if (result.violation)
        model_print_trace();
    assert_null(result.violation);
    assert_true(result.is_complete);
    assert_true(result.ends > 0);
}

static bool is_in(const char *const *list, const char *label)
{
    for (; *list; list++) {
        if (strcmp(*list, label) == 0)
            return true;
    }
    return false;
}

/* 1 if it holds without that order. */
static unsigned is_spare(const struct model_program *program, const char *label)
{
    model_weaken(label);
    struct model_result result = run(program, label);
    model_weaken(NULL);
    if (!result.violation)
        (void)printf("model: %s holds without %s\n", program->name, label);
    return result.violation == NULL;
}

void run_each_order_is_needed(const struct model_program *program, const char *const *spared)
{
    run_holds(program);
    /* A search without one of them may pass others. */
    static char labels[LABELS_MAX][16];
    unsigned count = model_label_count();
    assert_true(count > 0 && count <= LABELS_MAX);
    for (unsigned i = 0; i < count; i++)
        (void)snprintf(labels[i], sizeof(labels[i]), "%s", model_label(i));
    unsigned failures = 0;
    for (unsigned i = 0; i < count; i++) {
        if (!is_in(spared, labels[i]))
            failures += is_spare(program, labels[i]);
    }
    assert_int_equal(failures, 0);
}

void run_these_orders_are_needed(const struct model_program *program, const char *const *needed)
{
    unsigned failures = 0;
    for (; *needed; needed++)
        failures += is_spare(program, *needed);
    assert_int_equal(failures, 0);
}

void run_each_mutant_fails(const char *model, const struct model_program *program)
{
    unsigned tried = 0;
    unsigned failures = 0;
    for (unsigned i = 0; mutants[i].name; i++) {
        if (strcmp(mutants[i].model, model) != 0)
            continue;
        model_mutant = mutants[i].number;
        struct model_result result = run(program, mutants[i].name);
        model_mutant = 0;
        if (!result.violation)
            (void)printf("model: %s holds without %s\n", program->name, mutants[i].name);
        failures += result.violation == NULL;
        tried++;
    }
    assert_true(tried > 0);
    assert_int_equal(failures, 0);
}
