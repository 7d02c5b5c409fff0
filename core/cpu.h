/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one seam to Concurrency Kit's and the compiler's CPU hints.
 */
#ifndef PEAL_CORE_CPU_H
#define PEAL_CORE_CPU_H

#include <ck_pr.h>

/*
 * Words of different writers stand this far apart: two 64-byte lines, because the spatial
 * prefetcher of common x86 CPUs fetches lines in pairs (Intel 64 and IA-32 Architectures
 * Optimization Reference Manual, "spatial prefetcher").
 */
#define PEAL_WRITER_BYTES 128u

/* The unit that travels between cores. */
#define PEAL_LINE_BYTES 64u

#define PEAL_LIKELY(condition) __builtin_expect(!!(condition), 1)
#define PEAL_UNLIKELY(condition) __builtin_expect(!!(condition), 0)

/* Tells the CPU that this is a polling loop: yields to the sibling thread, saves power. */
static inline void peal_cpu_relax(void)
{
    ck_pr_stall();
}

#endif
