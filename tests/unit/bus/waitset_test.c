/* SPDX-License-Identifier: Apache-2.0 */
#include <peal/waitset.h>

#include "bus/waitset_internal.h"
#include "tests/support/bus_fixture.h"
#include "tests/support/eventually.h"
#include "tests/support/fake_endpoint.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define FAKES 100
#define LONG_NS UINT64_C(60000000000)

static struct peal_bus *bus;
static struct peal_waitset *waitset;
static struct fake_endpoint *fakes[FAKES];
static uint32_t calls[FAKES]; /* of the callback of each */

static void quick_spin(struct peal_bus_options *options)
{
    options->spin_ns = 1;
    options->safety_net_ns = LONG_NS;
}

static int open_all(void **state)
{
    (void)state;
    memset(fakes, 0, sizeof(fakes));
    memset(calls, 0, sizeof(calls));
    bus = bus_fixture_open("local:waitset", quick_spin);
    return bus != NULL && peal_waitset_create(bus, &waitset) == PEAL_OK ? 0 : -1;
}

static int close_all(void **state)
{
    (void)state;
    for (int i = 0; i < FAKES; i++) {
        if (fakes[i] != NULL)
            fake_close(fakes[i]);
    }
    peal_waitset_close(waitset);
    peal_bus_close(bus);
    return 0;
}

static struct peal_subscriber *create(int i)
{
    fakes[i] = fake_create(bus, NULL);
    assert_non_null(fakes[i]);
    return fake_subscriber(fakes[i]);
}

static void set_work(int i, uint32_t work)
{
    peal_u32_store_release(&fakes[i]->work, work);
}

static void *number(int i)
{
    return &calls[i];
}

/* Takes all work and counts the call. */
static void on_ready(struct peal_subscriber *subscriber, void *context)
{
    struct fake_endpoint *fake = (struct fake_endpoint *)(void *)peal_endpoint_of(subscriber);
    while (fake_take(fake))
        continue;
    (*(uint32_t *)context)++;
}

static void add(int i, peal_waitset_callback callback)
{
    assert_int_equal(peal_waitset_add(waitset, create(i), callback, number(i)), PEAL_OK);
}

static void missing_arguments_are_refused(void **state)
{
    (void)state;
    struct peal_waitset *none = waitset;
    void *contexts[1];
    size_t count = 9;
    add(0, NULL);
    assert_int_equal(peal_waitset_create(NULL, &none), PEAL_EINVAL);
    assert_null(none);
    assert_int_equal(peal_waitset_create(bus, NULL), PEAL_EINVAL);
    assert_int_equal(peal_waitset_add(NULL, fake_subscriber(fakes[0]), NULL, NULL), PEAL_EINVAL);
    assert_int_equal(peal_waitset_add(waitset, NULL, NULL, NULL), PEAL_EINVAL);
    assert_int_equal(peal_waitset_remove(waitset, NULL), PEAL_EINVAL);
    assert_int_equal(peal_waitset_wait(NULL, 0, contexts, 1, &count), PEAL_EINVAL);
    assert_int_equal(count, 0);
    assert_int_equal(peal_waitset_wait(waitset, 0, NULL, 1, &count), PEAL_EINVAL);
    assert_int_equal(peal_waitset_wait(waitset, 0, contexts, 1, NULL), PEAL_EINVAL);
    assert_int_equal(peal_waitset_dispatch(NULL, 0, NULL), PEAL_EINVAL);
    assert_int_equal(peal_waitset_interrupt(NULL), PEAL_EINVAL);
    peal_waitset_close(NULL);
}

static void a_subscriber_is_added_once_and_removed_once(void **state)
{
    (void)state;
    struct peal_waitset *other;
    add(0, NULL);
    assert_int_equal(peal_waitset_add(waitset, fake_subscriber(fakes[0]), on_ready, NULL),
                     PEAL_EEXIST);
    assert_int_equal(peal_waitset_create(bus, &other), PEAL_OK);
    assert_int_equal(peal_waitset_remove(other, fake_subscriber(fakes[0])), PEAL_ENOENT);
    assert_int_equal(peal_waitset_add(other, fake_subscriber(fakes[0]), NULL, NULL), PEAL_OK);
    assert_int_equal(peal_waitset_remove(waitset, fake_subscriber(fakes[0])), PEAL_OK);
    assert_int_equal(peal_waitset_remove(waitset, fake_subscriber(fakes[0])), PEAL_ENOENT);
    assert_int_equal(peal_waitset_add(waitset, fake_subscriber(fakes[0]), NULL, NULL), PEAL_OK);
    peal_waitset_close(other);
}

