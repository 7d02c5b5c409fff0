/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Roles of the kill matrix: publishers, subscribers, whoever meets them and recovers them, and the formatter.
 */
#include "tests/crash/matrix_roles.h"

#include "bus/bus_internal.h"
#include "tests/support/eventually.h"
#include "tests/support/random.h"

#include <string.h>

static bool leave_a_mess(uint64_t seed)
{
    static const struct matrix_role *const lives[] = {&matrix_publisher, &matrix_subscriber,
                                                      &matrix_rivals};
    return matrix_leave_a_mess(lives, 3, seed);
}

static int failed_line(void)
{
    return (int)peal_u64_load_acquire(&matrix_memory()->ledger.failed_line);
}

static void run_on_bus(const struct matrix_case *one, char *complaint)
{
    struct witness witness;
    uint32_t recovered;
    enum matrix_outcome outcome;
    bool has_died = one->mode == FAULT_KILL;
    bool has_mess = one->role->has_mess;
    stage_clear(&matrix_stage);
    if (!witness_begin(&witness, matrix_stage.url, &matrix_times_of(one)->bus)) {
        MATRIX_COMPLAIN(complaint, "the witness: %s", peal_error_message());
        return;
    }
    if (has_mess && !leave_a_mess(one->seed))
        MATRIX_COMPLAIN(complaint, "no mess was left");
    pid_t pid = matrix_start_case(one, &outcome);
    if (outcome == MATRIX_FAILED)
        MATRIX_COMPLAIN(complaint, "the mortal failed at line %d", failed_line());
    if (outcome == MATRIX_STOPPED) {
        witness_recover(&witness, &recovered);
        witness_work(&witness, WITNESS_WITH_STOPPED);
        witness_audit(&witness, has_mess ? PEAL_AUDIT_REMAINS : PEAL_AUDIT_UNSETTLED);
        if (!matrix_goes_on_well(pid))
            MATRIX_COMPLAIN(complaint, "stopped and continued, it failed at line %d",
                            failed_line());
    }
    /* By turns: recovered at once, or met first by others at their work. */
    if (outcome == MATRIX_DIED && one->pass % 2 == 1)
        witness_work(&witness, WITNESS_WITH_DEAD);
    witness_recover(&witness, &recovered);
    witness_audit(&witness, PEAL_AUDIT_UNSETTLED);
    witness_work(&witness, WITNESS_ALONE);
    witness_compare(&witness, &matrix_memory()->ledger, has_died || has_mess);
    witness_end(&witness);
    if (!complaint[0])
        memcpy(complaint, witness.complaint, sizeof(witness.complaint));
}

static bool count_on_bus(const struct matrix_role *role, uint64_t seed, struct fault_passes *passes)
{
    struct witness witness;
    stage_clear(&matrix_stage);
    bool is_well = witness_begin(&witness, matrix_stage.url, &matrix_beside_dead.bus) &&
                   (!role->has_mess || leave_a_mess(seed)) &&
                   matrix_live(role, MATRIX_MORTAL, passes);
    witness_end(&witness);
    return is_well;
}

const struct matrix_role matrix_publisher = {
    .name = "publisher", .life = life_publisher, .run = run_on_bus, .count = count_on_bus};
const struct matrix_role matrix_subscriber = {
    .name = "subscriber", .life = life_subscriber, .run = run_on_bus, .count = count_on_bus};
const struct matrix_role matrix_rivals = {
    .name = "rivals", .life = life_rivals, .run = run_on_bus, .count = count_on_bus};
const struct matrix_role matrix_recoverer = {.name = "recoverer",
                                             .life = life_recoverer,
                                             .run = run_on_bus,
                                             .count = count_on_bus,
                                             .has_mess = true};

/* ---- the formatter ---- */

/* A region of random bytes, of nobody. */
static bool scramble(uint64_t seed)
{
    struct peal_bus *bus = life_bus(matrix_stage.url, EVENTUALLY_TIMEOUT_NS);
    if (!bus)
        return false;
    peal_u64 *words = (peal_u64 *)(void *)bus->transport->base;
    for (size_t i = 0; i < bus->transport->size_bytes / 8; i++)
        peal_u64_store_relaxed(&words[i], random_next(&seed));
    peal_bus_close(bus);
    return true;
}

static void end_as_witness(const struct matrix_case *one, char *complaint)
{
    struct witness witness;
    if (!witness_begin(&witness, matrix_stage.url, &matrix_times_of(one)->bus)) {
        MATRIX_COMPLAIN(complaint, "the region cannot be opened: %s", peal_error_message());
        return;
    }
    witness_audit(&witness, PEAL_AUDIT_UNSETTLED);
    witness_work(&witness, WITNESS_ALONE);
    witness_end(&witness);
    if (!complaint[0])
        memcpy(complaint, witness.complaint, sizeof(witness.complaint));
}

static void run_formatter(const struct matrix_case *one, char *complaint)
{
    enum matrix_outcome outcome;
    stage_clear(&matrix_stage);
    if (!scramble(one->seed))
        MATRIX_COMPLAIN(complaint, "cannot scramble: %s", peal_error_message());
    /* Whoever has the index of a dead formatter knows it dead by that; so nobody shall have it. */
    struct peal_transport *first = NULL;
    if (peal_transport_open("posix", strchr(matrix_stage.url, ':') + 1, NULL, &first) != PEAL_OK) {
        MATRIX_COMPLAIN(complaint, "no transport: %s", peal_error_message());
        return;
    }
    pid_t pid = matrix_start_case(one, &outcome);
    if (outcome == MATRIX_FAILED)
        MATRIX_COMPLAIN(complaint, "the formatter failed");
    if (outcome == MATRIX_STOPPED) {
        /* It is alive: a newcomer waits for it as long as it is told to, or finds it done. */
        struct peal_bus *bus = life_bus(matrix_stage.url, 2000000);
        peal_bus_close(bus);
        if (!matrix_goes_on_well(pid))
            MATRIX_COMPLAIN(complaint, "stopped and continued, the formatter failed");
    }
    first->ops->close(first);
    end_as_witness(one, complaint);
}

static bool count_formatter(const struct matrix_role *role, uint64_t seed,
                            struct fault_passes *passes)
{
    stage_clear(&matrix_stage);
    return scramble(seed) && matrix_live(role, MATRIX_MORTAL, passes);
}

const struct matrix_role matrix_formatter = {
    .name = "formatter", .life = life_recoverer, .run = run_formatter, .count = count_formatter};
