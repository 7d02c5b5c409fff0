/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The observer over posix: every figure against what publishers, subscribers and queues say of
 * themselves; and that it leaves no trace.
 */
#include "bus/bus_internal.h"
#include "core/lane_shared.h"
#include "core/owner.h"
#include "tests/support/child.h"
#include "tests/support/sight.h"
#include "tests/support/topic_fixture.h"
#include "transport/posix/posix_shared.h"

#include <peal/peal.h>

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

static char url[64];
static char name_of[32];
static struct peal_bus *bus;
static struct peal_bus *other;
static struct peal_observer *observer;
static struct sight sight;

static struct peal_bus *open_as(const char *client_name)
{
    struct peal_bus_options options = PEAL_BUS_OPTIONS_INIT;
    struct peal_bus *opened = NULL;
    options.size_bytes = UINT64_C(2) << 20;
    options.topics_max = 16;
    options.client_name = client_name;
    options.safety_net_ns = UINT64_C(5000000000);
    assert_int_equal(peal_bus_open(&opened, url, &options), PEAL_OK);
    return opened;
}

static int set_up(void **state)
{
    (void)state;
    (void)snprintf(name_of, sizeof(name_of), "observer-%d", (int)getpid());
    (void)snprintf(url, sizeof(url), "posix:%s", name_of);
    (void)peal_unlink(url);
    bus = open_as("engine");
    other = open_as("gauge");
    assert_int_equal(peal_observer_open(&observer, url, NULL), PEAL_OK);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    peal_observer_close(observer);
    peal_bus_close(bus);
    peal_bus_close(other);
    (void)peal_unlink(url);
    return 0;
}

static void look(void)
{
    assert_int_equal(sight_take(&sight, observer), PEAL_OK);
}

static void region_and_clients_are_shown(void **state)
{
    (void)state;
    struct peal_bus_stats stats = {.struct_bytes = sizeof(stats)};
    look();
    assert_int_equal(peal_bus_stats(bus, &stats), PEAL_OK);
    assert_int_equal(sight.region.region_bytes, UINT64_C(2) << 20);
    assert_int_equal(sight.region.topics_max, 16);
    assert_int_equal(sight.region.format, PEAL_FORMAT_VERSION);
    assert_int_equal(sight.region.generation, bus->region.generation);
    assert_true(sight.region.members_known);
    assert_int_equal(sight.region.members, 3);
    assert_int_equal(sight.region.armed, 0);
    assert_int_equal((uint64_t)sight.region.pages_free * PEAL_PAGE_BYTES, stats.region_free_bytes);
    assert_int_equal(sight.clients, 2);
    assert_string_equal(sight.client_names[0], "engine");
    assert_string_equal(sight.client_names[1], "gauge");
    for (uint32_t i = 0; i < 2; i++) {
        assert_int_equal(sight.client[i].index, i);
        assert_int_equal(sight.client[i].life, PEAL_AUDIT_ALIVE);
        assert_true(sight.client[i].attached_ns > UINT64_C(1600000000000000000));
    }
    assert_int_equal(sight.client[0].incarnation, bus->region.incarnation);
    assert_int_equal(sight.topics + sight.publishers + sight.subscribers, 0);
}

static void an_observer_takes_no_index_and_no_lock(void **state)
{
    (void)state;
    struct peal_bus *third = open_as("third");
    assert_int_equal(third->region.index, 2);
    look();
    assert_int_equal(sight.region.members, 7);
    peal_bus_close(third);
    /* The last one goes, and another size makes the region anew: nobody else is in it. */
    peal_bus_close(bus);
    peal_bus_close(other);
    look();
    assert_int_equal(sight.region.members, 0);
    assert_int_equal(sight.clients, 0);
    bus = open_as("engine");
    other = open_as("gauge");
}

static struct peal_publisher *publish_as(const char *publisher_name, uint32_t depth,
                                         enum peal_full_policy policy)
{
    struct peal_publisher_options options = topic_publisher_options(depth, policy);
    options.name = publisher_name;
    options.timestamp = true;
    options.message_bytes_max = 40;
    options.type_name = "rpm";
    options.schema_hash = 77;
    return topic_publish(bus, "wheel", &options);
}

