/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/outputs.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool cannot(const char *option, const char *path)
{
    fprintf(stderr, "peal-bench: %s '%s': cannot be written: %s\n", option, path, strerror(errno));
    return false;
}

bool bench_outputs_file(const char *option, const char *path)
{
    bool is_new = access(path, F_OK) != 0;
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0666); /* what is in it stays for now */

    if (fd < 0)
        return cannot(option, path);
    close(fd);
    if (is_new)
        (void)unlink(path);
    return true;
}

bool bench_outputs_folder(const char *option, const char *path)
{
    char probe[PATH_MAX];

    if (mkdir(path, 0777) != 0 && errno != EEXIST)
        return cannot(option, path);
    if (snprintf(probe, sizeof(probe), "%s/.peal-bench-%d", path, (int)getpid()) >=
        (int)sizeof(probe)) {
        errno = ENAMETOOLONG;
        return cannot(option, path);
    }
    return bench_outputs_file(option, probe);
}
