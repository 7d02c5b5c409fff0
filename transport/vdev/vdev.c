/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The transport contract over one link. Nearly all of it is waiting.
 *
 * The epoch is a word of this process, for a register costs a trap. It moves when somebody drains the link, and when
 * wake_all() is called; nothing reads the device behind our back, so a ring that nobody has drained shows in the descriptor only:
 * `link->fd` polls readable from the ring until the drain. There is no thread of our own. Of those that wait exactly one, the
 * leader, polls the descriptor; the others sleep on the condition.
 *
 *      waiter with epoch e                         everything but poll() is under `lock`
 *        epoch != e?            go
 *        nobody leads?          lead: poll {link->fd, wake_fd} until the deadline, without the lock
 *                               fd readable? drain, epoch += 1, wake the others
 *        somebody leads?        sleep on the condition until the deadline
 *      on the way out           nobody leads, but others sleep: wake one of them, who will
 *
 * No wake-up is lost. A ring that comes after e was read makes fd readable, and it stays so until a drain:
 *  - drained before we take the lock: who drained has moved the epoch before giving the lock back, so epoch != e;
 *  - not drained, and nobody leads: we poll, and poll() looks at fd before it sleeps;
 *  - not drained, and another one leads: he is in poll(), or on his way there or back, and fd wakes him. He drains under the lock
 *    and moves the epoch before anybody else sees it; the condition wakes us, for we have held the lock from our look at the epoch
 *    until we slept on the condition;
 *  - drained by a thread that does not lead, while the leader is in poll() (fd is unreadable again before poll() has looked):
 *    whoever moves the epoch writes wake_fd if there is a leader, who thus comes out and finds it moved;
 *  - the leader leaves by his own deadline: on the way out he wakes one sleeper, who finds nobody leading and begins by poll().
 *    A sleeper who is woken for that and leaves at once, since his own deadline has come, passes it on in the same way.
 * A ring from before e was read may be drained after: that is a wake without cause, which the contract allows.
 *
 * The sources are taken by whoever comes out first. A member that comes, goes or dies counts as a source, since the device tells
 * it by a change of the members only.
 */
#include "transport/vdev/vdev.h"

#include "core/atomic.h"
#include "core/error.h"
#include "transport/base/memory.h"
#include "transport/base/os.h"
#include "transport/vdev/device.h"

#include <errno.h>
#include <guest_shm.h>
#include <inttypes.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#define CLIENTS_MASK ((UINT32_C(1) << GUEST_SHM_MAX_CLIENTS) - 1)
#define NS_PER_S UINT64_C(1000000000)

struct peal_vdev {
    struct peal_transport transport;
    struct peal_vdev_link *link;
    peal_u32 epoch;       /* stored under `lock`, read without */
    pthread_mutex_t lock; /* around all that follows */
    pthread_cond_t moved; /* the epoch moved, or the lead is free */
    uint32_t sleepers;    /* on `moved` */
    uint32_t sources;     /* drained, and told to nobody yet */
    uint32_t members;     /* when it was drained last: what has changed since is a source */
    uint32_t told;        /* the members that we told last, for when the device is gone */
    int wake_fd;
    bool leading; /* somebody is in poll() */
    bool prodded; /* wake_fd was written, for the leader */
    bool gone;    /* the device is */
};

static struct peal_vdev *vdev_of(struct peal_transport *transport)
{
    return (struct peal_vdev *)(void *)transport;
}

/* ---- moving the epoch; under the lock ---- */

static void prod_leader(struct peal_vdev *vdev)
{
    const uint64_t one = 1;
    if (!vdev->leading || vdev->prodded)
        return;
    vdev->prodded = true;
    (void)!write(vdev->wake_fd, &one, sizeof(one));
}

static void move_epoch(struct peal_vdev *vdev)
{
    /* VDEV-R1: pairs with VDEV-A1 in vdev_epoch(). */
    (void)peal_u32_add_acq_rel(&vdev->epoch, 1);
    if (vdev->sleepers != 0)
        (void)pthread_cond_broadcast(&vdev->moved);
    prod_leader(vdev);
}

