/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A lane: its publisher, who may die or stop anywhere, and a reader. What is delivered is whole, it is
 * the message of its number, and what is not is counted, exactly.
 */
#include "core/lane_reader.h"
#include "core/lane_writer.h"
#include "tests/model/run.h"

#define DEPTH 2u
#define TAG 77u

enum { WRITER, READER };

static struct {
    _Alignas(64) unsigned char lane[PEAL_LANE_SLOTS_OFFSET + DEPTH * 64u + 1024u];
    struct peal_topic_shared topic;
} arena;

static struct {
    struct peal_lane_writer writer;
    struct peal_lane_reader reader;
    uint64_t starts[DEPTH];
    uint64_t expected; /* number of the message that comes next, but for losses */
    uint64_t delivered;
    uint64_t lost;
    uint64_t begun; /* puts that were begun */
    uint64_t puts;
    uint64_t takes;
    uint64_t words; /* of a message */
} world;

static void write_all(void)
{
    uint64_t message[8];
    for (uint64_t i = 0; i < world.puts; i++) {
        for (uint64_t w = 0; w < world.words; w++)
            message[w] = 100 + world.writer.next;
        world.begun = world.writer.next + 1;
        (void)peal_lane_put(&world.writer, message, (size_t)(8 * world.words), 0);
    }
}

static bool take(void)
{
    uint64_t copy[8] = {0};
    struct peal_message message;
    enum peal_status status =
        peal_lane_take_copy(&world.reader, copy, sizeof(copy), &message);
    model_require(status == PEAL_OK || status == PEAL_EMPTY, "the lane is spoilt");
    if (status != PEAL_OK)
        return false;
    model_require(message.size_bytes == 8 * world.words, "the length of another message");
    for (uint64_t w = 0; w < world.words; w++)
        model_require(copy[w] == 100 + message.number, "a torn or wrong message");
    model_require(message.number == world.expected + message.lost, "a loss is not exact");
    world.expected = message.number + 1;
    world.delivered++;
    world.lost += message.lost;
    return true;
}

static void read_some(void)
{
    for (uint64_t i = 0; i < world.takes; i++)
        (void)take();
}

static void account(void)
{
    for (unsigned i = 0; i < 4 * DEPTH; i++)
        (void)take();
    uint64_t cursor = world.delivered + peal_lane_reader_lost(&world.reader);
    model_require(cursor >= world.writer.next, "messages are there and do not come");
    model_require(cursor <= world.begun, "messages come that were not sent");
    model_require(model_thread_state(WRITER) == MODEL_DEAD || cursor == world.writer.next,
                  "delivered and lost are not what was published");
}

static struct model_program prepare(bool is_weak, uint64_t words, uint64_t payload_bytes)
{
    memset(&arena, 0, sizeof(arena));
    memset(&world, 0, sizeof(world));
    struct peal_lane_geometry geometry;
    uint32_t bytes = (uint32_t)(8 * words);
    assert_int_equal(peal_lane_geometry_make(&geometry, DEPTH, bytes, payload_bytes, 0), PEAL_OK);
    assert_true(geometry.size_bytes <= sizeof(arena.lane));
    struct peal_lane_shared *lane = (void *)arena.lane;
    peal_lane_geometry_store(&geometry, 5, "model", lane);
    peal_lane_writer_init(&world.writer, &geometry, lane, &arena.topic, world.starts);
    if (payload_bytes == 0)
        world.writer.starts = NULL;
    struct peal_lane_reader_wish wish = {.invited = true};
    assert_int_equal(
        peal_lane_reader_begin(&world.reader, lane, sizeof(arena.lane), 0, &wish), PEAL_OK);
    world.words = words;
    return (struct model_program){
        .name = "lane",
        .is_weak = is_weak,
        .thread_count = 2,
        .threads = {write_all, read_some},
        .arena = &arena,
        .arena_bytes = sizeof(arena),
        .world = &world,
        .world_bytes = sizeof(world),
        .at_end = account,
    };
}

static void losses_are_exact_wherever_the_publisher_dies_or_stops(void **state)
{
    (void)state;
    struct model_program program = prepare(false, 2, 0);
    program.name = "lane, strong, deaths";
    program.deaths = 1;
    program.mortals = 1u << WRITER;
    world.puts = run_is_long() ? 12 : 7;
    world.takes = run_is_long() ? 8 : 5;
    run_holds(&program);
}

static void nothing_torn_is_delivered_on_a_weak_memory_and_each_order_is_needed(void **state)
{
    (void)state;
    struct model_program program = prepare(true, 2, 0);
    program.name = "lane, weak";
    world.puts = 3;
    world.takes = 2;
    static const char *const spared[] = {NULL};
    run_each_order_is_needed(&program, spared);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(losses_are_exact_wherever_the_publisher_dies_or_stops),
        cmocka_unit_test(nothing_torn_is_delivered_on_a_weak_memory_and_each_order_is_needed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
