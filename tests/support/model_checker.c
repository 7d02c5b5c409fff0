/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/model_checker.h"

#include "tests/support/model_seam.h"
#include "tests/support/model_state.h"
#include "tests/support/model_thread.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEPTH_MAX 2048u
#define STEPS_MAX 600u /* of one thread: more is a loop without an end */

/* One step of the way to where the search is. */
struct passed {
    unsigned thread;
    unsigned way;
    bool is_death;
    struct model_step step;
};

static struct {
    const struct model_program *program;
    bool is_searching;
    int running; /* a thread, or -1: the oracle, or nobody */
    bool begins_again;
    const char *violation;
    jmp_buf oracle;
    struct model_result result;
    struct state_copy levels[DEPTH_MAX];
    struct passed path[DEPTH_MAX];
    unsigned path_length;
} search = {.running = -1};

static struct thread *thread_at(unsigned number)
{
    return &state_now()->threads[number];
}

/* ---- what threads and oracle call ---- */

_Noreturn void model_fail(const char *text)
{
    search.violation = text;
    if (search.running >= 0)
        thread_leave(thread_at((unsigned)search.running));
    if (!search.is_searching) {
        (void)fprintf(stderr, "model: %s\n", text);
        abort();
    }
    longjmp(search.oracle, 1);
}

/* A word came up that the search did not reckon with: leave, and begin again. */
static _Noreturn void begin_again(void)
{
    search.begins_again = true;
    if (search.running >= 0)
        thread_leave(thread_at((unsigned)search.running));
    longjmp(search.oracle, 1);
}

bool model_is_in_thread(void)
{
    return search.running >= 0;
}

enum model_thread_state model_thread_state(unsigned thread)
{
    return thread_at(thread)->state;
}

static uint64_t living(void)
{
    uint64_t all = 0;
    for (unsigned t = 0; t < search.program->thread_count; t++) {
        if (thread_at(t)->state != MODEL_DEAD)
            all |= UINT64_C(1) << t;
    }
    return all;
}

uint64_t model_living(void)
{
    if (!search.is_searching)
        return UINT64_MAX;
    if (search.running < 0 || search.program->deaths == 0)
        return living();
    struct model_step step = {.operation = MODEL_LIVING, .location = -1};
    thread_yield(thread_at((unsigned)search.running), &step);
    return step.result;
}

void model_membarrier(void)
{
    struct model_step step = {.operation = MODEL_MEMBARRIER, .location = -1};
    if (search.running >= 0 && search.program->is_weak)
        thread_yield(thread_at((unsigned)search.running), &step);
}

void model_fence(enum model_order order, struct model_site *site)
{
    order = model_site_order(site, order);
    if (search.running < 0 || !search.program->is_weak || order == MODEL_RELAXED)
        return;
    unsigned thread = (unsigned)search.running;
    struct model_step step = {
        .operation = MODEL_FENCE, .order = order, .location = -1, .site = site};
    if (order == MODEL_SEQ_CST)
        thread_yield(thread_at(thread), &step);
    else /* concerns nobody else */
        (void)memory_step(&state_now()->memory, thread, search.program->thread_count, &step, 0);
}

/* Plain memory is no step of its own: without races nobody can tell when, between two steps of its
 * thread, it was used; and the weak memory finds the races. */
static void access_plain(const struct state_word *word, unsigned thread, struct model_step *step)
{
    if (!search.program->is_weak) {
        state_act(word, step, false);
        return;
    }
    const char *race =
        memory_step(&state_now()->memory, thread, search.program->thread_count, step, 0);
    if (race)
        model_fail(race);
}

/* An access to shared memory by the running thread or the oracle. */
static void access_word(struct model_step *step)
{
    bool writes = step->operation != MODEL_LOAD;
    struct state_word *word = state_word(step->address);
    if (search.running < 0) {
        bool is_shared_now = state_note_oracle(word, search.program->is_weak);
        if ((writes && state_enlist(word, step->bytes)) || is_shared_now)
            begin_again();
        state_act(word, step, true);
        return;
    }
    unsigned thread = (unsigned)search.running;
    /* To wait is a step even if nobody ever rings. */
    if (step->operation == MODEL_WAIT && state_note_oracle(word, search.program->is_weak))
        begin_again();
    if (state_note(word, thread, writes ? step->bytes : 0, search.program->is_weak))
        begin_again();
    if (!word->is_shared) {
        state_act(word, step, false);
        return;
    }
    step->location = word->location;
    step->marks = step->is_plain || word->is_guarded ? state_marks(word) : -1;
    if (step->is_plain)
        access_plain(word, thread, step);
    else
        thread_yield(thread_at(thread), step);
}

static bool is_private(const void *address)
{
    const unsigned char *byte = address;
    const unsigned char *arena = search.program ? search.program->arena : NULL;
    return !search.is_searching || byte < arena || byte >= arena + search.program->arena_bytes;
}

