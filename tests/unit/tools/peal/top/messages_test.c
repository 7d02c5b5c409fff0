/* SPDX-License-Identifier: Apache-2.0 */
/* Messages of real publishers, peeked at as they come. */
#include "tools/peal/top/messages.h"

#include <peal/publisher.h>
#include <peal/queue.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

struct stage {
    char url[64];
    struct peal_bus *bus;
    struct peal_publisher *publishers[2];
    struct top_scene scene;
    struct top_messages messages;
};

static void stage_begin(struct stage *stage, uint32_t message_bytes_max)
{
    struct peal_bus_options bus = PEAL_BUS_OPTIONS_INIT;
    struct peal_publisher_options lane = PEAL_PUBLISHER_OPTIONS_INIT;
    memset(stage, 0, sizeof(*stage));
    (void)snprintf(stage->url, sizeof(stage->url), "posix:top-messages-%d", (int)getpid());
    bus.size_bytes = 64 << 20;
    lane.timestamp = true;
    lane.depth = 256;
    lane.message_bytes_max = message_bytes_max;
    assert_int_equal(peal_bus_open(&stage->bus, stage->url, &bus), PEAL_OK);
    for (int i = 0; i < 2; i++) {
        lane.name = i == 0 ? "left" : "right";
        assert_int_equal(peal_publisher_create(stage->bus, "topic", &lane, &stage->publishers[i]),
                         PEAL_OK);
    }
    top_scene_begin(&stage->scene, stage->url);
}

static void stage_end(struct stage *stage)
{
    top_messages_free(&stage->messages);
    top_scene_free(&stage->scene);
    for (int i = 0; i < 2; i++)
        peal_publisher_close(stage->publishers[i]);
    peal_bus_close(stage->bus);
    assert_int_equal(peal_unlink(stage->url), PEAL_OK);
}

static void look(struct stage *stage)
{
    assert_int_equal(top_scene_look(&stage->scene), PEAL_OK);
    top_messages_look(&stage->messages, &stage->scene, 0);
}

static void publish(struct stage *stage, int by, const char *text)
{
    assert_int_equal(peal_publisher_publish(stage->publishers[by], text, strlen(text)), PEAL_OK);
}

static void assert_message(const struct stage *stage, uint64_t back, const char *publisher,
                           const char *text)
{
    const struct top_message *message = top_messages_at(&stage->messages, back);
    assert_non_null(message);
    assert_string_equal(message->publisher, publisher);
    assert_int_equal(message->size_bytes, strlen(text));
    assert_memory_equal(message->kept, text, strlen(text));
    assert_true(message->time_ns > 0 && message->time_ns <= stage->scene.now_ns + 1000000000);
}

static void messages_of_all_publishers_stand_in_order_of_time(void **state)
{
    (void)state;
    struct stage stage;
    stage_begin(&stage, 32);
    publish(&stage, 0, "first");
    publish(&stage, 1, "second");
    publish(&stage, 0, "third");
    look(&stage);
    assert_message(&stage, 0, "left", "third");
    assert_message(&stage, 1, "right", "second");
    assert_message(&stage, 2, "left", "first");
    assert_null(top_messages_at(&stage.messages, 3));
    look(&stage); /* nothing comes twice */
    assert_int_equal(stage.messages.count, 3);
    publish(&stage, 1, "fourth");
    look(&stage);
    assert_message(&stage, 0, "right", "fourth");
    assert_int_equal(stage.messages.count, 4);
    stage_end(&stage);
}

static void of_too_many_the_newest_are_shown_and_the_others_counted(void **state)
{
    (void)state;
    struct stage stage;
    stage_begin(&stage, 32);
    publish(&stage, 0, "before");
    look(&stage);
    for (int i = 0; i < 1000; i++)
        publish(&stage, 0, "many");
    publish(&stage, 0, "last");
    look(&stage);
    assert_message(&stage, 0, "left", "last");
    assert_int_equal(top_messages_at(&stage.messages, 0)->number, 1001);
    assert_int_equal(stage.messages.count, 1 + TOP_MESSAGES_A_LOOK / 2);
    assert_int_equal(stage.messages.passed_by, 1001 - TOP_MESSAGES_A_LOOK / 2);
    for (int i = 0; i < 30; i++) { /* the ring goes round */
        for (int j = 0; j < 20; j++)
            publish(&stage, 1, "more");
        look(&stage);
    }
    assert_non_null(top_messages_at(&stage.messages, TOP_MESSAGES_KEPT - 1));
    assert_null(top_messages_at(&stage.messages, TOP_MESSAGES_KEPT));
    stage_end(&stage);
}

static void of_long_messages_one_a_look_is_copied(void **state)
{
    static unsigned char bytes[2 << 20];
    (void)state;
    struct stage stage;
    stage_begin(&stage, sizeof(bytes));
    memset(bytes, 'x', sizeof(bytes));
    for (int i = 0; i < 3; i++)
        assert_int_equal(peal_publisher_publish(stage.publishers[0], bytes, sizeof(bytes)),
                         PEAL_OK);
    look(&stage);
    assert_int_equal(stage.messages.count, 1);
    const struct top_message *message = top_messages_at(&stage.messages, 0);
    assert_int_equal(message->number, 2);
    assert_int_equal(message->size_bytes, sizeof(bytes));
    assert_int_equal(message->kept_bytes, TOP_MESSAGE_KEPT_BYTES);
    assert_int_equal(message->kept[TOP_MESSAGE_KEPT_BYTES - 1], 'x');
    stage_end(&stage);
}

static void another_topic_begins_anew(void **state)
{
    (void)state;
    struct stage stage;
    stage_begin(&stage, 32);
    publish(&stage, 0, "first");
    look(&stage);
    struct peal_publisher *other;
    assert_int_equal(peal_publisher_create(stage.bus, "other", NULL, &other), PEAL_OK);
    assert_int_equal(peal_publisher_publish(other, "else", 4), PEAL_OK);
    assert_int_equal(top_scene_look(&stage.scene), PEAL_OK);
    top_messages_look(&stage.messages, &stage.scene, 1);
    assert_int_equal(stage.messages.count, 1);
    assert_memory_equal(top_messages_at(&stage.messages, 0)->kept, "else", 4);
    assert_int_equal(top_messages_at(&stage.messages, 0)->time_ns, 0); /* it has no timestamps */
    peal_publisher_close(other);
    stage_end(&stage);
}

static void queues_are_left_alone(void **state)
{
    (void)state;
    struct stage stage;
    struct peal_queue *queue;
    stage_begin(&stage, 32);
    assert_int_equal(peal_queue_create(stage.bus, "queue", NULL, &queue), PEAL_OK);
    assert_int_equal(peal_queue_push(queue, "job", 3), PEAL_OK);
    assert_int_equal(top_scene_look(&stage.scene), PEAL_OK);
    assert_true(stage.scene.now->topics[1].seen.is_queue);
    top_messages_look(&stage.messages, &stage.scene, 1);
    assert_int_equal(stage.messages.count, 0);
    peal_queue_close(queue);
    stage_end(&stage);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_of_all_publishers_stand_in_order_of_time),
        cmocka_unit_test(of_too_many_the_newest_are_shown_and_the_others_counted),
        cmocka_unit_test(of_long_messages_one_a_look_is_copied),
        cmocka_unit_test(another_topic_begins_anew),
        cmocka_unit_test(queues_are_left_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
