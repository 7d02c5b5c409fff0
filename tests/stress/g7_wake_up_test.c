/* SPDX-License-Identifier: Apache-2.0 */
/*
 * G7: no lost wake-up. Two sides send one message each in turn and sleep at once until the answer
 * comes, with a safety net of ten seconds: a wake-up that is lost shows as time. The net itself:
 * tests/crash/g7_safety_net_test.c.
 */
#include "tests/support/child.h"
#include "tests/support/eventually.h"
#include "tests/support/place.h"
#include "tests/support/topic_fixture.h"
#include "tests/support/vdev_model_access.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <unistd.h>

#include <cmocka.h>

#define NET_NS UINT64_C(10000000000)
#define LATE_NS (NET_NS / 2)
#define RUN_NS UINT64_C(1000000000)
#define DAWDLE_NS 20000u

struct side {
    char url[256];
    const char *hears;
    const char *says;
    uint64_t seed;
    bool begins;
    bool always_fence;
    bool good;
};

static struct peal_bus *open_sleepy(const struct side *side)
{
    struct peal_bus_options options = PEAL_BUS_OPTIONS_INIT;
    struct peal_bus *bus = NULL;
    options.size_bytes = UINT64_C(8) << 20;
    options.topics_max = 16;
    options.spin_ns = 1; /* 0 would be the default: sleep as soon as possible */
    options.safety_net_ns = NET_NS;
    options.always_fence = side->always_fence;
    return peal_bus_open(&bus, side->url, &options) == PEAL_OK ? bus : NULL;
}

/* Some work of random length, so that the sides meet at every place of the handshake. */
static void dawdle(uint64_t *seed, uint64_t most_ns)
{
    uint64_t wish_ns = random_next(seed) % most_ns, begin_ns = test_now_ns();
    while (test_now_ns() - begin_ns < wish_ns)
        ;
}

static bool wait_and_take(struct peal_subscriber *subscriber, struct peal_message *message)
{
    for (;;) {
        uint64_t begin_ns = test_now_ns();
        enum peal_status status = peal_subscriber_wait(subscriber, 2 * NET_NS);
        if (status != PEAL_OK || test_now_ns() - begin_ns > LATE_NS) {
            fprintf(stderr, "a wake-up came late or never: %s\n", peal_status_name(status));
            return false;
        }
        status = topic_take(subscriber, message);
        if (status != PEAL_EMPTY) /* else it was a lane that came */
            return status == PEAL_OK;
    }
}

/* Hear one, say one; an empty message is the last. */
static bool take_turns(struct side *side, struct peal_publisher *publisher,
                       struct peal_subscriber *subscriber)
{
    const uint64_t begin_ns = test_now_ns();
    uint64_t number = 0;
    if (side->begins && topic_put(publisher, number++) != PEAL_OK)
        return false;
    for (uint64_t turn = 0;; turn++) {
        struct peal_message message;
        if (!wait_and_take(subscriber, &message) || message.number != turn || message.lost)
            return false;
        if (!message.size_bytes)
            return turn > 100;
        dawdle(&side->seed, DAWDLE_NS);
        if (side->begins && test_now_ns() - begin_ns > RUN_NS)
            return turn > 100 && peal_publisher_publish(publisher, NULL, 0) == PEAL_OK;
        if (topic_put(publisher, number++) != PEAL_OK)
            return false;
    }
}

static bool has_subscriber(void *context)
{
    return topic_published(context).subscribers != 0;
}

static bool play(struct side *side)
{
    struct peal_bus *bus = open_sleepy(side);
    struct peal_subscriber_options wish = PEAL_SUBSCRIBER_OPTIONS_INIT;
    struct peal_subscriber *subscriber = NULL;
    wish.history = 1; /* the other side may begin as soon as it sees us, before we have joined */
    if (!bus || peal_subscriber_create(bus, side->hears, &wish, &subscriber) != PEAL_OK)
        return false;
    struct peal_publisher_options options = topic_publisher_options(16, PEAL_FULL_REFUSE);
    struct peal_publisher *publisher = topic_publish(bus, side->says, &options);
    if (!publisher || !eventually(has_subscriber, publisher, EVENTUALLY_TIMEOUT_NS))
        return false;
    bool good = take_turns(side, publisher, subscriber);
    struct peal_bus_stats stats = {.struct_bytes = sizeof(stats)};
    (void)peal_bus_stats(bus, &stats);
    if (stats.safety_net_finds != 0 || stats.sleeps == 0) {
        fprintf(stderr, "safety net %" PRIu64 ", sleeps %" PRIu64 "\n", stats.safety_net_finds,
                stats.sleeps);
        good = false;
    }
    peal_publisher_close(publisher);
    peal_subscriber_close(subscriber);
    peal_bus_close(bus);
    return good;
}

static int play_in_child(struct child_link *link, void *context)
{
    (void)link;
    return play(context) ? 0 : 1;
}

static void *play_in_thread(void *context)
{
    struct side *side = context;
    side->good = play(side);
    return NULL;
}

static void sides_of(struct side *sides, const char *url, bool always_fence)
{
    uint64_t seed = random_seed();
    for (unsigned i = 0; i < 2; i++) {
        sides[i] = (struct side){.hears = i ? "to" : "fro",
                                 .says = i ? "fro" : "to",
                                 .seed = seed + i,
                                 .begins = i == 0,
                                 .always_fence = always_fence};
        (void)snprintf(sides[i].url, sizeof(sides[i].url), "%s", url);
    }
}

static void processes_take_turns(const char *scheme, bool always_fence)
{
    struct side sides[2];
    struct child children[2];
    struct place place;
    assert_true(place_make(&place, scheme, "g7", NULL));
    sides_of(sides, place.url, always_fence);
    for (unsigned i = 0; i < 2; i++)
        assert_true(child_start(&children[i], play_in_child, &sides[i]));
    for (unsigned i = 0; i < 2; i++)
        assert_int_equal(child_reap(&children[i]), 0);
    place_remove(&place);
}

static void processes_that_fence_wake_each_other(void **state)
{
    (void)state;
    processes_take_turns("posix", true);
}

static void processes_whose_sleepers_pay_for_the_fence_wake_each_other(void **state)
{
    (void)state;
    processes_take_turns("posix", false);
}

static void guests_wake_each_other(void **state)
{
    (void)state;
    processes_take_turns("vdev", false);
}

static void threads_take_turns(const char *url)
{
    struct side sides[2];
    pthread_t threads[2];
    sides_of(sides, url, false);
    for (unsigned i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, play_in_thread, &sides[i]), 0);
    for (unsigned i = 0; i < 2; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    assert_true(sides[0].good && sides[1].good);
}

static void threads_wake_each_other(void **state)
{
    (void)state;
    threads_take_turns("local:g7");
}

static void guests_of_one_process_wake_each_other(void **state)
{
    (void)state;
    assert_true(model_access_start(NULL));
    threads_take_turns("vdev:g7?device=" MODEL_DEVICE);
    model_access_stop();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(processes_that_fence_wake_each_other),
        cmocka_unit_test(processes_whose_sleepers_pay_for_the_fence_wake_each_other),
        cmocka_unit_test(guests_wake_each_other),
        cmocka_unit_test(threads_wake_each_other),
        cmocka_unit_test(guests_of_one_process_wake_each_other),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
