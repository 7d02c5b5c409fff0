/* SPDX-License-Identifier: Apache-2.0 */
#include "bus/publisher_internal.h"
#include "tests/support/eventually.h"
#include "tests/support/topic_fixture.h"

#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static struct peal_bus *bus;

static int open_bus(void **state)
{
    (void)state;
    bus = topic_bus("local:publisher");
    return bus ? 0 : -1;
}

static int close_bus(void **state)
{
    (void)state;
    peal_bus_close(bus);
    return 0;
}

static enum peal_status create_with(const struct peal_publisher_options *options, const char *topic)
{
    struct peal_publisher *publisher = (void *)1;
    enum peal_status status = peal_publisher_create(bus, topic, options, &publisher);
    if (status != PEAL_OK) {
        assert_null(publisher);
        assert_string_not_equal(peal_error_message(), "");
    }
    peal_publisher_close(status == PEAL_OK ? publisher : NULL);
    return status;
}

static void wrong_arguments_are_refused_with_a_message(void **state)
{
    (void)state;
    struct peal_publisher_options options = PEAL_PUBLISHER_OPTIONS_INIT;
    assert_int_equal(create_with(&options, ""), PEAL_EINVAL);
    assert_int_equal(create_with(&options, "a\nb"), PEAL_EINVAL);
    assert_int_equal(
        create_with(&options, "0123456789012345678901234567890123456789012345678901234567890123"),
        PEAL_EINVAL);
    options.depth = 3;
    assert_int_equal(create_with(&options, "t"), PEAL_EINVAL);
    options = (struct peal_publisher_options)PEAL_PUBLISHER_OPTIONS_INIT;
    options.struct_bytes = 0;
    assert_int_equal(create_with(&options, "t"), PEAL_EINVAL);
    options = (struct peal_publisher_options)PEAL_PUBLISHER_OPTIONS_INIT;
    options.full_policy = (enum peal_full_policy)9;
    assert_int_equal(create_with(&options, "t"), PEAL_EINVAL);
    options = (struct peal_publisher_options)PEAL_PUBLISHER_OPTIONS_INIT;
    options.message_bytes_max = 1000;
    options.payload_bytes = 100;
    assert_int_equal(create_with(&options, "t"), PEAL_EINVAL);
    options = (struct peal_publisher_options)PEAL_PUBLISHER_OPTIONS_INIT;
    options.payload_warm_bytes = 1u << 20;
    options.full_policy = PEAL_FULL_EVICT;
    assert_int_equal(create_with(&options, "t"), PEAL_EINVAL);
}

static void a_lane_that_does_not_fit_says_so_and_leaves_nothing(void **state)
{
    (void)state;
    struct peal_bus_stats before = {.struct_bytes = sizeof(before)}, after = before;
    assert_int_equal(peal_bus_stats(bus, &before), PEAL_OK);
    struct peal_publisher_options options = PEAL_PUBLISHER_OPTIONS_INIT;
    options.depth = 1u << 20;
    options.message_bytes_max = 4000;
    assert_int_equal(create_with(&options, "t"), PEAL_ENOSPC);
    assert_int_equal(peal_bus_stats(bus, &after), PEAL_OK);
    assert_true(after.region_free_bytes == before.region_free_bytes);
}

static void closing_gives_everything_back(void **state)
{
    (void)state;
    struct peal_bus_stats before = {.struct_bytes = sizeof(before)}, after = before;
    assert_int_equal(peal_bus_stats(bus, &before), PEAL_OK);
    for (unsigned i = 0; i < 100; i++) {
        struct peal_publisher *publisher = topic_publish(bus, "t", NULL);
        struct peal_subscriber *subscriber = topic_subscribe(bus, "t", PEAL_RELIABLE);
        assert_true(publisher && subscriber);
        assert_int_equal(topic_put(publisher, 0), PEAL_OK);
        if (i % 2)
            peal_publisher_close(publisher);
        peal_subscriber_close(subscriber);
        if (i % 2 == 0)
            peal_publisher_close(publisher);
    }
    assert_int_equal(peal_bus_stats(bus, &after), PEAL_OK);
    assert_true(after.region_free_bytes == before.region_free_bytes);
    peal_publisher_close(NULL);
}

