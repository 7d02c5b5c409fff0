/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kill matrix: every fault point that a role passes x killed there, or stopped there and continued after the
 * others have recovered. Real processes on posix:. A witness lives on beside them: its work is never refused, what
 * it heard agrees with the ledgers, and an audit finds nothing lost.
 *
 *      matrix_test                          every pass of every point
 *      PEAL_CAMPAIGN=long matrix_test       the same a hundred times, each time with other messes and bytes
 *      matrix_test ROLE POINT PASS MODE     one case again, as a failing line names it
 *      matrix_test --points                 which points the roles pass, for tests/crash/points.pl
 */
#include "bus/bus_internal.h"
#include "core/spsc_shared.h"
#include "tests/support/eventually.h"
#include "tests/support/fault_plan.h"
#include "tests/support/random.h"
#include "tests/support/witness.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define NAME_BYTES 64u
#define MESSES 24u
#define ROUNDS_LONG 100u
#define MESS_TRIES 2u

/* Shared with the mortals. */
struct stage {
    struct life_ledger ledger;
    struct fault_passes passes;
    _Alignas(128) unsigned char ring[LIFE_RING_BYTES];
};

static struct stage *stage;
static char url[NAME_BYTES];
static struct witness_times beside_dead;
static struct witness_times beside_stopped;

enum outcome { ENDED, DIED, STOPPED, FAILED };

struct one_case {
    const struct role *role;
    const char *point;
    uint32_t pass;
    enum fault_mode mode;
    uint64_t seed;
};

struct role {
    const char *name;
    int (*life)(struct life *life);
    void (*run)(const struct one_case *one, char *complaint);
};

/* ---- mortal processes ---- */

static pid_t start(int (*life)(struct life *life), const struct fault_plan *plan,
                   struct fault_passes *passes)
{
    (void)fflush(NULL);
    const pid_t parent = getpid();
    pid_t pid = fork();
    assert_true(pid >= 0); /* a signal to -1 would go to everybody */
    if (pid != 0)
        return pid;
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(127);
    struct life own = {.url = url, .ledger = &stage->ledger, .ring = stage->ring};
    fault_plan_set(plan, passes);
    _exit(life(&own));
}

static enum outcome await(pid_t pid)
{
    int status = 0;
    if (waitpid(pid, &status, WUNTRACED) != pid)
        return FAILED;
    if (WIFSTOPPED(status))
        return STOPPED;
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL)
        return DIED;
    return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? ENDED : FAILED;
}

static uint64_t reached; /* cases in which the point was passed */

/* Lives `role` to where the case says. */
static pid_t start_case(const struct one_case *one, enum outcome *outcome)
{
    struct fault_plan plan = {.mode = one->mode, .pass = one->pass};
    (void)snprintf(plan.point, sizeof(plan.point), "%s", one->point);
    pid_t pid = start(one->role->life, &plan, NULL);
    *outcome = pid > 0 ? await(pid) : FAILED;
    reached += *outcome == DIED || *outcome == STOPPED;
    return pid;
}

/* Continues a stopped process to its natural end. */
static bool goes_on_well(pid_t pid)
{
    (void)kill(pid, SIGCONT);
    return await(pid) == ENDED;
}

static void forget_stage(void)
{
    memset(stage, 0, sizeof(*stage));
    (void)peal_unlink(url);
}

#define COMPLAIN(complaint, ...)                                                                   \
    (void)snprintf(complaint, sizeof(((struct witness *)0)->complaint), __VA_ARGS__)

/* ---- the roles on a bus ---- */