uint64_t model_load(const void *word, unsigned bytes, enum model_order order,
                    struct model_site *site)
{
    if (is_private(word))
        return state_raw(word, bytes);
    struct model_step step = {.operation = MODEL_LOAD,
                              .order = model_site_order(site, order),
                              .is_plain = site == NULL,
                              .bytes = bytes,
                              .location = -1,
                              .marks = -1,
                              .address = word,
                              .site = site};
    access_word(&step);
    return step.result;
}

void model_store(void *word, unsigned bytes, uint64_t value, enum model_order order,
                 struct model_site *site)
{
    if (is_private(word)) {
        state_raw_store(word, bytes, value);
        return;
    }
    struct model_step step = {.operation = MODEL_STORE,
                              .order = model_site_order(site, order),
                              .is_plain = site == NULL,
                              .bytes = bytes,
                              .location = -1,
                              .marks = -1,
                              .address = word,
                              .value = value,
                              .site = site};
    access_word(&step);
}

uint64_t model_rmw(void *word, unsigned bytes, enum model_rmw operation, uint64_t value,
                   enum model_order order, struct model_site *site)
{
    if (is_private(word)) {
        uint64_t old = state_raw(word, bytes);
        state_raw_store(word, bytes, memory_rmw(operation, old, value, bytes));
        return old;
    }
    struct model_step step = {.operation = MODEL_RMW,
                              .order = model_site_order(site, order),
                              .rmw = operation,
                              .bytes = bytes,
                              .location = -1,
                              .marks = -1,
                              .address = word,
                              .value = value,
                              .site = site};
    access_word(&step);
    return step.result;
}

bool model_cas(void *word, unsigned bytes, uint64_t *expected, uint64_t desired,
               enum model_order order, struct model_site *site)
{
    struct model_step step = {.operation = MODEL_CAS,
                              .order = model_site_order(site, order),
                              .bytes = bytes,
                              .location = -1,
                              .marks = -1,
                              .address = word,
                              .value = desired,
                              .expected = *expected,
                              .site = site};
    if (is_private(word)) {
        step.result = state_raw(word, bytes);
        step.has_swapped = step.result == *expected;
        if (step.has_swapped)
            state_raw_store(word, bytes, desired);
    } else {
        access_word(&step);
    }
    *expected = step.result;
    return step.has_swapped;
}

void model_wait(void *word)
{
    struct model_step step = {.operation = MODEL_WAIT,
                              .order = MODEL_ACQ_REL,
                              .rmw = MODEL_EXCHANGE,
                              .bytes = 8,
                              .location = -1,
                              .marks = -1,
                              .address = word};
    access_word(&step);
}

void *model_copy(void *to, const void *from, size_t size_bytes)
{
    if (is_private(to) && is_private(from))
        return memmove(to, from, size_bytes);
    for (size_t i = 0; i < size_bytes; i += 8) {
        size_t some = size_bytes - i < 8 ? size_bytes - i : 8;
        uint64_t word = 0;
        if (is_private(from))
            memcpy(&word, (const unsigned char *)from + i, some);
        else
            word = model_load((const unsigned char *)from + i, 8, MODEL_RELAXED, NULL);
        if (is_private(to))
            memcpy((unsigned char *)to + i, &word, some);
        else
            model_store((unsigned char *)to + i, 8, word, MODEL_RELAXED, NULL);
    }
    return to;
}

/* ---- steps ---- */

static bool is_over(void)
{
    return search.violation || search.begins_again || !search.result.is_complete;
}

static unsigned ways_of(unsigned thread)
{
    const struct thread *one = thread_at(thread);
    if (one->state == MODEL_ENDED || one->state == MODEL_DEAD)
        return 0;
    if (search.program->is_weak)
        return memory_ways(&state_now()->memory, thread, &one->next);
    if (one->next.operation == MODEL_WAIT)
        return state_value(one->next.address) != 0;
    return 1;
}

static void note_step(unsigned thread, unsigned way, bool is_death, const struct model_step *step)
{
    if (search.path_length < DEPTH_MAX)
        search.path[search.path_length++] =
            (struct passed){.thread = thread, .way = way, .is_death = is_death, .step = *step};
}

static void take_step(unsigned thread, unsigned way)
{
    struct state *now = state_now();
    struct thread *one = thread_at(thread);
    struct model_step *step = &one->next;
    search.result.steps++;
    one->state = MODEL_RUNS;
    if (step->operation == MODEL_LIVING)
        step->result = living();
    if (search.program->is_weak)
        search.violation =
            memory_step(&now->memory, thread, search.program->thread_count, step, way);
    else if (step->location >= 0 || step->address)
        state_act(state_word(step->address), step, false);
    note_step(thread, way, false, step);
    if (search.violation)
        return;
    if (++one->steps > STEPS_MAX) {
        search.violation = "a thread does not come to an end";
        return;
    }
    search.running = (int)thread;
    thread_go_on(one, thread);
    search.running = -1;
    if (search.program->is_weak)
        state_tidy(search.program->thread_count);
}

