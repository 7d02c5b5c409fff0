/* SPDX-License-Identifier: Apache-2.0 */
#include "transport/vdev/vdev.h"

#include "bus/bus_internal.h"
#include "core/atomic.h"
#include "tests/support/eventually.h"
#include "tests/support/random.h"
#include "tests/support/topic_fixture.h"
#include "tests/support/vdev_model_access.h"

#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <unistd.h>

#include <cmocka.h>

#define MS UINT64_C(1000000)
#define BYTES 65536u
#define SHARED MODEL_DEVICE "shared"

static int start(void **state)
{
    (void)state;
    return model_access_start(NULL) ? 0 : -1;
}

static int stop(void **state)
{
    (void)state;
    model_access_stop();
    return 0;
}

static enum peal_status try_open(const char *device, bool must_exist, uint64_t size_bytes,
                                 struct peal_transport **t)
{
    const struct peal_transport_options options = {.struct_bytes = sizeof(options),
                                                   .size_bytes = size_bytes,
                                                   .device = device,
                                                   .must_exist = must_exist};
    return peal_transport_open("vdev", "region", &options, t);
}

static struct peal_transport *open_on(const char *device)
{
    struct peal_transport *t = NULL;
    if (try_open(device, false, BYTES, &t) != PEAL_OK)
        fail_msg("%s", peal_error_message());
    return t;
}

static void close_one(struct peal_transport *t)
{
    t->ops->close(t);
}

static uint64_t bit_of(const struct peal_transport *t)
{
    return UINT64_C(1) << t->index;
}

static uint64_t drain(struct peal_transport *t)
{
    uint64_t sources = 0;
    (void)t->ops->wait(t, t->ops->epoch(t), 0, &sources);
    return sources;
}

static void assert_refused(enum peal_status status, enum peal_status expected, const char *word)
{
    if (status != expected || strstr(peal_error_message(), word) == NULL)
        fail_msg("%s instead of %s with '%s': %s", peal_status_name(status),
                 peal_status_name(expected), word, peal_error_message());
}

/* ---- opening ---- */

static void its_capabilities_are_those_of_clients_on_several_kernels(void **state)
{
    (void)state;
    struct peal_transport *t = open_on(MODEL_DEVICE);
    assert_int_equal(t->capabilities, PEAL_TRANSPORT_PROCESS_DEATH | PEAL_TRANSPORT_MEMBER_EVENTS |
                                          PEAL_TRANSPORT_COSTLY_NOTIFY);
    assert_int_equal(t->capacity, 16);
    assert_int_equal(t->ops->barrier(t), PEAL_ENOTSUP);
    close_one(t);
}

static void a_device_that_is_none_is_refused_with_what_to_do(void **state)
{
    (void)state;
    struct peal_transport *t = NULL;
    if (access("/dev/guest_shm0", F_OK) != 0)
        assert_refused(try_open(NULL, false, BYTES, &t), PEAL_ENOENT, "/dev/guest_shm0");
    assert_refused(try_open("/no/such", false, BYTES, &t), PEAL_ENOENT, "modprobe");
    assert_refused(try_open("/tmp", false, BYTES, &t), PEAL_EINVAL, "neither");
    assert_refused(try_open("/etc/passwd", false, BYTES, &t), PEAL_EINVAL, "neither");
    assert_refused(try_open("/dev/null", false, BYTES, &t), PEAL_EFORMAT, "guest_shm");
    assert_refused(try_open("pigeon:1", false, BYTES, &t), PEAL_ENOENT, "pigeon:1");
    assert_refused(try_open("no-file", false, BYTES, &t), PEAL_ENOENT,
                   "there is no device no-file");
    assert_null(t);
}

static void a_size_that_32_bits_of_pages_cannot_name_is_refused(void **state)
{
    (void)state;
    struct peal_transport *t = NULL;
    assert_refused(try_open(MODEL_DEVICE, false, UINT64_C(1) << 44, &t), PEAL_EINVAL, "32 bits");
    assert_int_equal(model_access_ways(), 0);
}

