/* SPDX-License-Identifier: Apache-2.0 */
#include "device/server/listener.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define BACKLOG 64
#define LOCK_TRIES 200
#define LOCK_PAUSE_NS 10000000

static struct sockaddr_un address_of(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    (void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
    return address;
}

/*
 * Two servers that start at once must not each take the other's socket for a dead one's, so looking and replacing is done
 * behind a lock on the folder, which leaves nothing behind. Returns its descriptor, or -1.
 */
static int lock_folder(const char *path)
{
    char copy[VDEV_PATH_BYTES];
    (void)snprintf(copy, sizeof(copy), "%s", path);
    const int fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return -1;
    for (int i = 0; i < LOCK_TRIES; i++) {
        if (flock(fd, LOCK_EX | LOCK_NB) == 0)
            return fd;
        if (errno != EWOULDBLOCK && errno != EINTR)
            break;
        (void)nanosleep(&(struct timespec){.tv_nsec = LOCK_PAUSE_NS}, NULL);
    }
    const int saved = errno;
    (void)close(fd);
    errno = saved;
    return -1;
}

/* 0, or why nobody answers there. */
static int probe(const char *path)
{
    const struct sockaddr_un address = address_of(path);
    const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return errno;
    const int reason =
        connect(fd, (const struct sockaddr *)&address, sizeof(address)) == 0 ? 0 : errno;
    (void)close(fd);
    return reason;
}

/* False: somebody listens there, or it is no socket; `error` says so. True: the path is free now. */
static bool remove_stale(const char *path, char *error, size_t error_bytes)
{
    struct stat file;
    if (lstat(path, &file) != 0)
        return true; /* bind() tells what else is wrong */
    if (!S_ISSOCK(file.st_mode)) {
        (void)snprintf(error, error_bytes,
                       "%s: there is a file that is no socket; remove it, or "
                       "name another path",
                       path);
        return false;
    }
    const int reason = probe(path);
    if (reason == 0 || reason == EAGAIN) {
        (void)snprintf(error, error_bytes,
                       "%s: a server listens there already; end it, or name "
                       "another path",
                       path);
        return false;
    }
    if (reason != ECONNREFUSED) {
        (void)snprintf(error, error_bytes, "%s: cannot find out whether a server listens there: %s",
                       path, strerror(reason));
        return false;
    }
    return unlink(path) == 0 || errno == ENOENT;
}

static bool bind_and_listen(struct vdev_listener *listener, mode_t mode)
{
    const struct sockaddr_un address = address_of(listener->path);
    struct stat file;
    /* The file is never more open than `mode`, and chmod makes up for what the umask took. */
    if (fchmod(listener->fd, mode) != 0 ||
        bind(listener->fd, (const struct sockaddr *)&address, sizeof(address)) != 0)
        return false;
    if (lstat(listener->path, &file) != 0)
        return false;
    listener->device = file.st_dev;
    listener->inode = file.st_ino;
    return chmod(listener->path, mode) == 0 && listen(listener->fd, BACKLOG) == 0;
}

bool vdev_listener_open(struct vdev_listener *listener, const char *path, mode_t mode, char *error,
                        size_t error_bytes)
{
    *listener = (struct vdev_listener){.fd = -1};
    if (strlen(path) >= sizeof(listener->path)) {
        (void)snprintf(error, error_bytes,
                       "%.100s: the path is longer than the %zu characters that a "
                       "socket may have",
                       path, sizeof(listener->path) - 1);
        return false;
    }
    (void)snprintf(listener->path, sizeof(listener->path), "%s", path);
    const int lock = lock_folder(path);
    error[0] = '\0';
    bool done = lock >= 0 && remove_stale(path, error, error_bytes);
    if (done) {
        listener->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        done = listener->fd >= 0 && bind_and_listen(listener, mode);
    }
    if (!done && error[0] == '\0')
        (void)snprintf(error, error_bytes, "%s: cannot listen there: %s", path, strerror(errno));
    if (!done)
        vdev_listener_close(listener);
    if (lock >= 0)
        (void)close(lock);
    return done;
}

void vdev_listener_close(struct vdev_listener *listener)
{
    struct stat file;
    if (listener->fd < 0)
        return;
    if (lstat(listener->path, &file) == 0 && S_ISSOCK(file.st_mode) &&
        file.st_dev == listener->device && file.st_ino == listener->inode)
        (void)unlink(listener->path);
    (void)close(listener->fd);
    listener->fd = -1;
}

int vdev_listener_accept(const struct vdev_listener *listener)
{
    int fd;
    do
        fd = accept4(listener->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    while (fd < 0 && (errno == EINTR || errno == ECONNABORTED));
    return fd;
}
