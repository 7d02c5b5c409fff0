/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Concurrency Kit's ck_ring, by the calls for just as many producers and consumers as there are. A single
 * producer writes in place. Where there are many, a producer waits, in the call, for those that have
 * reserved their place before it.
 */
#include "bench/peers/ring.h"

#include "core/cpu.h"

#include <assert.h>
#include <ck_ring.h>

struct ck8 {
    uint64_t words[1];
};
struct ck64 {
    uint64_t words[8];
};
struct ck256 {
    uint64_t words[32];
};

CK_RING_PROTOTYPE(ck8, ck8)
CK_RING_PROTOTYPE(ck64, ck64)
CK_RING_PROTOTYPE(ck256, ck256)

struct ck_memory {
    _Alignas(PEAL_WRITER_BYTES) struct ck_ring ring;
    _Alignas(PEAL_WRITER_BYTES) char elements[];
};

static size_t ck_bytes(const struct bench_ring_shape *shape)
{
    return sizeof(struct ck_memory) + shape->capacity * shape->element_bytes;
}

static void *ck_make(void *memory, const struct bench_ring_shape *shape)
{
    struct ck_memory *self = memory;

    ck_ring_init(&self->ring, (unsigned)shape->capacity);
    return self;
}

/* The call for this many producers and consumers, of elements of this size. */
#define CK_CALL(call, sides, size)                                                                 \
    ck_ring_##call##_##sides##_ck##size(&self->ring, (struct ck##size *)(void *)self->elements,    \
                                        (struct ck##size *)element)
#define CK_BY_SIZE(call, sides)                                                                    \
    (ring->shape.element_bytes == 8    ? CK_CALL(call, sides, 8)                                   \
     : ring->shape.element_bytes == 64 ? CK_CALL(call, sides, 64)                                  \
                                       : CK_CALL(call, sides, 256))
#define CK_BY_SIDES(call)                                                                          \
    (!ring->shape.many_consumers                                                                   \
         ? (!ring->shape.many_producers ? CK_BY_SIZE(call, spsc) : CK_BY_SIZE(call, mpsc))         \
         : (!ring->shape.many_producers ? CK_BY_SIZE(call, spmc) : CK_BY_SIZE(call, mpmc)))

BENCH_RING_INLINE bool ck_push_one(struct bench_ring *ring, void *element)
{
    struct ck_memory *self = ring->memory;

    return CK_BY_SIDES(enqueue);
}

BENCH_RING_INLINE bool ck_pop_one(struct bench_ring *ring, void *element)
{
    struct ck_memory *self = ring->memory;

    return CK_BY_SIDES(dequeue);
}

static size_t ck_push(struct bench_ring *ring, const void *elements, size_t count)
{
    size_t done = 0;

    /* Its calls take what they only read without a const. */
    while (done < count &&
           ck_push_one(ring, (char *)(uintptr_t)elements + done * ring->shape.element_bytes))
        done++;
    return done;
}

static size_t ck_pop(struct bench_ring *ring, void *elements, size_t max)
{
    size_t done = 0;

    while (done < max && ck_pop_one(ring, (char *)elements + done * ring->shape.element_bytes))
        done++;
    return done;
}

/* One at a time: it has no call for more. The single producer's are the same for any consumers. */
static size_t ck_reserve(struct bench_ring *ring, void *places[], size_t count)
{
    struct ck_memory *self = ring->memory;
    void *elements = self->elements;

    if (count == 0)
        return 0;
    if (ring->shape.element_bytes == 8)
        places[0] = ck_ring_enqueue_reserve_spsc_ck8(&self->ring, elements);
    else if (ring->shape.element_bytes == 64)
        places[0] = ck_ring_enqueue_reserve_spsc_ck64(&self->ring, elements);
    else
        places[0] = ck_ring_enqueue_reserve_spsc_ck256(&self->ring, elements);
    return places[0] != NULL;
}

static void ck_commit(struct bench_ring *ring, size_t count)
{
    struct ck_memory *self = ring->memory;

    if (count > 0)
        ck_ring_enqueue_commit_spsc(&self->ring);
}

static const struct bench_ring_kind ck_kind = {
    .bytes = ck_bytes,
    .make = ck_make,
    .push = ck_push,
    .pop = ck_pop,
    .reserve = ck_reserve,
    .commit = ck_commit,
};

BENCH_RING_FUNCTIONS(ck, &ck_kind);

const struct bench_contender bench_peer_ck = {
    .name = "ck_ring",
    .package = "libck-dev",
    .note = "spsc, mpsc or mpmc calls, as the pattern wants; " BENCH_RING_NOTE,
    .patterns = BENCH_PATTERN_PAIR | BENCH_PATTERN_FAN_IN | BENCH_PATTERN_QUEUE,
    .reach = BENCH_REACH_PROCESSES,
    .can_be_wedged = true,
    .has_loans = true,
    .memory_bytes = ck_memory_bytes,
    .begin = ck_begin,
    .end = ck_end,
    .open = ck_open,
    .close = ck_close,
    .prepare = ck_prepare,
    .send = ck_send,
    .receive = ck_receive,
    .release = ck_release,
};
