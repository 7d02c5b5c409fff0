/* SPDX-License-Identifier: Apache-2.0 */
#include "core/spsc.h"

#include "core/error.h"

#include <inttypes.h>

static uint64_t next_power_of_two(uint64_t value)
{
    uint64_t power = 1;
    while (power < value && power < PEAL_SPSC_CAPACITY_MAX)
        power *= 2;
    return power;
}

enum peal_status peal_spsc_layout(uint64_t element_bytes, uint64_t capacity, size_t *size_bytes)
{
    if (element_bytes == 0 || element_bytes > PEAL_SPSC_ELEMENT_BYTES_MAX)
        return peal_fail(PEAL_EINVAL,
                         "spsc elements of %" PRIu64 " bytes: choose 1 to %" PRIu32 " bytes",
                         element_bytes, PEAL_SPSC_ELEMENT_BYTES_MAX);
    if (capacity == 0 || capacity > PEAL_SPSC_CAPACITY_MAX)
        return peal_fail(PEAL_EINVAL,
                         "spsc capacity of %" PRIu64 " elements: choose 1 to %" PRIu64 " elements",
                         capacity, PEAL_SPSC_CAPACITY_MAX);
    if ((capacity & (capacity - 1)) != 0)
        return peal_fail(PEAL_EINVAL,
                         "spsc capacity of %" PRIu64 " elements is not a power of two; the next "
                         "one is %" PRIu64,
                         capacity, next_power_of_two(capacity));
    /* At most 2^20 * 2^31 + 384 + 127: cannot overflow 64 bits, but may overflow a size_t. */
    uint64_t bytes = sizeof(struct peal_spsc_shared) + element_bytes * capacity;
    bytes = (bytes + PEAL_WRITER_BYTES - 1) & ~(uint64_t)(PEAL_WRITER_BYTES - 1);
    if (bytes > PTRDIFF_MAX)
        return peal_fail(PEAL_EINVAL,
                         "a spsc ring of %" PRIu64 " elements of %" PRIu64 " bytes does not fit "
                         "into the address space of this program; choose a smaller capacity",
                         capacity, element_bytes);
    *size_bytes = (size_t)bytes;
    return PEAL_OK;
}

static enum peal_status check_memory(const void *memory)
{
    if (memory == NULL || ((uintptr_t)memory & (PEAL_WRITER_BYTES - 1)) != 0)
        return peal_fail(PEAL_EINVAL, "the memory of a spsc ring must be aligned to %u bytes",
                         PEAL_WRITER_BYTES);
    return PEAL_OK;
}

enum peal_status peal_spsc_format(void *memory, size_t size_bytes, uint64_t element_bytes,
                                  uint64_t capacity)
{
    size_t needed_bytes = 0;
    enum peal_status status = check_memory(memory);
    if (status == PEAL_OK)
        status = peal_spsc_layout(element_bytes, capacity, &needed_bytes);
    if (status != PEAL_OK)
        return status;
    if (size_bytes < needed_bytes)
        return peal_fail(PEAL_EINVAL,
                         "a spsc ring of %" PRIu64 " elements of %" PRIu64 " bytes needs %zu "
                         "bytes of memory, not %zu; ask peal_spsc_memsize()",
                         capacity, element_bytes, needed_bytes, size_bytes);
    struct peal_spsc_shared *shared = memory;
    /* relaxed: nobody joins beside us unless the memory was zero, and then the magic comes last */
    peal_u64_store_relaxed(&shared->initialiser.magic, 0);
    PEAL_FAULT("spsc.cleared");
    peal_u32_store_relaxed(&shared->initialiser.format_version, PEAL_SPSC_FORMAT_VERSION);
    peal_u32_store_relaxed(&shared->initialiser.element_bytes, (uint32_t)element_bytes);
    peal_u64_store_relaxed(&shared->initialiser.capacity, capacity);
    peal_u64_store_relaxed(&shared->producer.tail, 0);
    peal_u64_store_relaxed(&shared->consumer.head, 0);
    PEAL_FAULT("spsc.laid_out");
    /* SPSC-R3: the header and both cursors; pairs with SPSC-A3 in read_header() */
    peal_u64_store_release(&shared->initialiser.magic, PEAL_SPSC_MAGIC);
    PEAL_FAULT("spsc.ready");
    return PEAL_OK;
}

/* Each word of the header read once; nobody consults them again. */
struct header {
    uint32_t format_version;
    uint32_t element_bytes;
    uint64_t capacity;
};

