/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/weak_machine.h"

#include <assert.h>
#include <string.h>

struct search {
    property holds;
    struct outcome outcome;
};

static void join(struct view *into, const struct view *from)
{
    for (int i = 0; i < LOCATIONS_MAX; i++)
        if (into->from[i] < from->from[i])
            into->from[i] = from->from[i];
}

static bool acquires(enum order order)
{
    return order == ACQUIRE || order == ACQ_REL || order == SEQ_CST;
}

static bool releases(enum order order)
{
    return order == RELEASE || order == ACQ_REL || order == SEQ_CST;
}

static void fence(struct machine *machine, struct thread *thread, enum order order)
{
    if (acquires(order))
        join(&thread->current, &thread->on_acquire);
    if (order == SEQ_CST) {
        join(&thread->current, &machine->global);
        machine->global = thread->current;
    }
    if (releases(order))
        thread->on_release = thread->current;
}

static void see(struct machine *machine, struct thread *thread, uint8_t location, uint8_t index,
                enum order order)
{
    const struct view *view = &machine->memory[location].view[index];
    thread->current.from[location] = index;
    join(&thread->on_acquire, view);
    join(&thread->on_acquire, &thread->current);
    if (acquires(order))
        join(&thread->current, view);
}

static void append(struct machine *machine, struct thread *thread, uint8_t location, uint8_t value,
                   enum order order, const struct view *inherited)
{
    uint8_t index = machine->memory[location].count++;
    assert(index < VALUES_MAX);
    thread->current.from[location] = index;
    struct view view = releases(order) ? thread->current : thread->on_release;
    view.from[location] = index;
    if (inherited)
        join(&view, inherited);
    machine->memory[location].value[index] = value;
    machine->memory[location].view[index] = view;
}

/* The same as `or` of C11: reads the last value, and carries on its release sequence. */
static void or_into(struct machine *machine, struct thread *thread, const struct instruction *now)
{
    uint8_t last = (uint8_t)(machine->memory[now->location].count - 1);
    see(machine, thread, now->location, last, now->order);
    thread->reg[now->reg] = machine->memory[now->location].value[last];
    append(machine, thread, now->location, thread->reg[now->reg] | now->value, now->order,
           &machine->memory[now->location].view[last]);
}

static void explore(struct search *search, const struct machine *machine);

/* Every value that the load may give. */
static void explore_load(struct search *search, const struct machine *machine, int number)
{
    const struct instruction *now = machine->threads[number].next;
    uint8_t oldest = machine->threads[number].current.from[now->location];
    for (uint8_t i = oldest; i < machine->memory[now->location].count; i++) {
        struct machine next = *machine;
        struct thread *thread = &next.threads[number];
        thread->next++;
        see(&next, thread, now->location, i, now->order);
        thread->reg[now->reg] = next.memory[now->location].value[i];
        explore(search, &next);
    }
}

static void explore_step(struct search *search, const struct machine *machine, int number)
{
    const struct instruction *now = machine->threads[number].next;
    if (now->operation == LOAD) {
        explore_load(search, machine, number);
        return;
    }
    struct machine next = *machine;
    struct thread *thread = &next.threads[number];
    thread->next++;
    switch (now->operation) {
    case STORE:
        append(&next, thread, now->location, now->value, now->order, NULL);
        break;
    case OR:
        or_into(&next, thread, now);
        break;
    case FENCE:
        fence(&next, thread, now->order);
        break;
    case MEMBARRIER:
        fence(&next, thread, SEQ_CST);
        for (int i = 0; i < next.thread_count; i++)
            fence(&next, &next.threads[i], SEQ_CST);
        fence(&next, thread, SEQ_CST);
        break;
    case SKIP_IF:
    case SKIP_IF_NOT:
        if ((thread->reg[now->reg] == now->value) == (now->operation == SKIP_IF))
            thread->next += now->skip;
        break;
    case END:
    case LOAD:
        break;
    }
    explore(search, &next);
}

static void explore(struct search *search, const struct machine *machine)
{
    bool ended = true;
    for (int i = 0; i < machine->thread_count; i++) {
        if (machine->threads[i].next->operation == END)
            continue;
        ended = false;
        explore_step(search, machine, i);
    }
    if (!ended)
        return;
    search->outcome.ends++;
    search->outcome.violations += !search->holds(machine);
}

struct outcome machine_explore(const struct instruction *const *programs, int count, property holds)
{
    struct search search = {.holds = holds};
    struct machine machine;
    memset(&machine, 0, sizeof(machine));
    machine.thread_count = count;
    for (int i = 0; i < count; i++)
        machine.threads[i].next = programs[i];
    for (int i = 0; i < LOCATIONS_MAX; i++)
        machine.memory[i].count = 1;
    explore(&search, &machine);
    return search.outcome;
}