static void what_must_exist_and_does_not_leaves_no_connection(void **state)
{
    (void)state;
    struct peal_transport *t = NULL;
    struct peal_transport *keeper = open_on(SHARED);
    const struct peal_transport_options options = {
        .struct_bytes = sizeof(options), .device = SHARED, .must_exist = true};
    assert_refused(peal_transport_open("vdev", "other", &options, &t), PEAL_ENOENT, "other");
    assert_int_equal(model_access_connections(), 1);
    assert_int_equal(model_access_ways(), 1);
    assert_int_equal(try_open(MODEL_DEVICE, true, BYTES, &t), PEAL_OK);
    close_one(t);
    close_one(keeper);
    assert_int_equal(model_access_connections(), 0);
}

static void a_region_of_the_hosts_configuration_is_attached_whatever_its_size(void **state)
{
    (void)state;
    struct peal_transport *t = NULL;
    struct vdev_rules rules = {0};
    char error[128];
    assert_true(vdev_rules_add(&rules, "create", "region,12288", error, sizeof(error)));
    model_access_rules(&rules);
    t = open_on(MODEL_DEVICE);
    assert_int_equal(t->size_bytes, 12288);
    close_one(t);
    /* Nobody uses it now, and so it counts as one that does not exist. */
    assert_refused(try_open(MODEL_DEVICE, true, BYTES, &t), PEAL_ENOENT, "nobody uses");
}

static void a_device_that_fails_when_asked_for_members_is_left(void **state)
{
    (void)state;
    struct peal_transport *keeper = open_on(SHARED), *t = NULL;
    bool failed = true;
    for (int access = 0; failed; access++) {
        model_access_fail_at(access);
        const enum peal_status status = try_open(SHARED, false, BYTES, &t);
        failed = model_access_has_failed();
        if (status == PEAL_OK)
            close_one(t);
        assert_int_equal(model_access_connections(), 1);
        assert_int_equal(model_access_ways(), 1);
    }
    close_one(keeper);
}

/* ---- what touches the device ---- */

static void assert_untouched(const struct vdev_access_counts *before)
{
    const struct vdev_access_counts now = model_access_counts();
    assert_memory_equal(&now, before, sizeof(now));
}

static void a_bell_is_one_trapped_write(void **state)
{
    (void)state;
    struct peal_transport *t[4];
    for (int i = 0; i < 4; i++)
        t[i] = open_on(MODEL_DEVICE);
    for (int i = 0; i < 4; i++)
        (void)drain(t[i]);
    struct vdev_access_counts expected = model_access_counts();
    t[0]->ops->notify(t[0], bit_of(t[1]) | bit_of(t[2]) | bit_of(t[3]));
    expected.notify_writes += 1;
    expected.interrupts += 3;
    assert_untouched(&expected);
    t[0]->ops->notify(t[0], UINT64_MAX << 16);
    for (int i = 0; i < 1000; i++)
        (void)t[0]->ops->epoch(t[0]);
    t[0]->ops->wake_all(t[0]);
    assert_int_equal(drain(t[0]), 0); /* nothing came, so there is nothing to read */
    assert_untouched(&expected);
    assert_int_equal(drain(t[1]), bit_of(t[0]));
    expected.status_reads += 1;
    assert_untouched(&expected);
    for (int i = 0; i < 4; i++)
        close_one(t[i]);
}

struct listener {
    struct peal_subscriber *subscriber;
    peal_u32 tid;
    enum peal_status status;
};

static void *wait_for_message(void *context)
{
    struct listener *listener = context;
    peal_u32_store_seq_cst(&listener->tid, (uint32_t)gettid());
    listener->status = peal_subscriber_wait(listener->subscriber, EVENTUALLY_TIMEOUT_NS);
    return NULL;
}

static bool has_tid(void *context)
{
    return peal_u32_load_seq_cst(context) != 0;
}

