/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The way in by the Linux driver's device node (include/guest_shm_ioctl.h): the kernel speaks the device's protocol, and
 * detaches even if this process is killed. What the kernel says is checked all the same, for a wrong index would spoil a
 * peer's memory.
 */
#include "core/error.h"
#include "guest_shm.h"
#include "guest_shm_ioctl.h"
#include "transport/base/fork.h"
#include "transport/vdev/link.h"
#include "transport/vdev/protocol.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#define CLIENTS_MASK ((UINT32_C(1) << GUEST_SHM_MAX_CLIENTS) - 1)
#define INTERRUPTED_MAX 1000 /* signals that one call bears */

struct peal_vdev_node {
    struct peal_vdev_link link;
    struct peal_fork_item fork_item;
    size_t size_bytes;
    char path[]; /* for messages */
};

static struct peal_vdev_node *node_of(struct peal_vdev_link *link)
{
    return (struct peal_vdev_node *)link;
}

/*
 * The driver detaches when descriptor and mapping are gone from every process. A child of fork() has both, and must not
 * keep its parent's connection alive: it closes the descriptor, and has private memory in place of the region, so that
 * what it may still do with its copy of the bus touches nobody.
 */
static void let_go_in_child(struct peal_fork_item *item)
{
    struct peal_vdev_node *node = PEAL_FORK_OWNER(item, struct peal_vdev_node, fork_item);
    (void)mmap(node->link.base, node->size_bytes, PROT_READ | PROT_WRITE,
               MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0);
    (void)close(node->link.fd);
    node->link.fd = -1;
}

/* 0 or an errno. */
static int node_ioctl(int fd, unsigned long request, void *argument)
{
    int error = EINTR;
    for (int attempt = 0; attempt < INTERRUPTED_MAX && error == EINTR; attempt++)
        error = ioctl(fd, request, argument) >= 0 ? 0 : errno;
    return error;
}

static enum peal_status fail_running(const struct peal_vdev_link *link, int error)
{
    const char *path = ((const struct peal_vdev_node *)link)->path;
    if (error == ENODEV)
        return peal_fail(PEAL_ESYSTEM,
                         "%s: device gone (unplugged, or the guest_shm driver was unbound); close "
                         "the bus and open it again when the device is back",
                         path);
    return peal_fail(PEAL_ESYSTEM, "%s: the guest_shm driver fails: %s; see dmesg of this guest",
                     path, strerror(error));
}

static enum peal_status fail_open(const char *path, int error)
{
    switch (error) {
    case ENOENT:
    case ENXIO:
    case ENODEV:
        return peal_fail(PEAL_ENOENT,
                         "there is no device %s; load the driver (modprobe guest_shm), see "
                         "whether the host gives this guest a shmem vdev (lspci -d 1c05:0001), or "
                         "name another one by device=",
                         path);
    case EACCES:
    case EPERM:
        return peal_fail(PEAL_EPERM,
                         "no permission to use %s; install the driver's udev rule and let this "
                         "user be in the group guest_shm, or run as root",
                         path);
    case EMFILE:
    case ENFILE:
        return peal_fail(PEAL_ESYSTEM, "cannot open %s: %s; raise RLIMIT_NOFILE (ulimit -n)", path,
                         strerror(error));
    default:
        return peal_fail(PEAL_ESYSTEM, "cannot open %s: %s", path, strerror(error));
    }
}

/* Whether what was opened is a node of a driver that we understand. */
static enum peal_status check_driver(const char *path, int fd)
{
    struct guest_shm_info info = {0};
    const int error = node_ioctl(fd, GUEST_SHM_IOC_INFO, &info);
    if (error == ENODEV)
        return fail_open(path, error);
    if (error != 0)
        return peal_fail(PEAL_EFORMAT,
                         "%s is not a node of the guest_shm driver (%s); name /dev/guest_shm0 or "
                         "the like by device=",
                         path, strerror(error));
    if (info.abi_version != GUEST_SHM_ABI_VERSION)
        return peal_fail(PEAL_EFORMAT,
                         "the guest_shm driver behind %s has ABI version %" PRIu32
                         ", this library wants %d; install driver and library of one release",
                         path, info.abi_version, GUEST_SHM_ABI_VERSION);
    return PEAL_OK;
}