static void a_topic_shows_type_publisher_and_subscriber(void **state)
{
    (void)state;
    struct peal_publisher *publisher = publish_as("left", 16, PEAL_FULL_REFUSE);
    struct peal_subscriber *subscriber = topic_subscribe(other, "wheel", PEAL_RELIABLE);
    uint64_t before_ns = peal_clock_ns();
    for (uint64_t i = 0; i < 10; i++)
        assert_int_equal(topic_put(publisher, i), PEAL_OK);
    look();
    assert_int_equal(sight.topics, 1);
    assert_string_equal(sight.topic_names[0], "wheel");
    assert_string_equal(sight.type_names[0], "rpm");
    assert_int_equal(sight.topic[0].schema_hash, 77);
    assert_false(sight.topic[0].is_queue);
    assert_int_equal(sight.publishers, 1);
    const struct peal_observer_publisher *seen = &sight.publisher[0];
    assert_string_equal(sight.publisher_names[0], "left");
    assert_int_equal(seen->life, PEAL_AUDIT_ALIVE);
    assert_int_equal(seen->client, 0);
    assert_int_equal(seen->depth, 16);
    assert_int_equal(seen->message_bytes_max, 40);
    assert_int_equal(seen->published, 10);
    assert_int_equal(seen->dropped, 0);
    assert_true(seen->bytes_per_message == 8.0);
    assert_true(seen->newest_ns >= before_ns && seen->newest_ns <= peal_clock_ns());
    assert_true(seen->gates && !seen->waits && !seen->has_ended && !seen->is_spoilt);
    assert_true(seen->lane_bytes >= 16 * 64);
    assert_int_equal(sight.subscribers, 1);
    assert_int_equal(sight.subscriber[0].client, 1);
    assert_true(sight.subscriber[0].reliable && sight.subscriber[0].cursor_known);
    assert_int_equal(sight.subscriber[0].lane, seen->lane);
    assert_int_equal(sight.subscriber[0].lag, 10);
    assert_int_equal(sight.subscriber[0].taken, 0);
    peal_subscriber_close(subscriber);
    peal_publisher_close(publisher);
}

static void a_subscriber_tells_what_it_took_and_lost(void **state)
{
    (void)state;
    struct peal_publisher *publisher = publish_as("left", 16, PEAL_FULL_DROP_NEWEST);
    struct peal_subscriber *reliable = topic_subscribe(other, "wheel", PEAL_RELIABLE);
    struct peal_subscriber *other_one = topic_subscribe(bus, "wheel", PEAL_BEST_EFFORT);
    struct peal_message message;
    for (uint64_t i = 0; i < 16; i++)
        assert_int_equal(topic_put(publisher, i), PEAL_OK);
    for (uint64_t i = 0; i < 5; i++)
        assert_int_equal(topic_put(publisher, 16 + i), PEAL_DROPPED);
    for (uint64_t i = 0; i < 12; i++)
        assert_int_equal(topic_take(reliable, &message), PEAL_OK);
    for (uint64_t i = 0; i < 6; i++)
        assert_int_equal(topic_put(publisher, 16 + i), PEAL_OK);
    look();
    assert_int_equal(sight.publisher[0].published, 22);
    assert_int_equal(sight.publisher[0].dropped, 5);
    assert_int_equal(topic_published(publisher).dropped, 5);
    while (topic_take(reliable, &message) == PEAL_OK)
        ;
    while (topic_take(other_one, &message) == PEAL_OK)
        ;
    look();
    assert_int_equal(sight.subscribers, 2);
    const struct peal_subscriber_stats known[] = {topic_taken(reliable), topic_taken(other_one)};
    assert_int_equal(known[0].delivered, 22);
    assert_true(known[1].lost > known[0].lost);
    for (uint32_t i = 0; i < 2; i++) {
        assert_int_equal(sight.subscriber[i].reliable, i == 0);
        assert_int_equal(sight.subscriber[i].taken, known[i].delivered);
        assert_int_equal(sight.subscriber[i].lost, known[i].lost);
        assert_int_equal(sight.subscriber[i].cursor, 22);
        assert_int_equal(sight.subscriber[i].lag, 0);
    }
    peal_subscriber_close(other_one);
    peal_subscriber_close(reliable);
    peal_publisher_close(publisher);
}

static void an_acknowledgement_shows_at_latest_after_64_messages(void **state)
{
    (void)state;
    struct peal_publisher *publisher = publish_as("left", 1024, PEAL_FULL_REFUSE);
    struct peal_subscriber *subscriber = topic_subscribe(other, "wheel", PEAL_RELIABLE);
    struct peal_message message;
    for (uint64_t i = 0; i < 100; i++)
        assert_int_equal(topic_put(publisher, i), PEAL_OK);
    for (uint64_t i = 0; i < 70; i++)
        assert_int_equal(topic_take(subscriber, &message), PEAL_OK);
    look();
    assert_int_equal(sight.subscriber[0].taken, 64);
    assert_int_equal(sight.subscriber[0].cursor, 64);
    assert_int_equal(sight.subscriber[0].lag, 36);
    /* A successor in the same entry begins from nothing. */
    peal_subscriber_close(subscriber);
    subscriber = topic_subscribe(other, "wheel", PEAL_RELIABLE);
    look();
    assert_int_equal(sight.subscriber[0].taken, 0);
    assert_int_equal(sight.subscriber[0].lag, 0);
    peal_subscriber_close(subscriber);
    peal_publisher_close(publisher);
}