static void fall_asleep(pthread_t *thread, void *(*body)(void *), void *context, peal_u32 *tid)
{
    assert_int_equal(pthread_create(thread, NULL, body, context), 0);
    assert_true(eventually(has_tid, tid, EVENTUALLY_TIMEOUT_NS));
    assert_true(eventually_asleep((pid_t)peal_u32_load_seq_cst(tid)));
}

static struct peal_bus *open_bus(void)
{
    struct peal_bus_options options = PEAL_BUS_OPTIONS_INIT;
    struct peal_bus *bus = NULL;
    options.size_bytes = UINT64_C(8) << 20;
    options.topics_max = 16;
    options.spin_ns = 1;
    options.safety_net_ns = 30000 * MS; /* what wakes must be the bell */
    if (peal_bus_open(&bus, "vdev:bus?device=" MODEL_DEVICE, &options) != PEAL_OK)
        fail_msg("%s", peal_error_message());
    return bus;
}

static void no_register_is_touched_while_the_reader_is_awake(void **state)
{
    (void)state;
    struct peal_bus *theirs = open_bus(), *ours = open_bus();
    struct peal_subscriber *subscriber = topic_subscribe(theirs, "t", PEAL_RELIABLE);
    struct peal_publisher_options options = topic_publisher_options(64, PEAL_FULL_REFUSE);
    struct peal_publisher *publisher = topic_publish(ours, "t", &options);
    struct peal_message message;
    assert_int_equal(topic_put(publisher, 0), PEAL_OK);
    assert_int_equal(topic_take(subscriber, &message), PEAL_OK); /* finds the lane */
    const struct vdev_access_counts before = model_access_counts();
    assert_true(before.status_reads > 0);
    for (uint64_t number = 1; number < 10000; number++) {
        assert_int_equal(topic_put(publisher, number), PEAL_OK);
        assert_int_equal(topic_take(subscriber, &message), PEAL_OK);
        assert_int_equal(topic_take(subscriber, &message), PEAL_EMPTY);
    }
    assert_untouched(&before);

    /* And the same reader asleep: one write, whatever the number of messages. */
    struct listener listener = {.subscriber = subscriber};
    pthread_t thread;
    fall_asleep(&thread, wait_for_message, &listener, &listener.tid);
    struct vdev_access_counts asleep = model_access_counts();
    assert_int_equal(topic_put(publisher, 10000), PEAL_OK);
    assert_int_equal(topic_put(publisher, 10001), PEAL_OK);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(listener.status, PEAL_OK);
    const struct vdev_access_counts now = model_access_counts();
    assert_int_equal(now.notify_writes, asleep.notify_writes + 1);
    assert_in_range(now.status_reads, asleep.status_reads + 1, asleep.status_reads + 2);
    assert_int_equal(now.factory_reads + now.factory_writes + now.idx_reads,
                     asleep.factory_reads + asleep.factory_writes + asleep.idx_reads);
    peal_publisher_close(publisher);
    peal_subscriber_close(subscriber);
    peal_bus_close(ours);
    peal_bus_close(theirs);
}

/* ---- a guest with several connections ---- */

static void connections_of_one_guest_share_its_interrupt_and_nothing_else(void **state)
{
    (void)state;
    struct peal_transport *a = open_on(SHARED), *b = open_on(SHARED),
                          *other = open_on(MODEL_DEVICE);
    uint64_t sources = 0;
    assert_int_equal(a->ops->members(other), 7);
    (void)drain(a);
    (void)drain(b);
    const uint32_t epoch = a->ops->epoch(a);
    other->ops->notify(other, bit_of(a));
    assert_int_equal(drain(b), 0); /* rung, for the vector is one; but not for it */
    assert_int_equal(a->ops->wait(a, epoch, 0, &sources), PEAL_OK);
    assert_int_equal(sources, bit_of(other));
    b->ops->notify(b, bit_of(a) | bit_of(b));
    assert_int_equal(drain(a), bit_of(b));
    assert_int_equal(drain(b), bit_of(b));
    a->base[5] = 1;
    assert_int_equal(b->base[5], 1);
    close_one(a);
    assert_int_equal(b->ops->members(b), bit_of(b) | bit_of(other));
    close_one(b);
    close_one(other);
}

