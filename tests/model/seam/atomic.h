/* SPDX-License-Identifier: Apache-2.0 */
/*
 * core/atomic.h for the model checker: the same words and the same functions, but each is a step that
 * the checker is asked for. They are macros, so that each place in the source is known to it by its
 * label.
 *
 * memcpy becomes a copy in steps where it touches shared memory: plain reads and writes, whose races
 * the checker reports.
 */
#ifndef PEAL_TESTS_MODEL_SEAM_ATOMIC_H
#define PEAL_TESTS_MODEL_SEAM_ATOMIC_H

#include "tests/support/model_seam.h"

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

typedef struct peal_u32 {
    _Alignas(4) uint32_t word;
} peal_u32;

typedef struct peal_u64 {
    _Alignas(8) uint64_t word;
} peal_u64;

/* The place where it stands. */
#define MODEL_SITE                                                                                 \
    (__extension__({                                                                               \
        static struct model_site model_site = {.file = __FILE__, .line = __LINE__};                \
        &model_site;                                                                               \
    }))

#define peal_u32_load_relaxed(w) ((uint32_t)model_load((w), 4, MODEL_RELAXED, MODEL_SITE))
#define peal_u32_load_acquire(w) ((uint32_t)model_load((w), 4, MODEL_ACQUIRE, MODEL_SITE))
#define peal_u32_load_seq_cst(w) ((uint32_t)model_load((w), 4, MODEL_SEQ_CST, MODEL_SITE))
#define peal_u32_store_relaxed(w, v) model_store((w), 4, (v), MODEL_RELAXED, MODEL_SITE)
#define peal_u32_store_release(w, v) model_store((w), 4, (v), MODEL_RELEASE, MODEL_SITE)
#define peal_u32_store_seq_cst(w, v) model_store((w), 4, (v), MODEL_SEQ_CST, MODEL_SITE)

#define peal_u64_load_relaxed(w) model_load((w), 8, MODEL_RELAXED, MODEL_SITE)
#define peal_u64_load_acquire(w) model_load((w), 8, MODEL_ACQUIRE, MODEL_SITE)
#define peal_u64_load_seq_cst(w) model_load((w), 8, MODEL_SEQ_CST, MODEL_SITE)
#define peal_u64_store_relaxed(w, v) model_store((w), 8, (v), MODEL_RELAXED, MODEL_SITE)
#define peal_u64_store_release(w, v) model_store((w), 8, (v), MODEL_RELEASE, MODEL_SITE)
#define peal_u64_store_seq_cst(w, v) model_store((w), 8, (v), MODEL_SEQ_CST, MODEL_SITE)

#define MODEL_RMW_8(w, v, operation, order) model_rmw((w), 8, operation, (v), order, MODEL_SITE)
#define peal_u64_exchange_acq_rel(w, v) MODEL_RMW_8(w, v, MODEL_EXCHANGE, MODEL_ACQ_REL)
#define peal_u64_exchange_seq_cst(w, v) MODEL_RMW_8(w, v, MODEL_EXCHANGE, MODEL_SEQ_CST)
#define peal_u64_add_relaxed(w, v) MODEL_RMW_8(w, v, MODEL_ADD, MODEL_RELAXED)
#define peal_u64_add_acq_rel(w, v) MODEL_RMW_8(w, v, MODEL_ADD, MODEL_ACQ_REL)
#define peal_u64_add_seq_cst(w, v) MODEL_RMW_8(w, v, MODEL_ADD, MODEL_SEQ_CST)
#define peal_u64_or_acq_rel(w, v) MODEL_RMW_8(w, v, MODEL_OR, MODEL_ACQ_REL)
#define peal_u64_or_seq_cst(w, v) MODEL_RMW_8(w, v, MODEL_OR, MODEL_SEQ_CST)
#define peal_u64_and_acq_rel(w, v) MODEL_RMW_8(w, v, MODEL_AND, MODEL_ACQ_REL)
#define peal_u64_and_seq_cst(w, v) MODEL_RMW_8(w, v, MODEL_AND, MODEL_SEQ_CST)
#define peal_u64_cas_acq_rel(w, e, v) model_cas((w), 8, (e), (v), MODEL_ACQ_REL, MODEL_SITE)
#define peal_u64_cas_seq_cst(w, e, v) model_cas((w), 8, (e), (v), MODEL_SEQ_CST, MODEL_SITE)

#define peal_fence_acquire() model_fence(MODEL_ACQUIRE, MODEL_SITE)
#define peal_fence_release() model_fence(MODEL_RELEASE, MODEL_SITE)
#define peal_fence_seq_cst() model_fence(MODEL_SEQ_CST, MODEL_SITE)
#define peal_fence_compiler() ((void)0)

#undef memcpy
#define memcpy(to, from, size_bytes) model_copy((to), (from), (size_bytes))

extern int model_mutant;

#endif
