/* SPDX-License-Identifier: Apache-2.0 */
#include "bus/publisher_internal.h"
#include "bus/subscriber_internal.h"
#include "tests/support/topic_fixture.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static struct peal_bus *bus;

static int open_bus(void **state)
{
    (void)state;
    bus = topic_bus("local:subscriber");
    return bus ? 0 : -1;
}

static int close_bus(void **state)
{
    (void)state;
    peal_bus_close(bus);
    return 0;
}

static enum peal_status create_with(const struct peal_subscriber_options *options,
                                    const char *topic)
{
    struct peal_subscriber *subscriber = (void *)1;
    enum peal_status status = peal_subscriber_create(bus, topic, options, &subscriber);
    if (status != PEAL_OK) {
        assert_null(subscriber);
        assert_string_not_equal(peal_error_message(), "");
    }
    peal_subscriber_close(status == PEAL_OK ? subscriber : NULL);
    return status;
}

static struct peal_publisher *publisher_of(uint32_t depth, enum peal_full_policy policy)
{
    struct peal_publisher_options options = topic_publisher_options(depth, policy);
    struct peal_publisher *publisher = topic_publish(bus, "t", &options);
    assert_non_null(publisher);
    return publisher;
}

static void put_many(struct peal_publisher *publisher, uint64_t from, uint64_t count)
{
    for (uint64_t number = from; number < from + count; number++)
        assert_int_equal(topic_put(publisher, number), PEAL_OK);
}

static void assert_next(struct peal_subscriber *subscriber, uint64_t number, uint64_t lost)
{
    struct peal_message message;
    assert_int_equal(topic_take(subscriber, &message), PEAL_OK);
    assert_true(message.number == number && message.lost == lost);
}

static void assert_empty(struct peal_subscriber *subscriber)
{
    struct peal_message message;
    assert_int_equal(topic_take(subscriber, &message), PEAL_EMPTY);
}

static void wrong_arguments_are_refused_with_a_message(void **state)
{
    (void)state;
    struct peal_subscriber_options options = PEAL_SUBSCRIBER_OPTIONS_INIT;
    assert_int_equal(create_with(&options, ""), PEAL_EINVAL);
    options.struct_bytes = 0;
    assert_int_equal(create_with(&options, "t"), PEAL_EINVAL);
    options = (struct peal_subscriber_options)PEAL_SUBSCRIBER_OPTIONS_INIT;
    options.reliability = (enum peal_reliability)7;
    assert_int_equal(create_with(&options, "t"), PEAL_EINVAL);
    peal_subscriber_close(NULL);
}

static void thirty_two_subscribers_share_a_topic_and_no_more(void **state)
{
    (void)state;
    struct peal_subscriber *subscribers[PEAL_TOPIC_SUBSCRIBERS_MAX];
    struct peal_publisher *publisher = publisher_of(16, PEAL_FULL_REFUSE);
    for (unsigned i = 0; i < PEAL_TOPIC_SUBSCRIBERS_MAX; i++)
        assert_non_null(subscribers[i] = topic_subscribe(bus, "t", PEAL_RELIABLE));
    assert_int_equal(create_with(NULL, "t"), PEAL_ELIMIT);
    put_many(publisher, 0, 3);
    for (unsigned i = 0; i < PEAL_TOPIC_SUBSCRIBERS_MAX; i++) {
        for (uint64_t number = 0; number < 3; number++)
            assert_next(subscribers[i], number, 0);
        peal_subscriber_close(subscribers[i]);
    }
    peal_publisher_close(publisher);
}

static void a_late_subscriber_begins_at_the_next_message_or_in_history(void **state)
{
    (void)state;
    struct peal_publisher *publisher = publisher_of(64, PEAL_FULL_REFUSE);
    put_many(publisher, 0, 100);
    struct peal_subscriber *now = topic_subscribe(bus, "t", PEAL_RELIABLE), *back = NULL;
    struct peal_subscriber_options options = PEAL_SUBSCRIBER_OPTIONS_INIT;
    options.history = 5;
    assert_int_equal(peal_subscriber_create(bus, "t", &options, &back), PEAL_OK);
    assert_empty(now);
    for (uint64_t number = 95; number < 100; number++)
        assert_next(back, number, 0);
    assert_empty(back);
    put_many(publisher, 100, 1);
    assert_next(now, 100, 0);
    assert_next(back, 100, 0);
    peal_subscriber_close(now);
    peal_subscriber_close(back);
    peal_publisher_close(publisher);
}

