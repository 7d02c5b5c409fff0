/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A newcomer in a copy of a region, in which everybody else has died at the moment of the copy.
 */
#ifndef PEAL_TESTS_SUPPORT_NEWCOMER_H
#define PEAL_TESTS_SUPPORT_NEWCOMER_H

#include "core/region.h"

struct newcomer {
    struct peal_region region;
    struct peal_authority authority;
    void *copy;
    uint64_t size_bytes;
};

/* Attaches. NULL: all is well; else what is wrong. */
const char *newcomer_come(struct newcomer *newcomer, void *copy, uint64_t size_bytes);

/* An audit: nothing is held by anybody, but for the newcomer's own entry. NULL: so it is. */
const char *newcomer_audit(struct newcomer *newcomer);

#endif
