/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/abi/peer.h"
#include "tests/support/random.h"

#include <sched.h>
#include <sys/mman.h>
#include <sys/stat.h>

#define BATCH 16u
#define ELEMENT_BYTES_MAX 64u
#define SENDER 7u

/* The ring in the file behind a descriptor that was inherited from the test. */
struct mapping {
    void *memory;
    size_t size_bytes;
    size_t element_bytes;
};

static enum peal_status map_ring(struct mapping *ring, const uint64_t *argument)
{
    struct stat file;
    if (argument[1] > ELEMENT_BYTES_MAX || fstat((int)argument[0], &file) != 0)
        return PEAL_EINVAL;
    ring->element_bytes = (size_t)argument[1];
    ring->size_bytes = (size_t)file.st_size;
    ring->memory =
        mmap(NULL, ring->size_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, (int)argument[0], 0);
    return ring->memory == MAP_FAILED ? PEAL_ESYSTEM : PEAL_OK;
}

static void fill(unsigned char *elements, size_t element_bytes, uint64_t from, size_t count)
{
    for (size_t i = 0; i < count; i++)
        content_fill(elements + i * element_bytes, element_bytes, SENDER, from + i);
}

static bool are_right(const unsigned char *elements, size_t element_bytes, uint64_t from,
                      size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!content_is(elements + i * element_bytes, element_bytes, SENDER, from + i))
            return false;
    return true;
}

/* One call, of each kind in turn. */
static enum peal_status push_some(struct peal_spsc_producer *producer, size_t element_bytes,
                                  uint64_t from, size_t wanted, size_t *done)
{
    unsigned char buffer[BATCH * ELEMENT_BYTES_MAX];
    void *span = NULL;
    enum peal_status status;
    switch (from % 3) {
    case 0:
        fill(buffer, element_bytes, from, 1);
        status = peal_spsc_push(producer, buffer);
        *done = status == PEAL_OK;
        return status;
    case 1:
        fill(buffer, element_bytes, from, wanted);
        return peal_spsc_push_batch(producer, buffer, wanted, done);
    default:
        status = peal_spsc_reserve(producer, wanted, &span, done);
        if (status != PEAL_OK)
            return status;
        fill(span, element_bytes, from, *done);
        return peal_spsc_commit(producer, *done);
    }
}

static enum peal_status pop_some(struct peal_spsc_consumer *consumer, size_t element_bytes,
                                 uint64_t from, size_t wanted, size_t *done)
{
    unsigned char buffer[BATCH * ELEMENT_BYTES_MAX];
    const void *span = buffer;
    enum peal_status status;
    switch (from % 3) {
    case 0:
        status = peal_spsc_pop(consumer, buffer);
        *done = status == PEAL_OK;
        break;
    case 1:
        status = peal_spsc_pop_batch(consumer, buffer, wanted, done);
        break;
    default:
        status = peal_spsc_peek(consumer, wanted, &span, done);
    }
    if (!are_right(span, element_bytes, from, *done))
        return PEAL_ECORRUPT;
    return span != buffer && status == PEAL_OK ? peal_spsc_release(consumer, *done) : status;
}

/* Moves elements from..end-1 with one of the two handles. */
static enum peal_status move(struct peal_spsc_producer *producer,
                             struct peal_spsc_consumer *consumer, size_t element_bytes,
                             uint64_t from, uint64_t end)
{
    const uint64_t deadline_ns = peer_now_ns() + ABI_TIMEOUT_NS;
    enum peal_status status = PEAL_OK;
    while (from < end) {
        const size_t wanted = end - from < BATCH ? (size_t)(end - from) : BATCH;
        size_t done = 0;
        status = producer ? push_some(producer, element_bytes, from, wanted, &done)
                          : pop_some(consumer, element_bytes, from, wanted, &done);
        from += done;
        if (status == PEAL_FULL || status == PEAL_EMPTY) {
            if (peer_now_ns() > deadline_ns)
                return PEAL_TIMEDOUT;
            (void)sched_yield();
        } else if (status != PEAL_OK) {
            return status;
        }
    }
    return PEAL_OK;
}

static enum peal_status push(const struct mapping *ring, const uint64_t *argument)
{
    struct peal_spsc_producer *producer = NULL;
    enum peal_status status =
        peal_spsc_producer_attach(&producer, ring->memory, ring->size_bytes, ring->element_bytes);
    if (status == PEAL_OK)
        status = move(producer, NULL, ring->element_bytes, argument[2], argument[3]);
    peal_spsc_producer_detach(producer);
    return status;
}

static enum peal_status pop(const struct mapping *ring, const uint64_t *argument)
{
    struct peal_spsc_consumer *consumer = NULL;
    enum peal_status status =
        peal_spsc_consumer_attach(&consumer, ring->memory, ring->size_bytes, ring->element_bytes);
    if (status == PEAL_OK)
        status = move(NULL, consumer, ring->element_bytes, argument[2], argument[3]);
    peal_spsc_consumer_detach(consumer);
    return status;
}

bool peer_do_spsc(const struct abi_request *request, struct abi_answer *answer)
{
    const uint64_t *argument = request->argument;
    struct mapping ring;
    if (request->operation < ABI_SPSC_INIT || request->operation > ABI_SPSC_POP)
        return false;
    enum peal_status status = map_ring(&ring, argument);
    if (status == PEAL_OK) {
        if (request->operation == ABI_SPSC_INIT)
            status = peal_spsc_init(ring.memory, ring.size_bytes, ring.element_bytes,
                                    (size_t)argument[2]);
        else
            status =
                request->operation == ABI_SPSC_PUSH ? push(&ring, argument) : pop(&ring, argument);
        (void)munmap(ring.memory, ring.size_bytes);
    }
    answer->status = (uint64_t)status;
    return true;
}
