/* SPDX-License-Identifier: Apache-2.0 */
#include "core/spsc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

/* A ring in memory of exactly the size it asked for, so that AddressSanitizer guards its ends. */
struct ring {
    void *memory;
    size_t size_bytes;
    struct peal_spsc_shared *shared;
    struct peal_spsc_producer producer;
    struct peal_spsc_consumer consumer;
};

static void join_both(struct ring *ring, uint64_t element_bytes)
{
    assert_int_equal(
        peal_spsc_producer_join(&ring->producer, ring->memory, ring->size_bytes, element_bytes),
        PEAL_OK);
    assert_int_equal(
        peal_spsc_consumer_join(&ring->consumer, ring->memory, ring->size_bytes, element_bytes),
        PEAL_OK);
}

static void ring_open(struct ring *ring, uint64_t element_bytes, uint64_t capacity)
{
    assert_int_equal(peal_spsc_layout(element_bytes, capacity, &ring->size_bytes), PEAL_OK);
    ring->memory = aligned_alloc(PEAL_WRITER_BYTES, ring->size_bytes);
    assert_non_null(ring->memory);
    memset(ring->memory, 0xa5, ring->size_bytes);
    assert_int_equal(peal_spsc_format(ring->memory, ring->size_bytes, element_bytes, capacity),
                     PEAL_OK);
    ring->shared = ring->memory;
    join_both(ring, element_bytes);
}

static void ring_close(struct ring *ring)
{
    free(ring->memory);
}

static uint64_t random_next(uint64_t *seed)
{
    *seed = *seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    uint64_t mixed = *seed ^ (*seed >> 33);
    return mixed * UINT64_C(0xff51afd7ed558ccd) >> 16;
}

/* The content of element `number`: each byte depends on its number and place. */
static void fill(unsigned char *element, uint64_t number, size_t element_bytes)
{
    for (size_t i = 0; i < element_bytes; i++)
        element[i] = (unsigned char)((number * 2654435761u + i * 97u) >> (8 * (i % 4)));
}

static void assert_element(const unsigned char *element, uint64_t number, size_t element_bytes)
{
    for (size_t i = 0; i < element_bytes; i++) {
        unsigned char wanted = (unsigned char)((number * 2654435761u + i * 97u) >> (8 * (i % 4)));
        assert_int_equal(element[i], wanted);
    }
}

static void a_geometry_that_cannot_be_is_refused_with_advice(void **state)
{
    (void)state;
    size_t size_bytes = 0;
    assert_int_equal(peal_spsc_layout(8, 1000, &size_bytes), PEAL_EINVAL);
    assert_non_null(strstr(peal_error_message(), "1024"));
    assert_int_equal(peal_spsc_layout(8, 3, &size_bytes), PEAL_EINVAL);
    assert_non_null(strstr(peal_error_message(), "one is 4"));
    assert_int_equal(peal_spsc_layout(8, 0, &size_bytes), PEAL_EINVAL);
    assert_int_equal(peal_spsc_layout(0, 8, &size_bytes), PEAL_EINVAL);
    assert_int_equal(peal_spsc_layout(PEAL_SPSC_ELEMENT_BYTES_MAX + 1, 8, &size_bytes),
                     PEAL_EINVAL);
    assert_int_equal(peal_spsc_layout(8, PEAL_SPSC_CAPACITY_MAX * 2, &size_bytes), PEAL_EINVAL);
    assert_int_equal(peal_spsc_layout(8, UINT64_C(1) << 63, &size_bytes), PEAL_EINVAL);
    assert_int_equal(peal_spsc_layout(UINT64_MAX, UINT64_MAX, &size_bytes), PEAL_EINVAL);
    if (sizeof(size_t) == 4)
        assert_int_equal(peal_spsc_layout(1024, UINT64_C(1) << 22, &size_bytes), PEAL_EINVAL);
    assert_int_equal(peal_spsc_layout(1, 1, &size_bytes), PEAL_OK);
    assert_int_equal(size_bytes, 512);
    assert_int_equal(peal_spsc_layout(8, 16, &size_bytes), PEAL_OK);
    assert_int_equal(size_bytes, 512);
    assert_int_equal(peal_spsc_layout(100, 64, &size_bytes), PEAL_OK);
    assert_int_equal(size_bytes, 384 + 6400);
}

