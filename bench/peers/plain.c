/* SPDX-License-Identifier: Apache-2.0 */
/* Peal's queue by its public functions, Concurrency Kit's ck_ring, and Vyukov's bounded queue as it is told
 * everywhere: a sequence number beside each message. None of the latter has batches. */
#include "bench/peers/queues.h"

#include "core/atomic.h"
#include "core/cpu.h"

#include <ck_ring.h>
#include <peal/peal.h>
#include <stdlib.h>

static void *same(void *memory, int pushes)
{
    (void)pushes;
    return memory;
}

/* ---- Peal ---- */

#define PEAL_URL "posix:peal-bench-queues"

static void peal_make(void *memory)
{
    (void)memory;
    (void)peal_unlink(PEAL_URL);
}

static void *peal_open(void *memory, int pushes)
{
    struct peal_bus *bus;
    struct peal_queue *queue;
    struct peal_queue_options options = PEAL_QUEUE_OPTIONS_INIT;
    (void)memory;
    options.uses = pushes ? PEAL_QUEUE_PUSH : PEAL_QUEUE_POP;
    options.message_bytes_max = QUEUES_MESSAGE_BYTES;
    options.depth = QUEUES_DEPTH;
    options.full_policy = PEAL_QUEUE_FULL_REFUSE;
    if (peal_bus_open(&bus, PEAL_URL, NULL) != PEAL_OK ||
        peal_queue_create(bus, "queues", &options, &queue) != PEAL_OK)
        abort();
    return queue;
}

static size_t peal_push(void *end, const struct queues_message *messages, size_t count)
{
    size_t done;
    if (count == 1)
        return peal_queue_push(end, messages, sizeof(*messages)) == PEAL_OK;
    (void)peal_queue_push_batch(end, messages, sizeof(*messages), count, &done);
    return done;
}

static size_t peal_pop(void *end, struct queues_message *messages, size_t count)
{
    struct peal_queue_message info[QUEUES_BATCH_MAX];
    size_t done;
    (void)peal_queue_pop_batch(end, messages, sizeof(*messages), info, count, &done);
    return done;
}

const struct queues_peer queues_peal = {"peal_queue", 0, peal_make, peal_open, peal_push, peal_pop};

/* ---- ck_ring ---- */

CK_RING_PROTOTYPE(message, queues_message)

struct ck_shared {
    _Alignas(PEAL_WRITER_BYTES) struct ck_ring ring;
    _Alignas(PEAL_WRITER_BYTES) struct queues_message messages[QUEUES_DEPTH];
};

static void ck_make(void *memory)
{
    ck_ring_init(&((struct ck_shared *)memory)->ring, QUEUES_DEPTH);
}

static size_t ck_push(void *end, const struct queues_message *messages, size_t count)
{
    struct ck_shared *ck = end;
    size_t done = 0;
    for (; done < count; done++) {
        struct queues_message message = messages[done];
        if (!ck_ring_enqueue_mpmc_message(&ck->ring, ck->messages, &message))
            break;
    }
    return done;
}

static size_t ck_pop(void *end, struct queues_message *messages, size_t count)
{
    struct ck_shared *ck = end;
    size_t done = 0;
    while (done < count && ck_ring_dequeue_mpmc_message(&ck->ring, ck->messages, &messages[done]))
        done++;
    return done;
}

const struct queues_peer queues_ck = {"ck_ring", sizeof(struct ck_shared), ck_make, same, ck_push,
                                      ck_pop};

/* ---- Vyukov ---- */

struct cell {
    _Alignas(PEAL_WRITER_BYTES) peal_u64 sequence;
    struct queues_message message;
};

struct vyukov {
    _Alignas(PEAL_WRITER_BYTES) peal_u64 tail;
    _Alignas(PEAL_WRITER_BYTES) peal_u64 head;
    struct cell cells[QUEUES_DEPTH];
};

static void vyukov_make(void *memory)
{
    struct vyukov *queue = memory;
    for (uint64_t i = 0; i < QUEUES_DEPTH; i++)
        peal_u64_store_relaxed(&queue->cells[i].sequence, i); /* relaxed: before any process */
}

/* The cell whose turn it is, claimed; NULL: full or empty. `ahead`: 0 to push, 1 to pop. */
static struct cell *vyukov_claim(struct vyukov *queue, peal_u64 *cursor, uint64_t ahead,
                                 uint64_t *place)
{
    *place = peal_u64_load_relaxed(cursor); /* relaxed: the swap decides */
    for (;;) {
        struct cell *cell = &queue->cells[*place % QUEUES_DEPTH];
        /* BENCH-A3: pairs with BENCH-R4 */
        uint64_t sequence = peal_u64_load_acquire(&cell->sequence);
        if (sequence == *place + ahead) {
            /* BENCH-R5: pairs with BENCH-R5: only for the value */
            if (peal_u64_cas_acq_rel(cursor, place, *place + 1))
                return cell;
        } else if ((int64_t)(sequence - *place - ahead) < 0) {
            return NULL;
        } else {
            *place = peal_u64_load_relaxed(cursor); /* relaxed: as above */
        }
    }
}

static void vyukov_give(struct cell *cell, uint64_t sequence)
{
    peal_u64_store_release(&cell->sequence, sequence); /* BENCH-R4: pairs with BENCH-A3 */
}

static size_t vyukov_push(void *end, const struct queues_message *messages, size_t count)
{
    struct vyukov *queue = end;
    uint64_t place;
    for (size_t done = 0; done < count; done++) {
        struct cell *cell = vyukov_claim(queue, &queue->tail, 0, &place);
        if (!cell)
            return done;
        cell->message = messages[done];
        vyukov_give(cell, place + 1);
    }
    return count;
}

static size_t vyukov_pop(void *end, struct queues_message *messages, size_t count)
{
    struct vyukov *queue = end;
    uint64_t place;
    for (size_t done = 0; done < count; done++) {
        struct cell *cell = vyukov_claim(queue, &queue->head, 1, &place);
        if (!cell)
            return done;
        messages[done] = cell->message;
        vyukov_give(cell, place + QUEUES_DEPTH);
    }
    return count;
}

const struct queues_peer queues_vyukov = {"Vyukov", sizeof(struct vyukov), vyukov_make,
                                          same,     vyukov_push,           vyukov_pop};
