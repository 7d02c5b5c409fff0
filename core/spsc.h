/* SPDX-License-Identifier: Apache-2.0 */
/*
 * spsc: a ring from one producer to one consumer, for throughput
 *
 * Purpose
 *   Moves elements of one fixed size (1 byte to 1 MiB, packed without gaps) through memory that two
 *   threads, processes or virtual machines share. No system call, no lock, no allocation, no read-
 *   modify-write and no full fence: an ordinary load and an ordinary store of a cursor, and those
 *   only when they must be. It does not wake anybody: both sides poll, or ring a bell of their own.
 *
 * Usage
 *   once:      peal_spsc_memsize(8, 1024, &size); memory = 128-byte aligned, `size` bytes
 *              peal_spsc_format(memory, size, 8, 1024)
 *   producer:  peal_spsc_producer_join(&producer, memory, size, 8)
 *              peal_spsc_producer_push(&producer, &element)                       copies one in
 *              peal_spsc_producer_push_batch(&producer, elements, n, &pushed)     copies many in
 *              peal_spsc_producer_reserve(&producer, n, &span, &granted), write into span,
 *              peal_spsc_producer_commit(&producer, granted)                      no copy
 *   consumer:  peal_spsc_consumer_join(&consumer, memory, size, 8)
 *              peal_spsc_consumer_pop, _pop_batch                                 copy out
 *              peal_spsc_consumer_peek, read the span, peal_spsc_consumer_release no copy
 *              peal_spsc_consumer_give_back                                       see "Room"
 *
 * Layout
 *   In spsc_shared.h: a constant header, the producer's cursor `tail`, the consumer's cursor
 *   `head`, the elements. Words of different writers are 128 bytes apart.
 *
 * How it is fast
 *   Each side keeps its own cursor and the last value seen of the other's in private memory, and
 *   looks at the other's word only when what it knows is used up. So a cursor's line travels once
 *   per look, not once per element, and the usual element costs its own line alone.
 *   A consumer that keeps up would look after every few elements and take the tail's line from the
 *   producer in mid-stride, each time. So when the last look found only a short run, the consumer
 *   has taken all of it and knows of nothing more, the next look comes some relax hints (about
 *   0.2 us) later; runs grow and the line travels seldom. A look that found one element or none is
 *   never delayed, so request and reply over two rings, and polling an empty ring, cost no time.
 *   A span that is peeked at is asked for as a whole, for its reader works on each element before it
 *   comes to the next, and by itself a core then has few of the lines under way at once.
 *
 * Room
 *   What is pushed is visible when the call returns. Room is given back lazily: the consumer stores
 *   `head` when it has taken PEAL_SPSC_GIVE_BACK_SHARE of the capacity since the last store, when it
 *   finds the ring empty, and at give_back(). A producer that sees a full ring never waits for good
 *   on a consumer that goes on taking: a full ring holds at least 7/8 of its capacity unread, and
 *   the consumer stores `head` before it has read all of that. Only a consumer that stops taking,
 *   with elements still unread, hides up to 1/8 of the room; one that must not calls give_back().
 *
 * Guarantees
 *   - FIFO, each element once, for one producer and one consumer that live.
 *   - Wait-free on both sides: no call loops on what the peer does.
 *   - Whatever the peer writes, nothing is read or written outside the ring, and no call blocks or
 *     loops without bound. Geometry is read once, at join, validated against the size of the memory
 *     and kept private. The own cursor is never read back. The peer's is validated at each look: it
 *     may only go forward and never farther than the ring allows. Otherwise PEAL_ECORRUPT, from then
 *     on from every call of this handle that has to look; the way out is to join again.
 *   - Death of the producer at any instruction: published elements stay deliverable; what was
 *     reserved and not committed was never visible. A new producer joins and goes on at `tail`.
 *   - Death of the consumer at any instruction: what it had not given back is delivered again to
 *     the next consumer (at least once; up to the share above more than it was working on). Nothing
 *     unread is lost. A new consumer joins and goes on at `head`.
 *
 * Not guaranteed
 *   - Two producers, or two consumers, at once: the ring does not notice, data is spoilt (memory
 *     safety stays). Who is dead is for the caller to know before another joins.
 *   - The content of elements: the peer can change a span while it is read. Copy, then judge.
 *   - Formatting a ring that is in use: the peers get PEAL_ECORRUPT when they next look, or
 *     messages of the new life; they must join again.
 *
 * Who may run beside whom
 *                      producer's calls   consumer's calls   join producer   join consumer   format
 *   producer's calls   no                 yes                no              yes             no
 *   consumer's calls   yes                no                 yes             no              no
 *   join producer      no                 yes                no              yes             yes (1)
 *   join consumer      yes                no                 yes             no              yes (1)
 *   format             no                 no                 yes (1)         yes (1)         no
 *   (1) on memory that is zero before; join then answers PEAL_AGAIN or succeeds.
 */
