/* SPDX-License-Identifier: Apache-2.0 */
#include "core/bell.h"
#include "core/cpu.h"

#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#define ROUNDS 20000u

static void each_client_has_a_bit_of_its_own(void **state)
{
    (void)state;
    peal_u64 armed = {0};
    assert_true(peal_bell_armed(&armed, true) == 0);
    for (uint32_t client = 0; client < 64; client++) {
        peal_bell_arm(&armed, client);
        assert_true(peal_bell_armed(&armed, true) == UINT64_MAX >> (63 - client));
    }
    for (uint32_t client = 0; client < 64; client++) {
        peal_bell_disarm(&armed, client);
        assert_true(peal_bell_armed(&armed, false) == ~(UINT64_MAX >> (63 - client)));
    }
}

static void arming_and_disarming_twice_is_the_same_as_once(void **state)
{
    (void)state;
    peal_u64 armed = {0};
    peal_bell_arm(&armed, 5);
    peal_bell_arm(&armed, 5);
    peal_bell_arm(&armed, 63);
    peal_bell_disarm(&armed, 5);
    assert_true(peal_bell_armed(&armed, true) == 1ull << 63);
    peal_bell_disarm(&armed, 5);
    assert_true(peal_bell_armed(&armed, true) == 1ull << 63);
}

/* Two threads in step: round after round one publishes and looks, the other arms and looks. */
struct handshake {
    peal_u64 round; /* both leave at the same moment */
    unsigned char pad0[128 - 8];
    peal_u64 arrived;
    unsigned char pad1[128 - 8];
    peal_u64 message;
    unsigned char pad2[128 - 8];
    peal_u64 armed;
    unsigned char pad3[128 - 8];
    bool saw_armed[ROUNDS];
    bool saw_message[ROUNDS];
};

static void meet(struct handshake *handshake, uint64_t round)
{
    if (peal_u64_add_acq_rel(&handshake->arrived, 1) == 2 * round + 1) {
        peal_u64_store_release(&handshake->round, round + 1);
        return;
    }
    for (uint32_t spins = 0; peal_u64_load_acquire(&handshake->round) <= round; spins++) {
        if (spins % 256 == 255)
            (void)sched_yield();
        peal_cpu_relax();
    }
}

static void *sleep_side(void *argument)
{
    struct handshake *handshake = argument;
    for (uint64_t round = 0; round < ROUNDS; round++) {
        meet(handshake, 2 * round);
        peal_bell_arm(&handshake->armed, 7);
        handshake->saw_message[round] = peal_u64_load_relaxed(&handshake->message) > round;
        meet(handshake, 2 * round + 1);
        peal_bell_disarm(&handshake->armed, 7);
    }
    return NULL;
}

static void either_the_sleeper_sees_the_message_or_the_publisher_sees_the_sleeper(void **state)
{
    (void)state;
    static struct handshake handshake;
    pthread_t sleeper;
    assert_int_equal(pthread_create(&sleeper, NULL, sleep_side, &handshake), 0);
    for (uint64_t round = 0; round < ROUNDS; round++) {
        meet(&handshake, 2 * round);
        peal_u64_store_release(&handshake.message, round + 1);
        handshake.saw_armed[round] = peal_bell_armed(&handshake.armed, true) != 0;
        meet(&handshake, 2 * round + 1);
    }
    assert_int_equal(pthread_join(sleeper, NULL), 0);
    unsigned both_missed = 0;
    for (uint64_t round = 0; round < ROUNDS; round++)
        both_missed += !handshake.saw_armed[round] && !handshake.saw_message[round];
    assert_int_equal(both_missed, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_client_has_a_bit_of_its_own),
        cmocka_unit_test(arming_and_disarming_twice_is_the_same_as_once),
        cmocka_unit_test(either_the_sleeper_sees_the_message_or_the_publisher_sees_the_sleeper),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