static void a_subscriber_of_another_bus_is_refused(void **state)
{
    (void)state;
    struct peal_bus *other = bus_fixture_open("local:waitset", NULL);
    struct fake_endpoint *foreign = fake_create(other, NULL);
    assert_int_equal(peal_waitset_add(waitset, fake_subscriber(foreign), NULL, NULL), PEAL_EINVAL);
    assert_int_equal(peal_waitset_remove(waitset, fake_subscriber(foreign)), PEAL_EINVAL);
    fake_close(foreign);
    peal_bus_close(other);
}

static void wait_gives_the_contexts_of_who_is_ready(void **state)
{
    (void)state;
    void *contexts[4];
    size_t count = 9;
    for (int i = 0; i < 4; i++)
        add(i, NULL);
    assert_int_equal(peal_waitset_wait(waitset, 0, contexts, 4, &count), PEAL_TIMEDOUT);
    assert_int_equal(count, 0);
    set_work(2, 1);
    assert_int_equal(peal_waitset_wait(waitset, 0, contexts, 4, &count), PEAL_OK);
    assert_int_equal(count, 1);
    assert_ptr_equal(contexts[0], number(2));
    set_work(0, 1);
    assert_int_equal(peal_waitset_wait(waitset, PEAL_FOREVER, contexts, 4, &count), PEAL_OK);
    assert_int_equal(count, 2);
    assert_int_equal(peal_waitset_wait(waitset, 0, NULL, 0, NULL), PEAL_OK);
}

static void a_short_array_starves_nobody(void **state)
{
    (void)state;
    void *contexts[3];
    size_t count;
    uint32_t seen[10] = {0};
    for (int i = 0; i < 10; i++) {
        add(i, NULL);
        set_work(i, i == 4 ? 0 : 1);
    }
    for (int round = 0; round < 30; round++) {
        assert_int_equal(peal_waitset_wait(waitset, 0, contexts, 3, &count), PEAL_OK);
        assert_int_equal(count, 3);
        assert_ptr_not_equal(contexts[0], contexts[1]);
        assert_ptr_not_equal(contexts[0], contexts[2]);
        assert_ptr_not_equal(contexts[1], contexts[2]);
        for (size_t i = 0; i < count; i++)
            seen[(uint32_t *)contexts[i] - calls]++;
    }
    for (int i = 0; i < 10; i++)
        assert_int_equal(seen[i], i == 4 ? 0 : 10);
}

static void dispatch_calls_everyone_who_is_ready(void **state)
{
    (void)state;
    size_t dispatched = 9;
    for (int i = 0; i < FAKES; i++)
        add(i, on_ready);
    assert_int_equal(peal_waitset_dispatch(waitset, 0, &dispatched), PEAL_TIMEDOUT);
    assert_int_equal(dispatched, 0);
    for (int i = 0; i < FAKES; i++)
        set_work(i, 1);
    set_work(7, 0);
    assert_int_equal(peal_waitset_dispatch(waitset, 0, &dispatched), PEAL_OK);
    assert_int_equal(dispatched, FAKES - 1);
    for (int i = 0; i < FAKES; i++)
        assert_int_equal(calls[i], i == 7 ? 0 : 1);
    assert_int_equal(peal_waitset_dispatch(waitset, 1000, NULL), PEAL_TIMEDOUT);
}

static void members_without_a_callback_are_not_dispatched(void **state)
{
    (void)state;
    add(0, NULL);
    set_work(0, 1);
    assert_int_equal(peal_waitset_dispatch(waitset, 1000000, NULL), PEAL_TIMEDOUT);
    assert_int_equal(peal_waitset_wait(waitset, 0, NULL, 0, NULL), PEAL_OK);
}

