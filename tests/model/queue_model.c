/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A queue: producers, consumers and a recoverer, each of whom may die or stop anywhere. Each message
 * comes once, or again with a flag after a death, in its producer's order, with its own bytes, and
 * nobody waits for who has stopped.
 */
#include "core/client.h"
#include "core/queue_consumer.h"
#include "core/recover.h"
#include "tests/model/run.h"

#define PAGES 24u
#define PRODUCERS_MAX 2u
#define CONSUMERS_MAX 2u
#define WITNESS 20u /* its client index */
#define NUMBERS_PER_PRODUCER 16u
#define NUMBERS (PRODUCERS_MAX * NUMBERS_PER_PRODUCER)
#define NOBODY 255u

static _Alignas(4096) unsigned char arena[PAGES * PEAL_PAGE_BYTES];

struct client {
    struct peal_region region;
    struct peal_queue_producer producer;
    struct peal_lane_place place;
};

/* What is pushed, and who has had what. Numbers: producer * 16 + i. */
struct book {
    uint8_t pushed[NUMBERS]; /* 1: begun, 2: OK, 3: refused or dropped newest */
    uint8_t got[NUMBERS];
    uint8_t again[NUMBERS];
    uint8_t done[NUMBERS];                             /* somebody was done with it, and knew */
    uint8_t holder[NUMBERS];                           /* who has it in hand, + 1 */
    uint8_t next_of[CONSUMERS_MAX + 1][PRODUCERS_MAX]; /* lowest number still possible there */
};

static struct {
    struct book book;
    struct client producers[PRODUCERS_MAX];
    struct client recoverer;
    struct peal_region regions[CONSUMERS_MAX];
    struct peal_region witness_region;
    struct peal_queue_consumer consumers[CONSUMERS_MAX];
    struct peal_queue_consumer witness;
} world;

/* Constant while the search runs. */
static struct {
    unsigned producers;
    unsigned consumers;
    unsigned pushes[PRODUCERS_MAX];
    unsigned takes[CONSUMERS_MAX];
    unsigned wanted[CONSUMERS_MAX];
    unsigned recoverer; /* its thread */
    bool drops_held;
    bool is_batch;          /* pushes go in pairs */
    bool consumers_recover; /* before they take */
    unsigned already;       /* messages that are there from the beginning */
    enum peal_queue_full_action action;
} plan;

static uint64_t members(void *context)
{
    (void)context;
    unsigned threads = plan.recoverer + 1;
    return model_living() | ~((UINT64_C(1) << threads) - 1);
}

static const struct peal_authority authority = {.members = members};

/* ---- producers ---- */

static bool push(unsigned p, unsigned i, unsigned count)
{
    struct peal_queue_producer *producer = &world.producers[p].producer;
    uint64_t numbers[2] = {p * NUMBERS_PER_PRODUCER + i, p * NUMBERS_PER_PRODUCER + i + 1};
    for (unsigned k = 0; k < count; k++)
        world.book.pushed[numbers[k]] = 1;
    enum peal_status status = PEAL_OK;
    size_t pushed = count;
    uint64_t newest = producer->dropped_newest;
    if (count == 1)
        status = peal_queue_producer_push(producer, numbers, sizeof(numbers[0]));
    else
        status =
            peal_queue_producer_push_batch(producer, numbers, sizeof(numbers[0]), count, &pushed);
    model_require(status == PEAL_OK || status == PEAL_FULL, "an honest lane is taken for spoilt");
    if (count == 1)
        pushed = status == PEAL_OK && producer->dropped_newest == newest;
    for (unsigned k = 0; k < count; k++)
        world.book.pushed[numbers[k]] = k < pushed ? 2 : 3;
    return pushed == count;
}

static void produce(unsigned p)
{
    unsigned step = plan.is_batch ? 2 : 1;
    for (unsigned i = plan.already; i < plan.pushes[p]; i += step)
        (void)push(p, i, step);
}

static void produce_0(void)
{
    produce(0);
}

static void produce_1(void)
{
    produce(1);
}

/* ---- consumers ---- */

