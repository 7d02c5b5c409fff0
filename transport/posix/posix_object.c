/* SPDX-License-Identifier: Apache-2.0 */
#include "transport/posix/posix_object.h"

#include "core/error.h"
#include "transport/base/memory.h"
#include "transport/base/os.h"
#include "transport/posix/posix_fifo.h"
#include "transport/posix/posix_lock.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#define SHOWN                                                                                      \
    PEAL_POSIX_DIRECTORY "/" PEAL_POSIX_PREFIX /* as messages show an object: SHOWN NAME */
#define STALE_ATTEMPTS 1000

/* What the kernel's errno means for whoever opens. */
enum peal_status peal_posix_object_fail(const char *name, int error)
{
    switch (error) {
    case EACCES:
    case EPERM:
        return peal_fail(PEAL_EPERM,
                         "no permission to use " SHOWN "%s; let its creator set mode 0660 and a "
                         "group that you are in, or remove the object",
                         name);
    case ELOOP:
    case EISDIR:
    case EINVAL: /* what glibc makes of EISDIR */
        return peal_fail(PEAL_EFORMAT,
                         SHOWN "%s is not a shared memory object of ours; use another name, or "
                               "remove it by hand",
                         name);
    case EMFILE:
    case ENFILE:
        return peal_fail(PEAL_ESYSTEM,
                         "no descriptor left for " SHOWN "%s: %s; raise RLIMIT_NOFILE (ulimit -n)",
                         name, strerror(error));
    case ENOSPC:
        return peal_fail(PEAL_ENOSPC,
                         "no room in " PEAL_POSIX_DIRECTORY " for " SHOWN "%s; remove unused "
                         "objects there, or enlarge it",
                         name);
    default:
        return peal_fail(PEAL_ESYSTEM,
                         "cannot open " SHOWN "%s: %s; is a tmpfs mounted at " PEAL_POSIX_DIRECTORY
                         "?",
                         name, strerror(error));
    }
}

static void object_name(char *text, size_t bytes, const char *name)
{
    (void)snprintf(text, bytes, "/" PEAL_POSIX_PREFIX "%s", name);
}

/* An errno, or 0 with the descriptor in posix->lock_fd, where a fork handler finds it. */
int peal_posix_object_open(struct peal_posix *posix, int flags, mode_t mode)
{
    char text[PEAL_POSIX_PATH_BYTES];
    object_name(text, sizeof(text), posix->name);
    peal_fork_lock();
    posix->lock_fd = shm_open(text, flags, mode);
    const int error = posix->lock_fd < 0 ? errno : 0;
    peal_fork_unlock();
    return error;
}

void peal_posix_object_close(struct peal_posix *posix)
{
    peal_fork_lock();
    if (posix->lock_fd >= 0)
        (void)close(posix->lock_fd);
    posix->lock_fd = -1;
    peal_fork_unlock();
}

/* shm_open obeys the umask; the user asked for these bits and this group. */
static enum peal_status set_access(struct peal_posix *posix,
                                   const struct peal_transport_options *options)
{
    if (options->use_group && fchown(posix->lock_fd, (uid_t)-1, (gid_t)options->group_id) != 0)
        return peal_fail(PEAL_EPERM,
                         "cannot give " SHOWN "%s to group %" PRIu32 ": %s; name a group that you "
                         "are in",
                         posix->name, options->group_id, strerror(errno));
    const mode_t mode = options->mode != 0 ? (mode_t)options->mode : 0600;
    if (fchmod(posix->lock_fd, mode) != 0)
        return peal_fail(PEAL_ESYSTEM, "cannot set mode %o on " SHOWN "%s: %s", (unsigned)mode,
                         posix->name, strerror(errno));
    return PEAL_OK;
}

/* Whether the name still leads to the object that we have open. */
bool peal_posix_object_is_named(const struct peal_posix *posix, const struct stat *ours)
{
    char path[PEAL_POSIX_PATH_BYTES];
    struct stat named;
    (void)snprintf(path, sizeof(path), SHOWN "%s", posix->name);
    return ours->st_nlink > 0 && lstat(path, &named) == 0 && named.st_dev == ours->st_dev &&
           named.st_ino == ours->st_ino;
}

