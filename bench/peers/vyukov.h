/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The bounded queue that Dmitry Vyukov has published, plain: a ring of cells, each with a sequence
 * number before its message. The number says whose turn the cell is: `place` of who sends there next,
 * `place` + 1 of who receives it. One compare-and-swap on a cursor each; nobody looks at the other
 * cursor. Who has moved a cursor and not yet written the number stops those who come to that cell.
 */
#ifndef PEAL_BENCH_PEERS_VYUKOV_H
#define PEAL_BENCH_PEERS_VYUKOV_H

#include "core/atomic.h"

#include <stddef.h>

/* Cells lie one after the other, cell_bytes each; a cell begins with its sequence number. */
struct bench_vyukov_cells {
    char *first;
    size_t cell_bytes;
    uint64_t mask; /* a power of two of them, less 1 */
};

static inline peal_u64 *bench_vyukov_cell(const struct bench_vyukov_cells *cells, uint64_t place)
{
    return (peal_u64 *)(void *)(cells->first + (place & cells->mask) * cells->cell_bytes);
}

/* Before anybody else is there. */
static inline void bench_vyukov_init(const struct bench_vyukov_cells *cells)
{
    for (uint64_t place = 0; place <= cells->mask; place++) {
        /* relaxed: nobody else is there yet */
        peal_u64_store_relaxed(bench_vyukov_cell(cells, place), place);
    }
}

/* Claims the next place of a cursor; its cell, or NULL: full, or empty. `ahead`: 0 to send, 1 to receive. */
static inline peal_u64 *bench_vyukov_claim(const struct bench_vyukov_cells *cells, peal_u64 *cursor,
                                           uint64_t ahead, uint64_t *place)
{
    /* relaxed: what is found is only a guess */
    *place = peal_u64_load_relaxed(cursor);
    for (;;) {
        peal_u64 *cell = bench_vyukov_cell(cells, *place);
        /* VYUKOV-A1: pairs with VYUKOV-R1: the message is there, or has been read */
        uint64_t sequence = peal_u64_load_acquire(cell);
        int64_t lag = (int64_t)(sequence - (*place + ahead));

        if (lag < 0)
            return NULL;
        /* VYUKOV-R2: pairs with VYUKOV-R2: only for the value */
        if (lag == 0 && peal_u64_cas_acq_rel(cursor, place, *place + 1))
            return cell;
        if (lag > 0)
            *place = peal_u64_load_relaxed(cursor); /* relaxed: as above */
    }
}

/* `sequence`: place + 1 of what was sent, place + the number of cells of what was received. */
static inline void bench_vyukov_hand_over(peal_u64 *cell, uint64_t sequence)
{
    /* VYUKOV-R1: pairs with VYUKOV-A1 */
    peal_u64_store_release(cell, sequence);
}

#endif
