/* SPDX-License-Identifier: Apache-2.0 */
/* The commands of the program; each gets its own command line and returns the exit code. */
#ifndef EXAMPLES_TELEMETRY_TELEMETRY_H
#define EXAMPLES_TELEMETRY_TELEMETRY_H

int telemetry_pub(int argc, char **argv);
int telemetry_sub(int argc, char **argv);

#endif
