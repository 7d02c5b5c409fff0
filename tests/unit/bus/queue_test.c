/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Queues by the public functions, over a local region: what each call answers, and that who sleeps is
 * woken.
 */
#include "bus/queue_internal.h"

#include "tests/support/bus_fixture.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <peal/publisher.h>

#include <cmocka.h>

#define LONG_NS UINT64_C(20000000000)

static struct peal_bus *pushing;
static struct peal_bus *popping;

static void without_spinning(struct peal_bus_options *options)
{
    options->spin_ns = 1;
    options->safety_net_ns = LONG_NS; /* a wake-up that is lost shows */
}

static int set_up(void **state)
{
    (void)state;
    pushing = bus_fixture_open("local:queue", without_spinning);
    popping = bus_fixture_open("local:queue", without_spinning);
    return pushing && popping ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    peal_bus_close(pushing);
    peal_bus_close(popping);
    return 0;
}

static struct peal_queue *open_queue(struct peal_bus *bus, uint32_t uses,
                                     enum peal_queue_full_policy policy)
{
    struct peal_queue_options options = PEAL_QUEUE_OPTIONS_INIT;
    struct peal_queue *queue;
    options.uses = uses;
    options.message_bytes_max = 16;
    options.depth = 4;
    options.full_policy = policy;
    options.full_timeout_ns = LONG_NS;
    assert_int_equal(peal_queue_create(bus, "jobs", &options, &queue), PEAL_OK);
    return queue;
}

static enum peal_status push(struct peal_queue *queue, uint64_t number)
{
    return peal_queue_push(queue, &number, sizeof(number));
}

static void assert_pops(struct peal_queue *queue, uint64_t number)
{
    unsigned char buffer[16];
    struct peal_queue_message message;
    uint64_t got = 0;
    assert_int_equal(peal_queue_pop(queue, buffer, sizeof(buffer), &message), PEAL_OK);
    assert_int_equal(message.size_bytes, sizeof(got));
    assert_ptr_equal(message.data, buffer);
    memcpy(&got, buffer, sizeof(got));
    assert_int_equal(got, number);
}

static void one_handle_pushes_and_another_pops(void **state)
{
    (void)state;
    struct peal_queue *from = open_queue(pushing, PEAL_QUEUE_PUSH, PEAL_QUEUE_FULL_REFUSE);
    struct peal_queue *to = open_queue(popping, PEAL_QUEUE_POP, PEAL_QUEUE_FULL_REFUSE);
    unsigned char buffer[16];
    struct peal_queue_message message;
    assert_int_equal(peal_queue_pop(to, buffer, sizeof(buffer), &message), PEAL_EMPTY);
    for (uint64_t i = 0; i < 4; i++)
        assert_int_equal(push(from, i), PEAL_OK);
    assert_int_equal(push(from, 4), PEAL_FULL);
    for (uint64_t i = 0; i < 4; i++)
        assert_pops(to, i);
    assert_int_equal(peal_queue_pop(to, buffer, sizeof(buffer), &message), PEAL_EMPTY);
    struct peal_queue_stats stats = {.struct_bytes = sizeof(stats)};
    assert_int_equal(peal_queue_stats(from, &stats), PEAL_OK);
    assert_int_equal(stats.pushed, 4);
    assert_int_equal(stats.refused, 1);
    assert_int_equal(push(from, 5), PEAL_OK);
    assert_int_equal(peal_queue_stats(to, &stats), PEAL_OK);
    assert_int_equal(stats.popped, 4);
    assert_int_equal(stats.pending, 1);
    assert_int_equal(stats.lanes, 1);
    peal_queue_close(from);
    peal_queue_close(to);
}

/* The pusher writes nonsense after the popper has seen that the messages are there. */
static void a_single_message_of_impossible_length_is_counted_and_not_handed_out(void **state)
{
    (void)state;
    struct peal_queue *from = open_queue(pushing, PEAL_QUEUE_PUSH, PEAL_QUEUE_FULL_REFUSE);
    struct peal_queue *to = open_queue(popping, PEAL_QUEUE_POP, PEAL_QUEUE_FULL_REFUSE);
    unsigned char buffer[17] = {0};
    struct peal_queue_message message;
    for (uint64_t i = 0; i < 4; i++)
        assert_int_equal(push(from, i), PEAL_OK);
    assert_pops(to, 0);
    peal_u32_store_relaxed(&from->producer.lengths[1], 17);
    assert_int_equal(peal_queue_pop(to, buffer, 16, &message), PEAL_ECORRUPT);
    assert_int_equal(buffer[16], 0);
    assert_pops(to, 2);
    assert_int_equal(peal_queue_pop(to, buffer, 15, &message), PEAL_ETRUNC);
    assert_pops(to, 3);
    struct peal_queue_stats stats = {.struct_bytes = sizeof(stats)};
    assert_int_equal(peal_queue_stats(to, &stats), PEAL_OK);
    assert_int_equal(stats.popped, 3);
    assert_int_equal(stats.corrupt, 1);
    for (uint64_t i = 0; i < 4; i++) /* its room is there again */
        assert_int_equal(push(from, i), PEAL_OK);
    peal_queue_close(from);
    peal_queue_close(to);
}

