/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Random SIGKILL: eight processes publish to one topic and take from it, push to four queues and pop from them, are killed,
 * stopped and continued at random, and started again. A survivor takes part all the time: what it hears has no gap that it is
 * not told, nothing of it grows, and in the end the region is as empty as in the beginning. Every few seconds all are
 * killed, and each message that was pushed since the last time must be accounted for.
 *
 *      soak_test                            ten seconds
 *      PEAL_CAMPAIGN_SECONDS=N soak_test    N seconds; says each half minute how it goes
 */
#include "tests/support/eventually.h"
#include "tests/support/footprint.h"
#include "tests/support/mortal.h"
#include "tests/support/random.h"
#include "tests/support/soak_queue.h"
#include "tests/support/soak_topic.h"
#include "tests/support/stage.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define PROCESSES 8u
#define SECONDS_SHORT 10u
#define SECOND_NS UINT64_C(1000000000)
#define PATIENCE_NS (60 * SECOND_NS)
#define ROUND_NS (4 * SECOND_NS)
#define REPORT_NS (30 * SECOND_NS)

/* Shared by all of them. */
struct commons {
    struct soak_topic_tally topic;
    struct soak_book book; /* hands: one of each mortal, and the survivor's */
};

static struct stage stage;
static struct commons *commons;

/* ---- one that takes part ---- */

struct part {
    struct peal_bus *bus;
    struct soak_topic topic;
    struct soak_queue queue;
};

static struct peal_bus *open_bus(void)
{
    struct peal_bus_options options = PEAL_BUS_OPTIONS_INIT;
    struct peal_bus *bus = NULL;
    options.size_bytes = UINT64_C(2) << 20;
    options.topics_max = 8;
    options.spin_ns = 1000;
    options.safety_net_ns = 10000000;
    return peal_bus_open(&bus, stage.url, &options) == PEAL_OK ? bus : NULL;
}

/* ---- the mortals ---- */

static void live(struct soak_hand *hand, uint64_t seed)
{
    static struct part part;
    for (;;) {
        part.bus = open_bus();
        if (!part.bus)
            continue;
        bool has_topic = soak_topic_begin(&part.topic, part.bus, &commons->topic, &seed);
        soak_queue_begin(&part.queue, part.bus, &commons->book, hand, &seed);
        for (uint32_t i = random_below(&seed, 300); i > 0; i--) {
            if (has_topic)
                soak_topic_work(&part.topic, &seed);
            if (!soak_queue_work(&part.queue, &seed)) {
                soak_queue_end(&part.queue);
                soak_queue_begin(&part.queue, part.bus, &commons->book, hand, &seed);
            }
        }
        soak_topic_end(&part.topic);
        soak_queue_end(&part.queue);
        peal_bus_close(part.bus);
    }
}

static pid_t start(uint32_t index, uint64_t seed)
{
    pid_t pid = mortal_fork();
    assert_true(pid >= 0); /* a signal to -1 would go to everybody */
    if (pid != 0)
        return pid;
    live(&commons->book.hands[index], seed);
    _exit(127);
}

/* ---- the soak ---- */

struct soak {
    pid_t mortals[PROCESSES];
    uint64_t stopped_until_ns[PROCESSES]; /* 0: runs */
    uint64_t kills;
    uint64_t stops;
    uint64_t seed;
    struct part survivor;
    struct soak_keeper keeper;
    uint64_t begin_ns;
    uint64_t round_end_ns;
    uint64_t report_ns;
};

static struct soak soak;