static enum peal_status fail_attach(const char *path, const char *name, int error,
                                    const struct guest_shm_attach *attach)
{
    const struct peal_vdev_wish wish = {path, name, attach->pages};
    switch (error) {
    case EINVAL:
        return peal_fail(PEAL_EINVAL,
                         "%s: the device takes no region '%s' of %" PRIu32 " pages (status %" PRIu32
                         "); use at most 31 characters and the size that the host allows",
                         path, name, attach->pages, attach->gss_status);
    case EACCES:
        return peal_vdev_gss_fail(GSS_NO_PERMISSION, &wish);
    case EUSERS:
        return peal_vdev_gss_fail(GSS_CLIENT_MAX, &wish);
    case EFBIG:
        return peal_fail(PEAL_ENOSPC,
                         "%s: region '%s' is larger than the driver allows; ask for less, or raise "
                         "its parameter max_pages",
                         path, name);
    case ENOMEM:
        if (attach->gss_status != GSS_NOMEM)
            return peal_fail(PEAL_ENOMEM, "%s: this guest's kernel has no memory for region '%s'",
                             path, name);
        return peal_vdev_gss_fail(GSS_NOMEM, &wish);
    case ENODEV:
        return fail_open(path, error);
    default:
        return peal_fail(PEAL_ESYSTEM,
                         "%s: cannot attach to region '%s': %s (status %" PRIu32
                         "); see dmesg of this guest and the log of the host's device",
                         path, name, strerror(error), attach->gss_status);
    }
}

/* Attaches, and believes only what can be. */
static enum peal_status attach_region(const char *path, int fd, const char *name, uint32_t pages,
                                      struct guest_shm_attach *attach)
{
    const size_t length = strnlen(name, sizeof(attach->name));
    if (length == 0 || length >= sizeof(attach->name) || pages == 0)
        return peal_fail(PEAL_EINVAL,
                         "%s: a region needs a name of 1 to 31 characters and at least one page",
                         path);
    *attach = (struct guest_shm_attach){.pages = pages};
    memcpy(attach->name, name, length);
    const int error = node_ioctl(fd, GUEST_SHM_IOC_ATTACH, attach);
    if (error != 0) {
        attach->pages = pages;
        return fail_attach(path, name, error, attach);
    }
    const uint64_t size_bytes = (uint64_t)attach->pages * PEAL_TRANSPORT_PAGE_BYTES;
    if (attach->index >= GUEST_SHM_MAX_CLIENTS || attach->pages == 0 || size_bytes > SIZE_MAX / 2)
        return peal_fail(PEAL_ESYSTEM,
                         "%s: the driver answers index %" PRIu32 " and %" PRIu32
                         " pages for region '%s', which cannot be; see dmesg of this guest",
                         path, attach->index, attach->pages, name);
    return PEAL_OK;
}

static enum peal_status node_notify(struct peal_vdev_link *link, uint32_t targets)
{
    targets &= CLIENTS_MASK;
    if (targets == 0)
        return PEAL_OK;
    /* The argument is the bitset itself; the driver orders our stores before the register. */
    const int error = node_ioctl(link->fd, GUEST_SHM_IOC_NOTIFY, (void *)(uintptr_t)targets);
    return error == 0 ? PEAL_OK : fail_running(link, error);
}

static enum peal_status node_members(struct peal_vdev_link *link, uint32_t *members)
{
    struct guest_shm_info info = {0};
    const int error = node_ioctl(link->fd, GUEST_SHM_IOC_INFO, &info);
    *members = 0;
    if (error != 0)
        return fail_running(link, error);
    *members = info.members & CLIENTS_MASK;
    return PEAL_OK;
}

