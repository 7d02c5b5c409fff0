/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The spsc ring on a weak memory: its elements are plain memory, so each missing order is a race.
 */
#include "core/spsc.h"
#include "tests/model/run.h"

#define CAPACITY 2u
#define ELEMENTS 5u

static _Alignas(4096) unsigned char arena[8192];

static struct {
    struct peal_spsc_producer producer;
    struct peal_spsc_consumer consumer;
    uint64_t pushed;
    uint64_t popped;
} world;

static void produce(void)
{
    for (unsigned i = 0; i < ELEMENTS; i++) {
        uint64_t element = 100 + world.pushed;
        if (peal_spsc_producer_push(&world.producer, &element) == PEAL_OK)
            world.pushed++;
    }
}

static bool pop(void)
{
    uint64_t element = 0;
    enum peal_status status = peal_spsc_consumer_pop(&world.consumer, &element);
    model_require(status == PEAL_OK || status == PEAL_EMPTY, "an honest ring is taken for spoilt");
    if (status != PEAL_OK)
        return false;
    model_require(element == 100 + world.popped, "not the element that is due");
    world.popped++;
    return true;
}

static void consume(void)
{
    for (unsigned i = 0; i < ELEMENTS; i++)
        (void)pop();
}

static void account(void)
{
    while (pop())
        ;
    model_require(world.popped == world.pushed, "elements are lost");
}

static void on_a_weak_memory_each_order_is_needed(void **state)
{
    (void)state;
    memset(arena, 0, sizeof(arena));
    memset(&world, 0, sizeof(world));
    assert_int_equal(peal_spsc_format(arena, sizeof(arena), 8, CAPACITY), PEAL_OK);
    assert_int_equal(peal_spsc_producer_join(&world.producer, arena, sizeof(arena), 8), PEAL_OK);
    assert_int_equal(peal_spsc_consumer_join(&world.consumer, arena, sizeof(arena), 8), PEAL_OK);
    struct model_program program = {
        .name = "spsc, weak",
        .is_weak = true,
        .thread_count = 2,
        .threads = {produce, consume},
        .arena = arena,
        .arena_bytes = sizeof(arena),
        .world = &world,
        .world_bytes = sizeof(world),
        .at_end = account,
    };
    static const char *const spared[] = {NULL};
    run_each_order_is_needed(&program, spared);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(on_a_weak_memory_each_order_is_needed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
