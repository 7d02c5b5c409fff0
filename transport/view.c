/* SPDX-License-Identifier: Apache-2.0 */
#include "transport/view.h"

#include "core/error.h"
#include "transport/posix/posix_lock.h"
#include "transport/posix/posix_object.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define LISTED_MAX 65536u

static enum peal_status fail_map(const char *name, uint64_t bytes, int error)
{
    return peal_fail(error == ENOMEM ? PEAL_ENOMEM : PEAL_ESYSTEM,
                     "cannot map %" PRIu64 " bytes of '%.64s': %s; free address space (ulimit -v), "
                     "or look at it with a 64-bit program",
                     bytes, name, strerror(error));
}

/* Maps [0, bytes) of a file, of which the region is what begins at `offset`. */
static enum peal_status map(struct peal_view *view, const char *name, int descriptor,
                            uint64_t bytes, uint64_t offset)
{
    if (bytes > SIZE_MAX)
        return fail_map(name, bytes, ENOMEM);
    void *start = mmap(NULL, (size_t)bytes, PROT_READ, MAP_SHARED, descriptor, 0);
    if (start == MAP_FAILED)
        return fail_map(name, bytes, errno);
    view->map = start;
    view->map_bytes = (size_t)bytes;
    view->base = (const unsigned char *)start + offset;
    view->size_bytes = bytes - offset;
    return PEAL_OK;
}

/* ---- posix ---- */

static bool read_header(const struct peal_view *view, struct peal_posix_header *header)
{
    struct stat object;
    return pread(view->descriptor, header, sizeof(*header), 0) == (ssize_t)sizeof(*header) &&
           fstat(view->descriptor, &object) == 0 && object.st_size > 0 &&
           (uint64_t)object.st_size >= view->map_bytes;
}

static enum peal_status open_posix(struct peal_view *view, const char *name)
{
    uint64_t region_bytes = 0;
    enum peal_status status = peal_transport_check_name(name);
    if (status == PEAL_OK)
        status = peal_posix_object_look(name, &view->descriptor, &region_bytes);
    if (status != PEAL_OK)
        return status;
    view->members_known = true;
    status = map(view, name, view->descriptor, PEAL_POSIX_CONTROL_BYTES + region_bytes,
                 PEAL_POSIX_CONTROL_BYTES);
    if (status != PEAL_OK)
        return status;
    struct peal_posix_header header = {0};
    if (!read_header(view, &header))
        return peal_fail(PEAL_ECORRUPT, "the object of '%s' has just been cut short", name);
    view->generation = header.generation;
    return PEAL_OK;
}

/* ---- vdev ---- */

static enum peal_status open_vdev(struct peal_view *view, const char *name,
                                  const struct peal_transport_options *options)
{
    const struct peal_transport_options wanted = {
        .struct_bytes = sizeof(wanted),
        .must_exist = true,
        .device = options->device,
        .timeout_ns = options->timeout_ns,
    };
    enum peal_status status = peal_transport_open("vdev", name, &wanted, &view->transport);
    if (status != PEAL_OK)
        return status;
    const struct peal_transport *transport = view->transport;
    if (mprotect(transport->base, (size_t)transport->size_bytes, PROT_READ) != 0)
        return peal_fail(PEAL_ESYSTEM, "cannot make the mapping of '%s' read-only: %s", name,
                         strerror(errno));
    view->base = transport->base;
    view->size_bytes = transport->size_bytes;
    view->index = transport->index;
    view->members_known = true;
    return PEAL_OK;
}

/* ---- file ---- */

/* Is it the shared object of posix, whose region comes behind the control area? */
static bool is_object(int descriptor, uint64_t bytes)
{
    uint64_t magic = 0;
    return bytes > PEAL_POSIX_CONTROL_BYTES &&
           pread(descriptor, &magic, sizeof(magic), 0) == (ssize_t)sizeof(magic) &&
           magic == PEAL_POSIX_MAGIC;
}

static enum peal_status map_file(struct peal_view *view, const char *path, int descriptor)
{
    struct stat file;
    if (fstat(descriptor, &file) != 0 || !S_ISREG(file.st_mode))
        return peal_fail(PEAL_EFORMAT, "%.200s is no regular file; give the copy of a region",
                         path);
    const uint64_t bytes = (uint64_t)file.st_size;
    if (bytes < PEAL_TRANSPORT_PAGE_BYTES)
        return peal_fail(PEAL_EFORMAT, "%.200s has %" PRIu64 " bytes: too few for any region", path,
                         bytes);
    return map(view, path, descriptor, bytes,
               is_object(descriptor, bytes) ? PEAL_POSIX_CONTROL_BYTES : 0);
}

