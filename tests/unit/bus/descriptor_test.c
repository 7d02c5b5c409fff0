/* SPDX-License-Identifier: Apache-2.0 */
#include "bus/descriptor.h"

#include "tests/support/bus_fixture.h"
#include "tests/support/fake_endpoint.h"

#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <unistd.h>

#include <cmocka.h>

static struct peal_bus *bus;  /* has the descriptor */
static struct peal_bus *peer; /* publishes */
static struct fake_endpoint *fake;
static struct peal_transport_ops own_ops;
static int fd;

static void quick_spin(struct peal_bus_options *options)
{
    options->spin_ns = 1;
    options->safety_net_ns = UINT64_C(60000000000);
}

static char opened[64]; /* URL of the region, to be removed at the end */

static int open_url(const char *url)
{
    (void)snprintf(opened, sizeof(opened), "%s", url);
    bus = bus_fixture_open(url, quick_spin);
    peer = bus_fixture_open(url, quick_spin);
    if (bus == NULL || peer == NULL || peal_bus_fd(bus, &fd) != PEAL_OK)
        return -1;
    fake = fake_create(bus, NULL);
    return fake != NULL ? 0 : -1;
}

static int open_local(void **state)
{
    (void)state;
    return open_url("local:descriptor");
}

static int open_posix(void **state)
{
    char url[64];
    (void)state;
    (void)snprintf(url, sizeof(url), "posix:descriptor_test_%ld", (long)getpid());
    return open_url(url);
}

static int close_both(void **state)
{
    (void)state;
    if (fake != NULL)
        fake_close(fake);
    peal_bus_close(bus);
    peal_bus_close(peer);
    (void)peal_unlink(opened); /* a local region has gone with its last client */
    return 0;
}

static bool is_readable(int timeout_ms)
{
    struct pollfd polled = {.fd = fd, .events = POLLIN};
    return poll(&polled, 1, timeout_ms) == 1 && (polled.revents & POLLIN) != 0;
}

#define SOON_MS 20000

static void a_publish_makes_the_armed_descriptor_readable(void **state)
{
    (void)state;
    (void)peal_bus_disarm(bus); /* joining rings */
    assert_false(is_readable(0));
    for (int round = 0; round < 10; round++) {
        assert_int_equal(peal_bus_arm(bus), PEAL_OK);
        assert_true(bus_fixture_is_armed(bus));
        assert_false(is_readable(0));
        fake_publish(fake, peer);
        assert_true(is_readable(SOON_MS));
        assert_int_equal(peal_bus_disarm(bus), PEAL_OK);
        assert_false(bus_fixture_is_armed(bus));
        assert_false(is_readable(0));
        assert_true(fake_take(fake));
    }
    assert_int_equal(bus_fixture_counter(&peer->counters.bells_rung), 10);
}

static void what_came_before_arming_makes_it_readable(void **state)
{
    (void)state;
    (void)peal_bus_disarm(bus);
    fake_publish(fake, peer);
    assert_false(is_readable(0));
    assert_int_equal(peal_bus_arm(bus), PEAL_OK);
    assert_true(is_readable(0));
    assert_true(fake_take(fake));
    assert_int_equal(peal_bus_disarm(bus), PEAL_OK);
    assert_false(is_readable(0));
}

static void a_publisher_in_the_same_process_rings_too(void **state)
{
    (void)state;
    (void)peal_bus_disarm(bus);
    assert_int_equal(peal_bus_arm(bus), PEAL_OK);
    fake_publish(fake, bus);
    assert_true(is_readable(SOON_MS));
    assert_int_equal(peal_bus_disarm(bus), PEAL_OK);
}

static void arming_twice_is_arming_once(void **state)
{
    (void)state;
    assert_int_equal(peal_bus_arm(bus), PEAL_OK);
    assert_int_equal(peal_bus_arm(bus), PEAL_OK);
    assert_int_equal(peal_bus_disarm(bus), PEAL_OK);
    assert_false(bus_fixture_is_armed(bus));
    assert_int_equal(bus->sleepers, 0);
    assert_int_equal(peal_bus_disarm(bus), PEAL_OK);
    assert_int_equal(bus->sleepers, 0);
}

static void there_is_one_descriptor(void **state)
{
    (void)state;
    int again = -1;
    assert_int_equal(peal_bus_fd(bus, &again), PEAL_OK);
    assert_int_equal(again, fd);
}

static const struct peal_transport_ops *real_ops;
static peal_u32 drained;

