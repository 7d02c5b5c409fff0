/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The bus that a run of Peal goes over.
 */
#ifndef PEAL_BENCH_BUS_H
#define PEAL_BENCH_BUS_H

#include <stdbool.h>

struct bench_bus {
    const char *url;
    bool is_ours; /* it did not exist before: its name is removed at the end */
};

/*
 * `wanted` NULL: a posix: one of our own, as large as /dev/shm well allows. Opens it once, in a process of
 * its own, so that what is wrong with it is said before anything is measured. False: said on stderr.
 */
bool bench_bus_prepare(struct bench_bus *bus, const char *wanted);

void bench_bus_clear(const struct bench_bus *bus);

#endif
