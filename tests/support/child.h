/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A child process that runs a function, with a pipe each way to keep in step, and that can be killed.
 *
 * The child does not return into the test framework: its function's value is its exit code. It must
 * not use the framework's assertions. If the parent dies, the kernel kills it.
 */
#ifndef PEAL_TESTS_SUPPORT_CHILD_H
#define PEAL_TESTS_SUPPORT_CHILD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* One end of the two pipes. */
struct child_link {
    int in;
    int out;
};

struct child {
    pid_t pid;
    struct child_link link;
};

/* Starts body(link, context) in a child of this process. False: fork or pipe failed. */
bool child_start(struct child *child, int (*body)(struct child_link *link, void *context),
                 void *context);

/* Sends one word to the other side. False: it has gone. */
bool child_say(struct child_link *link, uint64_t word);

/* Waits for one word of the other side. False: it has gone, or 30 s passed. */
bool child_hear(struct child_link *link, uint64_t *word);

/* SIGKILL, and waits until it is dead. */
void child_kill(struct child *child);

/* Waits until it ends by itself. Its exit code, or 128 + signal. */
int child_reap(struct child *child);

#endif
