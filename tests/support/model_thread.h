/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The threads of the model checker: coroutines whose stacks can be copied away and back.
 */
#ifndef PEAL_TESTS_SUPPORT_MODEL_THREAD_H
#define PEAL_TESTS_SUPPORT_MODEL_THREAD_H

#include "tests/support/model_memory.h"

#include <setjmp.h>

#define THREAD_STACK_BYTES (64u * 1024u)

/* Part of a state. */
struct thread {
    jmp_buf registers;
    unsigned char *low; /* of the stack: what is below is dead */
    enum model_thread_state state;
    unsigned steps;
    struct model_step next;
};

/* Makes thread `number` and runs it up to its first step. */
void thread_begin(struct thread *thread, unsigned number, void (*run)(void));

/* Runs it from the step that it has taken to the next one. */
void thread_go_on(struct thread *thread, unsigned number);

/* From inside of the running thread: the step is to be taken. Its result is there on return. */
void thread_yield(struct thread *thread, struct model_step *step);

/* From inside of the running thread: it goes on never. */
_Noreturn void thread_leave(struct thread *thread);

unsigned char *thread_stack(unsigned number);

#endif
