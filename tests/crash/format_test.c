/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Eight processes race to lay out one piece of shared memory full of random bytes. Each is an own
 * process that SIGKILL ends at a fault point; who lives takes over, and in the end all live ones agree on
 * one layout. The authority is a word per process that the kernel's wait() confirms.
 */
#include "core/client.h"
#include "core/fault.h"
#include "core/recover.h"
#include "tests/support/child.h"
#include "tests/support/eventually.h"
#include "tests/support/region_rig.h"

#include <inttypes.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define PROCESSES 8u
#define PAGES 96u
#define REGION_BYTES ((size_t)PAGES * PEAL_PAGE_BYTES)
#define FORMAT_POINTS 10u /* those in peal_region_attach() */

/* Shared by parent and children, beside the region. */
struct stage {
    peal_u64 members;
    peal_u64 go;
    peal_u64 generation[PROCESSES];
};

static struct stage *stage;
static unsigned char *memory;

/* In the child: which point kills it, counted from its first; 0: none. */
static unsigned countdown;

static void die_here(const char *point)
{
    (void)point;
    if (countdown && --countdown == 0)
        (void)kill(getpid(), SIGKILL);
}

static uint64_t members(void *context)
{
    (void)context;
    return peal_u64_load_seq_cst(&stage->members);
}

