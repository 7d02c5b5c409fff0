/* SPDX-License-Identifier: Apache-2.0 */
/*
 * G5: the messages of one publisher come in the order in which it published them. Under load:
 * tests/stress/topic_test.c.
 */
#include "tests/support/topic_fixture.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define PUBLISHERS 3u
#define BATCH_MAX 8u

static void publish_somehow(struct peal_publisher *publisher, uint64_t *seed, uint64_t *number)
{
    unsigned char bytes[BATCH_MAX][8];
    struct peal_slice slices[BATCH_MAX];
    void *loans[BATCH_MAX];
    size_t count = 1 + random_below(seed, BATCH_MAX), done = 0;
    for (size_t i = 0; i < count; i++) {
        content_fill(bytes[i], 8, 0, *number + i);
        slices[i] = (struct peal_slice){bytes[i], 8};
    }
    switch (random_below(seed, 3)) {
    case 0:
        done = peal_publisher_publish(publisher, bytes[0], 8) == PEAL_OK;
        break;
    case 1:
        (void)peal_publisher_publish_batch(publisher, slices, count, &done);
        break;
    default:
        if (peal_publisher_loan_batch(publisher, 8, count, loans, &done) != PEAL_OK)
            break;
        for (size_t i = 0; i < done; i++)
            memcpy(loans[i], bytes[i], 8);
        done = random_below(seed, (uint32_t)done + 1);
        assert_int_equal(peal_publisher_commit_batch(publisher, done), PEAL_OK);
    }
    *number += done;
}

static void each_publishers_messages_come_in_its_order(void **state)
{
    (void)state;
    uint64_t seed = random_seed();
    struct peal_bus *bus = topic_bus("local:g5");
    struct peal_subscriber *subscriber = topic_subscribe(bus, "t", PEAL_RELIABLE);
    struct peal_publisher *publishers[PUBLISHERS];
    uint64_t who[PUBLISHERS], published[PUBLISHERS] = {0}, taken[PUBLISHERS] = {0};
    for (unsigned i = 0; i < PUBLISHERS; i++) {
        struct peal_publisher_options options = topic_publisher_options(16u << i, PEAL_FULL_REFUSE);
        publishers[i] = topic_publish(bus, "t", &options);
        assert_non_null(publishers[i]);
        who[i] = topic_published(publishers[i]).incarnation;
    }
    for (unsigned step = 0; step < 50000; step++) {
        unsigned pick = random_below(&seed, PUBLISHERS);
        if (random_below(&seed, 3) == 0)
            publish_somehow(publishers[pick], &seed, &published[pick]);
        struct peal_message message;
        if (topic_take(subscriber, &message) != PEAL_OK)
            continue;
        for (pick = 0; pick < PUBLISHERS && who[pick] != message.publisher;)
            pick++;
        assert_true(pick < PUBLISHERS);
        assert_true(message.number == taken[pick] && message.lost == 0);
        taken[pick]++;
    }
    struct peal_message message;
    while (topic_take(subscriber, &message) == PEAL_OK) {
        for (unsigned i = 0; i < PUBLISHERS; i++)
            taken[i] += who[i] == message.publisher;
    }
    for (unsigned i = 0; i < PUBLISHERS; i++) {
        assert_true(published[i] > 1000 && taken[i] == published[i]);
        peal_publisher_close(publishers[i]);
    }
    peal_subscriber_close(subscriber);
    peal_bus_close(bus);
}

static void a_successor_of_the_same_name_is_heard_after_its_predecessor(void **state)
{
    (void)state;
    struct peal_bus *bus = topic_bus("local:g5");
    struct peal_subscriber *subscriber = topic_subscribe(bus, "t", PEAL_RELIABLE);
    struct peal_message message;
    for (uint64_t life = 0; life < 6; life++) {
        struct peal_publisher_options options = topic_publisher_options(16, PEAL_FULL_REFUSE);
        options.name = "sensor";
        struct peal_publisher *publisher = topic_publish(bus, "t", &options);
        assert_non_null(publisher);
        for (uint64_t number = 0; number < 5 + life; number++)
            assert_int_equal(topic_put(publisher, number), PEAL_OK);
        peal_publisher_close(publisher);
    }
    for (uint64_t life = 0; life < 6; life++) {
        for (uint64_t number = 0; number < 5 + life; number++) {
            assert_int_equal(topic_take(subscriber, &message), PEAL_OK);
            assert_true(message.number == number && message.lost == 0);
            bool restarted = (message.flags & PEAL_MESSAGE_RESTARTED) != 0;
            assert_true(restarted == (life > 0 && number == 0));
            if (restarted)
                assert_true(message.previous_number == 4 + life - 1);
        }
    }
    assert_int_equal(topic_take(subscriber, &message), PEAL_EMPTY);
    assert_true(topic_taken(subscriber).restarts == 5);
    peal_subscriber_close(subscriber);
    peal_bus_close(bus);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_publishers_messages_come_in_its_order),
        cmocka_unit_test(a_successor_of_the_same_name_is_heard_after_its_predecessor),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
