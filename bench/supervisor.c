/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/supervisor.h"

#include <errno.h>
#include <peal/bus.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void watched_signals(sigset_t *set)
{
    sigemptyset(set);
    sigaddset(set, SIGCHLD);
    sigaddset(set, SIGINT);
    sigaddset(set, SIGTERM);
    sigaddset(set, SIGHUP);
}

/* A side dies with the supervisor, and leaves Ctrl-C (which reaches all three) to it. */
static pid_t fork_side(struct bench_pair *pair, enum bench_side side,
                       int (*function)(struct bench_pair *pair))
{
    pid_t supervisor = getpid();
    sigset_t watched;

    fflush(NULL);
    pid_t pid = fork();
    if (pid < 0)
        bench_die("cannot fork: %s", strerror(errno));
    if (pid > 0)
        return pid;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != supervisor)
        _exit(1);
    signal(SIGINT, SIG_IGN);
    signal(SIGHUP, SIG_IGN);
    watched_signals(&watched);
    sigprocmask(SIG_UNBLOCK, &watched, NULL);
    bench_pair_join(pair, side);
    exit(function(pair));
}

static int serve(struct bench_pair *pair)
{
    bench_pair_serve(pair);
    return 0;
}

/* Waits for a signal or a second; the signal, or 0. */
static int next_signal(const sigset_t *watched)
{
    struct timespec second = {.tv_sec = 1};
    int signal_number = sigtimedwait(watched, NULL, &second);

    return signal_number > 0 ? signal_number : 0;
}

static int exit_code_of(int status)
{
    if (WIFEXITED(status))
        return WEXITSTATUS(status);
    fprintf(stderr, "peal-bench: a side was ended by signal %d\n", WTERMSIG(status));
    return 1;
}

/* Looks whether a side has ended; -1 if it lives on. Its id is forgotten with it. */
static int reap(pid_t *pid)
{
    int status;

    if (*pid == 0 || waitpid(*pid, &status, WNOHANG) != *pid)
        return -1;
    *pid = 0;
    return exit_code_of(status);
}

/* The exit code, once the measuring side has ended or something else has gone wrong. */
static int watch(const struct bench_pair *pair, pid_t pids[2], const sigset_t *watched)
{
    uint64_t seen = 0;
    unsigned still_s = 0;

    while (still_s < BENCH_PATIENCE_S) {
        int signal_number = next_signal(watched);
        if (signal_number != 0 && signal_number != SIGCHLD) {
            fprintf(stderr, "peal-bench: ended by signal %d\n", signal_number);
            return 128 + signal_number;
        }
        int code = reap(&pids[BENCH_MEASURING]);
        if (code >= 0)
            return code;
        code = reap(&pids[BENCH_SERVING]); /* in good order it goes first, when told to */
        if (code > 0)
            return code;
        uint64_t progress = bench_word_read(&pair->shared->progress.word);
        still_s = progress == seen ? still_s + 1 : 0;
        seen = progress;
    }
    fprintf(stderr, "peal-bench: no progress for %d s, giving up\n", BENCH_PATIENCE_S);
    return 1;
}

int bench_supervise(struct bench_pair *pair, int (*measure)(struct bench_pair *pair))
{
    sigset_t watched;
    pid_t pids[2];

    watched_signals(&watched);
    sigprocmask(SIG_BLOCK, &watched, NULL);
    pids[BENCH_SERVING] = fork_side(pair, BENCH_SERVING, serve);
    pair->serving_pid = pids[BENCH_SERVING];
    pids[BENCH_MEASURING] = fork_side(pair, BENCH_MEASURING, measure);
    int code = watch(pair, pids, &watched);
    for (unsigned side = 0; side < 2; side++) {
        if (pids[side] == 0)
            continue;
        kill(pids[side], SIGKILL);
        while (waitpid(pids[side], NULL, 0) < 0 && errno == EINTR)
            continue;
    }
    (void)peal_unlink(pair->url); /* ENOENT: no benchmark that ran needed a bus */
    return code;
}
