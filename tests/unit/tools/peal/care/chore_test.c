/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `peal clean` at work beside those who live: whatever it does, and whenever, nobody loses a region that he has opened, or a
 * message that he has left in a queue, and no publisher that lives loses a subscriber. What the dead left goes.
 */
#include "tools/peal/care/chore.h"

#include "tests/support/child.h"
#include "tests/support/eventually.h"
#include "tests/support/random.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <peal/peal.h>

#define RACE_NS UINT64_C(400000000)
#define MESSAGE_BYTES 64u

static char url[64];
static char path[96];

static struct peal_bus *bus_open(void)
{
    struct peal_bus_options options = PEAL_BUS_OPTIONS_INIT;
    struct peal_bus *bus = NULL;
    options.size_bytes = UINT64_C(1) << 20;
    options.topics_max = 4;
    (void)peal_bus_open(&bus, url, &options);
    return bus;
}

static struct peal_queue *queue_open(struct peal_bus *bus, uint32_t uses)
{
    struct peal_queue_options options = PEAL_QUEUE_OPTIONS_INIT;
    struct peal_queue *queue = NULL;
    options.uses = uses;
    options.depth = 16;
    (void)peal_queue_create(bus, "jobs", &options, &queue);
    return queue;
}

static struct chore chore_of(bool for_good, bool with_messages, bool force)
{
    const struct chore_orders orders = {
        .for_good = for_good, .with_messages = with_messages, .force = force};
    struct chore chore;
    chore_do(&chore, url, &orders);
    return chore;
}

static int new_url(void **state)
{
    static unsigned number;
    (void)state;
    (void)snprintf(url, sizeof(url), "posix:chore-%d.%u", (int)getpid(), number++);
    (void)snprintf(path, sizeof(path), "/dev/shm/peal.%s", url + 6);
    return 0;
}

static int remove_url(void **state)
{
    (void)state;
    (void)peal_unlink(url);
    return 0;
}

/* ---- somebody who lives, or does not ---- */

static int publish_until_told(struct child_link *link, void *context)
{
    (void)context;
    struct peal_publisher *publisher;
    uint64_t word;
    struct peal_bus *bus = bus_open();
    struct peal_publisher_options options = PEAL_PUBLISHER_OPTIONS_INIT;
    if (!bus || peal_publisher_create(bus, "topic", &options, &publisher) != PEAL_OK ||
        peal_publisher_publish(publisher, "x", 1) != PEAL_OK || !child_say(link, 1))
        return 1;
    (void)child_hear(link, &word);
    const bool is_well = peal_publisher_publish(publisher, "y", 1) == PEAL_OK;
    peal_publisher_close(publisher);
    peal_bus_close(bus);
    return is_well ? 0 : 2;
}

static void start_publisher(struct child *child)
{
    uint64_t word;
    assert_true(child_start(child, publish_until_told, NULL));
    assert_true(child_hear(&child->link, &word));
}

static void a_region_goes_with_its_last_client_and_not_before(void **state)
{
    (void)state;
    struct child child;
    start_publisher(&child);
    assert_int_equal(kill(child.pid, SIGSTOP), 0);
    for (int way = 0; way < 8; way++) {
        const struct chore chore = chore_of(way & 1, way & 2, way & 4);
        assert_int_equal(chore.action, CHORE_NOTHING);
        assert_true(chore.left.is_used);
        assert_int_equal(access(path, F_OK), 0);
    }
    assert_int_equal(kill(child.pid, SIGCONT), 0);
    assert_true(child_say(&child.link, 0));
    assert_int_equal(child_reap(&child), 0);
    struct chore chore = chore_of(false, false, false);
    assert_int_equal(chore.action, CHORE_REMOVE);
    assert_false(chore.done);
    assert_int_equal(access(path, F_OK), 0);
    chore = chore_of(true, false, false);
    assert_int_equal(chore.action, CHORE_REMOVE);
    assert_true(chore.done);
    assert_int_not_equal(access(path, F_OK), 0);
    chore = chore_of(true, false, false);
    assert_int_equal(chore.action, CHORE_SPARE);
    assert_int_equal(chore.status, PEAL_ENOENT);
}

