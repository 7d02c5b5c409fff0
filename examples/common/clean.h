/* SPDX-License-Identifier: Apache-2.0 */
#ifndef EXAMPLES_COMMON_CLEAN_H
#define EXAMPLES_COMMON_CLEAN_H

/* The command `PROGRAM clean --bus URL`: removes the region's name. Returns the exit code. */
int clean_run(const char *program, const char *default_bus, int argc, char **argv);

#endif
