/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/peal/record/source_file.h"

#include "tools/peal/kit/fail.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int source_file_open(const char *path, int *fd)
{
    struct stat status;
    /* A FIFO would keep us until somebody wrote to it. */
    *fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (*fd < 0)
        return fail(fail_errno_code(errno), "cannot read %s: %s", path, strerror(errno));
    if (fstat(*fd, &status) == 0 && S_ISREG(status.st_mode))
        return EXIT_DONE;
    (void)close(*fd);
    *fd = -1;
    return fail(EXIT_USAGE, "%s is not a regular file; a recording is read from one", path);
}

int source_file_failed(const char *path, const struct mcap_error *error)
{
    switch (error->status) {
    case MCAP_TORN:
        return fail(EXIT_SPOILT, "%s is torn: %s; peal recover %s saves what is whole", path,
                    error->text, path);
    case MCAP_BROKEN:
    case MCAP_LIMIT:
        return fail(EXIT_SPOILT, "%s is spoilt: %s; peal recover %s saves what is whole", path,
                    error->text, path);
    default:
        return fail(EXIT_FAILED, "%s: %s", path, error->text);
    }
}

int source_file_foreign(const char *path, const struct mcap_error *error)
{
    const bool is_spoilt = error->status == MCAP_BROKEN || error->status == MCAP_TORN;
    return fail(is_spoilt ? EXIT_SPOILT : EXIT_FAILED, "%s: %s", path, error->text);
}
