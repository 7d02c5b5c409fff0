/* SPDX-License-Identifier: Apache-2.0 */
#include "transport/posix/posix_fifo.h"

#include "core/error.h"
#include "transport/base/os.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define OPEN_FLAGS (O_RDWR | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW)
#define SWEEP_MAX 65536u

static void fifo_path(char *path, size_t bytes, const char *name, uint64_t id)
{
    (void)snprintf(path, bytes, PEAL_POSIX_DIRECTORY "/" PEAL_POSIX_PREFIX "%s~%016" PRIx64, name,
                   id);
}

/* -1 unless it is a FIFO. O_NONBLOCK: opening whatever else may stand there has no effect. */
static int open_fifo(const char *path)
{
    struct stat status;
    const int descriptor = open(path, OPEN_FLAGS);
    if (descriptor < 0)
        return -1;
    if (fstat(descriptor, &status) == 0 && S_ISFIFO(status.st_mode))
        return descriptor;
    (void)close(descriptor);
    errno = EINVAL;
    return -1;
}

/* Between mkfifo and flock a sweeper may have taken ours for a dead one. */
static bool is_claimed(int descriptor, const char *path)
{
    struct stat ours, named;
    return flock(descriptor, LOCK_EX | LOCK_NB) == 0 && fstat(descriptor, &ours) == 0 &&
           lstat(path, &named) == 0 && ours.st_ino == named.st_ino && ours.st_dev == named.st_dev;
}

/* Whether the object's mode lets its group do more than everybody. */
static bool needs_group(const struct peal_posix *posix)
{
    return (posix->fifo_mode >> 3 & ~posix->fifo_mode & 7u) != 0;
}

/* A FIFO with the access rights of the object, claimed. An errno, or 0. */
static int make(struct peal_posix *posix, uint64_t id, int *descriptor)
{
    char path[PEAL_POSIX_PATH_BYTES];
    fifo_path(path, sizeof(path), posix->name, id);
    if (mkfifo(path, 0600) != 0)
        return errno;
    int error = 0;
    *descriptor = open_fifo(path);
    if (*descriptor < 0)
        error = errno;
    else if (!is_claimed(*descriptor, path))
        error = EEXIST;
    else if (fchown(*descriptor, (uid_t)-1, (gid_t)posix->fifo_group) != 0 && needs_group(posix))
        error = errno;
    else if (fchmod(*descriptor, (mode_t)posix->fifo_mode) != 0)
        error = errno;
    if (error == 0)
        return 0;
    (void)unlink(path);
    if (*descriptor >= 0)
        (void)close(*descriptor);
    *descriptor = -1;
    return error;
}

static int make_own(struct peal_posix *posix)
{
    int descriptor = -1;
    int error = EEXIST;
    peal_fork_lock();
    for (int attempt = 0; attempt < 8 && error == EEXIST; attempt++) {
        posix->fifo = peal_os_random();
        error = make(posix, posix->fifo, &descriptor);
    }
    /* PFIFO-R1: pairs with PFIFO-A1 in fifo_fd(): whoever sees the descriptor sees it open. */
    peal_u32_store_release(&posix->fifo_plus_1, (uint32_t)(descriptor + 1));
    peal_fork_unlock();
    if (error != 0) {
        posix->fifo = 0;
        (void)peal_fail(error == EMFILE || error == ENFILE ? PEAL_ESYSTEM : PEAL_EPERM,
                        "cannot make a FIFO in " PEAL_POSIX_DIRECTORY " for region '%s': %s; raise "
                        "RLIMIT_NOFILE, check the rights on " PEAL_POSIX_DIRECTORY ", or wait "
                        "without a descriptor",
                        posix->name, strerror(error));
        return -1;
    }
    /* A ringer sets its pending bit, then looks here; we publish here, then look for pending bits:
     * at least one of the two sees the other. PFIFO-F1: pairs with PFIFO-F2 */
    peal_u64_store_seq_cst(&posix->self->fifo, posix->fifo);
    if (peal_doorbell_is_pending(&posix->self->bell))
        (void)!write(descriptor, "", 1);
    return descriptor;
}

static int fifo_fd(struct peal_posix *posix)
{
    /* PFIFO-A1: pairs with PFIFO-R1 in make_own(). */
    return (int)peal_u32_load_acquire(&posix->fifo_plus_1) - 1;
}

int peal_posix_fifo_own(struct peal_posix *posix)
{
    (void)pthread_mutex_lock(&posix->mutex);
    int descriptor = fifo_fd(posix);
    if (descriptor < 0)
        descriptor = make_own(posix);
    (void)pthread_mutex_unlock(&posix->mutex);
    return descriptor;
}

void peal_posix_fifo_empty(struct peal_posix *posix)
{
    char bytes[4096];
    const int descriptor = fifo_fd(posix);
    if (descriptor < 0)
        return;
    /* Bounded: a peer might write for ever. What stays inside leaves the descriptor readable. */
    for (int attempt = 0; attempt < 16; attempt++) {
        const ssize_t taken = read(descriptor, bytes, sizeof(bytes));
        if (taken < (ssize_t)sizeof(bytes) && !(taken < 0 && errno == EINTR))
            return;
    }
}

