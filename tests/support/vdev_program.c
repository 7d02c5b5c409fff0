/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/vdev_program.h"

#include "tests/support/eventually.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* build/tests/NAME -> build/device/peal-vdev */
static bool find_program(char path[512])
{
    const char *given = getenv("PEAL_VDEV");
    if (given != NULL)
        return snprintf(path, 512, "%s", given) < 512;
    char self[400];
    const ssize_t length = readlink("/proc/self/exe", self, sizeof(self) - 1);
    if (length <= 0)
        return false;
    self[length] = '\0';
    char *slash = strrchr(self, '/');
    if (slash == NULL)
        return false;
    *slash = '\0';
    (void)snprintf(path, 512, "%s/../device/peal-vdev", self);
    return access(path, X_OK) == 0;
}

static void run(const char *path, const struct vdev_program *program, int out, pid_t parent)
{
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent || dup2(out, STDOUT_FILENO) < 0)
        _exit(126);
    /* Tests that give up their rights connect, too. */
    (void)execl(path, path, "--guest", program->socket, "--mode", "0666", "--log", "quiet",
                (char *)NULL);
    _exit(127);
}

/* Whether "ready" came within the deadline. */
static bool hear_ready(int in)
{
    char text[4096] = "";
    size_t length = 0;
    const uint64_t begin_ns = test_now_ns();
    while (length < sizeof(text) - 1 && test_now_ns() - begin_ns < EVENTUALLY_TIMEOUT_NS) {
        struct pollfd polled = {.fd = in, .events = POLLIN};
        if (poll(&polled, 1, 1000) <= 0)
            continue;
        const ssize_t got = read(in, text + length, sizeof(text) - 1 - length);
        if (got <= 0)
            return false;
        length += (size_t)got;
        text[length] = '\0';
        if (strstr(text, "ready") != NULL)
            return true;
    }
    return false;
}

bool vdev_program_start(struct vdev_program *program)
{
    char path[512];
    int out[2];
    *program = (struct vdev_program){.folder = "/tmp/peal-test-vdev-XXXXXX"};
    if (!find_program(path)) {
        fprintf(stderr, "there is no peal-vdev in this build; build the target peal-vdev\n");
        return false;
    }
    if (mkdtemp(program->folder) == NULL || chmod(program->folder, 0755) != 0 ||
        pipe2(out, O_CLOEXEC) != 0)
        return false;
    (void)snprintf(program->socket, sizeof(program->socket), "%s/guest", program->folder);
    (void)fflush(NULL);
    const pid_t parent = getpid();
    program->pid = fork();
    if (program->pid == 0)
        run(path, program, out[1], parent);
    (void)close(out[1]);
    const bool ready = program->pid > 0 && hear_ready(out[0]);
    (void)close(out[0]);
    if (ready)
        return true;
    fprintf(stderr, "%s does not start\n", path);
    vdev_program_stop(program);
    return false;
}

void vdev_program_kill(struct vdev_program *program)
{
    if (program->pid <= 0)
        return;
    (void)kill(program->pid, SIGKILL);
    while (waitpid(program->pid, NULL, 0) < 0 && errno == EINTR)
        ;
    program->pid = 0;
}

void vdev_program_stop(struct vdev_program *program)
{
    vdev_program_kill(program);
    (void)unlink(program->socket);
    (void)rmdir(program->folder);
}