static void *map_shared(size_t size_bytes)
{
    void *mapped =
        mmap(NULL, size_bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(mapped != MAP_FAILED);
    return mapped;
}

struct part {
    uint32_t index;
    unsigned dies_at;
    uint64_t incarnation;
};

static bool has_started(void *context)
{
    (void)context;
    return peal_u64_load_seq_cst(&stage->go) != 0;
}

/* Attaches, patiently; 0 and its view of the generation, or a code that says what went wrong. */
static int take_part(struct child_link *link, void *context)
{
    const struct part *part = context;
    struct peal_authority authority = {.members = members};
    struct peal_region_wish wish = {.topics_max = 8, .generation = part->incarnation};
    struct peal_region region;
    (void)link;
    peal_fault_hook = die_here;
    countdown = part->dies_at;
    if (!eventually(has_started, NULL, EVENTUALLY_TIMEOUT_NS))
        return 10;
    uint64_t deadline = test_now_ns() + EVENTUALLY_TIMEOUT_NS;
    enum peal_status status;
    do {
        status = peal_region_attach(&region, memory, REGION_BYTES, part->index, part->incarnation,
                                    &wish, &authority);
        if (status == PEAL_AGAIN)
            (void)sched_yield();
    } while (status == PEAL_AGAIN && test_now_ns() < deadline);
    if (status != PEAL_OK)
        return 20 + (int)status;
    countdown = 0;
    peal_u64_store_seq_cst(&stage->generation[part->index], region.generation);
    return 0;
}

static void scramble(uint64_t seed)
{
    for (size_t i = 0; i < REGION_BYTES; i += 8) {
        uint64_t word = rig_random(&seed);
        memcpy(memory + i, &word, sizeof(word));
    }
}

/* Waits for whoever ends next, and tells the authority if it was killed. True: it was. */
static bool reap_next(struct child *children)
{
    siginfo_t info;
    assert_int_equal(waitid(P_ALL, 0, &info, WEXITED | WNOWAIT), 0);
    for (uint32_t i = 0; i < PROCESSES; i++) {
        if (children[i].pid != info.si_pid)
            continue;
        int code = child_reap(&children[i]);
        if (code != 128 + SIGKILL) {
            assert_int_equal(code, 0);
            return false;
        }
        (void)peal_u64_and_seq_cst(&stage->members, ~(UINT64_C(1) << i));
        assert_int_equal(peal_u64_load_seq_cst(&stage->generation[i]), 0);
        return true;
    }
    fail_msg("process %d is none of ours", (int)info.si_pid);
    return false;
}

/* All at once; the authority learns of each death as the kernel confirms it. Returns how many died. */
static uint32_t run_race(struct part *parts)
{
    struct child children[PROCESSES];
    uint32_t killed = 0;
    memset(stage, 0, sizeof(*stage));
    peal_u64_store_seq_cst(&stage->members, (1u << PROCESSES) - 1);
    for (uint32_t i = 0; i < PROCESSES; i++)
        assert_true(child_start(&children[i], take_part, &parts[i]));
    peal_u64_store_seq_cst(&stage->go, 1);
    for (uint32_t i = 0; i < PROCESSES; i++)
        killed += reap_next(children);
    return killed;
}

/* One after the other, each finding what the one before it left. Returns how many died. */
static uint32_t run_in_turn(struct part *parts)
{
    uint32_t killed = 0;
    memset(stage, 0, sizeof(*stage));
    peal_u64_store_seq_cst(&stage->go, 1);
    for (uint32_t i = 0; i < PROCESSES; i++) {
        struct child children[PROCESSES] = {0};
        (void)peal_u64_or_seq_cst(&stage->members, UINT64_C(1) << i);
        assert_true(child_start(&children[i], take_part, &parts[i]));
        killed += reap_next(children);
    }
    return killed;
}

/* All that live have one generation, and it is what stands in the header. */
static void assert_agreement(void)
{
    struct peal_authority authority = {.members = members};
    struct peal_region region;
    assert_int_equal(peal_region_attach(&region, memory, REGION_BYTES, 9, 1, NULL, &authority),
                     PEAL_OK);
    assert_int_equal(region.topics_max, 8);
    uint32_t living = 0;
    for (uint32_t i = 0; i < PROCESSES; i++) {
        uint64_t generation = peal_u64_load_seq_cst(&stage->generation[i]);
        if (generation == 0)
            continue;
        living++;
        assert_int_equal(generation, region.generation);
    }
    assert_true(living > 0);
    rig_assert_empty(&region, 0);
}

static uint64_t seed_of(unsigned test)
{
    uint64_t seed = (uint64_t)getpid() << 8 | test;
    print_message("seed %" PRIu64 "\n", seed);
    return seed;
}

static void eight_processes_lay_random_memory_out_once(void **state)
{
    (void)state;
    uint64_t random = seed_of(1);
    for (uint32_t round = 0; round < 20; round++) {
        struct part parts[PROCESSES];
        scramble(rig_random(&random));
        for (uint32_t i = 0; i < PROCESSES; i++)
            parts[i] = (struct part){.index = i, .incarnation = rig_random(&random) | 1};
        assert_int_equal(run_race(parts), 0);
        assert_agreement();
    }
}

static void a_formatter_killed_at_any_step_is_taken_over(void **state)
{
    (void)state;
    uint64_t random = seed_of(2);
    for (unsigned point = 1; point <= FORMAT_POINTS; point++) {
        struct part parts[PROCESSES];
        scramble(rig_random(&random));
        for (uint32_t i = 0; i < PROCESSES; i++)
            parts[i] = (struct part){.index = i, .incarnation = rig_random(&random) | 1};
        for (uint32_t i = 0; i + 1 < PROCESSES; i++)
            parts[i].dies_at = point;
        /* After the last step the region is READY, and nobody else comes to any step. */
        assert_int_equal(run_in_turn(parts), point < FORMAT_POINTS ? PROCESSES - 1 : 1);
        assert_agreement();
    }
}

static void a_race_in_which_half_are_killed_ends_in_one_layout(void **state)
{
    (void)state;
    uint64_t random = seed_of(3);
    uint32_t killed = 0;
    for (uint32_t round = 0; round < 40; round++) {
        struct part parts[PROCESSES];
        scramble(rig_random(&random));
        for (uint32_t i = 0; i < PROCESSES; i++)
            parts[i] = (struct part){
                .index = i,
                .incarnation = rig_random(&random) | 1,
                .dies_at = i % 2 ? 0 : 1 + (unsigned)(rig_random(&random) % FORMAT_POINTS),
            };
        killed += run_race(parts);
        assert_agreement();
    }
    assert_true(killed > 0);
}

static int open_stage(void **state)
{
    (void)state;
    stage = map_shared(sizeof(*stage));
    memory = map_shared(REGION_BYTES);
    return 0;
}

static int close_stage(void **state)
{
    (void)state;
    (void)munmap(memory, REGION_BYTES);
    return munmap(stage, sizeof(*stage));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(eight_processes_lay_random_memory_out_once),
        cmocka_unit_test(a_formatter_killed_at_any_step_is_taken_over),
        cmocka_unit_test(a_race_in_which_half_are_killed_ends_in_one_layout),
    };
    return cmocka_run_group_tests(tests, open_stage, close_stage);
}