/* A creator may not have got to fchmod yet: an object without content is worth a few more looks. */
static bool is_being_created(const char *name)
{
    char path[PEAL_POSIX_PATH_BYTES];
    struct stat named;
    (void)snprintf(path, sizeof(path), SHOWN "%s", name);
    if (lstat(path, &named) != 0)
        return errno == ENOENT;
    return S_ISREG(named.st_mode) && named.st_size == 0;
}

/* One look: opens or creates, and locks. PEAL_AGAIN: it was removed meanwhile. */
static enum peal_status obtain_once(struct peal_posix *posix,
                                    const struct peal_transport_options *options,
                                    struct peal_posix_object *object, uint64_t deadline_ns)
{
    struct stat ours;
    object->created = false;
    int error = peal_posix_object_open(posix, O_RDWR | O_CLOEXEC, 0);
    if (error == ENOENT) {
        if (options->must_exist)
            return peal_fail(PEAL_ENOENT,
                             "there is no region '%s' (" SHOWN
                             "%s); start the program that creates "
                             "it first",
                             posix->name, posix->name);
        const mode_t mode = options->mode != 0 ? (mode_t)options->mode : 0600;
        error = peal_posix_object_open(posix, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, mode);
        if (error == EEXIST)
            return PEAL_AGAIN;
        object->created = error == 0;
    }
    if (error != 0)
        return peal_posix_object_fail(posix->name, error);
    if (object->created) {
        enum peal_status status = set_access(posix, options);
        if (status != PEAL_OK)
            return status;
    }
    if (fstat(posix->lock_fd, &ours) != 0 || !S_ISREG(ours.st_mode))
        return peal_posix_object_fail(posix->name, ELOOP);
    error = peal_posix_lock_wait(posix->lock_fd, PEAL_POSIX_LOCK_INIT, deadline_ns);
    if (error == EAGAIN)
        return peal_fail(PEAL_TIMEDOUT,
                         "another program has been opening " SHOWN "%s all the time; if it hangs, "
                         "end it; if it prefaults a large region, raise timeout_ns",
                         posix->name);
    if (error != 0)
        return peal_fail(PEAL_ESYSTEM,
                         "cannot lock " SHOWN "%s: %s; the kernel must support open file "
                         "description locks (Linux 3.15)",
                         posix->name, strerror(error));
    if (fstat(posix->lock_fd, &ours) != 0 || !peal_posix_object_is_named(posix, &ours))
        return PEAL_AGAIN;
    posix->fifo_mode = (uint32_t)ours.st_mode & 0777u;
    posix->fifo_group = (uint32_t)ours.st_gid;
    return PEAL_OK;
}

static enum peal_status obtain_locked(struct peal_posix *posix,
                                      const struct peal_transport_options *options,
                                      struct peal_posix_object *object, uint64_t deadline_ns)
{
    const struct timespec pause = {.tv_sec = 0, .tv_nsec = 200000};
    enum peal_status status = PEAL_AGAIN;
    bool denied = false;
    for (int attempt = 0; attempt < STALE_ATTEMPTS; attempt++) {
        status = obtain_once(posix, options, object, deadline_ns);
        if (status == PEAL_EPERM && !object->created && is_being_created(posix->name))
            denied = true;
        else if (status != PEAL_AGAIN)
            return status;
        peal_posix_object_close(posix);
        if (peal_os_now_ns() >= deadline_ns)
            break;
        (void)nanosleep(&pause, NULL);
    }
    if (denied)
        return peal_posix_object_fail(posix->name, EACCES);
    return peal_fail(PEAL_TIMEDOUT,
                     SHOWN "%s is removed and made again faster than it can be opened; find out "
                           "who removes it",
                     posix->name);
}

