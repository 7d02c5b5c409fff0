/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/contest/crew.h"

#include "bench/cpus.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* Whoever works: the arguments of bench_work(). */
struct job {
    const struct bench_trial *trial;
    const struct bench_channel *channels;
    struct bench_arena *arena;
    uint32_t self;
};

/* Senders and receivers alternate over the CPUs, so that each CPU has as many of either; one pair has a
 * CPU each. */
static int cpu_of(const struct bench_trial *trial, uint32_t worker)
{
    return worker < trial->senders ? trial->cpus[worker % 2]
                                   : trial->cpus[(worker - trial->senders + 1) % 2];
}

static void *work(void *opaque)
{
    const struct job *job = opaque;
    int cpu = cpu_of(job->trial, job->self);

    if (!bench_cpu_bind(cpu))
        bench_contender_die("cannot run on CPU %d: %s; name two others with --cpus A,B", cpu,
                            strerror(errno));
    bench_work(job->trial, job->channels, job->arena, job->self);
    return NULL;
}

static void work_as_threads(const struct job *first)
{
    struct job jobs[BENCH_WORKERS_MAX];
    pthread_t threads[BENCH_WORKERS_MAX];
    uint32_t workers = bench_trial_workers(first->trial);

    for (uint32_t i = 0; i < workers; i++) {
        jobs[i] = *first;
        jobs[i].self = i;
        int error = pthread_create(&threads[i], NULL, work, &jobs[i]);
        if (error != 0)
            bench_contender_die("cannot start a thread: %s", strerror(error));
    }
    for (uint32_t i = 0; i < workers; i++)
        (void)pthread_join(threads[i], NULL);
}

static _Noreturn void be_process(struct job *job)
{
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    (void)signal(SIGINT, SIG_IGN); /* the conductor ends us */
    (void)signal(SIGTERM, SIG_DFL);
    (void)signal(SIGHUP, SIG_IGN);
    bench_contender_tell(job->arena->failure, sizeof job->arena->failure);
    if (job->trial->threads)
        work_as_threads(job);
    else
        (void)work(job);
    _exit(0);
}

void bench_crew_start(struct bench_crew *crew, const struct bench_trial *trial,
                      const struct bench_channel channels[2], struct bench_arena *arena)
{
    fflush(NULL);
    *crew = (struct bench_crew){.processes = trial->threads ? 1 : bench_trial_workers(trial)};
    for (uint32_t i = 0; i < crew->processes; i++) {
        struct job job = {.trial = trial, .channels = channels, .arena = arena, .self = i};
        crew->pids[i] = fork();
        if (crew->pids[i] == 0)
            be_process(&job);
        if (crew->pids[i] < 0) {
            snprintf(arena->failure, sizeof arena->failure, "cannot fork: %s", strerror(errno));
            crew->pids[i] = 0;
            crew->has_failed = true;
            return;
        }
    }
}

bool bench_crew_reap(struct bench_crew *crew)
{
    bool all = true;

    for (uint32_t i = 0; i < crew->processes; i++) {
        int status = 0;
        if (crew->pids[i] != 0 && waitpid(crew->pids[i], &status, WNOHANG) == crew->pids[i]) {
            crew->pids[i] = 0;
            crew->has_failed |= !WIFEXITED(status) || WEXITSTATUS(status) != 0;
        }
        all &= crew->pids[i] == 0;
    }
    return all;
}

/* 'R': it runs, or would if it had a CPU. */
static char state_of(pid_t pid)
{
    char path[40], line[512];
    char state = 0;

    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return 0;
    if (fgets(line, sizeof line, file) != NULL) {
        const char *name_end = strrchr(line, ')'); /* the name may hold anything */
        if (name_end != NULL && strlen(name_end) > 2)
            state = name_end[2];
    }
    fclose(file);
    return state;
}

static bool has_had(pid_t pid, uint64_t enough_ns)
{
    struct timespec used;
    clockid_t clock;

    if (clock_getcpuclockid(pid, &clock) != 0 || clock_gettime(clock, &used) != 0)
        return true;
    return (uint64_t)used.tv_sec * 1000 * BENCH_MILLISECOND + (uint64_t)used.tv_nsec >= enough_ns;
}

bool bench_crew_is_starved(const struct bench_crew *crew, uint64_t enough_ns)
{
    for (uint32_t i = 0; i < crew->processes; i++) {
        if (crew->pids[i] != 0 && !has_had(crew->pids[i], enough_ns) &&
            state_of(crew->pids[i]) == 'R')
            return true;
    }
    return false;
}

void bench_crew_kill(struct bench_crew *crew)
{
    for (uint32_t i = 0; i < crew->processes; i++) {
        if (crew->pids[i] != 0)
            (void)kill(crew->pids[i], SIGKILL);
    }
    for (uint32_t i = 0; i < crew->processes; i++) {
        while (crew->pids[i] != 0 && waitpid(crew->pids[i], NULL, 0) < 0 && errno == EINTR)
            continue;
        crew->pids[i] = 0;
    }
}

void bench_crew_stop(const struct bench_crew *crew, uint32_t worker)
{
    if (crew->pids[worker] != 0)
        (void)kill(crew->pids[worker], SIGSTOP);
}

void bench_crew_continue(const struct bench_crew *crew, uint32_t worker)
{
    if (crew->pids[worker] != 0)
        (void)kill(crew->pids[worker], SIGCONT);
}

void bench_sleep_until(uint64_t when_ns)
{
    struct timespec when = {.tv_sec = (time_t)(when_ns / (1000 * BENCH_MILLISECOND)),
                            .tv_nsec = (long)(when_ns % (1000 * BENCH_MILLISECOND))};

    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &when, NULL) == EINTR)
        continue;
}
