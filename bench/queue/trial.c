/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/queue/trial.h"

#include "bench/clock.h"
#include "bench/cpus.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define MILLISECOND UINT64_C(1000000)

/* How long workers may take to open their ends, and, once told to stop, to have done. A wedged queue
 * may never have; where that cannot be, only a very busy machine is an excuse. */
#define OPENING_NS (20000 * MILLISECOND)
#define WEDGED_NS (400 * MILLISECOND)
#define SLOW_NS (20000 * MILLISECOND)

/* A trial that is under way. */
struct course {
    const struct bench_trial *trial;
    struct bench_arena *arena;
    pid_t pids[2 * BENCH_ENDS_MAX]; /* producers first; 0: has ended */
    unsigned workers;
    bool has_failed;  /* a worker has */
    uint64_t stop_ns; /* when the producers were told to stop */
};

void *bench_share(size_t size_bytes)
{
    void *memory = mmap(NULL, size_bytes, PROT_READ | PROT_WRITE,
                        MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

    if (memory == MAP_FAILED)
        bench_queue_die("cannot map %zu bytes: %s", size_bytes, strerror(errno));
    return memory;
}

/* ---- workers ---- */

/* Producers and consumers alternate over the CPUs, so that each CPU has as many of either; one pair has
 * a CPU each. */
static int cpu_of(const struct bench_trial *trial, unsigned worker, const int cpus[2])
{
    return worker < trial->producers ? cpus[worker % 2] : cpus[(worker - trial->producers + 1) % 2];
}

static _Noreturn void work(const struct course *course, unsigned worker, int cpu)
{
    const struct bench_trial *trial = course->trial;

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    signal(SIGINT, SIG_IGN); /* the conductor ends us */
    signal(SIGTERM, SIG_DFL);
    if (!bench_cpu_bind(cpu))
        bench_queue_die("cannot run on CPU %d: %s", cpu, strerror(errno));
    if (worker < trial->producers)
        bench_produce(trial, course->arena, worker);
    else
        bench_consume(trial, course->arena, worker - trial->producers);
    _exit(0);
}

static void start_workers(struct course *course, const int cpus[2])
{
    course->workers = course->trial->producers + course->trial->consumers;
    fflush(NULL);
    for (unsigned i = 0; i < course->workers; i++) {
        pid_t pid = fork();
        if (pid < 0)
            bench_queue_die("cannot fork: %s", strerror(errno));
        if (pid == 0)
            work(course, i, cpu_of(course->trial, i, cpus));
        course->pids[i] = pid;
    }
}

/* Sees who has ended; true when all have. */
static bool reap(struct course *course)
{
    bool all = true;

    for (unsigned i = 0; i < course->workers; i++) {
        int status = 0;
        if (course->pids[i] != 0 && waitpid(course->pids[i], &status, WNOHANG) == course->pids[i]) {
            course->pids[i] = 0;
            course->has_failed |= !WIFEXITED(status) || WEXITSTATUS(status) != 0;
        }
        all &= course->pids[i] == 0;
    }
    return all;
}

static void kill_workers(struct course *course)
{
    for (unsigned i = 0; i < course->workers; i++) {
        if (course->pids[i] != 0)
            (void)kill(course->pids[i], SIGKILL);
    }
    for (unsigned i = 0; i < course->workers; i++) {
        while (course->pids[i] != 0 && waitpid(course->pids[i], NULL, 0) < 0 && errno == EINTR)
            continue;
        course->pids[i] = 0;
    }
}

/* ---- waiting ---- */

static void sleep_until(uint64_t when_ns)
{
    struct timespec when = {.tv_sec = (time_t)(when_ns / (1000 * MILLISECOND)),
                            .tv_nsec = (long)(when_ns % (1000 * MILLISECOND))};

    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &when, NULL) == EINTR &&
           bench_interrupted() == 0)
        continue;
}

static bool all_ready(struct course *course)
{
    for (unsigned i = 0; i < course->trial->producers; i++) {
        if (bench_word_read(&course->arena->producers[i].is_ready.word) == 0)
            return false;
    }
    for (unsigned i = 0; i < course->trial->consumers; i++) {
        if (bench_word_read(&course->arena->consumers[i].is_ready.word) == 0)
            return false;
    }
    return true;
}

static uint64_t popped(const struct course *course)
{
    uint64_t sum = 0;

    for (unsigned i = 0; i < course->trial->consumers; i++)
        sum += bench_word_read(&course->arena->consumers[i].popped.word);
    return sum;
}

static uint64_t pushed(const struct course *course)
{
    uint64_t sum = 0;

    for (unsigned i = 0; i < course->trial->producers; i++)
        sum += bench_word_read(&course->arena->producers[i].pushed.word);
    return sum;
}

