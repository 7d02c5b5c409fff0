/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/model_memory.h"

#include <string.h>

uint64_t memory_rmw(enum model_rmw operation, uint64_t old, uint64_t value, unsigned bytes)
{
    uint64_t mask = bytes == 8 ? UINT64_MAX : UINT32_MAX;
    switch (operation) {
    case MODEL_EXCHANGE:
        return value & mask;
    case MODEL_ADD:
        return (old + value) & mask;
    case MODEL_OR:
        return (old | value) & mask;
    case MODEL_AND:
        return old & value & mask;
    }
    return old;
}

static bool acquires(enum model_order order)
{
    return order == MODEL_ACQUIRE || order == MODEL_ACQ_REL || order == MODEL_SEQ_CST;
}

static bool releases(enum model_order order)
{
    return order == MODEL_RELEASE || order == MODEL_ACQ_REL || order == MODEL_SEQ_CST;
}

static void join(struct memory_view *into, const struct memory_view *from)
{
    for (unsigned i = 0; i < MEMORY_LOCATIONS_MAX; i++)
        into->at[i] = into->at[i] < from->at[i] ? from->at[i] : into->at[i];
    for (unsigned i = 0; i < MEMORY_MARKS_MAX; i++)
        into->read[i] = into->read[i] < from->read[i] ? from->read[i] : into->read[i];
}

static void fence(struct memory *memory, unsigned thread, enum model_order order)
{
    if (acquires(order))
        join(&memory->current[thread], &memory->on_acquire[thread]);
    if (order == MODEL_SEQ_CST) {
        join(&memory->current[thread], &memory->global);
        memory->global = memory->current[thread];
    }
    if (releases(order))
        memory->on_release[thread] = memory->current[thread];
}

static void each_view(struct memory *memory, unsigned locations, unsigned threads,
                      void (*act)(struct memory_view *view, void *context), void *context)
{
    for (unsigned t = 0; t < threads; t++) {
        act(&memory->current[t], context);
        act(&memory->on_acquire[t], context);
        act(&memory->on_release[t], context);
    }
    act(&memory->global, context);
    act(&memory->grave, context);
    for (unsigned l = 0; l < locations; l++) {
        for (unsigned i = 0; i < memory->locations[l].count; i++)
            act(&memory->locations[l].values[i].view, context);
    }
}

/* ---- loads ---- */

static void see(struct memory *memory, unsigned thread, const struct model_step *step, unsigned i)
{
    const struct memory_view *view = &memory->locations[step->location].values[i].view;
    struct memory_view *current = &memory->current[thread];
    current->at[step->location] = (uint8_t)i;
    join(&memory->on_acquire[thread], view);
    if (acquires(step->order))
        join(current, view);
    join(&memory->on_acquire[thread], current);
    if (step->marks >= 0)
        current->read[(unsigned)step->marks + thread] =
            ++memory->locations[step->location].reads[thread];
}

/* ---- stores ---- */

struct shift {
    unsigned location;
    unsigned from;
};

static void shift_view(struct memory_view *view, void *context)
{
    const struct shift *shift = context;
    if (view->at[shift->location] >= shift->from)
        view->at[shift->location]++;
}

static void clear_marks(struct memory_view *view, void *context)
{
    const int *marks = context;
    memset(&view->read[*marks], 0, MODEL_THREADS_MAX);
}

static void insert(struct memory *memory, unsigned thread, unsigned threads,
                   const struct model_step *step, unsigned place, uint64_t value,
                   const struct memory_view *inherited)
{
    struct memory_location *location = &memory->locations[step->location];
    model_must(location->count < MEMORY_VALUES_MAX);
    if (place < location->count) {
        struct shift shift = {(unsigned)step->location, place};
        each_view(memory, MEMORY_LOCATIONS_MAX, threads, shift_view, &shift);
        memmove(&location->values[place + 1], &location->values[place],
                (location->count - place) * sizeof(location->values[0]));
    }
    location->count++;
    struct memory_view *current = &memory->current[thread];
    current->at[step->location] = (uint8_t)place;
    struct memory_view view = memory->on_release[thread];
    if (releases(step->order))
        view = *current;
    view.at[step->location] = (uint8_t)place;
    if (inherited)
        join(&view, inherited);
    location->values[place] =
        (struct memory_value){.value = value, .is_attached = inherited != NULL, .view = view};
    if (step->marks >= 0) {
        int marks = step->marks;
        memset(location->reads, 0, sizeof(location->reads));
        each_view(memory, MEMORY_LOCATIONS_MAX, threads, clear_marks, &marks);
    }
}

static bool is_free_after(const struct memory_location *location, unsigned i)
{
    return i + 1u >= location->count || !location->values[i + 1].is_attached;
}