/* Whoever waits is told once; from then on no wait sleeps. */
static void set_gone(struct peal_vdev *vdev)
{
    if (!vdev->gone)
        move_epoch(vdev);
    vdev->gone = true;
}

/*
 * `interrupted`: there was an interrupt, and the epoch moves whatever is found. It may have been somebody who came and left,
 * or who died and whose index has a new owner, in which the members look as they did.
 */
static void drain(struct peal_vdev *vdev, bool interrupted)
{
    struct peal_vdev_news news = {0};
    if (vdev->gone)
        return;
    if (vdev->link->ops->drain(vdev->link, &news) != PEAL_OK) {
        set_gone(vdev);
        return;
    }
    const uint32_t members = news.members & CLIENTS_MASK;
    const uint32_t others = CLIENTS_MASK & ~(UINT32_C(1) << vdev->transport.index);
    const uint32_t found = (news.sources & CLIENTS_MASK) | ((members ^ vdev->members) & others);
    vdev->sources |= found;
    vdev->members = members;
    vdev->told = members;
    if (interrupted || found != 0)
        move_epoch(vdev);
}

/* ---- waiting ---- */

static bool is_readable(const struct peal_vdev *vdev)
{
    struct pollfd polled = {.fd = vdev->link->fd, .events = POLLIN};
    return poll(&polled, 1, 0) > 0;
}

static struct timespec timespec_of(uint64_t ns)
{
    return (struct timespec){.tv_sec = (time_t)(ns / NS_PER_S), .tv_nsec = (long)(ns % NS_PER_S)};
}

/* Longer than that is for ever, also where time_t has 32 bits. */
static bool is_far(uint64_t ns)
{
    return ns / NS_PER_S > INT32_MAX / 2;
}

/* Until the link has something, somebody prods us, or the deadline. Takes the lock off meanwhile. */
static void lead(struct peal_vdev *vdev, uint64_t left_ns)
{
    struct pollfd polled[] = {{.fd = vdev->link->fd, .events = POLLIN},
                              {.fd = vdev->wake_fd, .events = POLLIN}};
    const struct timespec left = timespec_of(left_ns);
    uint64_t count;
    vdev->leading = true;
    (void)pthread_mutex_unlock(&vdev->lock);
    const int ready = ppoll(polled, 2, is_far(left_ns) ? NULL : &left, NULL);
    (void)pthread_mutex_lock(&vdev->lock);
    vdev->leading = false;
    if (vdev->prodded)
        (void)!read(vdev->wake_fd, &count, sizeof(count));
    vdev->prodded = false;
    /* At the deadline without being asked, too: a device that has lost an interrupt would never raise it again. */
    if (ready == 0 || (ready > 0 && polled[0].revents != 0))
        drain(vdev, ready > 0);
}

/* Until the epoch moves, the lead is free, or the deadline. */
static void follow(struct peal_vdev *vdev, uint64_t deadline_ns)
{
    const struct timespec deadline = timespec_of(deadline_ns);
    vdev->sleepers++;
    if (is_far(deadline_ns))
        (void)pthread_cond_wait(&vdev->moved, &vdev->lock);
    else
        (void)pthread_cond_timedwait(&vdev->moved, &vdev->lock, &deadline);
    vdev->sleepers--;
}

/* Under the lock. */
static void wait_for_epoch(struct peal_vdev *vdev, uint32_t epoch, uint64_t timeout_ns)
{
    const uint64_t deadline_ns = peal_os_deadline_ns(timeout_ns);
    /* relaxed: under the lock. */
    while (!vdev->gone && peal_u32_load_relaxed(&vdev->epoch) == epoch) {
        const uint64_t now_ns = peal_os_now_ns();
        if (now_ns >= deadline_ns)
            break;
        if (vdev->leading)
            follow(vdev, deadline_ns);
        else
            lead(vdev, deadline_ns == UINT64_MAX ? UINT64_MAX : deadline_ns - now_ns);
    }
    if (!vdev->leading && vdev->sleepers != 0)
        (void)pthread_cond_signal(&vdev->moved);
}

