/* SPDX-License-Identifier: Apache-2.0 */
/* What `peal record` is asked for. */
#ifndef PEAL_TOOLS_PEAL_RECORD_RECORD_OPTIONS_H
#define PEAL_TOOLS_PEAL_RECORD_RECORD_OPTIONS_H

#include "tools/peal/kit/option.h"

/* Zero where nothing else is said: no end, the default of the writer. */
struct record_wish {
    const char *output;
    unsigned compression;
    uint64_t level;
    uint64_t chunk_bytes;
    uint64_t chunk_age_ns;
    uint64_t buffer_bytes;
    uint64_t duration_ns;
    uint64_t count;
    uint64_t size_max_bytes;
    uint64_t history;
    bool reliable;
    bool overwrite;
    bool progress;
    bool quiet;
};

extern struct record_wish record_wish;
extern const struct option_entry record_options[];

/* Whether they can be, all together. Answers EXIT_DONE, or the exit code, why having been told. */
int record_options_check(void);

#endif
