/* SPDX-License-Identifier: Apache-2.0 */
/* What was probably meant by a word that is none of the known ones. */
#ifndef PEAL_TOOLS_PEAL_KIT_NEAR_H
#define PEAL_TOOLS_PEAL_KIT_NEAR_H

#include <stddef.h>

/* How many letters have to be put in, left out, changed, or swapped with their neighbour; of words so long that nobody
 * mistypes them: SIZE_MAX. */
size_t near_distance(const char *typed, const char *known);

/* The nearest known word so far. */
struct near_word {
    const char *typed;
    const char *word; /* NULL: none is near enough to be meant */
    size_t distance;
};

/* Takes `known` into account; it must stay valid. The first of those that are equally near stays. */
void near_offer(struct near_word *near, const char *known);

#endif
