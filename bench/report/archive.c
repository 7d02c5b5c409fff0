/* SPDX-License-Identifier: Apache-2.0 */
/* What of load.h needs no JSON. */
#include "bench/report/load.h"

#include <stdlib.h>
#include <string.h>

const struct bench_loaded *bench_archive_find(const struct bench_archive *archive, const char *name)
{
    for (size_t i = 0; i < archive->count; i++) {
        if (strcmp(archive->records[i].name, name) == 0)
            return &archive->records[i];
    }
    return NULL;
}

void bench_archive_free(struct bench_archive *archive)
{
    for (size_t i = 0; i < archive->count; i++) {
        free(archive->records[i].name);
        free(archive->records[i].unit);
        free(archive->records[i].values);
        free(archive->records[i].ratios);
        free(archive->records[i].numbers);
    }
    free(archive->records);
    *archive = (struct bench_archive){0};
}
