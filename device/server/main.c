/* SPDX-License-Identifier: Apache-2.0 */
/* peal-vdev: the shmem vdev as a server for virtual machine monitors. */
#include "device/server/options.h"
#include "device/server/server.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

#define EXIT_USAGE 2

/* SIGTERM and SIGINT as a descriptor; -1 with errno. */
static int signals(void)
{
    sigset_t set;
    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGTERM);
    (void)sigaddset(&set, SIGINT);
    if (sigprocmask(SIG_BLOCK, &set, NULL) != 0)
        return -1;
    return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

/* Each client has one descriptor and one for each of its interrupts. */
static void raise_descriptor_limit(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
        limit.rlim_cur = limit.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &limit);
    }
}

static int fail(const char *error)
{
    (void)fprintf(stderr, "peal-vdev: %s\n", error);
    return 1;
}

static int run(const struct vdev_config *config)
{
    char error[VDEV_CONFIG_ERROR_BYTES];
    const int stop_fd = signals();
    if (stop_fd < 0)
        return fail(strerror(errno));
    raise_descriptor_limit();
    struct vdev_server *server = vdev_server_new(config, error, sizeof(error));
    if (!server)
        return fail(error);
    (void)puts("ready");
    (void)fflush(stdout);
    const bool served = vdev_server_run(server, stop_fd);
    const int reason = errno;
    vdev_server_free(server);
    (void)close(stop_fd);
    return served ? 0 : fail(strerror(reason));
}

int main(int argc, char **argv)
{
    char error[VDEV_CONFIG_ERROR_BYTES + 64];
    struct vdev_config config;
    int code = 0;
    (void)signal(SIGPIPE, SIG_IGN);
    vdev_config_init(&config);
    switch (vdev_options_read(&config, argc - 1, argv + 1, error, sizeof(error))) {
    case VDEV_OPTIONS_RUN:
        code = run(&config);
        break;
    case VDEV_OPTIONS_HELP:
        (void)fputs(vdev_options_help, stdout);
        break;
    case VDEV_OPTIONS_VERSION:
        (void)puts("peal-vdev " PEAL_VDEV_VERSION);
        break;
    default:
        (void)fail(error);
        code = EXIT_USAGE;
        break;
    }
    vdev_config_end(&config);
    return code;
}