static enum peal_status read_header(const struct peal_spsc_shared *shared, struct header *header)
{
    /* SPSC-A3: the header and both cursors; pairs with SPSC-R3 in peal_spsc_format() */
    uint64_t magic = peal_u64_load_acquire(&shared->initialiser.magic);
    if (magic == 0)
        return peal_fail(PEAL_AGAIN, "the spsc ring is not there yet; call peal_spsc_init() on its "
                                     "memory once, or attach again later");
    /* relaxed: the acquire above orders them after the magic */
    header->format_version = peal_u32_load_relaxed(&shared->initialiser.format_version);
    header->element_bytes = peal_u32_load_relaxed(&shared->initialiser.element_bytes);
    header->capacity = peal_u64_load_relaxed(&shared->initialiser.capacity);
    if (magic != PEAL_SPSC_MAGIC)
        return peal_fail(PEAL_EFORMAT,
                         "this memory does not hold a spsc ring; call peal_spsc_init() on it "
                         "first, or check the offset");
    if (header->format_version != PEAL_SPSC_FORMAT_VERSION)
        return peal_fail(PEAL_EFORMAT,
                         "the spsc ring has format version %" PRIu32 ", this program knows %u; "
                         "update the older program",
                         header->format_version, PEAL_SPSC_FORMAT_VERSION);
    return PEAL_OK;
}

static enum peal_status join(struct peal_spsc_shared *shared, size_t size_bytes,
                             uint64_t element_bytes, uint64_t *capacity)
{
    enum peal_status status = check_memory(shared);
    if (status != PEAL_OK)
        return status;
    if (size_bytes < sizeof(*shared))
        return peal_fail(PEAL_EMISMATCH, "%zu bytes are too few for any spsc ring", size_bytes);
    struct header header = {0};
    status = read_header(shared, &header);
    if (status != PEAL_OK)
        return status;
    if (header.element_bytes != element_bytes)
        return peal_fail(PEAL_EMISMATCH,
                         "the spsc ring has elements of %" PRIu32 " bytes, this program expects "
                         "%" PRIu64 "; both sides must use one element type",
                         header.element_bytes, element_bytes);
    size_t needed_bytes = 0;
    if (peal_spsc_layout(header.element_bytes, header.capacity, &needed_bytes) != PEAL_OK)
        return peal_fail_context(PEAL_EMISMATCH, "the header of the spsc ring is wrong");
    if (needed_bytes > size_bytes)
        return peal_fail(PEAL_EMISMATCH,
                         "the spsc ring claims %" PRIu64 " elements of %" PRIu64 " bytes, which "
                         "need %zu bytes, but its memory has %zu; map all of it",
                         header.capacity, element_bytes, needed_bytes, size_bytes);
    *capacity = header.capacity;
    return PEAL_OK;
}

static enum peal_status cursors_contradict(uint64_t tail, uint64_t head)
{
    return peal_fail(PEAL_ECORRUPT,
                     "the cursors of the spsc ring contradict each other (tail %" PRIu64
                     ", head %" PRIu64 "); initialise it again",
                     tail, head);
}

enum peal_status peal_spsc_producer_join(struct peal_spsc_producer *producer, void *memory,
                                         size_t size_bytes, uint64_t element_bytes)
{
    struct peal_spsc_shared *shared = memory;
    uint64_t capacity = 0;
    enum peal_status status = join(shared, size_bytes, element_bytes, &capacity);
    if (status != PEAL_OK)
        return status;
    /* relaxed: its only writer was our predecessor, and whoever knows it dead knows its stores */
    uint64_t tail = peal_u64_load_relaxed(&shared->producer.tail);
    /* SPSC-A4: what the consumer has read may be overwritten; pairs with SPSC-R2 in
     * spsc.h:peal_spsc_consumer_give_back() */
    uint64_t head = peal_u64_load_acquire(&shared->consumer.head);
    if (tail - head > capacity)
        return cursors_contradict(tail, head);
    *producer = (struct peal_spsc_producer){
        .tail = tail,
        .limit = head + capacity,
        .reserved_end = tail,
        .capacity = capacity,
        .elements = (unsigned char *)memory + sizeof(*shared),
        .element_bytes = (size_t)element_bytes,
        .shared = shared,
    };
    return PEAL_OK;
}

enum peal_status peal_spsc_consumer_join(struct peal_spsc_consumer *consumer, void *memory,
                                         size_t size_bytes, uint64_t element_bytes)
{
    struct peal_spsc_shared *shared = memory;
    uint64_t capacity = 0;
    enum peal_status status = join(shared, size_bytes, element_bytes, &capacity);
    if (status != PEAL_OK)
        return status;
    /* relaxed: its only writer was our predecessor, and whoever knows it dead knows its stores */
    uint64_t head = peal_u64_load_relaxed(&shared->consumer.head);
    /* SPSC-A5: the elements before the cursor; pairs with SPSC-R1 in
     * spsc.h:peal_spsc_producer_publish() */
    uint64_t tail = peal_u64_load_acquire(&shared->producer.tail);
    if (tail - head > capacity)
        return cursors_contradict(tail, head);
    uint64_t step = capacity / PEAL_SPSC_GIVE_BACK_SHARE;
    *consumer = (struct peal_spsc_consumer){
        .head = head,
        .limit = tail,
        .given_back = head,
        .give_back_step = step == 0 ? 1 : step,
        .short_run = peal_spsc_min(capacity / 2, PEAL_SPSC_SHORT_RUN),
        .peeked_end = head,
        .capacity = capacity,
        .elements = (unsigned char *)memory + sizeof(*shared),
        .element_bytes = (size_t)element_bytes,
        .shared = shared,
    };
    return PEAL_OK;
}

