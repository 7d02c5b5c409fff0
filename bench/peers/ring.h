/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A contender over a queue whose elements have one size that the compiler knows, as ck_ring, rte_ring,
 * boost::lockfree and moodycamel's are.
 *
 * Small messages are the elements, by value. Of a long one the element is the number of a slot in a pool
 * that all share; free slots come back through a second queue of the same kind, as DPDK's packets do. So
 * long messages are written and read in place.
 *
 * What a queue can do is a `struct bench_ring_kind`, constant where it is used: the calls through it are
 * inlined.
 */
#ifndef PEAL_BENCH_PEERS_RING_H
#define PEAL_BENCH_PEERS_RING_H

#include "bench/peers/peers.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#ifdef __cplusplus
extern "C" {
#endif

#define BENCH_RING_INLINE static inline __attribute__((always_inline))

/* Elements by value are of 8, 64 or 256 bytes; the smallest that the message fits in. */
enum { BENCH_RING_VALUE_MAX = 256, BENCH_RING_ALIGN = 128 };

/* Of slots with so long messages there are no more than caches hold, so nobody has many in hands. */
enum { BENCH_RING_LONG_BYTES = 65536, BENCH_RING_LONG_BATCH = 4 };

struct bench_ring_shape {
    size_t element_bytes;
    size_t capacity; /* a power of two */
    bool many_producers;
    bool many_consumers;
    bool waits;
    bool is_bounded; /* else no more elements exist than it has room for */
    uint32_t producers;
};

/* One of the queues, as one end sees it. */
struct bench_ring {
    void *memory;
    struct bench_ring_shape shape;
    void *token; /* of the kind: what this end alone has */
};

struct bench_ring_kind {
    bool is_on_heap; /* make() allocates; else it uses `memory`, of bytes() */
    /* One sender and one receiver both work in place, at any size: there is no pool then. */
    bool is_in_place;
    size_t (*bytes)(const struct bench_ring_shape *shape);
    void *(*make)(void *memory, const struct bench_ring_shape *shape);
    void (*destroy)(void *memory, const struct bench_ring_shape *shape);
    void (*attach)(struct bench_ring *ring, bool pushes); /* or NULL: makes the token */
    void (*detach)(struct bench_ring *ring, bool pushes);
    /* Elements lie in a row. */
    size_t (*push)(struct bench_ring *ring, const void *elements, size_t count);
    size_t (*pop)(struct bench_ring *ring, void *elements, size_t max);
    /* Or NULL. In place where there is one producer: how many elements it may write, and where; what
     * was written. The same where there is one consumer. Not `for_batches`: only used for one. */
    bool for_batches;
    size_t (*reserve)(struct bench_ring *ring, void *places[], size_t count);
    void (*commit)(struct bench_ring *ring, size_t count);
    size_t (*peek)(struct bench_ring *ring, const void *places[], size_t max);
    void (*finish)(struct bench_ring *ring, size_t count);
    /* Or NULL. Sleeps until it has popped an element. */
    bool (*wait)(struct bench_ring *ring, void *element, uint64_t timeout_ns);
};

/* Of a trial; the workers inherit it. */
struct bench_ring_trial {
    struct bench_ring_shape letters_shape, free_shape;
    void *letters, *free;
    char *slots;
    size_t slot_bytes, slots_count; /* 0: by value */
    size_t batch;                   /* of slots, what a worker takes or gets at once at most */
    size_t size_bytes;
};

struct bench_ring_side {
    const struct bench_ring_trial *trial;
    struct bench_ring letters, free;
    bool sends;
    /* By value: what is prepared, or was received. */
    char *elements;
    /* By number: the slots that are prepared or were received, and free ones taken in advance. */
    uint64_t numbers[BENCH_BATCH_MAX];
    uint64_t stash[BENCH_BATCH_MAX];
    size_t stashed;
    size_t next; /* of what is prepared, the first that did not go */
    size_t held; /* how many are received and not released */
    bool is_in_place;
    bool has_waited; /* and the first message is there */
};

/* ring.c: what takes no part in the speed */
size_t bench_ring_memory_bytes(const struct bench_channel *channel,
                               const struct bench_ring_kind *kind);
bool bench_ring_begin(struct bench_channel *channel, const struct bench_ring_kind *kind);
void bench_ring_end(struct bench_channel *channel, const struct bench_ring_kind *kind);
void *bench_ring_open(const struct bench_channel *channel, bool sends,
                      const struct bench_ring_kind *kind);
void bench_ring_close(void *end, const struct bench_ring_kind *kind);

BENCH_RING_INLINE size_t bench_ring_take_free(struct bench_ring_side *self, void *places[],
                                              size_t count, const struct bench_ring_kind *kind)
{
    if (self->stashed == 0)
        self->stashed = kind->pop(&self->free, self->stash, self->trial->batch);
    if (count > self->stashed)
        count = self->stashed;
    for (size_t i = 0; i < count; i++) {
        uint64_t number = self->stash[--self->stashed];

        self->numbers[i] = number;
        places[i] = self->trial->slots + number * self->trial->slot_bytes;
    }
    return count;
}

BENCH_RING_INLINE size_t bench_ring_prepare(void *end, void *places[], size_t count,
                                            const struct bench_ring_kind *kind)
{
    struct bench_ring_side *self = (struct bench_ring_side *)end;

    self->next = 0;
    if (self->trial->slots_count > 0)
        return bench_ring_take_free(self, places, count, kind);
    self->is_in_place = kind->reserve != NULL && !self->letters.shape.many_producers &&
                        (count == 1 || kind->for_batches);
    if (self->is_in_place)
        return kind->reserve(&self->letters, places, count);
    for (size_t i = 0; i < count; i++)
        places[i] = self->elements + i * self->letters.shape.element_bytes;
    return count;
}

BENCH_RING_INLINE size_t bench_ring_send(void *end, size_t count,
                                         const struct bench_ring_kind *kind)
{
    struct bench_ring_side *self = (struct bench_ring_side *)end;
    size_t gone = count;

    if (self->trial->slots_count > 0)
        gone = kind->push(&self->letters, &self->numbers[self->next], count);
    else if (self->is_in_place)
        kind->commit(&self->letters, count);
    else
        gone = kind->push(&self->letters,
                          self->elements + self->next * self->letters.shape.element_bytes, count);
    self->next += gone;
    return gone;
}

/* Elements by value, or numbers; what wait() has popped comes first. */
BENCH_RING_INLINE size_t bench_ring_pop(struct bench_ring_side *self, void *elements, size_t max,
                                        const struct bench_ring_kind *kind)
{
    if (kind->wait != NULL && self->has_waited) {
        self->has_waited = false;
        return 1;
    }
    return kind->pop(&self->letters, elements, max);
}

BENCH_RING_INLINE size_t bench_ring_receive(void *end, struct bench_view views[], size_t max,
                                            const struct bench_ring_kind *kind)
{
    struct bench_ring_side *self = (struct bench_ring_side *)end;
    const struct bench_ring_trial *trial = self->trial;
    const void *places[BENCH_BATCH_MAX];

    if (max > BENCH_BATCH_MAX)
        max = BENCH_BATCH_MAX;
    self->is_in_place = trial->slots_count == 0 && kind->peek != NULL &&
                        !self->letters.shape.many_consumers && !self->has_waited &&
                        (max == 1 || kind->for_batches);
    if (trial->slots_count > 0) {
        self->held =
            bench_ring_pop(self, self->numbers, max < trial->batch ? max : trial->batch, kind);
        for (size_t i = 0; i < self->held; i++)
            views[i].data = trial->slots + self->numbers[i] * trial->slot_bytes;
    } else if (self->is_in_place) {
        self->held = kind->peek(&self->letters, places, max);
        for (size_t i = 0; i < self->held; i++)
            views[i].data = places[i];
    } else {
        self->held = bench_ring_pop(self, self->elements, max, kind);
        for (size_t i = 0; i < self->held; i++)
            views[i].data = self->elements + i * self->letters.shape.element_bytes;
    }
    for (size_t i = 0; i < self->held; i++)
        views[i].size_bytes = trial->size_bytes;
    return self->held;
}

BENCH_RING_INLINE void bench_ring_release(void *end, const struct bench_ring_kind *kind)
{
    struct bench_ring_side *self = (struct bench_ring_side *)end;

    /* There is always room: no more slots exist than the queue of free ones holds. Some kinds let a
     * consumer that is just leaving be in the way for a moment. */
    if (self->trial->slots_count > 0) {
        for (size_t done = 0; done < self->held;)
            done += kind->push(&self->free, &self->numbers[done], self->held - done);
    } else if (self->is_in_place) {
        kind->finish(&self->letters, self->held);
    }
    self->held = 0;
}

BENCH_RING_INLINE void bench_ring_wait(void *end, uint64_t timeout_ns,
                                       const struct bench_ring_kind *kind)
{
    struct bench_ring_side *self = (struct bench_ring_side *)end;
    void *first = self->trial->slots_count > 0 ? (void *)self->numbers : (void *)self->elements;

    if (!self->has_waited)
        self->has_waited = kind->wait(&self->letters, first, timeout_ns);
}

/* Defines <prefix>_memory_bytes ... <prefix>_release() of a contender. */
#define BENCH_RING_FUNCTIONS(prefix, kind)                                                         \
    static size_t prefix##_memory_bytes(const struct bench_channel *channel)                       \
    {                                                                                              \
        return bench_ring_memory_bytes(channel, kind);                                             \
    }                                                                                              \
    static bool prefix##_begin(struct bench_channel *channel)                                      \
    {                                                                                              \
        return bench_ring_begin(channel, kind);                                                    \
    }                                                                                              \
    static void prefix##_end(struct bench_channel *channel)                                        \
    {                                                                                              \
        bench_ring_end(channel, kind);                                                             \
    }                                                                                              \
    static void *prefix##_open(const struct bench_channel *channel, bool sends, uint32_t index)    \
    {                                                                                              \
        (void)index;                                                                               \
        return bench_ring_open(channel, sends, kind);                                              \
    }                                                                                              \
    static void prefix##_close(void *end)                                                          \
    {                                                                                              \
        bench_ring_close(end, kind);                                                               \
    }                                                                                              \
    static size_t prefix##_prepare(void *end, void *places[], size_t size_bytes, size_t count)     \
    {                                                                                              \
        (void)size_bytes;                                                                          \
        return bench_ring_prepare(end, places, count, kind);                                       \
    }                                                                                              \
    static size_t prefix##_send(void *end, size_t count)                                           \
    {                                                                                              \
        return bench_ring_send(end, count, kind);                                                  \
    }                                                                                              \
    static size_t prefix##_receive(void *end, struct bench_view views[], size_t max)               \
    {                                                                                              \
        return bench_ring_receive(end, views, max, kind);                                          \
    }                                                                                              \
    static void prefix##_release(void *end)                                                        \
    {                                                                                              \
        bench_ring_release(end, kind);                                                             \
    }                                                                                              \
    static_assert(true, "takes the semicolon")

#define BENCH_RING_NOTE                                                                            \
    "up to 256 bytes by value; above, the number of a slot in a pool, whose free slots come back " \
    "through a second queue of the same kind"

#ifdef __cplusplus
}
#endif

#endif
