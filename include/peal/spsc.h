/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A ring from one producer to one consumer in memory of the caller's: the fastest way from here to
 * there when both sides poll.
 *
 * The memory may be shared by threads, processes or virtual machines; it is aligned to 128 bytes
 * and of at least peal_spsc_memsize() bytes. One party calls peal_spsc_init() once. Then one
 * producer and one consumer attach, in any order, and may come and go:
 *
 *      peal_spsc_memsize(sizeof(struct sample), 1024, &size_bytes);
 *      memory = mmap(NULL, size_bytes, ..., MAP_SHARED, fd, 0);
 *      peal_spsc_init(memory, size_bytes, sizeof(struct sample), 1024);
 *
 *      peal_spsc_producer_attach(&producer, memory, size_bytes, sizeof(struct sample));
 *      while (peal_spsc_push(producer, &sample) == PEAL_FULL)
 *          continue;
 *
 *      peal_spsc_consumer_attach(&consumer, memory, size_bytes, sizeof(struct sample));
 *      while (peal_spsc_pop(consumer, &sample) == PEAL_EMPTY)
 *          continue;
 *
 * Elements have one fixed size (1 byte to 1 MiB) and lie without gaps. None of the calls on the data
 * path blocks, allocates, locks or enters the system. Nobody is woken: poll, or ring a bell.
 *
 * Threads: each handle belongs to one thread at a time; producer and consumer need nothing of each
 * other. Two producers or two consumers on one ring at once spoil its data.
 *
 * Latency: made for throughput. After a short run of elements a consumer that has taken them all
 * pauses for some 0.2 us within the next call, so that the producer can run ahead. A ring that is
 * used for request and reply, one element at a time, does not see it.
 *
 * Visibility: what is pushed or committed is there for the consumer when the call returns. Room
 * comes back to the producer in portions: when the consumer has taken an eighth of the capacity, when
 * it finds the ring empty, or when it calls peal_spsc_give_back(). A consumer that stops taking
 * before the ring is empty, while the producer needs the last eighth of the room, calls it.
 *
 * Death: a producer may die anywhere; all that it pushed or committed is delivered, nothing else.
 * A consumer may die anywhere; its successor gets again what was not given back (at most what it
 * peeked plus an eighth of the capacity): at least once, nothing lost. peal_spsc_consumer_detach()
 * gives everything back. A successor attaches once the predecessor is known to be dead.
 *
 * Trust: whatever the other side writes into the memory, these calls stay inside it and return. An
 * impossible cursor gives PEAL_ECORRUPT, from then on whenever this handle has to look at the other
 * side again; attach anew after the ring was initialised anew. The bytes of an element are the other
 * side's word: it may even change them while you look at them in place. Copy, then judge.
 */
#ifndef PEAL_SPSC_H
#define PEAL_SPSC_H

#include <peal/export.h>
#include <peal/status.h>
#include <stddef.h>

PEAL_BEGIN_DECLS

struct peal_spsc_producer;
struct peal_spsc_consumer;

/*
 * The bytes that a ring of `capacity` elements of `element_bytes` needs: 384 + the elements, rounded
 * up to 128. `capacity`: a power of two up to 2^31; `element_bytes`: 1 to 2^20.
 * PEAL_EINVAL, with a message that names the next power of two or the limit. Thread-safe.
 */
PEAL_API enum peal_status peal_spsc_memsize(size_t element_bytes, size_t capacity,
                                            size_t *size_bytes);

/*
 * Makes an empty ring of `memory`, whatever it held. The caller keeps the memory. Nobody may be
 * attached; who attaches meanwhile to memory that was zero gets PEAL_AGAIN until it is done.
 * PEAL_EINVAL: geometry, alignment, or `size_bytes` too small.
 */
PEAL_API enum peal_status peal_spsc_init(void *memory, size_t size_bytes, size_t element_bytes,
                                         size_t capacity);

/*
 * Attaches to the ring in `memory`, going on where the predecessor's published cursor stands. The
 * memory stays the caller's and must outlive the handle; the handle is the caller's to detach.
 * On failure *producer or *consumer is NULL and a message is left: PEAL_EINVAL (alignment),
 * PEAL_AGAIN (not initialised yet), PEAL_EFORMAT (no ring, or another version), PEAL_EMISMATCH
 * (other element size, or more elements than `size_bytes` hold), PEAL_ECORRUPT, PEAL_ENOMEM.
 */