static void messages_of_all_sizes_are_pushed_together(void **state)
{
    (void)state;
    static const unsigned char bytes[17] = "0123456789abcdef";
    struct peal_queue *from = open_queue(pushing, PEAL_QUEUE_PUSH, PEAL_QUEUE_FULL_REFUSE);
    struct peal_queue *to = open_queue(popping, PEAL_QUEUE_POP, PEAL_QUEUE_FULL_REFUSE);
    struct peal_slice slices[5];
    unsigned char buffer[4][16];
    struct peal_queue_message messages[4];
    size_t pushed, count;
    for (size_t round = 0; round < 17; round++) { /* the batch goes round the end of the ring */
        for (size_t i = 0; i < 3; i++)
            slices[i] = (struct peal_slice){bytes + i, (round * 5 + i * 7) % 15};
        slices[0] = (struct peal_slice){NULL, 0};
        assert_int_equal(peal_queue_push_slices(from, slices, 3, &pushed), PEAL_OK);
        assert_int_equal(pushed, 3);
        for (size_t i = 0; i < 3; i += count) {
            assert_int_equal(peal_queue_pop_batch(to, buffer, 16, messages, 4, &count), PEAL_OK);
            for (size_t k = 0; k < count; k++) {
                assert_int_equal(messages[k].number, round * 3 + i + k);
                assert_int_equal(messages[k].size_bytes, slices[i + k].size_bytes);
                assert_memory_equal(messages[k].data, bytes + i + k, messages[k].size_bytes);
            }
        }
    }
    for (size_t i = 0; i < 5; i++)
        slices[i] = (struct peal_slice){bytes, 16};
    slices[4].size_bytes = 17; /* one too long: none is pushed */
    assert_int_equal(peal_queue_push_slices(from, slices, 5, &pushed), PEAL_EMSGSIZE);
    assert_int_equal(pushed, 0);
    assert_int_equal(peal_queue_pop_batch(to, buffer, 16, messages, 4, &count), PEAL_EMPTY);
    slices[4].size_bytes = 1; /* one too many: the others are */
    assert_int_equal(peal_queue_push_slices(from, slices, 5, &pushed), PEAL_FULL);
    assert_int_equal(pushed, 4);
    assert_int_equal(peal_queue_push_slices(to, slices, 1, NULL), PEAL_EINVAL);
    assert_int_equal(peal_queue_push_slices(from, NULL, 0, &pushed), PEAL_OK);
    peal_queue_close(from);
    peal_queue_close(to);
}

static void a_handle_does_only_what_it_was_made_for(void **state)
{
    (void)state;
    struct peal_queue *from = open_queue(pushing, PEAL_QUEUE_PUSH, PEAL_QUEUE_FULL_REFUSE);
    struct peal_queue *to = open_queue(popping, PEAL_QUEUE_POP, PEAL_QUEUE_FULL_REFUSE);
    unsigned char buffer[16];
    struct peal_queue_message message;
    size_t count;
    assert_int_equal(peal_queue_pop(from, buffer, sizeof(buffer), &message), PEAL_EINVAL);
    assert_int_equal(peal_queue_take(from, &message, 1, &count), PEAL_EINVAL);
    assert_int_equal(peal_queue_done(from), PEAL_EINVAL);
    assert_int_equal(peal_queue_wait(from, 0), PEAL_EINVAL);
    assert_int_equal(push(to, 1), PEAL_EINVAL);
    assert_int_equal(peal_queue_push_batch(to, buffer, 1, 2, NULL), PEAL_EINVAL);
    assert_int_equal(peal_queue_done(to), PEAL_EINVAL);
    assert_int_equal(peal_queue_take(to, &message, 0, &count), PEAL_EINVAL);
    assert_int_equal(push(from, 1), PEAL_OK);
    assert_int_equal(peal_queue_pop(to, buffer, 15, &message), PEAL_ETRUNC);
    assert_int_equal(peal_queue_message_bytes_max(to), 16);
    assert_int_equal(peal_queue_push(from, buffer, 17), PEAL_EMSGSIZE);
    peal_queue_close(from);
    peal_queue_close(to);
}

