/* SPDX-License-Identifier: Apache-2.0 */
#include "core/copy.h"

#if defined(__SANITIZE_THREAD__)
#define COPY_BY_WORDS 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define COPY_BY_WORDS 1
#endif
#endif
#ifndef COPY_BY_WORDS
#define COPY_BY_WORDS 0
#endif

__attribute__((noinline)) void peal_copy_bulk_in(peal_u64 *shared, const void *from,
                                                 size_t size_bytes)
{
    if (COPY_BY_WORDS)
        peal_copy_in_words(shared, from, size_bytes);
    else
        memcpy((void *)shared, from, size_bytes);
}

__attribute__((noinline)) void peal_copy_bulk_out(void *to, const peal_u64 *shared,
                                                  size_t size_bytes)
{
    if (COPY_BY_WORDS)
        peal_copy_out_words(to, shared, size_bytes);
    else
        memcpy(to, (const void *)shared, size_bytes);
}
