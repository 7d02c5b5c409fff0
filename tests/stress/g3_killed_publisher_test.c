/* SPDX-License-Identifier: Apache-2.0 */
/*
 * G3 by death: a publisher is killed in mid-stream. Everything that it had published when it died is
 * delivered or reported lost, and its lane ends. PEAL_TEST_SEED repeats a run.
 */
#include "core/atomic.h"
#include "tests/support/child.h"
#include "tests/support/eventually.h"
#include "tests/support/place.h"
#include "tests/support/topic_fixture.h"

#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#define KILLS 12u

struct shared_run {
    peal_u64 incarnation;
    peal_u64 published; /* at least so many, whenever it dies */
    peal_u64 dropped;
};

struct run {
    const char *url;
    struct shared_run *shared;
    enum peal_full_policy policy;
};

static int publish_until_killed(struct child_link *link, void *context)
{
    (void)link;
    struct run *run = context;
    struct peal_bus *bus = topic_bus(run->url);
    struct peal_publisher_options options = topic_publisher_options(64, run->policy);
    struct peal_publisher *publisher = bus ? topic_publish(bus, "t", &options) : NULL;
    if (!publisher)
        return 1;
    peal_u64_store_release(&run->shared->incarnation, topic_published(publisher).incarnation);
    for (uint64_t number = 0;;) {
        enum peal_status status = topic_put(publisher, number);
        if (status != PEAL_OK && status != PEAL_DROPPED)
            return 1;
        number += status == PEAL_OK;
        if (status == PEAL_DROPPED)
            (void)peal_u64_add_relaxed(&run->shared->dropped, 1);
        else
            peal_u64_store_release(&run->shared->published, number);
    }
}

struct account {
    struct peal_subscriber *subscriber;
    uint64_t publisher;
    uint64_t expected;
    uint64_t delivered;
    uint64_t told;
};

static void take_all(struct account *account)
{
    struct peal_message message;
    while (topic_take(account->subscriber, &message) == PEAL_OK) {
        assert_true(message.publisher == account->publisher);
        assert_true(message.number >= account->expected);
        assert_true(message.lost >= message.number - account->expected);
        account->expected = message.number + 1;
        account->delivered++;
        account->told += message.lost;
    }
}

/* True once the dead publisher's lane was left: nothing more can come of it. */
static bool has_ended(void *context)
{
    struct account *account = context;
    take_all(account);
    (void)peal_subscriber_wait(account->subscriber, 1000000); /* who waits looks for the dead */
    return topic_taken(account->subscriber).publishers == 0;
}

static bool has_published(void *context)
{
    struct shared_run *shared = context;
    return peal_u64_load_acquire(&shared->published) > 0;
}

static void kill_one(struct run *run, struct peal_bus *bus, uint64_t *seed)
{
    struct account accounts[2] = {
        {.subscriber = topic_subscribe(bus, "t", PEAL_RELIABLE)},
        {.subscriber = topic_subscribe(bus, "t", PEAL_BEST_EFFORT)},
    };
    struct child child;
    memset(run->shared, 0, sizeof(*run->shared));
    assert_true(child_start(&child, publish_until_killed, run));
    assert_true(eventually(has_published, run->shared, EVENTUALLY_TIMEOUT_NS));
    uint64_t until = 1 + random_below(seed, 20000),
             deadline_ns = test_now_ns() + EVENTUALLY_TIMEOUT_NS;
    accounts[0].publisher = accounts[1].publisher =
        peal_u64_load_acquire(&run->shared->incarnation);
    while (peal_u64_load_acquire(&run->shared->published) < until) {
        take_all(&accounts[0]);
        if (random_below(seed, 50) == 0)
            take_all(&accounts[1]);
        if (random_below(seed, 8) == 0)
            (void)sched_yield();
        assert_true(test_now_ns() < deadline_ns);
    }
    child_kill(&child);
    for (unsigned i = 0; i < 2; i++) {
        struct account *account = &accounts[i];
        assert_true(eventually(has_ended, account, EVENTUALLY_TIMEOUT_NS));
        uint64_t published = peal_u64_load_acquire(&run->shared->published);
        struct peal_subscriber_stats stats = topic_taken(account->subscriber);
        assert_true(stats.delivered == account->delivered);
        assert_true(stats.lost >= account->told);
        /* It died between a store and its own note of it, at most one message each. */
        uint64_t all = published + peal_u64_load_relaxed(&run->shared->dropped);
        uint64_t told = stats.delivered + stats.lost;
        assert_in_range(told, all, all + 2);
        if (i == 0)
            assert_in_range(stats.delivered, published, published + 1);
        peal_subscriber_close(account->subscriber);
    }
}

static void kill_many(const char *scheme, enum peal_full_policy policy)
{
    uint64_t seed = random_seed() + policy;
    struct run run = {.policy = policy};
    struct place place;
    assert_true(place_make(&place, scheme, "g3", NULL));
    run.url = place.url;
    run.shared =
        mmap(NULL, sizeof(*run.shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_ptr_not_equal(run.shared, MAP_FAILED);
    struct peal_bus *bus = topic_bus(run.url);
    assert_non_null(bus);
    for (unsigned i = 0; i < KILLS; i++)
        kill_one(&run, bus, &seed);
    peal_bus_close(bus);
    place_remove(&place);
    (void)munmap(run.shared, sizeof(*run.shared));
}

static void a_waiting_publisher_is_killed_and_all_it_published_arrives(void **state)
{
    (void)state;
    kill_many("posix", PEAL_FULL_WAIT);
}

static void a_waiting_guest_is_killed_and_all_it_published_arrives(void **state)
{
    (void)state;
    kill_many("vdev", PEAL_FULL_WAIT);
}

static void a_dropping_publisher_is_killed_and_all_it_published_or_dropped_is_known(void **state)
{
    (void)state;
    kill_many("posix", PEAL_FULL_DROP_NEWEST);
}

static void a_dropping_guest_is_killed_and_all_it_published_or_dropped_is_known(void **state)
{
    (void)state;
    kill_many("vdev", PEAL_FULL_DROP_NEWEST);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_waiting_publisher_is_killed_and_all_it_published_arrives),
        cmocka_unit_test(a_dropping_publisher_is_killed_and_all_it_published_or_dropped_is_known),
        cmocka_unit_test(a_waiting_guest_is_killed_and_all_it_published_arrives),
        cmocka_unit_test(a_dropping_guest_is_killed_and_all_it_published_or_dropped_is_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
