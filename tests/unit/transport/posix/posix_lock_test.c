/* SPDX-License-Identifier: Apache-2.0 */
#include "transport/posix/posix_lock.h"

#include "tests/support/eventually.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#define FIRST (UINT64_C(1) << 40)
#define DESCRIPTIONS 64

static int descriptions[DESCRIPTIONS];
static char shm[64];

static int setup(void **state)
{
    (void)state;
    (void)snprintf(shm, sizeof(shm), "/peal-lock-test-%d", (int)getpid());
    for (int i = 0; i < DESCRIPTIONS; i++) {
        descriptions[i] = shm_open(shm, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
        if (descriptions[i] < 0)
            return -1;
    }
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    for (int i = 0; i < DESCRIPTIONS; i++)
        (void)close(descriptions[i]);
    return shm_unlink(shm);
}

static void a_byte_has_one_holder_and_release_frees_it(void **state)
{
    (void)state;
    assert_int_equal(peal_posix_lock_try(descriptions[0], FIRST + 5), 0);
    assert_int_equal(peal_posix_lock_try(descriptions[0], FIRST + 5), 0);
    assert_int_equal(peal_posix_lock_try(descriptions[1], FIRST + 5), EAGAIN);
    assert_int_equal(peal_posix_lock_try(descriptions[1], FIRST + 6), 0);
    peal_posix_lock_release(descriptions[0], FIRST + 5);
    assert_int_equal(peal_posix_lock_try(descriptions[1], FIRST + 5), 0);
    peal_posix_lock_release(descriptions[1], FIRST + 5);
    peal_posix_lock_release(descriptions[1], FIRST + 6);
    assert_int_equal(peal_posix_lock_try(-1, FIRST), EBADF);
}

static void who_cannot_be_asked_about_counts_as_alive(void **state)
{
    (void)state;
    assert_true(peal_posix_lock_holders(-1, FIRST, 64) == UINT64_MAX);
    assert_true(peal_posix_lock_holders(-1, FIRST, 3) == 7);
}

static void holders_are_those_of_other_descriptions(void **state)
{
    (void)state;
    uint64_t random = 88172645463325252u;
    for (int round = 0; round < 100; round++) {
        uint64_t expected = 0;
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        /* Taken in an order that has nothing to do with their places. */
        for (uint32_t i = 0; i < 64; i++) {
            const uint32_t place = (i * 37 + (uint32_t)round) % 64;
            if ((random >> place & 1) == 0)
                continue;
            assert_int_equal(peal_posix_lock_try(descriptions[place], FIRST + place), 0);
            expected |= UINT64_C(1) << place;
        }
        const uint32_t asker = (uint32_t)round % 64;
        assert_true(peal_posix_lock_holders(descriptions[asker], FIRST, 64) ==
                    (expected & ~(UINT64_C(1) << asker)));
        assert_true(peal_posix_lock_holders(descriptions[asker], FIRST + 8, 9) ==
                    ((expected & ~(UINT64_C(1) << asker)) >> 8 & 0x1ff));
        for (uint32_t i = 0; i < 64; i++)
            peal_posix_lock_release(descriptions[i], FIRST + i);
    }
    assert_true(peal_posix_lock_holders(descriptions[0], FIRST, 64) == 0);
}

static void one_lock_over_everything_counts_for_each_byte_and_no_more(void **state)
{
    (void)state;
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 0, .l_len = 0};
    assert_int_equal(fcntl(descriptions[3], F_OFD_SETLK, &lock), 0);
    assert_true(peal_posix_lock_holders(descriptions[0], FIRST, 64) == UINT64_MAX);
    assert_true(peal_posix_lock_holders(descriptions[0], FIRST, 1) == 1);
    lock.l_type = F_UNLCK;
    assert_int_equal(fcntl(descriptions[3], F_OFD_SETLK, &lock), 0);
}

static void waiting_for_a_lock_ends_at_the_deadline(void **state)
{
    (void)state;
    assert_int_equal(peal_posix_lock_try(descriptions[0], FIRST), 0);
    const uint64_t deadline_ns = test_now_ns() + UINT64_C(10000000);
    assert_int_equal(peal_posix_lock_wait(descriptions[1], FIRST, deadline_ns), EAGAIN);
    assert_true(test_now_ns() >= deadline_ns);
    peal_posix_lock_release(descriptions[0], FIRST);
    assert_int_equal(peal_posix_lock_wait(descriptions[1], FIRST, 0), 0);
    peal_posix_lock_release(descriptions[1], FIRST);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_cannot_be_asked_about_counts_as_alive),
        cmocka_unit_test(a_byte_has_one_holder_and_release_frees_it),
        cmocka_unit_test(holders_are_those_of_other_descriptions),
        cmocka_unit_test(one_lock_over_everything_counts_for_each_byte_and_no_more),
        cmocka_unit_test(waiting_for_a_lock_ends_at_the_deadline),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
