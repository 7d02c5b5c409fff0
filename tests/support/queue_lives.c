/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/queue_lives.h"

#include "tests/support/fault_plan.h"
#include "tests/support/lives.h"

#include <stdio.h>

#define PATIENCE_NS UINT64_C(20000000000)
#define MILLISECOND_NS UINT64_C(1000000)
#define DEPTH 4u
#define POPS_MAX 64u

/* Leaves the role when something is not as it must be. */
#define MUST(condition)                                                                            \
    do {                                                                                           \
        if (!(condition))                                                                          \
            return failed(life, __LINE__, #condition);                                             \
    } while (0)

static int failed(struct queue_life *life, int line, const char *condition)
{
    peal_u64_store_relaxed(&life->ledger->failed_line, (uint64_t)line);
    fprintf(stderr, "queue_lives.c:%d: not so: %s (%s)\n", line, condition, peal_error_message());
    return 1;
}

struct peal_queue_options queue_life_options(const struct queue_life *life, uint32_t uses,
                                             uint32_t depth, enum peal_queue_full_policy policy)
{
    struct peal_queue_options options = queue_hand_options(uses, depth, policy);
    options.drops_held = life->drops_held;
    options.strict = life->strict;
    options.type_name = LIFE_TYPE;
    options.schema_hash = LIFE_SCHEMA;
    return options;
}

static struct queue_hand hand_of(const struct queue_life *life, uint32_t actor)
{
    return (struct queue_hand){.ledger = life->ledger, .actor = &life->actors[actor]};
}

static bool is_any_of(enum peal_status status, enum peal_status one, enum peal_status other)
{
    return status == one || status == other;
}

/* ---- a producer ---- */

/* What is answered at a full lane. Others may make room meanwhile. */
static enum peal_status answer_of(enum peal_queue_full_policy policy)
{
    switch (policy) {
    case PEAL_QUEUE_FULL_WAIT:
    case PEAL_QUEUE_FULL_REFUSE:
        return PEAL_FULL;
    case PEAL_QUEUE_FULL_DROP_NEWEST:
        return PEAL_DROPPED;
    case PEAL_QUEUE_FULL_DROP_OLDEST:
        break;
    }
    return PEAL_DROPPED; /* if somebody has taken the oldest and is not done */
}

/* A handle comes, fills its lane and more, one by one and in batches, and goes. */
static int produce(struct queue_life *life, struct peal_bus *bus, const char *name,
                   enum peal_queue_full_policy policy)
{
    const struct peal_queue_options options =
        queue_life_options(life, PEAL_QUEUE_PUSH, DEPTH, policy);
    const enum peal_status answer = answer_of(policy);
    struct queue_hand hand = hand_of(life, 0);
    size_t pushed;
    MUST(queue_hand_open(&hand, bus, name, &options) == PEAL_OK);
    MUST(queue_hand_push(&hand) == PEAL_OK);
    MUST(queue_hand_push_batch(&hand, 2, &pushed) == PEAL_OK && pushed == 2);
    MUST(is_any_of(queue_hand_push_slices(&hand, 3, &pushed), PEAL_OK, answer));
    MUST(is_any_of(queue_hand_push(&hand), PEAL_OK, answer));
    MUST(is_any_of(queue_hand_push_batch(&hand, DEPTH + 1, &pushed), PEAL_OK, answer));
    queue_hand_close(&hand);
    return 0;
}

int queue_life_producer(struct queue_life *life)
{
    struct peal_bus *bus = life_bus(life->url, PATIENCE_NS);
    MUST(bus);
    MUST(produce(life, bus, QUEUE_LEDGER_NAME, PEAL_QUEUE_FULL_REFUSE) == 0);
    MUST(produce(life, bus, QUEUE_LEDGER_NAME, PEAL_QUEUE_FULL_DROP_OLDEST) == 0);
    MUST(produce(life, bus, QUEUE_LEDGER_NAME, PEAL_QUEUE_FULL_DROP_NEWEST) == 0);
    MUST(produce(life, bus, QUEUE_LEDGER_NAME, PEAL_QUEUE_FULL_WAIT) == 0);
    peal_bus_close(bus);
    return 0;
}

/* ---- a consumer ---- */

/* Gets all there is, in all ways by turns. */
static int drain(struct queue_life *life, struct queue_hand *hand)
{
    enum peal_status status = PEAL_OK;
    for (uint32_t i = 0; i < POPS_MAX && status != PEAL_EMPTY; i++) {
        if (i % 3 == 0)
            status = queue_hand_pop(hand);
        else if (i % 3 == 1)
            status = queue_hand_pop_batch(hand, 2);
        else
            status = queue_hand_take(hand, 3);
        MUST(is_any_of(status, PEAL_OK, PEAL_EMPTY));
        if (i % 3 == 2 && status == PEAL_OK)
            MUST(queue_hand_done(hand) == PEAL_OK);
    }
    MUST(status == PEAL_EMPTY);
    return 0;
}

/* Takes and goes, without being done. */
static int take_and_leave(struct queue_life *life, struct peal_bus *bus, size_t max)
{
    const struct peal_queue_options options =
        queue_life_options(life, PEAL_QUEUE_POP, 0, PEAL_QUEUE_FULL_WAIT);
    struct queue_hand hand = hand_of(life, 0);
    MUST(queue_hand_open(&hand, bus, QUEUE_LEDGER_NAME, &options) == PEAL_OK);
    MUST(is_any_of(queue_hand_take(&hand, max), PEAL_OK, PEAL_EMPTY));
    queue_hand_close(&hand);
    return 0;
}

int queue_life_consumer(struct queue_life *life)
{
    struct peal_bus *bus = life_bus(life->url, PATIENCE_NS);
    const struct peal_queue_options options =
        queue_life_options(life, PEAL_QUEUE_PUSH | PEAL_QUEUE_POP, DEPTH, PEAL_QUEUE_FULL_REFUSE);
    struct queue_hand hand = hand_of(life, 0);
    MUST(bus);
    MUST(queue_hand_open(&hand, bus, QUEUE_LEDGER_NAME, &options) == PEAL_OK);
    MUST(is_any_of(queue_hand_pop(&hand), PEAL_OK, PEAL_EMPTY));
    MUST(is_any_of(queue_hand_pop_batch(&hand, 2), PEAL_OK, PEAL_EMPTY));
    MUST(is_any_of(queue_hand_take(&hand, 2), PEAL_OK, PEAL_EMPTY));
    if (hand.held_count) {
        MUST(queue_hand_push(&hand) == PEAL_OK);
        MUST(queue_hand_done(&hand) == PEAL_OK);
    }
    MUST(take_and_leave(life, bus, 3) == 0);
    MUST(drain(life, &hand) == 0); /* what we left comes back to us, or is lost */
    MUST(is_any_of(queue_hand_wait(&hand, MILLISECOND_NS), PEAL_TIMEDOUT, PEAL_OK));
    MUST(queue_hand_push(&hand) == PEAL_OK);
    MUST(is_any_of(queue_hand_wait(&hand, MILLISECOND_NS), PEAL_OK, PEAL_TIMEDOUT));
    MUST(drain(life, &hand) == 0);
    queue_hand_close(&hand);
    MUST(take_and_leave(life, bus, 1) == 0);
    peal_bus_close(bus);
    return 0;
}

/* ---- whoever comes, recovers, and goes on with what the dead had ---- */

int queue_life_recoverer(struct queue_life *life)
{
    struct peal_bus *bus = life_bus(life->url, PATIENCE_NS);
    const struct peal_queue_options options =
        queue_life_options(life, PEAL_QUEUE_POP, 0, PEAL_QUEUE_FULL_WAIT);
    struct queue_hand hand = hand_of(life, 0);
    uint32_t recovered;
    MUST(bus);
    MUST(peal_bus_recover(bus, &recovered) == PEAL_OK);
    MUST(queue_hand_open(&hand, bus, QUEUE_LEDGER_NAME, &options) == PEAL_OK);
    /* One by one first: a dead one's batch is given out in parts. */
    MUST(is_any_of(queue_hand_pop(&hand), PEAL_OK, PEAL_EMPTY));
    MUST(is_any_of(queue_hand_take(&hand, 1), PEAL_OK, PEAL_EMPTY));
    MUST(!hand.held_count || queue_hand_done(&hand) == PEAL_OK);
    MUST(drain(life, &hand) == 0);
    MUST(peal_bus_recover(bus, &recovered) == PEAL_OK);
    queue_hand_close(&hand);
    peal_bus_close(bus);
    return 0;
}

/* ---- two clients that meet each other in the middle of things ---- */

/* Gets what there is, which is little, and goes. */
static int end(struct queue_life *life, struct queue_hand *hand)
{
    enum peal_status status = PEAL_OK;
    for (uint32_t i = 0; i < POPS_MAX && hand->queue && status != PEAL_EMPTY; i++) {
        status = queue_hand_pop_batch(hand, DEPTH);
        MUST(is_any_of(status, PEAL_OK, PEAL_EMPTY));
    }
    queue_hand_close(hand);
    return 0;
}

struct meeting {
    struct queue_life *life;
    struct peal_bus *ours;
    struct peal_bus *theirs;
    struct queue_hand hand;   /* theirs */
    struct queue_hand *other; /* a second lane for them to push to */
    bool has_been;
};

static void they_come(void *context)
{
    struct meeting *meeting = context;
    const struct peal_queue_options options = queue_life_options(
        meeting->life, PEAL_QUEUE_PUSH | PEAL_QUEUE_POP, DEPTH, PEAL_QUEUE_FULL_REFUSE);
    meeting->has_been = true;
    if (queue_hand_open(&meeting->hand, meeting->theirs, QUEUE_LIFE_MEETING, &options) == PEAL_OK)
        (void)queue_hand_push(&meeting->hand);
}

static void they_pop(void *context)
{
    struct meeting *meeting = context;
    meeting->has_been = true;
    (void)queue_hand_pop(&meeting->hand);
}

static void meet_at(struct meeting *meeting, const char *point, void (*function)(void *context))
{
    meeting->has_been = false;
    fault_plan_call(point, function, meeting);
}

static void have_met(struct meeting *meeting)
{
    fault_plan_call(NULL, NULL, NULL);
    if (!meeting->has_been)
        (void)peal_u64_add_acq_rel(&meeting->life->ledger->unmet, 1);
}

/* They come as we come or as we go, and then both have what is there. */
static int meet_at_the_door(struct meeting *meeting, const char *point, bool as_we_go)
{
    struct queue_life *life = meeting->life;
    const struct peal_queue_options options =
        queue_life_options(life, PEAL_QUEUE_PUSH | PEAL_QUEUE_POP, DEPTH, PEAL_QUEUE_FULL_REFUSE);
    struct queue_hand hand = hand_of(life, 0);
    meeting->hand = hand_of(life, 1);
    if (!as_we_go)
        meet_at(meeting, point, they_come);
    MUST(queue_hand_open(&hand, meeting->ours, QUEUE_LIFE_MEETING, &options) == PEAL_OK);
    if (!as_we_go)
        have_met(meeting);
    MUST(queue_hand_push(&hand) == PEAL_OK);
    if (as_we_go)
        meet_at(meeting, point, they_come);
    MUST(end(life, &hand) == 0);
    if (as_we_go)
        have_met(meeting);
    return end(life, &meeting->hand);
}

/* They pop while we pop. */
static int meet_popping(struct meeting *meeting, const char *point, void (*function)(void *context))
{
    struct queue_life *life = meeting->life;
    const struct peal_queue_options options =
        queue_life_options(life, PEAL_QUEUE_PUSH | PEAL_QUEUE_POP, DEPTH, PEAL_QUEUE_FULL_REFUSE);
    const struct peal_queue_options of_theirs =
        queue_life_options(life, PEAL_QUEUE_POP, 0, PEAL_QUEUE_FULL_REFUSE);
    struct queue_hand hand = hand_of(life, 0);
    meeting->hand = hand_of(life, 1);
    MUST(queue_hand_open(&hand, meeting->ours, QUEUE_LIFE_MEETING, &options) == PEAL_OK);
    MUST(queue_hand_open(&meeting->hand, meeting->theirs, QUEUE_LIFE_MEETING, &of_theirs) ==
         PEAL_OK);
    for (uint32_t i = 0; i < 3; i++)
        MUST(queue_hand_push(&hand) == PEAL_OK);
    meet_at(meeting, point, function);
    MUST(is_any_of(queue_hand_pop(&hand), PEAL_OK, PEAL_EMPTY));
    have_met(meeting);
    queue_hand_close(&hand);
    return end(life, &meeting->hand);
}

/* They pop while we make room for ourselves. */
static int meet_pushing(struct meeting *meeting, const char *point,
                        enum peal_queue_full_policy policy)
{
    struct queue_life *life = meeting->life;
    struct peal_queue_options options = queue_life_options(life, PEAL_QUEUE_PUSH, DEPTH, policy);
    struct queue_hand hand = hand_of(life, 0);
    meeting->hand = hand_of(life, 1);
    options.full_timeout_ns = PATIENCE_NS;
    MUST(queue_hand_open(&hand, meeting->ours, QUEUE_LIFE_MEETING, &options) == PEAL_OK);
    options = queue_life_options(life, PEAL_QUEUE_POP, DEPTH, policy);
    MUST(queue_hand_open(&meeting->hand, meeting->theirs, QUEUE_LIFE_MEETING, &options) == PEAL_OK);
    for (uint32_t i = 0; i < DEPTH; i++)
        MUST(queue_hand_push(&hand) == PEAL_OK);
    if (policy == PEAL_QUEUE_FULL_DROP_OLDEST)
        (void)peal_u64_add_acq_rel(&life->ledger->may_drop, 1);
    meet_at(meeting, point, they_pop);
    MUST(queue_hand_push(&hand) == PEAL_OK);
    have_met(meeting);
    queue_hand_close(&hand);
    return end(life, &meeting->hand);
}

/* They get what we leave behind, while we clear up behind ourselves. */
static int meet_leaving(struct meeting *meeting, const char *point)
{
    struct queue_life *life = meeting->life;
    const struct peal_queue_options options =
        queue_life_options(life, PEAL_QUEUE_PUSH | PEAL_QUEUE_POP, DEPTH, PEAL_QUEUE_FULL_REFUSE);
    const struct peal_queue_options of_theirs =
        queue_life_options(life, PEAL_QUEUE_POP, 0, PEAL_QUEUE_FULL_REFUSE);
    struct queue_hand hand = hand_of(life, 0);
    meeting->hand = hand_of(life, 1);
    MUST(queue_hand_open(&hand, meeting->ours, QUEUE_LIFE_MEETING, &options) == PEAL_OK);
    MUST(queue_hand_open(&meeting->hand, meeting->theirs, QUEUE_LIFE_MEETING, &of_theirs) ==
         PEAL_OK);
    MUST(queue_hand_push(&hand) == PEAL_OK && queue_hand_push(&hand) == PEAL_OK);
    MUST(is_any_of(queue_hand_take(&hand, 2), PEAL_OK, PEAL_EMPTY));
    meet_at(meeting, point, they_pop);
    queue_hand_close(&hand);
    have_met(meeting);
    return end(life, &meeting->hand);
}

/* The first lane has been looked at, and the second not yet: they push to the first, and then to the second. */
static void they_push_to_both(void *context)
{
    struct meeting *meeting = context;
    meeting->has_been = true;
    (void)queue_hand_push(meeting->other);
    (void)queue_hand_push(&meeting->hand);
}

static void they_push_at_the_next(void *context)
{
    fault_plan_call("queue.looking", they_push_to_both, context);
}

static int meet_between_looks(struct meeting *meeting)
{
    struct queue_life *life = meeting->life;
    const struct peal_queue_options options =
        queue_life_options(life, PEAL_QUEUE_PUSH | PEAL_QUEUE_POP, DEPTH, PEAL_QUEUE_FULL_REFUSE);
    struct queue_hand hand = hand_of(life, 0);
    meeting->hand = hand_of(life, 1);
    meeting->other = &hand;
    MUST(queue_hand_open(&hand, meeting->ours, QUEUE_LIFE_MEETING, &options) == PEAL_OK);
    MUST(queue_hand_open(&meeting->hand, meeting->theirs, QUEUE_LIFE_MEETING, &options) == PEAL_OK);
    MUST(is_any_of(queue_hand_pop(&hand), PEAL_OK, PEAL_EMPTY));
    meet_at(meeting, "queue.looking", they_push_at_the_next);
    MUST(is_any_of(queue_hand_pop(&hand), PEAL_OK, PEAL_EMPTY));
    have_met(meeting);
    MUST(is_any_of(queue_hand_pop(&hand), PEAL_OK, PEAL_EMPTY));
    MUST(end(life, &meeting->hand) == 0);
    return end(life, &hand);
}

static int meet_in_order(struct meeting *meeting)
{
    struct queue_life *life = meeting->life;
    MUST(meet_between_looks(meeting) == 0);
    MUST(meet_popping(meeting, "queue.looking", they_pop) == 0);
    MUST(meet_popping(meeting, "queue.claiming", they_pop) == 0);
    MUST(meet_popping(meeting, "queue.won", they_pop) == 0);
    return 0;
}

static int meet_anywhere(struct meeting *meeting)
{
    struct queue_life *life = meeting->life;
    MUST(meet_at_the_door(meeting, "topic.claimed", false) == 0);
    MUST(meet_at_the_door(meeting, "queue.laid_out", false) == 0);
    MUST(meet_at_the_door(meeting, "lane.opening", false) == 0);
    MUST(meet_at_the_door(meeting, "queue.retiring", true) == 0);
    MUST(meet_at_the_door(meeting, "topic.unused", true) == 0);
    MUST(meet_popping(meeting, "queue.claiming", they_pop) == 0);
    MUST(meet_popping(meeting, "queue.won", they_pop) == 0); /* helps us */
    MUST(meet_pushing(meeting, "queue.drop_claiming", PEAL_QUEUE_FULL_DROP_OLDEST) == 0);
    MUST(meet_pushing(meeting, "queue.waiting", PEAL_QUEUE_FULL_WAIT) == 0);
    MUST(meet_leaving(meeting, "queue.released") == 0);
    MUST(meet_leaving(meeting, "queue.adopted") == 0);
    return 0;
}

int queue_life_rivals(struct queue_life *life)
{
    struct meeting meeting = {.life = life,
                              .ours = life_bus(life->url, PATIENCE_NS),
                              .theirs = life_bus(life->url, PATIENCE_NS)};
    MUST(meeting.ours && meeting.theirs);
    MUST((life->strict ? meet_in_order : meet_anywhere)(&meeting) == 0);
    peal_bus_close(meeting.theirs);
    peal_bus_close(meeting.ours);
    return 0;
}