enum peal_status peal_spsc_producer_look(struct peal_spsc_producer *producer)
{
    if (producer->corrupt)
        return PEAL_ECORRUPT;
    /* SPSC-A2: what the consumer has read may be overwritten; pairs with SPSC-R2 in
     * spsc.h:peal_spsc_consumer_give_back() */
    uint64_t head = peal_u64_load_acquire(&producer->shared->consumer.head);
    uint64_t advance = head + producer->capacity - producer->limit;
    uint64_t unread_known = producer->tail + producer->capacity - producer->limit;
    /* Forward only, and not past what was published. Everything modulo 2^64. */
    if (PEAL_UNLIKELY(advance > unread_known)) {
        producer->corrupt = true;
        producer->limit = producer->tail;
        return PEAL_ECORRUPT;
    }
    producer->limit += advance;
    return PEAL_OK;
}

/* Lets the producer run ahead before its cursor's line is taken away: see "How it is fast". */
static void pace(struct peal_spsc_consumer *consumer)
{
    /* The producer may be waiting for the room that we still hold. */
    if (consumer->given_back != consumer->head)
        peal_spsc_consumer_give_back(consumer);
    for (unsigned hint = 0; hint < PEAL_SPSC_PACE_HINTS; hint++)
        peal_cpu_relax();
}

enum peal_status peal_spsc_consumer_look(struct peal_spsc_consumer *consumer)
{
    if (consumer->corrupt)
        return PEAL_ECORRUPT;
    if (consumer->found > 1 && consumer->found < consumer->short_run &&
        consumer->head == consumer->limit)
        pace(consumer);
    /* SPSC-A1: the elements before the cursor; pairs with SPSC-R1 in
     * spsc.h:peal_spsc_producer_publish() */
    uint64_t tail = peal_u64_load_acquire(&consumer->shared->producer.tail);
    uint64_t advance = tail - consumer->limit;
    /* Forward only, and not farther than the room that the consumer has given back. */
    if (PEAL_UNLIKELY(advance > consumer->given_back + consumer->capacity - consumer->limit)) {
        consumer->corrupt = true;
        consumer->limit = consumer->head;
        return PEAL_ECORRUPT;
    }
    consumer->limit = tail;
    consumer->found = advance;
    /* Empty: as in pace(). */
    if (tail == consumer->head && consumer->given_back != consumer->head)
        peal_spsc_consumer_give_back(consumer);
    return PEAL_OK;
}

/* The usual sizes become a few moves; a memcpy of unknown size is a call of some nanoseconds. */
static void copy_one(void *to, const void *from, size_t element_bytes)
{
    switch (element_bytes) {
    case 4:
        memcpy(to, from, 4);
        return;
    case 8:
        memcpy(to, from, 8);
        return;
    case 16:
        memcpy(to, from, 16);
        return;
    case 32:
        memcpy(to, from, 32);
        return;
    case 64:
        memcpy(to, from, 64);
        return;
    default:
        memcpy(to, from, element_bytes);
    }
}

enum peal_status peal_spsc_producer_push_any(struct peal_spsc_producer *producer,
                                             const void *element)
{
    uint64_t tail = producer->tail;
    if (tail == producer->limit) {
        enum peal_status status = peal_spsc_producer_look(producer);
        if (status != PEAL_OK)
            return status;
        if (tail == producer->limit)
            return PEAL_FULL;
    }
    size_t element_bytes = producer->element_bytes;
    copy_one(producer->elements + peal_spsc_offset(tail, producer->capacity, element_bytes),
             element, element_bytes);
    peal_spsc_producer_publish(producer, tail + 1);
    return PEAL_OK;
}

enum peal_status peal_spsc_consumer_pop_any(struct peal_spsc_consumer *consumer, void *element)
{
    uint64_t head = consumer->head;
    if (head == consumer->limit) {
        enum peal_status status = peal_spsc_consumer_look(consumer);
        if (status != PEAL_OK)
            return status;
        if (head == consumer->limit)
            return PEAL_EMPTY;
    }
    size_t element_bytes = consumer->element_bytes;
    copy_one(element,
             consumer->elements + peal_spsc_offset(head, consumer->capacity, element_bytes),
             element_bytes);
    peal_spsc_consumer_advance(consumer, head + 1);
    return PEAL_OK;
}