static void memory_that_is_too_small_or_misaligned_is_refused(void **state)
{
    (void)state;
    struct ring ring;
    ring_open(&ring, 8, 64);
    assert_int_equal(peal_spsc_format(ring.memory, ring.size_bytes - 1, 8, 64), PEAL_EINVAL);
    assert_int_equal(peal_spsc_format((char *)ring.memory + 64, ring.size_bytes - 64, 8, 1),
                     PEAL_EINVAL);
    assert_int_equal(peal_spsc_format(NULL, ring.size_bytes, 8, 64), PEAL_EINVAL);
    struct peal_spsc_producer producer;
    assert_int_equal(peal_spsc_producer_join(&producer, NULL, 4096, 8), PEAL_EINVAL);
    assert_int_equal(peal_spsc_producer_join(&producer, (char *)ring.memory + 8, 512, 8),
                     PEAL_EINVAL);
    assert_int_equal(peal_spsc_producer_join(&producer, ring.memory, 383, 8), PEAL_EMISMATCH);
    assert_int_equal(peal_spsc_producer_join(&producer, ring.memory, ring.size_bytes - 1, 8),
                     PEAL_EMISMATCH);
    ring_close(&ring);
}

static void a_ring_holds_its_capacity_and_not_one_more(void **state)
{
    (void)state;
    for (uint64_t capacity = 1; capacity <= 64; capacity *= 2) {
        struct ring ring;
        ring_open(&ring, 8, capacity);
        uint64_t value = 0;
        assert_int_equal(peal_spsc_consumer_pop(&ring.consumer, &value), PEAL_EMPTY);
        for (value = 0; value < capacity; value++)
            assert_int_equal(peal_spsc_producer_push(&ring.producer, &value), PEAL_OK);
        assert_int_equal(peal_spsc_producer_push(&ring.producer, &value), PEAL_FULL);
        for (uint64_t wanted = 0; wanted < capacity; wanted++) {
            assert_int_equal(peal_spsc_consumer_pop(&ring.consumer, &value), PEAL_OK);
            assert_int_equal(value, wanted);
        }
        assert_int_equal(peal_spsc_consumer_pop(&ring.consumer, &value), PEAL_EMPTY);
        assert_int_equal(peal_spsc_producer_push(&ring.producer, &value), PEAL_OK);
        ring_close(&ring);
    }
}

static size_t produce_some(struct ring *ring, uint64_t *seed, uint64_t number, size_t room)
{
    size_t element_bytes = ring->producer.element_bytes;
    size_t wanted = (size_t)(random_next(seed) % (ring->producer.capacity + 3));
    size_t done = 0;
    unsigned char *buffer = malloc((wanted + 1) * element_bytes);
    assert_non_null(buffer);
    for (size_t i = 0; i <= wanted; i++)
        fill(buffer + i * element_bytes, number + i, element_bytes);
    void *span = NULL;
    enum peal_status status;
    switch (random_next(seed) % 3) {
    case 0:
        status = peal_spsc_producer_push(&ring->producer, buffer);
        done = status == PEAL_OK;
        break;
    case 1:
        status = peal_spsc_producer_push_batch(&ring->producer, buffer, wanted, &done);
        assert_int_equal(status, done == 0 && wanted != 0 ? PEAL_FULL : PEAL_OK);
        break;
    default:
        status = peal_spsc_producer_reserve(&ring->producer, wanted, &span, &done);
        assert_int_equal(status, done == 0 && wanted != 0 ? PEAL_FULL : PEAL_OK);
        memcpy(span, buffer, done * element_bytes);
        assert_int_equal(peal_spsc_producer_commit(&ring->producer, done + 1), PEAL_EINVAL);
        assert_int_equal(peal_spsc_producer_commit(&ring->producer, done / 2), PEAL_OK);
        assert_int_equal(peal_spsc_producer_commit(&ring->producer, done - done / 2), PEAL_OK);
    }
    free(buffer);
    assert_true(done <= room);
    return done;
}