static uint64_t number_in(const struct peal_queue_batch *batch, uint32_t i)
{
    const void *data = NULL;
    size_t size_bytes = 0;
    uint64_t number = 0;
    model_require(peal_queue_batch_message(batch, i, &data, &size_bytes), "an impossible length");
    model_require(size_bytes == sizeof(number), "the length of no message");
    memcpy(&number, data, sizeof(number));
    model_require(number < NUMBERS && world.book.pushed[number] != 0, "no message that was pushed");
    return number;
}

static void note(unsigned who, uint64_t number, bool is_redelivered)
{
    unsigned p = (unsigned)number / NUMBERS_PER_PRODUCER;
    unsigned i = (unsigned)number % NUMBERS_PER_PRODUCER;
    unsigned holder = world.book.holder[number];
    model_require(holder == 0 || model_thread_state(plan.producers + holder - 1) == MODEL_DEAD,
                  "two hold one message");
    world.book.holder[number] = (uint8_t)(who + 1);
    if (is_redelivered) {
        model_require(!world.book.done[number], "a message comes again that was done with");
        world.book.again[number]++;
    } else {
        model_require(world.book.got[number] == 0, "a message comes twice without a flag");
        model_require(i >= world.book.next_of[who][p], "a producer's order is broken");
        world.book.next_of[who][p] = (uint8_t)(i + 1);
    }
    world.book.got[number]++;
}

/* Takes some and looks at them twice. */
static bool take(unsigned who, struct peal_queue_consumer *consumer, unsigned wanted)
{
    struct peal_queue_batch batch;
    enum peal_status status = peal_queue_consumer_take(consumer, wanted, &batch);
    model_require(status == PEAL_OK || status == PEAL_EMPTY, "an honest lane is taken for spoilt");
    if (status != PEAL_OK)
        return false;
    model_require(batch.range.count > 0 && batch.range.count <= wanted, "too many messages");
    uint64_t numbers[4];
    for (uint32_t i = 0; i < batch.range.count; i++) {
        numbers[i] = number_in(&batch, i);
        note(who, numbers[i], batch.is_redelivered);
    }
    for (uint32_t i = 0; i < batch.range.count; i++)
        model_require(number_in(&batch, i) == numbers[i], "a message changes while it is held");
    peal_queue_consumer_finish(consumer, &batch);
    for (uint32_t i = 0; i < batch.range.count; i++)
        world.book.done[numbers[i]] = 1;
    for (uint32_t i = 0; i < batch.range.count; i++)
        world.book.holder[numbers[i]] = 0;
    return true;
}

static void consume(unsigned c)
{
    if (plan.consumers_recover && ~members(NULL) != 0)
        (void)peal_recover(&world.regions[c]);
    for (unsigned i = 0; i < plan.takes[c]; i++)
        (void)take(c, &world.consumers[c], plan.wanted[c]);
}

static void consume_0(void)
{
    consume(0);
}

static void consume_1(void)
{
    consume(1);
}

/* ---- recovery ---- */

static void recover(void)
{
    if (~members(NULL) != 0)
        (void)peal_recover(&world.recoverer.region);
}

/* ---- the account ---- */

static bool is_out(unsigned thread)
{
    return model_thread_state(thread) == MODEL_DEAD;
}

/* Consumers who have ended live on, and go on taking: one may be in the midst of what a dead one left. */
static bool take_by_anybody(void)
{
    bool is_taken = false;
    for (unsigned c = 0; c < plan.consumers; c++) {
        if (model_thread_state(plan.producers + c) == MODEL_ENDED)
            is_taken |= take(c, &world.consumers[c], 2);
    }
    return take(CONSUMERS_MAX, &world.witness, 2) || is_taken;
}

static void drain(void)
{
    (void)peal_recover(&world.witness_region);
    unsigned empty = 0;
    for (unsigned i = 0; i < 40 && empty < 3; i++)
        empty += !take_by_anybody();
    model_require(empty == 3, "the queue does not become empty");
}

static struct peal_queue_lane_shared *lane_of(unsigned p)
{
    return world.producers[p].producer.lane;
}

static uint64_t dropped_oldest(void)
{
    /* Of lanes that have ended, and of those that have not. */
    const struct peal_topic_shared *topic = &world.witness_region.topics[0];
    uint64_t dropped = peal_u64_load_relaxed(&topic->queue.dropped_oldest);
    for (unsigned p = 0; p < plan.producers; p++) {
        if (!is_out(p))
            dropped += world.producers[p].producer.dropped_oldest;
    }
    return dropped;
}

