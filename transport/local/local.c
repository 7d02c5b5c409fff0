/* SPDX-License-Identifier: Apache-2.0 */
#include "transport/local/local.h"

#include "core/error.h"
#include "transport/base/memory.h"
#include "transport/base/os.h"
#include "transport/local/local_region.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct peal_local {
    struct peal_transport transport;
    struct peal_local_region *region;
    struct peal_local_client *self;
    peal_u32 killed;
    struct peal_doorbell grave; /* the bell of the killed, since `self` may have a new owner */
    int fd;                     /* ours to close; guarded by the region's fd_mutex; -1: none */
};

static struct peal_local *local_of(struct peal_transport *transport)
{
    return (struct peal_local *)(void *)transport;
}

static uint64_t bit_of(const struct peal_local *local)
{
    return UINT64_C(1) << local->transport.index;
}

static uint64_t members_of(const struct peal_local_region *region)
{
    /* LOCAL-A1: pairs with LOCAL-R1 and LOCAL-R2 in enter() and leave(). */
    return peal_u64_load_acquire(&region->members);
}

static bool is_killed(const struct peal_local *local)
{
    /* LOCAL-A2: pairs with LOCAL-R3 in peal_local_kill(). */
    return peal_u32_load_acquire(&local->killed) != 0;
}

static struct peal_doorbell *bell_of(struct peal_local *local)
{
    return is_killed(local) ? &local->grave : &local->self->bell;
}

/* Makes the target's descriptor readable, if it wants that. */
static void ring_fd(struct peal_local_region *region, uint32_t target)
{
    struct peal_local_client *client = &region->clients[target];
    const uint64_t one = 1;
    /* The pending bit is set, then this is read; the owner sets this, then looks for pending bits.
     * LOCAL-F2: pairs with LOCAL-F1 in local_fd(). */
    if (peal_u32_load_seq_cst(&client->fd_wanted) == 0)
        return;
    (void)pthread_mutex_lock(&region->fd_mutex);
    if (client->fd >= 0)
        (void)!write(client->fd, &one, sizeof(one));
    (void)pthread_mutex_unlock(&region->fd_mutex);
}

static void ring(struct peal_local_region *region, uint64_t targets, uint32_t source)
{
    targets &= members_of(region);
    while (targets != 0) {
        const uint32_t target = (uint32_t)__builtin_ctzll(targets);
        targets &= targets - 1;
        if (peal_doorbell_ring(&region->clients[target].bell, PEAL_DOORBELL_PRIVATE, source))
            ring_fd(region, target);
    }
}

static enum peal_status acquire_index(struct peal_local *local)
{
    struct peal_local_region *region = local->region;
    const uint64_t members = members_of(region);
    uint32_t index = 0;
    while (index < region->capacity && (members >> index & 1u) != 0)
        index++;
    if (index == region->capacity)
        return peal_fail(
            PEAL_ELIMIT,
            "local region '%s' has %u clients, and that is the limit; close one, or let "
            "threads share a bus",
            region->name, region->capacity);
    local->transport.index = index;
    local->self = &region->clients[index];
    return PEAL_OK;
}

/* Finds or makes the region, and takes an index in it; the list is locked. */
static enum peal_status enter(struct peal_local *local, const char *name,
                              const struct peal_transport_options *options)
{
    uint64_t wanted_bytes = 0;
    enum peal_status status = peal_memory_region_bytes(options, &wanted_bytes);
    if (status != PEAL_OK)
        return status;
    struct peal_local_region *region = peal_local_region_find(name);
    if (region == NULL && options->must_exist)
        return peal_fail(PEAL_ENOENT,
                         "there is no local region '%s' in this process; open it first where it is "
                         "to be created",
                         name);
    if (region != NULL && members_of(region) == 0 && options->size_bytes != 0 &&
        !options->must_exist && region->size_bytes != wanted_bytes) {
        peal_local_region_unname(region);
        region = NULL;
    }
    if (region == NULL)
        status = peal_local_region_create(name, wanted_bytes, &region);
    if (status != PEAL_OK)
        return status;
    local->region = region;
    status = acquire_index(local);
    if (status != PEAL_OK)
        return status;
    region->handles++;
    peal_doorbell_reset(&local->self->bell);
    /* LOCAL-R1: pairs with LOCAL-A1; a ringer that sees us sees our bell reset. */
    (void)peal_u64_or_acq_rel(&region->members, bit_of(local));
    return PEAL_OK;
}

