/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static void close_link(struct child_link *link)
{
    (void)close(link->in);
    (void)close(link->out);
    link->in = -1;
    link->out = -1;
}

bool child_start(struct child *child, int (*body)(struct child_link *link, void *context),
                 void *context)
{
    int down[2], up[2];
    if (pipe2(down, O_CLOEXEC) != 0)
        return false;
    if (pipe2(up, O_CLOEXEC) != 0) {
        (void)close(down[0]);
        (void)close(down[1]);
        return false;
    }
    struct child_link theirs = {.in = down[0], .out = up[1]};
    child->link = (struct child_link){.in = up[0], .out = down[1]};
    (void)fflush(NULL);
    const pid_t parent = getpid();
    child->pid = fork();
    if (child->pid == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        (void)signal(SIGPIPE, SIG_IGN);
        close_link(&child->link);
        const int code = getppid() == parent ? body(&theirs, context) : 127;
        close_link(&theirs);
        _exit(code);
    }
    close_link(&theirs);
    if (child->pid < 0)
        close_link(&child->link);
    return child->pid > 0;
}

bool child_say(struct child_link *link, uint64_t word)
{
    ssize_t written;
    do
        written = write(link->out, &word, sizeof(word));
    while (written < 0 && errno == EINTR);
    return written == (ssize_t)sizeof(word);
}

bool child_hear(struct child_link *link, uint64_t *word)
{
    struct pollfd waited = {.fd = link->in, .events = POLLIN};
    int ready;
    do
        ready = poll(&waited, 1, 30000);
    while (ready < 0 && errno == EINTR);
    return ready == 1 && read(link->in, word, sizeof(*word)) == (ssize_t)sizeof(*word);
}

int child_reap(struct child *child)
{
    int status = 0;
    pid_t reaped;
    do
        reaped = waitpid(child->pid, &status, 0);
    while (reaped < 0 && errno == EINTR);
    close_link(&child->link);
    child->pid = -1;
    if (reaped < 0)
        return -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

void child_kill(struct child *child)
{
    (void)kill(child->pid, SIGKILL);
    (void)child_reap(child);
}
