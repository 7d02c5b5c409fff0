/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What tests/model/seam/atomic.h calls: one step of a thread each.
 */
#ifndef PEAL_TESTS_SUPPORT_MODEL_SEAM_H
#define PEAL_TESTS_SUPPORT_MODEL_SEAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum model_order { MODEL_RELAXED, MODEL_ACQUIRE, MODEL_RELEASE, MODEL_ACQ_REL, MODEL_SEQ_CST };

enum model_rmw { MODEL_EXCHANGE, MODEL_ADD, MODEL_OR, MODEL_AND };

/* A place in the source. */
struct model_site {
    const char *file;
    unsigned line;
    bool is_known;
    bool is_passed;   /* by a thread, in this search */
    bool is_weakened; /* its order is taken for relaxed, a fence for none */
    char label[16];
    struct model_site *next;
};

uint64_t model_load(const void *word, unsigned bytes, enum model_order order,
                    struct model_site *site);
void model_store(void *word, unsigned bytes, uint64_t value, enum model_order order,
                 struct model_site *site);
uint64_t model_rmw(void *word, unsigned bytes, enum model_rmw operation, uint64_t value,
                   enum model_order order, struct model_site *site);
bool model_cas(void *word, unsigned bytes, uint64_t *expected, uint64_t desired,
               enum model_order order, struct model_site *site);
void model_fence(enum model_order order, struct model_site *site);

/* memcpy, which reads and writes shared words one after the other, as plain memory. */
void *model_copy(void *to, const void *from, size_t size_bytes);

/* Notes the site on its first call, finds its label, and says whether the order counts there. */
enum model_order model_site_order(struct model_site *site, enum model_order order);

/* Is it a thread that runs, not the oracle? */
bool model_is_in_thread(void);

void model_forget_labels(void);

#endif