static size_t consume_some(struct ring *ring, uint64_t *seed, uint64_t number, size_t unread)
{
    size_t element_bytes = ring->consumer.element_bytes;
    size_t wanted = (size_t)(random_next(seed) % (ring->consumer.capacity + 3));
    size_t done = 0;
    unsigned char *buffer = malloc((wanted + 1) * element_bytes);
    assert_non_null(buffer);
    const void *span = buffer;
    enum peal_status status;
    switch (random_next(seed) % 3) {
    case 0:
        status = peal_spsc_consumer_pop(&ring->consumer, buffer);
        assert_int_equal(status, unread == 0 ? PEAL_EMPTY : PEAL_OK);
        done = status == PEAL_OK;
        break;
    case 1:
        /* All that was published is visible at once, whatever the wrap. */
        (void)peal_spsc_consumer_pop_batch(&ring->consumer, buffer, wanted, &done);
        assert_int_equal(done, wanted < unread ? wanted : unread);
        break;
    default:
        (void)peal_spsc_consumer_peek(&ring->consumer, wanted, &span, &done);
        assert_int_equal(peal_spsc_consumer_release(&ring->consumer, done + 1), PEAL_EINVAL);
    }
    for (size_t i = 0; i < done; i++)
        assert_element((const unsigned char *)span + i * element_bytes, number + i, element_bytes);
    if (span != buffer) {
        assert_int_equal(peal_spsc_consumer_release(&ring->consumer, done / 2), PEAL_OK);
        assert_int_equal(peal_spsc_consumer_release(&ring->consumer, done - done / 2), PEAL_OK);
    }
    free(buffer);
    return done;
}

static void any_mix_of_calls_delivers_every_element_once_in_order(void **state)
{
    (void)state;
    static const uint64_t sizes[] = {1, 2, 3, 4, 7, 8, 12, 16, 24, 32, 64, 100, 1000};
    uint64_t seed = 20240611;
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        for (uint64_t capacity = 1; capacity <= 128; capacity *= 2) {
            struct ring ring;
            ring_open(&ring, sizes[i], capacity);
            uint64_t pushed = 0;
            uint64_t popped = 0;
            for (int step = 0; step < 600; step++) {
                size_t unread = (size_t)(pushed - popped);
                if (random_next(&seed) % 2)
                    pushed += produce_some(&ring, &seed, pushed, (size_t)capacity - unread);
                else
                    popped += consume_some(&ring, &seed, popped, unread);
            }
            assert_true(popped > 100);
            ring_close(&ring);
        }
    }
}

static void a_span_is_cut_at_the_end_of_the_ring_and_goes_on_at_its_start(void **state)
{
    (void)state;
    struct ring ring;
    ring_open(&ring, 4, 8);
    uint32_t values[8] = {0};
    size_t done = 0;
    assert_int_equal(peal_spsc_producer_push_batch(&ring.producer, values, 6, &done), PEAL_OK);
    assert_int_equal(peal_spsc_consumer_pop_batch(&ring.consumer, values, 6, &done), PEAL_OK);
    assert_int_equal(peal_spsc_consumer_pop(&ring.consumer, values), PEAL_EMPTY);
    void *span = NULL;
    unsigned char *elements = (unsigned char *)ring.memory + sizeof(struct peal_spsc_shared);
    assert_int_equal(peal_spsc_producer_reserve(&ring.producer, 8, &span, &done), PEAL_OK);
    assert_int_equal(done, 2);
    assert_ptr_equal(span, elements + 6 * 4);
    assert_int_equal(peal_spsc_producer_commit(&ring.producer, 2), PEAL_OK);
    assert_int_equal(peal_spsc_producer_reserve(&ring.producer, 8, &span, &done), PEAL_OK);
    assert_int_equal(done, 6);
    assert_ptr_equal(span, elements);
    ring_close(&ring);
}