/* Looks at the object without trusting a byte of it. */
enum peal_posix_condition peal_posix_object_examine(const struct peal_posix *posix,
                                                    uint64_t *region_bytes)
{
    struct peal_posix_header header = {0};
    struct stat ours;
    *region_bytes = 0;
    if (fstat(posix->lock_fd, &ours) != 0 || pread(posix->lock_fd, &header, sizeof(header), 0) < 0)
        return PEAL_POSIX_DAMAGED;
    if (header.magic == 0)
        return PEAL_POSIX_HALF_MADE;
    if (header.magic != PEAL_POSIX_MAGIC)
        return PEAL_POSIX_FOREIGN;
    const uint64_t size = (uint64_t)ours.st_size;
    if (size < PEAL_POSIX_CONTROL_BYTES + PEAL_TRANSPORT_PAGE_BYTES)
        return PEAL_POSIX_DAMAGED;
    if (header.version != PEAL_POSIX_VERSION)
        return PEAL_POSIX_OTHER_VERSION;
    if (header.control_bytes != PEAL_POSIX_CONTROL_BYTES || header.clients != PEAL_POSIX_CLIENTS ||
        header.region_bytes == 0 || header.region_bytes % PEAL_TRANSPORT_PAGE_BYTES != 0 ||
        header.region_bytes > size - PEAL_POSIX_CONTROL_BYTES)
        return PEAL_POSIX_DAMAGED;
    *region_bytes = header.region_bytes;
    return PEAL_POSIX_WHOLE;
}