static void a_queue_shows_both_its_ends(void **state)
{
    (void)state;
    struct peal_queue_options options = PEAL_QUEUE_OPTIONS_INIT;
    struct peal_queue *pusher, *popper;
    options.depth = 8;
    options.message_bytes_max = 16;
    options.strict = true;
    options.full_policy = PEAL_QUEUE_FULL_DROP_OLDEST;
    options.uses = PEAL_QUEUE_PUSH;
    assert_int_equal(peal_queue_create(bus, "jobs", &options, &pusher), PEAL_OK);
    options.uses = PEAL_QUEUE_POP;
    assert_int_equal(peal_queue_create(other, "jobs", &options, &popper), PEAL_OK);
    for (uint64_t i = 0; i < 11; i++)
        assert_int_equal(peal_queue_push(pusher, &i, sizeof(i)), PEAL_OK);
    struct peal_queue_message messages[3];
    size_t count;
    assert_int_equal(peal_queue_take(popper, messages, 3, &count), PEAL_OK);
    assert_int_equal(count, 3);
    look();
    assert_true(sight.topic[0].is_queue && sight.topic[0].strict && !sight.topic[0].drops_held);
    assert_int_equal(sight.topic[0].message_bytes_max, 16);
    assert_int_equal(sight.publisher[0].published, 11);
    assert_int_equal(sight.publisher[0].dropped_oldest, 3);
    assert_int_equal(sight.publisher[0].dropped, 0);
    assert_int_equal(sight.publisher[0].pending, 5);
    assert_int_equal(sight.publisher[0].depth, 8);
    assert_true(sight.publisher[0].bytes_per_message == 8.0);
    assert_int_equal(sight.subscribers, 1);
    assert_int_equal(sight.subscriber[0].held, 3);
    assert_int_equal(sight.subscriber[0].taken, 0);
    assert_int_equal(peal_queue_done(popper), PEAL_OK);
    look();
    assert_int_equal(sight.subscriber[0].held, 0);
    assert_int_equal(sight.subscriber[0].taken, 3);
    assert_int_equal(sight.subscriber[0].redelivered, 0);
    assert_int_equal(peal_queue_take(popper, messages, 2, &count), PEAL_OK);
    /* Closed with two in hand: they go to another. */
    peal_queue_close(popper);
    look();
    assert_int_equal(sight.subscribers, 1);
    assert_true(sight.subscriber[0].is_remains);
    assert_int_equal(sight.subscriber[0].held, 2);
    assert_int_equal(peal_queue_create(other, "jobs", &options, &popper), PEAL_OK);
    assert_int_equal(peal_queue_take(popper, messages, 3, &count), PEAL_OK);
    assert_true(messages[0].is_redelivered);
    assert_int_equal(peal_queue_done(popper), PEAL_OK);
    look();
    assert_int_equal(sight.subscriber[sight.subscribers - 1].taken, 2);
    assert_int_equal(sight.subscriber[sight.subscribers - 1].redelivered, 2);
    /* A successor in its entry begins from nothing. */
    peal_queue_close(popper);
    assert_int_equal(peal_queue_create(other, "jobs", &options, &popper), PEAL_OK);
    look();
    for (uint32_t i = 0; i < sight.subscribers; i++) {
        assert_int_equal(sight.subscriber[i].taken, 0);
        assert_int_equal(sight.subscriber[i].redelivered, 0);
    }
    peal_queue_close(pusher);
    peal_queue_close(popper);
}

static void a_refused_newcomer_and_ended_lanes_are_counted(void **state)
{
    (void)state;
    struct peal_queue_options options = PEAL_QUEUE_OPTIONS_INIT;
    struct peal_queue *pusher, *popper;
    unsigned char buffer[64];
    struct peal_queue_message message;
    options.depth = 2;
    options.full_policy = PEAL_QUEUE_FULL_DROP_NEWEST;
    assert_int_equal(peal_queue_create(bus, "jobs", &options, &pusher), PEAL_OK);
    assert_int_equal(peal_queue_create(other, "jobs", &options, &popper), PEAL_OK);
    for (uint64_t i = 0; i < 5; i++)
        (void)peal_queue_push(pusher, &i, sizeof(i));
    look();
    assert_int_equal(sight.publisher[0].dropped, 3);
    peal_queue_close(pusher);
    look();
    assert_true(sight.publisher[0].has_ended);
    assert_int_equal(sight.publisher[0].pending, 2);
    while (peal_queue_pop(popper, buffer, sizeof(buffer), &message) == PEAL_OK)
        ;
    (void)peal_queue_pop(popper, buffer, sizeof(buffer), &message);
    look();
    assert_int_equal(sight.topic[0].ended_pushed, 2);
    assert_int_equal(sight.topic[0].ended_dropped_newest, 3);
    peal_queue_close(popper);
}

