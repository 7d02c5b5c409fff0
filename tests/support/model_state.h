/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The state that the model checker is in, copies of it, and the set of those that it has seen.
 */
#ifndef PEAL_TESTS_SUPPORT_MODEL_STATE_H
#define PEAL_TESTS_SUPPORT_MODEL_STATE_H

#include "tests/support/model_thread.h"

#define STATE_VALUES_MAX 256

/* A word of the arena, by its address; what the search has learnt about it. */
struct state_word {
    uint8_t readers; /* bit t: thread t has */
    uint8_t writers;
    bool is_shared; /* several use it, and somebody writes */
    bool is_guarded;
    uint8_t bytes;
    int16_t value_id; /* index in values[], -1: never written, the arena has it */
    int16_t location; /* in the weak memory, or -1 */
    int16_t marks;    /* read marks there, or -1 */
};

struct state {
    struct thread threads[MODEL_THREADS_MAX];
    uint64_t values[STATE_VALUES_MAX];
    struct memory memory;
};

/* A state that can be gone back to. */
struct state_copy {
    unsigned char *bytes;
    size_t capacity_bytes;
};

struct state *state_now(void);

void state_open(const struct model_program *program);
void state_close(const struct model_program *program);
void state_begin(const struct model_program *program);

struct state_word *state_word(const void *address);

/* Notes that the thread uses the word; written_bytes 0: reads it. True: the search has to begin again. */
bool state_note(struct state_word *word, unsigned thread, unsigned written_bytes, bool is_weak);

/* The oracle looks at it: in the midst of things, where somebody has died or stopped. True: as above. */
bool state_note_oracle(struct state_word *word, bool is_weak);

/* Gives the word a value of its own. True: as above. */
bool state_enlist(struct state_word *word, unsigned bytes);

int state_marks(struct state_word *word);

/* Takes the step on the strong memory, or as the oracle on the last values of the weak one. */
void state_act(const struct state_word *word, struct model_step *step, bool is_oracle);

uint64_t state_value(const void *address);
uint64_t state_raw(const void *word, unsigned bytes);
void state_raw_store(void *word, unsigned bytes, uint64_t value);

void state_tidy(unsigned threads);
void state_bury(unsigned thread);

void state_save(struct state_copy *copy, const struct model_program *program);
void state_restore(const struct state_copy *copy, const struct model_program *program);

/* False: it was here before. */
bool state_is_new(const struct model_program *program);

#endif