/* Out of the members; what is left to ring is returned. The list is locked. */
static uint64_t leave(struct peal_local *local)
{
    struct peal_local_region *region = local->region;
    (void)pthread_mutex_lock(&region->fd_mutex);
    /* relaxed: a ringer that still sees 1 finds no descriptor under the mutex. */
    peal_u32_store_relaxed(&local->self->fd_wanted, 0);
    local->self->fd = -1;
    (void)pthread_mutex_unlock(&region->fd_mutex);
    /* LOCAL-R2: pairs with LOCAL-A1. */
    return peal_u64_and_acq_rel(&region->members, ~bit_of(local)) & ~bit_of(local);
}

static void local_close(struct peal_transport *transport)
{
    struct peal_local *local = local_of(transport);
    struct peal_local_region *region = local->region;
    peal_local_lock();
    if (!is_killed(local)) {
        const uint64_t remaining = leave(local);
        ring(region, remaining, transport->index);
        if (remaining == 0 && region->named)
            peal_local_region_unname(region);
    }
    peal_local_region_drop(region);
    peal_local_unlock();
    if (local->fd >= 0)
        (void)close(local->fd);
    free(local);
}

static enum peal_status local_open(const char *name, const struct peal_transport_options *options,
                                   struct peal_transport **transport)
{
    struct peal_local *local = calloc(1, sizeof(*local));
    if (local == NULL)
        return peal_fail(PEAL_ENOMEM, "no memory for a transport; free some");
    local->fd = -1;
    peal_local_lock();
    enum peal_status status = enter(local, name, options);
    peal_local_unlock();
    if (status != PEAL_OK) {
        free(local);
        return status;
    }
    struct peal_local_region *region = local->region;
    local->transport.ops = &peal_transport_local_ops;
    local->transport.base = region->base;
    local->transport.size_bytes = region->size_bytes;
    local->transport.capacity = region->capacity;
    local->transport.capabilities = PEAL_TRANSPORT_PROCESS_DEATH | PEAL_TRANSPORT_MEMBER_EVENTS |
                                    PEAL_TRANSPORT_COSTLY_NOTIFY | PEAL_TRANSPORT_ONE_CLOCK;
    if (peal_os_barrier_register())
        local->transport.capabilities |= PEAL_TRANSPORT_BARRIER;
    status = peal_memory_prepare(region->base, (size_t)region->size_bytes, options);
    if (status != PEAL_OK) {
        local_close(&local->transport);
        return status;
    }
    ring(region, ~bit_of(local), local->transport.index);
    *transport = &local->transport;
    return PEAL_OK;
}

void peal_local_kill(struct peal_transport *transport)
{
    struct peal_local *local = local_of(transport);
    struct peal_local_region *region = local->region;
    peal_local_lock();
    if (!is_killed(local)) {
        /* LOCAL-R3: pairs with LOCAL-A2 in is_killed(). */
        peal_u32_store_release(&local->killed, 1);
        uint64_t remaining = leave(local);
        peal_doorbell_bump(&local->self->bell,
                           PEAL_DOORBELL_PRIVATE); /* its own sleepers leave it */
        while (remaining != 0) {
            const uint32_t target = (uint32_t)__builtin_ctzll(remaining);
            remaining &= remaining - 1;
            peal_doorbell_bump(&region->clients[target].bell, PEAL_DOORBELL_PRIVATE);
            ring_fd(region, target);
        }
    }
    peal_local_unlock();
}