/* ---- deaths ---- */

static int take_some_and_stay(struct child_link *link, void *context)
{
    uint64_t word;
    struct peal_bus *own = topic_bus(context);
    struct peal_subscriber *subscriber = own ? topic_subscribe(own, "wheel", PEAL_RELIABLE) : NULL;
    struct peal_message message;
    if (!subscriber || !child_say(link, 1) || !child_hear(link, &word))
        return 1;
    for (uint64_t i = 0; i < 3; i++)
        if (peal_subscriber_wait(subscriber, PEAL_FOREVER) != PEAL_OK ||
            topic_take(subscriber, &message) != PEAL_OK)
            return 2;
    (void)topic_take(subscriber, &message); /* nothing more: acknowledges */
    (void)child_say(link, 2);
    (void)child_hear(link, &word);
    return 0;
}

static void a_dead_client_shows_as_dead_and_its_figures_stay(void **state)
{
    (void)state;
    struct child child;
    uint64_t word;
    struct peal_publisher *publisher = publish_as("left", 16, PEAL_FULL_REFUSE);
    assert_true(child_start(&child, take_some_and_stay, url));
    assert_true(child_hear(&child.link, &word));
    for (uint64_t i = 0; i < 3; i++)
        assert_int_equal(topic_put(publisher, i), PEAL_OK);
    assert_true(child_say(&child.link, 1));
    assert_true(child_hear(&child.link, &word));
    assert_int_equal(topic_put(publisher, 3), PEAL_OK);
    look();
    assert_int_equal(sight.clients, 3);
    assert_int_equal(sight.client[2].life, PEAL_AUDIT_ALIVE);
    assert_int_equal(sight.subscriber[0].life, PEAL_AUDIT_ALIVE);
    child_kill(&child);
    look();
    assert_int_equal(sight.region.members, 3);
    assert_int_equal(sight.clients, 3);
    assert_int_equal(sight.client[2].life, PEAL_AUDIT_DEAD);
    assert_int_equal(sight.subscribers, 1);
    assert_int_equal(sight.subscriber[0].life, PEAL_AUDIT_DEAD);
    assert_int_equal(sight.subscriber[0].taken, 3);
    assert_int_equal(sight.subscriber[0].cursor, 3);
    assert_int_equal(sight.subscriber[0].lag, 1);
    struct peal_audit audit = {.struct_bytes = sizeof(audit)};
    assert_int_equal(peal_observer_audit(observer, NULL, &audit), PEAL_OK);
    assert_true(audit.findings[PEAL_AUDIT_REMAINS] > 0);
    assert_int_equal(peal_bus_recover(bus, NULL), PEAL_OK);
    look();
    assert_int_equal(sight.clients, 2);
    assert_int_equal(sight.client[0].recovered_clients, 1);
    assert_int_equal(sight.subscribers, 0);
    peal_publisher_close(publisher);
}

/* Takes messages asleep, says of each how often it has slept, and in the end what its counters say. */
static int sleep_until_rung(struct child_link *link, void *context)
{
    uint64_t word;
    struct peal_bus_options options = PEAL_BUS_OPTIONS_INIT;
    struct peal_bus_stats stats = {.struct_bytes = sizeof(stats)};
    struct peal_bus *own = NULL;
    options.client_name = "sleeper";
    options.spin_ns = 1;
    options.safety_net_ns = UINT64_C(20000000000);
    if (peal_bus_open(&own, context, &options) != PEAL_OK)
        return 1;
    struct peal_subscriber *subscriber = topic_subscribe(own, "wheel", PEAL_RELIABLE);
    struct peal_message message;
    if (!subscriber || !child_say(link, 1))
        return 2;
    do {
        if (peal_subscriber_wait(subscriber, PEAL_FOREVER) != PEAL_OK ||
            topic_take(subscriber, &message) != PEAL_OK || peal_bus_stats(own, &stats) != PEAL_OK ||
            !child_say(link, 1 + stats.sleeps) || !child_hear(link, &word))
            return 3;
    } while (word == 1);
    (void)peal_bus_arm(own); /* shows what was until now */
    (void)peal_bus_stats(own, &stats);
    (void)peal_bus_disarm(own);
    (void)(child_say(link, stats.sleeps) && child_say(link, stats.wakes) &&
           child_say(link, stats.spurious_wakes) && child_hear(link, &word));
    peal_subscriber_close(subscriber);
    peal_bus_close(own);
    return 0;
}

