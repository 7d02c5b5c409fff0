/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Death at every instruction. A real process is stepped through one act (attach, publish, take, detach, ...)
 * instruction by instruction with ptrace:
 *
 *  - Every instruction: after each one the shared memory is compared with what it was before. Each state in which
 *    a death could leave it is copied, and in the copy a newcomer to whom all others are dead recovers.
 *    Afterwards an audit of the copy finds nothing held.
 *  - SIGKILL after the n-th instruction: the process really dies there, and the witness goes on. For as many n as
 *    fit in the time, drawn by the seed.
 *
 *      step_test                            SIGKILL for 0.8 s an act, or at every n if that is enough
 *      PEAL_CAMPAIGN_SECONDS=N step_test    for N seconds an act; most have had every n after 240
 *      step_test ACT N                      one death again
 */
#include "bus/bus_internal.h"
#include "core/recover.h"
#include "tests/support/acts.h"
#include "tests/support/eventually.h"
#include "tests/support/newcomer.h"
#include "tests/support/random.h"
#include "tests/support/stage.h"
#include "tests/support/stepper.h"
#include "tests/support/witness.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define SHORT_NS UINT64_C(800000000) /* of SIGKILL, for each act */
#define STRIDE 7919u                 /* a prime: a walk with it comes to every n once */

static struct stage stage;
static struct life_ledger *ledger;
static struct witness_times times;

static struct {
    uint64_t steps;
    uint64_t states;
    uint64_t kills;
} total;

static bool has_failed;

static void complain(const struct act *act, uint64_t step, const char *what)
{
    has_failed = true;
    print_error("FAILED: PEAL_TEST_SEED=%" PRIu64 " step_test %s %" PRIu64 ": %s\n", random_seed(),
                act->name, step, what);
}

/* ---- the stepped process ---- */

struct acting {
    const struct act *act;
    struct life life;
};

static bool live(void *context)
{
    struct acting *acting = context;
    if (!acting->act->prepare(&acting->life))
        return false;
    stepper_begin();
    return acting->act->perform(&acting->life);
}

/* The witness is there, and the process is where the act begins. */
static struct stepper begin(const struct act *act, struct witness *witness)
{
    struct acting acting = {act, {.url = stage.url, .ledger = ledger}};
    stage_clear(&stage);
    if (witness_begin(witness, stage.url, &times))
        return stepper_start(live, &acting);
    complain(act, 0, peal_error_message());
    return (struct stepper){.state = STEPPER_FAILED};
}

/* ---- every instruction, in copies ---- */

/* What a newcomer finds in a copy of the region in which everybody has died just now. NULL: all is well. */
static const char *recover_copy(void *copy, uint64_t size_bytes)
{
    struct newcomer newcomer;
    const char *wrong = newcomer_come(&newcomer, copy, size_bytes);
    if (wrong)
        return wrong;
    (void)peal_recover(&newcomer.region);
    return newcomer_audit(&newcomer);
}

static void step_through(const struct act *act)
{
    struct witness witness;
    uint64_t states = 0;
    struct stepper stepper = begin(act, &witness);
    assert_non_null(witness.bus);
    const size_t size_bytes = (size_t)witness.bus->transport->size_bytes;
    const unsigned char *memory = witness.bus->transport->base;
    unsigned char *before = aligned_alloc(PEAL_PAGE_BYTES, size_bytes);
    unsigned char *copy = aligned_alloc(PEAL_PAGE_BYTES, size_bytes);
    assert_true(before && copy);
    memcpy(before, memory, size_bytes);
    while (stepper_step(&stepper) == STEPPER_GOES_ON) {
        if (memcmp(before, memory, size_bytes) == 0)
            continue;
        states++;
        memcpy(before, memory, size_bytes);
        memcpy(copy, before, size_bytes);
        const char *wrong = recover_copy(copy, size_bytes);
        if (wrong)
            complain(act, stepper.steps, wrong);
    }
    if (stepper.state == STEPPER_FAILED)
        complain(act, stepper.steps, "the act does not succeed");
    stepper_kill(&stepper);
    free(before);
    free(copy);
    witness_recover(&witness, NULL);
    witness_end(&witness);
    print_message("%s: %" PRIu64 " instructions, %" PRIu64 " states of the memory\n", act->name,
                  stepper.steps, states);
    assert_true(stepper.steps > 10);
    total.steps += stepper.steps;
    total.states += states;
}

static void every_instruction_leaves_what_a_newcomer_can_clear_away(void **state)
{
    (void)state;
    has_failed = false;
    for (size_t i = 0; i < act_count; i++)
        step_through(&acts[i]);
    print_message("%" PRIu64 " instructions, %" PRIu64 " states\n", total.steps, total.states);
    assert_false(has_failed);
}

/* ---- SIGKILL ---- */

/* Kills it after `count` instructions, or at the end of the act. How many it has done. */
static uint64_t kill_after(const struct act *act, uint64_t count)
{
    struct witness witness;
    struct stepper stepper = begin(act, &witness);
    if (stepper_go(&stepper, count) == STEPPER_FAILED)
        complain(act, count, "the act does not succeed");
    stepper_kill(&stepper);
    witness_recover(&witness, NULL);
    witness_audit(&witness, PEAL_AUDIT_UNSETTLED);
    witness_work(&witness, WITNESS_ALONE);
    witness_compare(&witness, ledger, true);
    witness_end(&witness);
    if (witness.complaint[0])
        complain(act, count, witness.complaint);
    total.kills++;
    return stepper.steps;
}

static void die_within(const struct act *act)
{
    const char *seconds = getenv("PEAL_CAMPAIGN_SECONDS");
    const uint64_t limit_ns =
        seconds ? strtoull(seconds, NULL, 10) * UINT64_C(1000000000) : SHORT_NS;
    const uint64_t end_ns = test_now_ns() + limit_ns;
    const uint64_t length = kill_after(act, STEPPER_STEPS_MAX);
    const uint64_t before = total.kills;
    uint64_t at = random_seed() % length;
    for (uint64_t i = 0; i < length && test_now_ns() < end_ns; i++) {
        (void)kill_after(act, at);
        at = (at + STRIDE) % length;
    }
    print_message("%s: killed at %" PRIu64 " of %" PRIu64 " instructions\n", act->name,
                  total.kills - before, length);
}

static void a_process_killed_at_any_instruction_harms_nobody(void **state)
{
    (void)state;
    has_failed = false;
    for (size_t i = 0; i < act_count; i++)
        die_within(&acts[i]);
    print_message("%" PRIu64 " kills\n", total.kills);
    assert_false(has_failed);
    assert_true(total.kills > act_count);
}

static int open_stage(void **state)
{
    (void)state;
    if (!stage_open(&stage, "step", sizeof(*ledger)))
        return 1;
    ledger = stage.memory;
    return 0;
}

static int close_stage(void **state)
{
    (void)state;
    stage_close(&stage);
    return 0;
}

static int run_one(const char *name, uint64_t count)
{
    for (size_t i = 0; i < act_count; i++)
        if (strcmp(acts[i].name, name) == 0)
            (void)kill_after(&acts[i], count);
    return has_failed;
}

int main(int count, char **arguments)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_instruction_leaves_what_a_newcomer_can_clear_away),
        cmocka_unit_test(a_process_killed_at_any_instruction_harms_nobody),
    };
    if (count != 3)
        return cmocka_run_group_tests(tests, open_stage, close_stage);
    int code = open_stage(NULL);
    if (code == 0)
        code = run_one(arguments[1], strtoull(arguments[2], NULL, 10));
    (void)close_stage(NULL);
    return code;
}
