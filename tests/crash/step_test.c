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
 *      step_test                            SIGKILL for 1.5 s an act, or at every n if that is enough
 *      PEAL_CAMPAIGN_SECONDS=N step_test    for N seconds an act; most have had every n after 240
 *      step_test ACT N                  one death again
 */
#include "bus/bus_internal.h"
#include "core/audit.h"
#include "core/client.h"
#include "core/recover.h"
#include "tests/support/acts.h"
#include "tests/support/eventually.h"
#include "tests/support/random.h"
#include "tests/support/witness.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define SHORT_NS UINT64_C(1500000000) /* of SIGKILL, for each act */
#define STRIDE 7919u                  /* a prime: a walk with it comes to every n once */
#define STEPS_MAX 2000000u            /* far more than any act has */
#define NEWCOMER 50u

static struct life_ledger *ledger;
static char url[64];
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

static pid_t start(const struct act *act)
{
    (void)fflush(NULL);
    const pid_t parent = getpid();
    pid_t pid = fork();
    assert_true(pid >= 0); /* a signal to -1 would go to everybody */
    if (pid != 0)
        return pid;
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    struct life life = {.url = url, .ledger = ledger};
    if (getppid() != parent || ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0)
        _exit(127);
    bool is_well = act->prepare(&life);
    (void)raise(SIGUSR1); /* the act begins */
    is_well = is_well && act->perform(&life);
    (void)raise(SIGUSR2); /* and ends */
    _exit(is_well ? 0 : 1);
}

/* The signal that it is stopped with, or 0: it has ended. */
static int await(pid_t pid)
{
    int status = 0;
    if (waitpid(pid, &status, 0) != pid || !WIFSTOPPED(status))
        return 0;
    return WSTOPSIG(status);
}

/* Up to where the act begins. False: it never does. */
static bool go_to_act(pid_t pid)
{
    int signal;
    for (signal = await(pid); signal != SIGUSR1 && signal != 0; signal = await(pid))
        (void)ptrace(PTRACE_CONT, pid, NULL, (void *)(intptr_t)(signal == SIGTRAP ? 0 : signal));
    return signal == SIGUSR1;
}

/* One instruction further; false at the end of the act. */
static bool step(pid_t pid)
{
    if (ptrace(PTRACE_SINGLESTEP, pid, NULL, NULL) != 0)
        return false;
    return await(pid) == SIGTRAP;
}

static void kill_and_reap(pid_t pid)
{
    (void)kill(pid, SIGKILL);
    (void)waitpid(pid, NULL, 0);
}

/* ---- every instruction, in copies ---- */

static uint64_t only_the_newcomer(void *context)
{
    (void)context;
    return UINT64_C(1) << NEWCOMER;
}

/* Recovers in a copy of the region in which everybody has died just now. NULL: all is well. */
static const char *recover_copy(void *copy, uint64_t size_bytes)
{
    static char first[256];
    struct peal_authority authority = {.members = only_the_newcomer};
    struct peal_audit_options options = PEAL_AUDIT_OPTIONS_INIT;
    struct peal_audit audit = {.struct_bytes = sizeof(audit)};
    struct peal_region region;
    if (peal_region_attach(&region, copy, size_bytes, NEWCOMER, 0x77, NULL, &authority) !=
            PEAL_OK ||
        peal_client_register(&region, "newcomer", 1) != PEAL_OK)
        return "the newcomer is refused";
    (void)peal_recover(&region);
    if (peal_audit_walk_region(copy, size_bytes, &options, &authority, &audit) != PEAL_OK)
        return "there is no region afterwards";
    memcpy(first, audit.first, sizeof(first));
    for (int i = 0; i < PEAL_AUDIT_SEVERITIES; i++)
        if (audit.findings[i])
            return first;
    if (audit.clients != 1 || audit.topics || audit.lanes || audit.subscribers ||
        audit.pages_free != audit.pages)
        return "something is held though all are dead";
    return NULL;
}

static void step_through(const struct act *act)
{
    struct witness witness;
    uint64_t steps = 0, states = 0;
    memset(ledger, 0, sizeof(*ledger));
    (void)peal_unlink(url);
    assert_true(witness_begin(&witness, url, &times));
    const size_t size_bytes = (size_t)witness.bus->transport->size_bytes;
    const unsigned char *memory = witness.bus->transport->base;
    unsigned char *before = aligned_alloc(PEAL_PAGE_BYTES, size_bytes);
    unsigned char *copy = aligned_alloc(PEAL_PAGE_BYTES, size_bytes);
    assert_true(before && copy);
    pid_t pid = start(act);
    assert_true(go_to_act(pid));
    memcpy(before, memory, size_bytes);
    while (steps < STEPS_MAX && step(pid)) {
        steps++;
        if (memcmp(before, memory, size_bytes) == 0)
            continue;
        states++;
        memcpy(before, memory, size_bytes);
        memcpy(copy, before, size_bytes);
        const char *wrong = recover_copy(copy, size_bytes);
        if (wrong)
            complain(act, steps, wrong);
    }
    kill_and_reap(pid);
    free(before);
    free(copy);
    witness_recover(&witness, NULL);
    witness_end(&witness);
    print_message("%s: %" PRIu64 " instructions, %" PRIu64 " states of the memory\n", act->name,
                  steps, states);
    assert_true(steps > 10 && steps < STEPS_MAX);
    total.steps += steps;
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

/* Kills it after `count` instructions. False: the act has fewer. */
static bool kill_after(const struct act *act, uint64_t count)
{
    struct witness witness;
    bool is_there = true;
    memset(ledger, 0, sizeof(*ledger));
    (void)peal_unlink(url);
    if (!witness_begin(&witness, url, &times)) {
        complain(act, count, peal_error_message());
        return false;
    }
    pid_t pid = start(act);
    is_there = go_to_act(pid);
    for (uint64_t i = 0; i < count && is_there; i++)
        is_there = step(pid);
    kill_and_reap(pid);
    witness_recover(&witness, NULL);
    witness_audit(&witness, PEAL_AUDIT_UNSETTLED);
    witness_work(&witness, WITNESS_ALONE);
    witness_compare(&witness, ledger, true);
    witness_end(&witness);
    if (witness.complaint[0])
        complain(act, count, witness.complaint);
    total.kills += is_there;
    return is_there;
}

/* The number of its instructions. */
static uint64_t length_of(const struct act *act)
{
    struct witness witness;
    uint64_t steps = 0;
    memset(ledger, 0, sizeof(*ledger));
    (void)peal_unlink(url);
    assert_true(witness_begin(&witness, url, &times));
    pid_t pid = start(act);
    assert_true(go_to_act(pid));
    while (steps < STEPS_MAX && step(pid))
        steps++;
    kill_and_reap(pid);
    witness_recover(&witness, NULL);
    witness_end(&witness);
    return steps;
}

static void die_within(const struct act *act)
{
    const char *seconds = getenv("PEAL_CAMPAIGN_SECONDS");
    const uint64_t limit_ns =
        seconds ? strtoull(seconds, NULL, 10) * UINT64_C(1000000000) : SHORT_NS;
    const uint64_t end_ns = test_now_ns() + limit_ns;
    const uint64_t length = length_of(act);
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
    void *mapped =
        mmap(NULL, sizeof(*ledger), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (mapped == MAP_FAILED)
        return 1;
    ledger = mapped;
    (void)snprintf(url, sizeof(url), "posix:step-%d", (int)getpid());
    (void)random_seed();
    return 0;
}

static int close_stage(void **state)
{
    (void)state;
    (void)peal_unlink(url);
    return munmap(ledger, sizeof(*ledger));
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
