/* SPDX-License-Identifier: Apache-2.0 */
#include "bus/endpoint.h"

#include "tests/support/bus_fixture.h"
#include "tests/support/eventually.h"
#include "tests/support/fake_endpoint.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static struct peal_bus *bus;
static peal_u32 released;

static int open_bus(void **state)
{
    (void)state;
    peal_u32_store_relaxed(&released, 0);
    bus = bus_fixture_open("local:endpoint", NULL);
    return bus != NULL ? 0 : -1;
}

static int close_bus(void **state)
{
    (void)state;
    peal_bus_close(bus);
    return 0;
}

static uint32_t releases(void)
{
    return peal_u32_load_acquire(&released);
}

static uint32_t count_registered(void)
{
    struct cds_lfht_iter iterator;
    struct cds_lfht_node *node;
    uint32_t count = 0;
    peal_rcu_enter();
    PEAL_RCU_FOR_EACH(bus->endpoints, &iterator, node)
    count++;
    peal_rcu_leave();
    return count;
}

static void the_registry_knows_who_is_open(void **state)
{
    (void)state;
    struct fake_endpoint *fakes[100];
    for (uint32_t i = 0; i < 100; i++) {
        fakes[i] = fake_create(bus, &released);
        assert_non_null(fakes[i]);
        assert_int_equal(count_registered(), i + 1);
    }
    assert_true(fakes[0]->endpoint.id != fakes[1]->endpoint.id);
    for (uint32_t i = 0; i < 100; i++) {
        fake_close(fakes[i]);
        assert_int_equal(count_registered(), 99 - i);
        assert_int_equal(releases(), i + 1);
    }
}

static void the_last_reference_releases(void **state)
{
    (void)state;
    struct fake_endpoint *fake = fake_create(bus, &released);
    assert_true(peal_endpoint_hold(&fake->endpoint));
    assert_true(peal_endpoint_hold(&fake->endpoint));
    fake_close(fake);
    assert_true(peal_endpoint_is_closed(&fake->endpoint));
    assert_int_equal(releases(), 0);
    peal_endpoint_drop(&fake->endpoint);
    assert_int_equal(releases(), 0);
    peal_endpoint_drop(&fake->endpoint);
    assert_int_equal(releases(), 1);
}

static void a_closed_bus_takes_no_endpoint(void **state)
{
    (void)state;
    struct fake_endpoint *keeper = fake_create(bus, &released);
    peal_bus_close(bus);
    assert_null(fake_create(bus, &released));
    fake_close(keeper);
    assert_int_equal(releases(), 1);
    bus = NULL;
}

static void ready_is_asked_of_open_endpoints_only(void **state)
{
    (void)state;
    struct fake_endpoint *idle = fake_create(bus, &released);
    struct fake_endpoint *busy = fake_create(bus, &released);
    assert_false(peal_endpoint_any_ready(bus));
    peal_u32_store_release(&busy->work, 1);
    assert_true(peal_endpoint_any_ready(bus));
    assert_true(peal_endpoint_hold(&busy->endpoint));
    fake_close(busy);
    assert_false(peal_endpoint_any_ready(bus));
    assert_false(peal_endpoint_is_ready(&busy->endpoint));
    assert_false(peal_endpoint_is_dispatchable(&busy->endpoint));
    peal_endpoint_drop(&busy->endpoint);
    fake_close(idle);
}

static void one_thread_has_the_callback_and_none_after_close(void **state)
{
    (void)state;
    struct fake_endpoint *fake = fake_create(bus, &released);
    peal_u32_store_release(&fake->work, 1);
    assert_true(peal_endpoint_is_dispatchable(&fake->endpoint));
    assert_true(peal_endpoint_callback_begin(&fake->endpoint));
    assert_false(peal_endpoint_callback_begin(&fake->endpoint));
    assert_false(peal_endpoint_is_dispatchable(&fake->endpoint));
    assert_true(peal_endpoint_is_ready(&fake->endpoint));
    peal_endpoint_callback_end(&fake->endpoint);
    assert_true(peal_endpoint_callback_begin(&fake->endpoint));
    assert_true(peal_endpoint_hold(&fake->endpoint));
    fake_close(fake);
    peal_endpoint_callback_end(&fake->endpoint);
    assert_false(peal_endpoint_callback_begin(&fake->endpoint));
    assert_true(peal_endpoint_is_closed(&fake->endpoint));
    peal_endpoint_drop(&fake->endpoint);
}

static void work_left_by_a_callback_wakes_the_other_threads(void **state)
{
    (void)state;
    struct peal_transport *transport = bus->transport;
    struct fake_endpoint *fake = fake_create(bus, &released);
    assert_true(peal_endpoint_callback_begin(&fake->endpoint));
    uint32_t epoch = transport->ops->epoch(transport);
    peal_endpoint_callback_end(&fake->endpoint);
    assert_int_equal(transport->ops->epoch(transport), epoch);
    assert_true(peal_endpoint_callback_begin(&fake->endpoint));
    peal_u32_store_release(&fake->work, 1);
    peal_endpoint_callback_end(&fake->endpoint);
    assert_int_not_equal(transport->ops->epoch(transport), epoch);
    fake_close(fake);
}

static void *close_it(void *fake)
{
    fake_close(fake);
    return NULL;
}

static bool has_no_reference(void *fake)
{
    return peal_u32_load_acquire(&((struct fake_endpoint *)fake)->endpoint.references.count) == 0;
}

static bool is_released(void *unused)
{
    (void)unused;
    return releases() != 0;
}

static void nothing_is_freed_under_a_reader(void **state)
{
    (void)state;
    pthread_t closer;
    struct fake_endpoint *fake = fake_create(bus, &released);
    peal_rcu_enter();
    assert_int_equal(pthread_create(&closer, NULL, close_it, fake), 0);
    bool dropped = eventually(has_no_reference, fake, EVENTUALLY_TIMEOUT_NS);
    bool freed = eventually(is_released, NULL, UINT64_C(20000000));
    bool held = !freed && peal_endpoint_hold(&fake->endpoint);
    peal_rcu_leave();
    (void)pthread_join(closer, NULL);
    assert_true(dropped);
    assert_false(freed);
    assert_false(held);
    assert_int_equal(releases(), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_registry_knows_who_is_open, open_bus, close_bus),
        cmocka_unit_test_setup_teardown(the_last_reference_releases, open_bus, close_bus),
        cmocka_unit_test_setup_teardown(a_closed_bus_takes_no_endpoint, open_bus, close_bus),
        cmocka_unit_test_setup_teardown(ready_is_asked_of_open_endpoints_only, open_bus, close_bus),
        cmocka_unit_test_setup_teardown(one_thread_has_the_callback_and_none_after_close, open_bus,
                                        close_bus),
        cmocka_unit_test_setup_teardown(work_left_by_a_callback_wakes_the_other_threads, open_bus,
                                        close_bus),
        cmocka_unit_test_setup_teardown(nothing_is_freed_under_a_reader, open_bus, close_bus),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
