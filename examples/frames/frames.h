/* SPDX-License-Identifier: Apache-2.0 */
/* The commands of the program; each gets its own command line and returns the exit code. */
#ifndef EXAMPLES_FRAMES_FRAMES_H
#define EXAMPLES_FRAMES_FRAMES_H

int frames_pub(int argc, char **argv);
int frames_sub(int argc, char **argv);

#endif