static enum peal_status vdev_wait(struct peal_transport *transport, uint32_t epoch,
                                  uint64_t timeout_ns, uint64_t *sources)
{
    struct peal_vdev *vdev = vdev_of(transport);
    (void)pthread_mutex_lock(&vdev->lock);
    /* relaxed: under the lock. */
    if (timeout_ns != 0 && peal_u32_load_relaxed(&vdev->epoch) == epoch)
        wait_for_epoch(vdev, epoch, timeout_ns);
    else if (is_readable(vdev))
        drain(vdev, true);
    *sources = vdev->sources;
    vdev->sources = 0;
    /* relaxed: under the lock. */
    const bool has_moved = peal_u32_load_relaxed(&vdev->epoch) != epoch;
    const bool gone = vdev->gone;
    (void)pthread_mutex_unlock(&vdev->lock);
    if (gone)
        return peal_fail(PEAL_ESYSTEM,
                         "the shmem device of this bus is gone (its driver was unbound, its server "
                         "ended, or the host took the connection away); close the bus, and open it "
                         "again when the device is back");
    return has_moved ? PEAL_OK : PEAL_TIMEDOUT;
}

static void vdev_wake_all(struct peal_transport *transport)
{
    struct peal_vdev *vdev = vdev_of(transport);
    (void)pthread_mutex_lock(&vdev->lock);
    move_epoch(vdev);
    (void)pthread_mutex_unlock(&vdev->lock);
}

static uint32_t vdev_epoch(struct peal_transport *transport)
{
    /* VDEV-A1: pairs with VDEV-R1 in move_epoch(): who sees the epoch of a drain sees what the ringers had stored. */
    return peal_u32_load_acquire(&vdev_of(transport)->epoch);
}

/* ---- the rest ---- */

/* An error shows at the next wait: the link is then gone. */
static void vdev_notify(struct peal_transport *transport, uint64_t targets)
{
    struct peal_vdev *vdev = vdev_of(transport);
    const uint32_t bits = (uint32_t)(targets & CLIENTS_MASK);
    if (bits != 0)
        (void)vdev->link->ops->notify(vdev->link, bits);
}

static int vdev_fd(struct peal_transport *transport)
{
    return vdev_of(transport)->link->fd;
}

static uint64_t vdev_members(struct peal_transport *transport)
{
    struct peal_vdev *vdev = vdev_of(transport);
    uint32_t members = 0;
    (void)pthread_mutex_lock(&vdev->lock);
    if (!vdev->gone && vdev->link->ops->members(vdev->link, &members) == PEAL_OK)
        vdev->told = members & CLIENTS_MASK;
    else
        set_gone(vdev);
    members = vdev->told;
    (void)pthread_mutex_unlock(&vdev->lock);
    return members | UINT64_C(1) << transport->index;
}

static enum peal_status vdev_barrier(struct peal_transport *transport)
{
    (void)transport;
    return PEAL_ENOTSUP;
}

static enum peal_status vdev_unlink(const char *name)
{
    return peal_fail(PEAL_ENOTSUP,
                     "a region of the vdev has no name to remove: '%s' goes when its last client "
                     "has left, or with the rule that made it in the host's configuration",
                     name);
}

/* What the link brought with it is the transport's from here on, and goes with it. */
static void vdev_close(struct peal_transport *transport)
{
    struct peal_vdev *vdev = vdev_of(transport);
    if (vdev->link != NULL)
        vdev->link->ops->close(vdev->link);
    if (vdev->wake_fd >= 0)
        (void)close(vdev->wake_fd);
    (void)pthread_cond_destroy(&vdev->moved);
    (void)pthread_mutex_destroy(&vdev->lock);
    free(vdev);
}