struct opener {
    const char *name;
    uint32_t pages;
    bool good;
};

static void *open_again_and_again(void *context)
{
    struct opener *opener = context;
    const struct peal_transport_options options = {.struct_bytes = sizeof(options),
                                                   .size_bytes = opener->pages * UINT64_C(4096),
                                                   .device = SHARED};
    opener->good = true;
    for (int i = 0; i < 200; i++) {
        struct peal_transport *t = NULL;
        opener->good = opener->good &&
                       peal_transport_open("vdev", opener->name, &options, &t) == PEAL_OK &&
                       t->size_bytes == options.size_bytes && t->index == 0;
        if (t != NULL)
            close_one(t);
    }
    return NULL;
}

/* Lets another one write its request between our request and our answer, if it can. */
static void dawdle(void *context, enum model_access_register which)
{
    (void)context;
    if (which == MODEL_GSS_STATUS || which == MODEL_SHMEM)
        for (int i = 0; i < 5; i++)
            (void)sched_yield();
}

static void transactions_of_one_guest_do_not_mix(void **state)
{
    (void)state;
    struct peal_transport *keeper = open_on(SHARED);
    model_access_watch(dawdle, NULL);
    struct opener openers[] = {{"one", 3, false}, {"another", 5, false}, {"third-one", 7, false}};
    pthread_t threads[3];
    for (int i = 0; i < 3; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, open_again_and_again, &openers[i]), 0);
    for (int i = 0; i < 3; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    for (int i = 0; i < 3; i++)
        assert_true(openers[i].good);
    close_one(keeper);
}

/* ---- a device that goes away ---- */

struct sleeper {
    struct peal_transport *transport;
    uint64_t timeout_ns;
    pthread_t thread;
    peal_u32 tid;
    enum peal_status status;
    uint64_t sources;
};

static void *sleep_once(void *context)
{
    struct sleeper *sleeper = context;
    struct peal_transport *t = sleeper->transport;
    const uint32_t epoch = t->ops->epoch(t);
    peal_u32_store_seq_cst(&sleeper->tid, (uint32_t)gettid());
    sleeper->status = t->ops->wait(t, epoch, sleeper->timeout_ns, &sleeper->sources);
    return NULL;
}

static void sleeper_start(struct sleeper *sleeper, struct peal_transport *t, uint64_t timeout_ns)
{
    *sleeper = (struct sleeper){.transport = t, .timeout_ns = timeout_ns};
    fall_asleep(&sleeper->thread, sleep_once, sleeper, &sleeper->tid);
}

static void assert_gone(struct peal_transport *t, uint64_t members)
{
    uint64_t sources;
    for (int i = 0; i < 3; i++) {
        const uint64_t begin_ns = test_now_ns();
        assert_refused(t->ops->wait(t, t->ops->epoch(t), PEAL_TRANSPORT_FOREVER, &sources),
                       PEAL_ESYSTEM, "open it again");
        assert_true(test_now_ns() - begin_ns < 5000 * MS);
    }
    assert_int_equal(t->ops->members(t), members);
    t->ops->notify(t, UINT64_MAX);
    t->ops->wake_all(t);
    t->base[0] = 1; /* its memory is still there */
}

static void a_device_that_is_unplugged_ends_every_wait_and_keeps_the_members(void **state)
{
    (void)state;
    struct peal_transport *t = open_on(MODEL_DEVICE), *other = open_on(MODEL_DEVICE);
    struct sleeper sleepers[3];
    (void)drain(t);
    for (int i = 0; i < 3; i++)
        sleeper_start(&sleepers[i], t, PEAL_TRANSPORT_FOREVER);
    model_access_unplug(t);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(pthread_join(sleepers[i].thread, NULL), 0);
        assert_int_equal(sleepers[i].status, PEAL_ESYSTEM);
    }
    assert_gone(t, 3);
    assert_int_equal(other->ops->members(other), bit_of(other));
    close_one(t);
    close_one(other);
}

