/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For processes that may be killed, and so can't fail a test by themselves: the line of the first expectation that did not
 * hold is noted in a word that they share with the test; 0: all held.
 */
#ifndef PEAL_TESTS_SUPPORT_FIRST_WRONG_H
#define PEAL_TESTS_SUPPORT_FIRST_WRONG_H

#include "core/atomic.h"

static inline void first_wrong_note(peal_u64 *first, int line)
{
    uint64_t none = 0;
    (void)peal_u64_cas_acq_rel(first, &none, (uint64_t)line);
}

#define EXPECT_OR_NOTE(first, condition)                                                           \
    do {                                                                                           \
        if (!(condition))                                                                          \
            first_wrong_note((first), __LINE__);                                                   \
    } while (0)

#endif