static void latest_gives_the_newest_only(void **state)
{
    (void)state;
    struct peal_publisher *publisher = publisher_of(4, PEAL_FULL_WAIT);
    struct peal_subscriber_options options = PEAL_SUBSCRIBER_OPTIONS_INIT;
    struct peal_subscriber *latest = NULL;
    options.latest = true;
    options.history = 1;
    put_many(publisher, 0, 10);
    assert_int_equal(peal_subscriber_create(bus, "t", &options, &latest), PEAL_OK);
    assert_next(latest, 9, 0);
    put_many(publisher, 10, 50); /* nobody waits for it */
    assert_next(latest, 59, 49);
    assert_empty(latest);
    assert_true(topic_published(publisher).reliable == 0);
    peal_subscriber_close(latest);
    peal_publisher_close(publisher);
}

static void messages_are_held_and_released_in_any_order(void **state)
{
    (void)state;
    struct peal_publisher *publisher = publisher_of(128, PEAL_FULL_REFUSE);
    struct peal_subscriber *subscriber = topic_subscribe(bus, "t", PEAL_RELIABLE);
    struct peal_message held[65];
    put_many(publisher, 0, 100);
    for (unsigned i = 0; i < 64; i++)
        assert_int_equal(peal_subscriber_take(subscriber, &held[i]), PEAL_OK);
    assert_int_equal(peal_subscriber_take(subscriber, &held[64]), PEAL_ELIMIT);
    for (unsigned i = 64; i-- > 0;)
        assert_int_equal(peal_subscriber_release(subscriber, &held[i]), PEAL_OK);
    size_t count = 0, elapsed = 9;
    assert_int_equal(peal_subscriber_take_batch(subscriber, held, 65, &count), PEAL_OK);
    assert_int_equal(count, 36);
    for (unsigned i = 0; i < 36; i++)
        assert_true(held[i].number == 64 + i && content_is(held[i].data, 8, 0, 64 + i));
    assert_int_equal(peal_subscriber_release_batch(subscriber, held, count, &elapsed), PEAL_OK);
    assert_int_equal(elapsed, 0);
    put_many(publisher, 100, 128); /* all room is free again, once we are known to be idle */
    peal_subscriber_close(subscriber);
    peal_publisher_close(publisher);
}

static void a_buffer_that_is_too_small_consumes_nothing(void **state)
{
    (void)state;
    struct peal_publisher *publisher = publisher_of(16, PEAL_FULL_REFUSE);
    struct peal_subscriber *subscriber = topic_subscribe(bus, "t", PEAL_RELIABLE);
    struct peal_message message;
    unsigned char bytes[8];
    put_many(publisher, 0, 2);
    for (unsigned tries = 0; tries < 3; tries++) {
        assert_int_equal(peal_subscriber_take_copy(subscriber, bytes, 7, &message), PEAL_ETRUNC);
        assert_int_equal(message.size_bytes, 8);
    }
    assert_next(subscriber, 0, 0);
    assert_next(subscriber, 1, 0);
    peal_subscriber_close(subscriber);
    peal_publisher_close(publisher);
}

static void many_publishers_are_heard_in_turn(void **state)
{
    (void)state;
    struct peal_publisher *publishers[4];
    struct peal_subscriber *subscriber = topic_subscribe(bus, "t", PEAL_RELIABLE);
    for (unsigned i = 0; i < 4; i++) {
        publishers[i] = publisher_of(1024, PEAL_FULL_REFUSE);
        put_many(publishers[i], 0, 1000);
    }
    /* None of them is left to starve behind another. */
    struct peal_message message;
    uint64_t first[4] = {0};
    unsigned seen = 0;
    for (unsigned taken = 0; taken < 300; taken++) {
        assert_int_equal(topic_take(subscriber, &message), PEAL_OK);
        if (message.number == 0)
            first[seen++] = message.publisher;
    }
    assert_int_equal(seen, 4);
    (void)first;
    for (unsigned i = 0; i < 4; i++)
        peal_publisher_close(publishers[i]);
    peal_subscriber_close(subscriber);
}

