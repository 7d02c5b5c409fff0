/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Death at every instruction of those who use a queue, as in step_test.c: each state that a death could leave is copied, and a
 * newcomer recovers there and pops; and a process is really killed after the n-th instruction, and the survivor pops. Each
 * message is accounted for: it was delivered, comes now, flagged if the dead one had it, or is counted as dropped.
 *
 *      step_queue_test                            SIGKILL for 0.25 s an act, or at every n if that is enough
 *      PEAL_CAMPAIGN_SECONDS=N step_queue_test    for N seconds an act
 *      step_queue_test ACT N                      one death again
 */
#include "bus/bus_internal.h"
#include "tests/support/eventually.h"
#include "tests/support/queue_judge.h"
#include "tests/support/random.h"
#include "tests/support/stage.h"
#include "tests/support/stepper.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define SHORT_NS UINT64_C(250000000) /* of SIGKILL, for each act */
#define STRIDE 7919u                 /* a prime: a walk with it comes to every n once */

static struct stage stage;
static struct queue_act_book *book;

static struct {
    uint64_t steps;
    uint64_t states;
    uint64_t kills;
} total;

static bool has_failed;

static void complain(const struct queue_act *act, uint64_t step, const char *what)
{
    has_failed = true;
    print_error("FAILED: PEAL_TEST_SEED=%" PRIu64 " step_queue_test %s %" PRIu64 ": %s\n",
                random_seed(), act->name, step, what);
}

/* The judge is there, and the process is where the act begins. */
static struct stepper begin(const struct queue_act *act, struct queue_judge *judge)
{
    struct queue_act_life life = {.act = act, .url = stage.url, .book = book};
    stage_clear(&stage);
    if (queue_judge_begin(judge, stage.url, act, book))
        return stepper_start(queue_act_live, &life);
    complain(act, 0, peal_error_message());
    return (struct stepper){.state = STEPPER_FAILED};
}

/* ---- every instruction, in copies ---- */

/* The region and the book beside it, as they were. */
struct image {
    unsigned char *region;
    size_t size_bytes;
    struct queue_act_book book;
};

/* Brings the image up to date. False: it was. */
static bool image_follow(struct image *image, const void *memory)
{
    bool is_same = memcmp(image->region, memory, image->size_bytes) == 0 &&
                   memcmp(&image->book, book, sizeof(*book)) == 0;
    if (is_same)
        return false;
    memcpy(image->region, memory, image->size_bytes);
    image->book = *book;
    return true;
}

static void step_through(const struct queue_act *act)
{
    static struct queue_judge judge;
    uint64_t states = 0;
    struct stepper stepper = begin(act, &judge);
    assert_non_null(judge.bus);
    const void *memory = judge.bus->transport->base;
    struct image image = {.size_bytes = (size_t)judge.bus->transport->size_bytes};
    image.region = aligned_alloc(PEAL_PAGE_BYTES, image.size_bytes);
    unsigned char *copy = aligned_alloc(PEAL_PAGE_BYTES, image.size_bytes);
    assert_true(image.region && copy);
    while (stepper.state == STEPPER_GOES_ON) {
        if (image_follow(&image, memory)) {
            states++;
            memcpy(copy, image.region, image.size_bytes);
            const char *wrong = queue_judge_copy(act, &image.book, copy, image.size_bytes);
            if (wrong)
                complain(act, stepper.steps, wrong);
        }
        (void)stepper_step(&stepper);
    }
    if (stepper.state == STEPPER_FAILED)
        complain(act, stepper.steps, "the act does not succeed");
    stepper_kill(&stepper);
    free(image.region);
    free(copy);
    queue_judge_end(&judge);
    if (judge.complaint[0])
        complain(act, stepper.steps, judge.complaint);
    print_message("%s: %" PRIu64 " instructions, %" PRIu64 " states of the memory\n", act->name,
                  stepper.steps, states);
    total.steps += stepper.steps;
    total.states += states;
}

static void every_instruction_leaves_each_message_accounted_for(void **state)
{
    (void)state;
    has_failed = false;
    for (size_t i = 0; i < queue_act_count; i++)
        step_through(&queue_acts[i]);
    print_message("%" PRIu64 " instructions, %" PRIu64 " states\n", total.steps, total.states);
    assert_false(has_failed);
    assert_true(total.steps > 1000 && total.states > 100);
}

/* ---- SIGKILL ---- */

/* Kills it after `count` instructions, or at the end of the act. How many it has done. */
static uint64_t kill_after(const struct queue_act *act, uint64_t count)
{
    static struct queue_judge judge;
    struct stepper stepper = begin(act, &judge);
    if (stepper_go(&stepper, count) == STEPPER_FAILED)
        complain(act, count, "the act does not succeed");
    stepper_kill(&stepper);
    queue_judge_end(&judge);
    if (judge.complaint[0])
        complain(act, count, judge.complaint);
    total.kills++;
    return stepper.steps;
}

static void die_within(const struct queue_act *act)
{
    const char *seconds = getenv("PEAL_CAMPAIGN_SECONDS");
    const uint64_t limit_ns =
        seconds ? strtoull(seconds, NULL, 10) * UINT64_C(1000000000) : SHORT_NS;
    const uint64_t end_ns = test_now_ns() + limit_ns;
    const uint64_t length = kill_after(act, STEPPER_STEPS_MAX);
    uint64_t at = random_seed() % length;
    uint64_t kills = 0;
    for (; kills < length && test_now_ns() < end_ns; kills++) {
        (void)kill_after(act, at);
        at = (at + STRIDE) % length;
    }
    print_message("%s: killed at %" PRIu64 " of %" PRIu64 " instructions\n", act->name, kills,
                  length);
}

static void a_process_killed_at_any_instruction_takes_no_message_along(void **state)
{
    (void)state;
    has_failed = false;
    for (size_t i = 0; i < queue_act_count; i++)
        die_within(&queue_acts[i]);
    print_message("%" PRIu64 " kills\n", total.kills);
    assert_false(has_failed);
    assert_true(total.kills > queue_act_count);
}

static int open_stage(void **state)
{
    (void)state;
    if (!stage_open(&stage, "step-queue", sizeof(*book)))
        return 1;
    book = stage.memory;
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
    for (size_t i = 0; i < queue_act_count; i++)
        if (strcmp(queue_acts[i].name, name) == 0)
            (void)kill_after(&queue_acts[i], count);
    return has_failed;
}

int main(int count, char **arguments)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_instruction_leaves_each_message_accounted_for),
        cmocka_unit_test(a_process_killed_at_any_instruction_takes_no_message_along),
    };
    if (count != 3)
        return cmocka_run_group_tests(tests, open_stage, close_stage);
    int code = open_stage(NULL);
    if (code == 0)
        code = run_one(arguments[1], strtoull(arguments[2], NULL, 10));
    (void)close_stage(NULL);
    return code;
}
