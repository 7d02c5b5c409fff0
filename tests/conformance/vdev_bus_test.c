/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A bus over the vdev as its users have it: by URL, between processes that are guests of a device server, which may end.
 */
#include "bus/bus_internal.h"
#include "tests/support/child.h"
#include "tests/support/eventually.h"
#include "tests/support/place.h"
#include "tests/support/topic_fixture.h"

#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define MESSAGES 1000u

static void assert_refused(enum peal_status status, enum peal_status expected, const char *word)
{
    if (status != expected || strstr(peal_error_message(), word) == NULL)
        fail_msg("%s instead of %s with '%s': %s", peal_status_name(status),
                 peal_status_name(expected), word, peal_error_message());
}

static int publish_all(struct child_link *link, void *context)
{
    struct peal_bus *bus = topic_bus(context);
    struct peal_publisher_options options = topic_publisher_options(16, PEAL_FULL_WAIT);
    struct peal_publisher *publisher = bus ? topic_publish(bus, "t", &options) : NULL;
    uint64_t word;
    if (!publisher || !child_say(link, 1) || !child_hear(link, &word))
        return 1;
    for (uint64_t number = 0; number < MESSAGES; number++)
        if (topic_put(publisher, number) != PEAL_OK)
            return 2;
    (void)child_hear(link, &word); /* to be killed, or to go */
    peal_publisher_close(publisher);
    peal_bus_close(bus);
    return 0;
}

/* Takes `count` messages in order, asleep while there is none. */
static void take_all(struct peal_subscriber *subscriber, uint64_t count)
{
    struct peal_message message;
    for (uint64_t number = 0; number < count;) {
        assert_int_equal(peal_subscriber_wait(subscriber, EVENTUALLY_TIMEOUT_NS), PEAL_OK);
        enum peal_status status;
        while ((status = topic_take(subscriber, &message)) == PEAL_OK) {
            assert_int_equal(message.number, number);
            assert_int_equal(message.lost, 0);
            number++;
        }
        assert_int_equal(status, PEAL_EMPTY);
    }
}

static void two_processes_exchange_a_topic(void **state)
{
    (void)state;
    struct place place;
    struct child child;
    uint64_t word = 0;
    assert_true(place_make(&place, "vdev", "bus", NULL));
    struct peal_bus *bus = topic_bus(place.url);
    struct peal_subscriber *subscriber = topic_subscribe(bus, "t", PEAL_RELIABLE);
    assert_true(child_start(&child, publish_all, place.url));
    assert_true(child_hear(&child.link, &word));
    assert_true(child_say(&child.link, 0));
    take_all(subscriber, MESSAGES);
    assert_true(child_say(&child.link, 0));
    assert_int_equal(child_reap(&child), 0);
    peal_subscriber_close(subscriber);
    peal_bus_close(bus);
    place_remove(&place);
}

static uint32_t members_of(struct peal_bus *bus)
{
    struct peal_bus_stats stats = {.struct_bytes = sizeof(stats)};
    assert_int_equal(peal_bus_stats(bus, &stats), PEAL_OK);
    assert_int_equal(stats.clients_max, 16);
    assert_int_equal(stats.one_clock, 0); /* the others may be other machines */
    return stats.members;
}

static bool has_left(void *context)
{
    struct peal_subscriber *subscriber = context;
    (void)peal_subscriber_wait(subscriber, 1000000);
    return topic_taken(subscriber).publishers == 0;
}

static void a_killed_process_is_seen_to_leave_and_another_takes_its_place(void **state)
{
    (void)state;
    struct place place;
    assert_true(place_make(&place, "vdev", "bus", NULL));
    struct peal_bus *bus = topic_bus(place.url);
    struct peal_subscriber *subscriber = topic_subscribe(bus, "t", PEAL_RELIABLE);
    for (int life = 0; life < 3; life++) {
        struct child child;
        uint64_t word = 0;
        assert_true(child_start(&child, publish_all, place.url));
        assert_true(child_hear(&child.link, &word));
        assert_int_equal(members_of(bus), 2);
        assert_true(child_say(&child.link, 0));
        take_all(subscriber, MESSAGES);
        child_kill(&child);
        assert_true(eventually(has_left, subscriber, EVENTUALLY_TIMEOUT_NS));
        assert_int_equal(members_of(bus), 1);
    }
    peal_subscriber_close(subscriber);
    peal_bus_close(bus);
    place_remove(&place);
}

