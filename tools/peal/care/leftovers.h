/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The names under which Peal leaves something on this machine: objects of regions, and FIFOs beside them, whose region may
 * have gone. docs/transports.md has the rules of their names.
 */
#ifndef PEAL_TOOLS_PEAL_CARE_LEFTOVERS_H
#define PEAL_TOOLS_PEAL_CARE_LEFTOVERS_H

#include <stdbool.h>
#include <stddef.h>

#define LEFTOVERS_URL_BYTES 64
#define LEFTOVERS_MAX 65536u

struct leftovers {
    char (*urls)[LEFTOVERS_URL_BYTES]; /* "posix:NAME", each once, in order */
    size_t count;
    size_t room;
    size_t strange; /* files that begin like ours, and have no name that a region can have */
    char first_strange[LEFTOVERS_URL_BYTES];
};

/* Lists `folder`, which is /dev/shm but for tests. False with errno. */
bool leftovers_list(struct leftovers *leftovers, const char *folder);

void leftovers_free(struct leftovers *leftovers);

/* The name of the region that a file belongs to, cut out of its own into name[0..32). False: to none. */
bool leftovers_region_of(const char *file, char *name);

#endif
