/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where the processes of a campaign meet: memory that outlives whoever of them is killed, and the name of a region that is
 * only theirs.
 */
#ifndef PEAL_TESTS_SUPPORT_STAGE_H
#define PEAL_TESTS_SUPPORT_STAGE_H

#include <stdbool.h>
#include <stddef.h>

struct stage {
    void *memory; /* zeroed; shared with the processes that are forked later; aligned to a page */
    size_t size_bytes;
    char url[64]; /* posix:NAME-PID */
};

/* Maps it. False: no memory. */
bool stage_open(struct stage *stage, const char *name, size_t size_bytes);

/* For the next case: the memory is zeroed, and no region has the name. */
void stage_clear(struct stage *stage);

void stage_close(struct stage *stage);

#endif