static void a_spoilt_lane_is_given_up_and_the_others_go_on(void **state)
{
    (void)state;
    struct peal_publisher *liar = publisher_of(16, PEAL_FULL_REFUSE);
    struct peal_subscriber *subscriber = topic_subscribe(bus, "t", PEAL_RELIABLE);
    struct peal_publisher *honest = publisher_of(16, PEAL_FULL_REFUSE);
    struct peal_lane_writer *writer = &liar->writer;
    put_many(liar, 0, 1);
    struct peal_slot_shared *slot =
        peal_lane_slot(writer->slots, writer->mask, writer->stride_bytes, 0);
    peal_u32_store_relaxed(&slot->length, 5000);
    put_many(honest, 0, 3);
    struct peal_message message;
    unsigned corrupt = 0, good = 0;
    enum peal_status status;
    while ((status = topic_take(subscriber, &message)) != PEAL_EMPTY) {
        corrupt += status == PEAL_ECORRUPT;
        good += status == PEAL_OK;
        if (status == PEAL_ECORRUPT)
            assert_true(message.publisher == topic_published(liar).incarnation);
        assert_true(corrupt <= 1);
    }
    assert_true(corrupt == 1 && good == 3);
    /* It does not come back, and it does not hold the liar up. */
    for (uint64_t number = 1; number < 100; number++)
        assert_int_equal(topic_put(liar, number), PEAL_OK);
    put_many(honest, 3, 1);
    assert_next(subscriber, 3, 0);
    assert_empty(subscriber);
    assert_true(topic_taken(subscriber).corrupt == 1);
    assert_true(topic_taken(subscriber).publishers == 1);
    peal_publisher_close(liar);
    peal_publisher_close(honest);
    peal_subscriber_close(subscriber);
}

static void types_must_agree_where_both_name_one(void **state)
{
    (void)state;
    struct peal_subscriber_options options = PEAL_SUBSCRIBER_OPTIONS_INIT;
    struct peal_subscriber *subscriber = NULL;
    options.type_name = "speed";
    options.schema_hash = 1;
    assert_int_equal(peal_subscriber_create(bus, "t", &options, &subscriber), PEAL_OK);
    options.schema_hash = 2;
    assert_int_equal(create_with(&options, "t"), PEAL_EMISMATCH);
    options.type_name = "";
    assert_int_equal(create_with(&options, "t"), PEAL_OK);
    peal_subscriber_close(subscriber);
}

static void waiting_ends_at_once_when_there_is_something_and_else_in_time(void **state)
{
    (void)state;
    struct peal_publisher *publisher = publisher_of(16, PEAL_FULL_REFUSE);
    struct peal_subscriber *subscriber = topic_subscribe(bus, "t", PEAL_RELIABLE);
    assert_int_equal(peal_subscriber_wait(subscriber, 0), PEAL_TIMEDOUT);
    assert_int_equal(peal_subscriber_wait(subscriber, 100000), PEAL_TIMEDOUT);
    put_many(publisher, 0, 1);
    assert_int_equal(peal_subscriber_wait(subscriber, PEAL_FOREVER), PEAL_OK);
    assert_next(subscriber, 0, 0);
    assert_int_equal(peal_subscriber_wait(subscriber, 0), PEAL_TIMEDOUT);
    peal_publisher_close(publisher);
    peal_subscriber_close(subscriber);
}

int main(void)
{
#define ON_A_BUS(test) cmocka_unit_test_setup_teardown(test, open_bus, close_bus)
    const struct CMUnitTest tests[] = {
        ON_A_BUS(wrong_arguments_are_refused_with_a_message),
        ON_A_BUS(thirty_two_subscribers_share_a_topic_and_no_more),
        ON_A_BUS(a_late_subscriber_begins_at_the_next_message_or_in_history),
        ON_A_BUS(latest_gives_the_newest_only),
        ON_A_BUS(messages_are_held_and_released_in_any_order),
        ON_A_BUS(a_buffer_that_is_too_small_consumes_nothing),
        ON_A_BUS(many_publishers_are_heard_in_turn),
        ON_A_BUS(a_spoilt_lane_is_given_up_and_the_others_go_on),
        ON_A_BUS(types_must_agree_where_both_name_one),
        ON_A_BUS(waiting_ends_at_once_when_there_is_something_and_else_in_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