static void a_commit_or_release_beyond_the_span_changes_nothing(void **state)
{
    (void)state;
    struct ring ring;
    ring_open(&ring, 8, 16);
    uint64_t value = 7;
    assert_int_equal(peal_spsc_producer_commit(&ring.producer, 1), PEAL_EINVAL);
    void *span = NULL;
    size_t granted = 0;
    assert_int_equal(peal_spsc_producer_reserve(&ring.producer, 2, &span, &granted), PEAL_OK);
    for (int i = 0; i < 3; i++)
        assert_int_equal(peal_spsc_producer_push(&ring.producer, &value), PEAL_OK);
    /* The pushes have run over the reservation; it is gone. */
    assert_int_equal(peal_spsc_producer_commit(&ring.producer, 1), PEAL_EINVAL);
    assert_int_equal(peal_spsc_producer_commit(&ring.producer, SIZE_MAX), PEAL_EINVAL);
    const void *unread = NULL;
    assert_int_equal(peal_spsc_consumer_release(&ring.consumer, 1), PEAL_EINVAL);
    assert_int_equal(peal_spsc_consumer_peek(&ring.consumer, 9, &unread, &granted), PEAL_OK);
    assert_int_equal(granted, 3);
    assert_int_equal(peal_spsc_consumer_release(&ring.consumer, 4), PEAL_EINVAL);
    assert_int_equal(peal_spsc_consumer_release(&ring.consumer, SIZE_MAX), PEAL_EINVAL);
    assert_int_equal(peal_spsc_consumer_release(&ring.consumer, 3), PEAL_OK);
    assert_int_equal(peal_spsc_consumer_peek(&ring.consumer, 9, &unread, &granted), PEAL_EMPTY);
    assert_int_equal(granted, 0);
    ring_close(&ring);
}

static void nothing_is_visible_before_commit(void **state)
{
    (void)state;
    struct ring ring;
    ring_open(&ring, 8, 16);
    void *span = NULL;
    size_t granted = 0;
    uint64_t value = 0;
    assert_int_equal(peal_spsc_producer_reserve(&ring.producer, 4, &span, &granted), PEAL_OK);
    memset(span, 1, granted * 8);
    assert_int_equal(peal_spsc_consumer_pop(&ring.consumer, &value), PEAL_EMPTY);
    assert_int_equal(peal_spsc_producer_commit(&ring.producer, 1), PEAL_OK);
    assert_int_equal(peal_spsc_consumer_pop(&ring.consumer, &value), PEAL_OK);
    assert_int_equal(peal_spsc_consumer_pop(&ring.consumer, &value), PEAL_EMPTY);
    ring_close(&ring);
}

static size_t room_seen(struct ring *ring)
{
    size_t room = 0;
    (void)peal_spsc_producer_room(&ring->producer, (size_t)ring->producer.capacity, &room);
    return room;
}

static void room_comes_back_in_eighths_when_empty_and_on_demand(void **state)
{
    (void)state;
    struct ring ring;
    ring_open(&ring, 8, 64);
    uint64_t values[64] = {0};
    size_t done = 0;
    assert_int_equal(peal_spsc_producer_push_batch(&ring.producer, values, 64, &done), PEAL_OK);
    assert_int_equal(peal_spsc_consumer_pop_batch(&ring.consumer, values, 7, &done), PEAL_OK);
    assert_int_equal(room_seen(&ring), 0);
    assert_int_equal(peal_spsc_consumer_pop(&ring.consumer, values), PEAL_OK);
    assert_int_equal(room_seen(&ring), 8);
    assert_int_equal(peal_spsc_consumer_pop(&ring.consumer, values), PEAL_OK);
    assert_int_equal(room_seen(&ring), 8);
    peal_spsc_consumer_give_back(&ring.consumer);
    assert_int_equal(room_seen(&ring), 9);
    assert_int_equal(peal_spsc_consumer_pop_batch(&ring.consumer, values, 51, &done), PEAL_OK);
    assert_int_equal(peal_spsc_consumer_pop_batch(&ring.consumer, values, 4, &done), PEAL_OK);
    assert_int_equal(done, 4);
    assert_int_equal(room_seen(&ring), 60);
    assert_int_equal(peal_spsc_consumer_pop(&ring.consumer, values), PEAL_EMPTY);
    assert_int_equal(room_seen(&ring), 64);
    ring_close(&ring);
}