static uint64_t lost(void)
{
    const struct peal_topic_shared *topic = &world.witness_region.topics[0];
    uint64_t sum = peal_u64_load_relaxed(&topic->queue.lost);
    for (unsigned p = 0; p < plan.producers; p++) {
        if (!is_out(p))
            sum += peal_queue_lane_lost(lane_of(p));
    }
    return sum;
}

static bool has_died(unsigned first, unsigned count)
{
    for (unsigned t = first; t < first + count; t++) {
        if (is_out(t))
            return true;
    }
    return false;
}

/* Of a dead producer's last push; its lane has ended, and no other has. */
static bool is_published(unsigned number)
{
    const struct peal_topic_shared *topic = &world.witness_region.topics[0];
    return number % NUMBERS_PER_PRODUCER < peal_u64_load_relaxed(&topic->queue.published);
}

static void account(void)
{
    drain();
    uint64_t lacking = 0;
    uint64_t undone = 0;
    for (unsigned n = 0; n < NUMBERS; n++) {
        uint8_t got = world.book.got[n];
        uint8_t again = world.book.again[n];
        model_require(got - again <= 1, "a message comes twice without a flag");
        model_require(again == 0 || has_died(plan.producers, plan.consumers),
                      "a message comes again, and no consumer has died");
        model_require(got == 0 || world.book.pushed[n] != 3, "a message comes that was refused");
        if (world.book.pushed[n] == 2)
            lacking += got == 0;
        /* Who died may have looked at it already, or have published it in its last push. */
        bool is_there = world.book.pushed[n] == 2 || (world.book.pushed[n] == 1 && is_published(n));
        undone += is_there && !world.book.done[n];
    }
    uint64_t counted = dropped_oldest() + lost();
    model_require(lacking <= counted, "a message is lost and nobody has counted it");
    model_require(counted <= undone, "a message is counted twice");
    for (unsigned p = 0; p < plan.producers; p++) {
        if (is_out(p))
            continue;
        unsigned i = plan.pushes[p];
        model_require(push(p, i, 1), "a lane is full although everything was taken from it");
        while (take_by_anybody())
            ;
        model_require(world.book.got[p * NUMBERS_PER_PRODUCER + i] == 1, "a lane is wedged");
    }
}

/* `thread` has stopped. It withholds what it has claimed, and nothing else. */
static void others_go_on(unsigned thread)
{
    drain();
    for (unsigned p = 0; p < plan.producers; p++) {
        if (!is_out(p))
            model_require(peal_queue_lane_pending(lane_of(p)) == 0,
                          "one who has stopped withholds what it has not claimed");
    }
    /* Who clears up behind a dead consumer has adopted what that one held. */
    if (thread >= plan.producers &&
        (thread < plan.recoverer || has_died(plan.producers, plan.consumers)))
        return;
    for (unsigned n = 0; n < NUMBERS; n++) {
        if (world.book.pushed[n] == 2 && dropped_oldest() + lost() == 0)
            model_require(world.book.got[n] > 0, "one who has claimed nothing withholds a message");
    }
}

/* ---- programs ---- */

static void attach(struct peal_region *region, uint32_t index)
{
    const struct peal_region_wish wish = {.topics_max = 1, .generation = 9};
    assert_int_equal(
        peal_region_attach(region, arena, sizeof(arena), index, 1000 + index, &wish, &authority),
        PEAL_OK);
    assert_int_equal(peal_client_register(region, "model", 1), PEAL_OK);
}

