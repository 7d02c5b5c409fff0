/* SPDX-License-Identifier: Apache-2.0 */
#include "bus/sleeper.h"
#include "core/bell.h"
#include "tests/support/bus_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static struct peal_bus *ringer;
static struct peal_bus *sleeper;
static struct peal_transport_ops ringer_ops;
static uint64_t notified; /* union of all notify() calls of the ringer */
static uint32_t notifies;

static void note(struct peal_transport *transport, uint64_t targets)
{
    (void)transport;
    notified |= targets;
    notifies++;
}

static void slow_bells(struct peal_bus_options *options)
{
    options->bell_rate_hz = 1;
}

static int open_with(void (*change)(struct peal_bus_options *options))
{
    notified = 0;
    notifies = 0;
    ringer = bus_fixture_open("local:bells", change);
    sleeper = bus_fixture_open("local:bells", change);
    if (ringer == NULL || sleeper == NULL)
        return -1;
    bus_fixture_own_ops(ringer, &ringer_ops)->notify = note;
    return 0;
}

static int open_both(void **state)
{
    (void)state;
    return open_with(NULL);
}

static int open_slow(void **state)
{
    (void)state;
    return open_with(slow_bells);
}

static int close_both(void **state)
{
    (void)state;
    peal_bus_close(ringer);
    peal_bus_close(sleeper);
    return 0;
}

static uint64_t bit_of(const struct peal_bus *bus)
{
    return UINT64_C(1) << bus->region.index;
}

static void arm(uint64_t clients)
{
    (void)peal_u64_or_seq_cst(&ringer->region.header->sleepers.armed, clients);
}

static uint64_t armed(void)
{
    return peal_u64_load_acquire(&ringer->region.header->sleepers.armed);
}

static void who_is_awake_is_not_rung(void **state)
{
    (void)state;
    peal_bus_ring(ringer, UINT64_MAX);
    assert_int_equal(notifies, 0);
    assert_int_equal(bus_fixture_counter(&ringer->counters.bells_rung), 0);
}

static void all_sleeping_targets_are_rung_at_once(void **state)
{
    (void)state;
    arm(bit_of(sleeper) | bit_of(ringer) | UINT64_C(1) << 63);
    peal_bus_ring(ringer, bit_of(sleeper) | UINT64_C(1) << 63);
    assert_int_equal(notifies, 1);
    assert_true(notified == (bit_of(sleeper) | UINT64_C(1) << 63));
    assert_int_equal(bus_fixture_counter(&ringer->counters.bells_rung), 2);
    assert_true(armed() == bit_of(ringer));
}

static void one_sleep_is_rung_once(void **state)
{
    (void)state;
    arm(bit_of(sleeper));
    peal_bus_ring(ringer, bit_of(sleeper));
    peal_bus_ring(ringer, bit_of(sleeper));
    peal_bus_ring(ringer, bit_of(sleeper));
    assert_int_equal(notifies, 1);
    arm(bit_of(sleeper));
    peal_bus_ring(ringer, bit_of(sleeper));
    assert_int_equal(notifies, 2);
    assert_int_equal(bus_fixture_counter(&ringer->counters.bells_suppressed), 0);
}

static void our_own_bit_is_rung_too(void **state)
{
    (void)state;
    arm(bit_of(ringer));
    peal_bus_ring(ringer, bit_of(ringer));
    assert_true(notified == bit_of(ringer));
}

static void a_peer_that_keeps_its_bit_set_is_rung_within_the_rate(void **state)
{
    (void)state;
    for (int i = 0; i < 1000; i++) {
        arm(bit_of(sleeper));
        peal_bus_ring(ringer, bit_of(sleeper));
    }
    uint64_t rung = bus_fixture_counter(&ringer->counters.bells_rung);
    assert_in_range(rung, 256, 300); /* one more per second that the test is held up */
    assert_int_equal(notifies, rung);
    assert_int_equal(bus_fixture_counter(&ringer->counters.bells_suppressed), 1000 - rung);
}

static void a_bell_that_is_held_back_stays_armed_for_the_next(void **state)
{
    (void)state;
    for (int i = 0; i < 1000; i++) {
        arm(bit_of(sleeper));
        peal_bus_ring(ringer, bit_of(sleeper));
    }
    assert_true(armed() == bit_of(sleeper));
}

static void each_target_has_a_bucket_of_its_own(void **state)
{
    (void)state;
    for (int i = 0; i < 1000; i++) {
        arm(UINT64_C(1) << 40);
        peal_bus_ring(ringer, UINT64_C(1) << 40);
    }
    notified = 0;
    arm(UINT64_C(1) << 40 | bit_of(sleeper));
    peal_bus_ring(ringer, UINT64_C(1) << 40 | bit_of(sleeper));
    assert_true((notified & bit_of(sleeper)) != 0);
}

static void a_ring_moves_the_sleepers_epoch(void **state)
{
    (void)state;
    struct peal_transport *transport = sleeper->transport;
    ringer->transport->ops = sleeper->transport->ops;
    uint32_t epoch = transport->ops->epoch(transport);
    peal_sleepers_enter(sleeper);
    assert_true(peal_sleepers_arm(sleeper));
    peal_bus_ring(ringer, bit_of(sleeper));
    assert_int_not_equal(transport->ops->epoch(transport), epoch);
    peal_sleepers_leave(sleeper);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(who_is_awake_is_not_rung, open_both, close_both),
        cmocka_unit_test_setup_teardown(all_sleeping_targets_are_rung_at_once, open_both,
                                        close_both),
        cmocka_unit_test_setup_teardown(one_sleep_is_rung_once, open_both, close_both),
        cmocka_unit_test_setup_teardown(our_own_bit_is_rung_too, open_both, close_both),
        cmocka_unit_test_setup_teardown(a_peer_that_keeps_its_bit_set_is_rung_within_the_rate,
                                        open_slow, close_both),
        cmocka_unit_test_setup_teardown(a_bell_that_is_held_back_stays_armed_for_the_next,
                                        open_slow, close_both),
        cmocka_unit_test_setup_teardown(each_target_has_a_bucket_of_its_own, open_slow, close_both),
        cmocka_unit_test_setup_teardown(a_ring_moves_the_sleepers_epoch, open_both, close_both),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
