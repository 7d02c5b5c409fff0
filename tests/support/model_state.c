/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/model_state.h"

#include <stdlib.h>
#include <string.h>

/* Among the threads that use a word. */
#define ORACLE 0x80u

static struct state now;
static struct state_word *words;
static const unsigned char *arena;
static int16_t values_used;
static int16_t locations_used;
static int16_t marks_used;
static const struct state_word *enlisted[STATE_VALUES_MAX];
static unsigned char *world_at_begin;

static struct {
    uint64_t *keys; /* 0: free */
    size_t mask;
    size_t used;
} seen;

struct state *state_now(void)
{
    return &now;
}

/* ---- words ---- */

struct state_word *state_word(const void *address)
{
    return &words[(size_t)((const unsigned char *)address - arena) / 4];
}

static const void *address_of(const struct state_word *word)
{
    return arena + (size_t)(word - words) * 4;
}

uint64_t state_raw(const void *word, unsigned bytes)
{
    uint32_t half;
    uint64_t whole;
    if (bytes == 8) {
        memcpy(&whole, word, 8);
        return whole;
    }
    memcpy(&half, word, 4);
    return half;
}

void state_raw_store(void *word, unsigned bytes, uint64_t value)
{
    uint32_t half = (uint32_t)value;
    if (bytes == 8)
        memcpy(word, &value, 8);
    else
        memcpy(word, &half, 4);
}

bool state_enlist(struct state_word *word, unsigned bytes)
{
    if (word->value_id >= 0)
        return false;
    model_must(values_used < STATE_VALUES_MAX);
    enlisted[values_used] = word;
    word->bytes = (uint8_t)bytes;
    word->value_id = values_used++;
    return true;
}

/* Makes it shared if it has become so. */
static bool share(struct state_word *word, bool is_weak)
{
    unsigned users = word->readers | word->writers;
    if (word->is_shared || word->writers == 0 || (users & (users - 1)) == 0)
        return false;
    word->is_shared = true;
    if (is_weak) {
        model_must(locations_used < MEMORY_LOCATIONS_MAX);
        word->location = locations_used++;
    }
    return true;
}

bool state_note(struct state_word *word, unsigned thread, unsigned written_bytes, bool is_weak)
{
    bool is_new = written_bytes && state_enlist(word, written_bytes);
    if (written_bytes)
        word->writers |= (uint8_t)(1u << thread);
    else
        word->readers |= (uint8_t)(1u << thread);
    return share(word, is_weak) || is_new;
}

bool state_note_oracle(struct state_word *word, bool is_weak)
{
    word->readers |= ORACLE;
    return share(word, is_weak);
}

int state_marks(struct state_word *word)
{
    if (word->location < 0)
        return -1;
    if (word->marks < 0) {
        model_must(marks_used + MODEL_THREADS_MAX <= MEMORY_MARKS_MAX);
        word->marks = marks_used;
        marks_used += MODEL_THREADS_MAX;
    }
    return word->marks;
}

static uint64_t *value_of(const struct state_word *word, bool is_oracle)
{
    if (is_oracle && word->location >= 0) {
        struct memory_location *location = &now.memory.locations[word->location];
        return &location->values[location->count - 1].value;
    }
    return word->value_id >= 0 ? &now.values[word->value_id] : NULL;
}

void state_act(const struct state_word *word, struct model_step *step, bool is_oracle)
{
    uint64_t *value = value_of(word, is_oracle);
    uint64_t old = value ? *value : state_raw(step->address, step->bytes);
    step->result = old;
    switch (step->operation) {
    case MODEL_STORE:
        *value = step->value;
        break;
    case MODEL_CAS:
        step->has_swapped = old == step->expected;
        if (step->has_swapped)
            *value = step->value;
        break;
    case MODEL_RMW:
    case MODEL_WAIT:
        *value = memory_rmw(step->rmw, old, step->value, step->bytes);
        break;
    default:
        break;
    }
}

uint64_t state_value(const void *address)
{
    const struct state_word *word = state_word(address);
    const uint64_t *value = value_of(word, true);
    return value ? *value : state_raw(address, 8);
}

/* ---- the weak memory ---- */