static void bells_and_sleeps_are_shown_of_both_sides(void **state)
{
    (void)state;
    struct child child;
    struct peal_bus_stats stats = {.struct_bytes = sizeof(stats)};
    uint64_t word, sleeps = 0, wakes = 0, spurious = 0;
    struct peal_publisher *publisher = publish_as("left", 16, PEAL_FULL_REFUSE);
    assert_true(child_start(&child, sleep_until_rung, url));
    assert_true(child_hear(&child.link, &word));
    look();
    assert_string_equal(sight.client_names[2], "sleeper");
    assert_int_equal(sight.client[0].bells_rung, 0);
    assert_int_equal(sight.client[0].heartbeat_ns, 0);
    /* It may be awake still, or again: then nobody needs to be rung. */
    for (uint64_t i = 0;; i++) {
        assert_true(i < 10000);
        do
            look();
        while ((sight.region.armed & 4) == 0);
        assert_int_equal(topic_put(publisher, i), PEAL_OK);
        assert_true(child_hear(&child.link, &word));
        assert_int_equal(peal_bus_stats(bus, &stats), PEAL_OK);
        bool is_enough = stats.bells_rung >= 3 && word > 1; /* it has slept, too */
        assert_true(child_say(&child.link, !is_enough));
        if (is_enough)
            break;
    }
    assert_true(child_hear(&child.link, &sleeps) && child_hear(&child.link, &wakes) &&
                child_hear(&child.link, &spurious));
    look();
    assert_int_equal(sight.client[0].bells_rung, stats.bells_rung);
    assert_true(sight.client[0].heartbeat_ns != 0);
    assert_true(sleeps > 0);
    assert_int_equal(sight.client[2].sleeps, sleeps);
    assert_int_equal(sight.client[2].wakes, wakes);
    assert_int_equal(sight.client[2].spurious_wakes, spurious);
    assert_true(sight.client[2].heartbeat_ns != 0);
    assert_int_equal(sight.region.armed, 0);
    assert_true(child_say(&child.link, 0));
    assert_int_equal(child_reap(&child), 0);
    peal_publisher_close(publisher);
}

/* ---- messages ---- */

static void assert_peeks(uint64_t number, enum peal_status expected)
{
    unsigned char bytes[64];
    struct peal_message message = {0};
    const struct peal_observer_publisher *seen = &sight.publisher[0];
    assert_int_equal(peal_observer_peek(observer, seen->topic, seen->lane, number, bytes,
                                        sizeof(bytes), &message),
                     expected);
    if (expected != PEAL_OK)
        return;
    assert_int_equal(message.number, number);
    assert_int_equal(message.size_bytes, 8);
    assert_ptr_equal(message.data, bytes);
    assert_int_equal(message.publisher, seen->incarnation);
    assert_true(message.timestamp_ns != 0);
    assert_true(content_is(bytes, 8, 0, number));
}

static void a_message_is_peeked_at_and_taken_from_nobody(void **state)
{
    (void)state;
    struct peal_publisher *publisher = publish_as("left", 4, PEAL_FULL_EVICT);
    struct peal_subscriber *subscriber = topic_subscribe(other, "wheel", PEAL_RELIABLE);
    struct peal_message message;
    unsigned char bytes[4];
    for (uint64_t i = 0; i < 3; i++)
        assert_int_equal(topic_put(publisher, i), PEAL_OK);
    look();
    assert_false(sight.publisher[0].gates);
    for (uint64_t i = 0; i < 3; i++)
        assert_peeks(i, PEAL_OK);
    assert_peeks(3, PEAL_EMPTY);
    assert_peeks(UINT64_MAX, PEAL_EMPTY);
    assert_int_equal(peal_observer_peek(observer, 0, 0, 0, bytes, sizeof(bytes), &message),
                     PEAL_ETRUNC);
    assert_int_equal(message.size_bytes, 8);
    assert_int_equal(peal_observer_peek(observer, 0, 1, 0, bytes, sizeof(bytes), &message),
                     PEAL_ENOENT);
    assert_int_equal(peal_observer_peek(observer, 99, 0, 0, bytes, sizeof(bytes), &message),
                     PEAL_ENOENT);
    assert_int_equal(topic_take(subscriber, &message), PEAL_OK);
    assert_int_equal(message.number, 0);
    for (uint64_t i = 3; i < 6; i++)
        assert_int_equal(topic_put(publisher, i), PEAL_OK);
    assert_peeks(1, PEAL_ELAPPED);
    assert_peeks(2, PEAL_OK);
    peal_subscriber_close(subscriber);
    peal_publisher_close(publisher);
}

