/* SPDX-License-Identifier: Apache-2.0 */
#include "transport/vdev/protocol.h"

#include "core/atomic.h"
#include "core/error.h"

#include <guest_shm.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define FACTORY(field) offsetof(struct guest_shm_factory, field)
#define CONTROL(field) offsetof(struct guest_shm_control, field)
#define CLIENTS_MASK ((UINT32_C(1) << GUEST_SHM_MAX_CLIENTS) - 1)
#define PAGE UINT64_C(4096)

struct protocol_link {
    struct peal_vdev_link link;
    struct peal_vdev_registers *registers;
    uint64_t control;
    pthread_mutex_t lock; /* around each read of `status` and `kept` */
    uint32_t kept;        /* sources that were read and not yet drained */
};

/* What the device answered to an attach. */
struct answer {
    uint64_t shmem;
    uint32_t vector;
    uint32_t pages;
    uint32_t index;
};

static struct protocol_link *protocol_of(struct peal_vdev_link *link)
{
    return (struct protocol_link *)(void *)link;
}

/* ---- registers ---- */

static enum peal_status read32(struct peal_vdev_registers *registers, uint64_t address,
                               uint32_t *value)
{
    uint64_t wide = 0;
    const enum peal_status status = registers->ops->read(registers, address, 4, &wide);
    *value = (uint32_t)wide;
    return status;
}

/* Two accesses of 4 bytes, for devices behind a bus of 32 bits. */
static enum peal_status read_halves(struct peal_vdev_registers *registers, uint64_t address,
                                    uint64_t *value)
{
    uint32_t low = 0, high = 0;
    enum peal_status status = read32(registers, address, &low);
    if (status == PEAL_OK)
        status = read32(registers, address + 4, &high);
    *value = (uint64_t)high << 32 | low;
    return status;
}

/* All ones is how a refused access reads. */
static enum peal_status read64(struct peal_vdev_registers *registers, uint64_t address,
                               uint64_t *value)
{
    const enum peal_status status = registers->ops->read(registers, address, 8, value);
    if (status != PEAL_OK || *value != UINT64_MAX)
        return status;
    return read_halves(registers, address, value);
}

static enum peal_status write32(struct peal_vdev_registers *registers, uint64_t address,
                                uint32_t value, bool posted)
{
    return registers->ops->write(registers, address, 4, value, posted);
}

/* ---- the factory page ---- */

enum peal_status peal_vdev_gss_fail(uint32_t gss_status, const struct peal_vdev_wish *wish)
{
    switch (gss_status) {
    case GSS_OK:
        return PEAL_OK;
    case GSS_NOMEM:
        return peal_fail(PEAL_ENOSPC,
                         "%s: the host has no room for region '%s' of %" PRIu32
                         " pages (GSS_NOMEM); ask for less (size=), or give the vdev more",
                         wish->device, wish->name, wish->pages);
    case GSS_CLIENT_MAX:
        return peal_fail(PEAL_ELIMIT,
                         "%s: region '%s' has %d clients, which is all the device can do "
                         "(GSS_CLIENT_MAX); close one, or let threads share a bus",
                         wish->device, wish->name, GUEST_SHM_MAX_CLIENTS);
    case GSS_ILLEGAL_NAME:
        return peal_fail(PEAL_EINVAL,
                         "%s: the device does not take the name '%s' (GSS_ILLEGAL_NAME); choose a "
                         "shorter or plainer one, and see whether the host puts a prefix before it",
                         wish->device, wish->name);
    case GSS_NO_PERMISSION:
        return peal_fail(PEAL_EPERM,
                         "%s: the host forbids region '%s' to this guest (GSS_NO_PERMISSION); "
                         "allow it in the vdev's configuration of this guest",
                         wish->device, wish->name);
    case GSS_DOES_NOT_EXIST:
        return peal_fail(PEAL_ENOENT,
                         "%s: there is no region '%s' (GSS_DOES_NOT_EXIST); open it first where it "
                         "is to be created",
                         wish->device, wish->name);
    case GSS_UNKNOWN_FAILURE:
    default:
        return peal_fail(PEAL_ESYSTEM,
                         "%s: the device could not make region '%s' of %" PRIu32
                         " pages (status %" PRIu32 "); see the log of the host's device",
                         wish->device, wish->name, wish->pages, gss_status);
    }
}