static void what_the_dead_left_beside_the_living_goes(void **state)
{
    (void)state;
    struct child living, dead;
    start_publisher(&living);
    start_publisher(&dead);
    child_kill(&dead);
    struct chore chore = chore_of(false, false, false);
    assert_int_equal(chore.action, CHORE_RECOVER);
    assert_false(chore.done);
    assert_int_equal(chore.remains.clients, 1);
    assert_int_equal(chore.remains.lanes, 1);
    assert_true(chore.remains.pages > 0);
    chore = chore_of(true, true, true);
    assert_int_equal(chore.action, CHORE_RECOVER);
    assert_true(chore.done);
    assert_int_equal(chore.remains.clients, 1);
    assert_int_equal(chore.remains.lanes, 1);
    assert_int_equal(chore.remains.pages_freed, chore.remains.pages);
    assert_int_equal(chore_of(true, true, true).action, CHORE_NOTHING);
    assert_true(child_say(&living.link, 0));
    assert_int_equal(child_reap(&living), 0);
}

/* ---- against who comes and goes ---- */

struct race {
    uint64_t sender;
    uint64_t until_ns;
};

static int push(uint64_t sender, uint64_t number)
{
    unsigned char bytes[MESSAGE_BYTES];
    content_fill(bytes, sizeof(bytes), sender, number);
    struct peal_bus *bus = bus_open();
    struct peal_queue *queue = bus ? queue_open(bus, PEAL_QUEUE_PUSH) : NULL;
    if (!queue || peal_queue_push(queue, bytes, sizeof(bytes)) != PEAL_OK)
        return 1;
    peal_queue_close(queue);
    peal_bus_close(bus);
    return 0;
}

static int pop(uint64_t sender, uint64_t number)
{
    unsigned char bytes[MESSAGE_BYTES];
    struct peal_queue_message message;
    struct peal_bus *bus = bus_open();
    struct peal_queue *queue = bus ? queue_open(bus, PEAL_QUEUE_POP) : NULL;
    if (!queue || peal_queue_pop(queue, bytes, sizeof(bytes), &message) != PEAL_OK ||
        !content_is(bytes, sizeof(bytes), sender, number))
        return 2;
    peal_queue_close(queue);
    peal_bus_close(bus);
    return 0;
}

/* Publishes by one bus and takes by another: both are in the same region, or nothing comes. */
static int meet(void)
{
    struct peal_publisher *publisher;
    struct peal_subscriber *subscriber;
    struct peal_message message;
    unsigned char bytes[MESSAGE_BYTES];
    struct peal_publisher_options said = PEAL_PUBLISHER_OPTIONS_INIT;
    struct peal_subscriber_options heard = PEAL_SUBSCRIBER_OPTIONS_INIT;
    said.depth = 4;
    struct peal_bus *one = bus_open(), *other = one ? bus_open() : NULL;
    if (!other || peal_publisher_create(one, "topic", &said, &publisher) != PEAL_OK ||
        peal_subscriber_create(other, "topic", &heard, &subscriber) != PEAL_OK ||
        peal_publisher_publish(publisher, "x", 1) != PEAL_OK ||
        peal_subscriber_take_copy(subscriber, bytes, sizeof(bytes), &message) != PEAL_OK)
        return 3;
    peal_subscriber_close(subscriber);
    peal_publisher_close(publisher);
    peal_bus_close(other);
    peal_bus_close(one);
    return 0;
}

static int push_and_die(struct child_link *link, void *context)
{
    (void)context;
    const int wrong = push(7, 7);
    struct peal_bus *bus = bus_open();
    if (wrong != 0 || !bus || !child_say(link, 1))
        return 1;
    (void)pause();
    return 0;
}