#ifndef PEAL_CORE_SPSC_H
#define PEAL_CORE_SPSC_H

#include "core/cpu.h"
#include "core/fault.h"
#include "core/spsc_shared.h"

#include <peal/status.h>
#include <string.h>

/* The consumer gives room back in portions of capacity / this. Measured: docs/reference/spsc.md. */
#define PEAL_SPSC_GIVE_BACK_SHARE 8u

/* A run shorter than this, and than half the ring, makes the consumer wait a little. Measured. */
#define PEAL_SPSC_SHORT_RUN 128u
#define PEAL_SPSC_PACE_HINTS 16u

/* The producer's side: private memory of one thread at a time. */
struct peal_spsc_producer {
    uint64_t tail;         /* next element to write; the word in the ring is a copy of it */
    uint64_t limit;        /* the first element known not to be free: head seen last + capacity */
    uint64_t reserved_end; /* end of the last reservation */
    uint64_t capacity;
    unsigned char *elements;
    size_t element_bytes;
    struct peal_spsc_shared *shared;
    bool corrupt;
};

/* The consumer's side: private memory of one thread at a time. */
struct peal_spsc_consumer {
    uint64_t head;           /* next element to read */
    uint64_t limit;          /* the tail seen last */
    uint64_t given_back;     /* what the word in the ring says */
    uint64_t give_back_step; /* capacity / PEAL_SPSC_GIVE_BACK_SHARE, at least 1 */
    uint64_t found;          /* elements that the last look found */
    uint64_t short_run;      /* fewer found than this, but more than one: pace the next look */
    uint64_t peeked_end;     /* end of the last peek */
    uint64_t capacity;
    const unsigned char *elements;
    size_t element_bytes;
    struct peal_spsc_shared *shared;
    bool corrupt;
};

/* What memory a ring needs. PEAL_EINVAL with a message when no such ring can be. */
enum peal_status peal_spsc_layout(uint64_t element_bytes, uint64_t capacity, size_t *size_bytes);

/* Makes an empty ring of the memory, whatever it holds. */
enum peal_status peal_spsc_format(void *memory, size_t size_bytes, uint64_t element_bytes,
                                  uint64_t capacity);

/*
 * Validates the ring and fills a handle that continues where the words in the ring say.
 * PEAL_AGAIN: not formatted yet. PEAL_EFORMAT: no ring, or one of another version. PEAL_EMISMATCH:
 * other elements than the caller's, or more of them than the memory holds. PEAL_ECORRUPT: the
 * cursors contradict each other.
 */
enum peal_status peal_spsc_producer_join(struct peal_spsc_producer *producer, void *memory,
                                         size_t size_bytes, uint64_t element_bytes);
enum peal_status peal_spsc_consumer_join(struct peal_spsc_consumer *consumer, void *memory,
                                         size_t size_bytes, uint64_t element_bytes);

/* The slow path: looks at the peer's cursor. PEAL_OK, PEAL_ECORRUPT. */
enum peal_status peal_spsc_producer_look(struct peal_spsc_producer *producer);
enum peal_status peal_spsc_consumer_look(struct peal_spsc_consumer *consumer);

/* Slow path of push and pop: other element sizes than 8 bytes, and whatever needs a look. */
enum peal_status peal_spsc_producer_push_any(struct peal_spsc_producer *producer,
                                             const void *element);
enum peal_status peal_spsc_consumer_pop_any(struct peal_spsc_consumer *consumer, void *element);

static inline size_t peal_spsc_min(uint64_t left, uint64_t right)
{
    return (size_t)(left < right ? left : right);
}

static inline size_t peal_spsc_offset(uint64_t cursor, uint64_t capacity, size_t element_bytes)
{
    return (size_t)(cursor & (capacity - 1)) * element_bytes;
}