/* From a full ring, taking on makes room before the ring is empty, at every place and capacity. */
static void a_full_producer_gets_room_while_the_consumer_takes(void **state)
{
    (void)state;
    for (uint64_t capacity = 1; capacity <= 256; capacity *= 2) {
        for (uint64_t shift = 0; shift < capacity; shift++) {
            struct ring ring;
            ring_open(&ring, 8, capacity);
            uint64_t value = 0;
            for (uint64_t i = 0; i < shift; i++) {
                assert_int_equal(peal_spsc_producer_push(&ring.producer, &value), PEAL_OK);
                assert_int_equal(peal_spsc_consumer_pop(&ring.consumer, &value), PEAL_OK);
            }
            while (peal_spsc_producer_push(&ring.producer, &value) == PEAL_OK)
                continue;
            uint64_t taken = 0;
            while (room_seen(&ring) == 0) {
                assert_int_equal(peal_spsc_consumer_pop(&ring.consumer, &value), PEAL_OK);
                taken++;
            }
            assert_true(taken <= (capacity < 8 ? 1 : capacity / 8));
            ring_close(&ring);
        }
    }
}

static void cursors_run_through_the_end_of_64_bits(void **state)
{
    (void)state;
    struct ring ring;
    ring_open(&ring, 8, 8);
    peal_u64_store_relaxed(&ring.shared->producer.tail, UINT64_MAX - 4);
    peal_u64_store_relaxed(&ring.shared->consumer.head, UINT64_MAX - 4);
    join_both(&ring, 8);
    uint64_t seed = 5;
    uint64_t pushed = 0;
    uint64_t popped = 0;
    for (int step = 0; step < 200; step++) {
        size_t unread = (size_t)(pushed - popped);
        pushed += produce_some(&ring, &seed, pushed, 8 - unread);
        popped += consume_some(&ring, &seed, popped, (size_t)(pushed - popped));
    }
    assert_true(popped > 100);
    assert_int_equal(ring.producer.tail, UINT64_MAX - 4 + pushed);
    ring_close(&ring);
}

static void a_header_that_does_not_fit_is_refused(void **state)
{
    (void)state;
    struct ring ring;
    ring_open(&ring, 8, 64);
    struct peal_spsc_producer producer;
    struct peal_spsc_consumer consumer;
    assert_int_equal(peal_spsc_producer_join(&producer, ring.memory, ring.size_bytes, 4),
                     PEAL_EMISMATCH);
    static const uint64_t bad_capacities[] = {
        0, 3, 128, UINT64_C(1) << 31, UINT64_C(1) << 61, UINT64_MAX};
    for (size_t i = 0; i < sizeof(bad_capacities) / sizeof(bad_capacities[0]); i++) {
        peal_u64_store_relaxed(&ring.shared->initialiser.capacity, bad_capacities[i]);
        assert_int_equal(peal_spsc_producer_join(&producer, ring.memory, ring.size_bytes, 8),
                         PEAL_EMISMATCH);
        assert_int_equal(peal_spsc_consumer_join(&consumer, ring.memory, ring.size_bytes, 8),
                         PEAL_EMISMATCH);
    }
    peal_u64_store_relaxed(&ring.shared->initialiser.capacity, 64);
    peal_u32_store_relaxed(&ring.shared->initialiser.element_bytes, 0);
    assert_int_equal(peal_spsc_producer_join(&producer, ring.memory, ring.size_bytes, 0),
                     PEAL_EMISMATCH);
    peal_u32_store_relaxed(&ring.shared->initialiser.element_bytes, 8);
    peal_u32_store_relaxed(&ring.shared->initialiser.format_version, 2);
    assert_int_equal(peal_spsc_consumer_join(&consumer, ring.memory, ring.size_bytes, 8),
                     PEAL_EFORMAT);
    peal_u32_store_relaxed(&ring.shared->initialiser.format_version, 1);
    peal_u64_store_relaxed(&ring.shared->initialiser.magic, PEAL_SPSC_MAGIC + 1);
    assert_int_equal(peal_spsc_consumer_join(&consumer, ring.memory, ring.size_bytes, 8),
                     PEAL_EFORMAT);
    peal_u64_store_relaxed(&ring.shared->initialiser.magic, 0);
    assert_int_equal(peal_spsc_consumer_join(&consumer, ring.memory, ring.size_bytes, 8),
                     PEAL_AGAIN);
    ring_close(&ring);
}

