/* SPDX-License-Identifier: Apache-2.0 */
#include "bus/sleeper.h"

#include "core/bell.h"
#include "tests/support/bus_fixture.h"
#include "tests/support/eventually.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define MS UINT64_C(1000000)
#define LONG_NS (UINT64_C(60000) * MS)

static struct peal_bus *bus;  /* sleeps */
static struct peal_bus *peer; /* rings */
static struct peal_transport_ops own_ops;

/* A thing to wait for, that counts how it is asked. */
struct thing {
    peal_u32 here;
    peal_u32 asked;
    peal_u32 interrupt;
    peal_u32 announced_true;
    peal_u32 announced_false;
    uint64_t timeout_ns;
    enum peal_status status;
    pthread_t thread;
};

static bool thing_ready(void *context)
{
    struct thing *thing = context;
    (void)peal_u32_add_relaxed(&thing->asked, 1);
    return peal_u32_load_acquire(&thing->here) != 0;
}

static bool thing_interrupted(void *context)
{
    return peal_u32_load_acquire(&((struct thing *)context)->interrupt) != 0;
}

static void thing_announce(void *context, bool asleep)
{
    struct thing *thing = context;
    (void)peal_u32_add_relaxed(asleep ? &thing->announced_true : &thing->announced_false, 1);
}

static enum peal_status thing_wait(struct thing *thing, uint64_t timeout_ns)
{
    const struct peal_sleeper_condition condition = {.ready = thing_ready,
                                                     .interrupted = thing_interrupted,
                                                     .context = thing,
                                                     .announce = thing_announce};
    return peal_bus_sleep(bus, &condition, timeout_ns);
}

static void *thing_wait_thread(void *context)
{
    struct thing *thing = context;
    thing->status = thing_wait(thing, thing->timeout_ns);
    return NULL;
}

static void thing_start(struct thing *thing, uint64_t timeout_ns)
{
    thing->timeout_ns = timeout_ns;
    assert_int_equal(pthread_create(&thing->thread, NULL, thing_wait_thread, thing), 0);
}

static enum peal_status thing_join(struct thing *thing)
{
    (void)pthread_join(thing->thread, NULL);
    return thing->status;
}

static bool is_armed(void *unused)
{
    (void)unused;
    return bus_fixture_is_armed(bus);
}

static bool has_slept_twice(void *unused)
{
    (void)unused;
    return bus_fixture_counter(&bus->counters.sleeps) >= 2;
}

static void await(bool (*condition)(void *))
{
    assert_true(eventually(condition, NULL, EVENTUALLY_TIMEOUT_NS));
}

static void ring(void)
{
    uint64_t armed = peal_bell_armed(&peer->region.header->sleepers.armed, peer->fences);
    peal_bus_ring(peer, armed & UINT64_C(1) << bus->region.index);
}

static uint64_t counted(const peal_u64 *counter)
{
    return bus_fixture_counter(counter);
}

/* Short polls and a safety net beyond all tests, so that only bells wake. */
static void quick_spin(struct peal_bus_options *options)
{
    options->spin_ns = 1;
    options->safety_net_ns = LONG_NS;
}

static void long_spin(struct peal_bus_options *options)
{
    options->spin_ns = LONG_NS;
}

static void short_net(struct peal_bus_options *options)
{
    options->spin_ns = 1;
    options->safety_net_ns = 2 * MS;
}

static void slow_bells(struct peal_bus_options *options)
{
    quick_spin(options);
    options->bell_rate_hz = 20000;
}

static int open_with(void (*change)(struct peal_bus_options *options))
{
    bus = bus_fixture_open("local:sleeper", change);
    peer = bus_fixture_open("local:sleeper", change);
    return bus != NULL && peer != NULL ? 0 : -1;
}

static int open_quick(void **state)
{
    (void)state;
    return open_with(quick_spin);
}

static int open_spinning(void **state)
{
    (void)state;
    return open_with(long_spin);
}

static int open_short_net(void **state)
{
    (void)state;
    return open_with(short_net);
}