/* Before the mortal comes, somebody dies somewhere and leaves what is to be recovered. */
static bool leave_a_mess(uint64_t seed)
{
    static int (*const lives[])(struct life *) = {life_publisher, life_subscriber, life_rivals};
    const char *const *names;
    size_t count = fault_points(&names);
    for (uint32_t tries = 0; tries < MESS_TRIES; tries++) {
        struct fault_plan plan = {.mode = FAULT_KILL, .pass = 1 + random_below(&seed, 3)};
        (void)snprintf(plan.point, sizeof(plan.point), "%s",
                       names[random_below(&seed, (uint32_t)count)]);
        pid_t pid = start(lives[random_below(&seed, 3)], &plan, NULL);
        enum outcome outcome = pid > 0 ? await(pid) : FAILED;
        if (outcome == DIED)
            return true;
        if (outcome == FAILED)
            return false;
    }
    return true; /* each ended by itself: nothing is left, which is a case as well */
}

static void run_on_bus(const struct one_case *one, char *complaint)
{
    struct witness witness;
    uint32_t recovered;
    enum outcome outcome;
    bool has_died = one->mode == FAULT_KILL;
    forget_stage();
    if (!witness_begin(&witness, url, has_died ? &beside_dead : &beside_stopped)) {
        COMPLAIN(complaint, "the witness: %s", peal_error_message());
        return;
    }
    bool has_mess = one->role->life == life_recoverer;
    if (has_mess && !leave_a_mess(one->seed))
        COMPLAIN(complaint, "no mess was left");
    pid_t pid = start_case(one, &outcome);
    if (outcome == FAILED)
        COMPLAIN(complaint, "the mortal failed at line %d",
                 (int)peal_u64_load_acquire(&stage->ledger.failed_line));
    if (outcome == STOPPED) {
        witness_recover(&witness, &recovered);
        witness_work(&witness, WITNESS_WITH_STOPPED);
        witness_audit(&witness, has_mess ? PEAL_AUDIT_REMAINS : PEAL_AUDIT_UNSETTLED);
        if (!goes_on_well(pid))
            COMPLAIN(complaint, "stopped and continued, it failed at line %d",
                     (int)peal_u64_load_acquire(&stage->ledger.failed_line));
    }
    /* By turns: recovered at once, or met first by others at their work. */
    if (outcome == DIED && one->pass % 2 == 1)
        witness_work(&witness, WITNESS_WITH_DEAD);
    witness_recover(&witness, &recovered);
    witness_audit(&witness, PEAL_AUDIT_UNSETTLED);
    witness_work(&witness, WITNESS_ALONE);
    witness_compare(&witness, &stage->ledger, has_died || has_mess);
    witness_end(&witness);
    if (!complaint[0])
        memcpy(complaint, witness.complaint, sizeof(witness.complaint));
}

/* ---- the formatter ---- */

/* A region of random bytes, of nobody. */
static bool scramble(uint64_t seed)
{
    struct peal_bus *bus = life_bus(url, EVENTUALLY_TIMEOUT_NS);
    if (!bus)
        return false;
    peal_u64 *words = (peal_u64 *)(void *)bus->transport->base;
    for (size_t i = 0; i < bus->transport->size_bytes / 8; i++)
        peal_u64_store_relaxed(&words[i], random_next(&seed));
    peal_bus_close(bus);
    return true;
}

static void run_formatter(const struct one_case *one, char *complaint)
{
    struct witness witness;
    enum outcome outcome;
    struct witness_times *times = one->mode == FAULT_KILL ? &beside_dead : &beside_stopped;
    forget_stage();
    if (!scramble(one->seed))
        COMPLAIN(complaint, "cannot scramble: %s", peal_error_message());
    /* Whoever has the index of a dead formatter knows it dead by that; so nobody shall have it. */
    struct peal_transport *first = NULL;
    if (peal_transport_open("posix", strchr(url, ':') + 1, NULL, &first) != PEAL_OK) {
        COMPLAIN(complaint, "no transport: %s", peal_error_message());
        return;
    }
    pid_t pid = start_case(one, &outcome);
    if (outcome == FAILED)
        COMPLAIN(complaint, "the formatter failed");
    if (outcome == STOPPED) {
        /* It is alive: a newcomer waits for it as long as it is told to, or finds it done. */
        struct peal_bus *bus = life_bus(url, 2000000);
        peal_bus_close(bus);
        if (!goes_on_well(pid))
            COMPLAIN(complaint, "stopped and continued, the formatter failed");
    }
    first->ops->close(first);
    if (!witness_begin(&witness, url, times))
        COMPLAIN(complaint, "the region cannot be opened: %s", peal_error_message());
    else {
        witness_audit(&witness, PEAL_AUDIT_UNSETTLED);
        witness_work(&witness, WITNESS_ALONE);
        witness_end(&witness);
        if (!complaint[0])
            memcpy(complaint, witness.complaint, sizeof(witness.complaint));
    }
}

