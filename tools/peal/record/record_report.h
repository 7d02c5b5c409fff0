/* SPDX-License-Identifier: Apache-2.0 */
/* What a recording says at its end: what is in the file, and what is not. */
#ifndef PEAL_TOOLS_PEAL_RECORD_RECORD_REPORT_H
#define PEAL_TOOLS_PEAL_RECORD_RECORD_REPORT_H

#include "tools/peal/record/output_file.h"
#include "tools/peal/record/recording.h"

struct record_report {
    const struct recording *recording;
    const char *url;
    const struct output_file *file;
    uint64_t elapsed_ns;
    bool quiet; /* nothing, unless something was lost */
};

/* On stderr; with --json on stdout. Answers the exit code: EXIT_FOUND if messages were lost or a topic was not to be had,
 * EXIT_NOT_FOUND if one that was named never appeared. */
int record_report_print(const struct record_report *report);

#endif
