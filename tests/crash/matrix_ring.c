/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Roles of the kill matrix: the two sides of an spsc ring.
 */
#include "tests/crash/matrix_roles.h"

#include "core/spsc_shared.h"

#define ROUNDS 3u

/* Lets both sides live on until the ring is drained, and checks that elements are neither lost nor invented. */
static void finish_ring(const struct matrix_case *one, char *complaint)
{
    const struct life_ledger *ledger = &matrix_memory()->ledger;
    const struct peal_spsc_shared *shared = (const void *)matrix_memory()->ring;
    uint64_t pushed = peal_u64_load_acquire(&ledger->pushed);
    uint64_t tail = peal_u64_load_acquire(&shared->producer.tail);
    if (one->role == &matrix_producer &&
        (tail < pushed || tail > peal_u64_load_acquire(&ledger->pushed_begun)))
        MATRIX_COMPLAIN(complaint, "%d elements were pushed, the ring says %d", (int)pushed,
                        (int)tail);
    for (uint32_t round = 0; round < ROUNDS && !complaint[0]; round++)
        if (!matrix_live(&matrix_producer, MATRIX_MORTAL, NULL) ||
            !matrix_live(&matrix_consumer, MATRIX_MORTAL, NULL))
            MATRIX_COMPLAIN(complaint, "a successor at the ring failed at line %d",
                            (int)peal_u64_load_acquire(&ledger->failed_line));
    tail = peal_u64_load_acquire(&shared->producer.tail);
    uint64_t popped = peal_u64_load_acquire(&ledger->popped);
    if (!complaint[0] &&
        (peal_u64_load_acquire(&shared->consumer.head) != tail || tail == 0 || popped != tail))
        MATRIX_COMPLAIN(complaint, "%d elements were popped of %d", (int)popped, (int)tail);
}

/* The other side works on with what there is, while this one is stopped. */
static void work_beside(const struct matrix_case *one, char *complaint)
{
    const struct peal_spsc_shared *shared = (const void *)matrix_memory()->ring;
    if (one->role == &matrix_consumer) {
        if (!matrix_live(&matrix_producer, MATRIX_MORTAL, NULL))
            MATRIX_COMPLAIN(complaint, "the producer for a stopped consumer failed");
    } else if (peal_u64_load_acquire(&shared->initialiser.magic)) {
        if (!matrix_live(&matrix_consumer, MATRIX_MORTAL, NULL))
            MATRIX_COMPLAIN(complaint, "the consumer of a stopped producer failed");
    }
}

static void run_on_ring(const struct matrix_case *one, char *complaint)
{
    enum matrix_outcome outcome;
    stage_clear(&matrix_stage);
    if (one->role == &matrix_consumer && !matrix_live(&matrix_producer, MATRIX_MORTAL, NULL))
        MATRIX_COMPLAIN(complaint, "the producer failed");
    pid_t pid = matrix_start_case(one, &outcome);
    if (outcome == MATRIX_FAILED)
        MATRIX_COMPLAIN(complaint, "it failed");
    if (outcome == MATRIX_STOPPED) {
        work_beside(one, complaint);
        if (!matrix_goes_on_well(pid))
            MATRIX_COMPLAIN(complaint, "stopped and continued, it failed");
    }
    finish_ring(one, complaint);
}

static bool count_on_ring(const struct matrix_role *role, uint64_t seed,
                          struct fault_passes *passes)
{
    (void)seed;
    stage_clear(&matrix_stage);
    return (role != &matrix_consumer || matrix_live(&matrix_producer, MATRIX_MORTAL, NULL)) &&
           matrix_live(role, MATRIX_MORTAL, passes);
}

const struct matrix_role matrix_producer = {
    .name = "producer", .life = life_producer, .run = run_on_ring, .count = count_on_ring};
const struct matrix_role matrix_consumer = {
    .name = "consumer", .life = life_consumer, .run = run_on_ring, .count = count_on_ring};