static void local_notify(struct peal_transport *transport, uint64_t targets)
{
    struct peal_local *local = local_of(transport);
    if (!is_killed(local))
        ring(local->region, targets, transport->index);
}

static uint32_t local_epoch(struct peal_transport *transport)
{
    return peal_doorbell_epoch(bell_of(local_of(transport)));
}

static void empty_fd(struct peal_local *local)
{
    uint64_t count;
    /* relaxed: only we set it, and a thread that does not see it yet finds nothing to empty. */
    if (peal_u32_load_relaxed(&local->self->fd_wanted) == 0)
        return;
    (void)pthread_mutex_lock(&local->region->fd_mutex);
    if (local->fd >= 0)
        (void)!read(local->fd, &count, sizeof(count));
    (void)pthread_mutex_unlock(&local->region->fd_mutex);
}

static enum peal_status local_wait(struct peal_transport *transport, uint32_t epoch,
                                   uint64_t timeout_ns, uint64_t *sources)
{
    struct peal_local *local = local_of(transport);
    struct peal_doorbell *bell = bell_of(local);
    *sources = 0;
    const bool moved = peal_doorbell_sleep(bell, PEAL_DOORBELL_PRIVATE, epoch, timeout_ns);
    if (is_killed(local)) /* what is pending is the new owner's */
        return moved ? PEAL_OK : PEAL_TIMEDOUT;
    /* The descriptor first: a ring between the two is then a wake without cause, not a lost one. */
    empty_fd(local);
    *sources = peal_doorbell_drain(bell);
    return moved ? PEAL_OK : PEAL_TIMEDOUT;
}

static void local_wake_all(struct peal_transport *transport)
{
    peal_doorbell_bump(bell_of(local_of(transport)), PEAL_DOORBELL_PRIVATE);
}

static int local_fd(struct peal_transport *transport)
{
    struct peal_local *local = local_of(transport);
    struct peal_local_region *region = local->region;
    (void)pthread_mutex_lock(&region->fd_mutex);
    if (local->fd < 0 && !is_killed(local)) {
        local->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
        if (local->fd < 0)
            (void)peal_fail(PEAL_ESYSTEM,
                            "cannot make an eventfd for local region '%s': %s; raise RLIMIT_NOFILE",
                            region->name, strerror(errno));
        local->self->fd = local->fd;
        /* LOCAL-F1: pairs with LOCAL-F2 in ring_fd(). */
        peal_u32_store_seq_cst(&local->self->fd_wanted, local->fd >= 0);
        const uint64_t one = 1;
        if (local->fd >= 0 && peal_doorbell_is_pending(&local->self->bell))
            (void)!write(local->fd, &one, sizeof(one));
    }
    const int descriptor = local->fd;
    (void)pthread_mutex_unlock(&region->fd_mutex);
    return descriptor;
}

static uint64_t local_members(struct peal_transport *transport)
{
    return members_of(local_of(transport)->region);
}

static enum peal_status local_barrier(struct peal_transport *transport)
{
    if ((transport->capabilities & PEAL_TRANSPORT_BARRIER) == 0)
        return PEAL_ENOTSUP;
    return peal_os_barrier();
}

static enum peal_status local_unlink(const char *name)
{
    peal_local_lock();
    struct peal_local_region *region = peal_local_region_find(name);
    if (region != NULL)
        peal_local_region_unname(region);
    peal_local_unlock();
    if (region == NULL)
        return peal_fail(PEAL_ENOENT, "there is no local region '%s' in this process to remove",
                         name);
    return PEAL_OK;
}

const struct peal_transport_ops peal_transport_local_ops = {
    .scheme = "local",
    .open = local_open,
    .close = local_close,
    .notify = local_notify,
    .epoch = local_epoch,
    .wait = local_wait,
    .wake_all = local_wake_all,
    .fd = local_fd,
    .members = local_members,
    .barrier = local_barrier,
    .unlink = local_unlink,
};
