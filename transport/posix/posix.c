/* SPDX-License-Identifier: Apache-2.0 */
#include "transport/posix/posix.h"

#include "core/error.h"
#include "transport/base/memory.h"
#include "transport/base/os.h"
#include "transport/posix/posix_fifo.h"
#include "transport/posix/posix_fork.h"
#include "transport/posix/posix_lock.h"
#include "transport/posix/posix_object.h"
#include "transport/posix/posix_remove.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

static struct peal_posix *posix_of(struct peal_transport *transport)
{
    return (struct peal_posix *)(void *)transport;
}

static struct peal_posix *allocate(const char *name)
{
    struct peal_posix *posix = calloc(1, sizeof(*posix));
    if (posix == NULL)
        return NULL;
    posix->transport.ops = &peal_transport_posix_ops;
    posix->transport.capacity = PEAL_POSIX_CLIENTS;
    (void)snprintf(posix->name, sizeof(posix->name), "%s", name);
    posix->lock_fd = -1;
    for (uint32_t i = 0; i < PEAL_POSIX_CLIENTS; i++)
        posix->peers[i].descriptor = -1;
    if (pthread_mutex_init(&posix->mutex, NULL) != 0) {
        free(posix);
        return NULL;
    }
    return posix;
}

static void release(struct peal_posix *posix)
{
    if (posix->map != NULL)
        (void)munmap(posix->map, posix->map_bytes);
    (void)pthread_mutex_destroy(&posix->mutex);
    free(posix);
}

/* The lowest index that is free: a client that stays keeps few GETLK calls for the others. */
static enum peal_status acquire_index(struct peal_posix *posix, uint64_t members)
{
    for (uint32_t index = 0; index < PEAL_POSIX_CLIENTS; index++) {
        if ((members >> index & 1u) != 0)
            continue;
        if (peal_posix_lock_try(posix->lock_fd, PEAL_POSIX_LOCK_BASE + index) == 0) {
            posix->transport.index = index;
            return PEAL_OK;
        }
    }
    return peal_fail(PEAL_ELIMIT,
                     "region '%s' has %u clients, and that is the limit; close one, or let threads "
                     "of one process share a bus",
                     posix->name, PEAL_POSIX_CLIENTS);
}

/* The record may hold what a dead owner left, or anything. */
static void reset_record(struct peal_posix *posix)
{
    struct peal_posix_client *self = posix->self;
    /* relaxed: the index is ours; a ring from before concerns the former owner, and every newcomer
     * looks at all rings before it first sleeps. */
    const uint64_t old_fifo = peal_u64_load_relaxed(&self->fifo);
    peal_u64_store_relaxed(&self->fifo, 0);
    peal_doorbell_reset(&self->bell);
    peal_u64_store_relaxed(&self->incarnation, peal_os_random());
    peal_posix_fifo_remove_dead(posix->name, old_fifo);
}

static uint64_t others(const struct peal_posix *posix)
{
    return peal_posix_lock_holders(posix->lock_fd, PEAL_POSIX_LOCK_BASE, PEAL_POSIX_CLIENTS) &
           ~(UINT64_C(1) << posix->transport.index);
}

/*
 * `always`: also where our bit is pending already. It may be that of a former owner of our index who
 * died before the byte was in the FIFO, so whoever comes or goes does not trust it.
 */
static void ring(struct peal_posix *posix, uint64_t targets, bool always)
{
    while (targets != 0) {
        const uint32_t target = (uint32_t)__builtin_ctzll(targets);
        targets &= targets - 1;
        const bool is_new = peal_doorbell_ring(&posix->clients[target].bell, PEAL_DOORBELL_SHARED,
                                               posix->transport.index);
        if (is_new || always)
            peal_posix_fifo_ring(posix, target);
    }
}

static enum peal_status enter(struct peal_posix *posix,
                              const struct peal_transport_options *options,
                              const struct peal_posix_object *object)
{
    enum peal_status status = peal_posix_object_map(posix, object);
    if (status != PEAL_OK)
        return status;
    posix->clients = (void *)(posix->map + PEAL_POSIX_CLIENTS_OFFSET);
    posix->transport.base = posix->map + PEAL_POSIX_CONTROL_BYTES;
    posix->transport.size_bytes = object->region_bytes;
    if (options->prefault || options->lock_memory || options->huge_pages)
        status = peal_memory_prepare(posix->map, posix->map_bytes, options);
    if (status == PEAL_OK)
        status = acquire_index(posix, object->members);
    if (status != PEAL_OK)
        return status;
    posix->self = &posix->clients[posix->transport.index];
    reset_record(posix);
    posix->transport.capabilities = PEAL_TRANSPORT_PROCESS_DEATH | PEAL_TRANSPORT_COSTLY_NOTIFY |
                                    PEAL_TRANSPORT_ONE_KERNEL | PEAL_TRANSPORT_ONE_CLOCK;
    if (peal_os_barrier_register())
        posix->transport.capabilities |= PEAL_TRANSPORT_BARRIER;
    return PEAL_OK;
}

