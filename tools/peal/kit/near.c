/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/peal/kit/near.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define LETTERS_MAX 31u

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Rows of the table of distances between all beginnings, the last three of them: two letters that were swapped look two
 * rows up. */
size_t near_distance(const char *typed, const char *known)
{
    size_t rows[3][LETTERS_MAX + 1];
    size_t *above2 = rows[0], *above = rows[1], *row = rows[2];
    const size_t height = strlen(typed), width = strlen(known);
    if (height > LETTERS_MAX || width > LETTERS_MAX)
        return SIZE_MAX;
    for (size_t x = 0; x <= width; x++)
        row[x] = x;
    for (size_t y = 1; y <= height; y++) {
        size_t *const free_row = above2;
        above2 = above;
        above = row;
        row = free_row;
        row[0] = y;
        for (size_t x = 1; x <= width; x++) {
            const bool same = typed[y - 1] == known[x - 1];
            row[x] = least(above[x - 1] + !same, 1 + least(above[x], row[x - 1]));
            if (y > 1 && x > 1 && typed[y - 1] == known[x - 2] && typed[y - 2] == known[x - 1])
                row[x] = least(row[x], above2[x - 2] + 1);
        }
    }
    return row[width];
}

void near_offer(struct near_word *near, const char *known)
{
    const size_t distance = near_distance(near->typed, known);
    /* One slip in a short word, two in a longer one; and something of it must be left. */
    const size_t slips = strlen(known) < 5 ? 1 : 2;
    if (distance > slips || distance >= strlen(known) || (near->word && distance >= near->distance))
        return;
    near->word = known;
    near->distance = distance;
}