/* Moves the producer's cursor; everything before it becomes visible to the consumer. */
static inline void peal_spsc_producer_publish(struct peal_spsc_producer *producer, uint64_t tail)
{
    producer->tail = tail;
    PEAL_FAULT("spsc.written");
    /* SPSC-R1: the elements before the cursor; pairs with SPSC-A1 and SPSC-A5 in
     * spsc.c:peal_spsc_consumer_look() and _join() */
    peal_u64_store_release(&producer->shared->producer.tail, tail);
    PEAL_FAULT("spsc.published");
}

/*
 * Copies one element in. PEAL_OK, PEAL_FULL, PEAL_ECORRUPT. The 8-byte element is a leaf without a
 * call, so that nothing is spilled; every other one costs a call of memcpy anyway.
 */
static inline enum peal_status peal_spsc_producer_push(struct peal_spsc_producer *producer,
                                                       const void *element)
{
    uint64_t tail = producer->tail;
    if (PEAL_UNLIKELY(tail == producer->limit || producer->element_bytes != 8))
        return peal_spsc_producer_push_any(producer, element);
    memcpy(producer->elements + peal_spsc_offset(tail, producer->capacity, 8), element, 8);
    peal_spsc_producer_publish(producer, tail + 1);
    return PEAL_OK;
}

/* How many of `wanted` can be written now; looks at the peer only if it knows of fewer. */
static inline enum peal_status peal_spsc_producer_room(struct peal_spsc_producer *producer,
                                                       size_t wanted, size_t *granted)
{
    uint64_t room = producer->limit - producer->tail;
    if (PEAL_UNLIKELY(room < wanted)) {
        enum peal_status status = peal_spsc_producer_look(producer);
        if (status != PEAL_OK) {
            *granted = 0;
            return status;
        }
        room = producer->limit - producer->tail;
    }
    *granted = peal_spsc_min(room, wanted);
    return room == 0 && wanted > 0 ? PEAL_FULL : PEAL_OK;
}

/*
 * A span of up to `wanted` free elements, cut at the end of the ring. Writing into it shows nothing
 * to the consumer before commit. A later reserve replaces an uncommitted one.
 */
static inline enum peal_status peal_spsc_producer_reserve(struct peal_spsc_producer *producer,
                                                          size_t wanted, void **span,
                                                          size_t *granted)
{
    uint64_t tail = producer->tail;
    uint64_t capacity = producer->capacity;
    wanted = peal_spsc_min(capacity - (tail & (capacity - 1)), wanted);
    enum peal_status status = peal_spsc_producer_room(producer, wanted, granted);
    producer->reserved_end = tail + *granted;
    *span = producer->elements + peal_spsc_offset(tail, capacity, producer->element_bytes);
    return status;
}

/* Publishes the first `count` elements of what is left of the reservation. PEAL_OK, PEAL_EINVAL. */
static inline enum peal_status peal_spsc_producer_commit(struct peal_spsc_producer *producer,
                                                         size_t count)
{
    uint64_t left = producer->reserved_end - producer->tail;
    /* More than the capacity is left only if pushes have overtaken the reservation. */
    if (PEAL_UNLIKELY(count > left || left > producer->capacity))
        return PEAL_EINVAL;
    peal_spsc_producer_publish(producer, producer->tail + count);
    return PEAL_OK;
}

/* Copies in as many of `count` as there is room for, published at once. PEAL_FULL when none. */
static inline enum peal_status peal_spsc_producer_push_batch(struct peal_spsc_producer *producer,
                                                             const void *elements, size_t count,
                                                             size_t *pushed)
{
    enum peal_status status = peal_spsc_producer_room(producer, count, pushed);
    if (status != PEAL_OK || *pushed == 0)
        return status;
    uint64_t tail = producer->tail;
    uint64_t capacity = producer->capacity;
    size_t element_bytes = producer->element_bytes;
    size_t first = peal_spsc_min(capacity - (tail & (capacity - 1)), *pushed);
    memcpy(producer->elements + peal_spsc_offset(tail, capacity, element_bytes), elements,
           first * element_bytes);
    if (first < *pushed)
        memcpy(producer->elements, (const unsigned char *)elements + first * element_bytes,
               (*pushed - first) * element_bytes);
    peal_spsc_producer_publish(producer, tail + *pushed);
    return PEAL_OK;
}

/* Stores `head`, so that the producer can see all the room there is. */
static inline void peal_spsc_consumer_give_back(struct peal_spsc_consumer *consumer)
{
    uint64_t head = consumer->head;
    consumer->given_back = head;
    /* SPSC-R2: our reads of the elements come before; pairs with SPSC-A2 and SPSC-A4 in
     * spsc.c:peal_spsc_producer_look() and _join() */
    peal_u64_store_release(&consumer->shared->consumer.head, head);
    PEAL_FAULT("spsc.given_back");
}