static void a_closed_subscriber_leaves_its_waitsets(void **state)
{
    (void)state;
    struct peal_waitset *other;
    peal_u32 released = {0};
    assert_int_equal(peal_waitset_create(bus, &other), PEAL_OK);
    struct fake_endpoint *fake = fake_create(bus, &released);
    assert_int_equal(peal_waitset_add(waitset, fake_subscriber(fake), on_ready, number(0)),
                     PEAL_OK);
    assert_int_equal(peal_waitset_add(other, fake_subscriber(fake), on_ready, number(0)), PEAL_OK);
    peal_u32_store_release(&fake->work, 1);
    fake_close(fake);
    assert_int_equal(peal_u32_load_relaxed(&released), 1);
    assert_int_equal(peal_waitset_wait(waitset, 0, NULL, 0, NULL), PEAL_TIMEDOUT);
    assert_int_equal(peal_waitset_dispatch(other, 0, NULL), PEAL_TIMEDOUT);
    peal_waitset_close(other);
}

static void closing_a_waitset_lets_go_of_its_members(void **state)
{
    (void)state;
    struct peal_waitset *other;
    assert_int_equal(peal_waitset_create(bus, &other), PEAL_OK);
    add(0, NULL);
    assert_int_equal(peal_waitset_add(other, fake_subscriber(fakes[0]), NULL, NULL), PEAL_OK);
    assert_int_equal(peal_u32_load_relaxed(&fakes[0]->endpoint.references.count), 3);
    peal_waitset_close(other);
    assert_int_equal(peal_u32_load_relaxed(&fakes[0]->endpoint.references.count), 2);
}

static void close_yourself(struct peal_subscriber *subscriber, void *context)
{
    (void)subscriber;
    int i = (int)((uint32_t *)context - calls);
    calls[i]++;
    fake_close(fakes[i]);
    fakes[i] = NULL;
}

static void a_callback_may_close_its_own_subscriber(void **state)
{
    (void)state;
    size_t dispatched;
    add(0, close_yourself);
    set_work(0, 1);
    assert_int_equal(peal_waitset_dispatch(waitset, 0, &dispatched), PEAL_OK);
    assert_int_equal(dispatched, 1);
    assert_int_equal(calls[0], 1);
    assert_int_equal(peal_waitset_dispatch(waitset, 0, &dispatched), PEAL_TIMEDOUT);
    assert_int_equal(dispatched, 0);
}

/* Closes the two neighbours that exist; whoever comes first survives. */
static void close_the_others(struct peal_subscriber *subscriber, void *context)
{
    (void)subscriber;
    int self = (int)((uint32_t *)context - calls);
    calls[self]++;
    set_work(self, 0);
    for (int i = 0; i < 3; i++) {
        if (i != self && fakes[i] != NULL) {
            fake_close(fakes[i]);
            fakes[i] = NULL;
        }
    }
}

static void remove_the_others(struct peal_subscriber *subscriber, void *context)
{
    (void)subscriber;
    int self = (int)((uint32_t *)context - calls);
    calls[self]++;
    set_work(self, 0);
    for (int i = 0; i < 3; i++) {
        if (i != self)
            (void)peal_waitset_remove(waitset, fake_subscriber(fakes[i]));
    }
}

static void nobody_is_called_after_it_was_closed_or_removed(void **state)
{
    (void)state;
    static const peal_waitset_callback callbacks[] = {close_the_others, remove_the_others};
    for (int kind = 0; kind < 2; kind++) {
        size_t dispatched;
        memset(calls, 0, sizeof(calls));
        for (int i = 0; i < 3; i++) {
            if (fakes[i] != NULL)
                fake_close(fakes[i]);
            add(i, callbacks[kind]);
            set_work(i, 1);
        }
        assert_int_equal(peal_waitset_dispatch(waitset, 0, &dispatched), PEAL_OK);
        assert_int_equal(dispatched, 1);
        assert_int_equal(calls[0] + calls[1] + calls[2], 1);
    }
}

static void close_the_waitset(struct peal_subscriber *subscriber, void *context)
{
    (void)subscriber;
    (*(uint32_t *)context)++;
    peal_waitset_close(waitset);
    waitset = NULL;
}

static void a_callback_may_close_the_waitset(void **state)
{
    (void)state;
    size_t dispatched;
    for (int i = 0; i < 3; i++) {
        add(i, close_the_waitset);
        set_work(i, 1);
    }
    assert_int_equal(peal_waitset_dispatch(waitset, 0, &dispatched), PEAL_OK);
    assert_int_equal(dispatched, 1);
}

static void add_another(struct peal_subscriber *subscriber, void *context)
{
    on_ready(subscriber, context);
    add(1, on_ready);
    set_work(1, 1);
}