/* One attempt. PEAL_AGAIN: the object was unlinked under our hands. */
static enum peal_status open_once(const char *name, const struct peal_transport_options *options,
                                  struct peal_transport **transport)
{
    struct peal_posix_object object = {0};
    struct peal_posix *posix = allocate(name);
    if (posix == NULL)
        return peal_fail(PEAL_ENOMEM, "no memory for a transport; free some");
    enum peal_status status = peal_posix_fork_add(posix);
    if (status != PEAL_OK) {
        release(posix);
        return status;
    }
    status = peal_posix_object_obtain(posix, options, &object);
    if (status == PEAL_OK)
        status = enter(posix, options, &object);
    if (status != PEAL_OK) {
        peal_posix_object_abandon(posix, &object);
        peal_posix_fork_remove(posix);
        release(posix);
        return status;
    }
    peal_posix_lock_release(posix->lock_fd, PEAL_POSIX_LOCK_INIT);
    ring(posix, object.members, true);
    *transport = &posix->transport;
    return PEAL_OK;
}

static enum peal_status posix_open(const char *name, const struct peal_transport_options *options,
                                   struct peal_transport **transport)
{
    enum peal_status status = PEAL_AGAIN;
    for (int attempt = 0; attempt < 100 && status == PEAL_AGAIN; attempt++)
        status = open_once(name, options, transport);
    if (status == PEAL_AGAIN)
        status =
            peal_fail(PEAL_TIMEDOUT,
                      "region '%s' is removed and made again faster than it can be opened; find "
                      "out who removes it",
                      name);
    return status;
}

static void posix_close(struct peal_transport *transport)
{
    struct peal_posix *posix = posix_of(transport);
    if (!posix->forked) {
        const struct peal_posix_object kept = {.created = false};
        const uint64_t remaining = others(posix);
        /* relaxed: our own record, still under our lock. */
        peal_u64_store_relaxed(&posix->self->incarnation, 0);
        peal_posix_fifo_retire(posix);
        /* First out of the members, then ring: whoever looks then sees us gone. */
        peal_posix_lock_release(posix->lock_fd, PEAL_POSIX_LOCK_BASE + transport->index);
        ring(posix, remaining, true);
        peal_posix_fifo_close(posix);
        peal_posix_object_abandon(posix, &kept);
    }
    peal_posix_fork_remove(posix);
    release(posix);
}

static void posix_notify(struct peal_transport *transport, uint64_t targets)
{
    ring(posix_of(transport), targets, false);
}

static uint32_t posix_epoch(struct peal_transport *transport)
{
    return peal_doorbell_epoch(&posix_of(transport)->self->bell);
}

static enum peal_status posix_wait(struct peal_transport *transport, uint32_t epoch,
                                   uint64_t timeout_ns, uint64_t *sources)
{
    struct peal_posix *posix = posix_of(transport);
    struct peal_doorbell *bell = &posix->self->bell;
    const bool moved = peal_doorbell_sleep(bell, PEAL_DOORBELL_SHARED, epoch, timeout_ns);
    /* The FIFO first: a ring between the two leaves a byte without a bit, which is a wake without
     * cause; the other way round it would leave a bit without a byte, which nobody would see. */
    peal_posix_fifo_empty(posix);
    *sources = peal_doorbell_drain(bell);
    return moved ? PEAL_OK : PEAL_TIMEDOUT;
}

static void posix_wake_all(struct peal_transport *transport)
{
    peal_doorbell_bump(&posix_of(transport)->self->bell, PEAL_DOORBELL_SHARED);
}

static int posix_fd(struct peal_transport *transport)
{
    return peal_posix_fifo_own(posix_of(transport));
}

static uint64_t posix_members(struct peal_transport *transport)
{
    return others(posix_of(transport)) | UINT64_C(1) << transport->index;
}

static enum peal_status posix_barrier(struct peal_transport *transport)
{
    if ((transport->capabilities & PEAL_TRANSPORT_BARRIER) == 0)
        return PEAL_ENOTSUP;
    return peal_os_barrier();
}

const struct peal_transport_ops peal_transport_posix_ops = {
    .scheme = "posix",
    .open = posix_open,
    .close = posix_close,
    .notify = posix_notify,
    .epoch = posix_epoch,
    .wait = posix_wait,
    .wake_all = posix_wake_all,
    .fd = posix_fd,
    .members = posix_members,
    .barrier = posix_barrier,
    .unlink = peal_posix_object_unlink,
    .remove_idle = peal_posix_remove_idle,
};
