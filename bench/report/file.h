/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files of a report: opened, and closed with a word on stderr if not all has got into them.
 */
#ifndef PEAL_BENCH_REPORT_FILE_H
#define PEAL_BENCH_REPORT_FILE_H

#include <stdbool.h>
#include <stdio.h>

/* NULL, having said why. */
FILE *bench_file_create(const char *path);
bool bench_file_close(FILE *file, const char *path);

/* Made if it is not there; the folders above it must be. */
bool bench_folder_make(const char *path);

/* Every byte that is not a letter, a digit, '.', '_' or '-' becomes '_'; what does not fit is cut. */
void bench_file_name(const char *text, char *name, size_t size_bytes);

#endif
