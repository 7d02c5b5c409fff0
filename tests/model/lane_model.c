/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A lane: its publisher, who may die or stop anywhere, and a reader. What is delivered is whole, it is
 * the message of its number, and what is not is counted, exactly.
 */
#include "core/lane_reader.h"
#include "core/lane_writer.h"
#include "core/owner.h"
#include "tests/model/run.h"

#define DEPTH 2u

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

static bool is_reliable; /* the reader; constant while the search runs */

static void write_all(void)
{
    uint64_t message[8];
    for (uint64_t i = 0; i < world.puts; i++) {
        for (uint64_t w = 0; w < world.words; w++)
            message[w] = 100 + world.writer.next;
        world.begun = world.writer.next + 1;
        enum peal_status status =
            peal_lane_put(&world.writer, message, (size_t)(8 * world.words), 0);
        model_require(status == PEAL_OK || (is_reliable && status == PEAL_FULL),
                      "a publisher is refused without a reason");
    }
}

static bool take(void)
{
    uint64_t copy[8] = {0};
    struct peal_message message;
    enum peal_status status = peal_lane_take_copy(&world.reader, copy, sizeof(copy), &message);
    model_require(status == PEAL_OK || status == PEAL_EMPTY, "the lane is spoilt");
    if (status != PEAL_OK)
        return false;
    model_require(message.size_bytes == 8 * world.words, "the length of another message");
    for (uint64_t w = 0; w < world.words; w++)
        model_require(copy[w] == 100 + message.number, "a torn or wrong message");
    model_require(message.number == world.expected + message.lost, "a loss is not exact");
    model_require(!is_reliable || message.lost == 0, "a reliable reader is overrun");
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
    assert_int_equal(peal_lane_reader_begin(&world.reader, lane, sizeof(arena.lane), 0, &wish),
                     PEAL_OK);
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
    world.puts = run_is_long() ? 9 : 7;
    world.takes = run_is_long() ? 6 : 5;
    run_holds(&program);
}

static void nothing_torn_is_delivered_on_a_weak_memory_and_each_order_is_needed(void **state)
{
    (void)state;
    struct model_program program = prepare(true, 2, 0);
    program.name = "lane, weak";
    world.puts = 3;
    world.takes = 2;
    /* Nobody joins. */
    static const char *const spared[] = {"GATE-A1", "GATE-A4", "GATE-F1", NULL};
    run_each_order_is_needed(&program, spared);
}

/* Takes like read_some(), and tells the publisher, who waits for that by trying again. */
static void read_and_acknowledge(void)
{
    for (uint64_t i = 0; i < world.takes; i++) {
        if (take())
            (void)peal_lane_acknowledge(&world.reader, true);
    }
}

static void a_reliable_reader_is_not_overrun_and_its_acknowledgement_needs_its_order(void **state)
{
    (void)state;
    struct model_program program = prepare(true, 1, 0);
    program.name = "lane, weak, reliable";
    program.threads[READER] = read_and_acknowledge;
    struct peal_lane_shared *lane = (void *)arena.lane;
    const uint64_t word = peal_owner_pack((struct peal_owner){
        .state = PEAL_SUBSCRIBER_ACTIVE, .client = 1, .version = 1, .incarnation = 9});
    peal_u64_store_relaxed(&arena.topic.subscribers[0], word);
    peal_u64_store_relaxed(&arena.topic.subscriber_flags[0], PEAL_SUBSCRIBER_IS_RELIABLE);
    peal_u64_store_relaxed(&lane->readers[0].tag, word);
    struct peal_lane_reader_wish wish = {.invited = true, .reliable = true};
    assert_int_equal(peal_lane_reader_begin(&world.reader, lane, sizeof(arena.lane), 0, &wish),
                     PEAL_OK);
    /* What it copies must have been copied before it is overwritten, and not only be found out. */
    program.guarded = arena.lane + PEAL_LANE_SLOTS_OFFSET + PEAL_SLOT_HEAD_BYTES;
    program.guarded_bytes = 8;
    is_reliable = true;
    world.puts = 4;
    world.takes = 3;
    run_holds(&program);
    static const char *const needed[] = {"LANE-R1", "LANE-A1", "LANE-R2", "GATE-A3", NULL};
    run_these_orders_are_needed(&program, needed);
    is_reliable = false;
}

static void each_step_is_needed(void **state)
{
    (void)state;
    struct model_program program = prepare(false, 2, 0);
    program.name = "lane";
    world.puts = 5;
    world.takes = 3;
    run_each_mutant_fails("lane", &program);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(losses_are_exact_wherever_the_publisher_dies_or_stops),
        cmocka_unit_test(nothing_torn_is_delivered_on_a_weak_memory_and_each_order_is_needed),
        cmocka_unit_test(a_reliable_reader_is_not_overrun_and_its_acknowledgement_needs_its_order),
        cmocka_unit_test(each_step_is_needed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