/* With deadlines of CLOCK_MONOTONIC. Cannot fail on Linux. */
static void make_condition(pthread_cond_t *condition)
{
    pthread_condattr_t attributes;
    (void)pthread_condattr_init(&attributes);
    (void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    (void)pthread_cond_init(condition, &attributes);
    (void)pthread_condattr_destroy(&attributes);
}

static enum peal_status wanted_pages(const struct peal_transport_options *options, uint32_t *pages)
{
    uint64_t bytes = 0;
    const enum peal_status status = peal_memory_region_bytes(options, &bytes);
    if (status != PEAL_OK)
        return status;
    if (bytes / PEAL_TRANSPORT_PAGE_BYTES >= UINT32_MAX)
        return peal_fail(PEAL_EINVAL,
                         "a region of %" PRIu64
                         " bytes is more than a vdev can name; it counts pages in 32 bits",
                         bytes);
    *pages = (uint32_t)(bytes / PEAL_TRANSPORT_PAGE_BYTES);
    return PEAL_OK;
}

/* The link's own words are checked once more, for all above relies on them. */
static enum peal_status adopt(struct peal_vdev *vdev, const char *name,
                              const struct peal_transport_options *options)
{
    struct peal_vdev_link *link = vdev->link;
    uint32_t members = 0;
    if (link->index >= GUEST_SHM_MAX_CLIENTS || link->pages == 0 || link->base == NULL)
        return peal_fail(PEAL_ESYSTEM,
                         "the vdev answers index %" PRIu32 " and %" PRIu32
                         " pages for region '%s', which cannot be",
                         link->index, link->pages, name);
    const enum peal_status status = link->ops->members(link, &members);
    if (status != PEAL_OK)
        return status;
    vdev->members = (members & CLIENTS_MASK) | UINT32_C(1) << link->index;
    vdev->told = vdev->members;
    if (options->must_exist && vdev->members == UINT32_C(1) << link->index)
        return peal_fail(
            PEAL_ENOENT,
            "nobody uses the vdev's region '%s' now, and so it does not exist; open it "
            "first where it is to be created",
            name);
    vdev->transport.ops = &peal_transport_vdev_ops;
    vdev->transport.base = link->base;
    vdev->transport.size_bytes = (uint64_t)link->pages * PEAL_TRANSPORT_PAGE_BYTES;
    vdev->transport.index = link->index;
    vdev->transport.capacity = GUEST_SHM_MAX_CLIENTS;
    vdev->transport.capabilities =
        PEAL_TRANSPORT_PROCESS_DEATH | PEAL_TRANSPORT_MEMBER_EVENTS | PEAL_TRANSPORT_COSTLY_NOTIFY;
    return peal_memory_prepare(link->base, (size_t)vdev->transport.size_bytes, options);
}

static enum peal_status attach(struct peal_vdev *vdev, const char *name,
                               const struct peal_transport_options *options)
{
    const uint64_t timeout_ns =
        options->timeout_ns != 0 ? options->timeout_ns : PEAL_TRANSPORT_TIMEOUT_DEFAULT_NS;
    uint32_t pages = 0;
    enum peal_status status = wanted_pages(options, &pages);
    if (status != PEAL_OK)
        return status;
    vdev->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (vdev->wake_fd < 0)
        return peal_fail(PEAL_ESYSTEM,
                         "cannot make an eventfd for the vdev's region '%s': %s; raise "
                         "RLIMIT_NOFILE",
                         name, strerror(errno));
    status = peal_vdev_device_attach(options->device, name, pages, timeout_ns, &vdev->link);
    return status == PEAL_OK ? adopt(vdev, name, options) : status;
}

static enum peal_status vdev_open(const char *name, const struct peal_transport_options *options,
                                  struct peal_transport **transport)
{
    struct peal_vdev *vdev = calloc(1, sizeof(*vdev));
    if (vdev == NULL)
        return peal_fail(PEAL_ENOMEM, "no memory for a transport; free some");
    vdev->wake_fd = -1;
    (void)pthread_mutex_init(&vdev->lock, NULL);
    make_condition(&vdev->moved);
    const enum peal_status status = attach(vdev, name, options);
    if (status != PEAL_OK) {
        vdev_close(&vdev->transport);
        return status;
    }
    *transport = &vdev->transport;
    return PEAL_OK;
}

const struct peal_transport_ops peal_transport_vdev_ops = {
    .scheme = "vdev",
    .open = vdev_open,
    .close = vdev_close,
    .notify = vdev_notify,
    .epoch = vdev_epoch,
    .wait = vdev_wait,
    .wake_all = vdev_wake_all,
    .fd = vdev_fd,
    .members = vdev_members,
    .barrier = vdev_barrier,
    .unlink = vdev_unlink,
};
