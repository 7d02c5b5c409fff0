/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sleep and wake: publishers into one lane each, and a sleeper who sleeps for ever, without a safety net.
 * If a publisher dies between its message and the ring, the sleeper may sleep over that message; in
 * no other way.
 */
#include "core/bell.h"
#include "core/lane_reader.h"
#include "core/lane_writer.h"
#include "tests/model/run.h"

#define LANES 2u
#define SLEEPER 5u /* its client index */

static struct {
    _Alignas(64) unsigned char lanes[LANES][PEAL_LANE_SLOTS_OFFSET + 4 * 64u];
    struct peal_topic_shared topic;
    peal_u64 armed;
    peal_u64 bell;
} arena;

static struct {
    struct peal_lane_writer writers[LANES];
    struct peal_lane_reader readers[LANES];
    uint64_t has_put[LANES]; /* messages whose put has returned */
    uint64_t is_rung[LANES]; /* those after which the publisher has looked at `armed` to the end */
    uint64_t taken;
    uint64_t wanted;
    uint64_t sleeps;
} world;

static struct {
    unsigned lanes;
    uint64_t messages; /* of each publisher */
    bool fences;       /* publishers do; else the sleeper calls membarrier */
} plan;

/* As peal_bus_ring(): who takes the bit rings. */
static void ring(uint64_t targets)
{
    /* BELLS-R1: pairs with BELL-R1 */
    uint64_t taken = targets & peal_u64_and_acq_rel(&arena.armed, ~targets);
    if (taken)
        (void)peal_u64_exchange_acq_rel(&arena.bell, 1);
}

static void publish(unsigned lane)
{
    for (uint64_t i = 0; i < plan.messages; i++) {
        uint64_t message = i;
        (void)peal_lane_put(&world.writers[lane], &message, sizeof(message), 0);
        world.has_put[lane]++;
        uint64_t targets = peal_bell_armed(&arena.armed, plan.fences) & (UINT64_C(1) << SLEEPER);
        if (targets)
            ring(targets);
        world.is_rung[lane]++;
    }
}

static void publish_0(void)
{
    publish(0);
}

static void publish_1(void)
{
    publish(1);
}

static bool is_ready(void)
{
    for (unsigned lane = 0; lane < plan.lanes; lane++) {
        if (peal_lane_reader_ready(&world.readers[lane]))
            return true;
    }
    return false;
}

static void take_all(void)
{
    for (unsigned lane = 0; lane < plan.lanes; lane++) {
        uint64_t message;
        struct peal_message head;
        while (peal_lane_take_copy(&world.readers[lane], &message, sizeof(message), &head) ==
               PEAL_OK) {
            model_require(message == head.number && head.lost == 0, "a wrong message");
            world.taken++;
        }
    }
}

static void sleep_and_take(void)
{
    while (world.taken < world.wanted) {
        peal_bell_arm(&arena.armed, SLEEPER);
        if (!plan.fences)
            model_membarrier();
        if (!is_ready()) {
            world.sleeps++;
            model_wait(&arena.bell);
            world.sleeps--; /* equal states look equal */
        }
        peal_bell_disarm(&arena.armed, SLEEPER);
        take_all();
    }
}

static unsigned safety_net_finds; /* over the whole search */

static void nobody_sleeps_over_a_message(void)
{
    uint64_t there = 0;
    bool is_hushed = false; /* somebody died between message and ring */
    for (unsigned lane = 0; lane < plan.lanes; lane++) {
        there += world.has_put[lane];
        is_hushed |= model_thread_state(lane) == MODEL_DEAD && world.is_rung[lane] < plan.messages;
    }
    bool is_asleep = model_thread_state(plan.lanes) == MODEL_BLOCKED;
    if (is_asleep && is_ready()) {
        model_require(is_hushed, "a lost wake-up: it sleeps, and a message is there");
        safety_net_finds++;
    }
    model_require(is_asleep || there == world.wanted || is_hushed, "the sleeper goes away early");
}

