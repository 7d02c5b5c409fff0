/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The only door to memory that another program may write at any time.
 *
 * Every shared word is a peal_u32 or a peal_u64 and is reached through these functions, which are
 * named by their C11 memory order. Nothing else in Peal uses _Atomic, atomic builtins or volatile;
 * tools/check sees to it. The words have the same size and alignment in 32-bit and 64-bit programs,
 * so that both may share a region.
 *
 * Habits that go with it:
 *  - read a shared word once into a local, validate the local, use only the local;
 *  - an acquire or a release names the place it pairs with ("pairs with LANE-R1"), a relaxed
 *    access says why it may be relaxed ("relaxed: only we write this word");
 *  - what a process owns it keeps in private memory and never reads back from here.
 */
#ifndef PEAL_CORE_ATOMIC_H
#define PEAL_CORE_ATOMIC_H

#include <assert.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct peal_u32 {
    _Alignas(4) _Atomic uint32_t word;
} peal_u32;

typedef struct peal_u64 {
    _Alignas(8) _Atomic uint64_t word;
} peal_u64;

static_assert(sizeof(peal_u32) == 4 && _Alignof(peal_u32) == 4, "a shared word has one layout");
static_assert(sizeof(peal_u64) == 8 && _Alignof(peal_u64) == 8, "a shared word has one layout");
/* clang says "sometimes" (1) for i386, whose ABI aligns uint64_t to 4; ours is aligned to 8 above. */
static_assert(ATOMIC_LLONG_LOCK_FREE != 0 && ATOMIC_INT_LOCK_FREE == 2,
              "a lock inside an atomic would live in one process only");

/* One accessor of each kind and order for both widths. */
#define PEAL_ATOMIC_LOAD(bits, name, order)                                                        \
    static inline uint##bits##_t peal_u##bits##_load_##name(const peal_u##bits *shared)            \
    {                                                                                              \
        return atomic_load_explicit(&shared->word, order);                                         \
    }
#define PEAL_ATOMIC_STORE(bits, name, order)                                                       \
    static inline void peal_u##bits##_store_##name(peal_u##bits *shared, uint##bits##_t value)     \
    {                                                                                              \
        atomic_store_explicit(&shared->word, value, order);                                        \
    }
#define PEAL_ATOMIC_RMW(bits, operation, call, name, order)                                        \
    static inline uint##bits##_t peal_u##bits##_##operation##_##name(peal_u##bits *shared,         \
                                                                     uint##bits##_t value)         \
    {                                                                                              \
        return call(&shared->word, value, order);                                                  \
    }
/* Compare and swap. On failure *expected holds what was found. Strong: false means "not equal". */
#define PEAL_ATOMIC_CAS(bits, name, order, failure_order)                                          \
    static inline bool peal_u##bits##_cas_##name(peal_u##bits *shared, uint##bits##_t *expected,   \
                                                 uint##bits##_t desired)                           \
    {                                                                                              \
        return atomic_compare_exchange_strong_explicit(&shared->word, expected, desired, order,    \
                                                       failure_order);                             \
    }
#define PEAL_ATOMIC_WIDTH(bits)                                                                    \
    PEAL_ATOMIC_LOAD(bits, relaxed, memory_order_relaxed)                                          \
    PEAL_ATOMIC_LOAD(bits, acquire, memory_order_acquire)                                          \
    PEAL_ATOMIC_LOAD(bits, seq_cst, memory_order_seq_cst)                                          \
    PEAL_ATOMIC_STORE(bits, relaxed, memory_order_relaxed)                                         \
    PEAL_ATOMIC_STORE(bits, release, memory_order_release)                                         \
    PEAL_ATOMIC_STORE(bits, seq_cst, memory_order_seq_cst)                                         \
    PEAL_ATOMIC_RMW(bits, exchange, atomic_exchange_explicit, acq_rel, memory_order_acq_rel)       \
    PEAL_ATOMIC_RMW(bits, exchange, atomic_exchange_explicit, seq_cst, memory_order_seq_cst)       \
    PEAL_ATOMIC_RMW(bits, add, atomic_fetch_add_explicit, relaxed, memory_order_relaxed)           \
    PEAL_ATOMIC_RMW(bits, add, atomic_fetch_add_explicit, acq_rel, memory_order_acq_rel)           \
    PEAL_ATOMIC_RMW(bits, add, atomic_fetch_add_explicit, seq_cst, memory_order_seq_cst)           \
    PEAL_ATOMIC_RMW(bits, or, atomic_fetch_or_explicit, acq_rel, memory_order_acq_rel)             \
    PEAL_ATOMIC_RMW(bits, or, atomic_fetch_or_explicit, seq_cst, memory_order_seq_cst)             \
    PEAL_ATOMIC_RMW(bits, and, atomic_fetch_and_explicit, acq_rel, memory_order_acq_rel)           \
    PEAL_ATOMIC_RMW(bits, and, atomic_fetch_and_explicit, seq_cst, memory_order_seq_cst)           \
    PEAL_ATOMIC_CAS(bits, acq_rel, memory_order_acq_rel, memory_order_acquire)                     \
    PEAL_ATOMIC_CAS(bits, seq_cst, memory_order_seq_cst, memory_order_seq_cst)

PEAL_ATOMIC_WIDTH(32)
PEAL_ATOMIC_WIDTH(64)

static inline void peal_fence_acquire(void)
{
    atomic_thread_fence(memory_order_acquire);
}

static inline void peal_fence_release(void)
{
    atomic_thread_fence(memory_order_release);
}

/* The full fence: orders earlier stores before later loads, which no acquire or release does. */
static inline void peal_fence_seq_cst(void)
{
    atomic_thread_fence(memory_order_seq_cst);
}

/*
 * Keeps the compiler, not the CPU, from moving accesses across it. Enough where the other side
 * interrupts this CPU with membarrier(2), which then acts as our full fence.
 */
static inline void peal_fence_compiler(void)
{
    atomic_signal_fence(memory_order_seq_cst);
}

#endif
