/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The bounded queue that Dmitry Vyukov has published, plain: a ring of cells, each with a sequence
 * number beside its letter. The number says whose turn the cell is: `place` of who pushes there next,
 * `place` + 1 of who pops it. One compare-and-swap on a cursor each; nobody looks at the other cursor.
 * Who has moved a cursor and not yet written the number stops those who come to that cell.
 */
#include "bench/queue/peer.h"

#include "core/atomic.h"
#include "core/cpu.h"

struct cell {
    _Alignas(PEAL_LINE_BYTES) peal_u64 sequence;
    struct bench_letter letter;
};

struct vyukov_queue {
    _Alignas(PEAL_WRITER_BYTES) peal_u64 pushed;
    _Alignas(PEAL_WRITER_BYTES) peal_u64 popped;
    _Alignas(PEAL_WRITER_BYTES) struct cell cells[BENCH_PEER_DEPTH];
};

static void init(void *memory, const struct bench_peer_setup *setup)
{
    struct vyukov_queue *queue = memory;

    (void)setup;
    /* relaxed: nobody else is there yet */
    peal_u64_store_relaxed(&queue->pushed, 0);
    peal_u64_store_relaxed(&queue->popped, 0);
    for (uint64_t place = 0; place < BENCH_PEER_DEPTH; place++)
        peal_u64_store_relaxed(&queue->cells[place].sequence, place);
}

/* Claims the next place of a cursor; its cell, or NULL: full, or empty. `ahead`: 0 to push, 1 to pop. */
static struct cell *claim(struct vyukov_queue *queue, peal_u64 *cursor, uint64_t ahead,
                          uint64_t *place)
{
    /* relaxed: what is found is only a guess */
    *place = peal_u64_load_relaxed(cursor);
    for (;;) {
        struct cell *cell = &queue->cells[*place % BENCH_PEER_DEPTH];
        /* VYUKOV-A1: pairs with VYUKOV-R1: the letter is there, or has been read */
        uint64_t sequence = peal_u64_load_acquire(&cell->sequence);
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

static void hand_over(struct cell *cell, uint64_t sequence)
{
    /* VYUKOV-R1: pairs with VYUKOV-A1 */
    peal_u64_store_release(&cell->sequence, sequence);
}

static size_t push(void *end, const struct bench_letter *letters, size_t count)
{
    struct vyukov_queue *queue = end;
    uint64_t place;

    for (size_t done = 0; done < count; done++) {
        struct cell *cell = claim(queue, &queue->pushed, 0, &place);
        if (cell == NULL)
            return done;
        cell->letter = letters[done];
        hand_over(cell, place + 1);
    }
    return count;
}

static size_t pop(void *end, struct bench_letter *letters, size_t max)
{
    struct vyukov_queue *queue = end;
    uint64_t place;

    for (size_t done = 0; done < max; done++) {
        struct cell *cell = claim(queue, &queue->popped, 1, &place);
        if (cell == NULL)
            return done;
        letters[done] = cell->letter;
        hand_over(cell, place + BENCH_PEER_DEPTH);
    }
    return max;
}

const struct bench_peer bench_peer_vyukov = {
    .name = "Vyukov's queue",
    .can_be_wedged = true,
    .memory_bytes = sizeof(struct vyukov_queue),
    .init = init,
    .push = push,
    .pop = pop,
};