static void cursors_that_contradict_each_other_refuse_the_join(void **state)
{
    (void)state;
    struct ring ring;
    ring_open(&ring, 8, 64);
    static const uint64_t tails[] = {65, UINT64_MAX, UINT64_C(1) << 63};
    for (size_t i = 0; i < sizeof(tails) / sizeof(tails[0]); i++) {
        peal_u64_store_relaxed(&ring.shared->producer.tail, tails[i]);
        assert_int_equal(peal_spsc_producer_join(&ring.producer, ring.memory, ring.size_bytes, 8),
                         PEAL_ECORRUPT);
        assert_int_equal(peal_spsc_consumer_join(&ring.consumer, ring.memory, ring.size_bytes, 8),
                         PEAL_ECORRUPT);
    }
    peal_u64_store_relaxed(&ring.shared->producer.tail, 64);
    join_both(&ring, 8);
    ring_close(&ring);
}

static void geometry_and_own_cursor_are_never_read_back(void **state)
{
    (void)state;
    struct ring ring;
    ring_open(&ring, 8, 16);
    uint64_t value = 0;
    for (uint64_t number = 0; number < 100; number++) {
        memset(&ring.shared->initialiser, 0xff, sizeof(ring.shared->initialiser));
        uint64_t tail = peal_u64_load_relaxed(&ring.shared->producer.tail);
        peal_u64_store_relaxed(&ring.shared->producer.tail, UINT64_MAX);
        peal_u64_store_relaxed(&ring.shared->producer.tail, tail ^ 0xff);
        assert_int_equal(peal_spsc_producer_push(&ring.producer, &number), PEAL_OK);
        uint64_t head = ring.consumer.given_back;
        peal_u64_store_relaxed(&ring.shared->consumer.head, head ^ 0xff);
        assert_int_equal(peal_spsc_consumer_pop(&ring.consumer, &value), PEAL_OK);
        assert_int_equal(value, number);
        assert_int_equal(peal_spsc_consumer_pop(&ring.consumer, &value), PEAL_EMPTY);
        assert_int_equal(peal_u64_load_relaxed(&ring.shared->consumer.head), number + 1);
    }
    ring_close(&ring);
}

static void assert_consumer_is_done_for(struct ring *ring)
{
    unsigned char buffer[8 * 16];
    const void *span = NULL;
    size_t granted = 1;
    peal_u64_store_relaxed(&ring->shared->producer.tail, ring->producer.tail);
    for (int again = 0; again < 3; again++) {
        assert_int_equal(peal_spsc_consumer_pop(&ring->consumer, buffer), PEAL_ECORRUPT);
        assert_int_equal(peal_spsc_consumer_peek(&ring->consumer, 4, &span, &granted),
                         PEAL_ECORRUPT);
        assert_int_equal(granted, 0);
        assert_int_equal(peal_spsc_consumer_pop_batch(&ring->consumer, buffer, 4, &granted),
                         PEAL_ECORRUPT);
        assert_int_equal(granted, 0);
    }
}

