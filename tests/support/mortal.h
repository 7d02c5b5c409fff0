/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Processes of a campaign that are killed and stopped at any time, and the one that lives on and has to say how it ended.
 */
#ifndef PEAL_TESTS_SUPPORT_MORTAL_H
#define PEAL_TESTS_SUPPORT_MORTAL_H

#include <stdbool.h>
#include <sys/types.h>

/*
 * As fork(). The child dies with its parent, signals do there by default what they do, and its process group is its own, before
 * this returns in either of them. For when a shell ends and leaves a group behind in which somebody is stopped, the kernel sends
 * SIGHUP to all of that group, and a campaign that stops its mortals would end without a word.
 */
pid_t mortal_fork(void);

/* SIGKILL, and reaps it. False: it had ended by itself, as *status (of waitpid) says. */
bool mortal_kill(pid_t pid, int *status);

/* From now on a signal that ends this process from outside (SIGHUP, SIGTERM, ...) is told on stderr, with its sender. */
void mortal_last_words(void);

#endif