/* The FIFO of a peer, opened once for each id that the peer publishes. */
static int peer_descriptor(struct peal_posix *posix, uint32_t target, uint64_t id)
{
    struct peal_posix_peer *peer = &posix->peers[target];
    char path[PEAL_POSIX_PATH_BYTES];
    if (peer->fifo == id)
        return peer->descriptor;
    fifo_path(path, sizeof(path), posix->name, id);
    peal_fork_lock();
    if (peer->descriptor >= 0)
        (void)close(peer->descriptor);
    peer->fifo = id;
    peer->descriptor = open_fifo(path);
    /* Gone or not ours: that stays so. Anything else (no descriptor left) is tried again. */
    if (peer->descriptor < 0 && errno != ENOENT && errno != EACCES && errno != EINVAL)
        peer->fifo = 0;
    peal_fork_unlock();
    return peer->descriptor;
}

void peal_posix_fifo_ring(struct peal_posix *posix, uint32_t target)
{
    /* PFIFO-F2: pairs with PFIFO-F1 in make_own(); our pending bit was set just before. */
    const uint64_t id = peal_u64_load_seq_cst(&posix->clients[target].fifo);
    if (id == 0)
        return;
    (void)pthread_mutex_lock(&posix->mutex);
    const int descriptor = peer_descriptor(posix, target, id);
    if (descriptor >= 0)
        (void)!write(descriptor, "", 1); /* full is readable, too */
    (void)pthread_mutex_unlock(&posix->mutex);
}

void peal_posix_fifo_retire(struct peal_posix *posix)
{
    char path[PEAL_POSIX_PATH_BYTES];
    if (fifo_fd(posix) < 0)
        return;
    /* relaxed: a ringer that still sees the old id finds no FIFO, or writes to nobody. */
    peal_u64_store_relaxed(&posix->self->fifo, 0);
    fifo_path(path, sizeof(path), posix->name, posix->fifo);
    (void)unlink(path);
}

void peal_posix_fifo_close(struct peal_posix *posix)
{
    const int own = fifo_fd(posix);
    peal_fork_lock();
    if (own >= 0)
        (void)close(own);
    /* relaxed: no other thread uses this transport any more. */
    peal_u32_store_relaxed(&posix->fifo_plus_1, 0);
    for (uint32_t i = 0; i < PEAL_POSIX_CLIENTS; i++) {
        if (posix->peers[i].descriptor >= 0)
            (void)close(posix->peers[i].descriptor);
        posix->peers[i] = (struct peal_posix_peer){.fifo = 0, .descriptor = -1};
    }
    peal_fork_unlock();
}

/* The directory is sticky. */
static bool may_remove(int descriptor)
{
    struct stat status;
    return fstat(descriptor, &status) == 0 && (geteuid() == 0 || geteuid() == status.st_uid);
}

/* Answers whether it was dead, and has gone, or would if we did not only look. */
static bool remove_path_dead(const char *path, bool only_look)
{
    const int descriptor = open_fifo(path);
    if (descriptor < 0)
        return false;
    const bool removed = flock(descriptor, LOCK_EX | LOCK_NB) == 0 &&
                         (only_look ? may_remove(descriptor) : unlink(path) == 0);
    (void)close(descriptor);
    return removed;
}

void peal_posix_fifo_remove_dead(const char *name, uint64_t id)
{
    char path[PEAL_POSIX_PATH_BYTES];
    if (id == 0)
        return;
    fifo_path(path, sizeof(path), name, id);
    peal_fork_lock(); /* a child that inherits the flock for a moment would look alive */
    (void)remove_path_dead(path, false);
    peal_fork_unlock();
}

uint32_t peal_posix_fifo_sweep(const char *name, bool only_look)
{
    char prefix[PEAL_POSIX_PATH_BYTES];
    char path[sizeof(PEAL_POSIX_DIRECTORY) + 256];
    const int length = snprintf(prefix, sizeof(prefix), PEAL_POSIX_PREFIX "%s~", name);
    DIR *directory = opendir(PEAL_POSIX_DIRECTORY);
    uint32_t removed = 0;
    if (directory == NULL)
        return 0;
    for (uint32_t seen = 0; seen < SWEEP_MAX; seen++) {
        const struct dirent *entry = readdir(directory);
        if (entry == NULL)
            break;
        if (strncmp(entry->d_name, prefix, (size_t)length) != 0)
            continue;
        (void)snprintf(path, sizeof(path), PEAL_POSIX_DIRECTORY "/%s", entry->d_name);
        peal_fork_lock();
        removed += remove_path_dead(path, only_look);
        peal_fork_unlock();
    }
    (void)closedir(directory);
    return removed;
}