static void long_messages_and_checksums_are_peeked_at(void **state)
{
    (void)state;
    static unsigned char bytes[6000], seen[6000];
    struct peal_publisher_options options = topic_publisher_options(8, PEAL_FULL_EVICT);
    struct peal_message message;
    options.message_bytes_max = sizeof(bytes);
    options.crc32c = true;
    struct peal_publisher *publisher = topic_publish(bus, "wheel", &options);
    content_fill(bytes, sizeof(bytes), 3, 9);
    assert_int_equal(peal_publisher_publish(publisher, bytes, sizeof(bytes)), PEAL_OK);
    assert_int_equal(peal_publisher_publish(publisher, bytes, 1000), PEAL_OK);
    look();
    assert_true(sight.publisher[0].bytes_per_message == 3500.0);
    assert_int_equal(peal_observer_peek(observer, 0, 0, 0, seen, sizeof(seen), &message), PEAL_OK);
    assert_memory_equal(seen, bytes, sizeof(bytes));
    for (int i = 0; i < 20; i++)
        assert_int_equal(peal_publisher_publish(publisher, bytes, sizeof(bytes)), PEAL_OK);
    assert_int_equal(peal_observer_peek(observer, 0, 0, 0, seen, sizeof(seen), &message),
                     PEAL_ELAPPED);
    /* A spoilt byte under a good stamp. */
    uint32_t first = peal_u32_load_relaxed(&bus->region.topics[0].lanes[0].first_page);
    unsigned char *lane = bus->region.base + (size_t)first * PEAL_PAGE_BYTES;
    memset(lane + PEAL_LANE_SLOTS_OFFSET + 8 * 64, 0xee, 8u * 6016u);
    assert_int_equal(peal_observer_peek(observer, 0, 0, 21, seen, sizeof(seen), &message),
                     PEAL_ECORRUPT);
    peal_publisher_close(publisher);
}

static void a_queue_is_not_peeked_at(void **state)
{
    (void)state;
    struct peal_queue *queue;
    struct peal_message message;
    unsigned char bytes[64];
    assert_int_equal(peal_queue_create(bus, "jobs", NULL, &queue), PEAL_OK);
    assert_int_equal(peal_observer_peek(observer, 0, 0, 0, bytes, sizeof(bytes), &message),
                     PEAL_ENOTSUP);
    peal_queue_close(queue);
}

/* ---- no trace ---- */

static void nothing_is_written(void **state)
{
    (void)state;
    struct peal_publisher *publisher = publish_as("left", 16, PEAL_FULL_REFUSE);
    struct peal_subscriber *subscriber = topic_subscribe(other, "wheel", PEAL_RELIABLE);
    struct peal_queue *queue;
    assert_int_equal(peal_queue_create(bus, "jobs", NULL, &queue), PEAL_OK);
    for (uint64_t i = 0; i < 5; i++)
        assert_int_equal(topic_put(publisher, i), PEAL_OK);
    char path[96];
    (void)snprintf(path, sizeof(path), "/dev/shm/peal.%s", name_of);
    const size_t bytes = PEAL_POSIX_CONTROL_BYTES + ((size_t)2 << 20);
    int descriptor = open(path, O_RDONLY);
    assert_true(descriptor >= 0);
    unsigned char *before = malloc(bytes);
    assert_non_null(before);
    const unsigned char *now = mmap(NULL, bytes, PROT_READ, MAP_SHARED, descriptor, 0);
    assert_true(now != MAP_FAILED);
    memcpy(before, now, bytes);
    struct peal_observer *second;
    struct peal_audit audit = {.struct_bytes = sizeof(audit)};
    struct peal_message message;
    unsigned char buffer[64];
    assert_int_equal(peal_observer_open(&second, url, NULL), PEAL_OK);
    assert_int_equal(sight_take(&sight, second), PEAL_OK);
    assert_int_equal(sight.publishers, 2);
    assert_int_equal(peal_observer_audit(second, NULL, &audit), PEAL_OK);
    assert_int_equal(audit.findings[PEAL_AUDIT_CORRUPT], 0);
    assert_int_equal(peal_observer_peek(second, sight.publisher[0].topic, 0, 1, buffer,
                                        sizeof(buffer), &message),
                     PEAL_OK);
    peal_observer_close(second);
    assert_memory_equal(before, now, bytes);
    free(before);
    (void)munmap((void *)(uintptr_t)now, bytes);
    (void)close(descriptor);
    peal_queue_close(queue);
    peal_subscriber_close(subscriber);
    peal_publisher_close(publisher);
}

/* ---- copies ---- */

static void copy_object(const char *to, size_t offset)
{
    char path[96];
    (void)snprintf(path, sizeof(path), "/dev/shm/peal.%s", name_of);
    int from = open(path, O_RDONLY);
    int target = open(to, O_RDWR | O_CREAT | O_TRUNC, 0600);
    const size_t bytes = PEAL_POSIX_CONTROL_BYTES + ((size_t)2 << 20) - offset;
    unsigned char *buffer = malloc(bytes);
    assert_true(from >= 0 && target >= 0 && buffer);
    assert_int_equal(pread(from, buffer, bytes, (off_t)offset), bytes);
    assert_int_equal(write(target, buffer, bytes), bytes);
    free(buffer);
    (void)close(from);
    (void)close(target);
}

