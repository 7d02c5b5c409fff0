/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What this process holds of the system, for tests in which nothing may grow.
 */
#ifndef PEAL_TESTS_SUPPORT_FOOTPRINT_H
#define PEAL_TESTS_SUPPORT_FOOTPRINT_H

#include <stdint.h>

struct footprint {
    uint64_t descriptors;
    uint64_t mappings;  /* under AddressSanitizer, the shared ones */
    uint64_t memory_kb; /* resident or swapped; under AddressSanitizer, what is allocated */
    uint64_t objects;   /* of the region, in /dev/shm */
};

/* Of a region at `url`, posix:NAME. */
struct footprint footprint_now(const char *url);

/* Entries of a folder whose names begin so; UINT64_MAX if it cannot be read. */
uint64_t footprint_entries(const char *path, const char *prefix);

void footprint_print(const char *when, const struct footprint *footprint);

#endif
