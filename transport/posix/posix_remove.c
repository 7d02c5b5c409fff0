/* SPDX-License-Identifier: Apache-2.0 */
#include "transport/posix/posix_remove.h"

#include "core/error.h"
#include "transport/base/os.h"
#include "transport/posix/posix_fifo.h"
#include "transport/posix/posix_fork.h"
#include "transport/posix/posix_lock.h"
#include "transport/posix/posix_object.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define SHOWN PEAL_POSIX_DIRECTORY "/" PEAL_POSIX_PREFIX
#define UNLINK_WAIT_NS UINT64_C(100000000)

/* ---- holding an object ---- */

/* Stands in the list of the fork handler, so that a child does not keep our lock. On the heap, for who
 * is thrown out of judge() by a signal leaves it there. */
static struct peal_posix *hold(const char *name)
{
    struct peal_posix *posix = calloc(1, sizeof(*posix));
    if (posix == NULL) {
        (void)peal_fail(PEAL_ENOMEM, "no memory to look at an object; free some");
        return NULL;
    }
    (void)snprintf(posix->name, sizeof(posix->name), "%s", name);
    posix->lock_fd = -1;
    for (uint32_t i = 0; i < PEAL_POSIX_CLIENTS; i++)
        posix->peers[i].descriptor = -1;
    if (peal_posix_fork_add(posix) == PEAL_OK)
        return posix;
    free(posix);
    return NULL;
}

static void let_go(struct peal_posix *posix)
{
    peal_posix_object_close(posix);
    peal_posix_fork_remove(posix);
    free(posix);
}

static enum peal_status remove_name(const char *name)
{
    char text[PEAL_POSIX_PATH_BYTES];
    (void)snprintf(text, sizeof(text), "/" PEAL_POSIX_PREFIX "%s", name);
    if (shm_unlink(text) == 0)
        return PEAL_OK;
    if (errno == ENOENT)
        return peal_fail(PEAL_ENOENT, "there is no region '%s' to remove", name);
    return peal_fail(PEAL_EPERM, "cannot remove " SHOWN "%s: %s; only its owner and root may", name,
                     strerror(errno));
}

/* ---- from under its clients ---- */

/* Only what is ours, or nearly was, is removed. Who may not open an object may still own its name. */
static enum peal_status unlink_held(struct peal_posix *posix)
{
    const char *name = posix->name;
    struct stat ours;
    uint64_t region_bytes;
    const int error = peal_posix_object_open(posix, O_RDWR | O_CLOEXEC | O_NONBLOCK, 0);
    if (error == ENOENT)
        return peal_fail(PEAL_ENOENT, "there is no region '%s' (" SHOWN "%s) to remove", name,
                         name);
    if (error == EACCES || error == EPERM)
        return remove_name(name);
    if (error != 0)
        return peal_posix_object_fail(name, error);
    if (peal_posix_object_examine(posix, &region_bytes) == PEAL_POSIX_FOREIGN)
        return peal_fail(PEAL_EFORMAT,
                         SHOWN "%s was not made by Peal and is not removed; remove it by hand if "
                               "it is yours",
                         name);
    if (peal_posix_lock_wait(posix->lock_fd, PEAL_POSIX_LOCK_INIT,
                             peal_os_deadline_ns(UNLINK_WAIT_NS)) == 0 &&
        (fstat(posix->lock_fd, &ours) != 0 || !peal_posix_object_is_named(posix, &ours)))
        return peal_fail(PEAL_ENOENT, "region '%s' was just removed by somebody else", name);
    return remove_name(name);
}

enum peal_status peal_posix_object_unlink(const char *name)
{
    struct peal_posix *posix = hold(name);
    if (posix == NULL)
        return PEAL_ENOMEM;
    const enum peal_status status = unlink_held(posix);
    let_go(posix);
    if (status == PEAL_OK)
        (void)peal_posix_fifo_sweep(name, false);
    return status;
}

/* ---- only if nobody is in ---- */

static void note_object(const struct stat *object, struct peal_removal *removal)
{
    removal->object_bytes = (uint64_t)object->st_size;
    removal->memory_bytes = (uint64_t)object->st_blocks * 512u;
    removal->owner_id = (uint32_t)object->st_uid;
}

