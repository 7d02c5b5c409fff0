/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A dead or stopped producer of a queue delays nobody else's messages: a producer is killed, and stopped, at every pass of every
 * point of the queue's, while two others push without end. The consumer's clock tells the longest time in which no
 * message of one of them came, though it always had one to push.
 */
#include "tests/crash/matrix.h"
#include "tests/support/child.h"
#include "tests/support/eventually.h"
#include "tests/support/random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define OTHERS 2u
#define MARK (UINT64_C(1) << 63) /* in the first word of what the others push */
#define NEWS 16u /* so many of each other's messages, pushed after the death, must come */
#define CASES_MAX 1024u
#define WORDS 3u

/* A clock's bounds are generous: the machine may be busy. */
#define LONGEST_NS UINT64_C(1000000000)
#define TRIES 3u
#define MEDIAN_NS UINT64_C(100000000)
#define GIVE_UP_NS UINT64_C(10000000000)

static struct {
    struct matrix_role role;
    struct peal_bus *bus;
    struct peal_queue *queue; /* pops */
    struct child others[OTHERS];
    uint64_t held_up_ns[CASES_MAX];
    uint32_t cases;
} scene;

/* ---- the others ---- */

static struct peal_queue_options options_of(uint32_t uses)
{
    const struct queue_life life = {.strict = scene.role.strict};
    struct peal_queue_options options = queue_life_options(&life, uses, 16, PEAL_QUEUE_FULL_WAIT);
    options.full_timeout_ns = PEAL_FOREVER;
    return options;
}

/* Pushes until it is killed; word 0 says who it is, word 1 when it began to push. */
static int push_for_ever(struct child_link *link, void *context)
{
    const uint64_t *self = context;
    const struct peal_queue_options options = options_of(PEAL_QUEUE_PUSH);
    struct peal_bus *bus = life_bus(matrix_stage.url, EVENTUALLY_TIMEOUT_NS);
    struct peal_queue *queue;
    if (!bus || peal_queue_create(bus, QUEUE_LEDGER_NAME, &options, &queue) != PEAL_OK ||
        !child_say(link, 1))
        return 1;
    uint64_t words[WORDS] = {MARK | *self};
    enum peal_status status = PEAL_OK;
    while (status == PEAL_OK) {
        words[1] = test_now_ns();
        status = peal_queue_push(queue, words, sizeof(words));
    }
    return 2;
}

/* ---- the consumer ---- */

/* How often each of the others was heard since `begin_ns`, and the longest that it was not. */
struct hearing {
    uint64_t begin_ns;
    uint64_t last_ns[OTHERS];
    uint64_t longest_ns[OTHERS];
    uint32_t news[OTHERS]; /* pushed since */
};

/* False: there was nothing for a while. */
static bool hear(struct hearing *hearing)
{
    uint64_t words[WORDS];
    struct peal_queue_message message;
    enum peal_status status = peal_queue_pop(scene.queue, words, sizeof(words), &message);
    if (status == PEAL_EMPTY)
        return peal_queue_wait(scene.queue, 1000000) == PEAL_OK;
    assert_int_equal(status, PEAL_OK);
    uint64_t other = words[0] & ~MARK;
    if (!(words[0] & MARK) || other >= OTHERS)
        return true; /* the mortal's */
    uint64_t now_ns = test_now_ns();
    uint64_t gap_ns = now_ns - hearing->last_ns[other];
    hearing->last_ns[other] = now_ns;
    if (gap_ns > hearing->longest_ns[other])
        hearing->longest_ns[other] = gap_ns;
    hearing->news[other] += words[1] > hearing->begin_ns;
    return true;
}

static bool is_heard(const struct hearing *hearing)
{
    for (uint32_t i = 0; i < OTHERS; i++)
        if (hearing->news[i] < NEWS)
            return false;
    return true;
}

/* From now until each of the others has been heard often enough: the longest that one was not. */
static uint64_t measure(void)
{
    struct hearing hearing = {.begin_ns = test_now_ns()};
    uint64_t longest_ns = 0;
    for (uint32_t i = 0; i < OTHERS; i++)
        hearing.last_ns[i] = hearing.begin_ns;
    while (!is_heard(&hearing) && test_now_ns() - hearing.begin_ns < GIVE_UP_NS)
        (void)hear(&hearing);
    assert_true(is_heard(&hearing));
    for (uint32_t i = 0; i < OTHERS; i++)
        longest_ns = hearing.longest_ns[i] > longest_ns ? hearing.longest_ns[i] : longest_ns;
    return longest_ns;
}

/* Only the others' lanes are left. */
static bool is_alone(void *context)
{
    struct peal_queue_stats stats = {.struct_bytes = sizeof(stats)};
    struct hearing unused = {0};
    (void)context;
    (void)peal_bus_recover(scene.bus, NULL);
    for (uint32_t i = 0; i < 64; i++)
        (void)hear(&unused);
    return peal_queue_stats(scene.queue, &stats) == PEAL_OK && stats.lanes == OTHERS;
}

/* ---- the cases ---- */

