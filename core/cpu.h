/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one seam to Concurrency Kit's and the compiler's CPU hints.
 */
#ifndef PEAL_CORE_CPU_H
#define PEAL_CORE_CPU_H

#include <ck_pr.h>
#include <stddef.h>

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

/* Asks for a line that will soon be read; whatever the address, nothing fails. */
static inline void peal_cpu_fetch_to_read(const void *line)
{
    __builtin_prefetch(line, 0, 3);
    /* GCC takes a function that does nothing but this for one without effects, and drops its calls. */
    __asm__ volatile("");
}

/* ... that will soon be written, so that it comes without its other holders. */
static inline void peal_cpu_fetch_to_write(const void *line)
{
#if defined(__x86_64__)
    /* By hand, for without -mprfchw compilers ask for reading instead. A CPU that does not have it does
     * nothing (Intel 64 and IA-32 Architectures Software Developer's Manual, volume 2, PREFETCHW). */
    __asm__ volatile("prefetchw %0" : : "m"(*(const unsigned char *)line));
#else
    __builtin_prefetch(line, 1, 3);
    __asm__ volatile(""); /* as above */
#endif
}

/* No more than a core can have under way; for what comes after, its own prefetcher has started by then. */
#define PEAL_CPU_AHEAD_BYTES 2048u

/* The lines of a span that is about to be read from its beginning, but for the first. */
static inline void peal_cpu_fetch_span(const unsigned char *span, size_t size_bytes)
{
    size_t ahead = size_bytes < PEAL_CPU_AHEAD_BYTES ? size_bytes : PEAL_CPU_AHEAD_BYTES;
    for (size_t at = PEAL_LINE_BYTES; at < ahead; at += PEAL_LINE_BYTES)
        peal_cpu_fetch_to_read(span + at);
}

#endif
