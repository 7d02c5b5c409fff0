/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A way to the registers by the unix socket of a device server: this process is a guest, with one device. Registers are
 * requests (socket_wire.h) to the BARs of the PCI function (socket_pci.h); data pages are mapped from the server's file.
 */
#include "core/error.h"
#include "transport/transport.h"
#include "transport/vdev/registers.h"
#include "transport/vdev/socket_pci.h"
#include "transport/vdev/socket_wire.h"

#include <errno.h>
#include <guest_shm_pci.h>
#include <inttypes.h>
#include <linux/vfio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>
#include <vfio_user.h>

#define VECTORS_MAX 256u

struct socket_way {
    struct peal_vdev_registers registers;
    struct peal_vdev_wire wire;
    struct peal_vdev_pci pci;
    int interrupt; /* eventfd, the server's for every vector */
};

static struct socket_way *of(struct peal_vdev_registers *registers)
{
    return (struct socket_way *)registers;
}

/* ---- registers ------------------------------------------------------------------------------- */

/* The BAR that holds an access, and the offset in it. */
static bool decode(const struct peal_vdev_pci *pci, uint64_t address, uint32_t width,
                   uint32_t *region, uint64_t *offset)
{
    const struct peal_vdev_bar *bars[] = {&pci->factory, &pci->windows};
    const uint32_t regions[] = {GUEST_SHM_BAR_FACTORY, GUEST_SHM_BAR_WINDOWS};
    for (uint32_t i = 0; i < 2; i++) {
        if (address >= bars[i]->address && address - bars[i]->address <= bars[i]->bytes - width) {
            *region = regions[i];
            *offset = address - bars[i]->address;
            return true;
        }
    }
    return false;
}

/* What no BAR answers, and what the server refuses, reads as all ones: as on a PCI bus. */
static enum peal_status way_read(struct peal_vdev_registers *registers, uint64_t address,
                                 uint32_t width, uint64_t *value)
{
    struct socket_way *way = of(registers);
    uint32_t region;
    uint64_t offset;
    bool refused = true;
    if (decode(&way->pci, address, width, &region, &offset) &&
        peal_vdev_wire_read(&way->wire, region, offset, width, value, &refused) != PEAL_OK)
        return PEAL_ESYSTEM;
    if (refused)
        *value = UINT64_MAX >> (64 - 8 * width);
    return PEAL_OK;
}

/*
 * Stores made before are visible to whoever the write wakes: the kernel's socket hands them on to the server with the
 * request, and the server's eventfd to the guest that is interrupted.
 */
static enum peal_status way_write(struct peal_vdev_registers *registers, uint64_t address,
                                  uint32_t width, uint64_t value, bool posted)
{
    struct socket_way *way = of(registers);
    uint32_t region;
    uint64_t offset;
    bool refused;
    if (decode(&way->pci, address, width, &region, &offset) &&
        peal_vdev_wire_write(&way->wire, region, offset, width, value, posted, &refused) != PEAL_OK)
        return PEAL_ESYSTEM;
    return PEAL_OK;
}

static enum peal_status way_map(struct peal_vdev_registers *registers, uint64_t control,
                                uint32_t pages, unsigned char **base)
{
    struct socket_way *way = of(registers);
    const uint64_t bytes = (uint64_t)pages * PEAL_TRANSPORT_PAGE_BYTES;
    uint64_t offset;
    const enum peal_status status =
        peal_vdev_pci_data(&way->pci, &way->wire, control, pages, &offset);
    if (status != PEAL_OK)
        return status;
    if (bytes > SIZE_MAX)
        return peal_fail(PEAL_ENOMEM,
                         "a region of %" PRIu64 " bytes does not fit into this process", bytes);
    void *start = mmap(NULL, (size_t)bytes, PROT_READ | PROT_WRITE, MAP_SHARED, way->pci.memory,
                       (off_t)offset);
    if (start == MAP_FAILED)
        return peal_fail(errno == ENOMEM ? PEAL_ENOMEM : PEAL_ESYSTEM,
                         "cannot map %" PRIu64
                         " bytes of the memory of %s: %s; free memory, or raise the limit "
                         "(ulimit -v)",
                         bytes, way->wire.stream.path, strerror(errno));
    *base = start;
    return PEAL_OK;
}

static void way_unmap(struct peal_vdev_registers *registers, unsigned char *base, uint32_t pages)
{
    (void)registers;
    (void)munmap(base, (size_t)pages * PEAL_TRANSPORT_PAGE_BYTES);
}

/*
 * The descriptor polls readable after an interrupt, and when the server hangs up. That is taken note of once, so that a
 * sleeper finds out (its next access fails), and does not wake for ever.
 */
static void way_acknowledge(struct peal_vdev_registers *registers)
{
    struct socket_way *way = of(registers);
    struct epoll_event events[2];
    uint64_t interrupts;
    if (way->wire.stream.fd < 0)
        return; /* a fork's child: the interrupts are its parent's */
    (void)!read(way->interrupt, &interrupts, sizeof(interrupts));
    const int count = epoll_wait(registers->fd, events, 2, 0);
    for (int i = 0; i < count; i++) {
        if (events[i].data.fd != way->wire.stream.fd)
            continue;
        (void)epoll_ctl(registers->fd, EPOLL_CTL_DEL, way->wire.stream.fd, NULL);
        peal_vdev_wire_hang_up(&way->wire);
    }
}

/* Nobody else has this guest's device. */
static void way_lock(struct peal_vdev_registers *registers)
{
    (void)registers;
}

