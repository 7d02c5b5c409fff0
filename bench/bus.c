/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/bus.h"

#include <errno.h>
#include <peal/bus.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    TOPICS = 2048, /* the waitset over 1000 of them is the longest */
    SIZE_MIB_MIN = 32,
    SIZE_MIB_MAX = 512,
};

enum verdict { WAS_THERE = 0, IS_NEW = 10, IS_WRONG = 11 };

/* Half of what is free: the peers want some, too. Pages that nobody touches take none. */
static unsigned size_mib(void)
{
    struct statvfs fs;

    if (statvfs("/dev/shm", &fs) != 0)
        return SIZE_MIB_MIN;
    uint64_t free_mib = (uint64_t)fs.f_bavail * fs.f_frsize >> 20;
    if (free_mib / 2 < SIZE_MIB_MIN)
        return SIZE_MIB_MIN;
    return free_mib / 2 > SIZE_MIB_MAX ? SIZE_MIB_MAX : (unsigned)(free_mib / 2);
}

static const char *own_url(void)
{
    static char url[96];

    snprintf(url, sizeof(url), "posix:peal-bench-%d?size=%uM&topics=%d", (int)getpid(), size_mib(),
             TOPICS);
    return url;
}

static enum verdict try_url(const char *url)
{
    struct peal_bus_options options = PEAL_BUS_OPTIONS_INIT;
    struct peal_bus *bus;
    bool is_posix = strncmp(url, "posix:", 6) == 0;

    options.client_name = "peal-bench";
    options.must_exist = is_posix;
    if (is_posix && peal_bus_open(&bus, url, &options) == PEAL_OK) {
        peal_bus_close(bus);
        return WAS_THERE;
    }
    options.must_exist = false;
    if (peal_bus_open(&bus, url, &options) != PEAL_OK) {
        fprintf(stderr, "peal-bench: the bus '%s': %s\n", url, peal_error_message());
        return IS_WRONG;
    }
    peal_bus_close(bus);
    return is_posix ? IS_NEW : WAS_THERE;
}

bool bench_bus_prepare(struct bench_bus *bus, const char *wanted)
{
    int status;

    bus->url = wanted != NULL ? wanted : own_url();
    bus->is_ours = false;
    fflush(NULL);
    pid_t pid = fork();
    if (pid < 0) {
        fprintf(stderr, "peal-bench: cannot fork: %s\n", strerror(errno));
        return false;
    }
    if (pid == 0)
        _exit((int)try_url(bus->url));
    while (waitpid(pid, &status, 0) < 0) {
        if (errno != EINTR)
            return false;
    }
    if (!WIFEXITED(status) || WEXITSTATUS(status) == IS_WRONG)
        return false;
    bus->is_ours = WEXITSTATUS(status) == IS_NEW;
    return true;
}

void bench_bus_clear(const struct bench_bus *bus)
{
    if (bus->is_ours)
        (void)peal_unlink(bus->url); /* ENOENT: somebody was faster */
}