static void what_was_taken_and_not_done_goes_to_another(void **state)
{
    (void)state;
    struct peal_queue *from = open_queue(pushing, PEAL_QUEUE_PUSH, PEAL_QUEUE_FULL_REFUSE);
    struct peal_queue *to = open_queue(popping, PEAL_QUEUE_POP, PEAL_QUEUE_FULL_REFUSE);
    struct peal_queue_message messages[4];
    size_t count;
    uint64_t numbers[3] = {7, 8, 9};
    size_t pushed;
    assert_int_equal(peal_queue_push_batch(from, numbers, 8, 2, &pushed), PEAL_OK);
    assert_int_equal(pushed, 2);
    assert_int_equal(peal_queue_take(to, messages, 2, &count), PEAL_OK);
    assert_int_equal(count, 2);
    assert_memory_equal(messages[1].data, &numbers[1], 8);
    assert_false(messages[0].is_redelivered);
    assert_int_equal(peal_queue_take(to, messages, 2, &count), PEAL_EINVAL);
    peal_queue_close(to);
    to = open_queue(pushing, PEAL_QUEUE_POP, PEAL_QUEUE_FULL_REFUSE);
    assert_int_equal(peal_queue_wait(to, LONG_NS), PEAL_OK);
    assert_int_equal(peal_queue_take(to, messages, 4, &count), PEAL_OK);
    assert_int_equal(count, 2);
    assert_true(messages[0].is_redelivered);
    assert_memory_equal(messages[0].data, &numbers[0], 8);
    assert_int_equal(peal_queue_done(to), PEAL_OK);
    assert_int_equal(push(from, numbers[2]), PEAL_OK);
    assert_pops(to, 9);
    struct peal_queue_stats stats = {.struct_bytes = sizeof(stats)};
    assert_int_equal(peal_queue_stats(to, &stats), PEAL_OK);
    assert_int_equal(stats.redelivered, 2);
    peal_queue_close(from);
    peal_queue_close(to);
}

static void full_lanes_do_as_they_were_told(void **state)
{
    (void)state;
    struct peal_queue *to = open_queue(popping, PEAL_QUEUE_POP, PEAL_QUEUE_FULL_REFUSE);
    struct peal_queue *oldest = open_queue(pushing, PEAL_QUEUE_PUSH, PEAL_QUEUE_FULL_DROP_OLDEST);
    for (uint64_t i = 0; i < 6; i++)
        assert_int_equal(push(oldest, i), PEAL_OK);
    for (uint64_t i = 2; i < 6; i++)
        assert_pops(to, i);
    peal_queue_close(oldest);
    struct peal_queue *newest = open_queue(pushing, PEAL_QUEUE_PUSH, PEAL_QUEUE_FULL_DROP_NEWEST);
    for (uint64_t i = 0; i < 6; i++)
        assert_int_equal(push(newest, i), i < 4 ? PEAL_OK : PEAL_DROPPED);
    for (uint64_t i = 0; i < 4; i++)
        assert_pops(to, i);
    struct peal_queue_stats stats = {.struct_bytes = sizeof(stats)};
    assert_int_equal(peal_queue_stats(newest, &stats), PEAL_OK);
    assert_int_equal(stats.dropped_newest, 2);
    peal_queue_close(newest);
    peal_queue_close(to);
}

static void *push_six(void *argument)
{
    struct peal_queue *queue = argument;
    uint64_t numbers[6] = {0, 1, 2, 3, 4, 5};
    enum peal_status status = peal_queue_push_batch(queue, numbers, 8, 6, NULL);
    return status == PEAL_OK ? NULL : queue;
}

static void who_waits_for_room_is_woken_by_who_pops_and_the_other_way_round(void **state)
{
    (void)state;
    for (unsigned round = 0; round < 200; round++) {
        struct peal_queue *from = open_queue(pushing, PEAL_QUEUE_PUSH, PEAL_QUEUE_FULL_WAIT);
        struct peal_queue *to = open_queue(popping, PEAL_QUEUE_POP, PEAL_QUEUE_FULL_REFUSE);
        pthread_t thread;
        void *failed;
        assert_int_equal(pthread_create(&thread, NULL, push_six, from), 0);
        for (uint64_t i = 0; i < 6; i++) {
            assert_int_equal(peal_queue_wait(to, LONG_NS), PEAL_OK);
            assert_pops(to, i);
        }
        assert_int_equal(pthread_join(thread, &failed), 0);
        assert_null(failed);
        peal_queue_close(from);
        peal_queue_close(to);
    }
    assert_int_equal(bus_fixture_counter(&pushing->counters.safety_net_finds), 0);
    assert_int_equal(bus_fixture_counter(&popping->counters.safety_net_finds), 0);
}

static void count_call(struct peal_queue *queue, void *context)
{
    unsigned char buffer[16];
    struct peal_queue_message message;
    unsigned *calls = context;
    assert_int_equal(peal_queue_pop(queue, buffer, sizeof(buffer), &message), PEAL_OK);
    ++*calls;
}

