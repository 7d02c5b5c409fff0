/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A process that goes through an act instruction by instruction, by ptrace, and may be killed after any of them.
 */
#ifndef PEAL_TESTS_SUPPORT_STEPPER_H
#define PEAL_TESTS_SUPPORT_STEPPER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define STEPPER_STEPS_MAX 2000000u /* far more than any act has */

enum stepper_state {
    STEPPER_GOES_ON,
    STEPPER_ENDED,  /* the act is over */
    STEPPER_FAILED, /* it did not succeed, or the process is gone */
};

struct stepper {
    pid_t pid;
    enum stepper_state state;
    uint64_t steps; /* instructions of the act until now */
};

/* What the process does. It calls stepper_begin() once where the act begins; the act ends when it returns. */
typedef bool stepper_life(void *context);
void stepper_begin(void);

/* Starts it, and lets it run to where the act begins. It must be killed in the end, also if it has failed. */
struct stepper stepper_start(stepper_life *life, void *context);

/* One instruction further. */
enum stepper_state stepper_step(struct stepper *stepper);

/* Up to `steps` of them, or to the end of the act. */
enum stepper_state stepper_go(struct stepper *stepper, uint64_t steps);

/* SIGKILL. */
void stepper_kill(struct stepper *stepper);

#endif