static int open_slow_bells(void **state)
{
    (void)state;
    return open_with(slow_bells);
}

static int close_both(void **state)
{
    (void)state;
    peal_bus_close(peer);
    peal_bus_close(bus);
    return 0;
}

static void a_timeout_of_0_asks_once(void **state)
{
    (void)state;
    struct thing thing = {0};
    assert_int_equal(thing_wait(&thing, 0), PEAL_TIMEDOUT);
    assert_int_equal(peal_u32_load_relaxed(&thing.asked), 1);
    peal_u32_store_release(&thing.here, 1);
    assert_int_equal(thing_wait(&thing, 0), PEAL_OK);
    assert_int_equal(peal_u32_load_relaxed(&thing.asked), 2);
    assert_int_equal(peal_u32_load_relaxed(&thing.announced_true), 0);
}

static void a_timeout_is_kept(void **state)
{
    (void)state;
    struct thing thing = {0};
    uint64_t before_ns = test_now_ns();
    assert_int_equal(thing_wait(&thing, 20 * MS), PEAL_TIMEDOUT);
    uint64_t took_ns = test_now_ns() - before_ns;
    assert_true(took_ns >= 20 * MS);
    assert_true(took_ns < EVENTUALLY_TIMEOUT_NS);
    assert_false(bus_fixture_is_armed(bus));
    assert_int_equal(peal_u32_load_relaxed(&thing.announced_false), 1);
    assert_int_equal(counted(&bus->counters.safety_net_finds), 0);
}

static void a_short_wait_only_spins(void **state)
{
    (void)state;
    struct thing thing = {0};
    uint64_t before_ns = test_now_ns();
    assert_int_equal(thing_wait(&thing, 2 * MS), PEAL_TIMEDOUT);
    assert_true(test_now_ns() - before_ns >= 2 * MS);
    assert_int_equal(counted(&bus->counters.sleeps), 0);
    assert_int_equal(peal_u32_load_relaxed(&thing.announced_true), 0);
    assert_int_equal(peal_u32_load_relaxed(&thing.announced_false), 0);
}

static void a_spinning_waiter_is_not_armed_and_needs_no_bell(void **state)
{
    (void)state;
    struct thing thing = {0};
    thing_start(&thing, PEAL_FOREVER);
    while (peal_u32_load_relaxed(&thing.asked) < 100)
        continue;
    assert_false(bus_fixture_is_armed(bus));
    peal_u32_store_release(&thing.here, 1);
    assert_int_equal(thing_join(&thing), PEAL_OK);
    assert_int_equal(counted(&bus->counters.sleeps), 0);
}

static void a_bell_wakes_the_sleeper(void **state)
{
    (void)state;
    struct thing thing = {0};
    thing_start(&thing, PEAL_FOREVER);
    await(is_armed);
    peal_u32_store_release(&thing.here, 1);
    ring();
    assert_int_equal(thing_join(&thing), PEAL_OK);
    assert_int_equal(counted(&bus->counters.safety_net_finds), 0);
    assert_int_equal(counted(&bus->counters.spurious_wakes), 0);
    assert_false(bus_fixture_is_armed(bus));
    assert_true(peal_u32_load_relaxed(&thing.announced_true) >= 1);
    assert_int_equal(peal_u32_load_relaxed(&thing.announced_false), 1);
}

static void what_nobody_rang_for_is_found_by_the_safety_net(void **state)
{
    (void)state;
    struct thing thing = {0};
    thing_start(&thing, PEAL_FOREVER);
    await(has_slept_twice);
    peal_u32_store_release(&thing.here, 1);
    assert_int_equal(thing_join(&thing), PEAL_OK);
    assert_int_equal(counted(&bus->counters.wakes), 0);
    /* It may also have been found in the moment between two sleeps. */
    assert_in_range(counted(&bus->counters.safety_net_finds), 0, 1);
}

static uint64_t *unrung_timeout;
static struct thing *unrung_thing;