PEAL_API enum peal_status peal_spsc_producer_attach(struct peal_spsc_producer **producer,
                                                    void *memory, size_t size_bytes,
                                                    size_t element_bytes);
PEAL_API enum peal_status peal_spsc_consumer_attach(struct peal_spsc_consumer **consumer,
                                                    void *memory, size_t size_bytes,
                                                    size_t element_bytes);

/*
 * Frees the handle; NULL is allowed. The producer's uncommitted reservation is dropped; the consumer
 * gives its room back, what it peeked and did not release stays unread. Not the memory.
 */
PEAL_API void peal_spsc_producer_detach(struct peal_spsc_producer *producer);
PEAL_API void peal_spsc_consumer_detach(struct peal_spsc_consumer *consumer);

/* How many elements the ring holds, as validated at attach. */
PEAL_API size_t peal_spsc_producer_capacity(const struct peal_spsc_producer *producer);
PEAL_API size_t peal_spsc_consumer_capacity(const struct peal_spsc_consumer *consumer);

/* Copies one element in. PEAL_OK, PEAL_FULL, PEAL_ECORRUPT. */
PEAL_API enum peal_status peal_spsc_push(struct peal_spsc_producer *producer, const void *element);

/*
 * Copies in as many of `count` elements as there is room for and publishes them together; *pushed
 * tells how many. PEAL_OK (at least one, or `count` is 0), PEAL_FULL (none), PEAL_ECORRUPT (none).
 */
PEAL_API enum peal_status peal_spsc_push_batch(struct peal_spsc_producer *producer,
                                               const void *elements, size_t count, size_t *pushed);

/*
 * Lends up to `wanted` free elements in one piece: *span points into the ring, *granted tells how
 * many. Fewer than there is room for when the end of the ring cuts the piece; reserve again after
 * the commit. The consumer sees nothing of it before commit. A second reserve replaces the first.
 * PEAL_OK (at least one, or `wanted` is 0), PEAL_FULL, PEAL_ECORRUPT (both: *granted is 0).
 */
PEAL_API enum peal_status peal_spsc_reserve(struct peal_spsc_producer *producer, size_t wanted,
                                            void **span, size_t *granted);

/*
 * Publishes the first `count` elements of what is left of the reservation; the rest stays reserved.
 * PEAL_OK; PEAL_EINVAL, and nothing happens, if `count` is more than that.
 */
PEAL_API enum peal_status peal_spsc_commit(struct peal_spsc_producer *producer, size_t count);

/* Copies one element out. PEAL_OK, PEAL_EMPTY, PEAL_ECORRUPT. */
PEAL_API enum peal_status peal_spsc_pop(struct peal_spsc_consumer *consumer, void *element);

/*
 * Copies out as many as there are, up to `count`; *popped tells how many. PEAL_OK (at least one, or
 * `count` is 0), PEAL_EMPTY (none), PEAL_ECORRUPT (none).
 */
PEAL_API enum peal_status peal_spsc_pop_batch(struct peal_spsc_consumer *consumer, void *elements,
                                              size_t count, size_t *popped);

/*
 * Shows up to `wanted` unread elements in one piece: *span points into the ring and is the caller's
 * to read until it is released, *granted tells how many. Fewer than there are when the end of the
 * ring cuts the piece. A second peek replaces the first. PEAL_OK (at least one, or `wanted` is 0),
 * PEAL_EMPTY, PEAL_ECORRUPT (both: *granted is 0).
 */
PEAL_API enum peal_status peal_spsc_peek(struct peal_spsc_consumer *consumer, size_t wanted,
                                         const void **span, size_t *granted);

/*
 * Takes the first `count` elements of what is left of the peek out of the ring.
 * PEAL_OK; PEAL_EINVAL, and nothing happens, if `count` is more than that.
 */
PEAL_API enum peal_status peal_spsc_release(struct peal_spsc_consumer *consumer, size_t count);

/* Shows the producer all the room there is, now. */
PEAL_API void peal_spsc_give_back(struct peal_spsc_consumer *consumer);

PEAL_END_DECLS

#endif
