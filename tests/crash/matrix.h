/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kill matrix (matrix_test.c): what a role is, and the processes that live it. The roles stand in matrix_bus.c,
 * matrix_ring.c and matrix_queue.c.
 */
#ifndef PEAL_TESTS_CRASH_MATRIX_H
#define PEAL_TESTS_CRASH_MATRIX_H

#include "tests/support/fault_plan.h"
#include "tests/support/queue_witness.h"
#include "tests/support/stage.h"
#include "tests/support/witness.h"

#include <stdio.h>
#include <sys/types.h>

#define MATRIX_COMPLAINT_BYTES sizeof(((struct witness *)0)->complaint)

#define MATRIX_COMPLAIN(complaint, ...)                                                            \
    (void)snprintf(complaint, MATRIX_COMPLAINT_BYTES, __VA_ARGS__)

/* Shared with the mortals, in matrix_stage. */
struct matrix_memory {
    struct life_ledger ledger;
    struct queue_ledger queue;
    struct fault_passes passes;
    _Alignas(128) unsigned char ring[LIFE_RING_BYTES];
};

extern struct stage matrix_stage;
struct matrix_memory *matrix_memory(void);

struct matrix_role;

struct matrix_case {
    const struct matrix_role *role;
    const char *point;
    uint32_t pass;
    enum fault_mode mode;
    uint64_t seed; /* of the mess */
};

struct matrix_role {
    const char *name;
    int (*life)(struct life *life); /* one of the two */
    int (*queue_life)(struct queue_life *life);
    void (*run)(const struct matrix_case *one, char *complaint);
    /* Lives it to its natural end. False: it failed. */
    bool (*count)(const struct matrix_role *role, uint64_t seed, struct fault_passes *passes);
    bool has_mess; /* somebody has died before, somewhere */
    bool strict;   /* of queues */
    bool drops_held;
};

/* What survivors were held up, beside the dead and beside the stopped. */
struct matrix_times {
    struct witness_times bus;
    struct queue_call_times queue;
};
extern struct matrix_times matrix_beside_dead;
extern struct matrix_times matrix_beside_stopped;
struct matrix_times *matrix_times_of(const struct matrix_case *one);

/* ---- mortal processes ---- */

enum matrix_outcome { MATRIX_ENDED, MATRIX_DIED, MATRIX_STOPPED, MATRIX_FAILED };

/* Starts to live the role; `actor` is its first in the queue's ledger. */
pid_t matrix_start(const struct matrix_role *role, uint32_t actor, const struct fault_plan *plan,
                   struct fault_passes *passes);
enum matrix_outcome matrix_await(pid_t pid);

/* Lives the role to its natural end, counting in `passes` if it is not NULL. False: it failed. */
bool matrix_live(const struct matrix_role *role, uint32_t actor, struct fault_passes *passes);

/* Lives it to where the case says. */
pid_t matrix_start_case(const struct matrix_case *one, enum matrix_outcome *outcome);

/* Continues a stopped process to its natural end. */
bool matrix_goes_on_well(pid_t pid);

extern uint64_t matrix_reached; /* cases in which the point was passed */

/* Somebody dies somewhere, one of `lives`; or they all end by themselves, which is a case as well. */
bool matrix_leave_a_mess(const struct matrix_role *const *lives, uint32_t count, uint64_t seed);

/* The ledger's actors: the witness, two messes, the mortal. */
enum { MATRIX_WITNESS = 0, MATRIX_MESS = 2, MATRIX_MORTAL = 6 };
#define MATRIX_MESS_TRIES 2u

#endif
