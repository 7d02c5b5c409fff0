/* SPDX-License-Identifier: Apache-2.0 */
/*
 * G6: a publisher does not wait for a lossy subscriber, not even for one whose process is stopped in
 * the middle of whatever it does. The stopped one is told its loss when it goes on.
 */
#include "tests/support/child.h"
#include "tests/support/eventually.h"
#include "tests/support/place.h"
#include "tests/support/topic_fixture.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define MESSAGES 200000u

/* Takes all the time until the last message; then says what it was told. */
static int take_lossily(struct child_link *link, void *context)
{
    struct peal_bus *bus = topic_bus(context);
    struct peal_subscriber *subscriber = bus ? topic_subscribe(bus, "t", PEAL_BEST_EFFORT) : NULL;
    if (!subscriber || !child_say(link, 1))
        return 1;
    uint64_t begin_ns = test_now_ns(), delivered = 0, lost = 0, last = 0;
    while (last + 1 < MESSAGES && test_now_ns() - begin_ns < 3 * EVENTUALLY_TIMEOUT_NS) {
        struct peal_message message;
        enum peal_status status = topic_take(subscriber, &message);
        if (status == PEAL_EMPTY)
            continue;
        if (status != PEAL_OK)
            return 2;
        last = message.number;
        lost += message.lost;
        delivered++;
    }
    (void)child_say(link, delivered);
    (void)child_say(link, lost);
    peal_subscriber_close(subscriber);
    peal_bus_close(bus);
    return 0;
}

static void stop_one(const char *scheme)
{
    struct place place;
    assert_true(place_make(&place, scheme, "g6", NULL));
    struct peal_bus *bus = topic_bus(place.url);
    struct peal_publisher_options options = topic_publisher_options(64, PEAL_FULL_WAIT);
    struct peal_publisher *publisher = topic_publish(bus, "t", &options);
    assert_non_null(publisher);
    struct child child;
    uint64_t word = 0, delivered = 0, lost = 0;
    assert_true(child_start(&child, take_lossily, place.url));
    assert_true(child_hear(&child.link, &word));
    for (uint64_t number = 0; number < 1000; number++)
        assert_int_equal(topic_put(publisher, number), PEAL_OK);

    int status = 0;
    assert_int_equal(kill(child.pid, SIGSTOP), 0);
    assert_int_equal(waitpid(child.pid, &status, WUNTRACED), child.pid);
    assert_true(WIFSTOPPED(status));
    uint64_t begin_ns = test_now_ns(), slowest_ns = 0;
    for (uint64_t number = 1000; number < MESSAGES - 1; number++)
        assert_int_equal(topic_put(publisher, number), PEAL_OK);
    slowest_ns = test_now_ns() - begin_ns;
    assert_true(slowest_ns < EVENTUALLY_TIMEOUT_NS / 2);
    struct peal_publisher_stats stats = topic_published(publisher);
    assert_true(stats.waits == 0 && stats.refused == 0 && stats.dropped == 0);

    assert_int_equal(kill(child.pid, SIGCONT), 0);
    assert_int_equal(topic_put(publisher, MESSAGES - 1), PEAL_OK);
    assert_true(child_hear(&child.link, &delivered) && child_hear(&child.link, &lost));
    assert_int_equal(child_reap(&child), 0);
    assert_true(delivered + lost == MESSAGES && lost > 0);
    peal_publisher_close(publisher);
    peal_bus_close(bus);
    place_remove(&place);
}

static void a_stopped_lossy_subscriber_holds_nobody_up(void **state)
{
    (void)state;
    stop_one("posix");
}

static void a_stopped_lossy_guest_holds_nobody_up(void **state)
{
    (void)state;
    stop_one("vdev");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_stopped_lossy_subscriber_holds_nobody_up),
        cmocka_unit_test(a_stopped_lossy_guest_holds_nobody_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