static enum peal_status open_file(struct peal_view *view, const char *path)
{
    const int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (descriptor < 0)
        return peal_fail(errno == ENOENT || errno == ENOTDIR ? PEAL_ENOENT
                         : errno == EACCES || errno == EPERM ? PEAL_EPERM
                                                             : PEAL_ESYSTEM,
                         "cannot open %.200s: %s", path, strerror(errno));
    enum peal_status status = map_file(view, path, descriptor);
    (void)close(descriptor);
    return status;
}

/* ---- all ---- */

enum peal_status peal_view_open(struct peal_view *view, const char *scheme, const char *name,
                                const struct peal_transport_options *options)
{
    *view = (struct peal_view){.index = PEAL_TRANSPORT_CLIENTS_MAX, .descriptor = -1};
    enum peal_status status;
    if (strcmp(scheme, "posix") == 0)
        status = open_posix(view, name);
    else if (strcmp(scheme, "vdev") == 0)
        status = open_vdev(view, name, options);
    else if (strcmp(scheme, "file") == 0)
        status = open_file(view, name);
    else if (strcmp(scheme, "local") == 0)
        status = peal_fail(PEAL_ENOTSUP,
                           "a region of local: is within one process and is not to be seen from "
                           "outside; use posix:");
    else
        status =
            peal_fail(PEAL_EINVAL,
                      "there is no '%.16s' to look at; use posix:, vdev:, auto: or file:", scheme);
    if (status != PEAL_OK)
        peal_view_close(view);
    return status;
}

void peal_view_close(struct peal_view *view)
{
    if (view->map != NULL)
        (void)munmap(view->map, view->map_bytes);
    if (view->descriptor >= 0)
        (void)close(view->descriptor);
    if (view->transport != NULL)
        view->transport->ops->close(view->transport);
    *view = (struct peal_view){.index = PEAL_TRANSPORT_CLIENTS_MAX, .descriptor = -1};
}

enum peal_status peal_view_check(const struct peal_view *view)
{
    struct peal_posix_header header = {0};
    if (view->descriptor < 0)
        return PEAL_OK;
    if (read_header(view, &header) && header.magic == PEAL_POSIX_MAGIC &&
        header.generation == view->generation)
        return PEAL_OK;
    return peal_fail(PEAL_EFORMAT,
                     "the object was cut short, or made anew by a program that came after all "
                     "others had gone; open it again");
}

uint64_t peal_view_members(const struct peal_view *view)
{
    if (view->transport != NULL)
        return view->transport->ops->members(view->transport) & ~(UINT64_C(1) << view->index);
    return peal_posix_lock_holders(view->descriptor, PEAL_POSIX_LOCK_BASE, PEAL_POSIX_CLIENTS);
}

/* The region whose object this file of the directory is; NULL: it is none. */
static const char *region_of(const char *file)
{
    const size_t prefix = strlen(PEAL_POSIX_PREFIX);
    struct stat what;
    char path[PEAL_POSIX_PATH_BYTES];
    if (strncmp(file, PEAL_POSIX_PREFIX, prefix) != 0 ||
        strlen(file) - prefix > PEAL_TRANSPORT_NAME_MAX ||
        peal_transport_check_name(file + prefix) != PEAL_OK)
        return NULL;
    (void)snprintf(path, sizeof(path), PEAL_POSIX_DIRECTORY "/" PEAL_POSIX_PREFIX "%.31s",
                   file + prefix);
    return lstat(path, &what) == 0 && S_ISREG(what.st_mode) ? file + prefix : NULL;
}

enum peal_status peal_view_list(const char *scheme, void (*found)(void *context, const char *name),
                                void *context)
{
    if (strcmp(scheme, "posix") != 0)
        return peal_fail(PEAL_ENOTSUP, "regions of '%.16s' cannot be listed", scheme);
    DIR *directory = opendir(PEAL_POSIX_DIRECTORY);
    if (directory == NULL)
        return peal_fail(PEAL_ESYSTEM, "cannot read " PEAL_POSIX_DIRECTORY ": %s", strerror(errno));
    const struct dirent *entry;
    for (uint32_t i = 0; i < LISTED_MAX && (entry = readdir(directory)) != NULL; i++) {
        const char *name = region_of(entry->d_name);
        if (name != NULL)
            found(context, name);
    }
    (void)closedir(directory);
    return PEAL_OK;
}