static void a_waitset_waits_for_queues_beside_subscribers(void **state)
{
    (void)state;
    struct peal_queue *from = open_queue(pushing, PEAL_QUEUE_PUSH, PEAL_QUEUE_FULL_REFUSE);
    struct peal_queue *to = open_queue(popping, PEAL_QUEUE_POP, PEAL_QUEUE_FULL_REFUSE);
    struct peal_subscriber *subscriber;
    struct peal_publisher *publisher;
    struct peal_waitset *waitset;
    void *contexts[2];
    size_t count;
    unsigned calls = 0;
    assert_int_equal(peal_subscriber_create(popping, "news", NULL, &subscriber), PEAL_OK);
    assert_int_equal(peal_publisher_create(pushing, "news", NULL, &publisher), PEAL_OK);
    assert_int_equal(peal_waitset_create(popping, &waitset), PEAL_OK);
    assert_int_equal(peal_waitset_add(waitset, subscriber, NULL, &count), PEAL_OK);
    assert_int_equal(peal_waitset_add_queue(waitset, to, count_call, &calls), PEAL_OK);
    assert_int_equal(peal_waitset_add_queue(waitset, to, count_call, &calls), PEAL_EEXIST);
    assert_int_equal(push(from, 1), PEAL_OK);
    struct peal_message news;
    while (peal_subscriber_take(subscriber, &news) != PEAL_EMPTY)
        continue;
    assert_int_equal(peal_waitset_wait(waitset, LONG_NS, contexts, 2, &count), PEAL_OK);
    assert_int_equal(peal_waitset_dispatch(waitset, LONG_NS, &count), PEAL_OK);
    assert_int_equal(calls, 1);
    assert_int_equal(peal_waitset_remove_queue(waitset, to), PEAL_OK);
    assert_int_equal(peal_waitset_remove_queue(waitset, to), PEAL_ENOENT);
    assert_int_equal(push(from, 2), PEAL_OK);
    assert_int_equal(peal_waitset_wait(waitset, 0, contexts, 2, &count), PEAL_TIMEDOUT);
    peal_waitset_close(waitset);
    peal_queue_close(from);
    peal_queue_close(to);
    peal_publisher_close(publisher);
    peal_subscriber_close(subscriber);
}

static void wrong_wishes_are_explained(void **state)
{
    (void)state;
    struct peal_queue_options options = PEAL_QUEUE_OPTIONS_INIT;
    struct peal_queue *queue = NULL;
    assert_int_equal(peal_queue_create(NULL, "jobs", NULL, &queue), PEAL_EINVAL);
    assert_int_equal(peal_queue_create(pushing, "jobs", NULL, NULL), PEAL_EINVAL);
    assert_int_equal(peal_queue_create(pushing, "", NULL, &queue), PEAL_EINVAL);
    options.uses = 4;
    assert_int_equal(peal_queue_create(pushing, "jobs", &options, &queue), PEAL_EINVAL);
    options.uses = 0;
    options.full_policy = (enum peal_queue_full_policy)4;
    assert_int_equal(peal_queue_create(pushing, "jobs", &options, &queue), PEAL_EINVAL);
    options.full_policy = PEAL_QUEUE_FULL_WAIT;
    options.message_bytes_max = (1u << 20) + 1;
    assert_int_equal(peal_queue_create(pushing, "jobs", &options, &queue), PEAL_EINVAL);
    options.message_bytes_max = 1u << 20;
    options.depth = 1024;
    assert_int_equal(peal_queue_create(pushing, "jobs", &options, &queue), PEAL_ENOSPC);
    assert_null(queue);
    options.message_bytes_max = 100;
    options.depth = 0;
    assert_int_equal(peal_queue_create(pushing, "jobs", &options, &queue), PEAL_OK);
    assert_int_equal(push(queue, 3), PEAL_OK);
    unsigned char buffer[100];
    struct peal_queue_message message;
    assert_int_equal(peal_queue_pop(queue, buffer, sizeof(buffer), &message), PEAL_OK);
    peal_queue_close(queue);
    peal_queue_close(NULL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(one_handle_pushes_and_another_pops),
        TEST(a_single_message_of_impossible_length_is_counted_and_not_handed_out),
        TEST(messages_of_all_sizes_are_pushed_together),
        TEST(a_handle_does_only_what_it_was_made_for),
        TEST(what_was_taken_and_not_done_goes_to_another),
        TEST(full_lanes_do_as_they_were_told),
        TEST(who_waits_for_room_is_woken_by_who_pops_and_the_other_way_round),
        TEST(a_waitset_waits_for_queues_beside_subscribers),
        TEST(wrong_wishes_are_explained),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
