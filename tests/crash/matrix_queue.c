/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Roles of the kill matrix: users of a queue.
 */
#include "tests/crash/matrix_roles.h"

#include <string.h>

/* Rivals are at another queue, whose sums nobody sees; so they leave nothing that is dropped and counted there. */
static bool leave_a_mess(const struct matrix_role *role, uint64_t seed)
{
    static const struct matrix_role *const redelivered[] = {
        &matrix_queue_consumer, &matrix_queue_producer, &matrix_queue_rivals};
    static const struct matrix_role *const dropped[] = {&matrix_queue_consumer_drops};
    return role->drops_held ? matrix_leave_a_mess(dropped, 1, seed)
                            : matrix_leave_a_mess(redelivered, 3, seed);
}

static struct queue_life own_life(const struct matrix_role *role)
{
    struct queue_ledger *ledger = &matrix_memory()->queue;
    return (struct queue_life){.url = matrix_stage.url,
                               .ledger = ledger,
                               .actors = &ledger->actors[MATRIX_WITNESS],
                               .strict = role->strict,
                               .drops_held = role->drops_held};
}

static int failed_line(void)
{
    return (int)peal_u64_load_acquire(&matrix_memory()->queue.failed_line);
}

static void run_on_queue(const struct matrix_case *one, char *complaint)
{
    struct queue_witness witness;
    struct matrix_times *times = matrix_times_of(one);
    uint32_t recovered;
    enum matrix_outcome outcome;
    stage_clear(&matrix_stage);
    const struct queue_life life = own_life(one->role);
    if (!queue_witness_begin(&witness, &life, &times->bus, &times->queue)) {
        MATRIX_COMPLAIN(complaint, "the witness: %s", peal_error_message());
        return;
    }
    if (one->role->has_mess && !leave_a_mess(one->role, one->seed))
        MATRIX_COMPLAIN(complaint, "no mess was left");
    pid_t pid = matrix_start_case(one, &outcome);
    if (outcome == MATRIX_FAILED)
        MATRIX_COMPLAIN(complaint, "the mortal failed at line %d", failed_line());
    if (outcome == MATRIX_STOPPED) {
        witness_recover(&witness.base, &recovered);
        queue_witness_work(&witness, WITNESS_WITH_STOPPED);
        witness_audit(&witness.base,
                      one->role->has_mess ? PEAL_AUDIT_REMAINS : PEAL_AUDIT_UNSETTLED);
        if (!matrix_goes_on_well(pid))
            MATRIX_COMPLAIN(complaint, "stopped and continued, it failed at line %d",
                            failed_line());
    }
    /* By turns: recovered at once, or met first by others at their work. */
    if (outcome == MATRIX_DIED && one->pass % 2 == 1)
        queue_witness_work(&witness, WITNESS_WITH_DEAD);
    witness_recover(&witness.base, &recovered);
    witness_audit(&witness.base, PEAL_AUDIT_UNSETTLED);
    queue_witness_work(&witness, WITNESS_ALONE);
    queue_witness_compare(&witness);
    queue_witness_end(&witness);
    if (!complaint[0])
        memcpy(complaint, witness.base.complaint, sizeof(witness.base.complaint));
}

static bool count_on_queue(const struct matrix_role *role, uint64_t seed,
                           struct fault_passes *passes)
{
    struct queue_witness witness;
    struct matrix_times unused = {0};
    stage_clear(&matrix_stage);
    const struct queue_life life = own_life(role);
    bool is_well = queue_witness_begin(&witness, &life, &unused.bus, &unused.queue) &&
                   (!role->has_mess || leave_a_mess(role, seed)) &&
                   matrix_live(role, MATRIX_MORTAL, passes);
    /* A meeting that never comes about is no case. */
    if (!role->has_mess && peal_u64_load_acquire(&life.ledger->unmet))
        queue_ledger_complain(life.ledger, "%d meetings did not come about",
                              (int)peal_u64_load_acquire(&life.ledger->unmet));
    witness_recover(&witness.base, NULL);
    queue_witness_compare(&witness);
    queue_witness_end(&witness);
    if (witness.base.complaint[0])
        fprintf(stderr, "%s, to its natural end: %s\n", role->name, witness.base.complaint);
    return is_well && !witness.base.complaint[0];
}

#define QUEUE_ROLE(is, ...)                                                                        \
    {                                                                                              \
        .name = (is), .run = run_on_queue, .count = count_on_queue, __VA_ARGS__                    \
    }

const struct matrix_role matrix_queue_producer =
    QUEUE_ROLE("queue-producer", .queue_life = queue_life_producer);
const struct matrix_role matrix_queue_producer_strict =
    QUEUE_ROLE("queue-producer-strict", .queue_life = queue_life_producer, .strict = true);
const struct matrix_role matrix_queue_consumer =
    QUEUE_ROLE("queue-consumer", .queue_life = queue_life_consumer);
const struct matrix_role matrix_queue_consumer_strict =
    QUEUE_ROLE("queue-consumer-strict", .queue_life = queue_life_consumer, .strict = true);
const struct matrix_role matrix_queue_consumer_drops =
    QUEUE_ROLE("queue-consumer-drops", .queue_life = queue_life_consumer, .drops_held = true);
const struct matrix_role matrix_queue_rivals =
    QUEUE_ROLE("queue-rivals", .queue_life = queue_life_rivals);
const struct matrix_role matrix_queue_rivals_strict =
    QUEUE_ROLE("queue-rivals-strict", .queue_life = queue_life_rivals, .strict = true);
const struct matrix_role matrix_queue_recoverer =
    QUEUE_ROLE("queue-recoverer", .queue_life = queue_life_recoverer, .has_mess = true);
const struct matrix_role matrix_queue_recoverer_drops =
    QUEUE_ROLE("queue-recoverer-drops", .queue_life = queue_life_recoverer, .has_mess = true,
               .drops_held = true);
