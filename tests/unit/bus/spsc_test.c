/* SPDX-License-Identifier: Apache-2.0 */
#include <peal/spsc.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void *memory;
static size_t size_bytes;

static int make_ring(void **state)
{
    (void)state;
    if (peal_spsc_memsize(8, 64, &size_bytes) != PEAL_OK)
        return -1;
    memory = aligned_alloc(128, size_bytes);
    if (memory == NULL)
        return -1;
    memset(memory, 0, size_bytes);
    return 0;
}

static int free_ring(void **state)
{
    (void)state;
    free(memory);
    return 0;
}

static void an_attach_before_init_is_told_to_come_again(void **state)
{
    (void)state;
    struct peal_spsc_producer *producer = (void *)memory;
    struct peal_spsc_consumer *consumer = (void *)memory;
    assert_int_equal(peal_spsc_producer_attach(&producer, memory, size_bytes, 8), PEAL_AGAIN);
    assert_null(producer);
    assert_non_null(strstr(peal_error_message(), "peal_spsc_init"));
    assert_int_equal(peal_spsc_consumer_attach(&consumer, memory, size_bytes, 8), PEAL_AGAIN);
    assert_null(consumer);
    peal_spsc_producer_detach(producer);
    peal_spsc_consumer_detach(consumer);
}

static void wrong_use_is_refused_with_a_message(void **state)
{
    (void)state;
    size_t unused = 0;
    assert_int_equal(peal_spsc_memsize(8, 100, &unused), PEAL_EINVAL);
    assert_non_null(strstr(peal_error_message(), "128"));
    assert_int_equal(peal_spsc_init(memory, size_bytes - 128, 8, 64), PEAL_EINVAL);
    assert_non_null(strstr(peal_error_message(), "peal_spsc_memsize"));
    assert_int_equal(peal_spsc_init(memory, size_bytes, 8, 64), PEAL_OK);
    struct peal_spsc_consumer *consumer = NULL;
    assert_int_equal(peal_spsc_consumer_attach(&consumer, memory, size_bytes, 16), PEAL_EMISMATCH);
    assert_null(consumer);
    assert_non_null(strstr(peal_error_message(), "16"));
}

static void every_public_call_moves_elements(void **state)
{
    (void)state;
    struct peal_spsc_producer *producer = NULL;
    struct peal_spsc_consumer *consumer = NULL;
    assert_int_equal(peal_spsc_init(memory, size_bytes, 8, 64), PEAL_OK);
    assert_int_equal(peal_spsc_producer_attach(&producer, memory, size_bytes, 8), PEAL_OK);
    assert_int_equal(peal_spsc_consumer_attach(&consumer, memory, size_bytes, 8), PEAL_OK);
    assert_int_equal(peal_spsc_producer_capacity(producer), 64);
    assert_int_equal(peal_spsc_consumer_capacity(consumer), 64);

    uint64_t value = 1;
    const uint64_t more[] = {2, 3};
    size_t count = 0;
    void *span = NULL;
    assert_int_equal(peal_spsc_push(producer, &value), PEAL_OK);
    assert_int_equal(peal_spsc_push_batch(producer, more, 2, &count), PEAL_OK);
    assert_int_equal(count, 2);
    assert_int_equal(peal_spsc_reserve(producer, 2, &span, &count), PEAL_OK);
    assert_int_equal(count, 2);
    memcpy(span, (const uint64_t[]){4, 5}, 16);
    assert_int_equal(peal_spsc_commit(producer, 2), PEAL_OK);
    assert_int_equal(peal_spsc_commit(producer, 1), PEAL_EINVAL);

    uint64_t taken[5] = {0};
    const void *unread = NULL;
    assert_int_equal(peal_spsc_pop(consumer, &taken[0]), PEAL_OK);
    assert_int_equal(peal_spsc_pop_batch(consumer, &taken[1], 2, &count), PEAL_OK);
    assert_int_equal(count, 2);
    assert_int_equal(peal_spsc_peek(consumer, 10, &unread, &count), PEAL_OK);
    assert_int_equal(count, 2);
    memcpy(&taken[3], unread, 16);
    assert_int_equal(peal_spsc_release(consumer, 3), PEAL_EINVAL);
    assert_int_equal(peal_spsc_release(consumer, 2), PEAL_OK);
    for (uint64_t i = 0; i < 5; i++)
        assert_int_equal(taken[i], i + 1);
    assert_int_equal(peal_spsc_pop(consumer, &value), PEAL_EMPTY);
    peal_spsc_producer_detach(producer);
    peal_spsc_consumer_detach(consumer);
}

static void a_detached_consumer_leaves_no_element_to_deliver_twice(void **state)
{
    (void)state;
    struct peal_spsc_producer *producer = NULL;
    struct peal_spsc_consumer *consumer = NULL;
    assert_int_equal(peal_spsc_init(memory, size_bytes, 8, 64), PEAL_OK);
    assert_int_equal(peal_spsc_producer_attach(&producer, memory, size_bytes, 8), PEAL_OK);
    assert_int_equal(peal_spsc_consumer_attach(&consumer, memory, size_bytes, 8), PEAL_OK);
    uint64_t value = 0;
    for (value = 0; value < 64; value++)
        assert_int_equal(peal_spsc_push(producer, &value), PEAL_OK);
    for (int i = 0; i < 3; i++)
        assert_int_equal(peal_spsc_pop(consumer, &value), PEAL_OK);
    assert_int_equal(peal_spsc_push(producer, &value), PEAL_FULL);
    peal_spsc_give_back(consumer);
    value = 64;
    assert_int_equal(peal_spsc_push(producer, &value), PEAL_OK);
    assert_int_equal(peal_spsc_pop(consumer, &value), PEAL_OK);
    peal_spsc_consumer_detach(consumer);
    assert_int_equal(peal_spsc_consumer_attach(&consumer, memory, size_bytes, 8), PEAL_OK);
    for (uint64_t wanted = 4; wanted <= 64; wanted++) {
        assert_int_equal(peal_spsc_pop(consumer, &value), PEAL_OK);
        assert_int_equal(value, wanted);
    }
    assert_int_equal(peal_spsc_pop(consumer, &value), PEAL_EMPTY);
    peal_spsc_producer_detach(producer);
    peal_spsc_consumer_detach(consumer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(an_attach_before_init_is_told_to_come_again, make_ring,
                                        free_ring),
        cmocka_unit_test_setup_teardown(wrong_use_is_refused_with_a_message, make_ring, free_ring),
        cmocka_unit_test_setup_teardown(every_public_call_moves_elements, make_ring, free_ring),
        cmocka_unit_test_setup_teardown(a_detached_consumer_leaves_no_element_to_deliver_twice,
                                        make_ring, free_ring),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
