/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/peers/ring.h"

/* How the memory of a trial is divided. */
struct plan {
    struct bench_ring_shape letters, free;
    size_t free_at, slots_at, bytes;
    size_t slot_bytes, slots_count;
};

static size_t round_up(size_t bytes)
{
    return (bytes + BENCH_RING_ALIGN - 1) / BENCH_RING_ALIGN * BENCH_RING_ALIGN;
}

static size_t power_of_two(size_t least)
{
    size_t power = 1;

    while (power < least)
        power *= 2;
    return power;
}

static size_t value_bytes(size_t size_bytes)
{
    return size_bytes <= 8 ? 8 : size_bytes <= 64 ? 64 : BENCH_RING_VALUE_MAX;
}

static size_t batch_of(size_t size_bytes)
{
    return size_bytes >= BENCH_RING_LONG_BYTES ? BENCH_RING_LONG_BATCH : BENCH_BATCH_MAX;
}

static void plan_slots(struct plan *plan, const struct bench_channel *channel)
{
    /* Besides those under way: what each worker may have in its hands, and in advance. */
    size_t in_hands = 2 * batch_of(channel->size_bytes) * (channel->senders + channel->receivers);

    plan->slot_bytes = round_up(channel->size_bytes);
    plan->slots_count = channel->depth + in_hands;
    plan->letters.element_bytes = sizeof(uint64_t);
    plan->letters.is_bounded = false;
    plan->free = (struct bench_ring_shape){
        .element_bytes = sizeof(uint64_t),
        .capacity = power_of_two(plan->slots_count + 1),
        .many_producers = plan->letters.many_consumers,
        .many_consumers = plan->letters.many_producers,
        .producers = channel->receivers + 1,
    };
}

static struct plan plan_of(const struct bench_channel *channel, const struct bench_ring_kind *kind)
{
    bool is_pair = channel->pattern == BENCH_PATTERN_PAIR;
    struct plan plan = {
        .letters = {.capacity = channel->depth,
                    .many_producers = !is_pair,
                    .many_consumers = channel->pattern == BENCH_PATTERN_QUEUE,
                    .producers = channel->senders},
    };

    plan.letters.waits = channel->waits;
    plan.letters.is_bounded = true;
    if (is_pair && kind->is_in_place)
        plan.letters.element_bytes = channel->size_bytes;
    else if (channel->size_bytes <= BENCH_RING_VALUE_MAX)
        plan.letters.element_bytes = value_bytes(channel->size_bytes);
    else
        plan_slots(&plan, channel);
    if (!kind->is_on_heap) {
        plan.free_at = round_up(kind->bytes(&plan.letters));
        plan.slots_at =
            plan.free_at + (plan.slots_count > 0 ? round_up(kind->bytes(&plan.free)) : 0);
    }
    plan.bytes = plan.slots_at + plan.slots_count * plan.slot_bytes;
    return plan;
}

size_t bench_ring_memory_bytes(const struct bench_channel *channel,
                               const struct bench_ring_kind *kind)
{
    return plan_of(channel, kind).bytes;
}

static void fill_free(struct bench_ring_trial *trial, const struct bench_ring_kind *kind)
{
    struct bench_ring ring = {.memory = trial->free, .shape = trial->free_shape};

    if (kind->attach != NULL)
        kind->attach(&ring, true);
    for (uint64_t number = 0; number < trial->slots_count; number++) {
        if (kind->push(&ring, &number, 1) != 1)
            bench_contender_die("a queue of %zu has no room for %zu free slots",
                                trial->free_shape.capacity, trial->slots_count);
    }
    if (kind->detach != NULL)
        kind->detach(&ring, true);
}

/* Both queues; false: the kind cannot be made like this, and has said so. */
static bool make_queues(struct bench_ring_trial *trial, const struct plan *plan, char *memory,
                        const struct bench_ring_kind *kind)
{
    trial->letters = kind->make(memory, &plan->letters);
    if (trial->letters == NULL)
        return false;
    if (plan->slots_count == 0)
        return true;
    trial->slots = memory + plan->slots_at;
    trial->free = kind->make(memory + plan->free_at, &plan->free);
    if (trial->free == NULL && kind->destroy != NULL)
        kind->destroy(trial->letters, &plan->letters);
    return trial->free != NULL;
}

bool bench_ring_begin(struct bench_channel *channel, const struct bench_ring_kind *kind)
{
    struct plan plan = plan_of(channel, kind);
    struct bench_ring_trial *trial = bench_peer_new(sizeof(*trial));

    *trial = (struct bench_ring_trial){
        .letters_shape = plan.letters,
        .free_shape = plan.free,
        .slot_bytes = plan.slot_bytes,
        .slots_count = plan.slots_count,
        .batch = batch_of(channel->size_bytes),
        .size_bytes = channel->size_bytes,
    };
    if (!make_queues(trial, &plan, channel->memory, kind)) {
        free(trial);
        return false;
    }
    if (plan.slots_count > 0)
        fill_free(trial, kind);
    channel->state = trial;
    return true;
}

void bench_ring_end(struct bench_channel *channel, const struct bench_ring_kind *kind)
{
    struct bench_ring_trial *trial = channel->state;

    if (trial == NULL)
        return; /* of a conductor that was killed: all was in its memory */
    if (kind->destroy != NULL) {
        kind->destroy(trial->letters, &trial->letters_shape);
        if (trial->slots_count > 0)
            kind->destroy(trial->free, &trial->free_shape);
    }
    free(trial);
    channel->state = NULL;
}

void *bench_ring_open(const struct bench_channel *channel, bool sends,
                      const struct bench_ring_kind *kind)
{
    const struct bench_ring_trial *trial = channel->state;
    struct bench_ring_side *self = bench_peer_new(sizeof(*self));

    self->trial = trial;
    self->sends = sends;
    self->letters = (struct bench_ring){.memory = trial->letters, .shape = trial->letters_shape};
    self->free = (struct bench_ring){.memory = trial->free, .shape = trial->free_shape};
    self->elements = aligned_alloc(BENCH_RING_ALIGN,
                                   round_up(BENCH_BATCH_MAX * trial->letters_shape.element_bytes));
    if (self->elements == NULL)
        bench_contender_die("there is no memory for %d messages", BENCH_BATCH_MAX);
    if (kind->attach != NULL) {
        kind->attach(&self->letters, sends);
        if (trial->slots_count > 0)
            kind->attach(&self->free, !sends);
    }
    return self;
}

void bench_ring_close(void *end, const struct bench_ring_kind *kind)
{
    struct bench_ring_side *self = end;

    if (kind->detach != NULL) {
        kind->detach(&self->letters, self->sends);
        if (self->trial->slots_count > 0)
            kind->detach(&self->free, !self->sends);
    }
    free(self->elements);
    free(self);
}