/* Its registers read as all ones, and no interrupt says so: a sleep that runs out finds it. */
static void a_guest_that_has_ended_finds_out_at_its_deadline(void **state)
{
    (void)state;
    struct peal_transport *t = open_on(MODEL_DEVICE), *other = open_on(MODEL_DEVICE);
    uint64_t sources;
    (void)drain(t);
    model_access_kill(t);
    assert_int_equal(t->ops->wait(t, t->ops->epoch(t), MS, &sources), PEAL_ESYSTEM);
    assert_gone(t, 3);
    close_one(t);
    close_one(other);
}

static void asking_for_the_members_finds_out_too_and_wakes_who_sleeps(void **state)
{
    (void)state;
    struct peal_transport *t = open_on(MODEL_DEVICE);
    struct sleeper sleeper;
    (void)drain(t);
    sleeper_start(&sleeper, t, PEAL_TRANSPORT_FOREVER);
    model_access_kill(t);
    assert_int_equal(t->ops->members(t), 1);
    assert_int_equal(pthread_join(sleeper.thread, NULL), 0);
    assert_int_equal(sleeper.status, PEAL_ESYSTEM);
    assert_gone(t, 1);
    close_one(t);
}

static void who_waits_for_a_message_is_told_that_the_device_is_gone(void **state)
{
    (void)state;
    struct peal_bus *bus = open_bus();
    struct peal_subscriber *subscriber = topic_subscribe(bus, "t", PEAL_RELIABLE);
    struct listener listener = {.subscriber = subscriber};
    pthread_t thread;
    fall_asleep(&thread, wait_for_message, &listener, &listener.tid);
    model_access_unplug(bus->transport);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(listener.status, PEAL_ESYSTEM);
    assert_refused(peal_subscriber_wait(subscriber, PEAL_FOREVER), PEAL_ESYSTEM, "open it again");
    peal_subscriber_close(subscriber);
    peal_bus_close(bus);
}

/* ---- who sleeps, and who wakes him ---- */

static void a_leader_that_leaves_hands_over(void **state)
{
    (void)state;
    struct peal_transport *t = open_on(MODEL_DEVICE), *ringer = open_on(MODEL_DEVICE);
    (void)drain(t);
    for (int i = 0; i < 10; i++) {
        struct sleeper leader, follower;
        sleeper_start(&leader, t, 20 * MS);
        sleeper_start(&follower, t, EVENTUALLY_TIMEOUT_NS);
        assert_int_equal(pthread_join(leader.thread, NULL), 0);
        assert_int_equal(leader.status, PEAL_TIMEDOUT);
        ringer->ops->notify(ringer, bit_of(t));
        assert_int_equal(pthread_join(follower.thread, NULL), 0);
        assert_int_equal(follower.status, PEAL_OK);
        assert_int_equal(follower.sources, bit_of(ringer));
    }
    close_one(t);
    close_one(ringer);
}

/* The hand-over meets one whose own deadline comes at that moment; the last must get it all the same. */
static void a_hand_over_to_one_who_leaves_is_passed_on(void **state)
{
    (void)state;
    struct peal_transport *t = open_on(MODEL_DEVICE), *ringer = open_on(MODEL_DEVICE);
    uint64_t seed = random_seed();
    (void)drain(t);
    for (int i = 0; i < 150; i++) {
        struct sleeper brief[3], last;
        for (int k = 0; k < 3; k++) {
            brief[k] =
                (struct sleeper){.transport = t, .timeout_ns = MS + random_next(&seed) % (MS / 8)};
            assert_int_equal(pthread_create(&brief[k].thread, NULL, sleep_once, &brief[k]), 0);
        }
        last = (struct sleeper){.transport = t, .timeout_ns = EVENTUALLY_TIMEOUT_NS};
        assert_int_equal(pthread_create(&last.thread, NULL, sleep_once, &last), 0);
        for (int k = 0; k < 3; k++)
            assert_int_equal(pthread_join(brief[k].thread, NULL), 0);
        assert_true(eventually(has_tid, &last.tid, EVENTUALLY_TIMEOUT_NS));
        ringer->ops->notify(ringer, bit_of(t));
        assert_int_equal(pthread_join(last.thread, NULL), 0);
        assert_int_equal(last.status, PEAL_OK);
    }
    close_one(t);
    close_one(ringer);
}

