/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where a hostile peer writes in a region, and what, to do most harm.
 */
#ifndef PEAL_TESTS_SUPPORT_SCRIBBLE_H
#define PEAL_TESTS_SUPPORT_SCRIBBLE_H

#include <stddef.h>
#include <stdint.h>

#define SCRIBBLE_TOPICS 8u /* topics_max of the region */

/* The index of a 64-bit word of a region of so many words; look out: it may be beyond a small one's end. */
size_t scribble_aim(uint64_t *seed, size_t words);

/* Instead of the word that is there: near the truth, or small, or near the ends. */
uint64_t scribble_lie(uint64_t *seed, uint64_t truth);

#endif
