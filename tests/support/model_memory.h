/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The weak memory of the model checker: a view machine.
 *
 * Each location keeps the values that somebody may still read, in the order of its modifications. A
 * thread has a view: for each location the oldest value that it may still read. A store notes a view
 * beside its value: with release, or behind a release fence, all that the storing thread knew; a load
 * with acquire, or before an acquire fence, takes that view over. A full fence exchanges views with
 * one global view. This is the machine of Kang, Hur, Lahav, Vafeiadis and Dreyer, "A promising semantics
 * for relaxed-memory concurrency" (POPL 2017), without its promises: a load is never delayed beyond a
 * later store of its thread. A store may go before others of its location that its thread has not seen; a
 * read-modify-write directly follows what it has read. Sequentially consistent operations
 * that are no fences order no more than acquire and release, which is less than C11 promises.
 *
 * Plain memory, and guarded words: a view also counts the reads of each thread that it knows to be over.
 * A store beside a read that it does not know of is a race, and so is a plain read that does not
 * know the last store. This is what shows that a release is needed for the loads before it.
 */
#ifndef PEAL_TESTS_SUPPORT_MODEL_MEMORY_H
#define PEAL_TESTS_SUPPORT_MODEL_MEMORY_H

#include "tests/support/model_checker.h"
#include "tests/support/model_seam.h"

#define MEMORY_LOCATIONS_MAX 40
#define MEMORY_VALUES_MAX 10
#define MEMORY_MARKS_MAX 80

struct memory_view {
    uint8_t at[MEMORY_LOCATIONS_MAX];
    uint8_t read[MEMORY_MARKS_MAX];
};

struct memory_value {
    uint64_t value;
    bool is_attached; /* a read-modify-write: follows the one before it */
    struct memory_view view;
};

struct memory_location {
    uint8_t count;
    uint8_t reads[MODEL_THREADS_MAX]; /* since the last store, of plain and guarded words */
    struct memory_value values[MEMORY_VALUES_MAX];
};

struct memory {
    struct memory_view current[MODEL_THREADS_MAX];
    struct memory_view on_acquire[MODEL_THREADS_MAX];
    struct memory_view on_release[MODEL_THREADS_MAX];
    struct memory_view global;
    struct memory_view grave;
    struct memory_location locations[MEMORY_LOCATIONS_MAX];
};

/* What a thread is about to do. */
enum model_operation {
    MODEL_END,
    MODEL_LOAD,
    MODEL_STORE,
    MODEL_RMW,
    MODEL_CAS,
    MODEL_FENCE,
    MODEL_MEMBARRIER,
    MODEL_WAIT,
    MODEL_LIVING,
};

struct model_step {
    enum model_operation operation;
    enum model_order order;
    enum model_rmw rmw;
    bool is_plain;
    bool is_guarded;
    bool has_swapped; /* result of CAS */
    unsigned bytes;
    int location; /* of the weak memory */
    int marks;    /* first of its read marks, or -1 */
    int value_id; /* of the strong memory */
    const void *address;
    uint64_t value;
    uint64_t expected;
    uint64_t result;
    const struct model_site *site;
};

uint64_t memory_rmw(enum model_rmw operation, uint64_t old, uint64_t value, unsigned bytes);

/* In how many ways the step can go. */
unsigned memory_ways(const struct memory *memory, unsigned thread, const struct model_step *step);

/* Takes the step in one of them. A text if it is a race. */
const char *memory_step(struct memory *memory, unsigned thread, unsigned threads,
                        struct model_step *step, unsigned way);

/* Forgets what none of the `living` can read any more; equal states look equal afterwards. */
void memory_tidy(struct memory *memory, unsigned locations, unsigned threads, uint32_t living);

#endif
