/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/contest/trial.h"

#include "bench/clock.h"
#include "bench/contest/account.h"
#include "bench/contest/arena.h"
#include "bench/contest/crew.h"
#include "bench/contest/ledger.h"
#include "bench/contest/verdict.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* How long workers may take to open their ends, and, once told to stop, to have done. A wedged one may
 * never have; where that cannot be, only a very busy machine is an excuse. */
#define OPENING_NS (10000 * BENCH_MILLISECOND)
#define WEDGED_NS (400 * BENCH_MILLISECOND)
#define SLOW_NS (8000 * BENCH_MILLISECOND)

/* What else runs on a machine may keep a worker from its CPU: who wants it and has had less than this part
 * of the time is waited for longer, so long at most. */
#define STARVED_PART 16
#define STARVED_NS_MAX (30000 * BENCH_MILLISECOND)

/* How much longer a turn gets in which nothing has come. */
#define PROLONGED_MS_MAX 1000u

/* Where it is not known how many will come: when nothing has come for so long. */
#define QUIET_NS (20 * BENCH_MILLISECOND)

/* A trial that is under way. */
struct course {
    const struct bench_trial *trial;
    struct bench_arena *arena;
    struct bench_channel channels[2];
    char names[2][40];
    uint32_t begun; /* channels */
    struct bench_crew crew;
    uint64_t stop_ns;     /* when the senders were told to stop */
    uint64_t quiet_since; /* and since when nothing has come after that */
    uint64_t quiet_at;
};

