/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/tools/undisturbed_pty.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define TIMEOUT_S 20

bool pty_start(struct pty_program *program, char *const *argv)
{
    const struct winsize size = {.ws_row = 24, .ws_col = 80};
    program->pid = forkpty(&program->terminal, NULL, NULL, &size);
    if (program->pid < 0)
        return false;
    if (program->pid == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        (void)setenv("TERM", "xterm", 1);
        (void)execv(argv[0], argv);
        _exit(127);
    }
    return fcntl(program->terminal, F_SETFL, O_NONBLOCK) == 0;
}

void pty_drain(const struct pty_program *program)
{
    char bytes[4096];
    while (read(program->terminal, bytes, sizeof(bytes)) > 0)
        continue;
}

int pty_end(struct pty_program *program)
{
    int status = 0;
    (void)kill(program->pid, SIGTERM);
    (void)kill(program->pid, SIGCONT);
    for (int i = 0; i < TIMEOUT_S * 100 && waitpid(program->pid, &status, WNOHANG) == 0; i++) {
        struct pollfd wait = {.fd = program->terminal, .events = POLLIN};
        pty_drain(program);
        (void)poll(&wait, 1, 10);
    }
    (void)kill(program->pid, SIGKILL); /* nobody's any more, unless it does not end */
    (void)close(program->terminal);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

bool pty_hold(const struct pty_program *program)
{
    int status = 0;
    pty_drain(program);
    return kill(program->pid, SIGSTOP) == 0 &&
           waitpid(program->pid, &status, WUNTRACED) == program->pid && WIFSTOPPED(status);
}

void pty_let_go(const struct pty_program *program)
{
    (void)kill(program->pid, SIGCONT);
}

uint64_t pty_sleeps(const struct pty_program *program)
{
    static const char key[] = "voluntary_ctxt_switches:";
    char path[64], line[256];
    uint64_t count = 0;
    (void)snprintf(path, sizeof(path), "/proc/%d/status", (int)program->pid);
    FILE *file = fopen(path, "re");
    while (file && fgets(line, sizeof(line), file))
        if (strncmp(line, key, strlen(key)) == 0)
            count = strtoull(line + strlen(key), NULL, 10);
    if (file)
        (void)fclose(file);
    return count;
}

bool pty_wait_sleeps(const struct pty_program *program, uint64_t more)
{
    const uint64_t enough = pty_sleeps(program) + more;
    const time_t deadline = time(NULL) + TIMEOUT_S;
    while (pty_sleeps(program) < enough) {
        struct pollfd wait = {.fd = program->terminal, .events = POLLIN};
        if (time(NULL) > deadline || waitpid(program->pid, NULL, WNOHANG) != 0)
            return false;
        (void)poll(&wait, 1, 1);
        pty_drain(program);
    }
    return true;
}