static void a_callback_may_add(void **state)
{
    (void)state;
    add(0, add_another);
    set_work(0, 1);
    assert_int_equal(peal_waitset_dispatch(waitset, 0, NULL), PEAL_OK);
    (void)peal_waitset_dispatch(waitset, 0, NULL);
    assert_int_equal(calls[1], 1);
}

static void an_interrupt_that_nobody_waits_for_meets_the_next_wait(void **state)
{
    (void)state;
    add(0, on_ready);
    set_work(0, 1);
    assert_int_equal(peal_waitset_interrupt(waitset), PEAL_OK);
    assert_int_equal(peal_waitset_interrupt(waitset), PEAL_OK);
    assert_int_equal(peal_waitset_wait(waitset, PEAL_FOREVER, NULL, 0, NULL), PEAL_AGAIN);
    assert_int_equal(peal_waitset_wait(waitset, PEAL_FOREVER, NULL, 0, NULL), PEAL_OK);
    assert_int_equal(peal_waitset_interrupt(waitset), PEAL_OK);
    assert_int_equal(peal_waitset_dispatch(waitset, 0, NULL), PEAL_AGAIN);
    assert_int_equal(peal_waitset_dispatch(waitset, 0, NULL), PEAL_OK);
}

/* A thread that waits. */
struct waiting {
    pthread_t thread;
    enum peal_status status;
    size_t dispatched;
};

static void *wait_thread(void *context)
{
    struct waiting *waiting = context;
    waiting->status = peal_waitset_wait(waitset, LONG_NS, NULL, 0, NULL);
    return NULL;
}

static void *dispatch_thread(void *context)
{
    struct waiting *waiting = context;
    waiting->status = peal_waitset_dispatch(waitset, LONG_NS, &waiting->dispatched);
    return NULL;
}

static bool are_asleep(void *least)
{
    return bus_fixture_counter(&bus->counters.sleeps) >= *(uint64_t *)least;
}

static void start(struct waiting *waiting, void *(*body)(void *))
{
    uint64_t sleeps = bus_fixture_counter(&bus->counters.sleeps) + 1;
    memset(waiting, 0, sizeof(*waiting));
    assert_int_equal(pthread_create(&waiting->thread, NULL, body, waiting), 0);
    assert_true(eventually(are_asleep, &sleeps, EVENTUALLY_TIMEOUT_NS));
}

static enum peal_status join(struct waiting *waiting)
{
    (void)pthread_join(waiting->thread, NULL);
    return waiting->status;
}

static void an_interrupt_brings_out_all_who_wait(void **state)
{
    (void)state;
    struct waiting one, two;
    start(&one, wait_thread);
    start(&two, dispatch_thread);
    assert_int_equal(peal_waitset_interrupt(waitset), PEAL_OK);
    assert_int_equal(join(&one), PEAL_AGAIN);
    assert_int_equal(join(&two), PEAL_AGAIN);
    assert_int_equal(peal_waitset_wait(waitset, 0, NULL, 0, NULL), PEAL_TIMEDOUT);
}

static void closing_the_waitset_brings_out_all_who_wait(void **state)
{
    (void)state;
    struct waiting one, two;
    add(0, on_ready);
    start(&one, wait_thread);
    start(&two, dispatch_thread);
    peal_waitset_close(waitset);
    assert_int_equal(join(&one), PEAL_CLOSED);
    assert_int_equal(join(&two), PEAL_CLOSED);
    waitset = NULL;
}

static void closing_the_bus_brings_out_all_who_wait(void **state)
{
    (void)state;
    struct waiting one, two;
    start(&one, wait_thread);
    start(&two, dispatch_thread);
    peal_bus_close(bus);
    assert_int_equal(join(&one), PEAL_CLOSED);
    assert_int_equal(join(&two), PEAL_CLOSED);
    assert_int_equal(peal_waitset_wait(waitset, 0, NULL, 0, NULL), PEAL_CLOSED);
    bus = NULL;
}

static void a_publish_wakes_a_waiting_thread(void **state)
{
    (void)state;
    struct waiting one;
    add(0, on_ready);
    start(&one, dispatch_thread);
    fake_publish(fakes[0], bus);
    assert_int_equal(join(&one), PEAL_OK);
    assert_int_equal(one.dispatched, 1);
    assert_int_equal(bus_fixture_counter(&bus->counters.safety_net_finds), 0);
}

