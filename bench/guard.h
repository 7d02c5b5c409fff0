/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The outermost process of a run. It forks the conductor, which measures, and does nothing but wait:
 *
 *      first Ctrl-C     tells the conductor, which ends after the present round and writes what it has
 *      second Ctrl-C    kills the workers, so that the conductor has nothing to wait for and clears up;
 *                       if it does not within seconds, kills it too
 *      the conductor ends, in whatever way
 *                       kills whom it has left behind
 *
 * and in each case then clears away what is left in the file system. Descendants that lose their parent
 * become children of this process (PR_SET_CHILD_SUBREAPER), so that none gets lost.
 */
#ifndef PEAL_BENCH_GUARD_H
#define PEAL_BENCH_GUARD_H

#include <stdbool.h>

struct bench_guarded {
    int (*conduct)(void *context); /* in the forked process; returns the exit code */
    void (*clear)(void *context);  /* in the guard, after all processes have gone */
    void *context;
};

/* The exit code: conduct()'s, or 128 + the signal that ended the run. */
int bench_guard_run(const struct bench_guarded *guarded);

/* A second signal has come: nothing is written any more. */
bool bench_guard_hurries(void);

#endif
