/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A report read back: the rounds of each record, from results.json.
 */
#ifndef PEAL_BENCH_REPORT_LOAD_H
#define PEAL_BENCH_REPORT_LOAD_H

#include <stdbool.h>
#include <stddef.h>

struct bench_loaded {
    char *name;
    char *unit;
    bool is_peal;
    bool is_peer; /* neither: a floor */
    bool small_is_good;
    unsigned rounds;
    double *values;
    double *ratios;    /* to the floor; NAN where the round has none */
    unsigned *numbers; /* of the rounds, ascending: one that was cut is missing */
};

struct bench_archive {
    struct bench_loaded *records;
    size_t count;
};

/* `path`: a report's folder, or the JSON file. False, having said what is wrong. */
bool bench_archive_load(struct bench_archive *archive, const char *path);
void bench_archive_free(struct bench_archive *archive);

const struct bench_loaded *bench_archive_find(const struct bench_archive *archive,
                                              const char *name);

#endif