static struct model_program prepare(const char *name, bool is_weak)
{
    static const struct peal_queue_wish redeliver = {.kind = PEAL_TOPIC_IS_QUEUE,
                                                     .message_bytes_max = 8};
    static const struct peal_queue_wish drop = {
        .kind = PEAL_TOPIC_IS_QUEUE, .message_bytes_max = 8, .options = PEAL_QUEUE_DROPS_HELD};
    const struct peal_topic_type type = {.queue = plan.drops_held ? &drop : &redeliver};
    memset(arena, 0, sizeof(arena));
    memset(&world, 0, sizeof(world));
    plan.recoverer = plan.producers + plan.consumers;
    struct model_program program = {
        .name = name,
        .is_weak = is_weak,
        .thread_count = plan.recoverer,
        .arena = arena,
        .arena_bytes = sizeof(arena),
        .world = &world,
        .world_bytes = sizeof(world),
        .at_end = account,
        .when_alone = others_go_on,
    };
    for (unsigned c = 0; c < plan.consumers; c++) {
        attach(&world.regions[c], plan.producers + c);
        assert_int_equal(
            peal_queue_consumer_open(&world.consumers[c], &world.regions[c], "jobs", &type),
            PEAL_OK);
        program.threads[plan.producers + c] = c == 0 ? consume_0 : consume_1;
    }
    attach(&world.witness_region, WITNESS);
    assert_int_equal(peal_queue_consumer_open(&world.witness, &world.witness_region, "jobs", &type),
                     PEAL_OK);
    for (unsigned p = 0; p < plan.producers; p++) {
        struct client *client = &world.producers[p];
        attach(&client->region, p);
        assert_int_equal(peal_queue_producer_open(&client->producer, &client->place,
                                                  &client->region, "jobs", &type, 2, plan.action),
                         PEAL_OK);
        program.threads[p] = p == 0 ? produce_0 : produce_1;
    }
    attach(&world.recoverer.region, plan.recoverer);
    program.threads[plan.recoverer] = recover;
    /* The first look at who is there is behind everybody. */
    for (unsigned c = 0; c < plan.consumers; c++)
        (void)take(c, &world.consumers[c], 1);
    (void)take(CONSUMERS_MAX, &world.witness, 1);
    for (unsigned i = 0; i < plan.already; i++)
        assert_true(push(0, i, 1));
    return program;
}

static void with_deaths(struct model_program *program, unsigned deaths, uint32_t mortals)
{
    program->deaths = deaths;
    program->mortals = mortals;
    program->thread_count = plan.recoverer + 1;
}

/* A plan of `consumers` consumers, each of whom takes up to `wanted` messages `takes` times. */
static void make_plan(unsigned producers, unsigned pushes, unsigned consumers, unsigned takes)
{
    memset(&plan, 0, sizeof(plan));
    plan.producers = producers;
    plan.consumers = consumers;
    plan.pushes[0] = plan.pushes[1] = pushes;
    plan.takes[0] = plan.takes[1] = takes;
    plan.wanted[0] = 2;
    plan.wanted[1] = 1;
}

static uint32_t everybody(void)
{
    return (1u << (plan.recoverer + 1)) - 1;
}

static void every_message_comes_once_and_in_its_producers_order(void **state)
{
    (void)state;
    make_plan(1, run_is_long() ? 5 : 4, 2, run_is_long() ? 3 : 2);
    struct model_program program = prepare("queue, 1 lane, 2 consumers", false);
    run_holds(&program);
    make_plan(2, 1, 2, run_is_long() ? 2 : 1);
    program = prepare("queue, 2 lanes, 2 consumers", false);
    run_holds(&program);
}

static void whoever_dies_or_stops_anywhere_nothing_is_lost_and_nobody_waits(void **state)
{
    (void)state;
    make_plan(1, 3, 2, run_is_long() ? 2 : 1);
    struct model_program program = prepare("queue, 1 lane, 2 consumers, a death, recovery", false);
    with_deaths(&program, 1, everybody());
    run_holds(&program);
    make_plan(2, run_is_long() ? 2 : 1, 2, 1);
    program = prepare("queue, 2 lanes, 2 consumers, a death, recovery", false);
    /* The two producers are alike, and with one message a lane so are the consumers. */
    with_deaths(&program, 1, run_is_long() ? everybody() : 1u | 1u << 2 | 1u << 4);
    run_holds(&program);
    if (!run_is_long())
        return;
    make_plan(1, 2, 2, 1);
    program = prepare("queue, 1 lane, 2 consumers, two deaths, recovery", false);
    with_deaths(&program, 2, everybody());
    run_holds(&program);
}

