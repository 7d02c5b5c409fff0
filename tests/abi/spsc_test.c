/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A spsc ring between programs of 32 and of 64 bits.
 */
#include "tests/abi/pair.h"

#include <sys/mman.h>

#define ELEMENTS 30000

/* A ring that `a` has made, in a file that both inherit by its descriptor. */
static int ring_of(struct pair *pair, size_t element_bytes, size_t capacity)
{
    size_t size_bytes = 0;
    assert_int_equal(peal_spsc_memsize(element_bytes, capacity, &size_bytes), PEAL_OK);
    const int descriptor = memfd_create("ring", 0);
    assert_true(descriptor >= 0);
    assert_int_equal(ftruncate(descriptor, (off_t)size_bytes), 0);
    /* Who was there before the file has not inherited it. */
    const unsigned width = pair->a.width;
    peer_end(&pair->a);
    peer_end(&pair->b);
    peer_start(&pair->a, width, pair->url);
    peer_start(&pair->b, 96 - width, pair->url);
    (void)ASK(&pair->a, ABI_SPSC_INIT, (uint64_t)descriptor, element_bytes, capacity);
    return descriptor;
}

static void elements_of_many_sizes_cross_in_order(void **state)
{
    static const struct {
        size_t element_bytes;
        size_t capacity;
    } rings[] = {{8, 1024}, {8, 4}, {24, 256}, {1, 64}, {64, 1}};
    struct pair *pair = *state;
    for (size_t i = 0; i < COUNT(rings); i++) {
        const size_t element_bytes = rings[i].element_bytes;
        const uint64_t count = rings[i].capacity < 16 ? 1000 : ELEMENTS;
        const int descriptor = ring_of(pair, element_bytes, rings[i].capacity);
        TELL(&pair->b, ABI_SPSC_POP, (uint64_t)descriptor, element_bytes, 0, count);
        TELL(&pair->a, ABI_SPSC_PUSH, (uint64_t)descriptor, element_bytes, 0, count);
        (void)peer_hear_value(&pair->a);
        (void)peer_hear_value(&pair->b);
        (void)close(descriptor);
    }
}

static void a_successor_of_the_other_width_goes_on_where_one_left_off(void **state)
{
    struct pair *pair = *state;
    const int descriptor = ring_of(pair, 24, 128);
    const uint64_t fd = (uint64_t)descriptor;
    (void)ASK(&pair->a, ABI_SPSC_PUSH, fd, 24, 0, 100);
    (void)ASK(&pair->b, ABI_SPSC_POP, fd, 24, 0, 60);
    (void)ASK(&pair->b, ABI_SPSC_PUSH, fd, 24, 100, 188);
    (void)ASK(&pair->a, ABI_SPSC_POP, fd, 24, 60, 188);
    (void)close(descriptor);
}

static void a_ring_of_other_elements_is_refused(void **state)
{
    struct pair *pair = *state;
    const int descriptor = ring_of(pair, 24, 128);
    peer_expect(&pair->b, PEAL_EMISMATCH, REQUEST(ABI_SPSC_POP, (uint64_t)descriptor, 16, 0, 1));
    (void)close(descriptor);
}

static const struct CMUnitTest cases[] = {
    BOTH_WAYS(elements_of_many_sizes_cross_in_order),
    BOTH_WAYS(a_successor_of_the_other_width_goes_on_where_one_left_off),
    BOTH_WAYS(a_ring_of_other_elements_is_refused),
};

ABI_MAIN(cases)