static enum peal_status check_room(const struct peal_posix *posix, uint64_t total_bytes)
{
    struct statvfs fs;
    struct rlimit limit;
    if (getrlimit(RLIMIT_FSIZE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY &&
        limit.rlim_cur < total_bytes) /* ftruncate would raise SIGXFSZ */
        return peal_fail(PEAL_ENOSPC,
                         "a region of %" PRIu64 " bytes is more than RLIMIT_FSIZE allows (%" PRIu64
                         "); raise it (ulimit -f) or make the region smaller",
                         total_bytes, (uint64_t)limit.rlim_cur);
    if (fstatvfs(posix->lock_fd, &fs) != 0 || fs.f_blocks == 0) /* a tmpfs without limit */
        return PEAL_OK;
    const uint64_t free_bytes = (uint64_t)fs.f_bavail * (uint64_t)fs.f_frsize;
    if (total_bytes <= free_bytes)
        return PEAL_OK;
    return peal_fail(PEAL_ENOSPC,
                     "region '%s' needs %" PRIu64 " bytes and " PEAL_POSIX_DIRECTORY " has %" PRIu64
                     " free; enlarge it (mount -o remount,size=..., in a container --shm-size), "
                     "remove unused objects, or make the region smaller",
                     posix->name, total_bytes, free_bytes);
}

/* Commits the memory of the whole object, so that a full /dev/shm shows here and not as SIGBUS. */
static enum peal_status reserve(const struct peal_posix *posix, uint64_t total_bytes)
{
    int error = EINTR;
    for (int attempt = 0; attempt < 100 && error == EINTR; attempt++)
        error = posix_fallocate(posix->lock_fd, 0, (off_t)total_bytes);
    if (error == 0)
        return PEAL_OK;
    return peal_fail(error == ENOSPC ? PEAL_ENOSPC : PEAL_ESYSTEM,
                     "cannot reserve %" PRIu64
                     " bytes for region '%s': %s; enlarge " PEAL_POSIX_DIRECTORY
                     " (mount -o remount,size=..., in a container --shm-size), "
                     "make the region smaller, or do without prefault",
                     total_bytes, posix->name, strerror(error));
}

/* Makes the object anew in place. Dying anywhere in here leaves it half-made, which is repaired. */
static enum peal_status format(struct peal_posix *posix,
                               const struct peal_transport_options *options, uint64_t region_bytes)
{
    const uint64_t total_bytes = PEAL_POSIX_CONTROL_BYTES + region_bytes;
    const struct peal_posix_header header = {
        .magic = PEAL_POSIX_MAGIC,
        .version = PEAL_POSIX_VERSION,
        .control_bytes = PEAL_POSIX_CONTROL_BYTES,
        .region_bytes = region_bytes,
        .generation = peal_os_random(),
        .clients = PEAL_POSIX_CLIENTS,
    };
    const size_t magic_bytes = sizeof(header.magic);
    const char *rest = (const char *)&header + magic_bytes;
    const size_t rest_bytes = sizeof(header) - magic_bytes;
    if (ftruncate(posix->lock_fd, 0) != 0)
        return peal_fail(PEAL_ESYSTEM, "cannot empty " SHOWN "%s: %s; remove it by hand",
                         posix->name, strerror(errno));
    (void)peal_posix_fifo_sweep(posix->name, false);
    enum peal_status status = check_room(posix, total_bytes);
    if (status == PEAL_OK && ftruncate(posix->lock_fd, (off_t)total_bytes) != 0)
        status = peal_fail(PEAL_ENOSPC,
                           "cannot make " SHOWN "%s %" PRIu64 " bytes long: %s; make "
                           "the region smaller",
                           posix->name, total_bytes, strerror(errno));
    if (status == PEAL_OK && options->prefault)
        status = reserve(posix, total_bytes);
    if (status != PEAL_OK)
        return status;
    if (pwrite(posix->lock_fd, rest, rest_bytes, (off_t)magic_bytes) != (ssize_t)rest_bytes ||
        pwrite(posix->lock_fd, &header, magic_bytes, 0) != (ssize_t)magic_bytes)
        return peal_fail(PEAL_ENOSPC,
                         "cannot write the header of " SHOWN
                         "%s: %s; enlarge " PEAL_POSIX_DIRECTORY,
                         posix->name, strerror(errno));
    return PEAL_OK;
}

/* What is to be done with what was found; *anew: make it, in the size *region_bytes. */
static enum peal_status decide(const struct peal_posix *posix,
                               const struct peal_transport_options *options,
                               const struct peal_posix_object *object,
                               enum peal_posix_condition condition, uint64_t *region_bytes,
                               bool *anew)
{
    uint64_t wanted_bytes = 0;
    const enum peal_status status = peal_memory_region_bytes(options, &wanted_bytes);
    if (status != PEAL_OK)
        return status;
    *anew = condition != PEAL_POSIX_WHOLE;
    if (condition == PEAL_POSIX_FOREIGN)
        return peal_fail(PEAL_EFORMAT,
                         SHOWN "%s was not made by Peal and is left alone; use another name, or "
                               "remove it by hand if it is yours",
                         posix->name);
    if (condition == PEAL_POSIX_OTHER_VERSION)
        return peal_fail(PEAL_EFORMAT,
                         SHOWN
                         "%s was made by a release of Peal with another format; end its users "
                         "and remove it, or use another name",
                         posix->name);
    if (*anew && object->members != 0)
        return peal_fail(PEAL_ECORRUPT,
                         SHOWN "%s was truncated or overwritten while %d clients use it; end them "
                               "and open again",
                         posix->name, __builtin_popcountll(object->members));
    if (*anew && options->must_exist)
        return peal_fail(PEAL_ENOENT,
                         "region '%s' was left unfinished or truncated by programs that have gone; "
                         "start the program that creates it",
                         posix->name);
    if (!*anew && object->members == 0 && options->size_bytes != 0 && !options->must_exist)
        *anew = wanted_bytes != *region_bytes;
    if (*anew)
        *region_bytes = wanted_bytes;
    return PEAL_OK;
}

enum peal_status peal_posix_object_obtain(struct peal_posix *posix,
                                          const struct peal_transport_options *options,
                                          struct peal_posix_object *object)
{
    const uint64_t deadline_ns = peal_os_deadline_ns(
        options->timeout_ns != 0 ? options->timeout_ns : PEAL_TRANSPORT_TIMEOUT_DEFAULT_NS);
    bool anew = false;
    if ((options->mode & ~0777u) != 0)
        return peal_fail(PEAL_EINVAL,
                         "mode %" PRIo32 " has more than permission bits; use 0600 to 0777",
                         options->mode);
    enum peal_status status = obtain_locked(posix, options, object, deadline_ns);
    if (status != PEAL_OK)
        return status;
    object->members =
        peal_posix_lock_holders(posix->lock_fd, PEAL_POSIX_LOCK_BASE, PEAL_POSIX_CLIENTS);
    const enum peal_posix_condition condition =
        peal_posix_object_examine(posix, &object->region_bytes);
    status = decide(posix, options, object, condition, &object->region_bytes, &anew);
    if (status == PEAL_OK && anew)
        status = format(posix, options, object->region_bytes);
    return status;
}

enum peal_status peal_posix_object_map(struct peal_posix *posix,
                                       const struct peal_posix_object *object)
{
    const uint64_t total_bytes = PEAL_POSIX_CONTROL_BYTES + object->region_bytes;
    char text[PEAL_POSIX_PATH_BYTES];
    struct stat locked, mapped;
    if (total_bytes > SIZE_MAX)
        return peal_fail(PEAL_ENOMEM,
                         "region '%s' of %" PRIu64
                         " bytes does not fit into the address space of a "
                         "32-bit program; use a 64-bit one, or a smaller region",
                         posix->name, object->region_bytes);
    object_name(text, sizeof(text), posix->name);
    peal_fork_lock();
    const int descriptor = shm_open(text, O_RDWR | O_CLOEXEC, 0);
    const int error = errno;
    void *map = MAP_FAILED;
    enum peal_status status = PEAL_OK;
    if (descriptor < 0 && error != ENOENT)
        status = peal_posix_object_fail(posix->name, error);
    else if (descriptor < 0 || fstat(posix->lock_fd, &locked) != 0 ||
             fstat(descriptor, &mapped) != 0 || locked.st_dev != mapped.st_dev ||
             locked.st_ino != mapped.st_ino)
        status = PEAL_AGAIN; /* unlinked, and made again, this very moment */
    else
        map = mmap(NULL, (size_t)total_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
    if (status == PEAL_OK && map == MAP_FAILED)
        status = peal_fail(PEAL_ENOMEM,
                           "cannot map %" PRIu64 " bytes of region '%s': %s; free address space "
                           "(ulimit -v) or make the region smaller",
                           total_bytes, posix->name, strerror(errno));
    if (descriptor >= 0)
        (void)close(descriptor);
    peal_fork_unlock();
    if (status != PEAL_OK)
        return status;
    posix->map = map;
    posix->map_bytes = (size_t)total_bytes;
    return PEAL_OK;
}

void peal_posix_object_abandon(struct peal_posix *posix, const struct peal_posix_object *object)
{
    struct stat ours;
    if (posix->lock_fd >= 0 && object->created && fstat(posix->lock_fd, &ours) == 0 &&
        peal_posix_object_is_named(posix, &ours)) {
        char text[PEAL_POSIX_PATH_BYTES];
        object_name(text, sizeof(text), posix->name);
        (void)shm_unlink(text);
    }
    peal_posix_object_close(posix);
}

enum peal_status peal_posix_object_look(const char *name, int *descriptor, uint64_t *region_bytes)
{
    struct peal_posix posix = {.lock_fd = -1};
    struct stat ours;
    char text[PEAL_POSIX_PATH_BYTES];
    (void)snprintf(posix.name, sizeof(posix.name), "%s", name);
    object_name(text, sizeof(text), name);
    *descriptor = -1;
    posix.lock_fd = shm_open(text, O_RDONLY | O_CLOEXEC | O_NONBLOCK, 0);
    if (posix.lock_fd < 0 && errno == ENOENT)
        return peal_fail(PEAL_ENOENT,
                         "there is no region '%s' (" SHOWN
                         "%s); start the program that creates it first",
                         name, name);
    if (posix.lock_fd < 0 && (errno == EACCES || errno == EPERM))
        return peal_fail(PEAL_EPERM,
                         "no permission to read " SHOWN "%s; look at it as its owner, or let its "
                         "creator set a mode such as 0640 and a group that you are in",
                         name);
    if (posix.lock_fd < 0)
        return peal_posix_object_fail(name, errno);
    enum peal_posix_condition condition = PEAL_POSIX_FOREIGN;
    if (fstat(posix.lock_fd, &ours) == 0 && S_ISREG(ours.st_mode))
        condition = peal_posix_object_examine(&posix, region_bytes);
    if (condition == PEAL_POSIX_WHOLE) {
        *descriptor = posix.lock_fd;
        return PEAL_OK;
    }
    (void)close(posix.lock_fd);
    if (condition == PEAL_POSIX_DAMAGED)
        return peal_fail(PEAL_ECORRUPT, SHOWN "%s was cut short or overwritten", name);
    return peal_fail(PEAL_EFORMAT,
                     condition == PEAL_POSIX_HALF_MADE ? SHOWN
                         "%s is just being made, or was left unfinished"
                     : condition == PEAL_POSIX_OTHER_VERSION ? SHOWN
                         "%s was made by a release of Peal with another format; look at it "
                         "with that one"
                                                             : SHOWN "%s was not made by Peal",
                     name);
}