static void adding_a_ready_subscriber_wakes_a_waiting_thread(void **state)
{
    (void)state;
    struct waiting one;
    struct peal_subscriber *subscriber = create(0);
    set_work(0, 1);
    start(&one, dispatch_thread);
    assert_int_equal(peal_waitset_add(waitset, subscriber, on_ready, number(0)), PEAL_OK);
    assert_int_equal(join(&one), PEAL_OK);
    assert_int_equal(calls[0], 1);
    assert_int_equal(bus_fixture_counter(&bus->counters.safety_net_finds), 0);
}

static peal_u32 inside; /* threads in the callback now */
static peal_u32 go_on;
static bool overlapped;

static bool is_inside(void *unused)
{
    (void)unused;
    return peal_u32_load_acquire(&inside) != 0;
}

/* The first call stays inside until it is told to go on, and leaves the work undone. */
static void stay_inside(struct peal_subscriber *subscriber, void *context)
{
    overlapped = overlapped || peal_u32_add_acq_rel(&inside, 1) != 0;
    uint32_t *count = context;
    if (++*count == 1) {
        while (peal_u32_load_acquire(&go_on) == 0)
            continue;
    } else {
        (void)fake_take((struct fake_endpoint *)(void *)peal_endpoint_of(subscriber));
    }
    (void)peal_u32_add_acq_rel(&inside, UINT32_MAX);
}

static void two_threads_never_run_one_callback_and_what_is_left_wakes_the_other(void **state)
{
    (void)state;
    struct waiting one, two;
    peal_u32_store_release(&inside, 0);
    peal_u32_store_release(&go_on, 0);
    overlapped = false;
    add(0, stay_inside);
    start(&one, dispatch_thread);
    fake_publish(fakes[0], bus);
    assert_true(eventually(is_inside, NULL, EVENTUALLY_TIMEOUT_NS));
    start(&two, dispatch_thread); /* sleeps over an endpoint that is ready, but busy */
    peal_u32_store_release(&go_on, 1);
    assert_int_equal(join(&one), PEAL_OK);
    assert_int_equal(join(&two), PEAL_OK);
    assert_false(overlapped);
    assert_int_equal(calls[0], 2);
    assert_int_equal(bus_fixture_counter(&bus->counters.safety_net_finds), 0);
}

static void closed_things_take_no_members(void **state)
{
    (void)state;
    struct peal_waitset *none;
    struct peal_subscriber *subscriber = create(0);
    assert_true(peal_endpoint_hold(&fakes[0]->endpoint));
    fake_close(fakes[0]);
    assert_int_equal(peal_waitset_add(waitset, subscriber, NULL, NULL), PEAL_CLOSED);
    peal_endpoint_drop(&fakes[0]->endpoint);
    fakes[0] = NULL;
    peal_bus_close(bus);
    assert_int_equal(peal_waitset_create(waitset->bus, &none), PEAL_CLOSED);
    assert_null(none);
    bus = NULL;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_all, close_all)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(missing_arguments_are_refused),
        TEST(a_subscriber_is_added_once_and_removed_once),
        TEST(a_subscriber_of_another_bus_is_refused),
        TEST(wait_gives_the_contexts_of_who_is_ready),
        TEST(a_short_array_starves_nobody),
        TEST(dispatch_calls_everyone_who_is_ready),
        TEST(members_without_a_callback_are_not_dispatched),
        TEST(a_closed_subscriber_leaves_its_waitsets),
        TEST(closing_a_waitset_lets_go_of_its_members),
        TEST(a_callback_may_close_its_own_subscriber),
        TEST(nobody_is_called_after_it_was_closed_or_removed),
        TEST(a_callback_may_close_the_waitset),
        TEST(a_callback_may_add),
        TEST(an_interrupt_that_nobody_waits_for_meets_the_next_wait),
        TEST(an_interrupt_brings_out_all_who_wait),
        TEST(closing_the_waitset_brings_out_all_who_wait),
        TEST(closing_the_bus_brings_out_all_who_wait),
        TEST(a_publish_wakes_a_waiting_thread),
        TEST(adding_a_ready_subscriber_wakes_a_waiting_thread),
        TEST(two_threads_never_run_one_callback_and_what_is_left_wakes_the_other),
        TEST(closed_things_take_no_members),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