/* The work comes while it sleeps, and nobody rings. */
static enum peal_status wait_and_work_comes(struct peal_transport *transport, uint32_t epoch,
                                            uint64_t timeout_ns, uint64_t *sources)
{
    (void)transport;
    (void)epoch;
    *unrung_timeout = timeout_ns;
    *sources = 0;
    peal_u32_store_release(&unrung_thing->here, 1);
    return PEAL_TIMEDOUT;
}

static void a_find_of_the_safety_net_is_counted(void **state)
{
    (void)state;
    struct thing thing = {0};
    uint64_t timeout_ns = 0;
    unrung_timeout = &timeout_ns;
    unrung_thing = &thing;
    bus_fixture_own_ops(bus, &own_ops)->wait = wait_and_work_comes;
    assert_int_equal(thing_wait(&thing, PEAL_FOREVER), PEAL_OK);
    assert_int_equal(timeout_ns, 2 * MS);
    assert_int_equal(counted(&bus->counters.sleeps), 1);
    assert_int_equal(counted(&bus->counters.wakes), 0);
    assert_int_equal(counted(&bus->counters.safety_net_finds), 1);
}

static enum peal_status no_barrier(struct peal_transport *transport)
{
    (void)transport;
    return PEAL_ENOTSUP;
}

static void without_a_barrier_it_looks_every_millisecond(void **state)
{
    (void)state;
    struct thing thing = {0};
    uint64_t timeout_ns = 0;
    unrung_timeout = &timeout_ns;
    unrung_thing = &thing;
    bus_fixture_own_ops(bus, &own_ops)->wait = wait_and_work_comes;
    own_ops.barrier = no_barrier;
    bus->transport->capabilities |= PEAL_TRANSPORT_BARRIER;
    assert_int_equal(thing_wait(&thing, PEAL_FOREVER), PEAL_OK);
    assert_int_equal(timeout_ns, MS);
}

static void where_others_may_have_a_barrier_and_we_not_bells_are_not_relied_upon(void **state)
{
    (void)state;
    bus->transport->capabilities &= ~(uint32_t)PEAL_TRANSPORT_BARRIER;
    peal_sleepers_enter(bus);
    assert_true(peal_sleepers_arm(bus));
    bus->transport->capabilities |= PEAL_TRANSPORT_ONE_KERNEL;
    assert_false(peal_sleepers_arm(bus));
    peal_sleepers_leave(bus);
}

static void the_last_sleeper_clears_the_bit(void **state)
{
    (void)state;
    struct thing one = {0}, other = {0};
    thing_start(&one, PEAL_FOREVER);
    thing_start(&other, PEAL_FOREVER);
    await(has_slept_twice);
    peal_u32_store_release(&one.here, 1);
    ring();
    assert_int_equal(thing_join(&one), PEAL_OK);
    await(is_armed); /* the ring took the bit; the other one sets it again */
    peal_u32_store_release(&other.here, 1);
    ring();
    assert_int_equal(thing_join(&other), PEAL_OK);
    assert_false(bus_fixture_is_armed(bus));
    assert_int_equal(counted(&bus->counters.safety_net_finds), 0);
}

static void the_bit_stays_while_one_of_several_leaves(void **state)
{
    (void)state;
    peal_sleepers_enter(bus);
    peal_sleepers_enter(bus);
    (void)peal_sleepers_arm(bus);
    peal_sleepers_leave(bus);
    assert_true(bus_fixture_is_armed(bus));
    peal_sleepers_leave(bus);
    assert_false(bus_fixture_is_armed(bus));
}

/* Work comes when the last poll is over and the bit is not set yet, so that nobody rings for it. */
static void work_comes(void *context, bool asleep)
{
    if (asleep)
        peal_u32_store_release(&((struct thing *)context)->here, 1);
}

static void work_before_the_bit_is_seen_by_the_look_after_it(void **state)
{
    (void)state;
    struct thing thing = {0};
    const struct peal_sleeper_condition condition = {
        .ready = thing_ready, .context = &thing, .announce = work_comes};
    assert_int_equal(peal_bus_sleep(bus, &condition, LONG_NS), PEAL_OK);
    assert_int_equal(counted(&bus->counters.sleeps), 0);
    assert_int_equal(counted(&bus->counters.safety_net_finds), 0);
}

