/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What happens at fault points: nothing, this process is killed, or it is stopped until somebody continues
 * it, at the k-th pass of one point. Only in programs that are linked with the library of fault points.
 *
 *      PEAL_FAULT_AT=join.tagged:2:kill program
 */
#ifndef PEAL_TESTS_SUPPORT_FAULT_PLAN_H
#define PEAL_TESTS_SUPPORT_FAULT_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum fault_mode {
    FAULT_OFF,
    FAULT_COUNT, /* only count the passes */
    FAULT_KILL,  /* SIGKILL to this process */
    FAULT_STOP,  /* SIGSTOP to this process; goes on after SIGCONT */
};

struct fault_plan {
    enum fault_mode mode;
    char point[40];
    uint32_t pass; /* 1: the first */
};

#define FAULT_POINTS_MAX 192u

/* How often each point was passed; may lie in memory that outlives the process. */
struct fault_passes {
    uint32_t passes[FAULT_POINTS_MAX];
};

/* The points of this program: their names, sorted and each once. */
size_t fault_points(const char *const **names);

/* Makes it happen from now on; counts in *passes too if it is not NULL. OFF takes the hook away. */
void fault_plan_set(const struct fault_plan *plan, struct fault_passes *passes);

/* Beside the plan: calls function(context) in the thread that passes `point` next, once. NULL: not any more. */
void fault_plan_call(const char *point, void (*function)(void *context), void *context);

/* The same by PEAL_FAULT_AT. False: it is not set, or has another form. */
bool fault_plan_set_by_environment(void);

/* "POINT:PASS:MODE", as in the environment. */
bool fault_plan_parse(const char *text, struct fault_plan *plan);

#endif