/* False: others were held up for too long. */
static bool run(const char *point, uint32_t pass, enum fault_mode mode)
{
    const struct matrix_case one = {
        .role = &scene.role, .point = point, .pass = pass, .mode = mode};
    enum matrix_outcome outcome;
    memset(matrix_stage.memory, 0, matrix_stage.size_bytes);
    pid_t pid = matrix_start_case(&one, &outcome);
    if (outcome != MATRIX_DIED && outcome != MATRIX_STOPPED)
        fail_msg("%s %u was not reached", point, (unsigned)pass);
    uint64_t held_up_ns = measure();
    assert_true(scene.cases < CASES_MAX);
    scene.held_up_ns[scene.cases++] = held_up_ns;
    if (outcome == MATRIX_STOPPED)
        assert_true(matrix_goes_on_well(pid));
    assert_true(eventually(is_alone, NULL, EVENTUALLY_TIMEOUT_NS));
    return held_up_ns < LONGEST_NS;
}

/* Who is held up by the machine is so once, who is held up by the queue each time. */
static void run_case(const char *point, uint32_t pass, enum fault_mode mode)
{
    for (uint32_t i = 0; i < TRIES; i++)
        if (run(point, pass, mode))
            return;
    fail_msg("others were held up for %u ms and more by a producer %s at pass %u of %s",
             (unsigned)(LONGEST_NS / 1000000), mode == FAULT_KILL ? "killed" : "stopped",
             (unsigned)pass, point);
}

static int compare(const void *one, const void *other)
{
    uint64_t a = *(const uint64_t *)one;
    uint64_t b = *(const uint64_t *)other;
    return (a > b) - (a < b);
}

static uint64_t median_of(uint64_t *times_ns, uint32_t count)
{
    qsort(times_ns, count, sizeof(*times_ns), compare);
    return times_ns[count / 2];
}

static void report(const char *what)
{
    uint64_t median_ns = median_of(scene.held_up_ns, scene.cases);
    print_message("%s, %s: %" PRIu32
                  " cases, others held up for %.3f ms in the median, %.3f ms at most\n",
                  scene.role.name, what, scene.cases, (double)median_ns / 1e6,
                  (double)scene.held_up_ns[scene.cases - 1] / 1e6);
    assert_true(median_ns < MEDIAN_NS);
    scene.cases = 0;
}

/* Nobody dies: what the machine does to the figures. */
static void measure_without(void)
{
    for (uint32_t i = 0; i < 100; i++)
        scene.held_up_ns[scene.cases++] = measure();
    report("nobody dies");
}

static void run_all(enum fault_mode mode, const struct fault_passes *passes)
{
    const char *const *names;
    size_t count = fault_points(&names);
    for (size_t i = 0; i < count; i++)
        for (uint32_t pass = 1; pass <= passes->passes[i]; pass++)
            if (strncmp(names[i], "queue.", 6) == 0)
                run_case(names[i], pass, mode);
    assert_true(scene.cases > 20);
    report(mode == FAULT_KILL ? "killed" : "stopped");
}

static void open_scene(void)
{
    static uint64_t selves[OTHERS];
    const struct peal_queue_options options = options_of(PEAL_QUEUE_POP);
    uint64_t word;
    stage_clear(&matrix_stage);
    scene.bus = life_bus(matrix_stage.url, EVENTUALLY_TIMEOUT_NS);
    assert_non_null(scene.bus);
    assert_int_equal(peal_queue_create(scene.bus, QUEUE_LEDGER_NAME, &options, &scene.queue),
                     PEAL_OK);
    for (uint64_t i = 0; i < OTHERS; i++) {
        selves[i] = i;
        assert_true(child_start(&scene.others[i], push_for_ever, &selves[i]));
        assert_true(child_hear(&scene.others[i].link, &word));
    }
}

static void close_scene(void)
{
    for (uint32_t i = 0; i < OTHERS; i++)
        child_kill(&scene.others[i]);
    peal_queue_close(scene.queue);
    peal_bus_close(scene.bus);
}

static void hold_up(const char *name, bool strict)
{
    struct fault_passes passes;
    scene.role =
        (struct matrix_role){.name = name, .queue_life = queue_life_producer, .strict = strict};
    open_scene();
    assert_true(matrix_live(&scene.role, MATRIX_MORTAL, &matrix_memory()->passes));
    passes = matrix_memory()->passes;
    assert_true(eventually(is_alone, NULL, EVENTUALLY_TIMEOUT_NS));
    measure_without();
    run_all(FAULT_KILL, &passes);
    run_all(FAULT_STOP, &passes);
    close_scene();
}

static void a_dead_or_stopped_producer_delays_nobody_elses_messages(void **state)
{
    (void)state;
    hold_up("queue", false);
}

static void nor_does_it_in_a_strict_queue(void **state)
{
    (void)state;
    hold_up("strict queue", true);
}

static int open_stage(void **state)
{
    (void)state;
    return stage_open(&matrix_stage, "holdup", sizeof(struct matrix_memory)) ? 0 : 1;
}

static int close_stage(void **state)
{
    (void)state;
    stage_close(&matrix_stage);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_dead_or_stopped_producer_delays_nobody_elses_messages),
        cmocka_unit_test(nor_does_it_in_a_strict_queue),
    };
    return cmocka_run_group_tests(tests, open_stage, close_stage);
}
