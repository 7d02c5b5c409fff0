/* SPDX-License-Identifier: Apache-2.0 */
/* A file that is made: none that exists is overwritten by mistake, and what was written is on the disk when it is done. */
#ifndef PEAL_TOOLS_PEAL_RECORD_OUTPUT_FILE_H
#define PEAL_TOOLS_PEAL_RECORD_OUTPUT_FILE_H

#include <stdbool.h>

struct output_file {
    const char *path; /* the caller's; "-" is stdout */
    const char *name; /* for messages */
    int fd;
    bool is_ours; /* made or emptied by us: a regular file, to be taken away again if need be */
};

/* Answers EXIT_DONE, or the exit code, why having been told. A FIFO is waited for, until a reader comes or stop is requested. */
int output_file_open(struct output_file *file, const char *path, bool overwrite);

/* Waits for the disk. Answers as above. */
int output_file_close(struct output_file *file);

/* Closes it, and removes it if it is ours. */
void output_file_discard(struct output_file *file);

#endif