/* Work and its bell come right after the look that follows the bit. */
static bool just_too_early(void *context)
{
    struct thing *thing = context;
    if (peal_u32_load_acquire(&thing->here) != 0)
        return true;
    if (bus_fixture_is_armed(bus)) {
        peal_u32_store_release(&thing->here, 1);
        ring();
    }
    return false;
}

static void a_bell_between_the_look_and_the_sleep_is_heard(void **state)
{
    (void)state;
    struct thing thing = {0};
    const struct peal_sleeper_condition condition = {.ready = just_too_early, .context = &thing};
    uint64_t before_ns = test_now_ns();
    assert_int_equal(peal_bus_sleep(bus, &condition, LONG_NS), PEAL_OK);
    assert_true(test_now_ns() - before_ns < LONG_NS / 2);
    assert_int_equal(counted(&bus->counters.wakes), 1);
    assert_int_equal(counted(&bus->counters.safety_net_finds), 0);
}

static void a_wake_without_cause_arms_again(void **state)
{
    (void)state;
    struct thing thing = {0};
    thing_start(&thing, PEAL_FOREVER);
    await(is_armed);
    ring();
    await(has_slept_twice);
    await(is_armed);
    peal_u32_store_release(&thing.here, 1);
    ring();
    assert_int_equal(thing_join(&thing), PEAL_OK);
    assert_true(counted(&bus->counters.spurious_wakes) >= 1);
    assert_true(counted(&bus->counters.wakes) > counted(&bus->counters.spurious_wakes));
}

static void an_interrupt_brings_it_out(void **state)
{
    (void)state;
    struct thing thing = {0};
    thing_start(&thing, PEAL_FOREVER);
    await(is_armed);
    peal_u32_store_release(&thing.interrupt, 1);
    bus->transport->ops->wake_all(bus->transport);
    assert_int_equal(thing_join(&thing), PEAL_AGAIN);
    assert_false(bus_fixture_is_armed(bus));
}

static void closing_the_bus_brings_it_out(void **state)
{
    (void)state;
    struct thing thing = {0};
    thing_start(&thing, PEAL_FOREVER);
    await(is_armed);
    peal_bus_close(bus);
    assert_int_equal(thing_join(&thing), PEAL_CLOSED);
    bus = NULL;
    uint64_t armed = peal_u64_load_acquire(&peer->region.header->sleepers.armed);
    assert_true(armed == 0);
}

static peal_u32 stop_ringing;

static void *ring_for_ever(void *unused)
{
    struct peal_transport *transport = peer->transport;
    (void)unused;
    while (peal_u32_load_acquire(&stop_ringing) == 0)
        transport->ops->notify(transport, UINT64_C(1) << bus->region.index);
    return NULL;
}

static void a_ringer_without_end_costs_a_bounded_number_of_wakes(void **state)
{
    (void)state;
    pthread_t ringer;
    struct thing thing = {0};
    peal_u32_store_release(&stop_ringing, 0);
    assert_int_equal(pthread_create(&ringer, NULL, ring_for_ever, NULL), 0);
    uint64_t before_ns = test_now_ns();
    /* Once is enough, but for a machine too slow to be woken more often than the burst allows. */
    for (int round = 0; round < 40 && counted(&bus->counters.spurious_wakes) <= 128; round++)
        assert_int_equal(thing_wait(&thing, 300 * MS), PEAL_TIMEDOUT);
    uint64_t took_ms = (test_now_ns() - before_ns) / MS;
    peal_u32_store_release(&stop_ringing, 1);
    (void)pthread_join(ringer, NULL);
    /* The burst; a tenth of 20 a millisecond; one after each pause of a millisecond. */
    assert_in_range(counted(&bus->counters.spurious_wakes), 129, 128 + 3 * took_ms + 10);
}