/* The ring is taken away from under the leader's poll(), again and again. */
static void a_ring_that_another_drains_wakes_the_leader_and_all_others(void **state)
{
    (void)state;
    struct peal_transport *t = open_on(MODEL_DEVICE), *ringer = open_on(MODEL_DEVICE);
    (void)drain(t);
    for (int i = 0; i < 300; i++) {
        struct sleeper sleepers[2];
        for (int k = 0; k < 2; k++)
            sleeper_start(&sleepers[k], t, EVENTUALLY_TIMEOUT_NS);
        ringer->ops->notify(ringer, bit_of(t));
        const uint64_t ours = drain(t);
        uint64_t theirs = 0;
        for (int k = 0; k < 2; k++) {
            assert_int_equal(pthread_join(sleepers[k].thread, NULL), 0);
            assert_int_equal(sleepers[k].status, PEAL_OK);
            theirs |= sleepers[k].sources;
        }
        assert_int_equal(ours | theirs, bit_of(ringer));
        assert_int_equal(ours & theirs, 0);
    }
    close_one(t);
    close_one(ringer);
}

/* The members look as they did, and yet it may have been somebody who died, and his heir. */
static void who_came_and_left_between_two_looks_ends_a_wait(void **state)
{
    (void)state;
    struct peal_transport *t = open_on(MODEL_DEVICE);
    uint64_t sources = 99;
    (void)drain(t);
    const uint32_t epoch = t->ops->epoch(t);
    close_one(open_on(MODEL_DEVICE));
    assert_int_equal(t->ops->wait(t, epoch, EVENTUALLY_TIMEOUT_NS, &sources), PEAL_OK);
    assert_int_equal(sources, 0);
    close_one(t);
}

static void waiting_without_cause_costs_no_wake(void **state)
{
    (void)state;
    struct peal_transport *t = open_on(MODEL_DEVICE);
    uint64_t sources;
    (void)drain(t);
    const uint32_t epoch = t->ops->epoch(t);
    for (int i = 0; i < 20; i++) {
        assert_int_equal(t->ops->wait(t, epoch, MS / 10, &sources), PEAL_TIMEDOUT);
        assert_int_equal(t->ops->wait(t, epoch, 0, &sources), PEAL_TIMEDOUT);
    }
    assert_int_equal(t->ops->epoch(t), epoch);
    close_one(t);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, start, stop)
    static const struct CMUnitTest tests[] = {
        CASE(its_capabilities_are_those_of_clients_on_several_kernels),
        CASE(a_device_that_is_none_is_refused_with_what_to_do),
        CASE(a_size_that_32_bits_of_pages_cannot_name_is_refused),
        CASE(what_must_exist_and_does_not_leaves_no_connection),
        CASE(a_region_of_the_hosts_configuration_is_attached_whatever_its_size),
        CASE(a_device_that_fails_when_asked_for_members_is_left),
        CASE(a_bell_is_one_trapped_write),
        CASE(no_register_is_touched_while_the_reader_is_awake),
        CASE(connections_of_one_guest_share_its_interrupt_and_nothing_else),
        CASE(transactions_of_one_guest_do_not_mix),
        CASE(a_device_that_is_unplugged_ends_every_wait_and_keeps_the_members),
        CASE(a_guest_that_has_ended_finds_out_at_its_deadline),
        CASE(asking_for_the_members_finds_out_too_and_wakes_who_sleeps),
        CASE(who_waits_for_a_message_is_told_that_the_device_is_gone),
        CASE(a_leader_that_leaves_hands_over),
        CASE(a_hand_over_to_one_who_leaves_is_passed_on),
        CASE(a_ring_that_another_drains_wakes_the_leader_and_all_others),
        CASE(who_came_and_left_between_two_looks_ends_a_wait),
        CASE(waiting_without_cause_costs_no_wake),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
