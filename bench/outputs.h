/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where the results go: that they can be written is known before the first of them is measured.
 */
#ifndef PEAL_BENCH_OUTPUTS_H
#define PEAL_BENCH_OUTPUTS_H

#include <stdbool.h>

/* Whether a file could be made or overwritten there; leaves nothing behind. Says why not on stderr. */
bool bench_outputs_file(const char *option, const char *path);

/* The same of a folder, which is made if it is not there (and stays). */
bool bench_outputs_folder(const char *option, const char *path);

#endif
