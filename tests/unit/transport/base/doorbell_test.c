/* SPDX-License-Identifier: Apache-2.0 */
#include "transport/base/doorbell.h"

#include "tests/support/eventually.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <unistd.h>

#include <cmocka.h>

static void a_ring_sets_one_bit_and_tells_whether_it_was_new(void **state)
{
    (void)state;
    struct peal_doorbell bell = {0};
    for (uint32_t source = 0; source < 64; source++) {
        assert_true(peal_doorbell_ring(&bell, PEAL_DOORBELL_PRIVATE, source));
        assert_false(peal_doorbell_ring(&bell, PEAL_DOORBELL_PRIVATE, source));
    }
    assert_true(peal_doorbell_is_pending(&bell));
    assert_true(peal_doorbell_drain(&bell) == UINT64_MAX);
    assert_false(peal_doorbell_is_pending(&bell));
    assert_int_equal(peal_doorbell_drain(&bell), 0);
}

static void a_reset_forgets_the_rings_and_keeps_the_epoch(void **state)
{
    (void)state;
    struct peal_doorbell bell = {0};
    (void)peal_doorbell_ring(&bell, PEAL_DOORBELL_PRIVATE, 3);
    const uint32_t epoch = peal_doorbell_epoch(&bell);
    peal_doorbell_reset(&bell);
    assert_int_equal(peal_doorbell_drain(&bell), 0);
    assert_int_equal(peal_doorbell_epoch(&bell), epoch);
}

static void the_epoch_moves_on_where_its_31_bits_end(void **state)
{
    (void)state;
    struct peal_doorbell bell = {0};
    /* relaxed: one thread. */
    peal_u32_store_relaxed(&bell.count, INT32_MAX);
    assert_int_equal(peal_doorbell_epoch(&bell), INT32_MAX);
    peal_doorbell_bump(&bell, PEAL_DOORBELL_PRIVATE);
    assert_int_equal(peal_doorbell_epoch(&bell), 0);
    assert_true(peal_doorbell_sleep(&bell, PEAL_DOORBELL_PRIVATE, INT32_MAX, UINT64_MAX));
}

struct sleeper {
    struct peal_doorbell bell;
    enum peal_doorbell_scope scope;
    peal_u32 tid;
    bool moved;
};

static void *sleep_for_ever(void *context)
{
    struct sleeper *sleeper = context;
    const uint32_t epoch = peal_doorbell_epoch(&sleeper->bell);
    peal_u32_store_seq_cst(&sleeper->tid, (uint32_t)gettid());
    sleeper->moved = peal_doorbell_sleep(&sleeper->bell, sleeper->scope, epoch, UINT64_MAX);
    return NULL;
}

static bool has_tid(void *context)
{
    return peal_u32_load_seq_cst(&((struct sleeper *)context)->tid) != 0;
}

static void a_bump_wakes_a_sleeper_in_either_scope(void **state)
{
    (void)state;
    for (int i = 0; i < 10; i++) {
        struct sleeper sleeper = {.scope =
                                      i % 2 == 0 ? PEAL_DOORBELL_PRIVATE : PEAL_DOORBELL_SHARED};
        pthread_t thread;
        assert_int_equal(pthread_create(&thread, NULL, sleep_for_ever, &sleeper), 0);
        assert_true(eventually(has_tid, &sleeper, EVENTUALLY_TIMEOUT_NS));
        assert_true(eventually_asleep((pid_t)peal_u32_load_seq_cst(&sleeper.tid)));
        peal_doorbell_bump(&sleeper.bell, sleeper.scope);
        assert_int_equal(pthread_join(thread, NULL), 0);
        assert_true(sleeper.moved);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_ring_sets_one_bit_and_tells_whether_it_was_new),
        cmocka_unit_test(a_reset_forgets_the_rings_and_keeps_the_epoch),
        cmocka_unit_test(the_epoch_moves_on_where_its_31_bits_end),
        cmocka_unit_test(a_bump_wakes_a_sleeper_in_either_scope),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
