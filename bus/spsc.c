/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The public face of the spsc ring: handles on the heap, everything else in core/spsc.h.
 */
#include "core/spsc.h"

#include "core/error.h"

#include <peal/spsc.h>
#include <stdlib.h>

/* Handles of different threads in one process do not share a line. */
static void *allocate_handle(size_t handle_bytes)
{
    size_t rounded_bytes =
        (handle_bytes + PEAL_WRITER_BYTES - 1) & ~(size_t)(PEAL_WRITER_BYTES - 1);
    return aligned_alloc(PEAL_WRITER_BYTES, rounded_bytes);
}

enum peal_status peal_spsc_memsize(size_t element_bytes, size_t capacity, size_t *size_bytes)
{
    return peal_spsc_layout(element_bytes, capacity, size_bytes);
}

enum peal_status peal_spsc_init(void *memory, size_t size_bytes, size_t element_bytes,
                                size_t capacity)
{
    return peal_spsc_format(memory, size_bytes, element_bytes, capacity);
}

enum peal_status peal_spsc_producer_attach(struct peal_spsc_producer **producer, void *memory,
                                           size_t size_bytes, size_t element_bytes)
{
    *producer = NULL;
    struct peal_spsc_producer joined;
    enum peal_status status = peal_spsc_producer_join(&joined, memory, size_bytes, element_bytes);
    if (status != PEAL_OK)
        return status;
    struct peal_spsc_producer *handle = allocate_handle(sizeof(*handle));
    if (handle == NULL)
        return peal_fail(PEAL_ENOMEM, "no memory for the handle of a spsc producer");
    *handle = joined;
    *producer = handle;
    return PEAL_OK;
}

enum peal_status peal_spsc_consumer_attach(struct peal_spsc_consumer **consumer, void *memory,
                                           size_t size_bytes, size_t element_bytes)
{
    *consumer = NULL;
    struct peal_spsc_consumer joined;
    enum peal_status status = peal_spsc_consumer_join(&joined, memory, size_bytes, element_bytes);
    if (status != PEAL_OK)
        return status;
    struct peal_spsc_consumer *handle = allocate_handle(sizeof(*handle));
    if (handle == NULL)
        return peal_fail(PEAL_ENOMEM, "no memory for the handle of a spsc consumer");
    *handle = joined;
    *consumer = handle;
    return PEAL_OK;
}

void peal_spsc_producer_detach(struct peal_spsc_producer *producer)
{
    free(producer);
}

void peal_spsc_consumer_detach(struct peal_spsc_consumer *consumer)
{
    if (consumer != NULL)
        peal_spsc_consumer_give_back(consumer);
    free(consumer);
}

size_t peal_spsc_producer_capacity(const struct peal_spsc_producer *producer)
{
    return (size_t)producer->capacity;
}

size_t peal_spsc_consumer_capacity(const struct peal_spsc_consumer *consumer)
{
    return (size_t)consumer->capacity;
}

enum peal_status peal_spsc_push(struct peal_spsc_producer *producer, const void *element)
{
    return peal_spsc_producer_push(producer, element);
}

enum peal_status peal_spsc_push_batch(struct peal_spsc_producer *producer, const void *elements,
                                      size_t count, size_t *pushed)
{
    return peal_spsc_producer_push_batch(producer, elements, count, pushed);
}

enum peal_status peal_spsc_reserve(struct peal_spsc_producer *producer, size_t wanted, void **span,
                                   size_t *granted)
{
    return peal_spsc_producer_reserve(producer, wanted, span, granted);
}

enum peal_status peal_spsc_commit(struct peal_spsc_producer *producer, size_t count)
{
    return peal_spsc_producer_commit(producer, count);
}

enum peal_status peal_spsc_pop(struct peal_spsc_consumer *consumer, void *element)
{
    return peal_spsc_consumer_pop(consumer, element);
}

enum peal_status peal_spsc_pop_batch(struct peal_spsc_consumer *consumer, void *elements,
                                     size_t count, size_t *popped)
{
    return peal_spsc_consumer_pop_batch(consumer, elements, count, popped);
}

enum peal_status peal_spsc_peek(struct peal_spsc_consumer *consumer, size_t wanted,
                                const void **span, size_t *granted)
{
    return peal_spsc_consumer_peek(consumer, wanted, span, granted);
}

enum peal_status peal_spsc_release(struct peal_spsc_consumer *consumer, size_t count)
{
    return peal_spsc_consumer_release(consumer, count);
}

void peal_spsc_give_back(struct peal_spsc_consumer *consumer)
{
    peal_spsc_consumer_give_back(consumer);
}
