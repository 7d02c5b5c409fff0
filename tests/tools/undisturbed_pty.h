/* SPDX-License-Identifier: Apache-2.0 */
/* A program on a terminal of its own, that can be held still and let go on. */
#ifndef PEAL_TESTS_TOOLS_UNDISTURBED_PTY_H
#define PEAL_TESTS_TOOLS_UNDISTURBED_PTY_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct pty_program {
    pid_t pid;
    int terminal; /* our end */
};

/* On 80x24. It is killed when we end, however that be. */
bool pty_start(struct pty_program *program, char *const *argv);

/* SIGTERM. Its exit code, or 128 + signal. */
int pty_end(struct pty_program *program);

/* Takes what it has written, so that it never waits for us. */
void pty_drain(const struct pty_program *program);

/* Answers when it stands still. */
bool pty_hold(const struct pty_program *program);
void pty_let_go(const struct pty_program *program);

/* How often it has gone to sleep by itself: once a look. */
uint64_t pty_sleeps(const struct pty_program *program);

/* Waits until it has slept so many times more. False: it does not within 20 s. */
bool pty_wait_sleeps(const struct pty_program *program, uint64_t more);

#endif