static enum peal_status check_signature(struct peal_vdev_registers *registers)
{
    uint64_t signature = 0;
    const uint64_t address = registers->factory + FACTORY(signature);
    enum peal_status status = registers->ops->read(registers, address, 8, &signature);
    if (status == PEAL_OK && signature != GUEST_SHM_SIGNATURE)
        status = read_halves(registers, address, &signature);
    if (status != PEAL_OK || signature == GUEST_SHM_SIGNATURE)
        return status;
    return peal_fail(PEAL_EFORMAT,
                     "%s is no shmem vdev: its signature is 0x%016" PRIx64
                     "; name the right one by device=",
                     registers->device, signature);
}

/* A byte each: devices were seen that fault on a wider store. Posted, for the trigger comes after them in any case. */
static enum peal_status write_name(struct peal_vdev_registers *registers, const char *name)
{
    const size_t length = strnlen(name, GUEST_SHM_MAX_NAME);
    if (length == 0 || length >= GUEST_SHM_MAX_NAME)
        return peal_fail(PEAL_EINVAL, "a region of the vdev needs a name of 1 to %d characters",
                         GUEST_SHM_MAX_NAME - 1);
    enum peal_status status = PEAL_OK;
    for (size_t i = 0; i <= length && status == PEAL_OK; i++)
        status = registers->ops->write(registers, registers->factory + FACTORY(name) + i, 1,
                                       (unsigned char)name[i], true);
    return status;
}

/* The transaction; the way is locked. `attached`: the device says so, and whatever fails afterwards has to detach. */
static enum peal_status transact(struct peal_vdev_registers *registers,
                                 const struct peal_vdev_wish *wish, struct answer *answer,
                                 bool *attached)
{
    uint32_t gss_status = GSS_UNKNOWN_FAILURE;
    enum peal_status status = write_name(registers, wish->name);
    if (status == PEAL_OK)
        status = write32(registers, registers->factory + FACTORY(size), wish->pages, false);
    if (status != PEAL_OK)
        return status;
    /* From here on we may be attached. These two are asked once more if need be: without them nothing can be detached. */
    status = read32(registers, registers->factory + FACTORY(status), &gss_status);
    if (status != PEAL_OK)
        status = read32(registers, registers->factory + FACTORY(status), &gss_status);
    if (status == PEAL_OK)
        status = peal_vdev_gss_fail(gss_status, wish);
    if (status != PEAL_OK)
        return status;
    status = read64(registers, registers->factory + FACTORY(shmem), &answer->shmem);
    if (status != PEAL_OK)
        status = read64(registers, registers->factory + FACTORY(shmem), &answer->shmem);
    *attached = status == PEAL_OK;
    if (status == PEAL_OK)
        status = read32(registers, registers->factory + FACTORY(size), &answer->pages);
    if (status == PEAL_OK)
        status = read32(registers, registers->factory + FACTORY(vector), &answer->vector);
    return status;
}

/* Whether control page and data can lie at `shmem`. */
static bool is_place(uint64_t shmem, uint64_t pages, uint64_t factory)
{
    const uint64_t bytes = (pages + 1) * PAGE; /* of 33 bits at most, and 12: no overflow */
    if (shmem == 0 || shmem % PAGE != 0 || shmem > UINT64_MAX - bytes)
        return false;
    return factory + PAGE <= shmem || factory >= shmem + bytes;
}