/* ---- the sides of an spsc ring ---- */

/* Lets both sides live on until the ring is drained, and checks that elements are neither lost nor invented. */
static void finish_ring(const struct one_case *one, char *complaint)
{
    const struct peal_spsc_shared *shared = (const void *)stage->ring;
    const struct fault_plan none = {.mode = FAULT_COUNT};
    uint64_t pushed = peal_u64_load_acquire(&stage->ledger.pushed);
    uint64_t tail = peal_u64_load_acquire(&shared->producer.tail);
    if (one->role->life == life_producer &&
        (tail < pushed || tail > peal_u64_load_acquire(&stage->ledger.pushed_begun)))
        COMPLAIN(complaint, "%d elements were pushed, the ring says %d", (int)pushed, (int)tail);
    for (uint32_t round = 0; round < 3 && !complaint[0]; round++) {
        enum outcome producer = await(start(life_producer, &none, NULL));
        enum outcome consumer = await(start(life_consumer, &none, NULL));
        if (producer != ENDED || consumer != ENDED)
            COMPLAIN(complaint, "a successor at the ring failed at line %d",
                     (int)peal_u64_load_acquire(&stage->ledger.failed_line));
    }
    tail = peal_u64_load_acquire(&shared->producer.tail);
    if (!complaint[0] && (peal_u64_load_acquire(&shared->consumer.head) != tail || tail == 0 ||
                          peal_u64_load_acquire(&stage->ledger.popped) != tail))
        COMPLAIN(complaint, "%d elements were popped of %d",
                 (int)peal_u64_load_acquire(&stage->ledger.popped), (int)tail);
}

static void run_on_ring(const struct one_case *one, char *complaint)
{
    const struct fault_plan none = {.mode = FAULT_COUNT};
    enum outcome outcome;
    forget_stage();
    if (one->role->life == life_consumer && await(start(life_producer, &none, NULL)) != ENDED)
        COMPLAIN(complaint, "the producer failed");
    pid_t pid = start_case(one, &outcome);
    if (outcome == FAILED)
        COMPLAIN(complaint, "it failed");
    if (outcome == STOPPED) {
        /* The other side works on with what there is. */
        bool consumes = one->role->life == life_producer &&
                        peal_u64_load_acquire(
                            &((struct peal_spsc_shared *)(void *)stage->ring)->initialiser.magic);
        if (consumes && await(start(life_consumer, &none, NULL)) != ENDED)
            COMPLAIN(complaint, "the consumer of a stopped producer failed");
        if (one->role->life == life_consumer && await(start(life_producer, &none, NULL)) != ENDED)
            COMPLAIN(complaint, "the producer for a stopped consumer failed");
        if (!goes_on_well(pid))
            COMPLAIN(complaint, "stopped and continued, it failed");
    }
    finish_ring(one, complaint);
}

static const struct role roles[] = {
    {"publisher", life_publisher, run_on_bus},    {"subscriber", life_subscriber, run_on_bus},
    {"rivals", life_rivals, run_on_bus},          {"recoverer", life_recoverer, run_on_bus},
    {"formatter", life_recoverer, run_formatter}, {"producer", life_producer, run_on_ring},
    {"consumer", life_consumer, run_on_ring},
};
#define ROLES (sizeof(roles) / sizeof(roles[0]))

/* ---- the matrix ---- */

