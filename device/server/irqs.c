/* SPDX-License-Identifier: Apache-2.0 */
#include "device/server/irqs.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/vfio.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define DATA_FLAGS ((uint32_t)VFIO_IRQ_SET_DATA_TYPE_MASK)
#define ACTION_FLAGS ((uint32_t)VFIO_IRQ_SET_ACTION_TYPE_MASK)

void vdev_irqs_init(struct vdev_irqs *irqs, uint32_t vectors, bool intx)
{
    *irqs = (struct vdev_irqs){.vectors = vectors, .has_intx = intx, .intx = -1};
    for (uint32_t i = 0; i < VDEV_VECTORS_MAX; i++)
        irqs->msix[i] = -1;
}

static void drop(int *fd)
{
    if (*fd >= 0)
        (void)close(*fd);
    *fd = -1;
}

static void drop_msix(struct vdev_irqs *irqs)
{
    for (uint32_t i = 0; i < irqs->vectors; i++)
        drop(&irqs->msix[i]);
    irqs->msix_pending = 0;
}

static void drop_intx(struct vdev_irqs *irqs)
{
    drop(&irqs->intx);
    irqs->intx_masked = false;
    irqs->intx_pending = false;
}

void vdev_irqs_end(struct vdev_irqs *irqs)
{
    drop_msix(irqs);
    drop_intx(irqs);
}

void vdev_irqs_reset(struct vdev_irqs *irqs)
{
    irqs->msix_pending = 0;
    irqs->intx_pending = false;
    irqs->intx_masked = false;
}

bool vdev_irqs_describe(const struct vdev_irqs *irqs, uint32_t index, uint32_t *flags,
                        uint32_t *count)
{
    *flags = VFIO_IRQ_INFO_EVENTFD;
    *count = 0;
    if (index == VFIO_PCI_MSIX_IRQ_INDEX) {
        *count = irqs->vectors;
    } else if (index == VFIO_PCI_INTX_IRQ_INDEX && irqs->has_intx) {
        *flags |= VFIO_IRQ_INFO_MASKABLE | VFIO_IRQ_INFO_AUTOMASKED;
        *count = 1;
    }
    return index < VFIO_PCI_NUM_IRQS;
}

/* ---- raising --------------------------------------------------------------------------------- */

/* False: there is no eventfd. A full one (EAGAIN) is readable, so its owner looks anyway. */
static bool signal_fd(int *fd)
{
    const uint64_t one = 1;
    if (*fd < 0)
        return false;
    const int flags = fcntl(*fd, F_GETFL);
    if (flags < 0 || (flags & O_NONBLOCK) == 0) {
        drop(fd);
        return false;
    }
    return write(*fd, &one, sizeof(one)) == (ssize_t)sizeof(one) || errno == EAGAIN;
}

static bool uses_msix(const struct vdev_irqs *irqs)
{
    for (uint32_t i = 0; i < irqs->vectors; i++) {
        if (irqs->msix[i] >= 0)
            return true;
    }
    return false;
}

static void raise_msix(struct vdev_irqs *irqs, uint32_t vector)
{
    const uint64_t bit = UINT64_C(1) << vector;
    if (signal_fd(&irqs->msix[vector]))
        irqs->msix_pending &= ~bit;
    else
        irqs->msix_pending |= bit;
}

static void raise_intx(struct vdev_irqs *irqs)
{
    irqs->intx_pending = true;
    if (irqs->intx_masked || irqs->intx_disabled || !signal_fd(&irqs->intx))
        return;
    irqs->intx_pending = false;
    irqs->intx_masked = true;
}

void vdev_irqs_raise(struct vdev_irqs *irqs, uint32_t vector)
{
    if (vector >= irqs->vectors)
        return;
    if (!uses_msix(irqs) && irqs->intx >= 0)
        raise_intx(irqs);
    else
        raise_msix(irqs, vector);
}

void vdev_irqs_set_line(struct vdev_irqs *irqs, bool line)
{
    irqs->intx_pending = line;
}

void vdev_irqs_disable_intx(struct vdev_irqs *irqs, bool disabled)
{
    irqs->intx_disabled = disabled;
    if (irqs->intx_pending)
        raise_intx(irqs);
}

/* ---- SET_IRQS -------------------------------------------------------------------------------- */