void state_tidy(unsigned threads)
{
    uint32_t living = 0;
    for (unsigned t = 0; t < threads; t++) {
        if (now.threads[t].state != MODEL_DEAD && now.threads[t].state != MODEL_ENDED)
            living |= 1u << t;
    }
    memory_tidy(&now.memory, (unsigned)locations_used, threads, living);
}

void state_bury(unsigned thread)
{
    const struct memory_view *last = &now.memory.current[thread];
    struct memory_view *grave = &now.memory.grave;
    for (unsigned i = 0; i < MEMORY_LOCATIONS_MAX; i++)
        grave->at[i] = grave->at[i] < last->at[i] ? last->at[i] : grave->at[i];
    for (unsigned i = 0; i < MEMORY_MARKS_MAX; i++)
        grave->read[i] = grave->read[i] < last->read[i] ? last->read[i] : grave->read[i];
}

/* ---- begin ---- */

void state_open(const struct model_program *program)
{
    arena = program->arena;
    size_t count = program->arena_bytes / 4;
    words = malloc(count * sizeof(*words));
    model_must(words);
    for (size_t i = 0; i < count; i++)
        words[i] = (struct state_word){.value_id = -1, .location = -1, .marks = -1};
    for (size_t i = 0; i < program->guarded_bytes; i += 4)
        state_word((const unsigned char *)program->guarded + i)->is_guarded = true;
    world_at_begin = malloc(program->world_bytes + 1);
    model_must(world_at_begin);
    memcpy(world_at_begin, program->world, program->world_bytes);
}

void state_close(const struct model_program *program)
{
    memcpy(program->world, world_at_begin, program->world_bytes);
    free(world_at_begin);
    free(words);
    free(seen.keys);
    words = NULL;
    memset(&seen, 0, sizeof(seen));
    values_used = locations_used = marks_used = 0;
}

void state_begin(const struct model_program *program)
{
    memset(&now, 0, sizeof(now));
    memcpy(program->world, world_at_begin, program->world_bytes);
    if (seen.keys)
        memset(seen.keys, 0, (seen.mask + 1) * sizeof(*seen.keys));
    seen.used = 0;
    for (int16_t i = 0; i < values_used; i++) {
        const struct state_word *word = enlisted[i];
        now.values[i] = state_raw(address_of(word), word->bytes);
        if (word->location < 0)
            continue;
        struct memory_location *location = &now.memory.locations[word->location];
        location->count = 1;
        location->values[0].value = now.values[i];
    }
}

/* ---- copies ---- */

static size_t memory_bytes(const struct model_program *program)
{
    if (!program->is_weak)
        return 0;
    return offsetof(struct memory, locations) +
           (size_t)locations_used * sizeof(struct memory_location);
}

static size_t live_bytes(unsigned thread)
{
    const unsigned char *low = now.threads[thread].low;
    return low ? (size_t)(thread_stack(thread) + THREAD_STACK_BYTES - low) : 0;
}

static unsigned char *put(unsigned char *to, const void *from, size_t size_bytes)
{
    memcpy(to, from, size_bytes);
    return to + size_bytes;
}

static const unsigned char *get(void *to, const unsigned char *from, size_t size_bytes)
{
    memcpy(to, from, size_bytes);
    return from + size_bytes;
}

void state_save(struct state_copy *copy, const struct model_program *program)
{
    size_t needed = sizeof(now) + program->world_bytes;
    for (unsigned t = 0; t < program->thread_count; t++)
        needed += live_bytes(t);
    if (copy->capacity_bytes < needed) {
        free(copy->bytes);
        copy->capacity_bytes = needed + 4096;
        copy->bytes = malloc(copy->capacity_bytes);
        model_must(copy->bytes);
    }
    unsigned char *to = copy->bytes;
    to = put(to, now.threads, sizeof(now.threads));
    to = put(to, now.values, (size_t)values_used * sizeof(now.values[0]));
    to = put(to, &now.memory, memory_bytes(program));
    to = put(to, program->world, program->world_bytes);
    for (unsigned t = 0; t < program->thread_count; t++) {
        if (now.threads[t].low)
            to = put(to, now.threads[t].low, live_bytes(t));
    }
}