static void way_close(struct peal_vdev_registers *registers)
{
    struct socket_way *way = of(registers);
    peal_vdev_wire_close(&way->wire);
    peal_vdev_pci_close(&way->pci);
    if (registers->fd >= 0)
        (void)close(registers->fd);
    if (way->interrupt >= 0)
        (void)close(way->interrupt);
    free(way);
}

static const struct peal_vdev_registers_ops way_ops = {
    .read = way_read,
    .write = way_write,
    .map = way_map,
    .unmap = way_unmap,
    .acknowledge = way_acknowledge,
    .lock = way_lock,
    .unlock = way_lock,
    .close = way_close,
};

/* ---- opening --------------------------------------------------------------------------------- */

static enum peal_status fail_interrupts(const struct socket_way *way, const char *why)
{
    return peal_fail(PEAL_EFORMAT,
                     "the device server at %s gives no interrupts: %s; is it peal-vdev, of this "
                     "version?",
                     way->wire.stream.path, why);
}

static enum peal_status count_vectors(struct socket_way *way, uint32_t *vectors)
{
    const struct vfio_irq_info asked = {.argsz = sizeof(asked), .index = VFIO_PCI_MSIX_IRQ_INDEX};
    struct vfio_irq_info reply;
    struct peal_vdev_request request = {
        .command = VFIO_USER_DEVICE_GET_IRQ_INFO,
        .fd = -1,
        .head = &asked,
        .head_bytes = sizeof(asked),
        .reply = &reply,
        .reply_least_bytes = sizeof(reply),
        .reply_most_bytes = sizeof(reply),
    };
    const enum peal_status status = peal_vdev_wire_ask(&way->wire, &request);
    if (status != PEAL_OK)
        return status;
    if (request.error != 0)
        return fail_interrupts(way, strerror((int)request.error));
    if (reply.index != VFIO_PCI_MSIX_IRQ_INDEX || (reply.flags & VFIO_IRQ_INFO_EVENTFD) == 0 ||
        reply.count == 0 || reply.count > VECTORS_MAX)
        return fail_interrupts(way, "it has no MSI-X vectors, or too many");
    *vectors = reply.count;
    return PEAL_OK;
}

/* One message a vector, for a server may take no more than one descriptor with each. */
static enum peal_status set_vector(struct socket_way *way, uint32_t vector)
{
    const struct vfio_irq_set set = {
        .argsz = sizeof(set),
        .flags = VFIO_IRQ_SET_DATA_EVENTFD | VFIO_IRQ_SET_ACTION_TRIGGER,
        .index = VFIO_PCI_MSIX_IRQ_INDEX,
        .start = vector,
        .count = 1,
    };
    unsigned char reply[sizeof(set)]; /* some servers say again what they were told */
    struct peal_vdev_request request = {
        .command = VFIO_USER_DEVICE_SET_IRQS,
        .fd = way->interrupt,
        .head = &set,
        .head_bytes = sizeof(set),
        .reply = reply,
        .reply_most_bytes = sizeof(reply),
    };
    const enum peal_status status = peal_vdev_wire_ask(&way->wire, &request);
    if (status != PEAL_OK || request.error == 0)
        return status;
    return fail_interrupts(way, strerror((int)request.error));
}

static enum peal_status make_descriptor(struct socket_way *way)
{
    way->interrupt = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    way->registers.fd = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event interrupt = {.events = EPOLLIN, .data = {.fd = way->interrupt}};
    struct epoll_event hang_up = {.events = EPOLLRDHUP, .data = {.fd = way->wire.stream.fd}};
    if (way->interrupt < 0 || way->registers.fd < 0 ||
        epoll_ctl(way->registers.fd, EPOLL_CTL_ADD, way->interrupt, &interrupt) != 0 ||
        epoll_ctl(way->registers.fd, EPOLL_CTL_ADD, way->wire.stream.fd, &hang_up) != 0)
        return peal_fail(PEAL_ESYSTEM,
                         "cannot make a descriptor for interrupts: %s; raise "
                         "RLIMIT_NOFILE",
                         strerror(errno));
    return PEAL_OK;
}

static enum peal_status connect_interrupts(struct socket_way *way)
{
    uint32_t vectors = 0;
    enum peal_status status = make_descriptor(way);
    if (status == PEAL_OK)
        status = count_vectors(way, &vectors);
    for (uint32_t i = 0; i < vectors && status == PEAL_OK; i++)
        status = set_vector(way, i);
    return status;
}

enum peal_status peal_vdev_socket_open(const char *path, uint64_t timeout_ns,
                                       struct peal_vdev_registers **registers)
{
    struct socket_way *way = calloc(1, sizeof(*way));
    if (way == NULL)
        return peal_fail(PEAL_ENOMEM, "no memory for a connection to a device server");
    way->interrupt = -1;
    way->registers.fd = -1;
    enum peal_status status = peal_vdev_wire_open(&way->wire, path, timeout_ns);
    if (status != PEAL_OK) {
        free(way);
        return status;
    }
    status = peal_vdev_pci_open(&way->pci, &way->wire);
    if (status == PEAL_OK)
        status = connect_interrupts(way);
    if (status != PEAL_OK) {
        way_close(&way->registers);
        return status;
    }
    peal_vdev_wire_opened(&way->wire);
    way->registers.ops = &way_ops;
    way->registers.factory = way->pci.factory.address;
    way->registers.device = way->wire.stream.path;
    *registers = &way->registers;
    return PEAL_OK;
}
