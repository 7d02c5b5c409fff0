/* SPDX-License-Identifier: Apache-2.0 */
#include "bus/descriptor.h"

#include "bus/sleeper.h"
#include "core/error.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

void peal_descriptor_init(struct peal_bus *bus)
{
    bus->descriptor.epoll_fd = -1;
    bus->descriptor.event_fd = -1;
}

/* Under sleepers_lock, or with the last reference. */
void peal_descriptor_close(struct peal_bus *bus)
{
    if (bus->descriptor.epoll_fd >= 0)
        (void)close(bus->descriptor.epoll_fd);
    if (bus->descriptor.event_fd >= 0)
        (void)close(bus->descriptor.event_fd);
    peal_descriptor_init(bus);
}

static void make_readable(struct peal_bus *bus)
{
    const uint64_t one = 1;
    /* Fails only when it is readable already. */
    if (bus->descriptor.event_fd >= 0)
        (void)!write(bus->descriptor.event_fd, &one, sizeof(one));
}

/* PEAL_ESYSTEM, with a message: nothing will ever make it readable for a ring again. */
static enum peal_status make_unreadable(struct peal_bus *bus)
{
    struct peal_transport *transport = bus->transport;
    uint64_t count, sources;
    if (bus->descriptor.event_fd >= 0)
        (void)!read(bus->descriptor.event_fd, &count, sizeof(count));
    const enum peal_status status =
        transport->ops->wait(transport, transport->ops->epoch(transport), 0, &sources);
    return status == PEAL_ESYSTEM ? status : PEAL_OK;
}

void peal_descriptor_pass_on(struct peal_bus *bus)
{
    /* relaxed: if a ring was meant for the descriptor, its ringer had seen our bit, which was set
     * after this word; the ring that we have drained brought it along. */
    if (peal_u32_load_relaxed(&bus->descriptor.armed) != 0)
        peal_descriptor_wake(bus);
}

void peal_descriptor_wake(struct peal_bus *bus)
{
    (void)pthread_mutex_lock(&bus->sleepers_lock);
    make_readable(bus);
    (void)pthread_mutex_unlock(&bus->sleepers_lock);
}

static bool watch(int epoll_fd, int fd)
{
    struct epoll_event event = {.events = EPOLLIN};
    return epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event) == 0;
}

/* Under sleepers_lock. */
static enum peal_status open_descriptor(struct peal_bus *bus)
{
    const int transport_fd = bus->transport->ops->fd(bus->transport);
    if (transport_fd < 0)
        return peal_fail_context(PEAL_ESYSTEM, "no descriptor for the bus");
    bus->descriptor.epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    bus->descriptor.event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (bus->descriptor.epoll_fd >= 0 && bus->descriptor.event_fd >= 0 &&
        watch(bus->descriptor.epoll_fd, transport_fd) &&
        watch(bus->descriptor.epoll_fd, bus->descriptor.event_fd))
        return PEAL_OK;
    const int error = errno;
    peal_descriptor_close(bus);
    return peal_fail(PEAL_ESYSTEM, "no descriptor for the bus: %s; raise RLIMIT_NOFILE",
                     strerror(error));
}

enum peal_status peal_bus_fd(struct peal_bus *bus, int *fd)
{
    if (bus == NULL || fd == NULL)
        return peal_fail(PEAL_EINVAL, "peal_bus_fd needs a bus and a place for the descriptor");
    *fd = -1;
    if (peal_bus_is_closed(bus))
        return peal_fail(PEAL_CLOSED, "the bus is closed; ask for its descriptor before");
    (void)pthread_mutex_lock(&bus->sleepers_lock);
    enum peal_status status = bus->descriptor.epoll_fd >= 0 ? PEAL_OK : open_descriptor(bus);
    *fd = bus->descriptor.epoll_fd;
    (void)pthread_mutex_unlock(&bus->sleepers_lock);
    return status;
}

/* The descriptor counts as one sleeper while it is armed. Under sleepers_lock. */
static bool set_armed(struct peal_bus *bus, bool armed)
{
    /* relaxed: written under the lock; see peal_descriptor_pass_on() for who reads it without. */
    const bool changes = (peal_u32_load_relaxed(&bus->descriptor.armed) != 0) != armed;
    peal_u32_store_relaxed(&bus->descriptor.armed, armed);
    return changes;
}

enum peal_status peal_bus_disarm(struct peal_bus *bus)
{
    if (bus == NULL)
        return peal_fail(PEAL_EINVAL, "peal_bus_disarm needs a bus");
    (void)pthread_mutex_lock(&bus->sleepers_lock);
    const bool changes = set_armed(bus, false);
    const enum peal_status status = make_unreadable(bus);
    (void)pthread_mutex_unlock(&bus->sleepers_lock);
    if (changes)
        peal_sleepers_leave(bus);
    return status;
}

enum peal_status peal_bus_arm(struct peal_bus *bus)
{
    if (bus == NULL)
        return peal_fail(PEAL_EINVAL, "peal_bus_arm needs a bus");
    if (peal_bus_is_closed(bus))
        return peal_fail(PEAL_CLOSED, "the bus is closed; leave the event loop");
    peal_bus_show_counters(bus, peal_clock_ns());
    (void)peal_bus_look_for_dead(bus, bus->safety_net_ns);
    (void)pthread_mutex_lock(&bus->sleepers_lock);
    if (set_armed(bus, true))
        bus->sleepers++;
    (void)pthread_mutex_unlock(&bus->sleepers_lock);
    if (!peal_sleepers_may_arm(bus, peal_clock_ns())) {
        peal_descriptor_wake(bus); /* too early to ask again, so the loop looks once more */
        return PEAL_OK;
    }
    if (!peal_sleepers_arm(bus)) {
        (void)peal_bus_disarm(bus);
        return peal_fail(PEAL_ENOTSUP,
                         "this process may not use membarrier(2), on which other clients rely, so "
                         "rings toward the descriptor could be missed; allow the system call in "
                         "the sandbox, or wait in a waitset");
    }
    if (peal_endpoint_any_ready(bus))
        peal_descriptor_wake(bus);
    return PEAL_OK;
}
