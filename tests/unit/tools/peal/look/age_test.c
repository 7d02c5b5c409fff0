/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/peal/look/age.h"

#include "tools/peal/kit/stop.h"

#include <setjmp.h>
#include <stdarg.h>
#include <time.h>

#include <cmocka.h>

/* Now, by both clocks; this machine runs for 1000 s. */
#define MONOTONIC_NS (1000 * NS_PER_S)
#define SINCE_1970_NS (UINT64_C(1700000000) * NS_PER_S)

static const struct snapshot live = {.region = {.members_known = true}};
static const struct snapshot copy = {.region = {.members_known = false}};

static bool heartbeat(const struct snapshot *snapshot, uint64_t heartbeat_ns, uint64_t attached_ns,
                      uint64_t *age_ns)
{
    const struct snapshot_client client = {
        .seen = {.heartbeat_ns = heartbeat_ns, .attached_ns = attached_ns}};
    return age_of_heartbeat(snapshot, &client, MONOTONIC_NS, SINCE_1970_NS, age_ns);
}

static void an_age_is_told_of_the_past_only(void **state)
{
    uint64_t age_ns = 7;
    (void)state;
    assert_false(age_since(0, 100, &age_ns));
    assert_false(age_since(101, 100, &age_ns));
    assert_false(age_since(UINT64_MAX, 100, &age_ns));
    assert_int_equal(age_ns, 7);
    assert_true(age_since(100, 100, &age_ns));
    assert_int_equal(age_ns, 0);
    assert_true(age_since(1, 100, &age_ns));
    assert_int_equal(age_ns, 99);
}

static void a_heartbeat_of_this_machine_has_an_age(void **state)
{
    uint64_t age_ns = 0;
    (void)state;
    assert_true(
        heartbeat(&live, MONOTONIC_NS - 3 * NS_PER_S, SINCE_1970_NS - 60 * NS_PER_S, &age_ns));
    assert_int_equal(age_ns, 3 * NS_PER_S);
    /* It came this moment, and the clocks were not read at once. */
    assert_true(heartbeat(&live, MONOTONIC_NS - NS_PER_MS, SINCE_1970_NS, &age_ns));
}

static void a_heartbeat_of_another_clock_has_none(void **state)
{
    uint64_t age_ns;
    (void)state;
    /* Its machine runs for longer, or for less than since the client came. */
    assert_false(heartbeat(&live, MONOTONIC_NS + 1, SINCE_1970_NS - 60 * NS_PER_S, &age_ns));
    assert_false(heartbeat(&live, 5 * NS_PER_S, SINCE_1970_NS - 60 * NS_PER_S, &age_ns));
    /* Never; a client that says nothing of when it came, or that it comes. */
    assert_false(heartbeat(&live, 0, SINCE_1970_NS - 60 * NS_PER_S, &age_ns));
    assert_false(heartbeat(&live, MONOTONIC_NS, 0, &age_ns));
    assert_false(heartbeat(&live, MONOTONIC_NS, UINT64_MAX, &age_ns));
    /* A copy may be of any time. */
    assert_false(
        heartbeat(&copy, MONOTONIC_NS - 3 * NS_PER_S, SINCE_1970_NS - 60 * NS_PER_S, &age_ns));
}

static void a_message_has_an_age_unless_of_the_future_or_in_a_copy(void **state)
{
    uint64_t age_ns = 0;
    (void)state;
    assert_true(age_of_message(&live, MONOTONIC_NS - 5, MONOTONIC_NS, &age_ns));
    assert_int_equal(age_ns, 5);
    assert_false(age_of_message(&live, 0, MONOTONIC_NS, &age_ns));
    assert_false(age_of_message(&live, MONOTONIC_NS + 1, MONOTONIC_NS, &age_ns));
    assert_false(age_of_message(&copy, MONOTONIC_NS - 5, MONOTONIC_NS, &age_ns));
}

static void the_clock_is_that_of_the_calendar(void **state)
{
    const time_t before = time(NULL);
    const uint64_t now_ns = clock_since_1970_ns();
    (void)state;
    assert_true(now_ns / NS_PER_S >= (uint64_t)before);
    assert_true(now_ns / NS_PER_S <= (uint64_t)time(NULL) + 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_age_is_told_of_the_past_only),
        cmocka_unit_test(a_heartbeat_of_this_machine_has_an_age),
        cmocka_unit_test(a_heartbeat_of_another_clock_has_none),
        cmocka_unit_test(a_message_has_an_age_unless_of_the_future_or_in_a_copy),
        cmocka_unit_test(the_clock_is_that_of_the_calendar),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