static void kill_thread(unsigned thread)
{
    thread_at(thread)->state = MODEL_DEAD;
    thread_at(thread)->low = NULL;
    if (search.program->is_weak)
        state_bury(thread);
    note_step(thread, 0, true, &thread_at(thread)->next);
}

static void ask_oracle(void (*question)(void))
{
    if (!question)
        return;
    search.running = -1;
    if (setjmp(search.oracle) == 0)
        question();
}

static unsigned alone;
static void ask_when_alone(void)
{
    search.program->when_alone(alone);
}

/* All others are through; what they could still do, and then the last one's own way. */
static void look_when_alone(unsigned thread)
{
    alone = thread;
    ask_oracle(ask_when_alone);
    while (!is_over() && ways_of(thread) > 0)
        take_step(thread, 0);
    if (!is_over())
        ask_oracle(search.program->at_end);
}

/* ---- the search ---- */

static void explore(unsigned depth);

static void try_all(unsigned thread, unsigned depth)
{
    unsigned ways = ways_of(thread);
    for (unsigned way = 0; way < ways && !is_over(); way++) {
        take_step(thread, way);
        if (!is_over() && state_is_new(search.program))
            explore(depth + 1);
        if (is_over())
            return;
        state_restore(&search.levels[depth], search.program);
        search.path_length = depth;
    }
}

static unsigned deaths_so_far(void)
{
    unsigned deaths = 0;
    for (unsigned t = 0; t < search.program->thread_count; t++)
        deaths += thread_at(t)->state == MODEL_DEAD;
    return deaths;
}

static void try_deaths(unsigned depth)
{
    if (deaths_so_far() >= search.program->deaths)
        return;
    for (unsigned t = 0; t < search.program->thread_count && !is_over(); t++) {
        if (thread_at(t)->state == MODEL_ENDED || thread_at(t)->state == MODEL_DEAD ||
            !(search.program->mortals >> t & 1u))
            continue;
        kill_thread(t);
        if (state_is_new(search.program))
            explore(depth + 1);
        if (is_over())
            return;
        state_restore(&search.levels[depth], search.program);
        search.path_length = depth;
    }
}

static void explore(unsigned depth)
{
    const struct model_program *program = search.program;
    search.result.states++;
    if (depth + 1 >= DEPTH_MAX ||
        (program->states_max && search.result.states > program->states_max)) {
        search.result.is_complete = false;
        return;
    }
    state_save(&search.levels[depth], program);
    unsigned can_move = 0;
    unsigned last = 0;
    unsigned unfinished = 0;
    for (unsigned t = 0; t < program->thread_count; t++) {
        bool is_out = thread_at(t)->state == MODEL_ENDED || thread_at(t)->state == MODEL_DEAD;
        unfinished += !is_out;
        if (ways_of(t) > 0) {
            can_move++;
            last = t;
        } else if (!is_out) {
            thread_at(t)->state = MODEL_BLOCKED;
        }
    }
    if (can_move == 0) {
        search.result.ends++;
        ask_oracle(program->at_end);
    } else if (can_move == 1 && unfinished == 1 && program->when_alone && !program->is_weak) {
        look_when_alone(last);
    }
    if (is_over())
        return;
    state_restore(&search.levels[depth], program);
    search.path_length = depth;
    for (unsigned t = 0; t < program->thread_count && !is_over(); t++)
        try_all(t, depth);
    if (!is_over())
        try_deaths(depth);
}

static void begin(void)
{
    search.begins_again = false;
    search.path_length = 0;
    search.result = (struct model_result){.is_complete = true};
    state_begin(search.program);
    for (unsigned t = 0; t < search.program->thread_count && !is_over(); t++) {
        search.running = (int)t;
        thread_begin(thread_at(t), t, search.program->threads[t]);
        search.running = -1;
    }
}

struct model_result model_explore(const struct model_program *program)
{
    search.program = program;
    search.violation = NULL;
    search.is_searching = true;
    search.running = -1;
    model_forget_labels();
    state_open(program);
    do {
        begin();
        if (!is_over() && state_is_new(program))
            explore(0);
    } while (search.begins_again);
    search.is_searching = false;
    search.result.violation = search.violation;
    state_close(program);
    search.program = NULL;
    return search.result;
}

void model_print_trace(void)
{
    static const char *const names[] = {"end",   "load",       "store", "rmw",   "cas",
                                        "fence", "membarrier", "wait",  "living"};
    (void)fprintf(stderr, "violation: %s\n", search.result.violation);
    for (unsigned i = 0; i < search.path_length; i++) {
        const struct passed *passed = &search.path[i];
        const struct model_step *step = &passed->step;
        (void)fprintf(stderr,
                      "%3u thread %u %s%s %p value %" PRIx64 " expected %" PRIx64 " result %" PRIx64
                      " %s:%u %s\n",
                      i, passed->thread, passed->is_death ? "dies before " : "",
                      names[step->operation], step->address, step->value, step->expected,
                      step->result, step->site ? step->site->file : "",
                      step->site ? step->site->line : 0, step->site ? step->site->label : "");
    }
}