/* Whose it is can be seen without opening it. */
static enum peal_status fail_denied(const char *name, struct peal_removal *removal)
{
    char path[PEAL_POSIX_PATH_BYTES];
    struct stat named;
    (void)snprintf(path, sizeof(path), SHOWN "%s", name);
    if (lstat(path, &named) == 0)
        note_object(&named, removal);
    return peal_fail(PEAL_EPERM, "no permission to look at " SHOWN "%s; its owner and root may",
                     name);
}

static enum peal_status open_object(struct peal_posix *posix, struct peal_removal *removal,
                                    struct stat *ours)
{
    const int way = removal->dry_run ? O_RDONLY : O_RDWR;
    const int error = peal_posix_object_open(posix, way | O_CLOEXEC | O_NONBLOCK, 0);
    if (error == ENOENT)
        return peal_fail(PEAL_ENOENT, "there is no region '%s' (" SHOWN "%s) to remove",
                         posix->name, posix->name);
    if (error == EACCES || error == EPERM)
        return fail_denied(posix->name, removal);
    if (error == 0 && fstat(posix->lock_fd, ours) == 0 && S_ISREG(ours->st_mode)) {
        note_object(ours, removal);
        return PEAL_OK;
    }
    removal->kind = PEAL_REMOVAL_FOREIGN;
    return error != 0 ? peal_posix_object_fail(posix->name, error)
                      : peal_fail(PEAL_EFORMAT,
                                  SHOWN "%s is no shared memory object; remove it by hand if it is "
                                        "yours",
                                  posix->name);
}

/* With our lock on it, unless dry_run: who is in, or about to be? Any lock of anybody counts, for other
 * releases may have theirs elsewhere. */
static void ask_for_users(const struct peal_posix *posix, struct peal_removal *removal)
{
    removal->members =
        peal_posix_lock_holders(posix->lock_fd, PEAL_POSIX_LOCK_BASE, PEAL_POSIX_CLIENTS);
    removal->is_used = peal_posix_lock_is_any(posix->lock_fd);
}

static enum peal_status fail_used(const char *name, const struct peal_removal *removal)
{
    const int count = __builtin_popcountll(removal->members);
    if (count == 0)
        return peal_fail(PEAL_AGAIN, "somebody is just opening region '%s'", name);
    return peal_fail(PEAL_AGAIN, "region '%s' is in use by %d client%s", name, count,
                     count == 1 ? "" : "s");
}

/* Through a description of its own: a mapping that a child inherits would keep our lock. */
static enum peal_status judge_region(const struct peal_posix *posix, uint64_t region_bytes,
                                     struct peal_removal *removal)
{
    const uint64_t total_bytes = PEAL_POSIX_CONTROL_BYTES + region_bytes;
    char text[PEAL_POSIX_PATH_BYTES];
    struct stat locked, mapped;
    (void)snprintf(text, sizeof(text), "/" PEAL_POSIX_PREFIX "%s", posix->name);
    const int descriptor = shm_open(text, O_RDONLY | O_CLOEXEC | O_NONBLOCK, 0);
    if (descriptor < 0)
        return errno == ENOENT
                   ? peal_fail(PEAL_ENOENT, "region '%s' was just removed by somebody else",
                               posix->name)
                   : peal_posix_object_fail(posix->name, errno);
    void *map = MAP_FAILED;
    const bool is_same = fstat(posix->lock_fd, &locked) == 0 && fstat(descriptor, &mapped) == 0 &&
                         locked.st_dev == mapped.st_dev && locked.st_ino == mapped.st_ino;
    if (is_same && total_bytes <= SIZE_MAX && (uint64_t)mapped.st_size >= total_bytes)
        map = mmap(NULL, (size_t)total_bytes, PROT_READ, MAP_SHARED, descriptor, 0);
    (void)close(descriptor);
    if (map == MAP_FAILED)
        return is_same ? peal_fail(PEAL_ENOMEM,
                                   "cannot map region '%s': free address space (ulimit -v), or do "
                                   "it with a 64-bit program",
                                   posix->name)
                       : peal_fail(PEAL_AGAIN, "region '%s' has just been made anew", posix->name);
    removal->kind = removal->judge((const unsigned char *)map + PEAL_POSIX_CONTROL_BYTES,
                                   region_bytes, &removal->messages);
    (void)munmap(map, (size_t)total_bytes);
    return PEAL_OK;
}

