/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Copies between private and shared memory.
 *
 * Both ends of a shared copy may run at once: a best-effort reader copies what the publisher may just
 * be overwriting, and finds out afterwards by the stamp. Small copies therefore go by relaxed
 * words, which C11 allows to race. Above PEAL_COPY_BULK_BYTES the word loop would cost (a compiler does
 * not widen atomics), so the bytes go through memcpy in a function of its own that the compiler cannot
 * look into: what it read is not used before the stamp has been checked, and nothing in the caller
 * depends on the bytes being stable. ThreadSanitizer builds take words for all sizes.
 */
#ifndef PEAL_CORE_COPY_H
#define PEAL_CORE_COPY_H

#include "core/atomic.h"

#include <stddef.h>
#include <string.h>

#define PEAL_COPY_BULK_BYTES 512u

/* Out of line (core/copy.c). */
void peal_copy_bulk_in(peal_u64 *shared, const void *from, size_t size_bytes);
void peal_copy_bulk_out(void *to, const peal_u64 *shared, size_t size_bytes);

/*
 * Writes from[0..size_bytes) to shared memory, whose size is rounded up to words: the rest of
 * the last word becomes zero.
 */
static inline void peal_copy_in_words(peal_u64 *shared, const void *from, size_t size_bytes)
{
    const unsigned char *bytes = from;
    size_t whole = size_bytes / 8;
    for (size_t i = 0; i < whole; i++) {
        uint64_t word;
        memcpy(&word, bytes + 8 * i, 8);
        peal_u64_store_relaxed(&shared[i], word); /* relaxed: the stamp's release orders it */
    }
    size_t rest = size_bytes % 8;
    if (rest) {
        uint64_t word = 0;
        memcpy(&word, bytes + 8 * whole, rest);
        peal_u64_store_relaxed(&shared[whole], word); /* relaxed: as above */
    }
}

static inline void peal_copy_out_words(void *to, const peal_u64 *shared, size_t size_bytes)
{
    unsigned char *bytes = to;
    size_t whole = size_bytes / 8;
    for (size_t i = 0; i < whole; i++) {
        uint64_t word = peal_u64_load_relaxed(&shared[i]); /* relaxed: the stamp is checked after */
        memcpy(bytes + 8 * i, &word, 8);
    }
    size_t rest = size_bytes % 8;
    if (rest) {
        uint64_t word = peal_u64_load_relaxed(&shared[whole]); /* relaxed: as above */
        memcpy(bytes + 8 * whole, &word, rest);
    }
}

static inline void peal_copy_in(peal_u64 *shared, const void *from, size_t size_bytes)
{
    if (size_bytes <= PEAL_COPY_BULK_BYTES)
        peal_copy_in_words(shared, from, size_bytes);
    else
        peal_copy_bulk_in(shared, from, size_bytes);
}

static inline void peal_copy_out(void *to, const peal_u64 *shared, size_t size_bytes)
{
    if (size_bytes <= PEAL_COPY_BULK_BYTES)
        peal_copy_out_words(to, shared, size_bytes);
    else
        peal_copy_bulk_out(to, shared, size_bytes);
}

#endif