/* Moves the consumer's cursor, and gives the room back when enough has come together. */
static inline void peal_spsc_consumer_advance(struct peal_spsc_consumer *consumer, uint64_t head)
{
    consumer->head = head;
    if (PEAL_UNLIKELY(head - consumer->given_back >= consumer->give_back_step))
        peal_spsc_consumer_give_back(consumer);
}

/* Copies one element out; a leaf for 8 bytes, as push. PEAL_OK, PEAL_EMPTY, PEAL_ECORRUPT. */
static inline enum peal_status peal_spsc_consumer_pop(struct peal_spsc_consumer *consumer,
                                                      void *element)
{
    uint64_t head = consumer->head;
    if (PEAL_UNLIKELY(head == consumer->limit || consumer->element_bytes != 8))
        return peal_spsc_consumer_pop_any(consumer, element);
    memcpy(element, consumer->elements + peal_spsc_offset(head, consumer->capacity, 8), 8);
    peal_spsc_consumer_advance(consumer, head + 1);
    return PEAL_OK;
}

/* How many of `wanted` can be read now; looks at the peer only if it knows of fewer. */
static inline enum peal_status peal_spsc_consumer_unread(struct peal_spsc_consumer *consumer,
                                                         size_t wanted, size_t *granted)
{
    uint64_t unread = consumer->limit - consumer->head;
    if (PEAL_UNLIKELY(unread < wanted)) {
        enum peal_status status = peal_spsc_consumer_look(consumer);
        if (status != PEAL_OK) {
            *granted = 0;
            return status;
        }
        unread = consumer->limit - consumer->head;
    }
    *granted = peal_spsc_min(unread, wanted);
    return unread == 0 && wanted > 0 ? PEAL_EMPTY : PEAL_OK;
}

/* A span of up to `wanted` unread elements, cut at the end of the ring; valid until release. */
static inline enum peal_status peal_spsc_consumer_peek(struct peal_spsc_consumer *consumer,
                                                       size_t wanted, const void **span,
                                                       size_t *granted)
{
    uint64_t head = consumer->head;
    uint64_t capacity = consumer->capacity;
    wanted = peal_spsc_min(capacity - (head & (capacity - 1)), wanted);
    enum peal_status status = peal_spsc_consumer_unread(consumer, wanted, granted);
    consumer->peeked_end = head + *granted;
    const unsigned char *first =
        consumer->elements + peal_spsc_offset(head, capacity, consumer->element_bytes);
    if (*granted > 1)
        peal_cpu_fetch_span(first, *granted * consumer->element_bytes);
    *span = first;
    return status;
}

/* Takes the first `count` elements of what is left of the peek. PEAL_OK, PEAL_EINVAL. */
static inline enum peal_status peal_spsc_consumer_release(struct peal_spsc_consumer *consumer,
                                                          size_t count)
{
    uint64_t left = consumer->peeked_end - consumer->head;
    /* More than the capacity is left only if pops have overtaken the peek. */
    if (PEAL_UNLIKELY(count > left || left > consumer->capacity))
        return PEAL_EINVAL;
    peal_spsc_consumer_advance(consumer, consumer->head + count);
    return PEAL_OK;
}

/* Copies out as many of `count` as there are. PEAL_EMPTY when none. */
static inline enum peal_status peal_spsc_consumer_pop_batch(struct peal_spsc_consumer *consumer,
                                                            void *elements, size_t count,
                                                            size_t *popped)
{
    enum peal_status status = peal_spsc_consumer_unread(consumer, count, popped);
    if (status != PEAL_OK || *popped == 0)
        return status;
    uint64_t head = consumer->head;
    uint64_t capacity = consumer->capacity;
    size_t element_bytes = consumer->element_bytes;
    size_t first = peal_spsc_min(capacity - (head & (capacity - 1)), *popped);
    memcpy(elements, consumer->elements + peal_spsc_offset(head, capacity, element_bytes),
           first * element_bytes);
    if (first < *popped)
        memcpy((unsigned char *)elements + first * element_bytes, consumer->elements,
               (*popped - first) * element_bytes);
    peal_spsc_consumer_advance(consumer, head + *popped);
    return PEAL_OK;
}

#endif
