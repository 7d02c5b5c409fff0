/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/peal/kit/stop.h"

#include "tests/support/child.h"

#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <unistd.h>

#include <cmocka.h>

#define SOON_NS (clock_now_ns() + NS_PER_MS)
#define LONG_NS (clock_now_ns() + 30 * NS_PER_S)

/* Each in a child of its own: what was asked for cannot be taken back. Each answers the place of what is wrong, or 0. */

static bool polls_readable(void)
{
    struct pollfd wait = {.fd = stop_fd(), .events = POLLIN};
    return poll(&wait, 1, 0) == 1;
}

static int stopped_by(struct child_link *link, void *context)
{
    (void)link;
    if (!stop_init() || stop_requested() || polls_readable())
        return 1;
    if (!stop_wait_until(SOON_NS) || clock_now_ns() == 0)
        return 2;
    if (context)
        (void)raise(*(const int *)context);
    else
        stop_request();
    if (!stop_requested() || !polls_readable())
        return 3;
    return stop_wait_until(LONG_NS) ? 4 : 0;
}

static int killed_by_the_second(struct child_link *link, void *context)
{
    (void)link;
    (void)context;
    if (!stop_init())
        return 1;
    (void)raise(SIGTERM);
    (void)raise(SIGTERM);
    return 2;
}

static int ignored_before(struct child_link *link, void *context)
{
    (void)link;
    (void)context;
    (void)signal(SIGINT, SIG_IGN); /* as in the background of a script */
    (void)signal(SIGHUP, SIG_IGN); /* as nohup does */
    (void)signal(SIGTERM, SIG_IGN);
    if (!stop_init())
        return 1;
    (void)raise(SIGINT);
    (void)raise(SIGHUP);
    if (stop_requested())
        return 2;
    (void)raise(SIGTERM);
    return stop_requested() ? 0 : 3;
}

static int interrupted_wait(struct child_link *link, void *context)
{
    uint64_t word;
    (void)context;
    if (!stop_init() || !child_say(link, 1))
        return 1;
    const bool waited = stop_wait_until(LONG_NS);
    (void)child_hear(link, &word);
    return waited ? 2 : 0;
}

static int end_of(int (*body)(struct child_link *link, void *context), const void *context)
{
    struct child child;
    assert_true(child_start(&child, body, (void *)(uintptr_t)context));
    return child_reap(&child);
}

static void each_of_three_signals_asks_to_stop(void **state)
{
    static const int signals[] = {SIGINT, SIGTERM, SIGHUP};
    (void)state;
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(end_of(stopped_by, &signals[i]), 0);
    assert_int_equal(end_of(stopped_by, NULL), 0);
}

static void the_second_signal_kills(void **state)
{
    (void)state;
    assert_int_equal(end_of(killed_by_the_second, NULL), 128 + SIGTERM);
}

static void what_was_ignored_on_purpose_stays_so_but_for_sigterm(void **state)
{
    (void)state;
    assert_int_equal(end_of(ignored_before, NULL), 0);
}

static void a_wait_ends_at_once(void **state)
{
    struct child child;
    uint64_t word;
    (void)state;
    assert_true(child_start(&child, interrupted_wait, NULL));
    assert_true(child_hear(&child.link, &word));
    assert_int_equal(kill(child.pid, SIGTERM), 0);
    assert_true(child_say(&child.link, 1));
    assert_int_equal(child_reap(&child), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_of_three_signals_asks_to_stop),
        cmocka_unit_test(the_second_signal_kills),
        cmocka_unit_test(what_was_ignored_on_purpose_stays_so_but_for_sigterm),
        cmocka_unit_test(a_wait_ends_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
