/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An observer over each transport that lets one look: what it sees of clients in other processes, what
 * it costs them, and that it cannot write.
 */
#include "bus/bus_internal.h"
#include "core/owner.h"
#include "tests/support/child.h"
#include "tests/support/place.h"
#include "tests/support/sight.h"
#include "tests/support/topic_fixture.h"
#include "transport/view.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>

#include <cmocka.h>

static const char *const schemes[] = {"posix", "vdev"};

static struct sight sight;

static int publish_and_stay(struct child_link *link, void *context)
{
    struct peal_bus *bus = topic_bus(context);
    struct peal_publisher_options options = topic_publisher_options(16, PEAL_FULL_REFUSE);
    struct peal_publisher *publisher = bus ? topic_publish(bus, "t", &options) : NULL;
    uint64_t word;
    for (uint64_t i = 0; publisher && i < 5; i++)
        if (topic_put(publisher, i) != PEAL_OK)
            return 1;
    if (!publisher || !child_say(link, bus->region.index) || !child_hear(link, &word))
        return 2;
    peal_publisher_close(publisher);
    peal_bus_close(bus);
    return 0;
}

static void clients_of_other_processes_are_seen_alive_and_dead(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct place place;
        struct child child;
        struct peal_observer *observer;
        uint64_t publisher = 0;
        assert_true(place_make(&place, schemes[i], "observer", NULL));
        struct peal_bus *bus = topic_bus(place.url);
        struct peal_subscriber *subscriber = topic_subscribe(bus, "t", PEAL_RELIABLE);
        assert_true(child_start(&child, publish_and_stay, place.url));
        assert_true(child_hear(&child.link, &publisher));
        assert_int_equal(peal_observer_open(&observer, place.url, NULL), PEAL_OK);
        assert_int_equal(sight_take(&sight, observer), PEAL_OK);
        assert_int_equal(sight.region.members, UINT64_C(1) << bus->region.index | UINT64_C(1)
                                                                                      << publisher);
        assert_int_equal(sight.clients, 2);
        assert_int_equal(sight.publishers, 1);
        assert_int_equal(sight.publisher[0].published, 5);
        assert_int_equal(sight.publisher[0].life, PEAL_AUDIT_ALIVE);
        assert_int_equal(sight.subscribers, 1);
        assert_int_equal(sight.subscriber[0].life, PEAL_AUDIT_ALIVE);
        child_kill(&child);
        do /* a device server hears of it a little later */
            assert_int_equal(sight_take(&sight, observer), PEAL_OK);
        while (sight.region.members >> publisher & 1);
        assert_int_equal(sight.publishers, 1);
        assert_int_equal(sight.publisher[0].life, PEAL_AUDIT_DEAD);
        assert_int_equal(sight.publisher[0].published, 5);
        peal_observer_close(observer);
        peal_subscriber_close(subscriber);
        peal_bus_close(bus);
        place_remove(&place);
    }
}

static void there_is_nothing_to_see_where_nobody_is(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct place place;
        struct peal_observer *observer;
        assert_true(place_make(&place, schemes[i], "nobody", NULL));
        assert_int_equal(peal_observer_open(&observer, place.url, NULL), PEAL_ENOENT);
        assert_null(observer);
        place_remove(&place);
    }
}

/* Over the vdev an observer is a guest, and has an index while it is there; over posix it has none. */
static void an_index_is_taken_by_the_device_only_and_given_back(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct place place;
        struct peal_observer *observer;
        assert_true(place_make(&place, schemes[i], "index", NULL));
        struct peal_bus *bus = topic_bus(place.url);
        assert_int_equal(peal_observer_open(&observer, place.url, NULL), PEAL_OK);
        struct peal_bus *second = topic_bus(place.url);
        assert_int_equal(second->region.index, bus->region.index + (place.vdev ? 2 : 1));
        assert_int_equal(sight_take(&sight, observer), PEAL_OK);
        assert_int_equal(sight.clients, 2);
        peal_bus_close(second);
        peal_observer_close(observer);
        second = topic_bus(place.url);
        assert_int_equal(second->region.index, bus->region.index + 1);
        peal_bus_close(second);
        peal_bus_close(bus);
        place_remove(&place);
    }
}

/* A dead client's entry at the index that an observer gets would pass for alive as long as he is there. */
static void an_observer_does_not_hide_a_death(void **state)
{
    (void)state;
    struct place place;
    struct child child;
    uint64_t publisher = 0;
    assert_true(place_make(&place, "vdev", "hidden", NULL));
    struct peal_bus *bus = topic_bus(place.url);
    assert_true(child_start(&child, publish_and_stay, place.url));
    assert_true(child_hear(&child.link, &publisher));
    child_kill(&child);
    while (peal_authority_members(&bus->region.authority) >> publisher & 1)
        ;
    struct peal_observer *observer;
    assert_int_equal(peal_observer_open(&observer, place.url, NULL), PEAL_AGAIN);
    assert_int_equal(peal_bus_recover(bus, NULL), PEAL_OK);
    assert_int_equal(peal_observer_open(&observer, place.url, NULL), PEAL_OK);
    peal_observer_close(observer);
    peal_bus_close(bus);
    place_remove(&place);
}

static int write_through_a_view(struct child_link *link, void *context)
{
    struct peal_view view;
    struct peal_transport_options options = {.struct_bytes = sizeof(options)};
    char *colon = strchr(context, ':');
    char *device = strstr(context, "?device=");
    (void)link;
    *colon = '\0';
    if (device) {
        *device = '\0';
        options.device = device + strlen("?device=");
    }
    if (peal_view_open(&view, context, colon + 1, &options) != PEAL_OK)
        return 1;
    (void)signal(SIGSEGV, SIG_DFL);
    uint64_t sum = 0;
    for (uint64_t at = 0; at < view.size_bytes; at += 4096)
        sum += peal_u64_load_relaxed((const peal_u64 *)(const void *)(view.base + at));
    peal_u64_store_relaxed((peal_u64 *)(uintptr_t)(view.base + 4096), sum);
    return 0;
}

static void the_mapping_cannot_be_written(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct place place;
        struct child child;
        char url[256];
        assert_true(place_make(&place, schemes[i], "write", NULL));
        struct peal_bus *bus = topic_bus(place.url);
        (void)snprintf(url, sizeof(url), "%s", place.url);
        assert_true(child_start(&child, write_through_a_view, url));
        assert_int_equal(child_reap(&child), 128 + SIGSEGV);
        peal_bus_close(bus);
        place_remove(&place);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(clients_of_other_processes_are_seen_alive_and_dead),
        cmocka_unit_test(there_is_nothing_to_see_where_nobody_is),
        cmocka_unit_test(an_index_is_taken_by_the_device_only_and_given_back),
        cmocka_unit_test(an_observer_does_not_hide_a_death),
        cmocka_unit_test(the_mapping_cannot_be_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
