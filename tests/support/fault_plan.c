/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/fault_plan.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Weak: this file is linked with programs that have no fault points, too. */
extern void (*peal_fault_hook)(const char *point) __attribute__((weak));
extern const char *const __start_peal_points[] __attribute__((weak));
extern const char *const __stop_peal_points[] __attribute__((weak));

static const char *names[FAULT_POINTS_MAX];
static size_t name_count;

static struct fault_plan plan;
static struct fault_passes own_passes;
static struct fault_passes *passes = &own_passes;
static size_t planned; /* place of plan.point among the names */

static struct {
    size_t place; /* FAULT_POINTS_MAX: none */
    void (*function)(void *context);
    void *context;
} call = {.place = FAULT_POINTS_MAX};

static int compare(const void *one, const void *other)
{
    return strcmp(*(const char *const *)one, *(const char *const *)other);
}

static void list_names(void)
{
    if (name_count || !__start_peal_points)
        return;
    size_t all = (size_t)(__stop_peal_points - __start_peal_points);
    const char **sorted = calloc(all, sizeof(*sorted));
    if (!sorted)
        abort();
    memcpy(sorted, __start_peal_points, all * sizeof(*sorted));
    qsort(sorted, all, sizeof(*sorted), compare);
    for (size_t i = 0; i < all; i++) {
        if (i && strcmp(sorted[i], sorted[i - 1]) == 0)
            continue;
        if (name_count == FAULT_POINTS_MAX)
            abort();
        names[name_count++] = sorted[i];
    }
    free(sorted);
}

size_t fault_points(const char *const **found)
{
    list_names();
    *found = names;
    return name_count;
}

static size_t place_of(const char *point)
{
    const char **found = bsearch(&point, names, name_count, sizeof(*names), compare);
    return found ? (size_t)(found - names) : FAULT_POINTS_MAX;
}

static void happen(void)
{
    switch (plan.mode) {
    case FAULT_KILL:
        (void)kill(getpid(), SIGKILL);
        break;
    case FAULT_STOP:
        (void)kill(getpid(), SIGSTOP);
        break;
    case FAULT_OFF:
    case FAULT_COUNT:
        break;
    }
}

/* Threads may pass points at once; a count that is one too low then does no harm, and the programs that
 * plan a death have one thread. */
static void pass(const char *point)
{
    size_t place = place_of(point);
    if (place == FAULT_POINTS_MAX)
        return;
    uint32_t count = ++passes->passes[place];
    if (place == planned && count == plan.pass)
        happen();
    if (place != call.place)
        return;
    call.place = FAULT_POINTS_MAX; /* once; what is called passes points itself */
    call.function(call.context);
}

void fault_plan_set(const struct fault_plan *wanted, struct fault_passes *counts)
{
    if (!&peal_fault_hook)
        return;
    list_names();
    plan = *wanted;
    passes = counts ? counts : &own_passes;
    planned = place_of(plan.point);
    if (!counts)
        memset(passes, 0, sizeof(*passes));
    peal_fault_hook = plan.mode == FAULT_OFF ? NULL : pass;
}

void fault_plan_call(const char *point, void (*function)(void *context), void *context)
{
    if (!&peal_fault_hook)
        return;
    list_names();
    call.place = point ? place_of(point) : FAULT_POINTS_MAX;
    call.function = function;
    call.context = context;
    peal_fault_hook = pass;
}

bool fault_plan_parse(const char *text, struct fault_plan *parsed)
{
    static const char *const modes[] = {"off", "count", "kill", "stop"};
    char mode[8];
    *parsed = (struct fault_plan){0};
    if (sscanf(text, "%39[^:]:%u:%7s", parsed->point, &parsed->pass, mode) != 3)
        return false;
    for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
        parsed->mode = (enum fault_mode)i;
        if (strcmp(mode, modes[i]) == 0)
            return true;
    }
    return false;
}

bool fault_plan_set_by_environment(void)
{
    struct fault_plan wanted;
    const char *text = getenv("PEAL_FAULT_AT");
    if (!text || !fault_plan_parse(text, &wanted))
        return false;
    fault_plan_set(&wanted, NULL);
    return true;
}