/* No producer pushes any more. */
static bool all_pushed(const struct course *course)
{
    for (unsigned i = 0; i < course->trial->producers; i++) {
        if (bench_word_read(&course->arena->producers[i].is_done.word) == 0)
            return false;
    }
    return true;
}

static bool all_popped(struct course *course)
{
    return all_pushed(course) && popped(course) >= pushed(course);
}

/* False: not within the time, or a worker has failed, or a signal came. */
static bool await(struct course *course, bool (*condition)(struct course *course),
                  uint64_t limit_ns)
{
    uint64_t end_ns = bench_clock_ns() + limit_ns;

    while (!condition(course)) {
        (void)reap(course);
        if (course->has_failed || bench_interrupted() != 0 || bench_clock_ns() > end_ns)
            return false;
        sleep_until(bench_clock_ns() + MILLISECOND / 5);
    }
    return true;
}

static void set_phase(struct course *course, enum bench_phase phase)
{
    bench_word_write(&course->arena->phase.word, phase);
}

/* ---- what is measured ---- */

/* The longest time between two instants in which all bins of all consumers are empty. */
static double longest_quiet_ns(const struct course *course, uint64_t from_ns, uint64_t to_ns)
{
    uint64_t first = (from_ns - course->arena->begin_ns) / BENCH_BIN_NS;
    uint64_t end = (to_ns - course->arena->begin_ns) / BENCH_BIN_NS;
    unsigned longest = 0, run = 0;

    for (uint64_t bin = first; bin < end && bin < BENCH_BINS; bin++) {
        bool any = false;
        for (unsigned i = 0; i < course->trial->consumers; i++)
            any |= course->arena->consumers[i].bins[bin] != 0;
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
    pid_t victim = course->pids[trial->victim == BENCH_A_PRODUCER ? 0 : trial->producers];
    struct pause pause;

    sleep_until(bench_clock_ns() + trial->lead_ns);
    (void)kill(victim, SIGSTOP);
    pause.from_ns = bench_clock_ns();
    sleep_until(pause.from_ns + trial->stop_ns);
    pause.to_ns = bench_clock_ns();
    (void)kill(victim, SIGCONT);
    sleep_until(bench_clock_ns() + trial->lead_ns);
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

    while (bench_clock_ns() < until_ns && bench_interrupted() == 0) {
        unsigned worker = (unsigned)(next_random(&seed) % course->workers);
        uint64_t wait_ns = trial->lead_ns / 2 + next_random(&seed) % trial->lead_ns;
        sleep_until(bench_clock_ns() + wait_ns);
        uint64_t from_ns = bench_clock_ns();
        (void)kill(course->pids[worker], SIGSTOP);
        sleep_until(from_ns + trial->stop_ns);
        if (worker < trial->producers) {
            bench_word_write(&course->arena->producers[worker].stopped_ns.word, from_ns);
            bench_word_write(&course->arena->producers[worker].resumed_ns.word, bench_clock_ns());
        }
        (void)kill(course->pids[worker], SIGCONT);
    }
}

/* From the start to the moment at which the producers are told to stop. */
static struct pause run(struct course *course, struct bench_outcome *outcome)
{
    const struct bench_trial *trial = course->trial;
    struct bench_arena *arena = course->arena;
    struct pause pause = {0, 0};

    arena->begin_ns = bench_clock_ns();
    arena->count_from_ns = arena->begin_ns + trial->warm_ns;
    set_phase(course, BENCH_RUNNING);
    sleep_until(arena->count_from_ns);
    uint64_t from_ns = bench_clock_ns(), before = popped(course);
    if (trial->victim == BENCH_ANYBODY)
        stop_anybody(course, from_ns + trial->measure_ns);
    else if (trial->victim != BENCH_NOBODY)
        pause = stop_victim(course);
    else
        sleep_until(from_ns + trial->measure_ns);
    uint64_t to_ns = bench_clock_ns(), after = popped(course);
    set_phase(course, BENCH_STOPPING);
    course->stop_ns = to_ns;
    outcome->rate = (double)(after - before) * 1e9 / (double)(to_ns - from_ns);
    return pause;
}

/* Each letter came once. */
static bool tallies_agree(const struct course *course)
{
    for (unsigned i = 0; i < course->trial->producers; i++) {
        struct bench_tally wanted = {0}, got = {0};
        uint64_t count = bench_word_read(&course->arena->producers[i].pushed.word);

        for (uint64_t number = 0; number < count; number++)
            (void)bench_tally_add(&wanted, number);
        for (unsigned k = 0; k < course->trial->consumers; k++) {
            const struct bench_tally *tally = &course->arena->consumers[k].tallies[i];
            got.count += tally->count;
            got.sum += tally->sum;
            got.squares += tally->squares;
        }
        if (got.count != wanted.count || got.sum != wanted.sum || got.squares != wanted.squares) {
            fprintf(stderr,
                    "peal-bench-queue: %s: of %" PRIu64 " letters of producer %u %" PRIu64
                    " came; some are lost, or came twice\n",
                    course->trial->peer->name, wanted.count, i, got.count);
            return false;
        }
    }
    return true;
}

/* Letters that were due and not pushed, for their producer was held up, have waited until it was told to
 * stop, at least. */
static void count_unpushed(const struct course *course, struct bench_outcome *outcome)
{
    const struct bench_trial *trial = course->trial;

    for (unsigned i = 0; i < trial->producers && trial->period_ns > 0; i++) {
        const struct bench_producer_shared *producer = &course->arena->producers[i];
        uint64_t begun_ns = bench_word_read(&producer->begun_ns.word);
        uint64_t due_ns =
            course->arena->begin_ns + bench_word_read(&producer->pushed.word) * trial->period_ns;
        for (; due_ns < course->stop_ns; due_ns += trial->period_ns) {
            uint64_t ready_ns = due_ns > begun_ns ? due_ns : begun_ns;
            if (due_ns < course->arena->count_from_ns)
                continue;
            bench_histogram_add(&outcome->latency, course->stop_ns - due_ns, 1);
            if (ready_ns < course->stop_ns)
                bench_histogram_add(&outcome->in_queue, course->stop_ns - ready_ns, 1);
        }
    }
}

/* Gathers what is left, and has all end. False: wrong. */
static bool finish(struct course *course, struct bench_outcome *outcome)
{
    const struct bench_trial *trial = course->trial;
    uint64_t patience_ns = trial->peer->can_be_wedged ? WEDGED_NS : SLOW_NS;
    bool may_end = await(course, all_popped, patience_ns) || all_pushed(course);

    /* Where nobody is in the middle of a push, who finds nothing finds that there is nothing: if then
     * letters are missing they are lost, and not only held up. */
    if (may_end)
        set_phase(course, BENCH_ENDING);
    bool has_ended = may_end && await(course, reap, patience_ns);
    outcome->is_cut = !has_ended;
    kill_workers(course);
    if (course->has_failed || bench_interrupted() != 0)
        return false;
    uint64_t in = pushed(course), out = popped(course);
    outcome->missing = in > out ? in - out : 0;
    for (unsigned i = 0; i < trial->consumers && trial->is_timed; i++) {
        bench_histogram_merge(&outcome->latency, &course->arena->consumers[i].latency);
        bench_histogram_merge(&outcome->in_queue, &course->arena->consumers[i].in_queue);
    }
    if (trial->is_timed && outcome->missing > 0) {
        bench_histogram_add(&outcome->latency, WEDGED_NS, outcome->missing);
        bench_histogram_add(&outcome->in_queue, WEDGED_NS, outcome->missing);
    }
    count_unpushed(course, outcome);
    if (has_ended)
        return tallies_agree(course);
    if (!trial->peer->can_be_wedged)
        fprintf(stderr,
                "peal-bench-queue: %s did not finish: %" PRIu64 " of %" PRIu64
                " letters were popped\n",
                trial->peer->name, out, in);
    return trial->peer->can_be_wedged;
}

bool bench_trial_run(const struct bench_trial *trial, struct bench_arena *arena, const int cpus[2],
                     struct bench_outcome *outcome)
{
    struct course course = {.trial = trial, .arena = arena};

    memset(arena, 0, sizeof(*arena));
    *outcome = (struct bench_outcome){.rate = 0};
    trial->peer->init(trial->memory, &trial->setup);
    start_workers(&course, cpus);
    if (!await(&course, all_ready, OPENING_NS)) {
        kill_workers(&course);
        if (bench_interrupted() == 0)
            fprintf(stderr, "peal-bench-queue: %s: a process could not begin\n", trial->peer->name);
        return false;
    }
    struct pause pause = run(&course, outcome);
    bool is_right = finish(&course, outcome);
    if (trial->victim != BENCH_NOBODY && trial->victim != BENCH_ANYBODY && is_right) {
        outcome->quiet_before_ns = longest_quiet_ns(&course, arena->count_from_ns, pause.from_ns);
        outcome->quiet_stopped_ns = longest_quiet_ns(&course, pause.from_ns, pause.to_ns);
    }
    return is_right;
}