/* While we sleep somebody publishes, and his ring is complete before we wake and drain it. */
static enum peal_status be_rung_and_drain(struct peal_transport *transport, uint32_t epoch,
                                          uint64_t timeout_ns, uint64_t *sources)
{
    (void)timeout_ns;
    fake_publish(fake, peer);
    enum peal_status status = real_ops->wait(transport, epoch, 0, sources);
    peal_u32_store_release(&drained, *sources != 0);
    return status;
}

static bool never(void *context)
{
    (void)context;
    return false;
}

static bool has_drained(void *context)
{
    (void)context;
    return peal_u32_load_acquire(&drained) != 0;
}

static void a_sleeping_thread_does_not_drain_it_away(void **state)
{
    (void)state;
    const struct peal_sleeper_condition condition = {.ready = never, .interrupted = has_drained};
    peal_u32_store_release(&drained, 0);
    (void)peal_bus_disarm(bus);
    assert_int_equal(peal_bus_arm(bus), PEAL_OK);
    real_ops = bus->transport->ops;
    bus_fixture_own_ops(bus, &own_ops)->wait = be_rung_and_drain;
    assert_int_equal(peal_bus_sleep(bus, &condition, PEAL_FOREVER), PEAL_AGAIN);
    bus->transport->ops = real_ops;
    assert_true(is_readable(0));
    assert_int_equal(peal_bus_disarm(bus), PEAL_OK);
    assert_false(is_readable(0));
}

static void what_a_sleeping_thread_drains_does_not_make_it_readable_unarmed(void **state)
{
    (void)state;
    const struct peal_sleeper_condition condition = {.ready = never, .interrupted = has_drained};
    peal_u32_store_release(&drained, 0);
    (void)peal_bus_disarm(bus);
    real_ops = bus->transport->ops;
    bus_fixture_own_ops(bus, &own_ops)->wait = be_rung_and_drain;
    assert_int_equal(peal_bus_sleep(bus, &condition, PEAL_FOREVER), PEAL_AGAIN);
    bus->transport->ops = real_ops;
    assert_false(is_readable(0));
}

static enum peal_status no_barrier(struct peal_transport *transport)
{
    (void)transport;
    return PEAL_ENOTSUP;
}

static void it_does_not_promise_what_needs_a_barrier_that_we_lack(void **state)
{
    (void)state;
    bus_fixture_own_ops(bus, &own_ops)->barrier = no_barrier;
    bus->transport->capabilities |= PEAL_TRANSPORT_BARRIER;
    assert_int_equal(peal_bus_arm(bus), PEAL_ENOTSUP);
    assert_non_null(strstr(peal_error_message(), "membarrier"));
    assert_false(bus_fixture_is_armed(bus));
    assert_int_equal(bus->sleepers, 0);
}

static void an_event_loop_that_asks_too_often_looks_again_at_once(void **state)
{
    (void)state;
    bus->bell_rate_hz = 1;
    uint32_t armed = 0;
    for (int round = 0; round < 1000; round++) {
        assert_int_equal(peal_bus_arm(bus), PEAL_OK);
        if (bus_fixture_is_armed(bus))
            armed++;
        else
            assert_true(is_readable(0));
        assert_int_equal(peal_bus_disarm(bus), PEAL_OK);
    }
    assert_in_range(armed, 128, 200); /* one more per second that the test is held up */
}

static void closing_the_bus_ends_the_event_loop(void **state)
{
    (void)state;
    (void)peal_bus_disarm(bus);
    assert_int_equal(peal_bus_arm(bus), PEAL_OK);
    assert_false(is_readable(0));
    peal_bus_close(bus); /* the endpoint keeps it */
    assert_true(is_readable(0));
    assert_int_equal(peal_bus_arm(bus), PEAL_CLOSED);
    int again;
    assert_int_equal(peal_bus_fd(bus, &again), PEAL_CLOSED);
    fake_close(fake);
    fake = NULL;
    bus = NULL;
}

#define TEST(name)                                                                                 \
    cmocka_unit_test_setup_teardown(name, open_local, close_both),                                 \
        cmocka_unit_test_setup_teardown(name, open_posix, close_both)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_publish_makes_the_armed_descriptor_readable),
        TEST(what_came_before_arming_makes_it_readable),
        TEST(a_publisher_in_the_same_process_rings_too),
        TEST(arming_twice_is_arming_once),
        TEST(there_is_one_descriptor),
        TEST(a_sleeping_thread_does_not_drain_it_away),
        TEST(what_a_sleeping_thread_drains_does_not_make_it_readable_unarmed),
        TEST(it_does_not_promise_what_needs_a_barrier_that_we_lack),
        TEST(an_event_loop_that_asks_too_often_looks_again_at_once),
        TEST(closing_the_bus_ends_the_event_loop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
