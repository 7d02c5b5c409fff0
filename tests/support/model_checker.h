/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A model checker for the real code of core: runs a few threads in every way that they may go, with a
 * death at every step, and on a memory as weak as C11 allows.
 *
 * How it gets between the steps: core is compiled a second time, with tests/model/seam/atomic.h in
 * the place of core/atomic.h. The functions are the same, but each first asks this checker, which
 * runs every thread as a coroutine on a stack of its own. A state is what the shared words hold, the
 * threads' stacks and the world (handles and the oracle's book); states that were seen are not entered again. Words
 * that only one thread uses, or that nobody writes, are no steps; they are found out on the way, and
 * when one more turns out to be shared the search begins again.
 *
 * Two memories. The strong one is sequentially consistent: for many threads with death and recovery. The
 * weak one is a view machine (model_memory.h) that forgives nothing that C11 does not promise, and
 * reports each race on plain memory.
 *
 * Limits. Seen states are told apart by 64-bit hashes: two of n states are taken for one with a
 * probability of n^2 / 2^65, 3e-6 for ten million. One search at a time in a process.
 */
#ifndef PEAL_TESTS_SUPPORT_MODEL_CHECKER_H
#define PEAL_TESTS_SUPPORT_MODEL_CHECKER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MODEL_THREADS_MAX 5

enum model_thread_state { MODEL_RUNS, MODEL_BLOCKED, MODEL_ENDED, MODEL_DEAD };

struct model_program {
    const char *name;
    bool is_weak;
    unsigned thread_count;
    void (*threads[MODEL_THREADS_MAX])(void);
    void *arena; /* the shared memory, set up; the search does not change it */
    size_t arena_bytes;
    void *world; /* all else that threads and oracle change; the search puts it back */
    size_t world_bytes;
    /* Words, atomic or not, that nobody may store to before all earlier reads of them have happened. */
    const void *guarded;
    size_t guarded_bytes;
    unsigned deaths;  /* how many threads may die */
    uint32_t mortals; /* bit t: thread t may */
    /* Nothing can move any more: threads have ended, are dead, or wait in vain. May call core. */
    void (*at_end)(void);
    /* All but `thread` have ended or are dead, and that one stands between two steps: what can the
     * others still do? Afterwards it goes on alone, and at_end() follows. Strong memory only. */
    void (*when_alone)(unsigned thread);
    uint64_t states_max; /* 0: as many as there are */
};

struct model_result {
    uint64_t states;
    uint64_t steps;
    uint64_t ends;
    bool is_complete;
    const char *violation; /* NULL: everything holds */
};

struct model_result model_explore(const struct model_program *program);

/* ---- for threads and oracles ---- */

/* This must hold; a violation ends the search. */
#define model_require(condition, text)                                                             \
    do {                                                                                           \
        if (!(condition))                                                                          \
            model_fail(text);                                                                      \
    } while (0)
_Noreturn void model_fail(const char *text);

enum model_thread_state model_thread_state(unsigned thread);

/* A bell: waits until the word is not 0, and makes it 0. The kernel's, so never out of date. */
void model_wait(void *word);

/* membarrier(2): a full fence in every thread, now. */
void model_membarrier(void);

/* What an authority says: bit t is clear if thread t is dead. Who learns of a death sees all that the
 * dead one stored. */
uint64_t model_living(void);

/* ---- orders and mutants ---- */

/* Labels of orders that threads of the last search have passed; each can be left out. */
unsigned model_label_count(void);
const char *model_label(unsigned i);
void model_weaken(const char *label); /* NULL: none */

/* The place in the source, among those that tests/model/mutants.txt has changed. */
extern int model_mutant;

/* A limit of the checker itself, in every build. */
#define model_must(condition)                                                                      \
    do {                                                                                           \
        if (!(condition))                                                                          \
            model_abort(#condition);                                                               \
    } while (0)
_Noreturn void model_abort(const char *text);

/* Prints how the last violation came about. */
void model_print_trace(void);

#endif