static void sixteen_publishers_share_a_topic_and_no_more(void **state)
{
    (void)state;
    struct peal_publisher_options options = topic_publisher_options(4, PEAL_FULL_REFUSE);
    struct peal_publisher *publishers[PEAL_TOPIC_PUBLISHERS_MAX];
    for (unsigned i = 0; i < PEAL_TOPIC_PUBLISHERS_MAX; i++)
        assert_non_null(publishers[i] = topic_publish(bus, "t", &options));
    assert_int_equal(create_with(&options, "t"), PEAL_ELIMIT);
    peal_publisher_close(publishers[7]);
    assert_non_null(publishers[7] = topic_publish(bus, "t", &options));
    for (unsigned i = 0; i < PEAL_TOPIC_PUBLISHERS_MAX; i++)
        peal_publisher_close(publishers[i]);
}

static void types_must_agree_where_both_name_one(void **state)
{
    (void)state;
    struct peal_publisher_options options = PEAL_PUBLISHER_OPTIONS_INIT;
    options.type_name = "speed";
    options.schema_hash = 1;
    struct peal_publisher *first = topic_publish(bus, "t", &options);
    assert_non_null(first);
    assert_int_equal(create_with(&options, "t"), PEAL_OK);
    options.schema_hash = 2;
    assert_int_equal(create_with(&options, "t"), PEAL_EMISMATCH);
    options.schema_hash = 1;
    options.type_name = "torque";
    assert_int_equal(create_with(&options, "t"), PEAL_EMISMATCH);
    options.type_name = NULL;
    assert_int_equal(create_with(&options, "t"), PEAL_OK);
    peal_publisher_close(first);
}

static void loans_are_one_at_a_time_and_never_longer_than_loaned(void **state)
{
    (void)state;
    struct peal_publisher *publisher = topic_publish(bus, "t", NULL);
    void *data = NULL, *batch[4];
    size_t count = 9;
    assert_int_equal(peal_publisher_commit(publisher, 0), PEAL_EINVAL);
    assert_int_equal(peal_publisher_discard(publisher), PEAL_OK);
    assert_int_equal(peal_publisher_loan(publisher, 49, &data), PEAL_EMSGSIZE);
    assert_int_equal(peal_publisher_loan(publisher, 40, &data), PEAL_OK);
    assert_int_equal(peal_publisher_loan(publisher, 40, &data), PEAL_EINVAL);
    assert_int_equal(peal_publisher_loan_batch(publisher, 8, 4, batch, &count), PEAL_EINVAL);
    assert_int_equal(topic_put(publisher, 0), PEAL_EINVAL);
    assert_int_equal(peal_publisher_publish_batch(publisher, NULL, 0, &count), PEAL_EINVAL);
    assert_int_equal(peal_publisher_commit(publisher, 41), PEAL_EINVAL);
    assert_int_equal(peal_publisher_commit(publisher, 40), PEAL_OK);
    assert_int_equal(peal_publisher_loan_batch(publisher, 8, 0, batch, &count), PEAL_EINVAL);
    assert_int_equal(peal_publisher_loan_batch(publisher, 8, 4, batch, &count), PEAL_OK);
    assert_int_equal(count, 4);
    assert_int_equal(peal_publisher_commit(publisher, 8), PEAL_EINVAL);
    assert_int_equal(peal_publisher_commit_batch(publisher, 5), PEAL_EINVAL);
    assert_int_equal(peal_publisher_commit_batch(publisher, 3), PEAL_OK);
    assert_true(topic_published(publisher).published == 4);
    assert_int_equal(peal_publisher_loan(publisher, 8, &data), PEAL_OK);
    peal_publisher_close(publisher); /* with an open loan */
}

