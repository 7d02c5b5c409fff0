/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/crash/matrix.h"

#include "tests/support/mortal.h"
#include "tests/support/random.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

struct stage matrix_stage;
struct matrix_times matrix_beside_dead;
struct matrix_times matrix_beside_stopped;
uint64_t matrix_reached;

struct matrix_memory *matrix_memory(void)
{
    return matrix_stage.memory;
}

struct matrix_times *matrix_times_of(const struct matrix_case *one)
{
    return one->mode == FAULT_KILL ? &matrix_beside_dead : &matrix_beside_stopped;
}

static int live(const struct matrix_role *role, uint32_t actor)
{
    struct matrix_memory *memory = matrix_memory();
    struct life life = {.url = matrix_stage.url, .ledger = &memory->ledger, .ring = memory->ring};
    struct queue_life queue_life = {.url = matrix_stage.url,
                                    .ledger = &memory->queue,
                                    .actors = &memory->queue.actors[actor],
                                    .strict = role->strict,
                                    .drops_held = role->drops_held};
    return role->queue_life ? role->queue_life(&queue_life) : role->life(&life);
}

pid_t matrix_start(const struct matrix_role *role, uint32_t actor, const struct fault_plan *plan,
                   struct fault_passes *passes)
{
    pid_t pid = mortal_fork();
    if (pid < 0)
        abort(); /* a signal to -1 would go to everybody */
    if (pid != 0)
        return pid;
    fault_plan_set(plan, passes);
    _exit(live(role, actor));
}

enum matrix_outcome matrix_await(pid_t pid)
{
    int status = 0;
    if (waitpid(pid, &status, WUNTRACED) != pid)
        return MATRIX_FAILED;
    if (WIFSTOPPED(status))
        return MATRIX_STOPPED;
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL)
        return MATRIX_DIED;
    return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? MATRIX_ENDED : MATRIX_FAILED;
}

bool matrix_live(const struct matrix_role *role, uint32_t actor, struct fault_passes *passes)
{
    const struct fault_plan count = {.mode = FAULT_COUNT};
    return matrix_await(matrix_start(role, actor, &count, passes)) == MATRIX_ENDED;
}

/* What the dead was about to do is not done. */
static void bury(uint32_t actor, const char *point)
{
    struct queue_ledger *ledger = &matrix_memory()->queue;
    for (uint32_t i = 0; i < QUEUE_LIFE_ACTORS; i++)
        queue_ledger_bury(ledger, &ledger->actors[actor + i], point);
}

pid_t matrix_start_case(const struct matrix_case *one, enum matrix_outcome *outcome)
{
    struct fault_plan plan = {.mode = one->mode, .pass = one->pass};
    (void)snprintf(plan.point, sizeof(plan.point), "%s", one->point);
    pid_t pid = matrix_start(one->role, MATRIX_MORTAL, &plan, NULL);
    *outcome = matrix_await(pid);
    matrix_reached += *outcome == MATRIX_DIED || *outcome == MATRIX_STOPPED;
    if (*outcome == MATRIX_DIED)
        bury(MATRIX_MORTAL, one->point);
    return pid;
}

bool matrix_goes_on_well(pid_t pid)
{
    (void)kill(pid, SIGCONT);
    return matrix_await(pid) == MATRIX_ENDED;
}

bool matrix_leave_a_mess(const struct matrix_role *const *lives, uint32_t count, uint64_t seed)
{
    const char *const *names;
    size_t points = fault_points(&names);
    for (uint32_t tries = 0; tries < MATRIX_MESS_TRIES; tries++) {
        struct fault_plan plan = {.mode = FAULT_KILL, .pass = 1 + random_below(&seed, 3)};
        const char *point = names[random_below(&seed, (uint32_t)points)];
        const uint32_t actor = MATRIX_MESS + QUEUE_LIFE_ACTORS * tries;
        (void)snprintf(plan.point, sizeof(plan.point), "%s", point);
        pid_t pid = matrix_start(lives[random_below(&seed, count)], actor, &plan, NULL);
        enum matrix_outcome outcome = matrix_await(pid);
        if (outcome == MATRIX_DIED) {
            bury(actor, point);
            return true;
        }
        if (outcome == MATRIX_FAILED)
            return false;
    }
    return true;
}