static void a_recoverer_may_die_too(void **state)
{
    (void)state;
    make_plan(1, 2, 1, 1);
    struct model_program program = prepare("queue, 1 lane, 1 consumer, two deaths", false);
    with_deaths(&program, 2, everybody());
    run_holds(&program);
}

static void what_the_dead_held_is_dropped_and_counted_once(void **state)
{
    (void)state;
    make_plan(1, 2, 1, 1);
    plan.drops_held = true;
    struct model_program program = prepare("queue, drops what the dead held, two deaths", false);
    with_deaths(&program, 2, everybody());
    run_holds(&program);
}

static void the_oldest_are_dropped_and_counted_once(void **state)
{
    (void)state;
    make_plan(1, run_is_long() ? 6 : 4, 1, run_is_long() ? 2 : 1);
    plan.action = PEAL_QUEUE_DROP_OLDEST;
    struct model_program program = prepare("queue, drops its oldest, a death", false);
    with_deaths(&program, 1, everybody());
    run_holds(&program);
}

static void on_a_weak_memory_each_order_is_needed(void **state)
{
    (void)state;
    make_plan(1, 3, 2, 1);
    plan.wanted[0] = 1;
    struct model_program program = prepare("queue, weak", true);
    /* Nobody comes or goes here; and whom somebody else has helped is done with by its own store. */
    static const char *const spared[] = {"EPOCH-A1", "OWNER-A1", "QUEUE-R3", NULL};
    run_each_order_is_needed(&program, spared);
}

static void on_a_weak_memory_recovery_holds(void **state)
{
    (void)state;
    make_plan(1, run_is_long() ? 4 : 3, 2, 1);
    plan.already = 2;
    plan.wanted[0] = 1;
    struct model_program program = prepare("queue, weak, a death, recovery", true);
    with_deaths(&program, 1, 1u << plan.producers);
    run_holds(&program);
    static const char *const needed[] = {"QUEUE-A1", "QUEUE-A2", "QUEUE-R1", "QUEUE-R2", NULL};
    run_these_orders_are_needed(&program, needed);
}

static void of_two_who_clear_up_one_adopts(void **state)
{
    (void)state;
    make_plan(1, 2, 2, 1);
    plan.already = 2;
    plan.wanted[1] = 2;
    plan.consumers_recover = true;
    struct model_program program = prepare("queue, two who clear up", false);
    with_deaths(&program, 1, 1u << plan.producers);
    run_holds(&program);
    run_each_mutant_fails("queue_adopt", &program);
}

static void each_step_is_needed(void **state)
{
    (void)state;
    make_plan(1, 3, 2, 1);
    plan.wanted[0] = 2;
    struct model_program program = prepare("queue", false);
    with_deaths(&program, 1, everybody());
    run_each_mutant_fails("queue", &program);
}

static void each_step_of_dropping_what_the_dead_held_is_needed(void **state)
{
    (void)state;
    make_plan(1, 2, 1, 1);
    plan.drops_held = true;
    struct model_program program = prepare("queue", false);
    with_deaths(&program, 2, everybody());
    run_each_mutant_fails("queue_drops", &program);
}

static void each_step_of_dropping_the_oldest_is_needed(void **state)
{
    (void)state;
    make_plan(1, 4, 1, 1);
    plan.action = PEAL_QUEUE_DROP_OLDEST;
    struct model_program program = prepare("queue", false);
    with_deaths(&program, 1, everybody());
    run_each_mutant_fails("queue_oldest", &program);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_message_comes_once_and_in_its_producers_order),
        cmocka_unit_test(whoever_dies_or_stops_anywhere_nothing_is_lost_and_nobody_waits),
        cmocka_unit_test(a_recoverer_may_die_too),
        cmocka_unit_test(what_the_dead_held_is_dropped_and_counted_once),
        cmocka_unit_test(the_oldest_are_dropped_and_counted_once),
        cmocka_unit_test(on_a_weak_memory_each_order_is_needed),
        cmocka_unit_test(on_a_weak_memory_recovery_holds),
        cmocka_unit_test(of_two_who_clear_up_one_adopts),
        cmocka_unit_test(each_step_is_needed),
        cmocka_unit_test(each_step_of_dropping_what_the_dead_held_is_needed),
        cmocka_unit_test(each_step_of_dropping_the_oldest_is_needed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