void *bench_share(size_t size_bytes)
{
    void *memory = mmap(NULL, size_bytes, PROT_READ | PROT_WRITE,
                        MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

    if (memory == MAP_FAILED)
        bench_contender_die("cannot map %zu bytes: %s", size_bytes, strerror(errno));
    return memory;
}

void bench_unshare(void *memory, size_t size_bytes)
{
    if (memory != NULL)
        (void)munmap(memory, size_bytes);
}

/* ---- channels ---- */

static size_t memory_bytes(const struct bench_channel *channel,
                           const struct bench_contender *contender)
{
    return contender->memory_bytes != NULL ? contender->memory_bytes(channel) : 0;
}

static bool begin_channel(struct course *course, uint32_t index)
{
    static unsigned number;
    const struct bench_trial *trial = course->trial;
    struct bench_channel *channel = &course->channels[index];
    bool returns = bench_trial_returns(trial);

    snprintf(course->names[index], sizeof course->names[index], "peal-bench-%d-%u", (int)getpid(),
             ++number);
    *channel = (struct bench_channel){.name = course->names[index],
                                      .url = trial->url,
                                      .size_bytes = trial->size_bytes,
                                      .depth = trial->depth,
                                      .senders = returns ? 1 : trial->senders,
                                      .receivers = returns ? 1 : trial->receivers,
                                      .pattern = trial->pattern,
                                      .waits = trial->waiting != BENCH_SPIN};
    size_t size_bytes = memory_bytes(channel, trial->contender);
    if (size_bytes > 0)
        channel->memory = bench_share(size_bytes);
    bench_ledger_enter(index, trial->contender, channel);
    if (trial->contender->begin == NULL || trial->contender->begin(channel))
        return true;
    bench_ledger_strike(index);
    bench_unshare(channel->memory, size_bytes);
    return false;
}

static bool begin_channels(struct course *course)
{
    uint32_t wanted = bench_trial_returns(course->trial) ? 2 : 1;

    while (course->begun < wanted && begin_channel(course, course->begun))
        course->begun++;
    return course->begun == wanted;
}

static void end_channels(struct course *course)
{
    const struct bench_contender *contender = course->trial->contender;

    while (course->begun > 0) {
        struct bench_channel *channel = &course->channels[--course->begun];
        size_t size_bytes = memory_bytes(channel, contender);
        if (contender->end != NULL)
            contender->end(channel);
        bench_ledger_strike(course->begun);
        bench_unshare(channel->memory, size_bytes);
    }
}

/* ---- waiting ---- */

/* Whether all workers have come so far that `is_there` holds of each. */
static bool all_workers(struct course *course,
                        bool (*is_there)(const struct bench_worker_shared *worker))
{
    bool all = true;

    for (uint32_t i = 0; i < bench_trial_workers(course->trial); i++)
        all &= is_there(&course->arena->workers[i]);
    return all;
}

static bool has_opened(const struct bench_worker_shared *worker)
{
    return bench_word_read(&worker->readiness.word) >= BENCH_HAS_OPENED;
}

static bool is_ready(const struct bench_worker_shared *worker)
{
    return bench_word_read(&worker->readiness.word) >= BENCH_IS_READY;
}

static bool is_done(const struct bench_worker_shared *worker)
{
    return bench_word_read(&worker->is_done.word) != 0;
}

static bool all_opened(struct course *course)
{
    return all_workers(course, has_opened);
}

static bool all_ready(struct course *course)
{
    return all_workers(course, is_ready);
}

static bool all_sent(struct course *course)
{
    return all_workers(course, is_done);
}

static uint64_t received_by_all(const struct course *course)
{
    uint64_t sum = 0;

    for (uint32_t i = 0; i < bench_trial_workers(course->trial); i++)
        sum += bench_word_read(&course->arena->workers[i].received.word);
    return sum;
}

/* What the rate counts: messages, or trips. */
static uint64_t operations(const struct course *course)
{
    return bench_trial_returns(course->trial)
               ? bench_word_read(&course->arena->workers[0].received.word)
               : received_by_all(course);
}

static bool is_quiet(struct course *course)
{
    uint64_t received = received_by_all(course), now_ns = bench_clock_ns();

    if (received != course->quiet_at || course->quiet_since == 0) {
        course->quiet_at = received;
        course->quiet_since = now_ns;
    }
    return now_ns - course->quiet_since > QUIET_NS;
}

static bool all_received(struct course *course)
{
    const struct bench_trial *trial = course->trial;

    if (!all_sent(course))
        return false;
    if (received_by_all(course) >= bench_verdict_expected(trial, course->arena) &&
        trial->pattern != BENCH_PATTERN_LATEST)
        return true;
    return (trial->contender->loses || trial->pattern == BENCH_PATTERN_LATEST) && is_quiet(course);
}

static bool all_ended(struct course *course)
{
    return bench_crew_reap(&course->crew);
}

/* Whether all that can be waited has been. Who does not get a CPU gets more time. */
static bool is_over(const struct course *course, uint64_t begin_ns, uint64_t limit_ns)
{
    uint64_t waited_ns = bench_clock_ns() - begin_ns;

    return waited_ns > limit_ns && (waited_ns > limit_ns + STARVED_NS_MAX ||
                                    !bench_crew_is_starved(&course->crew, limit_ns / STARVED_PART));
}

/* False: not within the time, or a worker has failed. */
static bool await(struct course *course, bool (*condition)(struct course *course),
                  uint64_t limit_ns)
{
    uint64_t begin_ns = bench_clock_ns();

    while (!condition(course)) {
        (void)bench_crew_reap(&course->crew);
        if (course->crew.has_failed || is_over(course, begin_ns, limit_ns))
            return false;
        bench_sleep_until(bench_clock_ns() + BENCH_MILLISECOND / 10);
    }
    return true;
}

static void set_phase(struct course *course, enum bench_phase phase)
{
    bench_word_write(&course->arena->phase.word, phase);
}

/* ---- what is measured ---- */

/* The longest time between two instants in which all bins of all receivers are empty. */
static double longest_quiet_ns(const struct course *course, uint64_t from_ns, uint64_t to_ns)
{
    uint64_t first = (from_ns - course->arena->begin_ns) / BENCH_BIN_NS;
    uint64_t end = (to_ns - course->arena->begin_ns) / BENCH_BIN_NS;
    unsigned longest = 0, run = 0;

    for (uint64_t bin = first; bin < end && bin < BENCH_BINS; bin++) {
        bool any = false;
        for (uint32_t i = 0; i < bench_trial_workers(course->trial); i++)
            any |= course->arena->workers[i].bins[bin] != 0;
        run = any ? 0 : run + 1;
        longest = run > longest ? run : longest;
    }
    return (double)longest * BENCH_BIN_NS;
}

/* The instants between which the victim was stopped. */
struct pause {
    uint64_t from_ns;
    uint64_t to_ns;
};

static struct pause stop_victim(struct course *course)
{
    const struct bench_trial *trial = course->trial;
    uint32_t victim = trial->victim == BENCH_A_SENDER ? 0 : trial->senders;
    struct pause pause;

    bench_sleep_until(bench_clock_ns() + trial->lead_ns);
    bench_crew_stop(&course->crew, victim);
    pause.from_ns = bench_clock_ns();
    bench_sleep_until(pause.from_ns + trial->stop_ns);
    pause.to_ns = bench_clock_ns();
    bench_crew_continue(&course->crew, victim);
    bench_sleep_until(bench_clock_ns() + trial->lead_ns);
    return pause;
}

/* A small generator of xorshift kind; what it gives need only be spread. */
static uint64_t next_random(uint64_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed;
}

/* Stops one after the other until the time is over. */
static void stop_anybody(struct course *course, uint64_t until_ns)
{
    const struct bench_trial *trial = course->trial;
    uint64_t seed = bench_clock_ns() | 1;

    while (bench_clock_ns() < until_ns) {
        uint32_t worker = (uint32_t)(next_random(&seed) % bench_trial_workers(trial));
        struct bench_worker_shared *shared = &course->arena->workers[worker];
        uint64_t wait_ns = trial->lead_ns / 2 + next_random(&seed) % (trial->lead_ns + 1);
        bench_sleep_until(bench_clock_ns() + wait_ns);
        uint64_t from_ns = bench_clock_ns();
        bench_crew_stop(&course->crew, worker);
        bench_sleep_until(from_ns + trial->stop_ns);
        bench_word_write(&shared->stopped_ns.word, from_ns);
        bench_word_write(&shared->resumed_ns.word, bench_clock_ns());
        bench_crew_continue(&course->crew, worker);
    }
}

/*
 * Until the time is over; longer, if nothing has come by then: what else runs on a machine may keep a
 * worker from its CPU for a whole turn, and then nothing has been measured.
 */
static void let_run(struct course *course, uint64_t from_ns, uint64_t before)
{
    uint64_t until_ns = from_ns + course->trial->measure_ns;

    bench_sleep_until(until_ns);
    for (unsigned more = 0; more < PROLONGED_MS_MAX && operations(course) == before; more++) {
        (void)bench_crew_reap(&course->crew);
        if (course->crew.has_failed)
            break;
        bench_sleep_until(bench_clock_ns() + BENCH_MILLISECOND);
    }
}

/* From the start to the moment at which the senders are told to stop. */
static struct pause run(struct course *course, struct bench_outcome *outcome)
{
    const struct bench_trial *trial = course->trial;
    struct bench_arena *arena = course->arena;
    struct pause pause = {0, 0};

    arena->begin_ns = bench_clock_ns();
    arena->count_from_ns = arena->begin_ns + trial->warm_ns;
    set_phase(course, BENCH_RUNNING);
    bench_sleep_until(arena->count_from_ns);
    set_phase(course, BENCH_COUNTING);
    uint64_t from_ns = bench_clock_ns(), before = operations(course);
    if (trial->victim == BENCH_ANYBODY)
        stop_anybody(course, from_ns + trial->measure_ns);
    else if (trial->victim != BENCH_NOBODY)
        pause = stop_victim(course);
    else
        let_run(course, from_ns, before);
    uint64_t to_ns = bench_clock_ns(), after = operations(course);
    set_phase(course, BENCH_STOPPING);
    course->stop_ns = to_ns;
    outcome->operations = after - before;
    outcome->rate = (double)(after - before) * 1e9 / (double)(to_ns - from_ns);
    return pause;
}

/*
 * Messages that were due and not sent, for their sender was held up, have waited until it was told to
 * stop, at least.
 */
static void count_unsent(const struct course *course, struct bench_outcome *outcome)
{
    const struct bench_trial *trial = course->trial;

    for (uint32_t i = 0; i < trial->senders && bench_trial_is_scheduled(trial); i++) {
        const struct bench_worker_shared *sender = &course->arena->workers[i];
        uint64_t begun_ns = bench_word_read(&sender->begun_ns.word);
        uint64_t due_ns =
            course->arena->begin_ns + bench_word_read(&sender->sent.word) * trial->period_ns;
        for (; due_ns < course->stop_ns; due_ns += trial->period_ns) {
            if (due_ns < course->arena->count_from_ns || bench_worker_was_stopped(sender, due_ns))
                continue;
            bench_histogram_add(&outcome->latency, course->stop_ns - due_ns, 1);
            uint64_t ready_ns = due_ns > begun_ns ? due_ns : begun_ns;
            if (trial->tells_in_queue && ready_ns < course->stop_ns)
                bench_histogram_add(&outcome->in_queue, course->stop_ns - ready_ns, 1);
        }
    }
}

static void step_done(const struct course *course, enum bench_step step)
{
    bench_account_step(course->trial->contender->name, step);
}

static bool begin_work(struct course *course)
{
    bool has_opened = await(course, all_opened, OPENING_NS);

    step_done(course, BENCH_STEP_OPEN);
    if (!has_opened)
        return false;
    set_phase(course, BENCH_CONNECTING);
    bool is_connected = await(course, all_ready, OPENING_NS);
    step_done(course, BENCH_STEP_CONNECT);
    return is_connected;
}

static void gather(const struct course *course, struct bench_outcome *outcome, bool has_ended)
{
    const struct bench_trial *trial = course->trial;
    uint64_t cpu_ns = 0, expected = bench_verdict_expected(trial, course->arena);
    uint64_t received = received_by_all(course);

    for (uint32_t i = 0; i < bench_trial_workers(trial); i++) {
        bench_histogram_merge(&outcome->latency, &course->arena->workers[i].latency);
        bench_histogram_merge(&outcome->in_queue, &course->arena->workers[i].in_queue);
        cpu_ns += course->arena->workers[i].cpu_ns;
    }
    if (!has_ended) {
        outcome->missing = expected > received ? expected - received : 0;
        bench_histogram_add(&outcome->latency, WEDGED_NS, outcome->missing);
        if (trial->tells_in_queue)
            bench_histogram_add(&outcome->in_queue, WEDGED_NS, outcome->missing);
    } else if (outcome->operations > 0) {
        outcome->cpu_ns = (double)cpu_ns / (double)outcome->operations;
    }
    count_unsent(course, outcome);
}

/* ---- the end ---- */

static void say_failed(const struct course *course, struct bench_outcome *outcome,
                       enum bench_finding finding)
{
    const struct bench_arena *arena = course->arena;

    outcome->finding = finding;
    if (arena->failure[0] != '\0')
        snprintf(outcome->reason, sizeof outcome->reason, "%.*s", (int)sizeof arena->failure - 1,
                 arena->failure);
    else
        snprintf(outcome->reason, sizeof outcome->reason, "a process %s",
                 course->crew.has_failed ? "ended before its time"
                                         : "did not come to be connected");
}

/* Receives what is left, and has all end. */
static void finish(struct course *course, struct bench_outcome *outcome)
{
    const struct bench_trial *trial = course->trial;
    bool may_be_cut = trial->contender->can_be_wedged;
    uint64_t patience_ns = may_be_cut ? WEDGED_NS : SLOW_NS;
    bool may_end = await(course, all_received, patience_ns) || all_sent(course);

    step_done(course, BENCH_STEP_DRAIN);
    /* Where nobody is in the middle of a send, who finds nothing finds that there is nothing: if then
     * messages are missing they are lost, and not only held up. */
    if (may_end)
        set_phase(course, BENCH_ENDING);
    bool has_ended = may_end && await(course, all_ended, patience_ns);
    bench_crew_kill(&course->crew);
    step_done(course, BENCH_STEP_CLOSE);
    if (course->crew.has_failed) {
        say_failed(course, outcome, BENCH_WRONG);
        return;
    }
    gather(course, outcome, has_ended);
    if (has_ended) {
        bench_verdict_give(trial, course->arena, outcome);
    } else if (may_be_cut) {
        outcome->finding = BENCH_CUT;
    } else {
        outcome->finding = BENCH_WRONG;
        snprintf(outcome->reason, sizeof outcome->reason,
                 "it did not come to an end: %" PRIu64 " messages are missing", outcome->missing);
    }
}

static void clear_arena(struct bench_arena *arena, uint32_t workers)
{
    memset(arena, 0, offsetof(struct bench_arena, workers));
    memset(arena->workers, 0, workers * sizeof arena->workers[0]);
}

void bench_trial_run(const struct bench_trial *trial, struct bench_outcome *outcome)
{
    static struct bench_arena *arena; /* for all trials of the program: its pages are there */
    struct course course = {.trial = trial};

    if (arena == NULL)
        arena = bench_share(sizeof *arena);
    course.arena = arena;
    clear_arena(arena, bench_trial_workers(trial));
    *outcome = (struct bench_outcome){.cpu_ns = NAN, .finding = BENCH_ABSENT};
    bench_account_step(NULL, BENCH_STEP_BEGIN);
    if (!begin_channels(&course)) {
        snprintf(outcome->reason, sizeof outcome->reason, "it could not begin here");
        end_channels(&course);
        return;
    }
    step_done(&course, BENCH_STEP_BEGIN);
    bench_crew_start(&course.crew, trial, course.channels, arena);
    if (!begin_work(&course)) {
        bench_crew_kill(&course.crew);
        say_failed(&course, outcome, BENCH_ABSENT);
    } else {
        struct pause pause = run(&course, outcome);
        step_done(&course, BENCH_STEP_RUN);
        finish(&course, outcome);
        if (pause.to_ns != 0 && outcome->finding < BENCH_ABSENT) {
            outcome->quiet_before_ns =
                longest_quiet_ns(&course, arena->count_from_ns, pause.from_ns);
            outcome->quiet_stopped_ns = longest_quiet_ns(&course, pause.from_ns, pause.to_ns);
        }
    }
    end_channels(&course);
    step_done(&course, BENCH_STEP_END);
}