static uint64_t cases_run;
static struct fault_passes passed[ROLES];
static uint64_t base_seed; /* of this round */
static uint64_t
    mess_of[FAULT_POINTS_MAX]; /* the seed of the mess in which each point is passed most often */

/* True if the case went well. */
static bool run(const struct one_case *one)
{
    char complaint[sizeof(((struct witness *)0)->complaint)] = "";
    one->role->run(one, complaint);
    cases_run++;
    if (!complaint[0])
        return true;
    print_error("FAILED: PEAL_TEST_SEED=%" PRIu64 " matrix_test %s %s %" PRIu32 " %s: %s\n",
                one->seed, one->role->name, one->point, one->pass,
                one->mode == FAULT_KILL ? "kill" : "stop", complaint);
    return false;
}

/* The passes of a role that goes to its natural end. A recoverer has many a mess to pass through. */
static bool count_passes(size_t role)
{
    const struct fault_plan count = {.mode = FAULT_COUNT};
    struct fault_passes *passes = &stage->passes;
    bool is_well = true;
    memset(&passed[role], 0, sizeof(passed[role]));
    const uint32_t rounds = roles[role].life == life_recoverer ? MESSES : 1;
    for (uint32_t round = 0; round < rounds && is_well; round++) {
        struct witness witness = {0};
        bool has_bus = roles[role].run == run_on_bus;
        forget_stage();
        if (roles[role].run == run_formatter)
            is_well = is_well && scramble(base_seed);
        if (has_bus)
            is_well = is_well && witness_begin(&witness, url, &beside_dead);
        if (has_bus && roles[role].life == life_recoverer)
            is_well = is_well && leave_a_mess(base_seed + round);
        if (roles[role].life == life_consumer)
            is_well = is_well && await(start(life_producer, &count, NULL)) == ENDED;
        is_well = is_well && await(start(roles[role].life, &count, passes)) == ENDED;
        for (size_t i = 0; i < FAULT_POINTS_MAX; i++)
            if (passes->passes[i] > passed[role].passes[i]) {
                passed[role].passes[i] = passes->passes[i];
                mess_of[i] = base_seed + round;
            }
        if (has_bus)
            witness_end(&witness);
    }
    return is_well;
}

static void run_role_once(size_t role)
{
    const char *const *names;
    size_t count = fault_points(&names);
    uint64_t before = cases_run;
    uint64_t reached_before = reached;
    uint32_t points = 0;
    uint32_t failures = 0;
    assert_true(count_passes(role));
    for (size_t i = 0; i < count; i++) {
        uint32_t passes = passed[role].passes[i];
        points += passes != 0;
        for (uint32_t pass = 1; pass <= passes && failures < 10; pass++) {
            struct one_case one = {.role = &roles[role], .point = names[i], .pass = pass};
            one.seed = mess_of[i];
            one.mode = FAULT_KILL;
            failures += !run(&one);
            one.mode = FAULT_STOP;
            failures += !run(&one);
        }
    }
    (void)peal_unlink(url);
    print_message("%s: %" PRIu32 " points, %" PRIu64 " cases, %" PRIu64 " of them reached\n",
                  roles[role].name, points, cases_run - before, reached - reached_before);
    assert_int_equal(failures, 0);
    assert_true(points > 0);
}

static void run_role(size_t role)
{
    const char *campaign = getenv("PEAL_CAMPAIGN");
    uint32_t rounds = campaign && strcmp(campaign, "long") == 0 ? ROUNDS_LONG : 1;
    for (uint32_t round = 0; round < rounds; round++) {
        base_seed = random_seed() + UINT64_C(1000) * round;
        run_role_once(role);
    }
}

static void a_publisher_may_die_or_stop_anywhere(void **state)
{
    (void)state;
    run_role(0);
}

static void a_subscriber_may_die_or_stop_anywhere(void **state)
{
    (void)state;
    run_role(1);
}

static void two_clients_may_die_or_stop_wherever_they_meet(void **state)
{
    (void)state;
    run_role(2);
}