void state_restore(const struct state_copy *copy, const struct model_program *program)
{
    const unsigned char *from = copy->bytes;
    from = get(now.threads, from, sizeof(now.threads));
    from = get(now.values, from, (size_t)values_used * sizeof(now.values[0]));
    from = get(&now.memory, from, memory_bytes(program));
    from = get(program->world, from, program->world_bytes);
    for (unsigned t = 0; t < program->thread_count; t++) {
        if (now.threads[t].low)
            from = get(now.threads[t].low, from, live_bytes(t));
    }
}

/* ---- which were seen ---- */

static uint64_t mix(uint64_t hash, const void *data, size_t size_bytes)
{
    const unsigned char *bytes = data;
    const uint64_t odd = UINT64_C(0x9fb21c651e98df25);
    for (; size_bytes >= 8; bytes += 8, size_bytes -= 8) {
        uint64_t word;
        memcpy(&word, bytes, 8);
        hash = (hash ^ word) * odd;
        hash ^= hash >> 29;
    }
    uint64_t rest = 0;
    memcpy(&rest, bytes, size_bytes);
    hash = (hash ^ rest ^ size_bytes) * odd;
    return hash ^ hash >> 32;
}

/* Most of the world never changes: only blocks that differ from what they began as count. */
static uint64_t mix_world(uint64_t hash, const struct model_program *program)
{
    const size_t block_bytes = 128;
    const unsigned char *bytes = program->world;
    for (size_t i = 0; i < program->world_bytes; i += block_bytes) {
        size_t some =
            program->world_bytes - i < block_bytes ? program->world_bytes - i : block_bytes;
        if (memcmp(bytes + i, world_at_begin + i, some) == 0)
            continue;
        hash = mix(hash + i, bytes + i, some);
    }
    return hash;
}

static uint64_t hash_memory(uint64_t hash, unsigned threads)
{
    const struct memory *memory = &now.memory;
    size_t views = threads * sizeof(memory->current[0]);
    hash = mix(hash, memory->current, views);
    hash = mix(hash, memory->on_acquire, views);
    hash = mix(hash, memory->on_release, views);
    hash = mix(hash, &memory->global, sizeof(memory->global));
    hash = mix(hash, &memory->grave, sizeof(memory->grave));
    for (int16_t l = 0; l < locations_used; l++) {
        const struct memory_location *location = &memory->locations[l];
        hash = mix(hash, location->reads, sizeof(location->reads));
        for (unsigned i = 0; i < location->count; i++) {
            hash = mix(hash, &location->values[i].value, 8);
            hash = mix(hash, &location->values[i].view, sizeof(location->values[i].view));
            hash += location->values[i].is_attached;
        }
    }
    return hash;
}

static uint64_t hash_now(const struct model_program *program)
{
    uint64_t hash = mix(1, now.values, (size_t)values_used * sizeof(now.values[0]));
    hash = mix_world(hash, program);
    for (unsigned t = 0; t < program->thread_count; t++) {
        const struct thread *thread = &now.threads[t];
        hash = mix(hash, &thread->state, sizeof(thread->state));
        if (!thread->low)
            continue;
        hash = mix(hash, thread->registers, sizeof(thread->registers));
        hash = mix(hash, thread->low, live_bytes(t));
    }
    if (program->is_weak)
        hash = hash_memory(hash, program->thread_count);
    return hash ? hash : 1;
}

static bool insert(uint64_t key)
{
    size_t i = (size_t)(key * UINT64_C(0x9e3779b97f4a7c15) >> 16) & seen.mask;
    while (seen.keys[i] && seen.keys[i] != key)
        i = (i + 1) & seen.mask;
    if (seen.keys[i] == key)
        return false;
    seen.keys[i] = key;
    seen.used++;
    return true;
}

static void grow(void)
{
    uint64_t *old = seen.keys;
    size_t count = old ? seen.mask + 1 : 0;
    size_t capacity = old ? 2 * count : (size_t)1 << 16;
    seen.keys = calloc(capacity, sizeof(*seen.keys));
    model_must(seen.keys);
    seen.mask = capacity - 1;
    seen.used = 0;
    for (size_t i = 0; i < count; i++) {
        if (old[i])
            (void)insert(old[i]);
    }
    free(old);
}

bool state_is_new(const struct model_program *program)
{
    if (!seen.keys || seen.used * 2 > seen.mask)
        grow();
    return insert(hash_now(program));
}