static enum peal_status node_drain(struct peal_vdev_link *link, struct peal_vdev_news *news)
{
    struct guest_shm_event event = {0};
    ssize_t got = -1;
    int error = EINTR;
    *news = (struct peal_vdev_news){0};
    for (int attempt = 0; attempt < INTERRUPTED_MAX && got < 0 && error == EINTR; attempt++) {
        got = read(link->fd, &event, sizeof(event));
        error = got < 0 ? errno : 0;
    }
    if (error == EAGAIN) /* nothing new; who is there is to be said all the same */
        return node_members(link, &news->members);
    if (error != 0)
        return fail_running(link, error);
    if (got != (ssize_t)sizeof(event))
        return fail_running(link, EIO);
    news->sources = event.sources & CLIENTS_MASK;
    news->members = event.members & CLIENTS_MASK;
    return PEAL_OK;
}

/* The driver detaches when mapping and descriptor are both gone. */
static void node_close(struct peal_vdev_link *link)
{
    struct peal_vdev_node *node = node_of(link);
    peal_fork_lock();
    peal_fork_remove(&node->fork_item);
    (void)munmap(link->base, node->size_bytes);
    if (link->fd >= 0)
        (void)close(link->fd);
    peal_fork_unlock();
    free(node);
}

static const struct peal_vdev_link_ops NODE_OPS = {
    .notify = node_notify,
    .drain = node_drain,
    .members = node_members,
    .close = node_close,
};

/* With an attached descriptor, which stays the caller's on failure. */
static enum peal_status make_link(const char *path, int fd, const struct guest_shm_attach *attach,
                                  struct peal_vdev_link **link)
{
    const size_t size_bytes = (size_t)attach->pages * PEAL_TRANSPORT_PAGE_BYTES;
    const size_t path_bytes = strlen(path) + 1;
    struct peal_vdev_node *node = calloc(1, sizeof(*node) + path_bytes);
    if (node == NULL)
        return peal_fail(PEAL_ENOMEM, "%s: no memory for a connection", path);
    void *base = mmap(NULL, size_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (base == MAP_FAILED) {
        const int error = errno;
        free(node);
        return peal_fail(error == ENOMEM ? PEAL_ENOMEM : PEAL_ESYSTEM,
                         "%s: cannot map %" PRIu32 " pages: %s; raise RLIMIT_AS (ulimit -v) if it "
                         "is set, and see dmesg of this guest",
                         path, attach->pages, strerror(error));
    }
    memcpy(node->path, path, path_bytes);
    node->size_bytes = size_bytes;
    node->link = (struct peal_vdev_link){
        .ops = &NODE_OPS,
        .base = base,
        .pages = attach->pages,
        .index = attach->index,
        .fd = fd,
    };
    node->fork_item.in_child = let_go_in_child;
    peal_fork_add(&node->fork_item);
    *link = &node->link;
    return PEAL_OK;
}

/* The fork lock is held. */
static enum peal_status node_attach(const char *path, const char *name, uint32_t pages,
                                    struct peal_vdev_link **link)
{
    struct guest_shm_attach attach;
    const int fd = open(path, O_RDWR | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0)
        return fail_open(path, errno);
    enum peal_status status = check_driver(path, fd);
    if (status == PEAL_OK)
        status = attach_region(path, fd, name, pages, &attach);
    if (status == PEAL_OK)
        status = make_link(path, fd, &attach, link);
    if (status != PEAL_OK)
        (void)close(fd);
    return status;
}

enum peal_status peal_vdev_node_attach(const char *path, const char *name, uint32_t pages,
                                       struct peal_vdev_link **link)
{
    *link = NULL;
    const int error = peal_fork_watch();
    if (error != 0)
        return peal_fail(PEAL_ENOMEM, "cannot prepare to use %s: %s", path, strerror(error));
    peal_fork_lock();
    const enum peal_status status = node_attach(path, name, pages, link);
    peal_fork_unlock();
    return status;
}
