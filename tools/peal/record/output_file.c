/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/peal/record/output_file.h"

#include "tools/peal/kit/fail.h"
#include "tools/peal/kit/stop.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FIFO_LOOK_NS (20 * NS_PER_MS)

static int refused(const struct output_file *file, int error)
{
    return fail(fail_errno_code(error), "cannot write %s: %s", file->name, strerror(error));
}

static int open_stdout(struct output_file *file)
{
    file->name = "the output";
    if (isatty(STDOUT_FILENO) == 1)
        return fail(EXIT_USAGE, "a recording is nothing for a terminal; say -o FILE");
    file->fd = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
    return file->fd >= 0 ? EXIT_DONE : refused(file, errno);
}

/* Devices and pipes: nothing is lost by writing to them. */
static int open_special(struct output_file *file)
{
    for (;;) {
        file->fd = open(file->path, O_WRONLY | O_CLOEXEC | O_NONBLOCK);
        if (file->fd >= 0)
            break;
        if (errno != ENXIO)
            return refused(file, errno);
        if (!stop_wait_until(clock_now_ns() + FIFO_LOOK_NS))
            return fail(EXIT_FAILED, "stopped before somebody read %s", file->name);
    }
    const int flags = fcntl(file->fd, F_GETFL);
    (void)fcntl(file->fd, F_SETFL, flags & ~O_NONBLOCK);
    return EXIT_DONE;
}

int output_file_open(struct output_file *file, const char *path, bool overwrite)
{
    struct stat status;
    *file = (struct output_file){.path = path, .name = path, .fd = -1};
    if (strcmp(path, "-") == 0)
        return open_stdout(file);
    if (stat(path, &status) == 0 && !S_ISREG(status.st_mode) && !S_ISDIR(status.st_mode))
        return open_special(file);
    file->fd = open(path, O_WRONLY | O_CLOEXEC | O_CREAT | (overwrite ? O_TRUNC : O_EXCL), 0666);
    if (file->fd < 0 && errno == EEXIST)
        return fail(EXIT_FAILED, "%s exists already; --overwrite replaces it", path);
    if (file->fd < 0)
        return refused(file, errno);
    file->is_ours = true;
    return EXIT_DONE;
}

int output_file_close(struct output_file *file)
{
    int error = 0;
    if (file->fd < 0)
        return EXIT_DONE;
    if (file->is_ours && fsync(file->fd) != 0)
        error = errno;
    if (close(file->fd) != 0 && error == 0)
        error = errno;
    file->fd = -1;
    return error == 0 ? EXIT_DONE : refused(file, error);
}

void output_file_discard(struct output_file *file)
{
    if (file->fd >= 0)
        (void)close(file->fd);
    if (file->is_ours)
        (void)unlink(file->path);
    file->fd = -1;
}