static enum peal_status check_answer(const struct peal_vdev_registers *registers,
                                     const struct peal_vdev_wish *wish, const struct answer *answer)
{
    if (answer->pages == 0 || !is_place(answer->shmem, answer->pages, registers->factory))
        return peal_fail(PEAL_ESYSTEM,
                         "%s: the device answers %" PRIu32 " pages at 0x%" PRIx64
                         " for region '%s', which cannot be; see the log of the host's device",
                         registers->device, answer->pages, answer->shmem, wish->name);
    if (answer->pages * PAGE > SIZE_MAX / 2)
        return peal_fail(PEAL_ENOMEM,
                         "%s: region '%s' has %" PRIu32
                         " pages, more than a program of %zu bits can map; make it smaller (its "
                         "first client chose), or use a 64-bit program",
                         registers->device, wish->name, answer->pages, sizeof(size_t) * 8);
    return PEAL_OK;
}

static enum peal_status read_index(struct peal_vdev_registers *registers,
                                   const struct peal_vdev_wish *wish, struct answer *answer)
{
    const enum peal_status status = read32(registers, answer->shmem + CONTROL(idx), &answer->index);
    if (status != PEAL_OK || answer->index < GUEST_SHM_MAX_CLIENTS)
        return status;
    return peal_fail(PEAL_ESYSTEM,
                     "%s: the device answers connection index %" PRIu32
                     " for region '%s', which cannot be; see the log of the host's device",
                     registers->device, answer->index, wish->name);
}

/* ---- a connection ---- */

/*
 * Everything stored to the data pages before is visible to whoever sees the write. To device memory an AArch64 CPU orders
 * that by a barrier of its own kind only; a way that goes through the kernel, or through a lock, orders besides.
 */
static void order_before_register(void)
{
#ifdef __aarch64__
    __asm__("dsb st" ::: "memory");
#endif
    /* VDEV-F1: pairs with VDEV-F2 in read_status(). */
    peal_fence_release();
}

static enum peal_status protocol_notify(struct peal_vdev_link *link, uint32_t targets)
{
    struct protocol_link *protocol = protocol_of(link);
    /* All bits set would mean "everybody but me"; 16 bits never are. */
    targets &= CLIENTS_MASK;
    if (targets == 0)
        return PEAL_OK;
    order_before_register();
    return write32(protocol->registers, protocol->control + CONTROL(notify), targets, true);
}

static enum peal_status is_gone(const struct protocol_link *protocol)
{
    return peal_fail(PEAL_ESYSTEM,
                     "%s: the device is gone, or has ended our connection; close the bus, and open "
                     "it again when the device is back",
                     protocol->registers->device);
}

/* The only reader of `status`. Adds what it says to `kept`; the lock is held. */
static enum peal_status read_status(struct protocol_link *protocol, uint32_t *members)
{
    uint32_t value = 0, index = 0;
    enum peal_status status =
        read32(protocol->registers, protocol->control + CONTROL(status), &value);
    if (status == PEAL_OK && value == UINT32_MAX) {
        /* Sixteen clients that all rang, or nobody there to answer? */
        status = read32(protocol->registers, protocol->control + CONTROL(idx), &index);
        if (status == PEAL_OK && index != protocol->link.index)
            status = is_gone(protocol);
    }
    if (status != PEAL_OK)
        return status;
    /* VDEV-F2: pairs with VDEV-F1 in order_before_register(). */
    peal_fence_acquire();
    protocol->kept |= value & CLIENTS_MASK;
    *members = value >> GUEST_SHM_MAX_CLIENTS | UINT32_C(1) << protocol->link.index;
    return PEAL_OK;
}

/*
 * Acknowledge, then read: what comes in between makes `fd` readable again, and is drained twice rather than never. Both under
 * the lock, so that members() never takes sources between the two, whose interrupt we have just acknowledged: what it
 * keeps is either drained here, or has an interrupt that nobody has acknowledged yet.
 */