/* By what the kernel calls it: a pipe or a socket might block, and a file would be written to. */
static bool is_eventfd(int fd)
{
    static const char wanted[] = "anon_inode:[eventfd]";
    char path[32];
    char name[sizeof(wanted)];
    (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    return readlink(path, name, sizeof(name)) == (ssize_t)(sizeof(wanted) - 1) &&
           memcmp(name, wanted, sizeof(wanted) - 1) == 0;
}

static bool prepare(int fd)
{
    const int flags = fcntl(fd, F_GETFL);
    return flags >= 0 && (flags & O_ACCMODE) == O_RDWR && is_eventfd(fd) &&
           fcntl(fd, F_SETFL, flags | O_NONBLOCK) == 0;
}

static void assign(struct vdev_irqs *irqs, uint32_t index, uint32_t number, int fd)
{
    int *place = index == VFIO_PCI_MSIX_IRQ_INDEX ? &irqs->msix[number] : &irqs->intx;
    drop(place);
    *place = fd;
    if (fd < 0)
        return;
    if (index == VFIO_PCI_INTX_IRQ_INDEX) {
        irqs->intx_masked = false;
        if (irqs->intx_pending)
            raise_intx(irqs);
    } else if ((irqs->msix_pending >> number & 1u) != 0) {
        raise_msix(irqs, number);
    }
}

/* As many descriptors as there are interrupts, or none, which takes those away that were there. */
static int assign_all(struct vdev_irqs *irqs, const struct vfio_irq_set *set, int *fds,
                      uint32_t fd_count)
{
    if ((set->flags & ACTION_FLAGS) != VFIO_IRQ_SET_ACTION_TRIGGER ||
        (fd_count != 0 && fd_count != set->count))
        return EINVAL;
    for (uint32_t i = 0; i < fd_count; i++) {
        if (!prepare(fds[i]))
            return EINVAL;
    }
    for (uint32_t i = 0; i < set->count; i++) {
        assign(irqs, set->index, set->start + i, fd_count == 0 ? -1 : fds[i]);
        if (fd_count != 0)
            fds[i] = -1;
    }
    return 0;
}

static void mask_intx(struct vdev_irqs *irqs, bool masked)
{
    irqs->intx_masked = masked;
    if (!masked && irqs->intx_pending)
        raise_intx(irqs);
}

static int act(struct vdev_irqs *irqs, const struct vfio_irq_set *set, uint32_t number)
{
    const uint32_t action = set->flags & ACTION_FLAGS;
    const bool is_pin = set->index == VFIO_PCI_INTX_IRQ_INDEX;
    if (action != VFIO_IRQ_SET_ACTION_TRIGGER && !is_pin)
        return EINVAL;
    if (action != VFIO_IRQ_SET_ACTION_TRIGGER)
        mask_intx(irqs, action == VFIO_IRQ_SET_ACTION_MASK);
    else if (is_pin)
        raise_intx(irqs);
    else
        raise_msix(irqs, number);
    return 0;
}

/* Without descriptors: does the action for each interrupt (DATA_BOOL: for each whose byte is not 0). */
static int act_all(struct vdev_irqs *irqs, const struct vfio_irq_set *set,
                   const unsigned char *chosen)
{
    int error = 0;
    for (uint32_t i = 0; i < set->count && error == 0; i++) {
        if (!chosen || chosen[i] != 0)
            error = act(irqs, set, set->start + i);
    }
    return error;
}

static bool is_one_bit(uint32_t flags)
{
    return flags != 0 && (flags & (flags - 1)) == 0;
}

int vdev_irqs_set(struct vdev_irqs *irqs, const unsigned char *payload, size_t payload_bytes,
                  int *fds, uint32_t fd_count)
{
    struct vfio_irq_set set;
    uint32_t flags;
    uint32_t available;
    if (payload_bytes < sizeof(set))
        return EINVAL;
    memcpy(&set, payload, sizeof(set));
    if (!vdev_irqs_describe(irqs, set.index, &flags, &available) || set.start > available ||
        set.count > available - set.start || !is_one_bit(set.flags & DATA_FLAGS) ||
        !is_one_bit(set.flags & ACTION_FLAGS) || (set.flags & ~(DATA_FLAGS | ACTION_FLAGS)) != 0)
        return EINVAL;
    if ((set.flags & VFIO_IRQ_SET_DATA_EVENTFD) != 0)
        return assign_all(irqs, &set, fds, fd_count);
    if (fd_count != 0)
        return EINVAL;
    if ((set.flags & VFIO_IRQ_SET_DATA_BOOL) != 0)
        return payload_bytes - sizeof(set) < set.count ? EINVAL
                                                       : act_all(irqs, &set, payload + sizeof(set));
    if (set.count != 0)
        return act_all(irqs, &set, NULL);
    if (set.flags != (VFIO_IRQ_SET_DATA_NONE | VFIO_IRQ_SET_ACTION_TRIGGER))
        return EINVAL;
    if (set.index == VFIO_PCI_MSIX_IRQ_INDEX)
        drop_msix(irqs);
    else if (set.index == VFIO_PCI_INTX_IRQ_INDEX)
        drop_intx(irqs);
    return 0;
}