static void a_saved_copy_is_read_like_a_live_region(void **state)
{
    (void)state;
    struct peal_publisher *publisher = publish_as("left", 16, PEAL_FULL_REFUSE);
    assert_int_equal(topic_put(publisher, 0), PEAL_OK);
    char path[64], file_url[96];
    (void)snprintf(path, sizeof(path), "/tmp/peal-observer-%d", (int)getpid());
    (void)snprintf(file_url, sizeof(file_url), "file:%s", path);
    for (int raw = 0; raw < 2; raw++) {
        struct peal_observer *second;
        copy_object(path, raw ? PEAL_POSIX_CONTROL_BYTES : 0);
        assert_int_equal(peal_observer_open(&second, file_url, NULL), PEAL_OK);
        assert_int_equal(sight_take(&sight, second), PEAL_OK);
        assert_false(sight.region.members_known);
        assert_int_equal(sight.clients, 2);
        assert_int_equal(sight.client[0].life, PEAL_AUDIT_UNKNOWN);
        assert_int_equal(sight.publisher[0].published, 1);
        assert_int_equal(sight.publisher[0].life, PEAL_AUDIT_UNKNOWN);
        peal_observer_close(second);
    }
    assert_int_equal(truncate(path, 8192), 0);
    struct peal_observer *second;
    assert_int_equal(peal_observer_open(&second, file_url, NULL), PEAL_EFORMAT);
    assert_null(second);
    (void)unlink(path);
    assert_int_equal(peal_observer_open(&second, file_url, NULL), PEAL_ENOENT);
    peal_publisher_close(publisher);
}

/* ---- errors ---- */

static void assert_refused(const char *wrong, enum peal_status expected, const char *word)
{
    struct peal_observer *refused = observer;
    enum peal_status status = peal_observer_open(&refused, wrong, NULL);
    if (status != expected || !strstr(peal_error_message(), word))
        fail_msg("%s: %s: %s", wrong, peal_status_name(status), peal_error_message());
    assert_null(refused);
}

static void what_cannot_be_looked_at_is_refused_with_a_reason(void **state)
{
    (void)state;
    assert_refused("posix:observer-none", PEAL_ENOENT, "no region");
    assert_refused("local:observer", PEAL_ENOTSUP, "local");
    assert_refused("smoke:observer", PEAL_ENOTSUP, "smoke");
    assert_refused("posix:", PEAL_EINVAL, "name");
    assert_refused(NULL, PEAL_EINVAL, "URL");
    assert_refused("file:/dev/null", PEAL_EFORMAT, "regular");
    assert_refused("file:/", PEAL_EFORMAT, "regular");
    assert_refused("vdev:observer?device=/nonexistent", PEAL_ENOENT, "device");
    assert_int_equal(peal_observer_open(NULL, url, NULL), PEAL_EINVAL);
    assert_int_equal(peal_observer_visit(NULL, NULL), PEAL_EINVAL);
    assert_int_equal(peal_observer_audit(NULL, NULL, NULL), PEAL_EINVAL);
    assert_int_equal(peal_observer_peek(observer, 0, 0, 0, NULL, 1, NULL), PEAL_EINVAL);
    peal_observer_close(NULL);
    struct peal_observer_visitor nobody = PEAL_OBSERVER_VISITOR_INIT;
    assert_int_equal(peal_observer_visit(observer, &nobody), PEAL_OK);
}

static void a_region_that_goes_is_looked_at_to_the_end(void **state)
{
    (void)state;
    assert_int_equal(peal_unlink(url), PEAL_OK);
    look();
    assert_int_equal(sight.clients, 2);
    peal_u64_store_relaxed(&bus->region.header->layout.magic, 1);
    assert_int_equal(sight_take(&sight, observer), PEAL_EFORMAT);
    peal_u64_store_relaxed(&bus->region.header->layout.magic, PEAL_REGION_MAGIC);
}

static void an_object_that_was_made_anew_is_not_touched(void **state)
{
    (void)state;
    struct peal_bus_options options = PEAL_BUS_OPTIONS_INIT;
    struct peal_audit audit = {.struct_bytes = sizeof(audit)};
    struct peal_message message;
    struct peal_bus *smaller;
    unsigned char byte;
    peal_bus_close(bus);
    peal_bus_close(other);
    look();
    options.size_bytes = UINT64_C(1) << 20;
    assert_int_equal(peal_bus_open(&smaller, url, &options), PEAL_OK);
    assert_int_equal(sight_take(&sight, observer), PEAL_EFORMAT);
    assert_int_equal(peal_observer_audit(observer, NULL, &audit), PEAL_EFORMAT);
    assert_int_equal(peal_observer_peek(observer, 0, 0, 0, &byte, 1, &message), PEAL_EFORMAT);
    peal_bus_close(smaller);
    bus = open_as("engine");
    other = open_as("gauge");
}

static void note_if_ours(void *context, const char *found)
{
    *(unsigned *)context += strcmp(found, url) == 0;
}