static void a_batch_stops_where_the_gate_shuts_and_tells_how_far_it_came(void **state)
{
    (void)state;
    struct peal_publisher_options options = topic_publisher_options(8, PEAL_FULL_REFUSE);
    struct peal_subscriber *subscriber = topic_subscribe(bus, "t", PEAL_RELIABLE);
    struct peal_publisher *publisher = topic_publish(bus, "t", &options);
    struct peal_slice slices[12] = {0};
    size_t published = 99;
    assert_int_equal(peal_publisher_publish_batch(publisher, slices, 12, &published), PEAL_FULL);
    assert_int_equal(published, 8);
    assert_int_equal(peal_publisher_publish_batch(publisher, slices, 12, NULL), PEAL_FULL);
    assert_true(topic_published(publisher).refused == 2);
    peal_subscriber_close(subscriber);
    slices[3].size_bytes = 49;
    assert_int_equal(peal_publisher_publish_batch(publisher, slices, 12, &published),
                     PEAL_EMSGSIZE);
    assert_int_equal(published, 3);
    peal_publisher_close(publisher);
}

static void *take_one_later(void *argument)
{
    struct peal_message message;
    struct peal_publisher *publisher = ((void **)argument)[0];
    while (!peal_u64_load_acquire(&publisher->writer.shared->writer.waiting))
        (void)sched_yield();
    return (void *)(uintptr_t)(topic_take(((void **)argument)[1], &message) == PEAL_OK);
}

static void a_publisher_that_waits_goes_on_when_room_is_made(void **state)
{
    (void)state;
    struct peal_publisher_options options = topic_publisher_options(2, PEAL_FULL_WAIT);
    options.full_timeout_ns = EVENTUALLY_TIMEOUT_NS;
    struct peal_subscriber *subscriber = topic_subscribe(bus, "t", PEAL_RELIABLE);
    struct peal_publisher *publisher = topic_publish(bus, "t", &options);
    assert_int_equal(topic_put(publisher, 0), PEAL_OK);
    assert_int_equal(topic_put(publisher, 1), PEAL_OK);
    void *both[2] = {publisher, subscriber}, *result = NULL;
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, take_one_later, both), 0);
    assert_int_equal(topic_put(publisher, 2), PEAL_OK);
    assert_int_equal(pthread_join(thread, &result), 0);
    assert_non_null(result);
    assert_true(topic_published(publisher).waits == 1);
    peal_publisher_close(publisher);
    peal_subscriber_close(subscriber);
}

static void statistics_need_the_size_of_their_struct(void **state)
{
    (void)state;
    struct peal_publisher *publisher = topic_publish(bus, "t", NULL);
    struct peal_publisher_stats stats = {0};
    assert_int_equal(peal_publisher_stats(publisher, &stats), PEAL_EINVAL);
    stats.struct_bytes = sizeof(stats);
    assert_int_equal(peal_publisher_stats(publisher, &stats), PEAL_OK);
    assert_true(stats.incarnation != 0 && stats.published == 0 && stats.subscribers == 0);
    struct peal_subscriber *reliable = topic_subscribe(bus, "t", PEAL_RELIABLE);
    struct peal_subscriber *lossy = topic_subscribe(bus, "t", PEAL_BEST_EFFORT);
    assert_int_equal(peal_publisher_stats(publisher, &stats), PEAL_OK);
    assert_true(stats.subscribers == 2 && stats.reliable == 1);
    peal_subscriber_close(reliable);
    peal_subscriber_close(lossy);
    peal_publisher_close(publisher);
}

int main(void)
{
#define ON_A_BUS(test) cmocka_unit_test_setup_teardown(test, open_bus, close_bus)
    const struct CMUnitTest tests[] = {
        ON_A_BUS(wrong_arguments_are_refused_with_a_message),
        ON_A_BUS(a_lane_that_does_not_fit_says_so_and_leaves_nothing),
        ON_A_BUS(closing_gives_everything_back),
        ON_A_BUS(sixteen_publishers_share_a_topic_and_no_more),
        ON_A_BUS(types_must_agree_where_both_name_one),
        ON_A_BUS(loans_are_one_at_a_time_and_never_longer_than_loaned),
        ON_A_BUS(a_batch_stops_where_the_gate_shuts_and_tells_how_far_it_came),
        ON_A_BUS(a_publisher_that_waits_goes_on_when_room_is_made),
        ON_A_BUS(statistics_need_the_size_of_their_struct),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
