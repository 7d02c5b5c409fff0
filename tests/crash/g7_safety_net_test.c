/* SPDX-License-Identifier: Apache-2.0 */
/*
 * G7, the safety net: a publisher is killed between its message and the bell. The sleeper finds the
 * message when its sleep has lasted as long as the net is wide, and counts that it did.
 */
#include "bus/bus_internal.h"
#include "core/fault.h"
#include "tests/support/child.h"
#include "tests/support/eventually.h"
#include "tests/support/topic_fixture.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <unistd.h>

#include <cmocka.h>

#define NET_NS UINT64_C(300000000)

static void die_before_the_bell(const char *point)
{
    if (strcmp(point, "publish.before_bell") == 0)
        (void)kill(getpid(), SIGKILL);
}

struct scene {
    char url[64];
    bool dies;
};

/* Is somebody of the region armed, and our parent asleep in the kernel? */
static bool parent_sleeps(void *context)
{
    struct peal_bus *bus = context;
    char path[64], text[512] = "";
    if (!peal_u64_load_acquire(&bus->region.header->sleepers.armed))
        return false;
    (void)snprintf(path, sizeof(path), "/proc/%d/stat", (int)getppid());
    FILE *file = fopen(path, "re");
    if (!file)
        return false;
    size_t length = fread(text, 1, sizeof(text) - 1, file);
    (void)fclose(file);
    text[length] = '\0';
    const char *end = strrchr(text, ')');
    return end && strncmp(end, ") S", 3) == 0;
}

/* Publishes message 0, and message 1 when the other side sleeps. */
static int publish_twice(struct child_link *link, void *context)
{
    const struct scene *scene = context;
    struct peal_bus *bus = topic_bus(scene->url);
    struct peal_publisher_options options = topic_publisher_options(16, PEAL_FULL_REFUSE);
    struct peal_publisher *publisher = bus ? topic_publish(bus, "t", &options) : NULL;
    uint64_t word = 0;
    if (!publisher || topic_put(publisher, 0) != PEAL_OK || !child_say(link, 1) ||
        !child_hear(link, &word) || !eventually(parent_sleeps, bus, EVENTUALLY_TIMEOUT_NS))
        return 1;
    if (scene->dies)
        peal_fault_hook = die_before_the_bell;
    if (topic_put(publisher, 1) != PEAL_OK)
        return 2;
    (void)child_hear(link, &word); /* until the other side has seen it */
    peal_publisher_close(publisher);
    peal_bus_close(bus);
    return 0;
}

static struct peal_bus_stats stats_of(struct peal_bus *bus)
{
    struct peal_bus_stats stats = {.struct_bytes = sizeof(stats)};
    assert_int_equal(peal_bus_stats(bus, &stats), PEAL_OK);
    return stats;
}

/* How often the net found something in one scene; what was published arrived. */
static uint64_t play(bool dies)
{
    struct scene scene = {.dies = dies};
    (void)snprintf(scene.url, sizeof(scene.url), "posix:g7-net-%d", (int)getpid());
    (void)peal_unlink(scene.url);
    struct peal_bus_options options = PEAL_BUS_OPTIONS_INIT;
    struct peal_bus *bus = NULL;
    options.size_bytes = UINT64_C(8) << 20;
    options.spin_ns = 1;
    options.safety_net_ns = dies ? NET_NS : 10 * EVENTUALLY_TIMEOUT_NS;
    assert_int_equal(peal_bus_open(&bus, scene.url, &options), PEAL_OK);
    struct peal_subscriber *subscriber = topic_subscribe(bus, "t", PEAL_RELIABLE);
    assert_non_null(subscriber);
    struct child child;
    uint64_t word = 0;
    assert_true(child_start(&child, publish_twice, &scene));
    assert_true(child_hear(&child.link, &word));
    struct peal_message message;
    assert_int_equal(topic_take(subscriber, &message), PEAL_OK);
    uint64_t finds = stats_of(bus).safety_net_finds;
    assert_true(child_say(&child.link, 1));
    do
        assert_int_equal(peal_subscriber_wait(subscriber, EVENTUALLY_TIMEOUT_NS), PEAL_OK);
    while (topic_take(subscriber, &message) != PEAL_OK);
    assert_true(message.number == 1 && message.lost == 0);
    finds = stats_of(bus).safety_net_finds - finds;
    if (!dies)
        assert_true(child_say(&child.link, 1));
    assert_int_equal(child_reap(&child), dies ? 128 + SIGKILL : 0);
    peal_subscriber_close(subscriber);
    peal_bus_close(bus);
    (void)peal_unlink(scene.url);
    return finds;
}

static void the_net_finds_what_a_dead_publisher_did_not_ring_for_and_counts_it(void **state)
{
    (void)state;
    /* It may die in the moment in which a sleep ends anyway; hardly so each time. */
    uint64_t finds = 0;
    for (unsigned tries = 0; tries < 5 && !finds; tries++)
        finds = play(true);
    assert_true(finds == 1);
}

static void a_live_publisher_needs_no_net(void **state)
{
    (void)state;
    for (unsigned tries = 0; tries < 5; tries++)
        assert_true(play(false) == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_net_finds_what_a_dead_publisher_did_not_ring_for_and_counts_it),
        cmocka_unit_test(a_live_publisher_needs_no_net),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