static void auto_takes_the_device_that_is_there_and_posix_where_there_is_none(void **state)
{
    (void)state;
    struct place place;
    char url[320];
    struct peal_bus_options options = PEAL_BUS_OPTIONS_INIT;
    struct peal_bus *bus = NULL;
    assert_true(place_make(&place, "vdev", "bus", NULL));
    const char *name = strchr(place.name, ':') + 1;
    (void)snprintf(url, sizeof(url), "auto:%s", name);
    options.size_bytes = UINT64_C(1) << 20;
    options.device = place.program.socket;
    assert_int_equal(peal_bus_open(&bus, url, &options), PEAL_OK);
    assert_string_equal(bus->transport->ops->scheme, "vdev");
    peal_bus_close(bus);
    (void)snprintf(url, sizeof(url), "auto:%s?device=%s", name, place.program.socket);
    assert_int_equal(peal_bus_open(&bus, url, NULL), PEAL_OK);
    assert_string_equal(bus->transport->ops->scheme, "vdev");
    peal_bus_close(bus);
    (void)snprintf(url, sizeof(url), "auto:%s?device=%s/no-such", name, place.program.folder);
    assert_int_equal(peal_bus_open(&bus, url, &options), PEAL_OK);
    assert_string_equal(bus->transport->ops->scheme, "posix");
    peal_bus_close(bus);
    assert_int_equal(peal_unlink(url), PEAL_OK);
    place_remove(&place);
}

static void a_bus_that_cannot_be_had_says_why(void **state)
{
    (void)state;
    struct peal_bus *bus = NULL;
    struct place place;
    assert_refused(peal_bus_open(&bus, "vdev:x?device=/no/such", NULL), PEAL_ENOENT, "/no/such");
    assert_refused(peal_bus_open(&bus, "vdev:x?device=/no/such", NULL), PEAL_ENOENT,
                   "cannot open vdev:x");
    assert_true(place_make(&place, "vdev", "bus", "exist=1"));
    assert_refused(peal_bus_open(&bus, place.url, NULL), PEAL_ENOENT, "does not exist");
    assert_refused(peal_unlink(place.url), PEAL_ENOTSUP, "last client");
    assert_null(bus);
    place_remove(&place);
}

static void when_the_server_ends_who_waits_is_told(void **state)
{
    (void)state;
    struct place place;
    struct peal_message message;
    assert_true(place_make(&place, "vdev", "bus", NULL));
    struct peal_bus *bus = topic_bus(place.url);
    struct peal_subscriber *subscriber = topic_subscribe(bus, "t", PEAL_RELIABLE);
    struct peal_publisher_options options = topic_publisher_options(16, PEAL_FULL_REFUSE);
    struct peal_publisher *publisher = topic_publish(bus, "t", &options);
    int fd = -1;
    assert_int_equal(peal_bus_fd(bus, &fd), PEAL_OK);
    assert_int_equal(peal_bus_arm(bus), PEAL_OK);
    vdev_program_kill(&place.program);
    struct pollfd polled = {.fd = fd, .events = POLLIN};
    assert_int_equal(poll(&polled, 1, 20000), 1); /* an event loop wakes */
    assert_refused(peal_bus_disarm(bus), PEAL_ESYSTEM, "open it again");
    assert_refused(peal_subscriber_wait(subscriber, PEAL_FOREVER), PEAL_ESYSTEM, "open it again");
    /* Memory is there still, and so are those who have it. */
    assert_int_equal(topic_put(publisher, 0), PEAL_OK);
    assert_int_equal(peal_subscriber_wait(subscriber, PEAL_FOREVER), PEAL_OK);
    assert_int_equal(topic_take(subscriber, &message), PEAL_OK);
    assert_int_equal(members_of(bus), 1);
    peal_publisher_close(publisher);
    peal_subscriber_close(subscriber);
    peal_bus_close(bus);
    place_remove(&place);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_processes_exchange_a_topic),
        cmocka_unit_test(a_killed_process_is_seen_to_leave_and_another_takes_its_place),
        cmocka_unit_test(auto_takes_the_device_that_is_there_and_posix_where_there_is_none),
        cmocka_unit_test(a_bus_that_cannot_be_had_says_why),
        cmocka_unit_test(when_the_server_ends_who_waits_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
