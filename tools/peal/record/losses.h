/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which messages of one publisher are not in a recording: ranges of numbers. They are gathered until they go into the file as
 * metadata, which empties the list; the sums and the first ranges stay, for the summary.
 */
#ifndef PEAL_TOOLS_PEAL_RECORD_LOSSES_H
#define PEAL_TOOLS_PEAL_RECORD_LOSSES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LOSSES_PENDING_MAX 64
#define LOSSES_SHOWN_MAX 4
/* Two numbers of 20 digits, a dash and a space for each range. */
#define LOSSES_TEXT_BYTES (LOSSES_PENDING_MAX * 42 + 1)

struct loss_range {
    uint64_t first;
    uint64_t last;
};

struct losses {
    uint64_t lost;       /* all in all */
    uint64_t unnumbered; /* of those: the publisher dropped them before they had a number */
    uint64_t range_count;
    uint64_t last;                             /* number of the last range */
    struct loss_range shown[LOSSES_SHOWN_MAX]; /* the first ones */
    uint64_t pending_lost;                     /* not in the file yet, as the following */
    uint64_t pending_unnumbered;
    size_t pending_count;
    struct loss_range pending[LOSSES_PENDING_MAX];
};

/* Numbers first..last, ascending from call to call. A range that goes on where the one before ended is one with it. */
void losses_add(struct losses *losses, uint64_t first, uint64_t last);

void losses_add_unnumbered(struct losses *losses, uint64_t count);

/*
 * The message `number` came, and before it `lost` were, as the subscriber was told; `expected` is the number that would have come
 * without losses; if that is not known (`has_expected` false), all that can have numbers have them.
 */
void losses_before(struct losses *losses, bool has_expected, uint64_t expected, uint64_t number,
                   uint64_t lost);

/* The list has to be emptied before the next loss. */
bool losses_full(const struct losses *losses);

/* "3-7 12 20-21": what is pending. */
void losses_pending_text(const struct losses *losses, char text[LOSSES_TEXT_BYTES]);

/* What was pending is in the file now. */
void losses_written(struct losses *losses);

/* "3-7, 12, 20-21 and 5 ranges more": for people. */
void losses_text(const struct losses *losses, char *text, size_t text_bytes);

#endif