static void regions_are_listed(void **state)
{
    (void)state;
    unsigned count = 0;
    assert_int_equal(peal_observer_regions("posix", note_if_ours, &count), PEAL_OK);
    assert_int_equal(count, 1);
    assert_int_equal(peal_observer_regions("vdev", note_if_ours, &count), PEAL_ENOTSUP);
    assert_int_equal(peal_observer_regions(NULL, note_if_ours, &count), PEAL_EINVAL);
}

/* ---- lies ---- */

static void a_name_is_made_fit_for_a_terminal(void **state)
{
    (void)state;
    peal_u64 *name = bus->region.clients[0].name;
    static const char hostile[32] = "a\033[2J\n\x7f\xc2\x9b\xff\xc3\xa9\xed\xa0\x80z";
    uint64_t words[4];
    memcpy(words, hostile, sizeof(words));
    for (uint32_t i = 0; i < 4; i++)
        peal_u64_store_relaxed(&name[i], words[i]);
    look();
    assert_string_equal(sight.client_names[0], "a?[2J???\?\?\xc3\xa9?\?\?z");
    for (uint32_t i = 0; i < 4; i++)
        peal_u64_store_relaxed(&name[i], UINT64_MAX);
    look();
    assert_string_equal(sight.client_names[0], "????????????????????????????????");
}

static void a_spoilt_lane_is_said_to_be_spoilt(void **state)
{
    (void)state;
    struct peal_publisher *publisher = publish_as("left", 16, PEAL_FULL_REFUSE);
    struct peal_message message;
    unsigned char bytes[64];
    struct peal_lane_entry_shared *entry = &bus->region.topics[0].lanes[0];
    const uint32_t pages = peal_u32_load_relaxed(&entry->page_count);
    peal_u32_store_relaxed(&entry->page_count, UINT32_MAX);
    look();
    assert_int_equal(sight.publishers, 1);
    assert_true(sight.publisher[0].is_spoilt);
    assert_int_equal(sight.publisher[0].depth, 0);
    assert_int_equal(peal_observer_peek(observer, 0, 0, 0, bytes, sizeof(bytes), &message),
                     PEAL_ECORRUPT);
    peal_u32_store_relaxed(&entry->page_count, pages);
    look();
    assert_false(sight.publisher[0].is_spoilt);
    peal_publisher_close(publisher);
}

static void a_cursor_beyond_the_messages_makes_no_lag(void **state)
{
    (void)state;
    struct peal_publisher *publisher = publish_as("left", 16, PEAL_FULL_REFUSE);
    struct peal_subscriber *subscriber = topic_subscribe(other, "wheel", PEAL_RELIABLE);
    assert_int_equal(topic_put(publisher, 0), PEAL_OK);
    uint32_t first = peal_u32_load_relaxed(&bus->region.topics[0].lanes[0].first_page);
    struct peal_lane_shared *lane = (void *)(bus->region.base + (size_t)first * PEAL_PAGE_BYTES);
    peal_u64_store_relaxed(&lane->readers[0].cursor, 5);
    look();
    assert_int_equal(sight.subscriber[0].cursor, 5);
    assert_int_equal(sight.subscriber[0].lag, 0);
    peal_u64_store_relaxed(&lane->readers[0].cursor, UINT64_MAX);
    look();
    assert_false(sight.subscriber[0].cursor_known);
    assert_int_equal(sight.subscriber[0].lag, 0);
    peal_subscriber_close(subscriber);
    peal_publisher_close(publisher);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        TEST(region_and_clients_are_shown),
        TEST(an_observer_takes_no_index_and_no_lock),
        TEST(a_topic_shows_type_publisher_and_subscriber),
        TEST(a_subscriber_tells_what_it_took_and_lost),
        TEST(an_acknowledgement_shows_at_latest_after_64_messages),
        TEST(a_queue_shows_both_its_ends),
        TEST(a_refused_newcomer_and_ended_lanes_are_counted),
        TEST(a_dead_client_shows_as_dead_and_its_figures_stay),
        TEST(bells_and_sleeps_are_shown_of_both_sides),
        TEST(a_message_is_peeked_at_and_taken_from_nobody),
        TEST(long_messages_and_checksums_are_peeked_at),
        TEST(a_queue_is_not_peeked_at),
        TEST(nothing_is_written),
        TEST(a_saved_copy_is_read_like_a_live_region),
        TEST(what_cannot_be_looked_at_is_refused_with_a_reason),
        TEST(a_region_that_goes_is_looked_at_to_the_end),
        TEST(an_object_that_was_made_anew_is_not_touched),
        TEST(regions_are_listed),
        TEST(a_name_is_made_fit_for_a_terminal),
        TEST(a_spoilt_lane_is_said_to_be_spoilt),
        TEST(a_cursor_beyond_the_messages_makes_no_lag),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
