/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/model_thread.h"

#include <string.h>
#include <ucontext.h>

/* thread_yield() has no more than this below its frame address. */
#define FRAME_BYTES 256u

static _Alignas(64) unsigned char stacks[MODEL_THREADS_MAX][THREAD_STACK_BYTES];
static jmp_buf scheduler;
static struct thread *beginning;
static void (*begin_with)(void);

unsigned char *thread_stack(unsigned number)
{
    return stacks[number];
}

_Noreturn void thread_leave(struct thread *thread)
{
    thread->state = MODEL_ENDED;
    thread->next = (struct model_step){.operation = MODEL_END};
    thread->low = NULL;
    _longjmp(scheduler, 1);
}

static void run(void)
{
    struct thread *thread = beginning;
    begin_with();
    thread_leave(thread);
}

__attribute__((noinline)) void thread_yield(struct thread *thread, struct model_step *step)
{
    thread->next = *step;
    thread->low = (unsigned char *)((uintptr_t)__builtin_frame_address(0) - FRAME_BYTES);
    if (_setjmp(thread->registers) == 0)
        _longjmp(scheduler, 1);
    *step = thread->next;
}

/* What calls that are over left on the stack would make equal states differ. */
static void clear_dead(const struct thread *thread, unsigned number)
{
    const size_t deepest = 8192;
    unsigned char *end = stacks[number] + THREAD_STACK_BYTES;
    unsigned char *low = thread->low ? thread->low : end;
    if ((size_t)(low - stacks[number]) > deepest)
        memset(low - deepest, 0, deepest);
}

void thread_begin(struct thread *thread, unsigned number, void (*entry)(void))
{
    static ucontext_t context;
    memset(thread, 0, sizeof(*thread));
    memset(stacks[number], 0, THREAD_STACK_BYTES);
    (void)getcontext(&context);
    context.uc_stack.ss_sp = stacks[number];
    context.uc_stack.ss_size = THREAD_STACK_BYTES;
    context.uc_link = NULL;
    makecontext(&context, run, 0);
    beginning = thread;
    begin_with = entry;
    if (_setjmp(scheduler) == 0)
        (void)setcontext(&context);
    clear_dead(thread, number);
}

void thread_go_on(struct thread *thread, unsigned number)
{
    if (_setjmp(scheduler) == 0)
        _longjmp(thread->registers, 1);
    clear_dead(thread, number);
}
