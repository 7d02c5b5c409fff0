/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A device server for tests: the program peal-vdev as a child process, with a socket in a folder of its own.
 * Dies with the test. The program is found beside the test in the build's folders, or where PEAL_VDEV says.
 */
#ifndef PEAL_TESTS_SUPPORT_VDEV_PROGRAM_H
#define PEAL_TESTS_SUPPORT_VDEV_PROGRAM_H

#include <stdbool.h>
#include <sys/types.h>

struct vdev_program {
    pid_t pid; /* 0: none */
    char folder[64];
    char socket[80]; /* anybody may connect, as often as there are guests */
};

/* Returns when it listens. False, with a line on stderr: it does not. */
bool vdev_program_start(struct vdev_program *program);

/* SIGKILL: the device is gone. */
void vdev_program_kill(struct vdev_program *program);

/* Ends it, if it still runs, and removes the folder. */
void vdev_program_stop(struct vdev_program *program);

#endif
