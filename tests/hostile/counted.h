/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Put in front of all of Peal's code by tests/hostile/CMakeLists.txt, in a library for steps.c alone: each access to a
 * word that may be shared counts as a step, and a peer may act before it.
 */
#ifndef PEAL_TESTS_HOSTILE_COUNTED_H
#define PEAL_TESTS_HOSTILE_COUNTED_H

#include "core/atomic.h"

extern uint64_t hostile_steps;
extern void (*hostile_peer)(void); /* NULL: nobody acts */

static inline void hostile_step(void)
{
    hostile_steps++;
    if (hostile_peer)
        hostile_peer();
}

#define HOSTILE_STEP(call) (hostile_step(), call)

#define peal_u32_load_relaxed(word) HOSTILE_STEP(peal_u32_load_relaxed(word))
#define peal_u32_load_acquire(word) HOSTILE_STEP(peal_u32_load_acquire(word))
#define peal_u32_load_seq_cst(word) HOSTILE_STEP(peal_u32_load_seq_cst(word))
#define peal_u32_store_relaxed(word, value) HOSTILE_STEP(peal_u32_store_relaxed(word, value))
#define peal_u32_store_release(word, value) HOSTILE_STEP(peal_u32_store_release(word, value))
#define peal_u32_store_seq_cst(word, value) HOSTILE_STEP(peal_u32_store_seq_cst(word, value))
#define peal_u32_exchange_acq_rel(word, value) HOSTILE_STEP(peal_u32_exchange_acq_rel(word, value))
#define peal_u32_exchange_seq_cst(word, value) HOSTILE_STEP(peal_u32_exchange_seq_cst(word, value))
#define peal_u32_add_relaxed(word, value) HOSTILE_STEP(peal_u32_add_relaxed(word, value))
#define peal_u32_add_acq_rel(word, value) HOSTILE_STEP(peal_u32_add_acq_rel(word, value))
#define peal_u32_add_seq_cst(word, value) HOSTILE_STEP(peal_u32_add_seq_cst(word, value))
#define peal_u32_or_acq_rel(word, value) HOSTILE_STEP(peal_u32_or_acq_rel(word, value))
#define peal_u32_or_seq_cst(word, value) HOSTILE_STEP(peal_u32_or_seq_cst(word, value))
#define peal_u32_and_acq_rel(word, value) HOSTILE_STEP(peal_u32_and_acq_rel(word, value))
#define peal_u32_and_seq_cst(word, value) HOSTILE_STEP(peal_u32_and_seq_cst(word, value))
#define peal_u32_cas_acq_rel(word, found, value)                                                   \
    HOSTILE_STEP(peal_u32_cas_acq_rel(word, found, value))
#define peal_u32_cas_seq_cst(word, found, value)                                                   \
    HOSTILE_STEP(peal_u32_cas_seq_cst(word, found, value))
#define peal_u64_load_relaxed(word) HOSTILE_STEP(peal_u64_load_relaxed(word))
#define peal_u64_load_acquire(word) HOSTILE_STEP(peal_u64_load_acquire(word))
#define peal_u64_load_seq_cst(word) HOSTILE_STEP(peal_u64_load_seq_cst(word))
#define peal_u64_store_relaxed(word, value) HOSTILE_STEP(peal_u64_store_relaxed(word, value))
#define peal_u64_store_release(word, value) HOSTILE_STEP(peal_u64_store_release(word, value))
#define peal_u64_store_seq_cst(word, value) HOSTILE_STEP(peal_u64_store_seq_cst(word, value))
#define peal_u64_exchange_acq_rel(word, value) HOSTILE_STEP(peal_u64_exchange_acq_rel(word, value))
#define peal_u64_exchange_seq_cst(word, value) HOSTILE_STEP(peal_u64_exchange_seq_cst(word, value))
#define peal_u64_add_relaxed(word, value) HOSTILE_STEP(peal_u64_add_relaxed(word, value))
#define peal_u64_add_acq_rel(word, value) HOSTILE_STEP(peal_u64_add_acq_rel(word, value))
#define peal_u64_add_seq_cst(word, value) HOSTILE_STEP(peal_u64_add_seq_cst(word, value))
#define peal_u64_or_acq_rel(word, value) HOSTILE_STEP(peal_u64_or_acq_rel(word, value))
#define peal_u64_or_seq_cst(word, value) HOSTILE_STEP(peal_u64_or_seq_cst(word, value))
#define peal_u64_and_acq_rel(word, value) HOSTILE_STEP(peal_u64_and_acq_rel(word, value))
#define peal_u64_and_seq_cst(word, value) HOSTILE_STEP(peal_u64_and_seq_cst(word, value))
#define peal_u64_cas_acq_rel(word, found, value)                                                   \
    HOSTILE_STEP(peal_u64_cas_acq_rel(word, found, value))
#define peal_u64_cas_seq_cst(word, found, value)                                                   \
    HOSTILE_STEP(peal_u64_cas_seq_cst(word, found, value))

#endif
