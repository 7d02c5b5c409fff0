/* SPDX-License-Identifier: Apache-2.0 */
/* A recording that is read: what is wrong with it becomes one line and an exit code. */
#ifndef PEAL_TOOLS_PEAL_RECORD_SOURCE_FILE_H
#define PEAL_TOOLS_PEAL_RECORD_SOURCE_FILE_H

#include "tools/peal/mcap/mcap_error.h"

/* Each answers EXIT_DONE, or the exit code, why having been told. */
int source_file_open(const char *path, int *fd);
int source_file_failed(const char *path, const struct mcap_error *error);

/* The same for an error of its first bytes: there is nothing to save. */
int source_file_foreign(const char *path, const struct mcap_error *error);

#endif