static struct model_program prepare(const char *name, bool is_weak)
{
    memset(&arena, 0, sizeof(arena));
    memset(&world, 0, sizeof(world));
    world.wanted = plan.lanes * plan.messages;
    safety_net_finds = 0;
    struct model_program program = {
        .name = name,
        .is_weak = is_weak,
        .thread_count = plan.lanes + 1,
        .arena = &arena,
        .arena_bytes = sizeof(arena),
        .world = &world,
        .world_bytes = sizeof(world),
        .at_end = nobody_sleeps_over_a_message,
    };
    for (unsigned i = 0; i < plan.lanes; i++) {
        struct peal_lane_geometry geometry;
        struct peal_lane_shared *lane = (void *)arena.lanes[i];
        struct peal_lane_reader_wish wish = {.invited = true};
        assert_int_equal(peal_lane_geometry_make(&geometry, 4, 8, 0, 0), PEAL_OK);
        peal_lane_geometry_store(&geometry, 5, "model", lane);
        peal_lane_writer_init(&world.writers[i], &geometry, lane, &arena.topic, NULL);
        peal_lane_gate(&world.writers[i]);
        assert_int_equal(
            peal_lane_reader_begin(&world.readers[i], lane, sizeof(arena.lanes[i]), 0, &wish),
            PEAL_OK);
        program.threads[i] = i == 0 ? publish_0 : publish_1;
    }
    program.threads[plan.lanes] = sleep_and_take;
    return program;
}

static void no_wake_up_is_lost_while_nobody_dies(void **state)
{
    (void)state;
    plan.lanes = 2;
    plan.messages = run_is_long() ? 4 : 3;
    plan.fences = true;
    struct model_program program = prepare("bell, 2 publishers", false);
    run_holds(&program);
    assert_int_equal(safety_net_finds, 0);
}

static void only_a_death_between_message_and_ring_is_left_to_the_safety_net(void **state)
{
    (void)state;
    plan.lanes = 2;
    plan.messages = 2;
    plan.fences = true;
    struct model_program program = prepare("bell, 2 publishers, a death", false);
    program.deaths = 1;
    program.mortals = 3;
    run_holds(&program);
    assert_true(safety_net_finds > 0);
}

static void on_a_weak_memory_each_order_is_needed(void **state)
{
    (void)state;
    plan.lanes = 1;
    plan.messages = 2;
    plan.fences = true;
    struct model_program program = prepare("bell, weak, publishers fence", true);
    /* Nothing is overwritten here; who sees the bit has nothing else to see; a stale bit costs a ring. */
    static const char *const spared[] = {"LANE-F1", "LANE-F2",  "BELL-A1", "BELL-R1",
                                         "BELL-R2", "BELLS-R1", NULL};
    run_each_order_is_needed(&program, spared);
    assert_int_equal(safety_net_finds, 0);
}

static void the_sleepers_membarrier_stands_for_the_publishers_fence(void **state)
{
    (void)state;
    plan.lanes = 1;
    plan.messages = 2;
    plan.fences = false;
    struct model_program program = prepare("bell, weak, membarrier", true);
    run_holds(&program);
    assert_int_equal(safety_net_finds, 0);
}

static void each_step_of_the_handshake_is_needed(void **state)
{
    (void)state;
    plan.lanes = 2;
    plan.messages = 2;
    plan.fences = true;
    struct model_program program = prepare("bell", false);
    run_each_mutant_fails("bell", &program);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_wake_up_is_lost_while_nobody_dies),
        cmocka_unit_test(only_a_death_between_message_and_ring_is_left_to_the_safety_net),
        cmocka_unit_test(on_a_weak_memory_each_order_is_needed),
        cmocka_unit_test(the_sleepers_membarrier_stands_for_the_publishers_fence),
        cmocka_unit_test(each_step_of_the_handshake_is_needed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
