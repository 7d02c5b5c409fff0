/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/guard.h"

#include "bench/pair.h"
#include "bench/run.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
    HUNTS_MAX = 200, /* looks for descendants, each with a pause of HUNT_MS */
    HUNT_MS = 10,
    CLEARING_MS_MAX = 3000, /* what a hurried conductor gets for clearing up */
};

/* Shared by the guard, the conductor and all whom that forks. */
struct guard_shared {
    peal_u32 signal; /* that has come; written by the guard */
    peal_u32 hurries;
};

static struct guard_shared *shared;

int bench_interrupted(void)
{
    /* relaxed: nothing comes with it */
    return shared == NULL ? 0 : (int)peal_u32_load_relaxed(&shared->signal);
}

bool bench_guard_hurries(void)
{
    /* relaxed: nothing comes with it */
    return shared != NULL && peal_u32_load_relaxed(&shared->hurries) != 0;
}

static void watched_signals(sigset_t *set)
{
    sigemptyset(set);
    sigaddset(set, SIGCHLD);
    sigaddset(set, SIGINT);
    sigaddset(set, SIGTERM);
    sigaddset(set, SIGHUP);
}

static pid_t fork_conductor(const struct bench_guarded *guarded, const sigset_t *old_mask)
{
    pid_t guard = getpid();

    fflush(NULL);
    pid_t pid = fork();
    if (pid < 0)
        bench_die("cannot fork: %s", strerror(errno));
    if (pid > 0)
        return pid;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != guard)
        _exit(1);
    /* Ctrl-C reaches all processes of the terminal; it is the guard that answers it. */
    signal(SIGINT, SIG_IGN);
    signal(SIGHUP, SIG_IGN);
    signal(SIGTERM, SIG_IGN); /* timeout(1) sends it to the whole group */
    sigprocmask(SIG_SETMASK, old_mask, NULL);
    exit(guarded->conduct(guarded->context));
}

/* The parent of a process, 0 if there is none of that id. */
static long parent_of(const char *id)
{
    char path[64], line[512];
    long parent = 0;

    snprintf(path, sizeof(path), "/proc/%.20s/stat", id);
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return 0;
    if (fgets(line, sizeof(line), file) != NULL) {
        const char *name_end = strrchr(line, ')'); /* the name may hold anything */
        if (name_end == NULL || sscanf(name_end, ") %*c %ld", &parent) != 1)
            parent = 0;
    }
    fclose(file);
    return parent;
}

/* `spared`: 0, or a child that lives on. */
static void kill_children(pid_t parent, pid_t spared)
{
    DIR *folder = opendir("/proc");
    struct dirent *entry;

    if (folder == NULL)
        return;
    while ((entry = readdir(folder)) != NULL) {
        if (!isdigit((unsigned char)entry->d_name[0]) || parent_of(entry->d_name) != (long)parent)
            continue;
        pid_t child = (pid_t)strtol(entry->d_name, NULL, 10);
        if (child != spared)
            kill(child, SIGKILL);
    }
    closedir(folder);
}

static void pause_ms(long duration_ms)
{
    struct timespec duration = {.tv_sec = duration_ms / 1000,
                                .tv_nsec = duration_ms % 1000 * 1000000};

    nanosleep(&duration, NULL);
}

/* Each killed process hands its own children to us, so it takes as many looks as they are deep. */
static void kill_descendants(void)
{
    for (unsigned hunt = 0; hunt < HUNTS_MAX; hunt++) {
        pid_t pid;

        kill_children(getpid(), 0);
        while ((pid = waitpid(-1, NULL, WNOHANG)) > 0)
            continue;
        if (pid < 0 && errno == ECHILD)
            return;
        pause_ms(HUNT_MS);
    }
    fputs("peal-bench: some processes could not be ended\n", stderr);
}

/* Reaps whoever has ended; true if the conductor is among them. */
static bool reap(pid_t conductor, int *code)
{
    int status;
    bool has_ended = false;
    pid_t pid;

    while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
        if (pid != conductor)
            continue;
        has_ended = true;
        if (WIFEXITED(status)) {
            *code = WEXITSTATUS(status);
        } else {
            fprintf(stderr, "peal-bench: ended by signal %d\n", WTERMSIG(status));
            *code = 1;
        }
    }
    return has_ended;
}

/* Until the conductor, whose workers are killed as fast as it starts them, has ended; or no longer. */
static void hurry(pid_t conductor)
{
    int code;

    /* relaxed: nothing comes with it */
    peal_u32_store_relaxed(&shared->hurries, 1);
    for (unsigned waited_ms = 0; waited_ms < CLEARING_MS_MAX; waited_ms += HUNT_MS) {
        kill_children(conductor, 0);
        kill_children(getpid(), conductor);
        if (reap(conductor, &code))
            return;
        pause_ms(HUNT_MS);
    }
}

/* Until the conductor has ended or a second signal has come. */
static int watch(pid_t conductor, const sigset_t *watched)
{
    int first = 0, code = 1;

    for (;;) {
        int signal_number = sigwaitinfo(watched, NULL);
        if (reap(conductor, &code))
            return first != 0 && code == 0 ? 128 + first : code;
        if (signal_number <= 0 || signal_number == SIGCHLD)
            continue;
        if (first != 0) {
            hurry(conductor);
            return 128 + signal_number;
        }
        first = signal_number;
        /* relaxed: nothing comes with it */
        peal_u32_store_relaxed(&shared->signal, (uint32_t)signal_number);
        fputs("\npeal-bench: ending after this round; once more to end at once\n", stderr);
    }
}

int bench_guard_run(const struct bench_guarded *guarded)
{
    sigset_t watched, old_mask;

    shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED)
        bench_die("cannot map %zu bytes: %s", sizeof(*shared), strerror(errno));
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    watched_signals(&watched);
    sigprocmask(SIG_BLOCK, &watched, &old_mask);
    pid_t conductor = fork_conductor(guarded, &old_mask);
    int code = watch(conductor, &watched);
    kill_descendants();
    guarded->clear(guarded->context);
    return code;
}
