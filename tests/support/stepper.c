/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/stepper.h"

#include "tests/support/mortal.h"

#include <signal.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

void stepper_begin(void)
{
    (void)raise(SIGUSR1);
}

/* The signal that it is stopped with, or 0: it has ended. */
static int await(pid_t pid)
{
    int status = 0;
    if (waitpid(pid, &status, 0) != pid || !WIFSTOPPED(status))
        return 0;
    return WSTOPSIG(status);
}

/* Up to where the act begins. */
static bool go_to_act(pid_t pid)
{
    int signal;
    for (signal = await(pid); signal != SIGUSR1 && signal != 0; signal = await(pid))
        (void)ptrace(PTRACE_CONT, pid, NULL, (void *)(intptr_t)(signal == SIGTRAP ? 0 : signal));
    return signal == SIGUSR1;
}

struct stepper stepper_start(stepper_life *life, void *context)
{
    struct stepper stepper = {.pid = mortal_fork(), .state = STEPPER_FAILED};
    if (stepper.pid > 0) {
        if (go_to_act(stepper.pid))
            stepper.state = STEPPER_GOES_ON;
        return stepper;
    }
    if (stepper.pid < 0)
        return stepper;
    if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0)
        _exit(127);
    if (!life(context))
        _exit(1);
    (void)raise(SIGUSR2); /* the act is over */
    _exit(0);
}

enum stepper_state stepper_step(struct stepper *stepper)
{
    if (stepper->state != STEPPER_GOES_ON)
        return stepper->state;
    int signal = ptrace(PTRACE_SINGLESTEP, stepper->pid, NULL, NULL) == 0 ? await(stepper->pid) : 0;
    if (signal == SIGTRAP)
        stepper->steps++;
    else
        stepper->state = signal == SIGUSR2 ? STEPPER_ENDED : STEPPER_FAILED;
    if (stepper->steps >= STEPPER_STEPS_MAX)
        stepper->state = STEPPER_FAILED;
    return stepper->state;
}

enum stepper_state stepper_go(struct stepper *stepper, uint64_t steps)
{
    for (uint64_t i = 0; i < steps && stepper->state == STEPPER_GOES_ON; i++)
        (void)stepper_step(stepper);
    return stepper->state;
}

void stepper_kill(struct stepper *stepper)
{
    if (stepper->pid <= 0) /* a signal to -1 would go to everybody */
        return;
    (void)kill(stepper->pid, SIGKILL);
    (void)waitpid(stepper->pid, NULL, 0);
    stepper->pid = 0;
}