static void what_the_dead_left_beside_messages_goes_and_the_messages_stay(void **state)
{
    (void)state;
    struct child child;
    uint64_t word;
    assert_true(child_start(&child, push_and_die, NULL));
    assert_true(child_hear(&child.link, &word));
    child_kill(&child);
    struct chore chore = chore_of(true, false, true);
    assert_int_equal(chore.action, CHORE_RECOVER);
    assert_int_equal(chore.remains.clients, 1);
    assert_int_equal(chore.left.messages, 1);
    chore = chore_of(true, false, true);
    assert_int_equal(chore.action, CHORE_SPARE);
    assert_int_equal(chore.status, PEAL_EEXIST);
    assert_int_equal(pop(7, 7), 0);
    assert_int_equal(chore_of(true, false, false).action, CHORE_REMOVE);
}

static int come_and_go(struct child_link *link, void *context)
{
    const struct race *race = context;
    uint64_t number = 0, seed = race->sender;
    int wrong = 0;
    while (wrong == 0 && test_now_ns() < race->until_ns) {
        wrong = push(race->sender, ++number);
        if (wrong == 0)
            wrong = pop(race->sender, number);
        if (wrong == 0)
            wrong = meet();
        const uint64_t idle_until_ns = test_now_ns() + random_below(&seed, 100000);
        while (test_now_ns() < idle_until_ns) /* the region is nobody's now */
            continue;
    }
    if (wrong != 0)
        (void)fprintf(stderr, "life %" PRIu64 ", %d: %s\n", number, wrong, peal_error_message());
    (void)child_say(link, number);
    return wrong;
}

static void nobody_who_comes_and_goes_loses_anything_to_a_clean_that_never_rests(void **state)
{
    (void)state;
    uint64_t seed = random_seed(), lives = 0, removed = 0, spared = 0;
    struct child child;
    struct race race = {.sender = random_next(&seed), .until_ns = test_now_ns() + RACE_NS};
    assert_true(child_start(&child, come_and_go, &race));
    while (test_now_ns() < race.until_ns) {
        const bool for_good = random_below(&seed, 8) != 0;
        const struct chore chore = chore_of(for_good, false, random_below(&seed, 2));
        removed += chore.action == CHORE_REMOVE && chore.done;
        spared += chore.action == CHORE_SPARE || chore.left.is_used;
        assert_true(for_good || !chore.done);
    }
    assert_true(child_hear(&child.link, &lives));
    assert_int_equal(child_reap(&child), 0);
    print_message("%" PRIu64 " lives, %" PRIu64 " removals, %" PRIu64 " times spared\n", lives,
                  removed, spared);
    assert_true(lives > 0 && spared > 0);
}

static void a_copy_or_a_name_that_cannot_be_is_spared(void **state)
{
    (void)state;
    const struct chore_orders orders = {.for_good = true, .with_messages = true, .force = true};
    struct chore chore;
    chore_do(&chore, "no:such", &orders);
    assert_int_equal(chore.action, CHORE_SPARE);
    chore_do(&chore, "posix:", &orders);
    assert_int_equal(chore.action, CHORE_SPARE);
    assert_int_equal(chore.status, PEAL_EINVAL);
    chore_do(&chore, "local:x", &orders);
    assert_int_equal(chore.action, CHORE_SPARE);
    assert_int_equal(chore.status, PEAL_ENOTSUP);
}

int main(void)
{
    static const struct CMUnitTest cases[] = {
        cmocka_unit_test_setup_teardown(a_region_goes_with_its_last_client_and_not_before, new_url,
                                        remove_url),
        cmocka_unit_test_setup_teardown(what_the_dead_left_beside_the_living_goes, new_url,
                                        remove_url),
        cmocka_unit_test_setup_teardown(
            what_the_dead_left_beside_messages_goes_and_the_messages_stay, new_url, remove_url),
        cmocka_unit_test_setup_teardown(
            nobody_who_comes_and_goes_loses_anything_to_a_clean_that_never_rests, new_url,
            remove_url),
        cmocka_unit_test_setup_teardown(a_copy_or_a_name_that_cannot_be_is_spared, new_url,
                                        remove_url),
    };
    return cmocka_run_group_tests(cases, NULL, NULL);
}