static void a_recoverer_may_die_or_stop_anywhere(void **state)
{
    (void)state;
    run_role(3);
}

static void a_formatter_may_die_or_stop_anywhere(void **state)
{
    (void)state;
    run_role(4);
}

static void both_sides_of_a_ring_may_die_or_stop_anywhere(void **state)
{
    (void)state;
    run_role(5);
    run_role(6);
}

static void print_times(const char *beside, const struct witness_times *times)
{
    for (int call = 0; call < WITNESS_CALLS; call++)
        print_message("longest beside the %s: %-18s %8.1f us of %" PRIu64 " calls\n", beside,
                      witness_call_text((enum witness_call)call),
                      (double)times->longest_ns[call] / 1e3, times->calls[call]);
}

/* A generous bound: the machine may be busy. The figures are what docs/reliability.md is made of. */
static void no_survivor_was_held_up_for_long(void **state)
{
    (void)state;
    print_times("dead", &beside_dead);
    print_times("stopped", &beside_stopped);
    for (int call = 0; call < WITNESS_CALLS; call++) {
        assert_true(beside_dead.calls[call] > 0 && beside_stopped.calls[call] > 0);
        assert_true(beside_dead.longest_ns[call] < UINT64_C(2000000000));
        assert_true(beside_stopped.longest_ns[call] < UINT64_C(2000000000));
    }
}

static int open_stage(void **state)
{
    (void)state;
    void *mapped =
        mmap(NULL, sizeof(*stage), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (mapped == MAP_FAILED)
        return 1;
    stage = mapped;
    (void)snprintf(url, sizeof(url), "posix:matrix-%d", (int)getpid());
    (void)random_seed();
    return 0;
}

static int close_stage(void **state)
{
    (void)state;
    (void)peal_unlink(url);
    return munmap(stage, sizeof(*stage));
}

static int print_points(void)
{
    const char *const *names;
    size_t count = fault_points(&names);
    base_seed = random_seed();
    for (size_t role = 0; role < ROLES; role++)
        if (!count_passes(role))
            return 1;
    for (size_t i = 0; i < count; i++) {
        uint32_t most = 0;
        for (size_t role = 0; role < ROLES; role++)
            most = passed[role].passes[i] > most ? passed[role].passes[i] : most;
        if (most)
            printf("point %s %" PRIu32 "\n", names[i], most);
    }
    return 0;
}

static int run_one(char **arguments)
{
    struct one_case one = {.point = arguments[2],
                           .pass = (uint32_t)strtoul(arguments[3], NULL, 10),
                           .mode = strcmp(arguments[4], "kill") == 0 ? FAULT_KILL : FAULT_STOP,
                           .seed = random_seed()};
    for (size_t role = 0; role < ROLES; role++)
        if (strcmp(roles[role].name, arguments[1]) == 0)
            one.role = &roles[role];
    return one.role && run(&one) ? 0 : 1;
}

int main(int count, char **arguments)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_publisher_may_die_or_stop_anywhere),
        cmocka_unit_test(a_subscriber_may_die_or_stop_anywhere),
        cmocka_unit_test(two_clients_may_die_or_stop_wherever_they_meet),
        cmocka_unit_test(a_recoverer_may_die_or_stop_anywhere),
        cmocka_unit_test(a_formatter_may_die_or_stop_anywhere),
        cmocka_unit_test(both_sides_of_a_ring_may_die_or_stop_anywhere),
        cmocka_unit_test(no_survivor_was_held_up_for_long),
    };
    if (count == 1)
        return cmocka_run_group_tests(tests, open_stage, close_stage);
    if (open_stage(NULL) != 0)
        return 1;
    int code = 2;
    if (count == 2 && strcmp(arguments[1], "--points") == 0)
        code = print_points();
    else if (count == 5)
        code = run_one(arguments);
    else
        fprintf(stderr, "usage: matrix_test [--points | ROLE POINT PASS kill|stop]\n");
    (void)close_stage(NULL);
    return code;
}