static void an_impossible_tail_spoils_the_consumer_for_good(void **state)
{
    (void)state;
    /* 5 pushed, 3 popped, 5 seen, nothing given back: 6..16 is possible, all else is not. */
    static const uint64_t lies[] = {0, 2, 4, 19, 20, 1000, UINT64_C(1) << 63, UINT64_MAX};
    for (size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
        struct ring ring;
        ring_open(&ring, 8, 16);
        ring.consumer.give_back_step = 16;
        uint64_t values[16] = {0};
        size_t done = 0;
        assert_int_equal(peal_spsc_producer_push_batch(&ring.producer, values, 5, &done), PEAL_OK);
        for (int pop = 0; pop < 3; pop++)
            assert_int_equal(peal_spsc_consumer_pop(&ring.consumer, values), PEAL_OK);
        peal_u64_store_relaxed(&ring.shared->producer.tail, lies[i]);
        assert_int_equal(peal_spsc_consumer_pop_batch(&ring.consumer, values, 3, &done),
                         PEAL_ECORRUPT);
        assert_consumer_is_done_for(&ring);
        assert_int_equal(peal_spsc_consumer_join(&ring.consumer, ring.memory, ring.size_bytes, 8),
                         PEAL_OK);
        assert_int_equal(peal_spsc_consumer_pop(&ring.consumer, values), PEAL_OK);
        ring_close(&ring);
    }
}

static void an_impossible_head_spoils_the_producer_for_good(void **state)
{
    (void)state;
    /* 20 pushed, a head of 8 seen: 8..20 is possible, all else is not. */
    static const uint64_t lies[] = {0, 4, 7, 21, 37, UINT64_C(1) << 63, UINT64_MAX};
    for (size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
        struct ring ring;
        ring_open(&ring, 8, 16);
        uint64_t values[16] = {0};
        size_t done = 0;
        assert_int_equal(peal_spsc_producer_push_batch(&ring.producer, values, 16, &done), PEAL_OK);
        assert_int_equal(peal_spsc_consumer_pop_batch(&ring.consumer, values, 8, &done), PEAL_OK);
        assert_int_equal(peal_spsc_producer_push_batch(&ring.producer, values, 4, &done), PEAL_OK);
        peal_u64_store_relaxed(&ring.shared->consumer.head, lies[i]);
        void *span = NULL;
        assert_int_equal(peal_spsc_producer_reserve(&ring.producer, 4, &span, &done), PEAL_OK);
        assert_int_equal(done, 4);
        assert_int_equal(peal_spsc_producer_push_batch(&ring.producer, values, 6, &done),
                         PEAL_ECORRUPT);
        assert_int_equal(done, 0);
        peal_u64_store_relaxed(&ring.shared->consumer.head, 8);
        assert_int_equal(peal_spsc_producer_push(&ring.producer, values), PEAL_ECORRUPT);
        assert_int_equal(peal_spsc_producer_reserve(&ring.producer, 6, &span, &done),
                         PEAL_ECORRUPT);
        assert_int_equal(done, 0);
        ring_close(&ring);
    }
}

/* G1, at random: the peer's words are anything; every call stays inside the exact allocation. */
static void random_bytes_in_every_shared_word_do_no_harm(void **state)
{
    (void)state;
    uint64_t seed = 77;
    unsigned corrupt = 0;
    for (int life = 0; life < 4000; life++) {
        struct ring ring;
        ring_open(&ring, 8, 16);
        for (int step = 0; step < 12; step++) {
            uint64_t lie = random_next(&seed) % 4 ? random_next(&seed) % 40 : random_next(&seed);
            peal_u64 *words[] = {&ring.shared->producer.tail, &ring.shared->consumer.head,
                                 &ring.shared->initialiser.capacity};
            peal_u64_store_relaxed(words[random_next(&seed) % 3], lie);
            uint64_t values[20] = {0};
            size_t wanted = (size_t)(random_next(&seed) % 20);
            size_t done = 0;
            if (peal_spsc_producer_push_batch(&ring.producer, values, wanted, &done) ==
                PEAL_ECORRUPT)
                corrupt++;
            assert_true(done <= 16 && done <= wanted);
            if (peal_spsc_consumer_pop_batch(&ring.consumer, values, wanted, &done) ==
                PEAL_ECORRUPT)
                corrupt++;
            assert_true(done <= 16 && done <= wanted);
            struct peal_spsc_consumer consumer;
            (void)peal_spsc_consumer_join(&consumer, ring.memory, ring.size_bytes, 8);
        }
        ring_close(&ring);
    }
    assert_true(corrupt > 1000);
}