static enum peal_status judge(const struct peal_posix *posix, struct peal_removal *removal)
{
    uint64_t region_bytes;
    switch (peal_posix_object_examine(posix, &region_bytes)) {
    case PEAL_POSIX_HALF_MADE:
        removal->kind = PEAL_REMOVAL_UNFINISHED;
        return PEAL_OK;
    case PEAL_POSIX_DAMAGED:
        removal->kind = PEAL_REMOVAL_SPOILT;
        return PEAL_OK;
    case PEAL_POSIX_OTHER_VERSION:
        removal->kind = PEAL_REMOVAL_OTHER_FORMAT;
        return PEAL_OK;
    case PEAL_POSIX_WHOLE:
        removal->kind = PEAL_REMOVAL_REGION;
        return removal->is_used ? PEAL_OK : judge_region(posix, region_bytes, removal);
    default:
        removal->kind = PEAL_REMOVAL_FOREIGN;
        return PEAL_OK;
    }
}

static enum peal_status check_wanted(const char *name, const struct peal_removal *removal)
{
    const bool is_ours =
        removal->kind == PEAL_REMOVAL_REGION || removal->kind == PEAL_REMOVAL_UNFINISHED;
    if (!is_ours && !removal->with_spoilt)
        return peal_fail(removal->kind == PEAL_REMOVAL_SPOILT ? PEAL_ECORRUPT : PEAL_EFORMAT,
                         removal->kind == PEAL_REMOVAL_SPOILT ? SHOWN
                             "%s was cut short or overwritten, and is left alone"
                         : removal->kind == PEAL_REMOVAL_OTHER_FORMAT ? SHOWN
                             "%s was made by a release of Peal with another format, and is left "
                             "alone"
                                                                      : SHOWN
                             "%s was not made by Peal, and is left alone",
                         name);
    if (removal->messages != 0 && !removal->with_messages)
        return peal_fail(PEAL_EEXIST, "the queues of region '%s' hold messages for who comes next",
                         name);
    return PEAL_OK;
}

/* /dev/shm is sticky: who may write an object may not therefore remove it. */
static enum peal_status check_right(const char *name, const struct peal_removal *removal)
{
    const uint32_t us = (uint32_t)geteuid();
    if (us == 0 || us == removal->owner_id)
        return PEAL_OK;
    return peal_fail(PEAL_EPERM,
                     SHOWN "%s belongs to user %u; only its owner and root may remove "
                           "it",
                     name, removal->owner_id);
}

static enum peal_status remove_held(struct peal_posix *posix, struct peal_removal *removal)
{
    struct stat ours;
    uint64_t region_bytes;
    enum peal_status status = open_object(posix, removal, &ours);
    if (status != PEAL_OK)
        return status;
    /* What is not ours is not even locked, unless it is to go. */
    if (!removal->with_spoilt &&
        peal_posix_object_examine(posix, &region_bytes) == PEAL_POSIX_FOREIGN) {
        removal->kind = PEAL_REMOVAL_FOREIGN;
        return check_wanted(posix->name, removal);
    }
    if (!removal->dry_run) {
        const int error = peal_posix_lock_try(posix->lock_fd, PEAL_POSIX_LOCK_INIT);
        removal->is_used = error == EAGAIN;
        if (error == EAGAIN) {
            removal->kind = PEAL_REMOVAL_REGION;
            return fail_used(posix->name, removal);
        }
        if (error != 0)
            return peal_fail(PEAL_ESYSTEM, "cannot lock " SHOWN "%s: %s", posix->name,
                             strerror(error));
        if (fstat(posix->lock_fd, &ours) != 0 || !peal_posix_object_is_named(posix, &ours))
            return peal_fail(PEAL_ENOENT, "region '%s' was just removed by somebody else",
                             posix->name);
    }
    ask_for_users(posix, removal);
    status = judge(posix, removal);
    if (status == PEAL_OK && removal->is_used)
        status = fail_used(posix->name, removal);
    if (status == PEAL_OK)
        status = check_wanted(posix->name, removal);
    if (status == PEAL_OK)
        status = check_right(posix->name, removal);
    return status == PEAL_OK && !removal->dry_run ? remove_name(posix->name) : status;
}

enum peal_status peal_posix_remove_idle(const char *name, struct peal_removal *removal)
{
    struct peal_posix *posix = hold(name);
    if (posix == NULL)
        return PEAL_ENOMEM;
    const enum peal_status status = remove_held(posix, removal);
    let_go(posix);
    removal->fifos = peal_posix_fifo_sweep(name, removal->dry_run);
    return status;
}
