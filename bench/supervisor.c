/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/supervisor.h"

#include "bench/guard.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { TICKS_PER_S = 4 };

static int serve(struct bench_pair *pair)
{
    bench_pair_join(pair, BENCH_SERVING);
    bench_pair_serve(pair);
    return 0;
}

static void *serve_as_thread(void *opaque)
{
    serve(opaque);
    return NULL;
}

static int start_serving_thread(struct bench_pair *pair)
{
    struct bench_pair *serving = bench_allocate(sizeof *serving);
    pthread_t thread;

    *serving = *pair;
    return pthread_create(&thread, NULL, serve_as_thread, serving) == 0 ? 0 : 1;
}

/* A side dies with the conductor. */
static pid_t fork_side(struct bench_pair *pair, enum bench_side side, const sigset_t *mask,
                       int (*measure)(struct bench_pair *pair))
{
    pid_t conductor = getpid();

    fflush(NULL);
    pid_t pid = fork();
    if (pid != 0)
        return pid;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != conductor)
        _exit(1);
    sigprocmask(SIG_SETMASK, mask, NULL);
    if (side == BENCH_SERVING)
        _exit(serve(pair));
    if (pair->run->threads && start_serving_thread(pair) != 0)
        bench_die("cannot start a thread");
    bench_pair_join(pair, BENCH_MEASURING);
    _exit(measure(pair));
}

/* Looks whether a side has ended; -1 if it lives on. Its id is forgotten with it. */
static int reap(const struct bench_pair *pair, pid_t *pid)
{
    int status;

    if (*pid == 0 || waitpid(*pid, &status, WNOHANG) != *pid)
        return -1;
    *pid = 0;
    if (WIFEXITED(status))
        return WEXITSTATUS(status);
    if (!bench_guard_hurries())
        fprintf(stderr, "peal-bench: %s: a side was ended by signal %d\n", pair->name,
                WTERMSIG(status));
    return 1;
}

/* The exit code, once the measuring side has ended or something else has gone wrong. */
static int watch(struct bench_pair *pair, struct bench_run *run, pid_t pids[2],
                 const sigset_t *child)
{
    const struct timespec tick = {.tv_nsec = 1000000000 / TICKS_PER_S};
    uint64_t seen = 0;
    unsigned still = 0;

    while (still < BENCH_PATIENCE_S * TICKS_PER_S) {
        int code = reap(pair, &pids[BENCH_MEASURING]);
        if (code >= 0)
            return code;
        code = reap(pair, &pids[BENCH_SERVING]); /* in good order it goes first, when told to */
        if (code > 0)
            return code;
        uint64_t progress = bench_word_read(&pair->shared->progress.word);
        still = progress == seen ? still + 1 : 0;
        seen = progress;
        run->progress(run,
                      (double)bench_word_read(&pair->shared->outcome.rounds.word) / run->rounds);
        (void)sigtimedwait(child, NULL, &tick);
    }
    fprintf(stderr, "peal-bench: %s: no progress for %d s, giving up\n", pair->name,
            BENCH_PATIENCE_S);
    return 1;
}

int bench_supervise(struct bench_pair *pair, struct bench_run *run,
                    int (*measure)(struct bench_pair *pair))
{
    sigset_t child, old_mask;
    pid_t pids[2] = {0, 0};
    int code = 1;

    sigemptyset(&child);
    sigaddset(&child, SIGCHLD);
    sigprocmask(SIG_BLOCK, &child, &old_mask);
    if (!run->threads)
        pids[BENCH_SERVING] = fork_side(pair, BENCH_SERVING, &old_mask, measure);
    pids[BENCH_MEASURING] = fork_side(pair, BENCH_MEASURING, &old_mask, measure);
    if (pids[BENCH_SERVING] < 0 || pids[BENCH_MEASURING] < 0)
        fprintf(stderr, "peal-bench: cannot fork: %s\n", strerror(errno));
    else
        code = watch(pair, run, pids, &child);
    for (unsigned side = 0; side < 2; side++) {
        if (pids[side] <= 0)
            continue;
        kill(pids[side], SIGKILL);
        while (waitpid(pids[side], NULL, 0) < 0 && errno == EINTR)
            continue;
    }
    sigprocmask(SIG_SETMASK, &old_mask, NULL);
    return code;
}