static void a_successor_of_the_producer_goes_on_after_what_was_published(void **state)
{
    (void)state;
    struct ring ring;
    ring_open(&ring, 8, 16);
    uint64_t values[16] = {1, 2, 3};
    size_t done = 0;
    void *span = NULL;
    assert_int_equal(peal_spsc_producer_push_batch(&ring.producer, values, 3, &done), PEAL_OK);
    assert_int_equal(peal_spsc_producer_reserve(&ring.producer, 5, &span, &done), PEAL_OK);
    memset(span, 0xee, done * 8);
    /* It dies here, before commit. */
    assert_int_equal(peal_spsc_producer_join(&ring.producer, ring.memory, ring.size_bytes, 8),
                     PEAL_OK);
    uint64_t value = 4;
    assert_int_equal(peal_spsc_producer_push(&ring.producer, &value), PEAL_OK);
    for (uint64_t wanted = 1; wanted <= 4; wanted++) {
        assert_int_equal(peal_spsc_consumer_pop(&ring.consumer, &value), PEAL_OK);
        assert_int_equal(value, wanted);
    }
    assert_int_equal(peal_spsc_consumer_pop(&ring.consumer, &value), PEAL_EMPTY);
    ring_close(&ring);
}

static void a_successor_of_the_consumer_gets_what_was_not_given_back(void **state)
{
    (void)state;
    struct ring ring;
    ring_open(&ring, 8, 64);
    uint64_t value = 0;
    for (value = 0; value < 64; value++)
        assert_int_equal(peal_spsc_producer_push(&ring.producer, &value), PEAL_OK);
    for (int i = 0; i < 13; i++)
        assert_int_equal(peal_spsc_consumer_pop(&ring.consumer, &value), PEAL_OK);
    /* 8 were given back as an eighth; the 5 after that come again. */
    assert_int_equal(peal_spsc_consumer_join(&ring.consumer, ring.memory, ring.size_bytes, 8),
                     PEAL_OK);
    for (uint64_t wanted = 8; wanted < 64; wanted++) {
        assert_int_equal(peal_spsc_consumer_pop(&ring.consumer, &value), PEAL_OK);
        assert_int_equal(value, wanted);
    }
    assert_int_equal(peal_spsc_consumer_pop(&ring.consumer, &value), PEAL_EMPTY);
    ring_close(&ring);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_geometry_that_cannot_be_is_refused_with_advice),
        cmocka_unit_test(memory_that_is_too_small_or_misaligned_is_refused),
        cmocka_unit_test(a_ring_holds_its_capacity_and_not_one_more),
        cmocka_unit_test(any_mix_of_calls_delivers_every_element_once_in_order),
        cmocka_unit_test(a_span_is_cut_at_the_end_of_the_ring_and_goes_on_at_its_start),
        cmocka_unit_test(a_commit_or_release_beyond_the_span_changes_nothing),
        cmocka_unit_test(nothing_is_visible_before_commit),
        cmocka_unit_test(room_comes_back_in_eighths_when_empty_and_on_demand),
        cmocka_unit_test(a_full_producer_gets_room_while_the_consumer_takes),
        cmocka_unit_test(cursors_run_through_the_end_of_64_bits),
        cmocka_unit_test(a_header_that_does_not_fit_is_refused),
        cmocka_unit_test(cursors_that_contradict_each_other_refuse_the_join),
        cmocka_unit_test(geometry_and_own_cursor_are_never_read_back),
        cmocka_unit_test(an_impossible_tail_spoils_the_consumer_for_good),
        cmocka_unit_test(an_impossible_head_spoils_the_producer_for_good),
        cmocka_unit_test(random_bytes_in_every_shared_word_do_no_harm),
        cmocka_unit_test(a_successor_of_the_producer_goes_on_after_what_was_published),
        cmocka_unit_test(a_successor_of_the_consumer_gets_what_was_not_given_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