static const char *check_race(const struct memory *memory, unsigned thread,
                              const struct model_step *step)
{
    const struct memory_location *location = &memory->locations[step->location];
    const struct memory_view *current = &memory->current[thread];
    if (step->is_plain && current->at[step->location] + 1 != location->count)
        return "a race: plain memory is used beside a store to it";
    if (step->marks < 0 || step->operation == MODEL_LOAD)
        return NULL;
    for (unsigned t = 0; t < MODEL_THREADS_MAX; t++) {
        if (t != thread && current->read[(unsigned)step->marks + t] < location->reads[t])
            return "a race: a word is stored to beside a read of it that must be over";
    }
    return NULL;
}

/* ---- ways ---- */

/* Whether the step may use value i, or for a store go behind it. */
static bool may(const struct memory_location *location, const struct model_step *step, unsigned i)
{
    if (step->operation == MODEL_LOAD)
        return true;
    if (step->operation == MODEL_CAS && location->values[i].value != step->expected)
        return true;
    return is_free_after(location, i);
}

unsigned memory_ways(const struct memory *memory, unsigned thread, const struct model_step *step)
{
    if (step->location < 0)
        return 1;
    const struct memory_location *location = &memory->locations[step->location];
    if (step->operation == MODEL_WAIT)
        return location->values[location->count - 1].value != 0;
    if (step->is_plain)
        return 1;
    unsigned ways = 0;
    for (unsigned i = memory->current[thread].at[step->location]; i < location->count; i++)
        ways += may(location, step, i);
    return ways;
}

static unsigned choose(const struct memory *memory, unsigned thread, const struct model_step *step,
                       unsigned way)
{
    const struct memory_location *location = &memory->locations[step->location];
    if (step->is_plain || step->operation == MODEL_WAIT)
        return location->count - 1u;
    unsigned i = memory->current[thread].at[step->location];
    for (; i < location->count; i++) {
        if (may(location, step, i) && way-- == 0)
            break;
    }
    return i;
}

static void read_and_write(struct memory *memory, unsigned thread, unsigned threads,
                           struct model_step *step, unsigned i)
{
    struct memory_view inherited = memory->locations[step->location].values[i].view;
    uint64_t old = memory->locations[step->location].values[i].value;
    step->result = old;
    see(memory, thread, step, i);
    if (step->operation == MODEL_CAS) {
        step->has_swapped = old == step->expected;
        if (step->has_swapped)
            insert(memory, thread, threads, step, i + 1, step->value, &inherited);
        return;
    }
    uint64_t value = memory_rmw(step->rmw, old, step->value, step->bytes);
    insert(memory, thread, threads, step, i + 1, value, &inherited);
}

const char *memory_step(struct memory *memory, unsigned thread, unsigned threads,
                        struct model_step *step, unsigned way)
{
    switch (step->operation) {
    case MODEL_FENCE:
        fence(memory, thread, step->order);
        return NULL;
    case MODEL_MEMBARRIER:
        fence(memory, thread, MODEL_SEQ_CST);
        for (unsigned t = 0; t < threads; t++)
            fence(memory, t, MODEL_SEQ_CST);
        fence(memory, thread, MODEL_SEQ_CST);
        return NULL;
    case MODEL_LIVING:
        join(&memory->current[thread], &memory->grave);
        join(&memory->on_acquire[thread], &memory->grave);
        return NULL;
    default:
        break;
    }
    const char *race = check_race(memory, thread, step);
    if (race)
        return race;
    unsigned i = choose(memory, thread, step, way);
    switch (step->operation) {
    case MODEL_LOAD:
        step->result = memory->locations[step->location].values[i].value;
        see(memory, thread, step, i);
        break;
    case MODEL_STORE:
        insert(memory, thread, threads, step, i + 1, step->value, NULL);
        break;
    default:
        read_and_write(memory, thread, threads, step, i);
        break;
    }
    return NULL;
}

/* ---- tidying up ---- */

static void lower_view(struct memory_view *view, void *context)
{
    const uint8_t *floor = context;
    for (unsigned l = 0; l < MEMORY_LOCATIONS_MAX; l++)
        view->at[l] = (uint8_t)(view->at[l] > floor[l] ? view->at[l] - floor[l] : 0);
}

void memory_tidy(struct memory *memory, unsigned locations, unsigned threads, uint32_t living)
{
    uint8_t floor[MEMORY_LOCATIONS_MAX] = {0};
    bool is_any = false;
    for (unsigned l = 0; l < locations; l++) {
        floor[l] = (uint8_t)(memory->locations[l].count - 1);
        for (unsigned t = 0; t < threads; t++) {
            if ((living >> t & 1u) && memory->current[t].at[l] < floor[l])
                floor[l] = memory->current[t].at[l];
        }
        is_any |= floor[l] != 0;
    }
    if (!is_any)
        return;
    each_view(memory, locations, threads, lower_view, floor);
    for (unsigned l = 0; l < locations; l++) {
        struct memory_location *location = &memory->locations[l];
        if (floor[l] == 0)
            continue;
        location->count = (uint8_t)(location->count - floor[l]);
        memmove(location->values, &location->values[floor[l]],
                location->count * sizeof(location->values[0]));
    }
}