static void observers_see_the_counters(void **state)
{
    (void)state;
    struct thing thing = {0};
    assert_int_equal(thing_wait(&thing, MS), PEAL_TIMEDOUT);
    assert_int_equal(thing_wait(&thing, MS), PEAL_TIMEDOUT);
    const struct peal_client_shared *seen = &peer->region.clients[bus->region.index];
    assert_true(counted(&seen->counters.sleeps) >= 1);
    assert_true(counted(&seen->counters.heartbeat_ns) != 0);
}

/* Two threads on two buses hand a number to and fro; each sleeps until the other has moved it. */
struct rally {
    peal_u32 number;
    uint32_t rounds;
};

struct player {
    struct rally *rally;
    struct peal_bus *own;
    struct peal_bus *other;
    uint32_t parity;
    bool fine;
};

static bool my_turn(void *context)
{
    struct player *player = context;
    return (peal_u32_load_acquire(&player->rally->number) & 1u) == player->parity;
}

static void *play(void *context)
{
    struct player *player = context;
    const struct peal_sleeper_condition condition = {.ready = my_turn, .context = player};
    player->fine = true;
    for (uint32_t round = 0; round < player->rally->rounds && player->fine; round++) {
        player->fine = peal_bus_sleep(player->own, &condition, LONG_NS) == PEAL_OK;
        uint32_t number = peal_u32_load_acquire(&player->rally->number);
        peal_u32_store_release(&player->rally->number, number + 1);
        uint64_t armed =
            peal_bell_armed(&player->own->region.header->sleepers.armed, player->own->fences);
        peal_bus_ring(player->own, armed & UINT64_C(1) << player->other->region.index);
    }
    return NULL;
}

static void no_wake_up_is_lost_in_a_long_rally(void **state)
{
    (void)state;
    struct rally rally = {.rounds = 5000};
    struct player one = {&rally, bus, peer, 0, false};
    struct player other = {&rally, peer, bus, 1, false};
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, play, &other), 0);
    (void)play(&one);
    (void)pthread_join(thread, NULL);
    assert_true(one.fine && other.fine);
    assert_int_equal(peal_u32_load_relaxed(&rally.number), 10000);
    assert_int_equal(counted(&bus->counters.safety_net_finds), 0);
    assert_int_equal(counted(&peer->counters.safety_net_finds), 0);
    assert_int_equal(counted(&bus->counters.bells_suppressed), 0);
    assert_int_equal(counted(&peer->counters.bells_suppressed), 0);
}

#define TEST(name, open) cmocka_unit_test_setup_teardown(name, open, close_both)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_timeout_of_0_asks_once, open_quick),
        TEST(a_timeout_is_kept, open_quick),
        TEST(a_short_wait_only_spins, open_spinning),
        TEST(a_spinning_waiter_is_not_armed_and_needs_no_bell, open_spinning),
        TEST(a_bell_wakes_the_sleeper, open_quick),
        TEST(what_nobody_rang_for_is_found_by_the_safety_net, open_short_net),
        TEST(a_find_of_the_safety_net_is_counted, open_short_net),
        TEST(without_a_barrier_it_looks_every_millisecond, open_quick),
        TEST(where_others_may_have_a_barrier_and_we_not_bells_are_not_relied_upon, open_quick),
        TEST(the_last_sleeper_clears_the_bit, open_quick),
        TEST(the_bit_stays_while_one_of_several_leaves, open_quick),
        TEST(work_before_the_bit_is_seen_by_the_look_after_it, open_quick),
        TEST(a_bell_between_the_look_and_the_sleep_is_heard, open_quick),
        TEST(a_wake_without_cause_arms_again, open_quick),
        TEST(an_interrupt_brings_it_out, open_quick),
        TEST(closing_the_bus_brings_it_out, open_quick),
        TEST(a_ringer_without_end_costs_a_bounded_number_of_wakes, open_slow_bells),
        TEST(observers_see_the_counters, open_quick),
        TEST(no_wake_up_is_lost_in_a_long_rally, open_quick),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