static enum peal_status protocol_drain(struct peal_vdev_link *link, struct peal_vdev_news *news)
{
    struct protocol_link *protocol = protocol_of(link);
    (void)pthread_mutex_lock(&protocol->lock);
    protocol->registers->ops->acknowledge(protocol->registers);
    const enum peal_status status = read_status(protocol, &news->members);
    news->sources = protocol->kept;
    protocol->kept = 0;
    (void)pthread_mutex_unlock(&protocol->lock);
    return status;
}

/* Reading takes the pending bits, which are kept for drain(); the interrupt that told them stays unacknowledged. */
static enum peal_status protocol_members(struct peal_vdev_link *link, uint32_t *members)
{
    struct protocol_link *protocol = protocol_of(link);
    (void)pthread_mutex_lock(&protocol->lock);
    const enum peal_status status = read_status(protocol, members);
    (void)pthread_mutex_unlock(&protocol->lock);
    return status;
}

/* Asked once more if need be: a connection that leaks is gone until the guest ends. */
static void detach(struct peal_vdev_registers *registers, uint64_t control)
{
    if (write32(registers, control + CONTROL(detach), 1, false) != PEAL_OK)
        (void)write32(registers, control + CONTROL(detach), 1, false);
}

static void protocol_close(struct peal_vdev_link *link)
{
    struct protocol_link *protocol = protocol_of(link);
    struct peal_vdev_registers *registers = protocol->registers;
    registers->ops->unmap(registers, link->base, link->pages);
    detach(registers, protocol->control);
    registers->ops->close(registers);
    (void)pthread_mutex_destroy(&protocol->lock);
    free(protocol);
}

static const struct peal_vdev_link_ops PROTOCOL_OPS = {
    .notify = protocol_notify,
    .drain = protocol_drain,
    .members = protocol_members,
    .close = protocol_close,
};

/* What comes after the transaction; on failure the caller detaches. */
static enum peal_status make_link(struct peal_vdev_registers *registers,
                                  const struct peal_vdev_wish *wish, struct answer *answer,
                                  struct peal_vdev_link **link)
{
    enum peal_status status = check_answer(registers, wish, answer);
    if (status == PEAL_OK)
        status = read_index(registers, wish, answer);
    if (status != PEAL_OK)
        return status;
    struct protocol_link *protocol = calloc(1, sizeof(*protocol));
    if (protocol == NULL)
        return peal_fail(PEAL_ENOMEM, "no memory for a connection of the vdev; free some");
    unsigned char *base = NULL;
    status = registers->ops->map(registers, answer->shmem, answer->pages, &base);
    if (status != PEAL_OK) {
        free(protocol);
        return status;
    }
    (void)pthread_mutex_init(&protocol->lock, NULL);
    protocol->registers = registers;
    protocol->control = answer->shmem;
    protocol->link = (struct peal_vdev_link){
        .ops = &PROTOCOL_OPS,
        .base = base,
        .pages = answer->pages,
        .index = answer->index,
        .fd = registers->fd,
    };
    *link = &protocol->link;
    return PEAL_OK;
}

enum peal_status peal_vdev_protocol_attach(struct peal_vdev_registers *registers, const char *name,
                                           uint32_t pages, struct peal_vdev_link **link)
{
    const struct peal_vdev_wish wish = {registers->device, name, pages};
    struct answer answer = {0};
    bool attached = false;
    *link = NULL;
    enum peal_status status = check_signature(registers);
    if (status == PEAL_OK) {
        registers->ops->lock(registers);
        status = transact(registers, &wish, &answer, &attached);
        registers->ops->unlock(registers);
    }
    if (status == PEAL_OK)
        status = make_link(registers, &wish, &answer, link);
    if (status == PEAL_OK)
        return PEAL_OK;
    /* Where the address is no place for a control page, ending the way must do. */
    if (attached && is_place(answer.shmem, 1, registers->factory))
        detach(registers, answer.shmem);
    registers->ops->close(registers);
    return status;
}