static void kill_one(uint32_t index)
{
    int status;
    if (!mortal_kill(soak.mortals[index], &status))
        fail_msg("process %u ended by itself: %s %d", index,
                 WIFSIGNALED(status) ? "signal" : "exit",
                 WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
    soak.stopped_until_ns[index] = 0;
    soak_book_reap(&commons->book, &commons->book.hands[index]);
    soak.kills++;
}

static void start_all(void)
{
    for (uint32_t i = 0; i < PROCESSES; i++)
        soak.mortals[i] = start(i, random_next(&soak.seed));
}

static void kill_all(void)
{
    for (uint32_t i = 0; i < PROCESSES; i++)
        kill_one(i);
}

static void strike(void)
{
    const uint64_t now_ns = test_now_ns();
    for (uint32_t i = 0; i < PROCESSES; i++) {
        if (soak.stopped_until_ns[i] == 0 || soak.stopped_until_ns[i] > now_ns)
            continue;
        soak.stopped_until_ns[i] = 0;
        (void)kill(soak.mortals[i], SIGCONT);
    }
    uint32_t victim = random_below(&soak.seed, PROCESSES);
    if (random_below(&soak.seed, 4) == 0) {
        (void)kill(soak.mortals[victim], SIGSTOP);
        soak.stopped_until_ns[victim] = now_ns + random_below(&soak.seed, 30000000);
        soak.stops++;
        return;
    }
    kill_one(victim);
    soak.mortals[victim] = start(victim, random_next(&soak.seed));
}

static void survivor_begin(void)
{
    struct part *survivor = &soak.survivor;
    struct soak_hand *hand = &commons->book.hands[PROCESSES];
    survivor->bus = open_bus();
    assert_non_null(survivor->bus);
    assert_true(soak_topic_begin(&survivor->topic, survivor->bus, &commons->topic, &soak.seed));
    assert_true(soak_keeper_begin(&soak.keeper, survivor->bus, &commons->book, hand));
    soak_queue_begin(&survivor->queue, survivor->bus, &commons->book, hand, &soak.seed);
}

static void survivor_work(void)
{
    struct part *survivor = &soak.survivor;
    soak_topic_work(&survivor->topic, &soak.seed);
    soak_keeper_work(&soak.keeper, &soak.seed);
    if (soak_queue_work(&survivor->queue, &soak.seed))
        return;
    soak_queue_end(&survivor->queue);
    soak_queue_begin(&survivor->queue, survivor->bus, &commons->book,
                     &commons->book.hands[PROCESSES], &soak.seed);
}

/* All others are dead: the book is settled. */
static bool settle(void)
{
    soak_queue_end(&soak.survivor.queue);
    assert_int_equal(peal_bus_recover(soak.survivor.bus, NULL), PEAL_OK);
    return soak_keeper_settle(&soak.keeper);
}

/* False: something was not as it must be. */
static bool is_well(void)
{
    uint64_t topic = peal_u64_load_acquire(&commons->topic.wrong);
    uint64_t queue = peal_u64_load_acquire(&commons->book.wrong);
    if (topic)
        print_error("soak_topic.c:%" PRIu64 ": not so\n", topic);
    if (queue)
        print_error("soak_queue.c or soak_book.c:%" PRIu64 ": not so\n", queue);
    return !topic && !queue;
}

static void print_figures(void)
{
    const struct soak_figures *figures = &commons->book.figures;
    print_message("%.0f s: %" PRIu64 " kills, %" PRIu64 " stops; %" PRIu64 " published, %" PRIu64
                  " taken, %" PRIu64 " told lost\n",
                  (double)(test_now_ns() - soak.begin_ns) / 1e9, soak.kills, soak.stops,
                  peal_u64_load_acquire(&commons->topic.published),
                  peal_u64_load_acquire(&commons->topic.taken),
                  peal_u64_load_acquire(&commons->topic.lost));
    print_message("queues, %" PRIu64 " rounds, %" PRIu64 " pushers: %" PRIu64 " pushed, %" PRIu64
                  " done with, %" PRIu64 " in the hands of the dead, %" PRIu64
                  " dropped for room, %" PRIu64 " dropped with the dead, %" PRIu64 " redelivered\n",
                  figures->rounds, figures->accounts, figures->pushed, figures->done,
                  figures->unsure, figures->dropped, figures->lost,
                  peal_u64_load_acquire(&commons->book.redelivered));
    (void)fflush(stdout);
}

static void print_times(void)
{
    const uint64_t *topic = soak.survivor.topic.longest_ns;
    uint64_t queue[SOAK_QUEUE_CALLS];
    for (uint32_t call = 0; call < SOAK_QUEUE_CALLS; call++) {
        queue[call] = soak.survivor.queue.longest_ns[call];
        for (uint32_t kind = 0; kind < SOAK_QUEUES; kind++)
            if (soak.keeper.parts[kind].longest_ns[call] > queue[call])
                queue[call] = soak.keeper.parts[kind].longest_ns[call];
    }
    print_message("longest of the survivor: publish %.3f ms, take %.3f ms, wait %.3f ms; push "
                  "%.3f ms, pop %.3f ms, wait at a queue %.3f ms\n",
                  (double)topic[SOAK_PUBLISH] / 1e6, (double)topic[SOAK_TAKE] / 1e6,
                  (double)topic[SOAK_WAIT] / 1e6, (double)queue[SOAK_PUSH] / 1e6,
                  (double)queue[SOAK_POP] / 1e6, (double)queue[SOAK_QUEUE_WAIT] / 1e6);
}

/* A new round, if it is time for one. */
static bool turn_round(uint64_t now_ns)
{
    if (now_ns < soak.round_end_ns && !soak_book_is_full(&commons->book))
        return true;
    kill_all();
    bool agrees = settle();
    soak_queue_begin(&soak.survivor.queue, soak.survivor.bus, &commons->book,
                     &commons->book.hands[PROCESSES], &soak.seed);
    start_all();
    soak.round_end_ns = now_ns + ROUND_NS;
    if (now_ns >= soak.report_ns) {
        print_figures();
        soak.report_ns = now_ns + REPORT_NS;
    }
    return agrees;
}

static void assert_empty(void)
{
    struct part *survivor = &soak.survivor;
    struct peal_audit audit = {.struct_bytes = sizeof(audit)};
    assert_int_equal(peal_bus_recover(survivor->bus, NULL), PEAL_OK);
    soak_topic_listen(&survivor->topic);
    soak_topic_end(&survivor->topic);
    soak_keeper_end(&soak.keeper);
    assert_int_equal(peal_bus_audit(survivor->bus, NULL, &audit), PEAL_OK);
    for (int i = 0; i < PEAL_AUDIT_SEVERITIES; i++)
        if (audit.findings[i])
            fail_msg("in the end: %s", audit.first);
    assert_int_equal(audit.clients, 1);
    assert_int_equal(audit.topics + audit.subscribers + audit.lanes, 0);
    assert_int_equal(audit.pages_free, audit.pages);
    peal_bus_close(survivor->bus);
}

/* Has all come to pass that a soak is made for? On a slow machine it takes longer. */
static bool has_seen_enough(void)
{
    const struct soak_figures *figures = &commons->book.figures;
    return soak.kills > 20 && peal_u64_load_acquire(&commons->topic.taken) > 1000 &&
           figures->pushed > 1000 && figures->lost > 0 &&
           peal_u64_load_acquire(&commons->book.redelivered) > 0;
}

/* Until the time is over and enough was seen, or something is wrong. */
static struct footprint soak_for(uint64_t duration_ns)
{
    const uint64_t longest_ns = duration_ns + PATIENCE_NS;
    struct footprint early = {0};
    soak.begin_ns = test_now_ns();
    soak.round_end_ns = soak.begin_ns + ROUND_NS;
    soak.report_ns = soak.begin_ns + REPORT_NS;
    for (uint64_t now_ns = soak.begin_ns; is_well();) {
        const uint64_t passed_ns = now_ns - soak.begin_ns;
        if (passed_ns >= longest_ns || (passed_ns >= duration_ns && has_seen_enough()))
            break;
        strike();
        survivor_work();
        now_ns = test_now_ns();
        if (!turn_round(now_ns))
            break;
        if (early.mappings == 0 && passed_ns >= duration_ns / 5 && commons->book.figures.rounds > 0)
            early = footprint_now(stage.url);
    }
    return early;
}

static void processes_killed_at_random_leave_nothing_behind(void **state)
{
    (void)state;
    const char *seconds = getenv("PEAL_CAMPAIGN_SECONDS");
    const uint64_t duration_ns =
        (seconds ? strtoull(seconds, NULL, 10) : SECONDS_SHORT) * SECOND_NS;
    soak.seed = random_seed();
    survivor_begin();
    start_all();
    const struct footprint early = soak_for(duration_ns);
    const struct footprint late = footprint_now(stage.url);
    kill_all();
    bool agrees = settle();
    print_figures();
    print_times();
    footprint_print("early", &early);
    footprint_print("late ", &late);
    assert_true(is_well() && agrees);
    assert_true(has_seen_enough());
    assert_int_equal(late.descriptors, early.descriptors);
    assert_true(late.mappings <= early.mappings + 2);
    assert_true(late.memory_kb <= early.memory_kb + 2048);
    assert_true(late.objects <= early.objects + PROCESSES);
    assert_empty();
    assert_true(is_well());
}

static int open_stage(void **state)
{
    (void)state;
    if (!stage_open(&stage, "soak", sizeof(struct commons)))
        return 1;
    stage_clear(&stage); /* touched now, not page by page in the middle of the soak */
    commons = stage.memory;
    mortal_last_words();
    return 0;
}

static int close_stage(void **state)
{
    (void)state;
    stage_close(&stage);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(processes_killed_at_random_leave_nothing_behind),
    };
    return cmocka_run_group_tests(tests, open_stage, close_stage);
}
